"""What a report is made of: a stored snapshot, read and checked, under public ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.pages.loops import loops_of_snapshot
from crowdvote_analysis.pages.words import safety_of
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.snapshots import find_snapshot, read_inputs, read_loops, read_result
from crowdvote_analysis.snapshots.calculation import Staged, listed_choices, public_result
from crowdvote_analysis.star import ratings, tally_each, with_ratings

if TYPE_CHECKING:
    from crowdvote_analysis.snapshots.calculation import Result
    from crowdvote_analysis.star import Robustness, StarTally
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store


@dataclass(frozen=True)
class Contents:
    """One snapshot, ready to be written down.

    Attributes:
        row: What there is to say about it, as a row of ``list_snapshots``.
        decision: The row of the decision in the frozen tables.
        community: The title of the community, or its id.
        choices: ``choice_id`` and ``title``, best score first, else in display order.
        tally: The tally; ``None`` where no voter has a ballot with stars.
        scores: Its scores, with what was left blank, as ``star.with_ratings``; ``None`` without a tally.
        safety: How many ballots would have to change; ``None`` where that says nothing.
        loops: What became of the loops, sentence by sentence; none where there is no loop.
        staged: Everyone's ballot under real ids, for the charts; they take names from ``names``.
        names: Public names of the community (P1), as ``privacy.public_names``.
        public: The result under public ids.
    """

    row: dict[str, Any]
    decision: dict[str, Any]
    community: str
    choices: pl.DataFrame
    tally: StarTally | None
    scores: pl.DataFrame | None
    safety: Robustness | None
    loops: tuple[str, ...]
    staged: Staged
    names: pl.DataFrame
    public: Result


def read_contents(store: Store, name: str) -> Contents:
    """Read a snapshot, every file checked on the way.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: It has no result, or is not what it was.
    """
    row = find_snapshot(store, name)
    if row["status"] != "completed":
        raise SnapshotError(f"snapshot {row['snapshot_id']} is {row['status']}; a report is made of completed ones.")
    inputs, state = read_inputs(store, row["snapshot_id"])
    result = read_result(store, row["snapshot_id"])
    staged = Staged(result.tables["resolved_ballots"], result.tables["resolved_stars"], listed_choices(state))
    orders = {row["decision_id"]: inputs.options.tie_order} if inputs.options.tie_order else None
    tally = tally_each(staged, inputs.options.protocol, tie_orders=orders).get(row["decision_id"])
    if tally is not None and tally.to_dict() != result.tally:
        raise SnapshotError(
            f"snapshot {row['snapshot_id']}: its ballots give another tally than was stored, so no report is made. "
            "crowdvote snapshot verify says where."
        )
    return Contents(
        row=row,
        decision=state.decisions.row(by_predicate=pl.col("decision_id") == row["decision_id"], named=True),
        community=_community(state, row["community_id"]),
        choices=(staged.choices.sort("position", "choice_id") if tally is None else tally.scores).select(
            "choice_id", pl.coalesce("title", "choice_id").alias("title")
        ),
        tally=tally,
        scores=with_ratings(tally, ratings(staged, row["decision_id"])) if tally else None,
        safety=safety_of(staged, tally),
        loops=tuple(loops_of_snapshot(state, inputs, read_loops(store, row["snapshot_id"]))[0]),
        staged=staged,
        names=public_names(state).filter(community_id=row["community_id"]),
        public=public_result(state, result),
    )


def _community(state: SystemState, community_id: str) -> str:
    titles = state.communities.filter(community_id=community_id)["title"].drop_nulls()
    return str(titles[0]) if len(titles) else community_id
