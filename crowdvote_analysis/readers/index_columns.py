"""Columns that number the lines, as pandas, polars and R write them beside the data: they are never choices."""

from __future__ import annotations

import re

import polars as pl

LIMIT = 5  # stars
_ACCIDENT = 2  # lines that may be numbered by accident

# Nobody calls a choice so: pandas (also after reading its own file again), readr, and a header without a name.
_CERTAIN = re.compile(r"|unnamed: ?\d+(\.\d+)?(_level_\d+)?|__index_level_\d+__|\.\.\.\d+", re.IGNORECASE)
# Somebody may.
_LIKELY = re.compile(r"index|level_\d+|row[ _]?(nr|number|names?|id|index)|#|nr\.?|lfd\. nr\.", re.IGNORECASE)
# A choice may be called so as well; only with its numbers it is doubted.
_PERHAPS = re.compile(
    r"x\.?|x1|v1|rn|seq|sequence|column ?1|no|(s|sl|sr|serial|line|record|entry|row)[ ._]*(no\.?|num\.?|number|id|#)|"
    r"row|record|entry|zeilennummer|laufende nummer|num[ée]ro|n[º°]",
    re.IGNORECASE,
)


def may_be_index(name: str) -> bool:
    """Whether a column is called like an index."""
    return must_be_index(name) or bool(_LIKELY.fullmatch(name))


def must_be_index(name: str) -> bool:
    """Whether a column is called as only programs call an index."""
    return bool(_CERTAIN.fullmatch(name))


def is_index(name: str, cells: pl.Series) -> bool:
    """Whether a column is an index, by its name and by what stands in it.

    Under a name that nobody gives to a choice, it holds whole numbers, none of them twice (lines may have been taken
    out). Under another name of an index, it numbers the lines without a gap, from 0 or 1, or has a number that stars
    cannot have.
    """
    if not may_be_index(name) or cells.is_empty() or cells.dtype.is_nested() or cells.null_count():
        return False
    numbers = _whole_numbers(cells)
    if numbers is None:
        return False
    return must_be_index(name) or _without_gap(numbers) or int(numbers.max()) > LIMIT  # type: ignore[arg-type]


def numbers_the_lines(cells: pl.Series) -> bool:
    """Whether a column holds 1, 2, 3 … once each, in whatever order; two lines may do so by accident."""
    numbers = None if cells.dtype.is_nested() or cells.null_count() else _whole_numbers(cells)
    return numbers is not None and len(numbers) > _ACCIDENT and _without_gap(numbers)


def is_numbering(cells: pl.Series) -> bool:
    """Whether a column goes 0, 1, 2 … or 1, 2, 3 … line by line, beyond what stars can be."""
    return len(cells) > LIMIT + 1 and _goes_on(cells)


def seems_numbering(name: str, cells: pl.Series) -> bool:
    """Whether a column is called like a number of lines perhaps, and goes 0, 1, 2 … or 1, 2, 3 … line by line."""
    return bool(_PERHAPS.fullmatch(name)) and _goes_on(cells)


def _goes_on(cells: pl.Series) -> bool:
    numbers = None if cells.dtype.is_nested() or cells.null_count() else _whole_numbers(cells)
    return numbers is not None and len(numbers) > 1 and numbers[0] in (0, 1) and bool((numbers.diff()[1:] == 1).all())


def _whole_numbers(cells: pl.Series) -> pl.Series | None:
    """The cells as whole numbers, if all are and none is there twice."""
    text = cells.cast(pl.String).str.strip_chars().str.replace(r"\.0+$", "")
    numbers = text.filter(text.str.contains(r"^[0-9]{1,15}$")).cast(pl.Int64)
    return None if len(numbers) < len(cells) or numbers.n_unique() < len(numbers) else numbers


def _without_gap(numbers: pl.Series) -> bool:
    low, high = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    return low in (0, 1) and high == low + len(numbers) - 1
