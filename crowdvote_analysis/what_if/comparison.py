"""Two counts of one decision side by side: whose ballot differs, and what that does to scores and winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.affected import resolve_affected
from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.star import tally_star
from crowdvote_analysis.star.result import SCORES
from crowdvote_analysis.what_if.changes import changed_state, members_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.what_if.changes import Change


@dataclass(frozen=True, eq=False)
class Comparison:
    """One decision, counted twice.

    Attributes:
        decision_id: The decision.
        before, after: The tallies; ``None`` where no ballot was there to tally (K9).
        ballots: Members whose ballot differs: member_id, origin_before, origin_after (manual, calculated or none),
            tags_before, tags_after (list[str]), is_voter; sorted by member_id.
        stars: Stars that differ: member_id, choice_id, before, after (DECIMAL(9,8); null where the ballot says nothing,
            or there is none); sorted.
        scores: One row a choice: choice_id, title, total_before, total_after (DECIMAL(38,8), 0 where nothing was
            tallied), average_before, average_after (DECIMAL(9,8)), rank_before, rank_after (Int64; null where nothing
            was tallied). By the score after, then before.
    """

    decision_id: str
    before: StarTally | None
    after: StarTally | None
    ballots: pl.DataFrame
    stars: pl.DataFrame
    scores: pl.DataFrame

    @property
    def winner_changes(self) -> bool:
        """Whether another choice wins, others could under a tie (K7), or only one of the counts has a result."""
        return who_could_win(self.before) != who_could_win(self.after)


def what_if(
    state: SystemState,
    before: Resolution,
    decision_id: str,
    changes: Iterable[Change] = (),
    *,
    cycles: str | None = None,
    protocol: str = "starvote",
    protocol_before: str = "starvote",
    work_limit: int = WORK_LIMIT,
) -> Comparison:
    """Count one decision again after some changes, and compare.

    Args:
        state: What was counted.
        before: Its count, which holds the decision.
        decision_id: The decision.
        changes: What is different; only the ballots they affect are calculated again (E2).
        cycles: The rule for loops to try, ``"auto"``, ``"path"`` or ``"equilibrium"``; that of the community by
            default.
        protocol: The tie protocol to try (K3).
        protocol_before: The tie protocol of the count to compare with.
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3).

    Raises:
        UnknownDecisionError, UnknownMemberError, InvalidTableError: As ``changed_state``.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps.
        ValueError, InvalidElectionError: No such rule for loops, or no such tie protocol.
    """
    changes = list(changes)
    changed = changed_state(state, decision_id, changes)
    after = resolve_affected(changed, before, members_of(changes), [decision_id], cycles, work_limit=work_limit)
    return compare(before, after, decision_id, protocol_before=protocol_before, protocol_after=protocol)


def compare(
    before: Resolution,
    after: Resolution,
    decision_id: str,
    *,
    protocol_before: str = "starvote",
    protocol_after: str = "starvote",
) -> Comparison:
    """Compare two counts of one decision.

    Args:
        before: One count.
        after: The other one.
        decision_id: The decision, in both of them.
        protocol_before: The tie protocol of the one (K3).
        protocol_after: The tie protocol of the other.

    Raises:
        UnknownDecisionError: A count does not hold the decision.
        InvalidElectionError: No such tie protocol.
    """
    tallies = tallied(before, decision_id, protocol_before), tallied(after, decision_id, protocol_after)
    stars = _other_stars(before, after, decision_id)
    keep = ["member_id", "origin", "tags", "is_voter"]
    ballots = (
        before.ballots.filter(decision_id=decision_id)
        .select(keep)
        .join(after.ballots.filter(decision_id=decision_id).select(keep), on="member_id", suffix="_after")
        .filter(
            (pl.col("origin") != pl.col("origin_after"))
            | (pl.col("tags") != pl.col("tags_after"))
            | pl.col("member_id").is_in(stars["member_id"].implode())
        )
        .select(
            "member_id",
            "origin_after",
            "tags_after",
            "is_voter",
            origin_before="origin",
            tags_before="tags",
        )
        .select("member_id", "origin_before", "origin_after", "tags_before", "tags_after", "is_voter")
        .sort("member_id")
    )
    return Comparison(decision_id, *tallies, ballots, stars, _scores(*tallies, before, decision_id))


def tallied(resolution: Resolution, decision_id: str, protocol: str = "starvote") -> StarTally | None:
    """Tally a decision; ``None`` where no voter has a ballot with stars, or there is nothing to choose (K9)."""
    here = resolution.stats.filter(decision_id=decision_id)
    try:
        return tally_star(resolution, decision_id, protocol, on_tie="return")
    except InvalidElectionError:
        if here["tallied_ballots"].sum() and not resolution.choices.filter(decision_id=decision_id).is_empty():
            raise
        return None


def who_could_win(tally: StarTally | None) -> frozenset[str]:
    """The winner, or all who could win under an unresolved tie (K7); nobody where nothing was tallied."""
    return frozenset() if tally is None else frozenset(tally.possible_winners)


def _other_stars(before: Resolution, after: Resolution, decision_id: str) -> pl.DataFrame:
    def of(resolution: Resolution, name: str) -> pl.DataFrame:
        stars = resolution.stars.filter(decision_id=decision_id)
        return stars.select("member_id", "choice_id", pl.col("stars").alias(name))

    both = of(before, "before").join(of(after, "after"), on=["member_id", "choice_id"], how="full", coalesce=True)
    return both.filter(pl.col("before").ne_missing(pl.col("after"))).sort("member_id", "choice_id")


def _scores(before: StarTally | None, after: StarTally | None, counted: Resolution, decision_id: str) -> pl.DataFrame:
    frame = counted.choices.filter(decision_id=decision_id).select("choice_id", "title")
    for name, tally in {"before": before, "after": after}.items():
        scores = pl.DataFrame(schema=SCORES) if tally is None else tally.scores
        found = scores.select("choice_id", "total", "average", "rank").rename(
            {column: f"{column}_{name}" for column in ("total", "average", "rank")}
        )
        frame = frame.join(found, on="choice_id", how="left", maintain_order="left").with_columns(
            pl.col(f"total_{name}", f"average_{name}").fill_null(0)
        )
    titles = {row["choice_id"]: row["title"] for tally in (before, after) if tally for row in tally.scores.to_dicts()}
    return (
        frame.with_columns(title=pl.col("choice_id").replace(titles) if titles else "title")
        .sort(["total_after", "total_before"], descending=True, maintain_order=True)
        .select(
            "choice_id",
            "title",
            *(f"{column}_{name}" for column in ("total", "average", "rank") for name in ("before", "after")),
        )
    )
