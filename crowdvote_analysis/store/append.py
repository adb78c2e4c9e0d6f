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

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.store.export import CSV_TIME, flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCK = ".crowdvote.lock"
_PATIENCE = 60.0
# What some programs write at the beginning of UTF-8 text.
_MARK = "\ufeff"


@contextmanager
def locked(folder: str | Path, timeout: float = _PATIENCE) -> Iterator[None]:
    """Keep other writers out of a folder of tables, those of other programs too.

    Whoever reads, decides and writes does all of it inside, so that nothing is decided on tables that have changed.

    Args:
        folder: The folder; a file ``.crowdvote.lock`` stays in it.
        timeout: Seconds to wait for others.

    Raises:
        UnreadableFileError: The folder is not there or cannot be written to, or others did not finish in time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(Path(folder) / _LOCK, timeout=timeout)
    if not Path(folder).is_dir():  # the lock would make it
        raise UnreadableFileError(f"{folder}: there is no such folder.")
    try:
        lock.acquire()
    except Timeout:
        raise UnreadableFileError(f"{folder}: is being written to by another program. Try again.") from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield
    finally:
        lock.release()


def append_row(folder: str | Path, table: str, row: pl.DataFrame) -> Path:
    """Add one row to a table, to its CSV or Parquet file, whichever is there; else to a new Parquet file.

    A CSV file keeps every byte it has; only columns that it lacks are added at the ends of its lines. A Parquet file
    keeps its columns, their types and its rows. The file is replaced as a whole: a reader sees it without the row or
    with it. Call it inside ``locked``.

    Args:
        folder: The folder.
        table: Name of the table.
        row: One row with columns of the table; those that the file lacks and that are null or empty here stay away.

    Returns:
        The file.

    Raises:
        UnreadableFileError: The file cannot be written, or a column of it cannot hold the value.
    """
    path = (Path(folder) / f"{table}.csv").resolve()
    try:
        if path.exists():
            text = path.read_bytes().decode("utf-8")
            mark = _MARK if text.startswith(_MARK) else ""
            longer = mark + _with_line(text.removeprefix(mark), row)
            _replace(path, lambda beside: beside.write_bytes(longer.encode("utf-8")))
            return path
        path = (Path(folder) / f"{table}.parquet").resolve()
        frame = _with_row(path, pl.read_parquet(path), row) if path.exists() else row
        _replace(path, frame.write_parquet)
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{path}: is compressed or not UTF-8 text, so nothing can be added to it.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside, make sure that it is on the disk, and put it in place of the old one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        if path.exists():
            shutil.copymode(path, beside)
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: str | Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(f"{path}: cannot be written ({error.strerror or error}).")


# --- Parquet -------------------------------------------------------------------------------------------------------


def _with_row(path: Path, frame: pl.DataFrame, row: pl.DataFrame) -> pl.DataFrame:
    row = row.select(name for name in row.columns if name in frame.columns or _says_something(row[name]))
    types = {name: kind for name, kind in frame.schema.items() if name in row.columns}
    fitting = row.with_columns(row[name].cast(kind, strict=False) for name, kind in types.items())
    for name in types:
        if not fitting[name].cast(row.schema[name], strict=False).equals(row[name], null_equal=True):
            raise UnreadableFileError(
                f"{path}: the column {name} has the type {frame.schema[name]} and cannot hold {row[name].item()!r}. "
                f"Write it as {row.schema[name]}."
            )
    return pl.concat([frame, fitting], how="diagonal")


def _says_something(cell: pl.Series) -> bool:
    value = cell.item()
    return value is not None and not (isinstance(value, pl.Series) and value.is_empty())


# --- CSV -----------------------------------------------------------------------------------------------------------


def _with_line(text: str, row: pl.DataFrame) -> str:
    """The text with one more line, in the order of its columns and with its line ends."""
    end = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    lines = list(io.StringIO(text if text.endswith(("\n", "\r")) else text + end, newline=""))
    records = [(cells, reader.line_num) for reader in [csv.reader(lines)] for cells in reader if cells]
    header = [name.strip() for name in records[0][0]]
    new = [name for name in row.columns if name not in header and _says_something(row[name])]
    for cells, number in records if new else []:
        more = new if cells is records[0][0] else [""] * len(new)
        lines[number - 1] = lines[number - 1].rstrip("\r\n") + "".join(f",{cell}" for cell in more) + end
    texts = flat(row).select(pl.col(pl.Datetime).dt.strftime(CSV_TIME), pl.exclude(pl.Datetime).cast(pl.String))
    written = texts.to_dicts()[0]
    added = io.StringIO(newline="")
    csv.writer(added, lineterminator=end).writerow([written.get(name) or "" for name in [*header, *new]])
    return "".join(lines) + added.getvalue()
