"""Columns that are no choices, and rows that are no voters, left out because somebody said so; with their numbers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import TableWarning, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from crowdvote_analysis.readers.layout import Layout
    from crowdvote_analysis.readers.sheet import Sheet

# Where a name that is left out may stand as a row.
_ROWS = {
    "members": ("member_id",),
    "ballots": ("member_id",),
    "votes": ("member_id", "choice_id"),
    "choices": ("choice_id",),
}


def leave_out_columns(sheet: Sheet, layout: Layout) -> Sheet:
    """The sheet without the columns whose headers are to be left out."""
    if not layout.leave_out:
        return sheet
    return sheet.only([n for n, header in enumerate(sheet.header) if header not in layout.leave_out])


def leave_out_rows(path: Path, sheet: Sheet, layout: Layout, voter: str | None, header: Sequence[str]) -> Sheet:
    """The sheet without the rows whose voters are to be left out; notes all that was left out.

    Args:
        path: The file, for messages.
        sheet: The sheet, without the columns that are left out.
        layout: What is to be left out.
        voter: The column that says who voted.
        header: All columns there were.

    Raises:
        UnreadableFileError: A name is neither the header of a column nor the id of a row.
    """
    if not layout.leave_out:
        return sheet
    out = sheet.rows[voter].is_in(layout.leave_out) if voter else pl.repeat(False, len(sheet.rows), eager=True)
    out = out.fill_null(False)
    there = {*header, *(sheet.rows[voter].filter(out) if voter else ())}
    _refuse_unknown(path, layout.leave_out, there, header)
    columns = [name for name in header if name in layout.leave_out]
    _note(path, columns, f"{int(out.sum()):,} {'row' if out.sum() == 1 else 'rows'}" if out.any() else "")
    return sheet.where(~out)


def leave_out(
    folder: Path, frames: dict[str, pl.DataFrame], names: Sequence[str], columns: Iterable[str]
) -> dict[str, pl.DataFrame]:
    """The tables of a folder without what is to be left out; notes it.

    Args:
        folder: The folder, for messages.
        frames: The tables by name.
        names: Headers of columns of ballots, ids of members and of choices.
        columns: The columns of ballots that may be left out.

    Raises:
        UnreadableFileError: A name stands nowhere.
    """
    if not names:
        return frames
    columns, there, rows = list(columns), set(columns), []
    frames = dict(frames)
    for table, ids in _ROWS.items():
        for name in [name for name in ids if table in frames and name in frames[table].columns]:
            frame = frames[table]
            out = frame[name].cast(pl.String, strict=False).str.strip_chars().is_in(names).fill_null(False)
            if out.any():
                there |= set(frame[name].cast(pl.String).str.strip_chars().filter(out))
                rows.append(f"{int(out.sum()):,} {'row' if out.sum() == 1 else 'rows'} of {table}")
                frames[table] = frame.filter(~out)
    _refuse_unknown(folder, names, there, columns)
    gone = [name for name in columns if name in names]
    if gone:
        frames["ballots"] = frames["ballots"].drop(gone)
    _note(folder, gone, ", ".join(rows))
    return frames


def _refuse_unknown(place: Path, names: Sequence[str], there: set[str], columns: Iterable[str]) -> None:
    lost = [name for name in names if name not in there]
    if lost:
        raise UnreadableFileError(
            f"{place}: {', '.join(map(repr, lost))} shall be left out (--leave-out), and no column and no ballot "
            f"is called so. Columns: {', '.join(columns) or 'none'}."
        )


def _note(place: Path, columns: Sequence[str], rows: str) -> None:
    named = f"{'the column' if len(columns) == 1 else 'the columns'} {', '.join(columns)}" if columns else ""
    what = " and ".join(part for part in (named, rows) if part)
    warnings.warn(f"{place}: left out as asked: {what}.", TableWarning, stacklevel=3)
