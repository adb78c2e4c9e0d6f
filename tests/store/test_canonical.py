"""One form for rows: the same whatever they lie in, and another for every other row."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from crowdvote_analysis.store.canonical import line, lines, row_hash, rows_hash

ROW = {
    "title": 'Ä "pond"\n',
    "empty": "",
    "nothing": None,
    "open": True,
    "rows": -3,
    "stars": Decimal("4.50000000"),
    "at": datetime(2026, 6, 15, 12, tzinfo=UTC),
    "part": 0.1,
    "tags": ["b", "a", None],
    "file": {"size": 2, "path": "x", "gone": None},
}
LINE = (
    b'{"at":"2026-06-15T12:00:00.000000Z","empty":"","file":{"gone":null,"path":"x","size":2},"open":true,"part":"0.1","rows":-3,'
    b'"stars":"4.50000000","tags":["b","a",null],"title":"\xc3\x84 \\"pond\\"\\n"}\n'
)


def test_a_row_has_the_form_that_is_written_down() -> None:
    """Every kind of value, so that another program can do the same."""
    assert line(ROW) == LINE
    assert row_hash(ROW) == hashlib.sha256(LINE).hexdigest()


def test_a_frame_gives_the_same_as_its_rows() -> None:
    """Column by column or row by row; noughts of either sign are two."""
    frame = pl.DataFrame([ROW, {**dict.fromkeys(ROW), "part": -0.0}, ROW | {"part": 0.0}])
    assert lines(frame) == [line(row) for row in frame.iter_rows(named=True)]
    assert lines(frame)[0] == LINE
    assert lines(frame)[1] == b'{"part":"-0.0"}\n'


def test_a_time_is_told_in_utc_whatever_its_zone() -> None:
    """An instant has one form."""
    there = ROW | {"at": datetime(2026, 6, 15, 14, tzinfo=timezone(timedelta(hours=2)))}
    assert line(there) == LINE


def test_rows_are_hashed_sorted_by_their_bytes() -> None:
    """As ``LC_ALL=C sort | sha256sum`` does it, however the rows stand."""
    frame = pl.DataFrame({"id": ["b", "a", "c"], "number": [1, None, 2]})
    by_hand = b'{"id":"a"}\n{"id":"b","number":1}\n{"id":"c","number":2}\n'
    assert rows_hash(frame) == rows_hash(frame.reverse()) == hashlib.sha256(by_hand).hexdigest()


def test_a_column_that_comes_later_changes_no_hash() -> None:
    """It is null in the rows from before it."""
    frame = pl.DataFrame({"id": ["a", "b"]})
    assert rows_hash(frame) == rows_hash(frame.with_columns(new=pl.lit(None, dtype=pl.String)))


def test_rows_are_the_same_whoever_wrote_the_file(tmp_path: Path) -> None:
    """Another library, another compression, other groups of rows, another order."""
    frame = pl.DataFrame(
        [{name: value for name, value in ROW.items() if name != "nothing"} | {"rows": n} for n in range(9)]
    )
    frame.write_parquet(tmp_path / "one.parquet", compression="lz4", row_group_size=2)
    pq.write_table(frame.reverse().to_arrow(), tmp_path / "two.parquet", compression="snappy", use_dictionary=False)
    hashes = {rows_hash(pl.read_parquet(tmp_path / f"{name}.parquet")) for name in ("one", "two")}
    assert hashes == {rows_hash(frame)}


_TEXTS = st.text('ab;," \n\\', max_size=3)
_VALUES = st.none() | _TEXTS | st.lists(_TEXTS, max_size=3) | st.integers(-5, 5) | st.booleans()


@given(st.dictionaries(st.sampled_from("abc"), _VALUES), st.dictionaries(st.sampled_from("abc"), _VALUES))
def test_other_rows_have_other_forms(one: dict, other: dict) -> None:
    """No two rows share a form, but for what is null."""
    tell = lambda row: {name: (type(each), each) for name, each in row.items() if each is not None}  # noqa: E731
    assert (line(one) == line(other)) is (tell(one) == tell(other))
