"""Comma-separated files, read as text and nothing else: no type is guessed, no cell is lost."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.text_file import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Sheet:
    """A CSV file as it stands.

    Attributes:
        header: Names of the columns, trimmed; a name may repeat.
        rows: Text columns named ``"0"``, ``"1"``, … in the order of the header; values trimmed, blank is null.
    """

    header: list[str]
    rows: pl.DataFrame

    def table(self) -> pl.DataFrame:
        """The rows under the names of the header, which must not repeat."""
        return self.rows.rename(dict(zip(self.rows.columns, self.header, strict=True)))


def read_sheet(path: Path) -> Sheet:
    """Read a comma-separated file whose first line names the columns.

    Lines without any value are left out (spreadsheets leave them at the end), and so are columns without name and
    values.

    Raises:
        UnreadableFileError: Not a text file, another separator than the comma, lines that are longer or shorter than
            the header, a quote that is never closed, or values below a column without a name.
    """
    text = read_text(path)
    header = _header(path, text)
    try:
        rows = pl.read_csv(text.encode(), infer_schema=False)
    except pl.exceptions.PolarsError:
        raise _uneven(path, text, len(header)) from None
    if rows.width != len(header):
        raise _uneven(path, text, len(header))
    rows.columns = [str(position) for position in range(rows.width)]
    trimmed = pl.all().str.strip_chars()
    rows = rows.select(pl.when(trimmed != "").then(trimmed))
    # polars fills up a short line with nulls, so a line can only be short where the last cell is null.
    if rows.to_series(-1).null_count() and not _even(text, len(header)):
        raise _uneven(path, text, len(header))
    rows = rows.filter(~pl.all_horizontal(pl.all().is_null()))
    return _without_nameless(path, Sheet(header, rows))


def read_table(path: Path) -> pl.DataFrame:
    """Read a comma-separated file into text columns under the names of its header; blank is null.

    Raises:
        UnreadableFileError: As ``read_sheet``, or a column name appears more than once.
    """
    sheet = read_sheet(path)
    refuse_repeats(path, sheet.header)
    return sheet.table()


def refuse_repeats(path: Path, names: Sequence[str]) -> None:
    """Raise ``UnreadableFileError`` if a column name appears more than once."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UnreadableFileError(
            f"{path}: the header repeats the column {', '.join(map(repr, repeated))}. Rename or remove all but one."
        )


def other_separator(line: str, columns: int) -> str | None:
    """The separator that splits a header into more than so many columns, in words; none if there is none."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(next(csv.reader([line], delimiter=separator), [])) > columns:
            return name
    return None


def _header(path: Path, text: str) -> list[str]:
    try:
        header = [name.strip() for name in next(csv.reader(io.StringIO(text, newline="")))]
    except csv.Error as error:
        raise UnreadableFileError(f"{path}: the first line cannot be read as CSV ({error}).") from None
    if not any(header):
        raise UnreadableFileError(f"{path}: the first line is blank; it must name the columns.")
    separator = other_separator(text.partition("\n")[0], 1) if len(header) == 1 else None
    if separator:
        raise UnreadableFileError(
            f"{path}: the columns seem to be separated by {separator}. Save the file with commas between the columns."
        )
    return header


def _even(text: str, width: int) -> bool:
    """Whether every line has ``width`` cells; quick where no quotes can hide a comma."""
    if '"' in text:
        return _uneven_line(text, width) is None
    lines = pl.Series([text]).str.split("\n").explode()
    cells = lines.filter(lines.str.strip_chars() != "").str.count_matches(",", literal=True) + 1
    return bool((cells == width).all())


def _uneven_line(text: str, width: int) -> tuple[int, int] | None:
    """Number of the first line that has not ``width`` cells, and how many it has."""
    reader = csv.reader(io.StringIO(text, newline=""))
    for cells in reader:
        if len(cells) != width and any(cell.strip() for cell in cells):
            return reader.line_num, len(cells)
    return None


def _uneven(path: Path, text: str, width: int) -> UnreadableFileError:
    try:
        found = _uneven_line(text, width)
    except csv.Error as error:
        return UnreadableFileError(f"{path}: is not a CSV file ({error}).")
    if found is None:
        return UnreadableFileError(f"{path}: is not a CSV file; is there a double quote that is never closed?")
    line, cells = found
    has = "1 cell" if cells == 1 else f"{cells} cells"
    return UnreadableFileError(
        f"{path}: line {line} has {has}, the header has {width}. Every line needs as many cells as the header; a name "
        "or text that holds a comma must stand in double quotes."
    )


def _without_nameless(path: Path, sheet: Sheet) -> Sheet:
    nameless = [position for position, name in enumerate(sheet.header) if not name]
    filled = [position for position in nameless if sheet.rows.to_series(position).null_count() < len(sheet.rows)]
    if filled:
        raise UnreadableFileError(
            f"{path}: column {filled[0] + 1} holds values but has no name in the header. Name it or remove it."
        )
    kept = [position for position in range(len(sheet.header)) if position not in nameless]
    rows = sheet.rows.select(pl.nth(kept))
    rows.columns = [str(position) for position in range(rows.width)]
    return Sheet([sheet.header[position] for position in kept], rows)
