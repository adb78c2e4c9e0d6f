"""Cells of stars as people write them → plain numbers, where there is only one thing they can mean (D10)."""

from __future__ import annotations

import re
import unicodedata
import warnings
from decimal import Decimal

import polars as pl

from crowdvote_analysis.errors import TableWarning

_PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
# What spreadsheets, pandas and people write where nobody rated.
_BLANK = re.compile(
    r"-|--|–|—|\.|\?|n/a|na|#n/a|nan|<na>|none|null|nil|\(?blank\)?|empty|abstain(ed)?|abstention|no opinion|not rated|"
    r"unrated",
    re.IGNORECASE,
)
_FILLED, _GLYPHS = "★⭐🌟", re.compile(r"[★⭐🌟☆✩\ufe0f ]*[★⭐🌟][★⭐🌟☆✩\ufe0f ]*")
_SIGNS = str.maketrans("٫．，", "..,")
_DECIMAL_COMMA, _THOUSANDS = re.compile(r"[+-]?[0-9]+,[0-9]+"), re.compile(r"[+-]?[1-9][0-9]*,[0-9]{3}")


def read_stars(votes: pl.DataFrame, place: str, *, blanks: bool = True) -> pl.DataFrame:
    """The votes with stars in plain digits: ``4,5`` as 4.5, ``★★★`` as 3, digits of other scripts as ours.

    A mark that says that somebody did not rate (``-``, ``n/a``, ``abstain``) is a blank: its row is left out. Whatever
    could be something else (``4 stars``, ``4/5``, ``1,000``) is left as it stands, and refused later on.

    Args:
        votes: A column stars of text, without blanks.
        place: The file, for notes.
        blanks: Whether marks of blanks are known; where a row a star is given, such a row is refused later on.
    """
    distinct = votes["stars"].unique()
    odd = distinct.filter(~distinct.str.contains(_PLAIN)).sort()
    meant = {text: _meaning(text.strip()) for text in odd}
    written = votes["stars"]
    read = {text: number for text, number in meant.items() if number not in (text.strip(), "")}
    blank = [text for text, number in meant.items() if number == "" and blanks]
    for texts, what in ((list(read), "read as numbers"), (blank, "read as blank, and a blank counts 0 (K1)")):
        number = int(written.is_in(texts).sum())
        if number:
            shown = ", ".join(f"'{text}' as {read[text]}" if text in read else f"'{text}'" for text in texts[:5])
            more = ", …" if len(texts) > 5 else ""
            cells = "1 cell of stars was" if number == 1 else f"{number:,} cells of stars were"
            warnings.warn(f"{place}: {cells} {what}: {shown}{more}.", TableWarning, stacklevel=3)
    if not read and not blank:
        return votes
    return votes.with_columns(stars=written.replace(read)).filter(~written.is_in(blank))


def may_be_stars(column: pl.Series) -> bool:
    """Whether some cell is a number, or all are blank."""
    if column.dtype.is_nested():
        return False
    cells = column.cast(pl.String, strict=False).drop_nulls()
    if cells.head(100).str.contains(_PLAIN).any():  # mostly the first tell
        return True
    cells = cells.str.strip_chars()
    cells = cells.filter(cells != "")
    if cells.is_empty() or cells.str.contains(_PLAIN).any():
        return True
    numbers = [_meaning(text) for text in cells.unique()]
    return not any(numbers) or any(number and re.fullmatch(_PLAIN, number) for number in numbers)


def holds_stars(column: pl.Series) -> bool:
    """Whether all cells are numbers from 0 to 5, or blank, and some are numbers."""
    if column.dtype.is_nested():
        return False
    distinct = column.cast(pl.String, strict=False).str.strip_chars().unique().drop_nulls()
    numbers = [number for text in distinct if text and (number := _meaning(text))]
    return bool(numbers) and all(re.fullmatch(_PLAIN, number) and 0 <= Decimal(number) <= 5 for number in numbers)


def _meaning(text: str) -> str:
    """The number that a cell can only mean; nothing where it means no rating; the text itself where it is unclear."""
    if _BLANK.fullmatch(text):
        return ""
    if _GLYPHS.fullmatch(text):
        return str(sum(text.count(star) for star in _FILLED))
    digits = "".join(str(unicodedata.decimal(c, c)) for c in text).translate(_SIGNS)
    if _DECIMAL_COMMA.fullmatch(digits) and not _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", ".")
    return digits if re.fullmatch(_PLAIN, digits) else text
