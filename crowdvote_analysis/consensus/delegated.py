"""Yes/no votes that pass along followings: a vote is a ballot on one choice, yes with 5 stars, no with 0 (C7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.consensus.standing import asked_decisions, asked_voters, standing
from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.tables import STARS, empty

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

EXACT = pl.Decimal(38, 18)
_PART = pl.Decimal(38, 9)
_NONE = pl.lit(0, dtype=pl.Int64).cast(EXACT)


def weights(
    state: SystemState,
    decision_id: str,
    *,
    at: datetime | None = None,
    delegated: bool | None = None,
    cycles: str | None = None,
) -> pl.DataFrame:
    """Take the yes and no of a decision apart: how many of the votes cast are whose (I3, C7).

    Args:
        state: The tables.
        decision_id: A yes/no decision.
        at: As for ``decide``.
        delegated: As for ``decide``.
        cycles: As for ``decide``.

    Returns:
        One row for everybody who voted by hand, sorted by member_id: member_id, vote, weight (how many of the votes
        cast come from this member: their own, and their part of those calculated from it), weight_yes and weight_no,
        all Decimal(38, 18). A lobbyist has the weight of those who follow them; an abstention weighs its owner's own 1.

        Calculated ballots count with 8 places of stars, so the parts may miss yes and no by a little: a row whose
        member_id is null says by how much. With it the sums are exactly the yes, no and cast of ``decide``.

    Raises:
        UnknownDecisionError: The decision is not in the state, or is counted with stars.
    """
    asked = asked_decisions(state, [decision_id], delegated)
    votes = standing(state, at).filter(decision_id=decision_id)
    voters = asked_voters(state).filter(decision_id=decision_id)
    own = pl.col("not_counted").is_null().cast(pl.Int64).cast(EXACT)
    if not asked["delegated"].item():
        return _by_vote(votes.filter(pl.col("not_counted").is_null()).with_columns(weight=own))
    resolution = resolved_votes(state, votes, [decision_id], cycles)
    ballots = resolution.stars.join(voters, on=["decision_id", "member_id"], how="semi")
    traced = resolution.weights_of(ballots).select("member_id", traced="weight")
    cast = votes.filter("entitled", ~pl.col("late")).join(traced, on="member_id", how="left")
    parts = _by_vote(cast.with_columns(weight=pl.coalesce("traced", pl.when(vote="abstain").then(own), _NONE)))
    counted = parts_of_votes(ballots).select(weight_yes=pl.col("yes").sum(), weight_no=pl.col("no").sum())
    given = parts.filter(pl.col("vote") != "abstain").select(pl.col("weight_yes", "weight_no").sum())
    left = counted.select(pl.col(name).cast(EXACT) - given[name].item() for name in counted.columns)
    left = left.filter(pl.any_horizontal(pl.all() != 0)).with_columns(weight=pl.col("weight_yes") + pl.col("weight_no"))
    return pl.concat([parts, left], how="diagonal")


def _by_vote(votes: pl.DataFrame) -> pl.DataFrame:
    weight = pl.col("weight")
    return votes.select(
        "member_id",
        "vote",
        weight,
        pl.when(vote="yes").then(weight).otherwise(_NONE).alias("weight_yes"),
        pl.when(vote="no").then(weight).otherwise(_NONE).alias("weight_no"),
    ).sort("member_id")


def resolved_votes(state: SystemState, votes: pl.DataFrame, decisions: Sequence[str], cycles: str | None) -> Resolution:
    """Everyone's ballot in yes/no decisions, by the rules for ballots with stars (D, T, Y).

    Who may not vote gives nothing to followers either: only votes in time by members who are required voters pass on.
    A lobbyist among these gives their vote to followers without being counted (M1). An abstention is a ballot without
    stars: it is its owner's own, and no ballot for followers (D5).
    """
    passed_on = votes.filter("entitled", ~pl.col("late"), pl.col("decision_id").is_in(list(decisions)))
    stars = pl.when(vote="yes").then(pl.lit("5")).otherwise(pl.lit("0")).cast(STARS)
    rated = passed_on.filter(pl.col("vote") != "abstain").with_columns(choice_id=pl.lit("yes"), stars=stars)
    asked = state.decisions.filter(pl.col("decision_id").is_in(list(decisions)))
    choices = asked.select("decision_id", choice_id=pl.lit("yes"), title=pl.lit("Yes"), position=pl.lit(0, pl.Int64))
    ballots = passed_on.select("decision_id", "member_id", "tags", cast_at="voted_at")
    starry = state._with(
        decisions=asked.with_columns(method=pl.lit("star")),
        choices=choices,
        ballots=ballots,
        votes=rated.select(empty("votes").columns),
    )
    return resolve(starry, cycles=cycles)


def counted_ballots(
    state: SystemState, votes: pl.DataFrame, voters: pl.DataFrame, decisions: Sequence[str], cycles: str | None
) -> pl.DataFrame:
    """What each ballot of a required voter counts: stars / 5 yes, and the rest of one vote no.

    Args:
        state: The tables.
        votes: As ``standing.standing`` gives them.
        voters: As ``standing.asked_voters`` gives them.
        decisions: The decisions that are delegated.
        cycles: As for ``resolve``.

    Returns:
        decision_id, member_id, yes and no (Decimal(38, 9), exact: 8 places of stars are 9 places of a vote).
    """
    stars = resolved_votes(state, votes, decisions, cycles).stars
    return parts_of_votes(stars.join(voters, on=["decision_id", "member_id"], how="semi"))


def parts_of_votes(stars: pl.DataFrame) -> pl.DataFrame:
    """Stars as parts of a vote: decision_id, member_id, yes, no."""
    units = pl.col("stars").to_physical().cast(pl.Int64) * 2
    part = pl.lit("0.000000001").cast(_PART)
    return stars.select(
        "decision_id",
        "member_id",
        yes=units.cast(pl.Decimal(38, 0)) * part,
        no=(10**9 - units).cast(pl.Decimal(38, 0)) * part,
    )
