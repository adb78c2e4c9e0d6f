"""Columns of bytes in a Parquet file: text that does not say so, or no text at all."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.columns import bytes_as_text
from crowdvote_analysis.errors import TableWarning, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def without_bytes(path: Path, frame: pl.DataFrame, known: Collection[str]) -> pl.DataFrame:
    """A table whose columns of bytes are text.

    Args:
        path: The file, for what is said about it.
        frame: The table as it was read.
        known: The columns that are counted.

    Returns:
        Bytes of UTF-8 as text; further columns that are no text are left out, with a ``TableWarning``.

    Raises:
        UnreadableFileError: A known column is no text.
    """
    frame = bytes_as_text(frame, frame.columns)
    odd = [name for name, kind in frame.schema.items() if kind == pl.Binary]
    for name in odd:
        if name in known:
            raise UnreadableFileError(
                f"{path}: the column {name} is binary and no text. Write it as text (in DuckDB: {name}::VARCHAR; in "
                "Python, where it holds UUIDs: str(uuid.UUID(bytes=value)))."
            )
        warnings.warn(f"{path}: the column {name} is binary and no text; it is not read.", TableWarning, stacklevel=4)
    return frame.drop(odd)
