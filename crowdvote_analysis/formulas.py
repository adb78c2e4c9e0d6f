"""Texts that a spreadsheet would run as formulas, guarded in CSV files and read back (CSV injection, OWASP).

A guarded text has an apostrophe in front. Texts that already look guarded get one more, so that taking one away gives
every text back as it was.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import TableWarning

if TYPE_CHECKING:
    from pathlib import Path

# Wide forms too, which some spreadsheets take for the narrow ones.
_SIGNS = r"[=+\-@\t\r＝＋－＠]"
_FORMULA = f"^'*{_SIGNS}"
_GUARDED = f"^'+{_SIGNS}"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_TEXTS = pl.selectors.by_dtype(pl.String, pl.Categorical, pl.Enum)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before texts and names of columns that begin as formulas do; not before numbers."""
    text = _TEXTS.cast(pl.String)
    runs = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    names = {name: f"'{name}" for name in frame.columns if re.match(_FORMULA, name)}
    return frame.with_columns(pl.when(runs).then(text.str.replace("^", "'")).otherwise(text)).rename(names)


def unguarded(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """A table read from a CSV file without these apostrophes; files for an auditor stand as they were hashed.

    Warns:
        TableWarning: There were some, and how many.
    """
    if (path.parent / "SHA256SUMS").exists():
        return frame
    text = pl.col(pl.String)
    found = text.str.contains(_GUARDED)
    names = {name: name[1:] for name in frame.columns if re.match(_GUARDED, name)}
    number = len(names) + sum(int(column.sum()) for column in frame.select(found))
    if not number:
        return frame
    warnings.warn(
        f"{path}: {number:,} texts begin with an apostrophe that keeps a spreadsheet from running them as formulas; "
        "they are read without it.",
        TableWarning,
        stacklevel=3,
    )
    return frame.with_columns(pl.when(found).then(text.str.slice(1)).otherwise(text)).rename(names)
