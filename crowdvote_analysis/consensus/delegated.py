"""Yes/no votes that pass along followings: a vote is a ballot on one choice, yes with 5 stars, no with 0 (C7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.consensus.standing import asked_decisions, asked_voters, standing
from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.tables import STARS, UTC, empty

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

EXACT = pl.Decimal(38, 18)
_PART = pl.Decimal(38, 9)
BILLIONTH = pl.lit("0.000000001").cast(_PART)
_TENTH = 10  # units of the ninth place in one of the eighth, to which votes are rounded
_NEVER = pl.lit(None, dtype=UTC)
_NONE = pl.lit(0, dtype=pl.Int64).cast(EXACT)


def weights(
    state: SystemState,
    decision_id: str,
    *,
    at: datetime | None = None,
    delegated: bool | None = None,
    cycles: str | None = None,
    work_limit: int = WORK_LIMIT,
) -> pl.DataFrame:
    """Take the yes and no of a decision apart: how many of the votes cast are whose (I3, C7).

    Args:
        state: The tables.
        decision_id: A yes/no decision.
        at: As for ``decide``.
        delegated: As for ``decide``.
        cycles: As for ``decide``.
        work_limit: As for ``decide``.

    Returns:
        One row for everybody who voted by hand, sorted by member_id: member_id, vote, weight (how many of the votes
        cast come from this member: their own, and their part of those calculated from it), weight_yes and weight_no,
        all Decimal(38, 18). A lobbyist has the weight of those who follow them; an abstention weighs its owner's own 1.

        Rounded to 8 places of a vote, the sums are the cast, yes and no of ``decide``.

    Raises:
        UnknownDecisionError: The decision is not in the state, or is counted with stars.
        CyclicCoreTooLarge: The path rule needs too much work for the loops of the decision (Y3).
    """
    asked = asked_decisions(state, [decision_id], delegated)
    votes = standing(state, at).filter(decision_id=decision_id)
    voters = asked_voters(state).filter(decision_id=decision_id)
    own = pl.col("not_counted").is_null().cast(pl.Int64).cast(EXACT)
    if not asked["delegated"].item():
        return _by_vote(votes.filter(pl.col("not_counted").is_null()).with_columns(weight=own))
    resolution = resolved_votes(state, votes, [decision_id], cycles, work_limit)
    ballots = resolution.stars.join(voters, on=["decision_id", "member_id"], how="semi")
    traced = resolution.weights_of(ballots).select("member_id", traced="weight")
    cast = votes.filter("entitled", ~pl.col("late")).join(traced, on="member_id", how="left")
    return _by_vote(cast.with_columns(weight=pl.coalesce("traced", pl.when(vote="abstain").then(own), _NONE)))


def _by_vote(votes: pl.DataFrame) -> pl.DataFrame:
    weight = pl.col("weight")
    return votes.select(
        "member_id",
        "vote",
        weight,
        pl.when(vote="yes").then(weight).otherwise(_NONE).alias("weight_yes"),
        pl.when(vote="no").then(weight).otherwise(_NONE).alias("weight_no"),
    ).sort("member_id")


def resolved_votes(
    state: SystemState,
    votes: pl.DataFrame,
    decisions: Sequence[str],
    cycles: str | None,
    work_limit: int = WORK_LIMIT,
) -> Resolution:
    """Everyone's ballot in yes/no decisions, by the rules for ballots with stars (D, T, Y).

    A vote that may not be cast gives nothing to followers: only votes in time by members who are required voters pass
    on. Who cast another one is like somebody silent, who inherits a ballot and passes that on. A lobbyist among the
    required voters gives their vote to followers without being counted (M1). An abstention is a ballot without stars:
    it is its owner's own, and no ballot for followers (D5).
    """
    passed_on = votes.filter("entitled", ~pl.col("late"), pl.col("decision_id").is_in(list(decisions)))
    stars = pl.when(vote="yes").then(pl.lit("5")).otherwise(pl.lit("0")).cast(STARS)
    rated = passed_on.filter(pl.col("vote") != "abstain").with_columns(choice_id=pl.lit("yes"), stars=stars)
    asked = state.decisions.filter(pl.col("decision_id").is_in(list(decisions)))
    choices = asked.select("decision_id", choice_id=pl.lit("yes"), title=pl.lit("Yes"), position=pl.lit(0, pl.Int64))
    ballots = passed_on.select("decision_id", "member_id", "tags", cast_at="voted_at")
    starry = state._with(
        # Which votes are in time was settled by other rules (C1).
        decisions=asked.with_columns(method=pl.lit("star"), status=pl.lit("active"), opens_at=_NEVER, closes_at=_NEVER),
        choices=choices,
        ballots=ballots,
        votes=rated.select(empty("votes").columns),
    )
    return resolve(starry, cycles=cycles, work_limit=work_limit)


def counted_votes(
    state: SystemState,
    votes: pl.DataFrame,
    voters: pl.DataFrame,
    decisions: Sequence[str],
    cycles: str | None,
    work_limit: int = WORK_LIMIT,
) -> pl.DataFrame:
    """How many of the ballots of required voters come down to a yes and how many to a no.

    Stored stars are rounded ballot by ballot, and many roundings in the same direction carry a decision over its
    threshold or keep it below. So the weights of the manual yes are summed (I3), in 1e-18, and rounded once.

    Args:
        state: The tables.
        votes: As ``standing.standing`` gives them.
        voters: As ``standing.asked_voters`` gives them.
        decisions: The decisions that are delegated.
        cycles: As for ``decide``.
        work_limit: As for ``decide``.

    Returns:
        decision_id, yes (Decimal(38, 9), rounded half-even to 8 places), no (the rest of the ballots: as their number
        is whole, that is the no votes, rounded in the same way) and traced (Int128: yes in units of 1e-12, which is as
        far as its digits are sure).
    """
    key = ["decision_id", "member_id"]
    resolution = resolved_votes(state, votes, decisions, cycles, work_limit)
    ballots = resolution.stars.join(voters, on=key, how="semi")
    said = votes.filter(vote="yes").select(key)
    weight = resolution.weights_of(ballots).join(said, on=key, how="semi")
    yes = weight.group_by("decision_id").agg(units=pl.col("weight").to_physical().cast(pl.Int128).sum())
    counted = ballots.group_by("decision_id").agg(ballots=pl.len().cast(pl.Decimal(38, 0)))
    units = pl.col("units").fill_null(0)
    rounded = _half_even(units, 10**9 * _TENTH) * _TENTH
    return (
        counted.join(yes, on="decision_id", how="left")
        .with_columns(yes=rounded.cast(pl.Decimal(38, 0)) * BILLIONTH, traced=_half_even(units, 10**6))
        .select("decision_id", "yes", "traced", no=pl.col("ballots").cast(_PART) - pl.col("yes"))
    )


def _half_even(units: pl.Expr, divisor: int) -> pl.Expr:
    """Whole numbers divided, rounded half-even."""
    below, twice = units // divisor, units % divisor * 2
    return below + ((twice > divisor) | ((twice == divisor) & (below % 2 == 1))).cast(pl.Int128)


def counted_ballots(
    state: SystemState,
    votes: pl.DataFrame,
    voters: pl.DataFrame,
    decisions: Sequence[str],
    cycles: str | None,
    work_limit: int = WORK_LIMIT,
) -> pl.DataFrame:
    """What each ballot of a required voter shows of itself: stars / 5 yes, and the rest of one vote no.

    Returns:
        decision_id, member_id, yes and no (Decimal(38, 9): 8 places of stars are 9 places of a vote). Ballot by ballot
        they are rounded, so that their sums may miss those of ``counted_votes`` by a little.
    """
    stars = resolved_votes(state, votes, decisions, cycles, work_limit).stars
    units = pl.col("stars").to_physical().cast(pl.Int64) * 2
    return stars.join(voters, on=["decision_id", "member_id"], how="semi").select(
        "decision_id",
        "member_id",
        yes=units.cast(pl.Decimal(38, 0)) * BILLIONTH,
        no=(10**9 - units).cast(pl.Decimal(38, 0)) * BILLIONTH,
    )
