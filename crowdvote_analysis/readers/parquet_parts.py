"""A table in a folder of Parquet files, as Spark and Hive write them.

``votes.parquet/part-0000….parquet``, or ``votes/decision_id=lunch/part-0000….parquet``, where the name of a folder is a
column and its value. Files whose names begin with ``_`` or ``.`` belong to the program that wrote them.
"""

from __future__ import annotations

import warnings
import zlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import polars as pl

from crowdvote_analysis.errors import TableWarning, UnreadableFileError
from crowdvote_analysis.parquet import read_parquet

if TYPE_CHECKING:
    from pathlib import Path

_ENDS = (".parquet", ".parq", ".pq")
_NULL = "__HIVE_DEFAULT_PARTITION__"
_OTHERS = {
    "_delta_log": "is a Delta table, and only its log knows which of its files count",
    "_temporary": "was not written to its end (there is a folder _temporary in it)",
    ".hoodie": "is a Hudi table, and only its log knows which of its files count",
    "metadata": "is an Iceberg table, and only its metadata know which of its files count",
}


class _Part(NamedTuple):
    """A file, and the columns that the names of its folders give."""

    path: Path
    values: dict[str, str | None]


def is_parts(folder: Path) -> bool:
    """Whether a folder holds Parquet or CSV files, at once or in folders such as ``decision_id=lunch``."""
    if not folder.is_dir():
        return False
    return any(
        (entry.is_file() and (entry.suffix.lower() in _ENDS or _is_csv(entry)))
        or ("=" in entry.name and is_parts(entry))
        for entry in sorted(folder.iterdir())
        if not entry.name.startswith((".", "_"))
    )


def _is_csv(part: Path) -> bool:
    """Whether a part is text with separators, gzipped perhaps: such parts are refused, and never overlooked."""
    return part.name.lower().removesuffix(".gz").endswith((".csv", ".tsv"))


def read_parts(folder: Path) -> pl.DataFrame:
    """Read a folder of Parquet files as one table, in the order of their paths.

    Columns may stand in any order; one that a part lacks is blank there, with a ``TableWarning``. A column whose types
    differ is read as text, digit by digit, but for binary floats.

    Raises:
        UnreadableFileError: It holds no parts, CSV parts or something else, a part cannot be read, or the types of a
            column cannot be brought together.
    """
    parts = _parts(folder, {})
    if not parts:
        raise UnreadableFileError(f"{folder}: holds no Parquet files. Write the table again, or as one file.")
    frames = [_with_values(part, read_parquet(part.path)) for part in parts]
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    for name in names:
        lacking = [part.path for part, frame in zip(parts, frames, strict=True) if name not in frame.columns]
        if lacking:
            warnings.warn(
                f"{folder}: {len(lacking):,} of {len(parts):,} parts lack the column {name}; it is blank there (first: "
                f"{lacking[0].relative_to(folder)}).",
                TableWarning,
                stacklevel=2,
            )
        frames = _alike(folder, name, frames)
    return pl.concat(frames, how="diagonal_relaxed").select(names)


def _parts(folder: Path, values: dict[str, str | None]) -> list[_Part]:
    """The files of a folder and of the folders in it.

    Raises:
        UnreadableFileError: There is something else in it.
    """
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name in _OTHERS and entry.is_dir():
            raise UnreadableFileError(f"{folder}: {_OTHERS[entry.name]}. Write the table as one Parquet file.")
        if entry.name.startswith((".", "_")):
            continue
        column, equals, value = entry.name.partition("=")
        if entry.is_dir() and equals:
            named = None if value == _NULL else unquote(value)
            found += _parts(entry, values | {unquote(column): named})
        elif entry.is_file() and entry.suffix.lower() in _ENDS:
            _require_as_written(entry)
            found.append(_Part(entry, values))
        elif _is_csv(entry):
            raise UnreadableFileError(
                f"{folder}: holds CSV parts. Join them into one CSV file named after the table, with one header and "
                "a column for what the names of folders say, or write Parquet; then remove the folder."
            )
        else:
            raise UnreadableFileError(
                f"{folder}: holds {entry.name}, which is no part of a table. Only Parquet files and folders such as "
                "decision_id=lunch may be in it."
            )
    return found


def _require_as_written(part: Path) -> None:
    """Hold a part against the checksums that Hadoop and Spark put beside it: a CRC-32 of every 512 bytes or so.

    Raises:
        UnreadableFileError: It is another one than was written.
    """
    beside = part.with_name(f".{part.name}.crc")
    sums = beside.read_bytes() if beside.is_file() else b""
    size = int.from_bytes(sums[4:8])
    if sums[:4] != b"crc\0" or not size:
        return
    data = part.read_bytes()
    found = b"".join(zlib.crc32(data[start : start + size]).to_bytes(4) for start in range(0, len(data), size))
    if found != sums[8:]:
        raise UnreadableFileError(
            f"{part}: is not what was written, by the checksums in {beside.name}. Copy both again; remove the "
            "checksums if the file was changed on purpose."
        )


def _with_values(part: _Part, frame: pl.DataFrame) -> pl.DataFrame:
    for name, value in part.values.items():
        said = pl.repeat(value, len(frame), dtype=pl.String, eager=True).alias(name)
        if name not in frame.columns:
            frame = frame.with_columns(said)
        elif not frame[name].cast(pl.String).equals(said, null_equal=True):
            raise UnreadableFileError(
                f"{part.path}: the column {name} says something else than the name of the folder. Remove the column, "
                "or write the table again."
            )
    return frame


def _alike(folder: Path, name: str, frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """The frames with one type in a column."""
    kinds = {frame.schema[name] for frame in frames if name in frame.columns} - {pl.Null()}
    if len(kinds) < 2 or (all(kind.is_temporal() for kind in kinds) and len({_zone(kind) for kind in kinds}) == 1):
        return frames
    if not all(_is_exact(kind) for kind in kinds):
        types = ", ".join(sorted(map(str, kinds)))
        raise UnreadableFileError(f"{folder}: the column {name} has several types in its parts: {types}. Write one.")
    return [frame.with_columns(pl.col(name).cast(pl.String)) if name in frame.columns else frame for frame in frames]


def _is_exact(kind: pl.DataType) -> bool:
    """Whether a value stands in its text digit by digit."""
    return kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean) or kind.is_integer() or kind.is_decimal()


def _zone(kind: pl.DataType) -> tuple[type, str | None]:
    return type(kind), getattr(kind, "time_zone", None)
