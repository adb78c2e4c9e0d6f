"""The report of a recount on disk: it grows part by part, and an interrupted run goes on with what it has."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Self

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError, reason
from crowdvote_analysis.parquet import read_parquet, write_parquet
from crowdvote_analysis.snapshots.objects import sha256
from crowdvote_analysis.snapshots.recounts import REPORT
from crowdvote_analysis.store.export import export_tables

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from crowdvote_analysis.store.export import Format


class Report:
    """A report that is being written.

    Its parts are kept in a folder beside it until it is finished, one for each question, so that the parts of one never
    get into the report of another.

    Attributes:
        path: Where it will be: a ``.parquet`` or ``.csv`` file.
        unfinished: Where its parts are.
    """

    def __init__(self, path: Path, question: object, *, csv_safe: bool = False) -> None:
        self.path = path
        self._csv_safe = csv_safe
        self.unfinished = path.with_name(f".{path.name}.{sha256(repr(question).encode())[:8]}")

    def __enter__(self) -> Self:
        try:
            self.unfinished.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnreadableFileError(f"{self.path}: cannot be written ({reason(error)}).") from None
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.unfinished.is_dir() and not any(self.unfinished.iterdir()):
            self.unfinished.rmdir()

    @cached_property
    def done(self) -> pl.DataFrame:
        """What an earlier run has left."""
        parts = sorted(self.unfinished.glob("*.parquet"))
        return pl.concat([pl.DataFrame(schema=REPORT), *(read_parquet(part) for part in parts)])

    def add(self, part: pl.DataFrame) -> None:
        """Keep a part."""
        number = len(list(self.unfinished.glob("*.parquet")))
        path = self.unfinished / f"{number:06}.parquet"
        beside = path.with_suffix(f".{os.getpid()}")
        write_parquet(part, beside)
        beside.replace(path)

    def finish(self) -> pl.DataFrame:
        """Put the parts together, by decision and time, and remove them."""
        parts = sorted(self.unfinished.glob("*.parquet"))
        whole = pl.concat([pl.DataFrame(schema=REPORT), *(read_parquet(part) for part in parts)])
        whole = whole.sort("community_id", "decision_id", "timestamp", "snapshot_id")
        kind: Format = "csv" if self.path.suffix == ".csv" else "parquet"
        export_tables({self.path.stem: whole}, self.path.parent, kind, csv_safe=self._csv_safe)
        for part in parts:
            part.unlink()
        return whole
