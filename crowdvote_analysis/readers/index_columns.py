"""Columns that number the lines, as pandas, polars and R write them beside the data: they are never choices."""

from __future__ import annotations

import re

import polars as pl

# Nobody calls a choice so: pandas (also after reading its own file again), readr, and a header without a name.
_CERTAIN = re.compile(r"|unnamed: ?\d+(\.\d+)?(_level_\d+)?|__index_level_\d+__|\.\.\.\d+", re.IGNORECASE)
# Somebody may.
_LIKELY = re.compile(r"index|level_\d+|row[ _]?(nr|number|names?|id|index)|#|nr\.?|lfd\. nr\.", re.IGNORECASE)


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
    text = cells.cast(pl.String).str.strip_chars().str.replace(r"\.0+$", "")
    numbers = text.filter(text.str.contains(r"^[0-9]{1,15}$")).cast(pl.Int64)
    if len(numbers) < len(cells) or numbers.n_unique() < len(numbers):
        return False
    low, high = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    without_gap = low in (0, 1) and high == low + len(numbers) - 1
    return must_be_index(name) or without_gap or high > 5
