"""A file that grows frame by frame, and is there once it is finished."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.formulas import guarded
from crowdvote_analysis.store.export import CSV_TIME, flat

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


class LongFile:
    """A Parquet or CSV file, by the ending of its name, written without holding all of it.

    Attributes:
        path: Where it will be.
        csv_safe: Whether texts that a spreadsheet would run as formulas are guarded in a CSV file.
    """

    def __init__(self, path: Path, *, csv_safe: bool = False) -> None:
        self.path = path
        self.csv_safe = csv_safe
        self._beside = path.with_name(f".{path.name}.{os.getpid()}")
        self._rows = 0
        self._writer: Any = None

    def append(self, frame: pl.DataFrame) -> None:
        """Add rows; all frames have the same columns."""
        self._rows += len(frame)
        if self.path.suffix == ".csv":
            with self._beside.open("ab" if self._writer else "wb") as file:
                rows = guarded(flat(frame)) if self.csv_safe else flat(frame)
                rows.write_csv(file, include_header=self._writer is None, datetime_format=CSV_TIME)
            self._writer = True
            return
        import pyarrow.parquet

        table = frame.to_arrow()
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(
                self._beside, table.schema, compression="zstd", write_page_checksum=True
            )
        self._writer.write_table(table.cast(self._writer.schema))

    def finish(self) -> int:
        """Put the file in its place; how many rows it has."""
        if self.path.suffix != ".csv" and self._writer is not None:
            self._writer.close()
        self._beside.replace(self.path)
        return self._rows

    def discard(self) -> None:
        """Remove what was not finished."""
        self._beside.unlink(missing_ok=True)
