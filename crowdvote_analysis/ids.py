"""Ids that a spreadsheet or a data frame has damaged: mended where it is clear what they were, or named.

A column of whole numbers with one cell missing becomes ``1.0, 2.0`` in many programs; ``123456789012`` becomes
``1.23457E+11`` in a spreadsheet, ``1-2`` becomes ``2-Jan``. The first can be undone; of the others different ids may
have become one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.faults import COLUMN, Fault, places
from crowdvote_analysis.tables import columns
from crowdvote_analysis.tags import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

_POINT_ZERO = r"^[+-]?\d+\.0+$"
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
SHORTENED = r"(?i)^[+-]?\d(\.\d+)?E\+\d+$"
_DATE = rf"(?i)^(\d{{1,2}}[-/ ]{_MONTH}|{_MONTH}[-/ ]\d{{1,2}}|\d{{4}}-\d\d-\d\d 00:00:00(\.0+)?)$"
_ABSENT = (*NOTHING, "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")
_LINE_BREAK = r"[\n\r\x0b\x0c\x85\u2028\u2029]"
_ODD = rf"{_LINE_BREAK}|{SHORTENED}|{_DATE}|^{'$|^'.join(_ABSENT)}$"


def mended(frames: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], list[tuple[str, Fault]]]:
    """Read ids that became floats as the whole numbers they were: ``1.0`` as ``1``.

    A column of text is mended where all of it is such, and no other column of the same ids is so in part: there the
    point is meant, as in the versions 1.0 and 1.5.

    Returns:
        The frames, and what was mended, with the table.

    Raises:
        InvalidTableError: A float is not whole, or so large that different ids have become one.
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for table, frame in frames.items():
        for name in _id_columns(table, frame):
            kinds.setdefault("member_id" if name.startswith("follow") else name, []).append((table, name))
    new, notes = dict(frames), []
    for table, name in (each for of_kind in kinds.values() for each in _to_mend(frames, of_kind)):
        whole = _whole(table, name, frames[table])
        new[table] = new[table].with_columns(whole.alias(name))
        if frames[table].schema[name].is_decimal():
            continue  # an exact number, and no sign of damage
        rows = pl.Series(range(1, len(whole) + 1), dtype=pl.UInt32).filter(whole.is_not_null())
        sentence = f"{name} is a number with a point and is read as the whole number (1.0 as 1)"
        notes += [(table, Fault(f"{name}|whole", sentence, rows, (name,)))] if len(rows) else []
    return new, notes


def suspicious(
    name: str, ids: pl.Series, rows: pl.Series, *, in_lines: bool = False
) -> tuple[list[Fault], list[Fault]]:
    """Ids that are not what somebody wrote.

    Args:
        name: The column.
        ids: Its ids.
        rows: The number of the row of each.
        in_lines: Whether they stand in lines of a file, where a line break in one is a quote that was not closed.

    Returns:
        What has to be refused, and what counts all the same but is to be named.
    """
    odd = ids.filter(ids.str.contains(_ODD)).unique()  # a first look, as there is hardly ever one
    shortened = odd.filter(odd.str.contains(SHORTENED))
    broken = odd.filter(odd.str.contains(_LINE_BREAK)) if in_lines else odd.clear()
    dates = odd.filter(odd.str.contains(_DATE))
    absent = odd.filter(odd.is_in(_ABSENT))

    def faults(rule: str, sentence: str, odd: pl.Series) -> list[Fault]:
        return [Fault(f"{name}|{rule}", sentence, rows.filter(ids.is_in(odd.implode())), (name,))] if len(odd) else []

    return [
        *faults(
            "shortened",
            f"{name} was shortened by a spreadsheet, where different ids become one; show the column there as text or "
            "as whole numbers, and save it again",
            shortened,
        ),
        *faults(
            "line_break",
            f"{name} has a line break in it; a double quote that is not closed in its line takes the next ones along",
            broken,
        ),
    ], [
        *faults(
            "date",
            f"{name} looks like a date that a spreadsheet made of an id such as 1-2; it counts as it stands",
            dates,
        ),
        *faults("absent", f"{name} is what programs write where nothing is; it counts as an id like any other", absent),
    ]


def _id_columns(table: str, frame: pl.DataFrame) -> list[str]:
    names = [name for name in columns(table) if name.endswith("_id") and name in frame.columns]
    return [name for name in names if not (name == "choice_id" and COLUMN in frame.columns)]


def _to_mend(frames: Mapping[str, pl.DataFrame], columns_of_kind: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns of floats, and the columns of text that look like them, if the point is not meant."""
    numbers = [(table, name) for table, name in columns_of_kind if _is_number(frames[table][name])]
    texts = [(table, name) for table, name in columns_of_kind if frames[table].schema[name] == pl.String]
    # One cell tells of nearly every column that it is no such.
    if not any(frames[table][name].drop_nulls().head(1).str.contains(_POINT_ZERO).any() for table, name in texts):
        return numbers
    pointed = {each: frames[each[0]][each[1]].drop_nulls().str.contains(_POINT_ZERO) for each in texts}
    if any(cells.any() and not cells.all() for cells in pointed.values()):
        return numbers
    return numbers + [each for each, cells in pointed.items() if len(cells) and cells.all()]


def _is_number(ids: pl.Series) -> bool:
    return ids.dtype.is_float() or ids.dtype.is_decimal()


def _whole(table: str, name: str, frame: pl.DataFrame) -> pl.Series:
    """The ids of a column as text without a point; nothing where there is no number."""
    ids = frame[name]
    if ids.dtype == pl.String:
        return ids.str.replace(r"\.0+$", "")
    if ids.dtype.is_decimal():
        texts = ids.cast(pl.String)
        return texts.str.replace(r"\.0+$", "") if texts.drop_nulls().str.contains(r"^-?\d+(\.0+)?$").all() else texts
    ids = ids.fill_nan(None)
    largest = 2**24 if ids.dtype == pl.Float32 else 2**53
    unclear = ((ids != ids.floor()) | (ids.abs() > largest)).fill_null(value=False)
    wrong = frame.with_row_index("row", offset=1).filter(unclear)
    if len(wrong):
        shown = tuple(places(wrong.head(3)))
        sentence = f"{name} is a binary float that is no whole number, or too large to be one for sure"
        raise InvalidTableError(
            [Problem(table, f"{name}|type", sentence, len(wrong), shown)],
            f"Give {name} as text or as whole numbers, as it was before it became a float.",
        )
    return ids.cast(pl.Int64).cast(pl.String)
