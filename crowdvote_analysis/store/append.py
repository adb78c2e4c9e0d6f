"""One more row in a table on disk, however many programs add theirs at the same time."""

from __future__ import annotations

import csv
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import columns, tables
from crowdvote_analysis.checking import admit, check
from crowdvote_analysis.errors import CrowdVoteError, UnreadableFileError, reason
from crowdvote_analysis.parquet import read_parquet, write_parquet
from crowdvote_analysis.readers.dialect import find_dialect
from crowdvote_analysis.readers.parquet_parts import is_parts
from crowdvote_analysis.readers.sheet import read_table
from crowdvote_analysis.store.export import CSV_TIME, flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import dataframely as dy

# What some programs write at the beginning of UTF-8 text.
_MARK = "\ufeff"


def append_row(
    folder: str | Path, table: str, row: pl.DataFrame, home: Mapping[str, Sequence[str]] | None = None
) -> Path:
    """Add one row to a table, to its CSV or Parquet file, whichever is there; else to a new Parquet file.

    A CSV file keeps every byte it has; only columns that it lacks are added at the ends of its lines. A Parquet file
    keeps its columns and its rows, and their types but where one cannot hold the value: such a column gets the type of
    the table. The new file is read back before it takes the place of the old one, and has to hold the old rows as they
    were and the new one. It is replaced as a whole: a reader sees it without the row or with it. Call it inside
    ``locking.locked``.

    Args:
        folder: The folder.
        table: Name of the table.
        row: One row with columns of the table; those that the file lacks and that are null or empty here stay away.
        home: The decisions there are, by ``decision_id`` (communities likewise). A file without that column means the
            only one: it stays without where the row is of the same, else its rows get the id.

    Returns:
        The file.

    Raises:
        UnreadableFileError: The file cannot be written, a column of it cannot hold the value, or the file would not be
            read back as it should. It stays as it was.
    """
    home = home or {}
    path = (Path(folder) / f"{table}.csv").resolve()
    try:
        if path.exists():
            text = path.read_bytes().decode("utf-8")
            mark = _MARK if text.startswith(_MARK) else ""
            _require_commas(path, text.removeprefix(mark))
            longer = mark + _with_line(text.removeprefix(mark), table, row, home)
            same = _same_rows(path, table, read_table, row, home)
            _replace(path, lambda beside: beside.write_bytes(longer.encode("utf-8")), same)
            return path
        parts = [place for place in (Path(folder) / f"{table}.parquet", Path(folder) / table) if is_parts(place)]
        if parts:
            raise UnreadableFileError(f"{parts[0]}: is a folder of parts, so no row can be added to it.")
        path = (Path(folder) / f"{table}.parquet").resolve()
        if path.exists():
            frame = _with_row(path, table, read_parquet(path), row, home)
            same = _same_rows(path, table, read_parquet, row, home)
            _replace(path, lambda beside: write_parquet(frame, beside), same)
        else:
            _replace(path, lambda beside: write_parquet(row, beside))
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{path}: is compressed or not UTF-8 text, so nothing can be added to it.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _require_commas(path: Path, text: str) -> None:
    """Raise unless a line with commas is a row of the file."""
    dialect = find_dialect(path, text)
    if (dialect.separator, dialect.quote, dialect.header) != (",", '"', 1):
        raise _changed(path, "its lines are not written with commas below a header in the first line; save it so")


def _same_rows(
    path: Path, table: str, read: Callable[[Path], pl.DataFrame], row: pl.DataFrame, home: Mapping[str, Sequence[str]]
) -> Callable[[Path], None]:
    """What has to be true of the new file: it is read as the old rows, as they were, and the new one."""
    before = read(path)
    old = _as_table(table, before, home)[0]
    own = [name for name in before.columns if name not in tables.columns(table)]

    def judge(beside: Path) -> None:
        try:
            after = read(beside)
            rows, bad = _as_table(table, after, home)
        except (CrowdVoteError, pl.exceptions.PolarsError):
            raise _changed(path, "the file could not be read any more") from None
        if len(rows) != len(old) + 1 or not rows.head(-1).equals(old, null_equal=True):
            raise _changed(path, "rows that are there would be read otherwise than now")
        if not after.head(-1).select(own).equals(before.select(own), null_equal=True):
            raise _changed(path, f"the columns {', '.join(own)} would be read otherwise than now")
        wrong = [name for name in row.columns if not rows[name].tail(1).equals(row[name], null_equal=True)]
        if wrong:
            blanks = " (CSV files are read without the blanks at the ends of cells)" if path.suffix == ".csv" else ""
            raise _changed(path, f"{', '.join(wrong)} of the new row would be read otherwise{blanks}")
        if len(rows) in bad:
            raise _changed(path, "the new row would break a rule of the table")

    return judge


def _as_table(table: str, frame: pl.DataFrame, home: Mapping[str, Sequence[str]]) -> tuple[pl.DataFrame, set[int]]:
    """All rows as the table reads them, and the numbers of the bad ones."""
    checked = check(table, admit(table, frame), home)
    return checked.converted.drop("row"), {number for bad in checked.bad for number in bad.rows}


def _changed(path: Path, what: str) -> UnreadableFileError:
    return UnreadableFileError(f"{path}: nothing was added, because {what}.")


def _replace(path: Path, write: Callable[[Path], object], judge: Callable[[Path], None] | None = None) -> None:
    """Write a file beside, read it back, make sure that it is on the disk, and put it in place of the old one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        if judge is not None:
            judge(beside)
        if path.exists():
            shutil.copymode(path, beside)
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _sync(path.parent)


def _without_home(
    table: str, names: Sequence[str], row: pl.DataFrame, home: Mapping[str, Sequence[str]]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Tell what columns that a file leaves out mean for a new row.

    Returns:
        The row without the ids that the file means anyway, and the ids that its rows need now, by column.
    """
    needed = {}
    for name, column in tables.columns(table).items():
        if (column.metadata or {}).get("home") and name not in names and name in row.columns:
            there = home.get(name) or [tables.HOME[name]]
            if list(there) == row[name].to_list():
                row = row.drop(name)
            elif len(there) == 1:  # else there are no rows, as it would not be clear what they mean
                needed[name] = there[0]
    return row, needed


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: str | Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(f"{path}: cannot be written ({reason(error)}).")


# --- Parquet -------------------------------------------------------------------------------------------------------


def _with_row(
    path: Path, table: str, frame: pl.DataFrame, row: pl.DataFrame, home: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    row, needed = _without_home(table, frame.columns, row, home)
    row = row.select(name for name in row.columns if name in frame.columns or _says_something(row[name]))
    frame = frame.with_columns(pl.lit(value).alias(name) for name, value in needed.items())
    fitting = []
    for cell in row:
        name = cell.name
        held = _held(cell, frame.schema[name]) if name in frame.columns else cell
        if held is None:
            frame = frame.with_columns(_converted(path, frame.select(name), tables.columns(table)[name]))
            held = _held(cell, frame.schema[name])
        if held is None:
            raise _cannot_hold(path, name, frame.schema[name], cell.dtype)
        fitting.append(held)
    return pl.concat([frame, pl.DataFrame(fitting)], how="diagonal")


def _held(cell: pl.Series, kind: pl.DataType) -> pl.Series | None:
    """The cell in the type of a column; none where that cannot hold it as it is."""
    if columns.is_text(kind) and not columns.is_text(cell.dtype):
        return None
    try:
        fitting = cell.cast(kind, strict=False)
        back = fitting.cast(cell.dtype, strict=False)
    except pl.exceptions.PolarsError:
        return None
    # Into a list of nothing polars casts nothing, and says so by the type only.
    return fitting if fitting.dtype == kind and back.equals(cell, null_equal=True) else None


def _converted(path: Path, given: pl.DataFrame, column: dy.Column) -> pl.Series:
    """The column of a file in the type of the table, where nothing is lost by it."""
    (name, kind), *_ = given.schema.items()
    if columns.is_text(kind):  # categories too
        given = given.cast(pl.String)
        if column.dtype == pl.String:
            return given[name]
    if not columns.understands(column.dtype, kind):
        raise _cannot_hold(path, name, kind, column.dtype)
    converted = given.select(columns.parsed(column, name, given.schema).alias(name))
    if len(columns.unreadable(name, given.with_row_index("row"), converted)):
        raise _cannot_hold(path, name, kind, column.dtype)
    return converted[name]


def _cannot_hold(path: Path, name: str, kind: pl.DataType, needed: pl.DataType) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path}: the column {name} has the type {kind} and cannot hold the value. Write it as {needed}."
    )


def _says_something(cell: pl.Series) -> bool:
    value = cell.item()
    return value is not None and not (isinstance(value, pl.Series) and value.is_empty())


# --- CSV -----------------------------------------------------------------------------------------------------------


def _with_line(text: str, table: str, row: pl.DataFrame, home: Mapping[str, Sequence[str]]) -> str:
    """The text with one more line, in the order of its columns and with its line ends."""
    end = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    lines = list(io.StringIO(text if text.endswith(("\n", "\r")) else text + end, newline=""))
    with _cells_of_any_length(text):
        records = [(cells, reader.line_num) for reader in [csv.reader(lines)] for cells in reader if cells]
    header = [name.strip() for name in records[0][0]]
    row, needed = _without_home(table, header, row, home)
    new = [name for name in row.columns if name not in header and _says_something(row[name])]
    blank, filled = _line([""] * len(new)), _line([needed.get(name, "") for name in new])
    for cells, number in records if new else []:
        # A line of nothing but blank cells is no row, and stays none.
        others = filled if any(cell.strip() for cell in cells) else blank
        more = _line(new) if cells is records[0][0] else others
        lines[number - 1] = lines[number - 1].rstrip("\r\n") + "," + more + end
    texts = flat(row).select(pl.col(pl.Datetime).dt.strftime(CSV_TIME), pl.exclude(pl.Datetime).cast(pl.String))
    written = texts.to_dicts()[0]
    return "".join(lines) + _line([written.get(name) or "" for name in [*header, *new]]) + end


def _line(cells: list[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)  # what ends lines is put in quotes within cells
    # A single blank cell is written as two quotes, so that the line is not blank.
    return "" if cells == [""] else written.getvalue().removesuffix("\r\n")


@contextmanager
def _cells_of_any_length(text: str) -> Iterator[None]:
    """Let the module csv read cells as long as the text; by itself it stops at 131,072 characters."""
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(limit)
