"""Rows among the ballots that are no voter's: averages, totals, remarks about the file."""

from __future__ import annotations

import warnings
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning
from crowdvote_analysis.readers.choice_columns import quoted
from crowdvote_analysis.readers.odd_names import are_no_voters

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW, _NARROW = 2, 2  # rows and columns that are compared at all: more than so many, as many
_MANY, _WIDE = 3, 4  # rows and columns from which whole stars are alike by more than accident


def doubt_rows(place: str, voters: pl.Series, lines: pl.Series) -> None:
    """Note loudly the rows that are called like a summary or a remark.

    Args:
        place: The file.
        voters: Who voted, row by row.
        lines: The lines of the file.
    """
    for name in voters.filter(are_no_voters(voters)).unique(maintain_order=True):
        line = lines.filter(voters == name)[0]
        warnings.warn(
            f"{place}: line {line:,} looks like no voter ({name!r}), and was counted as a ballot. If it is none, leave "
            f"it out: --leave-out {quoted(name)}.",
            DoubtWarning,
            stacklevel=3,
        )


def doubt_sums(place: str, stars: pl.DataFrame, lines: pl.Series) -> None:
    """Note loudly if the last row holds the sums or the averages of all rows above.

    Args:
        place: The file.
        stars: One row a ballot, one column a choice, cells as text.
        lines: The lines of the file.
    """
    stars = stars.select(pl.all().str.strip_chars().str.replace(r"^([+-]?[0-9]+),([0-9]+)$", "$1.$2"))
    last = [_decimal(text) for text in stars.tail(1).row(0)] if len(stars) > _FEW else [None]
    if None in last or stars.width < _NARROW:
        return
    cells = [cell for cell in last if cell is not None]
    above = stars.head(-1).select(pl.all().cast(pl.Decimal(38, 8), strict=False))
    sums, counts = above.sum().row(0), above.count().row(0)
    kind = _kind(cells, sums, counts, len(above))
    # Whole stars may be alike by accident; so may they where everybody votes the same.
    whole = all(cell == int(cell) and cell <= 5 for cell in cells)
    by_accident = whole and (stars.width < _WIDE or len(above) < _MANY)
    if kind is None or by_accident or above.n_unique() == 1:
        return
    warnings.warn(
        f"{place}: line {lines[-1]:,} holds the {kind} of all lines above it; it looks like no voter, and was taken as "
        "a ballot. If it is none, leave it out (--leave-out with what its first cell holds), or remove the line.",
        DoubtWarning,
        stacklevel=3,
    )


def _kind(cells: Sequence[Decimal], sums: Sequence[Decimal], counts: Sequence[int], ballots: int) -> str | None:
    """What the cells are of the rows above them: sums, averages of those who rated, or of everybody."""
    if all(cell == total for cell, total in zip(cells, sums, strict=True)):
        return "sums" if any(cells) else None
    for divisors in (counts, [ballots] * len(cells)):
        if all(_rounds_to(cell, total, n) for cell, total, n in zip(cells, sums, divisors, strict=True)):
            return "averages"
    return None


def _rounds_to(cell: Decimal, total: Decimal, divisor: int) -> bool:
    """Whether a number is a sum by a divisor, rounded to the places it is written with."""
    places = int(cell.as_tuple().exponent)
    return abs(cell * divisor - total) * 2 <= divisor * Decimal(1).scaleb(places) if divisor else False


def _decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
