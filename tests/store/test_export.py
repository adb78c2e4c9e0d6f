"""Frames as files."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.store import export_tables

FRAME = pl.DataFrame(
    {
        "member_id": ["Kelly, the first", None],
        "tags": [["budget", "trees"], []],
        "stars": [Decimal("4.5"), Decimal(0)],
        "cast_at": [datetime(2026, 5, 1, 18, tzinfo=UTC), None],
    },
    schema_overrides={"stars": pl.Decimal(9, 8)},
)


def test_csv_holds_lists_stars_and_times_as_people_write_them(tmp_path: Path) -> None:
    """Lists are joined by semicolons, stars have 8 places, times are ISO 8601 in UTC."""
    (path,) = export_tables({"ballots": FRAME}, tmp_path / "new" / "folder", "csv")
    assert path.read_text("utf-8").splitlines() == [
        "member_id,tags,stars,cast_at",
        '"Kelly, the first",budget;trees,4.50000000,2026-05-01T18:00:00Z',
        ',"",0.00000000,',
    ]


def test_parquet_keeps_every_type(tmp_path: Path) -> None:
    """What is read back equals what was written."""
    (path,) = export_tables({"ballots": FRAME}, tmp_path, "parquet")
    assert pl.read_parquet(path).equals(FRAME)
    assert pl.read_parquet(path).schema == FRAME.schema


def test_only_whole_files_are_left(tmp_path: Path) -> None:
    """A second export replaces the first, and no unfinished file stays behind; progress is told."""
    told: list[tuple[int, int]] = []
    for _ in range(2):
        export_tables({"a": FRAME, "b": FRAME}, tmp_path, "csv", lambda done, total: told.append((done, total)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]
    assert told == [(1, 2), (2, 2)] * 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Writing below a file fails with a sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreadableFileError, match="cannot be written"):
        export_tables({"a": FRAME}, tmp_path / "file" / "below", "csv")
