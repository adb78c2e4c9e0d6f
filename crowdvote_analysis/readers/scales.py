"""Numbers that are no stars: ranks, and other scales."""

from __future__ import annotations

import warnings

import polars as pl

from crowdvote_analysis.errors import DoubtWarning

_TWO = 3  # ballots from which even two choices look ranked
_SOME, _CHOICES = 4, 3  # ballots and choices from which it tells something that most are ranks
_FULL = 5  # choices: whoever tells five apart by stars gives 1 to 5 as well
_SLIPS = 3  # cells above 5 from which they are more than slips


def note_ranks(votes: pl.DataFrame, place: str) -> None:
    """Note loudly every decision in which each ballot gives 1, 2, 3 … once each, or most do and others share places.

    Args:
        votes: Columns member_id, stars (text), and decision_id where there are several.
        place: The file.
    """
    key = ["decision_id"] if "decision_id" in votes.columns else []
    stars = votes["stars"].cast(pl.String)
    if (stars == "0").any():
        if not key:
            return
        rated_zero = votes.filter(stars == "0").select(key).unique()
        votes = votes.join(rated_zero, on=key, how="anti", maintain_order="left")
        stars = votes["stars"].cast(pl.String)
    rank = stars.cast(pl.Decimal(20, 2), strict=False)
    ballots = (
        votes.select(*key, "member_id", rank=rank)
        .group_by(*key, "member_id")
        .agg(
            ranked=(pl.col("rank").n_unique() == pl.len())
            & (pl.col("rank").max() == pl.len())
            & (pl.col("rank") == pl.col("rank").floor()).all(),
            # Ranks that share their places with others by averages, as 2.5 and 2.5, add up as if they did not.
            shared=pl.col("rank").sum() * 2 == pl.len() * (pl.len() + 1),
            choices=pl.len(),
        )
    )
    many = (pl.len() >= _SOME) & (pl.col("choices").max() >= _CHOICES)
    most = pl.col("ranked").mean() >= pl.when(pl.col("choices").max() == _FULL).then(0.9).otherwise(0.5)
    judged = (
        ballots.group_by(key or [pl.lit(0).alias("all")])
        .agg(
            every=pl.col("ranked").all() & (pl.col("choices").max() >= _CHOICES - (pl.len() >= _TWO)),
            most=many & (most | (pl.col("shared").all() & pl.col("ranked").any())),
            ranked=pl.col("ranked").sum(),
            ballots=pl.len(),
        )
        .filter(pl.col("every") | pl.col("most"))
    )
    for row in judged.sort(key or "ballots").iter_rows(named=True):
        where = f" in the decision {row['decision_id']!r}" if key and len(ballots[key[0]].unique()) > 1 else ""
        who = (
            f"every ballot{where} gives" if row["every"] else f"{row['ranked']} of {row['ballots']} ballots{where} give"
        )
        warnings.warn(
            f"{place}: {who} 1, 2 and so on, once each; these look like ranks. Stars count the "
            "other way round: 5 is best. If 1 was meant as the best, the result is wrong: turn ranks into stars first.",
            DoubtWarning,
            stacklevel=3,
        )


def scale_hint(stars: pl.Series) -> str:
    """What scale the numbers may be on, where some are above 5 stars; else nothing."""
    text = stars.cast(pl.String).str.strip_chars()
    if text.str.ends_with("%").any():
        return "Cells with % look like percent: divide them by 20."
    numbers = text.str.extract(r"^\+?([0-9]{1,6}(?:\.[0-9]*)?)$").cast(pl.Decimal(38, 8), strict=False).drop_nulls()
    above = numbers.filter(numbers > 5)
    if len(above) < _SLIPS or len(above) * 20 < len(numbers):  # a few are slips, not a scale
        return ""
    highest = above.max()
    for limit, words in ((10, "0 to 10: divide them by 2"), (100, "0 to 100: divide them by 20")):
        if highest <= limit:  # type: ignore[operator]
            return f"The numbers seem to be on a scale of {words}; if they are ranks, turn them round (5 is best)."
    return ""
