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
_KEPT = r'^="((?:[^"]|"")*)"$'
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_TEXTS = pl.selectors.by_dtype(pl.String, pl.Categorical, pl.Enum)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before texts and names of columns that begin as formulas do; not before numbers."""
    text = _TEXTS.cast(pl.String)
    runs = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    names = {name: f"'{name}" for name in frame.columns if re.match(_FORMULA, name)}
    return frame.with_columns(pl.when(runs).then(text.str.replace("^", "'")).otherwise(text)).rename(names)


def as_texts(path: Path, header: list[str], rows: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """A table without ``="…"``, by which programs keep a spreadsheet from changing a text, such as 007 into 7.

    Warns:
        TableWarning: There were such cells, and how many.
    """
    cells = rows.select(pl.col(pl.String).str.contains(_KEPT))
    number = sum(int(column.sum()) for column in cells) + sum(bool(re.match(_KEPT, name)) for name in header)
    if not number or (path.parent / "SHA256SUMS").exists():
        return header, rows
    warnings.warn(
        f'{path}: {number:,} cells are written as ="…", which keeps a spreadsheet from changing them; they are read as '
        "what stands between the quotes.",
        TableWarning,
        stacklevel=3,
    )
    kept = pl.col(pl.String)
    inner = kept.str.extract(_KEPT, 1).str.replace_all('""', '"', literal=True).str.strip_chars()
    rows = rows.with_columns(pl.when(kept.str.contains(_KEPT)).then(pl.when(inner != "").then(inner)).otherwise(kept))
    return [re.sub(_KEPT, lambda found: found[1].replace('""', '"').strip(), name) for name in header], rows


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
