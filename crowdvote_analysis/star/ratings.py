"""What was left blank: choices that ballots do not rate, which count 0 (K1, K10), and ballots that rate all the same.

None of it changes a number of the count; it says what averages are averages of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crowdvote_analysis.star.resolution import known_decision
from crowdvote_analysis.star.units import PLACES, average, units_of_stars

if TYPE_CHECKING:
    from decimal import Decimal

    from crowdvote_analysis.star.resolution import Resolution
    from crowdvote_analysis.star.result import StarTally

_KEY = ["decision_id", "member_id"]
_CHOICE = ["decision_id", "choice_id"]
RATED = pl.Schema({"rated": pl.Int64(), "blank": pl.Int64(), "average_rated": pl.Decimal(9, PLACES)})


def ratings(resolution: Resolution, decision_id: str | None = None) -> pl.DataFrame:
    """Count, for each choice, the tallied ballots that rate it and those that leave it blank.

    A calculated ballot rates a choice if some ballot it is made of does; where it leaves one blank, so do all (D3).

    Args:
        resolution: Everyone's ballot.
        decision_id: This decision only.

    Returns:
        One row a choice, in display order: ``decision_id``, ``choice_id``, ``rated`` and ``blank`` (Int64, ballots that
        add up to those tallied) and ``average_rated``: its stars by ballot that rates it, Decimal(9, 8) rounded
        half-even, for display; null where none does. The average of the tally has blank ones as 0 (K1).

    Raises:
        UnknownDecisionError: When the decision is not there.
    """
    choices, voters, stars = resolution.choices, resolution.electorate.filter("is_voter"), resolution.stars
    if decision_id is not None:
        known_decision(resolution, decision_id)
        choices, stars = (frame.filter(decision_id=decision_id) for frame in (choices, stars))
    own = stars.join(voters.select(_KEY), on=_KEY, how="semi")
    tallied = own.group_by("decision_id").agg(ballots=pl.col("member_id").n_unique().cast(pl.Int64))
    rated = own.group_by(_CHOICE).agg(rated=pl.len().cast(pl.Int64), total=pl.col("stars").sum())
    rows = (
        choices.sort("decision_id", "position", "choice_id")
        .select(_CHOICE)
        .join(tallied, on="decision_id", how="left", maintain_order="left")
        .join(rated, on=_CHOICE, how="left", maintain_order="left")
        .with_columns(pl.col("ballots", "rated").fill_null(0))
    )
    averages = [_average(total, number) for total, number in rows.select("total", "rated").iter_rows()]
    return rows.select(
        *_CHOICE,
        "rated",
        blank=pl.col("ballots") - pl.col("rated"),
        average_rated=pl.Series(averages, dtype=RATED["average_rated"]),
    )


def _average(total: Decimal | None, ballots: int) -> Decimal | None:
    return average(units_of_stars(total), ballots, PLACES) if total is not None else None


class LevelBallots(NamedTuple):
    """Tallied ballots that give every choice the same stars, so that they prefer none; a blank is 0 (K1).

    Attributes:
        level: How many there are.
        partly_blank: Further ballots that give the same stars, not 0, to all they rate, and leave another blank.
    """

    level: int
    partly_blank: int


def level_ballots(resolution: Resolution, decision_id: str) -> LevelBallots:
    """Count the ballots of a decision that prefer no choice, and those that do by blanks alone.

    BetterVoting takes the first for abstentions and leaves them out of all its numbers; see docs/rules.md.
    """
    choices = len(resolution.choices.filter(decision_id=decision_id))
    if choices < 2:
        return LevelBallots(0, 0)
    voters = resolution.electorate.filter("is_voter", decision_id=decision_id).select("member_id")
    stars = resolution.stars.filter(decision_id=decision_id).join(voters, on="member_id", how="semi")
    own = stars.group_by("member_id").agg(
        whole=pl.len() == choices, least=pl.col("stars").min(), most=pl.col("stars").max()
    )
    same = own.filter(pl.col("least") == pl.col("most"))
    level = same.filter(pl.col("whole") | (pl.col("most") == 0))
    return LevelBallots(len(level), len(same) - len(level))


def with_ratings(tally: StarTally, rated: pl.DataFrame) -> pl.DataFrame:
    """The scores of a tally with what ``ratings`` has on its choices: ``rated``, ``blank``, ``average_rated``."""
    own = rated.filter(decision_id=tally.decision_id).drop("decision_id")
    return tally.scores.join(own, on="choice_id", how="left", maintain_order="left")
