"""Files of columns with separators between them, read as text and nothing else: no type is guessed, no cell is lost."""

from __future__ import annotations

import csv
import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning, TableWarning, UnreadableFileError
from crowdvote_analysis.formulas import as_texts
from crowdvote_analysis.readers.dialect import Dialect, find_dialect
from crowdvote_analysis.readers.index_columns import is_index
from crowdvote_analysis.readers.summaries import refuse_summary
from crowdvote_analysis.readers.survey_headers import join_header
from crowdvote_analysis.readers.text_file import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set
    from pathlib import Path


_MARK = "\ufeff"  # begins a file, and stands in the middle where files were put together


@dataclass(frozen=True)
class Sheet:
    """A CSV file as it stands.

    Attributes:
        header: Names of the columns, trimmed; a name may repeat.
        rows: Text columns named ``"0"``, ``"1"``, … in the order of the header; values trimmed, blank is null.
        lines: The line of the file in which each row begins, from 1.
        dialect: How the file was taken apart.
    """

    header: list[str]
    rows: pl.DataFrame
    lines: pl.Series
    dialect: Dialect

    def table(self) -> pl.DataFrame:
        """The rows under the names of the header, which must not repeat."""
        return self.rows.rename(dict(zip(self.rows.columns, self.header, strict=True)))

    def only(self, positions: Sequence[int]) -> Sheet:
        """The sheet with these of its columns, in this order."""
        rows = self.rows.select(pl.nth(positions)) if positions else self.rows.select()
        rows.columns = [str(position) for position in range(rows.width)]
        return replace(self, header=[self.header[position] for position in positions], rows=rows)

    def where(self, kept: pl.Series) -> Sheet:
        """The sheet with the rows for which a Boolean column is true."""
        return replace(self, rows=self.rows.filter(kept), lines=self.lines.filter(kept))


def read_sheet(path: Path, separator: str | None = None, keys: Set[str] = frozenset()) -> Sheet:
    """Read a file whose first line names the columns; commas stand between them, or what is found there instead.

    Lines without any value are left out (spreadsheets leave them at the end), and so are columns without name and
    values. An index that a program wrote as a first column without a name, and lines that repeat the header (of files
    that were put together), are left out with a note; so are lines above the header.

    Args:
        path: The file.
        separator: What stands between the columns, if it shall not be found out.
        keys: Names of columns by which the header is known, in small letters.

    Raises:
        UnreadableFileError: Not a text file, lines that are longer or shorter than the header, a quote that is never
            closed, a second header in another order, or values below a column without a name.
    """
    dialect = find_dialect(path, read_text(path), separator, keys)
    header, last = _header(path, dialect)
    rows = _quick_rows(dialect, last, len(header))
    if rows is None:
        rows = _patient_rows(path, dialect, len(header))
    trimmed = pl.exclude("line").str.strip_chars()
    rows = rows.select(pl.when(trimmed != "").then(trimmed), "line")
    rows = rows.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
    header, rows = as_texts(path, header, rows)
    rows = _without_repeated_header(path, rows, header)
    header, rows = join_header(path, header, rows)
    return _without_nameless(path, Sheet(header, rows.drop("line"), rows["line"], dialect))


def read_table(path: Path, separator: str | None = None, keys: Set[str] = frozenset()) -> pl.DataFrame:
    """Read a file into text columns under the names of its header; blank is null.

    Raises:
        UnreadableFileError: As ``read_sheet``, or a column name appears more than once.
    """
    sheet = read_sheet(path, separator, keys)
    refuse_repeats(path, sheet.header)
    return sheet.table()


def refuse_repeats(path: Path, names: Sequence[str], where: str = "") -> None:
    """Raise ``UnreadableFileError`` if a column name appears more than once.

    Args:
        path: The file.
        names: The names.
        where: Where the columns stand, in words, where it is known.
    """
    repeated = list(dict.fromkeys(name for name in names if names.count(name) > 1))
    if repeated:
        raise UnreadableFileError(
            f"{path}: the header repeats the column {', '.join(map(repr, repeated))}.{where} If they are different "
            "things, rename them. If they are one question that was asked in several places, put the answers into one "
            "column; remove a column only if the other says all that it says, else what stands in it is lost."
        )


# --- taking apart --------------------------------------------------------------------------------------------------


def _reader(dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The records of a text, each with the line of the file in which it begins."""
    reader = csv.reader(io.StringIO(dialect.text, newline=""), delimiter=dialect.separator, quotechar=dialect.quote)
    line = 0
    for cells in reader:
        yield dialect.header + line, cells
        line = reader.line_num


def _header(path: Path, dialect: Dialect) -> tuple[list[str], int]:
    """The names of the columns, and the last line of the file that they stand in."""
    try:
        reader = csv.reader(io.StringIO(dialect.text, newline=""), delimiter=dialect.separator, quotechar=dialect.quote)
        header = [" ".join(part.strip() for part in name.splitlines()).strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnreadableFileError(f"{path}: line {dialect.header} cannot be read as CSV ({error}).") from None
    if not any(header):
        raise UnreadableFileError(f"{path}: line {dialect.header} is blank; it must name the columns.")
    if len(header) == 1 and dialect.text.startswith('"') and "," in header[0] and "\n" not in header[0]:
        raise UnreadableFileError(
            f"{path}: the header stands in double quotes as a whole, so it is one column. Remove the quotes around "
            "whole lines (a spreadsheet writes them when it opens a file without taking its columns apart)."
        )
    return header, dialect.header + reader.line_num - 1


def _quick_rows(dialect: Dialect, last: int, width: int) -> pl.DataFrame | None:
    """The rows, where every line is one of them and has as many cells as the header; none otherwise."""
    lines = dialect.header + dialect.text.count("\n") - dialect.text.endswith("\n") - last
    try:
        rows = pl.read_csv(
            dialect.text.encode(),
            infer_schema=False,
            separator=dialect.separator,
            quote_char=dialect.quote,
        )
    except pl.exceptions.PolarsError:
        return None
    if rows.width != width or rows.height != lines:
        return None
    rows.columns = [str(position) for position in range(width)]
    # polars fills up a short line with nulls, so a line can only be short where the last cell is null.
    if rows.to_series(-1).null_count() and not _even(dialect, width):
        return None
    return rows.with_columns(line=pl.int_range(last + 1, last + 1 + lines, dtype=pl.Int64))


def _even(dialect: Dialect, width: int) -> bool:
    """Whether every line has ``width`` cells; quick where no quotes can hold a separator."""
    if dialect.quote in dialect.text:
        return False
    lines = pl.Series([dialect.text]).str.split("\n").explode()
    cells = lines.filter(lines.str.strip_chars() != "").str.count_matches(dialect.separator, literal=True) + 1
    return bool((cells == width).all())


def _patient_rows(path: Path, dialect: Dialect, width: int) -> pl.DataFrame:
    """The rows, record by record; raises at the first that has too many cells or too few."""
    needed = width
    with _cells_of_any_length(dialect.text):
        try:
            records = list(_reader(dialect))
        except csv.Error as error:
            raise UnreadableFileError(f"{path}: is not a CSV file ({error}). {dialect}.") from None
    if dialect.text.count(dialect.quote) % 2 and "\n" in "".join(records[-1][1]):
        raise UnreadableFileError(
            f"{path}: a {'double' if dialect.quote == chr(34) else 'single'} quote that opens in line {records[-1][0]} "
            f"is never closed. {dialect}."
        )
    while needed and not records[0][1][needed - 1].strip():  # separators at the end of the header
        needed -= 1
    kept = [(line, cells) for line, cells in records[1:] if any(cell.strip() for cell in cells)]
    for line, cells in kept:
        if len(cells) < needed or any(cell.strip() for cell in cells[width:]):
            raise _uneven(path, dialect, line, cells, width)
    _doubt_swallowed_lines(path, dialect, kept, width)
    full = [(cells + [""] * width)[:width] for _, cells in kept]
    columns = zip(*full, strict=True) if full else [()] * width
    named = {str(position): pl.Series(cells, dtype=pl.String) for position, cells in enumerate(columns)}
    return pl.DataFrame(named | {"line": pl.Series([line for line, _ in kept], dtype=pl.Int64)})


def _doubt_swallowed_lines(path: Path, dialect: Dialect, records: list[tuple[int, list[str]]], width: int) -> None:
    """A quote in the wrong place takes the lines up to the next one into a single cell."""
    for line, cells in records:
        if any("\n" in cell.strip() and cell.count(dialect.separator) >= max(width - 1, 1) for cell in cells):
            warnings.warn(
                f"{path}: a quote that opens in line {line} or below it closes in another line, and what stands "
                "between, separators too, was taken as one cell. If the quote is there by mistake, lines are missing.",
                DoubtWarning,
                stacklevel=3,
            )
            return


def _uneven(path: Path, dialect: Dialect, line: int, cells: list[str], width: int) -> UnreadableFileError:
    has = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    lone = sum(bool(cell.strip()) for cell in cells) == 1
    return UnreadableFileError(
        f"{path}: line {line} has {has}, the header has {width}. Every line needs as many cells as the header; a name "
        f"or text that holds a separator must stand in quotes. {dialect}."
        + (" If the line is a title or a remark, remove it." if lone or width == 1 else "")
    )


@contextmanager
def _cells_of_any_length(text: str) -> Iterator[None]:
    """Let the module csv read cells as long as the text; by itself it stops at 131,072 characters."""
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


# --- lines and columns that are no data ----------------------------------------------------------------------------


def _without_repeated_header(path: Path, rows: pl.DataFrame, header: list[str]) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    names = [name or None for name in header]
    marked = pl.col("0").str.strip_chars_start(_MARK)
    same = pl.all_horizontal(
        (marked if n == 0 else pl.col(str(n))).eq_missing(pl.lit(name, pl.String)) for n, name in enumerate(names)
    )
    _refuse_other_header(path, rows.filter(pl.col("0").is_in(_with_mark(header)) & ~same), header)
    again = rows.filter(same)["line"]
    if again.is_empty():
        return rows
    lines = ", ".join(f"{line:,}" for line in again.head(3)) + (", …" if len(again) > 3 else "")
    warnings.warn(
        f"{path}: {len(again):,} {'line repeats' if len(again) == 1 else 'lines repeat'} the header and "
        f"{'was' if len(again) == 1 else 'were'} left out (line {lines}); the file seems to be several in one.",
        TableWarning,
        stacklevel=3,
    )
    return rows.filter(~same)


def _refuse_other_header(path: Path, rows: pl.DataFrame, header: list[str]) -> None:
    """Raise at a row that begins with a name of a column and holds another, and not all where they stand.

    Args:
        path: The file.
        rows: Rows whose first cell is such a name.
        header: All names.
    """
    words = {name for name in header if re.search(r"[^\W\d]", name)}
    for *cells, line in rows.iter_rows():
        found = [cell.lstrip(_MARK) for cell in cells if cell is not None]
        named = [cell for cell in found if cell in words]
        if len(set(named)) > 1 and len(set(named)) == len(named):
            what = "in another order" if set(found) == set(header) else "of other columns"
            raise UnreadableFileError(
                f"{path}: line {line:,} is a second header {what}; the file seems to be several in one. Split it there."
            )


def _with_mark(names: list[str]) -> list[str]:
    """Names as they stand at the beginning of a file, also with the mark that programs put there."""
    return [*names, *(_MARK + name for name in names)]


def _without_nameless(path: Path, sheet: Sheet) -> Sheet:
    nameless = [position for position, name in enumerate(sheet.header) if not name]
    filled = [position for position in nameless if sheet.rows.to_series(position).null_count() < len(sheet.rows)]
    if filled[:1] == [0] and is_index("", sheet.rows.to_series(0)):
        filled = filled[1:]
        warnings.warn(
            f"{path}: the first column has no name and numbers the lines; it was left out as an index.",
            TableWarning,
            stacklevel=3,
        )
    if filled:
        refuse_summary(path, sheet.header)
        raise UnreadableFileError(
            f"{path}: column {filled[0] + 1} holds values but has no name in the header. Name it or remove it; if "
            "other lines stand above the header, remove them; if it goes over several lines, join them into one. "
            f"{sheet.dialect}."
        )
    return sheet.only([position for position in range(len(sheet.header)) if position not in nameless])
