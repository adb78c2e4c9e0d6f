"""Frozen tables → everyone's ballot → the tally, each step frozen as well.

Counting itself is that of ``delegation`` and ``star``. What is kept of it is exact: ballots and stars as decimals of 8
places (D10), weights with 9, so that a recount on another machine gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.errors import CorruptedSnapshotError
from crowdvote_analysis.privacy import public_ids, public_names
from crowdvote_analysis.snapshots.inputs import HEAD
from crowdvote_analysis.snapshots.objects import (
    Frozen,
    content_of,
    file_of,
    freeze,
    json_bytes,
    listing_hash,
    sha256,
    thaw,
    write_json,
)
from crowdvote_analysis.star import tally_all, tally_each

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.snapshots.inputs import Inputs, Options
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.location import Location

STAGED = ("resolved_ballots", "resolved_stars", "sources", "stats")
RESULTS = (*STAGED, "tallies")
WEIGHT = pl.Decimal(28, 9)

_PEOPLE = {
    "resolved_ballots": ["member_id"],
    "resolved_stars": ["member_id"],
    "sources": ["follower_id", "followee_id"],
}


@dataclass(frozen=True)
class Staged:
    """Everyone's ballot as the tally looks at it (it fits ``star.resolution.Resolution``)."""

    ballots: pl.DataFrame
    stars: pl.DataFrame
    choices: pl.DataFrame

    @property
    def electorate(self) -> pl.DataFrame:
        """Whose ballots there may be, with their role."""
        return self.ballots


@dataclass(frozen=True)
class Result:
    """What came out of a snapshot.

    Attributes:
        tables: resolved_ballots, resolved_stars, sources, stats (the frames of ``Resolution``, weight as DECIMAL(28,9))
            and tallies (a row of ``tally_all``).
        tally: The tally as ``StarTally.to_dict``; where no voter has a ballot, its status and protocol only.
    """

    tables: Mapping[str, pl.DataFrame]
    tally: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """What the events say of it."""
        row, stats = (self.tables[name].row(0, named=True) for name in ("tallies", "stats"))
        counts = ("total_members", "manual_ballots", "calculated_ballots", "no_ballot", "lobbyists")
        return {
            "outcome": row["status"],
            **{name: row[name] for name in ("winner", "winner_title", "margin")},
            **{name: stats[name] for name in counts},
            **{name: stats[name] for name in ("circular_prevented", "max_delegation_depth", "participation")},
        }

    def exchanged(self, exchange: Callable[[pl.DataFrame], pl.DataFrame]) -> Result:
        """The same with other words for people, such as ``People.named_results``; a tally names nobody."""
        return Result({name: exchange(frame) for name, frame in self.tables.items()}, self.tally)

    def contents(self) -> dict[str, str]:
        """The content hash of every part, by the name of the file it is exported as."""
        return {f"{name}.csv": content_of(frame) for name, frame in self.tables.items()} | {
            "tally.json": sha256(json_bytes(self.tally))
        }


def staged_tables(resolution: Resolution, options: Options | None = None) -> dict[str, pl.DataFrame]:
    """What is kept of a resolution; older snapshots, as their options say, know nothing of a voting time."""
    is_older = options is not None and not options.voting_time
    return {
        "resolved_ballots": resolution.ballots.with_columns(pl.col("weight").cast(WEIGHT)),
        "resolved_stars": resolution.stars,
        "sources": resolution.sources,
        "stats": resolution.stats.drop("untimely_ballots") if is_older else resolution.stats,
    }


def resolve_snapshot(
    state: SystemState, options: Options, progress: Callable[[int, int], None] | None = None
) -> Resolution:
    """Resolve the one decision of a snapshot as it asks for."""
    return resolve(as_asked(state, options), cycles=options.cycles, work_limit=options.work_limit, progress=progress)


def as_asked(state: SystemState, options: Options) -> SystemState:
    """The frozen tables as they are counted: in older snapshots all ballots count, whenever they were cast."""
    if options.voting_time:
        return state
    never = pl.lit(None, dtype=tables.UTC)
    always = state.decisions.with_columns(opens_at=never, closes_at=never, status=pl.lit("active"))
    return state._with(decisions=always)


def tallied(staged: Mapping[str, pl.DataFrame], choices: pl.DataFrame, options: Options) -> Result:
    """Tally staged ballots.

    Args:
        staged: The tables of ``STAGED``.
        choices: The table choices of the decision.
        options: How the snapshot is counted.
    """
    ballots = Staged(staged["resolved_ballots"], staged["resolved_stars"], choices)
    decision_id = staged["stats"]["decision_id"].item()
    orders = {decision_id: options.tie_order} if options.tie_order else None
    overview = tally_all(ballots, options.protocol, tie_orders=orders)
    tallies = tally_each(ballots, options.protocol, tie_orders=orders)
    nothing = {"decision_id": decision_id, "status": "no ballots", "protocol": options.protocol}
    tally = tallies[decision_id].to_dict() if decision_id in tallies else nothing
    return Result({**staged, "tallies": overview}, tally)


def freeze_staged(
    location: Location,
    snapshot_id: str,
    staged: Mapping[str, pl.DataFrame],
    loops: Mapping[str, Any] | None = None,
) -> str:
    """Freeze staged ballots, and what there is to say of their loops; the SHA-256 of the file that describes them."""
    frozen = {name: freeze(location, frame)._asdict() for name, frame in staged.items()}
    document = {"what": "ballots of a crowdvote snapshot", "tables": frozen}
    return write_json(location, file_of(snapshot_id, "staged"), document | ({"loops": loops} if loops else {}))


def freeze_result(
    location: Location, inputs: Inputs, state: SystemState, result: Result, named: Result
) -> tuple[str, str, str]:
    """Freeze a result.

    Args:
        location: The store.
        inputs: What it is of.
        state: The tables it is of, under real ids.
        result: What came out, people under tokens.
        named: The same under real ids.

    Returns:
        The SHA-256 of the file that describes it, the hash of all its parts, and the same of its parts under public
        ids and names.
    """
    frozen = {name: freeze(location, frame)._asdict() for name, frame in result.tables.items()}
    whole, public = listing_hash(result.contents()), public_result_hash(inputs, state, named)
    document = {
        "what": "result of a crowdvote snapshot",
        "snapshot_id": inputs.snapshot_id,
        "content_hash": inputs.content_hash,
        "tables": frozen,
        "tally": result.tally,
        "result_hash": whole,
        "public_result_hash": public,
    }
    return write_json(location, file_of(inputs.snapshot_id, "result"), document), whole, public


def public_result_hash(inputs: Inputs, state: SystemState, result: Result) -> str:
    """One hash of a result as it may be published, and of what it is of."""
    contents = public_result(state, result).contents()
    return listing_hash({**contents, HEAD: sha256(json_bytes(inputs.head()))})


def public_result(state: SystemState, result: Result) -> Result:
    """A result under public ids (P1), rows in the order of those; a tally names nobody."""
    names, where = public_names(state), state.decisions.select("decision_id", "community_id")
    shown = dict(result.tables)
    for table, columns in _PEOPLE.items():
        own = shown[table].columns
        frame = public_ids(shown[table].join(where, on="decision_id", how="left"), names, columns).select(own)
        shown[table] = frame.sort("decision_id", *columns, *(["choice_id"] if "choice_id" in own else []))
    return Result(shown, result.tally)


def thaw_tables(location: Location, snapshot_id: str, frozen: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Tables that a JSON document describes.

    Raises:
        CorruptedSnapshotError: A file is not what it was.
    """
    frames, problems = {}, []
    for name, description in frozen.items():
        frame, problem = thaw(location, Frozen(**description))
        if frame is None:
            problems.append(f"{name}: {problem}")
        else:
            frames[name] = frame
    if problems:
        raise CorruptedSnapshotError(snapshot_id, problems)
    return frames


def listed_choices(state: SystemState) -> pl.DataFrame:
    """The choices of a state in their order."""
    return state.choices.sort(tables.key("choices"))
