"""Parquet files, read with every check the format has, and written so that these can find something.

The pages of a file may carry checksums; most programs write none. What pyarrow finds on the way is an error in words
here, and so is a panic of polars, which is no ``Exception``. In a file without checksums a flipped bit inside a value
stays unseen; there it can only be told by a hash from elsewhere, as snapshots have it.
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError, reason

if TYPE_CHECKING:
    from pathlib import Path

# What polars raises where a file is damaged; panics are raised past `except Exception`.
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def read_parquet(path: Path) -> pl.DataFrame:
    """Read one Parquet file.

    Raises:
        UnreadableFileError: It is not there, is no Parquet file, is damaged, or a number is too long to be held.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"{path}: cannot be read ({reason(error)}).") from None
    return decode(data, path)


def decode(data: bytes, name: Path | str) -> pl.DataFrame:
    """The table that the bytes of a Parquet file hold.

    Raises:
        UnreadableFileError: As ``read_parquet``.
    """
    import pyarrow as pa

    if data.startswith(b"PARE"):
        raise UnreadableFileError(f"{name}: is encrypted. Write it again without encryption.")
    try:
        try:
            frame = pl.from_arrow(_exact(_checked(data), name))
        except pa.ArrowNotImplementedError:  # types that only polars writes
            frame = pl.read_parquet(data)
    except UnreadableFileError:
        raise
    except (Exception, pl.exceptions.PanicException):  # whatever the bytes are
        raise UnreadableFileError(f"{name}: is not a Parquet file, or is damaged. Write it again.") from None
    assert isinstance(frame, pl.DataFrame)
    pa.default_memory_pool().release_unused()  # it keeps as much as it has ever held, for tables that do not come
    return frame


def _checked(data: bytes) -> Any:
    """The table as pyarrow reads it.

    Raises:
        ValueError: Its parts contradict each other.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, coerce_int96_timestamp_unit="us")
    # One thread: of several, those that are left when one finds damage end the process in a way nobody can catch.
    table = file.read(use_threads=False)
    table.validate(full=True)
    written = (file.metadata.metadata or {}).get(b"ARROW:schema")  # the names once more
    if written is not None and pa.ipc.read_schema(pa.py_buffer(base64.b64decode(written))).names != table.column_names:
        raise ValueError("the names of the columns contradict each other")
    if table.num_rows != file.metadata.num_rows:
        raise ValueError("the number of rows is another one")
    return _with_uuids_as_text(table, file.schema)


def _with_uuids_as_text(table: Any, schema: Any) -> Any:
    """The columns that are UUIDs by their logical type, as people write them: they are ids, and ids are text."""
    import pyarrow as pa

    leaves = [schema.column(position) for position in range(len(schema.names))]
    for name in [leaf.path for leaf in leaves if leaf.logical_type.type == "UUID" and leaf.path in table.column_names]:
        values = table.column(name)
        if isinstance(values.type, pa.BaseExtensionType):
            values = values.cast(values.type.storage_type)
        texts = [None if value is None else str(uuid.UUID(bytes=value)) for value in values.to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(texts, pa.string()))
    return table


def _exact(table: Any, name: Path | str) -> Any:
    """Decimals of more than 128 bits in 128, which polars can hold, where no digit is lost."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_decimal256(field.type):
            try:
                column = table.column(position).cast(pa.decimal128(38, field.type.scale))
            except pa.ArrowInvalid:
                raise UnreadableFileError(
                    f"{name}: the column {field.name} is {field.type} and holds numbers of more than 38 digits. Write "
                    "it as text."
                ) from None
            table = table.set_column(position, field.name, column)
    return table


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file whose pages carry checksums."""
    import pyarrow.parquet as pq

    try:
        table = frame.to_arrow()
        pq.write_table(table, path, compression="zstd", write_page_checksum=True)
    except (NotImplementedError, ValueError):  # types that only polars writes
        frame.write_parquet(path)
