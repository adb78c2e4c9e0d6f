"""The yes/no decisions of a state → one row each: the votes, the outcome, what is missing (C1 to C7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.consensus.delegated import BILLIONTH, counted_votes
from crowdvote_analysis.consensus.outcome import WEIGHTED, outcomes
from crowdvote_analysis.consensus.standing import asked_decisions, asked_voters, in_utc, standing
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.thresholds import DEFAULT, threshold_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crowdvote_analysis.state import SystemState

_OPTIONS = ("threshold", "quorum", "decisive_only")
_HEAD = ("decision_id", "community_id", "title", "method", "status", "closes_at", "delegated")


def decide(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    *,
    at: datetime | None = None,
    delegated: bool | None = None,
    cycles: str | None = None,
    work_limit: int = WORK_LIMIT,
) -> pl.DataFrame:
    """Decide the yes/no decisions of a state (C).

    Args:
        state: The tables.
        decisions: Ids of yes/no decisions; all of them by default.
        at: The instant: votes cast later do not count, and deadlines up to it have passed (a time without a zone is
            UTC). By default all votes cast in time count, and every status is the stored one.
        delegated: Whether votes pass along followings (C7); the column of the table by default.
        cycles: ``"auto"`` (Y6), ``"path"`` (Y1) or ``"equilibrium"`` (Y4) for delegated decisions; the rule of each
            community if not given.
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3).

    Returns:
        One row a decision, sorted by decision_id: decision_id, community_id, title, method, status, closes_at,
        delegated, required (required voters who are voters of the community), yes, no, abstain, threshold, quorum,
        decisive_only, and what ``outcomes`` adds. yes and no are Decimal(38, 9), all other numbers of votes Int64.

        The status is the stored one; where that is active and the deadline has passed, it is approved or rejected by
        the outcome, or expired if nobody voted (C6).

        In a delegated decision yes, no, abstain, cast and the outcome are of calculated ballots. What can still happen
        is not: a vote by hand takes the place of a calculated ballot, so remaining is how many have not voted by hand,
        and the decision is deadlocked if it fails even when all of those do and say yes. How many votes would pass it
        depends on who casts them and on their tags, so missing_votes and missing are null unless it passes.

    Raises:
        UnknownDecisionError: A decision is not in the state, or is counted with stars.
        CyclicCoreTooLarge: The path rule needs too much work for the loops of a delegated decision (Y3).
    """
    wanted = asked_decisions(state, decisions, delegated)
    voters, votes = asked_voters(state), standing(state, at)
    by_hand = _counts(wanted, voters, votes)
    ids = wanted.filter("delegated")["decision_id"].to_list()
    if ids:
        outcome = _with_ballots(by_hand, counted_votes(state, votes, voters, ids, cycles, work_limit))
    else:
        outcome = outcomes(by_hand)
    whole = outcome.with_columns(pl.col("cast", "remaining", "out_of").cast(pl.Int64))
    return whole.with_columns(status=_status(at)).select(*_HEAD, pl.exclude(_HEAD))


def _counts(wanted: pl.DataFrame, voters: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    """The decisions with the votes by hand that count."""
    required = voters.group_by("decision_id").agg(required=pl.len().cast(pl.Int64))
    vote = pl.col("vote")
    cast = (
        votes.filter(pl.col("not_counted").is_null())
        .group_by("decision_id")
        .agg(
            (vote == "yes").sum().cast(WEIGHTED).alias("yes"),
            (vote == "no").sum().cast(WEIGHTED).alias("no"),
            (vote == "abstain").sum().cast(pl.Int64).alias("abstain"),
        )
    )
    counts = wanted.join(required, on="decision_id", how="left", maintain_order="left").join(
        cast, on="decision_id", how="left", maintain_order="left"
    )
    numbers = ["required", "yes", "no", "abstain"]
    return counts.select(*_HEAD, pl.col(numbers).fill_null(0), *_OPTIONS)


def _with_ballots(by_hand: pl.DataFrame, ballots: pl.DataFrame) -> pl.DataFrame:
    """The outcome of calculated ballots where decisions are delegated, and what votes by hand can still change (C7)."""
    calculated = by_hand.join(ballots, on="decision_id", how="left", suffix="_of_ballots", maintain_order="left")
    passed_on = pl.col("delegated")
    counts = calculated.with_columns(
        pl.when(passed_on).then(pl.col(f"{name}_of_ballots").fill_null(0)).otherwise(name).alias(name)
        for name in ("yes", "no")
    )
    counts = _rounded_on_its_side(counts).drop("yes_of_ballots", "no_of_ballots", "traced")
    outcome, hopes = outcomes(counts), outcomes(by_hand)
    kept = ("remaining", "deadlocked", "deadlock_reason")
    unknown = passed_on & ~pl.col("passed")
    return outcome.with_columns(hopes.select(kept)).with_columns(
        pl.when(~unknown).then(pl.col("missing_votes", "missing"))
    )


def _rounded_on_its_side(counts: pl.DataFrame) -> pl.DataFrame:
    """Keep yes on that side of a threshold on which it was before it was rounded: 5 1/3 is 2/3 of 8, 5.33333333 is not.

    There it is the least number of 9 places that meets the threshold, or the greatest that does not.
    """
    numerator, denominator = (
        part.cast(pl.Int128) for part in threshold_parts(pl.coalesce("threshold", pl.lit(DEFAULT)))
    )
    asked, yes = numerator * pl.col("required").cast(pl.Int128), pl.col("yes").to_physical().cast(pl.Int128)
    met = (pl.col("traced") + 1) * denominator >= asked * pl.lit(10**12, dtype=pl.Int128)
    least = (asked * pl.lit(10**9, dtype=pl.Int128) + denominator - 1) // denominator
    aside = pl.when(met).then((least - yes).clip(lower_bound=0)).otherwise((least - 1 - yes).clip(upper_bound=0))
    tested = (pl.col("method") == "supermajority") & pl.col("traced").is_not_null()
    moved = pl.when(tested).then(aside).otherwise(pl.lit(0, dtype=pl.Int128)).cast(pl.Decimal(38, 0)) * BILLIONTH
    return (
        counts.with_columns(moved=moved)
        .with_columns(yes=pl.col("yes") + pl.col("moved"), no=pl.col("no") - pl.col("moved"))
        .drop("moved")
    )


def _status(at: datetime | None) -> pl.Expr:
    if at is None:
        return pl.col("status")
    over = (pl.col("closes_at") <= in_utc(at)).fill_null(value=False)
    decided = pl.when("passed").then(pl.lit("approved")).otherwise(pl.lit("rejected"))
    ended = pl.when(pl.col("cast") == 0).then(pl.lit("expired")).otherwise(decided)
    return pl.when(over, status="active").then(ended).otherwise("status")
