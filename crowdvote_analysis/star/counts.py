"""The numbers a STAR election is decided by, counted for many decisions in a few passes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.star.units import FIVE_STARS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Counts:
    """Everything a tie protocol may look at. All numbers are exact integers.

    Attributes:
        vote_count: Number of ballots tallied.
        totals: Sum of stars by choice, in units of 1e-8 star. The keys are all the choices, in display order.
        five_stars: Number of ballots that give exactly 5.00000000 stars, by choice (K9).
        preferred: ``preferred[a][b]`` is the number of ballots with more stars for ``a`` than for ``b``.
    """

    vote_count: int
    totals: Mapping[str, int]
    five_stars: Mapping[str, int]
    preferred: Mapping[str, Mapping[str, int]]

    @property
    def choices(self) -> tuple[str, ...]:
        """All choice ids, in display order."""
        return tuple(self.totals)


def count_ballots(votes: pl.DataFrame, choices: pl.DataFrame) -> dict[str, Counts]:
    """Count scores, five-star ballots and pairwise preferences of all decisions.

    Decisions with the same number of choices share one pass, so thousands of decisions cost a handful of passes.

    Args:
        votes: Columns ``decision_id``, ``member_id``, ``choice_id``, ``units`` (Int64, 0 to 500,000,000), one row for
            each member and choice; every choice is one of ``choices``.
        choices: Columns ``decision_id``, ``choice_id``, each pair once, in display order.

    Returns:
        The counts by decision id, for every decision that has choices, also when nobody voted.
    """
    codes = choice_codes(choices)
    sizes = codes.group_by("decision_id").agg(pl.len().alias("size"))
    sized = codes.join(sizes, on="decision_id")
    named = dict(choices.group_by("decision_id", maintain_order=True).agg("choice_id").iter_rows())
    rows: dict[str, dict[str, int]] = {}
    for (size,), alike in sized.partition_by("size", as_dict=True).items():
        wide = ballots_by_choice(votes.join(alike.drop("size"), on=["decision_id", "choice_id"]), size)
        counted = wide.group_by("decision_id").agg(_number_columns(size))
        rows.update({row["decision_id"]: row for row in counted.iter_rows(named=True)})
    return {decision_id: _counts(names, rows.get(decision_id)) for decision_id, names in named.items()}


def choice_codes(choices: pl.DataFrame) -> pl.DataFrame:
    """Number the choices of every decision from 0 in the order given: ``decision_id, choice_id, code``."""
    return choices.select("decision_id", "choice_id", pl.int_range(pl.len()).over("decision_id").alias("code"))


def ballots_by_choice(votes: pl.DataFrame, size: int) -> pl.DataFrame:
    """Turn the long form into one row a ballot; done once, because everything after it is cheap.

    Args:
        votes: Columns ``decision_id``, ``member_id``, ``code`` (0 to ``size`` - 1), ``units``.
        size: Number of choices.

    Returns:
        Columns ``decision_id``, ``member_id``, and ``"0"``, ``"1"``, … Int64 units of 1e-8 star by choice code, 0 where
        the ballot has no row. The order of rows is not defined.
    """
    # Conditional sums on the streaming engine take well under half the time of a pivot.
    return (
        votes.lazy()
        .group_by("decision_id", "member_id")
        .agg(
            pl.when(pl.col("code") == code).then("units").otherwise(pl.lit(0, dtype=pl.Int64)).sum().alias(str(code))
            for code in range(size)
        )
        .collect(engine="streaming")
    )


def _number_columns(size: int) -> list[pl.Expr]:
    codes = [str(code) for code in range(size)]
    return [
        pl.len().cast(pl.Int64).alias("vote_count"),
        *(pl.col(a).sum().alias(f"total {a}") for a in codes),
        *((pl.col(a) == FIVE_STARS).sum().cast(pl.Int64).alias(f"five {a}") for a in codes),
        *((pl.col(a) > pl.col(b)).sum().cast(pl.Int64).alias(f"{a} over {b}") for a, b in permutations(codes, 2)),
    ]


def _counts(choices: list[str], row: dict[str, Any] | None) -> Counts:
    numbers = row or {}
    return Counts(
        vote_count=numbers.get("vote_count", 0),
        totals={choice: numbers.get(f"total {a}", 0) for a, choice in enumerate(choices)},
        five_stars={choice: numbers.get(f"five {a}", 0) for a, choice in enumerate(choices)},
        preferred={
            choice: {other: numbers.get(f"{a} over {b}", 0) for b, other in enumerate(choices) if b != a}
            for a, choice in enumerate(choices)
        },
    )
