"""Parquet files that are damaged, unusual, or written in parts."""

from __future__ import annotations

import datetime
import io
import uuid
import warnings
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdvote_analysis import SystemState
from crowdvote_analysis.errors import StoreError, TableWarning, UnreadableFileError
from crowdvote_analysis.parquet import decode, read_parquet, write_parquet
from crowdvote_analysis.readers.parquet_parts import read_parts
from crowdvote_analysis.snapshots import objects
from crowdvote_analysis.store import Store, import_state
from crowdvote_analysis.store.append import append_row
from crowdvote_analysis.store.location import Location
from tests.command import crowdvote
from tests.damage import damaged

_VOTES = pl.DataFrame(
    {
        "decision_id": ["lunch"] * 60 + ["tea"] * 60,
        "member_id": [f"member {number % 60}" for number in range(120)],
        "choice_id": ["soup", "bread", "cake"] * 40,
        "stars": pl.Series([Decimal(number % 6) for number in range(120)], dtype=pl.Decimal(9, 8)),
    }
)


def _bytes(frame: pl.DataFrame, folder: Path) -> bytes:
    write_parquet(frame, folder / "whole.parquet")
    return (folder / "whole.parquet").read_bytes()


def _outcomes(data: bytes, number: int, seed: int, right: pl.DataFrame) -> dict[str, int]:
    """What became of damaged copies: refused, read as before, or read as something else."""
    found = {"refused": 0, "right": 0, "wrong": 0}
    for copy in damaged(data, number, seed):
        try:
            found["right" if decode(copy, "x").equals(right) else "wrong"] += 1
        except UnreadableFileError:
            found["refused"] += 1
    return found


def test_what_is_written_here_is_never_read_as_something_else(tmp_path: Path) -> None:
    """Checksums of pages and names that stand twice: a damage is refused, or it touched nothing that matters."""
    found = _outcomes(_bytes(_VOTES, tmp_path), 60, 14, _VOTES)
    assert found["wrong"] == 0
    assert found["refused"] > 40


@pytest.mark.soak
def test_many_damages_of_many_tables_are_never_read_as_something_else(tmp_path: Path) -> None:
    """The same, three hundred times each, of several shapes."""
    tags = _VOTES.with_columns(tags=pl.Series([["a", "b"], []] * 60), at=pl.lit(datetime.datetime(2026, 5, 1)))
    for seed, frame in enumerate((_VOTES, _VOTES.head(1), tags, tags.clear())):
        assert _outcomes(_bytes(frame, tmp_path), 300, seed, frame)["wrong"] == 0


def test_damage_of_files_without_checksums_gives_no_traceback() -> None:
    """Other programs write none: most damage is refused all the same, and nothing but an error comes out."""
    written = io.BytesIO()
    _VOTES.write_parquet(written)
    found = _outcomes(written.getvalue(), 60, 15, _VOTES)
    assert found["refused"] > 30


def test_a_flipped_bit_in_a_page_is_told_by_its_checksum(tmp_path: Path) -> None:
    """Without it another star would be counted in silence."""
    data = _bytes(_VOTES.select("stars"), tmp_path)
    for place in range(30, 60):
        copy = bytearray(data)
        copy[place] ^= 1
        with pytest.raises(UnreadableFileError, match=r"x: is not a Parquet file, or is damaged"):
            decode(bytes(copy), "x")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"member_id,x\n", b"PARE" + bytes(99), bytes(99)])
def test_a_damaged_file_of_a_folder_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    """The file is named, and the command ends with 1."""
    (tmp_path / "ballots.parquet").write_bytes(content)
    done = crowdvote("count", tmp_path)
    assert done.returncode == 1
    assert "ballots.parquet: is" in done.stderr.replace("\n", "")


def test_damaged_files_of_a_store_are_errors_in_words(tmp_path: Path) -> None:
    """Each of them, before delta-rs and polars make something of it."""
    state = SystemState(votes=_VOTES, ballots=_VOTES.select("decision_id", "member_id").unique())
    store = Store.create(tmp_path / "store")
    import_state(store, state)
    (path,) = (tmp_path / "store" / "votes").glob("*.parquet")
    whole = path.read_bytes()
    for copy in damaged(whole, 40, 16):
        path.write_bytes(copy)
        with pytest.raises(StoreError, match="holds other bytes than were written"):
            Store.open(tmp_path / "store").state()


def test_panics_of_polars_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are raised past ``except Exception``."""

    def panic(*_: object) -> None:
        raise pl.exceptions.PanicException("index out of bounds")

    data = _bytes(_VOTES, tmp_path)
    monkeypatch.setattr(pl, "from_arrow", panic)
    with pytest.raises(UnreadableFileError, match="is damaged"):
        decode(data, "x")


def test_a_panic_that_nobody_expected_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says in one line that it is a fault of the program."""

    def panic(*_: object) -> None:
        raise pl.exceptions.PanicException("index out of bounds")

    monkeypatch.setattr(pl.DataFrame, "sort", panic)
    (tmp_path / "ballots.csv").write_text("member_id,Soup\nana,5\n")
    done = crowdvote("count", tmp_path)
    assert (done.returncode, done.stdout) == (70, "")
    assert "unexpected PanicException" in done.stderr


def test_nothing_is_added_to_a_damaged_file_or_to_parts(tmp_path: Path) -> None:
    """The file stays as it is, and no other is made beside it."""
    row = _VOTES.head(1)
    (tmp_path / "votes.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnreadableFileError, match="or is damaged"):
        append_row(tmp_path, "votes", row)
    assert (tmp_path / "votes.parquet").read_bytes() == b"PAR1"
    _part(tmp_path / "other" / "votes", "part-0.parquet", member_id=["ana"])
    with pytest.raises(UnreadableFileError, match="is a folder of parts, so no row can be added"):
        append_row(tmp_path / "other", "votes", row)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["votes"]


def test_damaged_frozen_tables_are_named(tmp_path: Path) -> None:
    """The bytes are checked before anybody reads them as Parquet."""
    frozen = objects.freeze(Location.of(tmp_path), _VOTES)
    path = tmp_path / frozen.path
    whole = path.read_bytes()
    for copy in damaged(whole, 20, 17):
        path.write_bytes(copy)
        frame, wrong = objects.thaw(Location.of(tmp_path), frozen)
        assert frame is None
        assert frozen.path in str(wrong)


# --- types ------------------------------------------------------------------------------------------------------------


def _read(table: Any, folder: Path) -> pl.DataFrame:
    pq.write_table(table, folder / "t.parquet")
    return read_parquet(folder / "t.parquet")


def test_types_of_other_programs_arrive_as_they_are(tmp_path: Path) -> None:
    """Decimals of 256 bits, dictionaries, large and nested types, an index of pandas."""
    table = pa.table(
        {
            "stars": pa.array([Decimal("4.50000000"), None], pa.decimal256(50, 8)),
            "member_id": pa.array(["ana", "ben"]).dictionary_encode(),
            "title": pa.array(["a", "b"], pa.large_string()),
            "tags": pa.array([["x"], []], pa.large_list(pa.string())),
            "__index_level_0__": pa.array([7, 8]),
        }
    )
    frame = _read(table, tmp_path)
    assert frame["stars"].to_list() == [Decimal("4.5"), None]
    assert frame["member_id"].cast(pl.String).to_list() == ["ana", "ben"]
    assert frame["tags"].to_list() == [["x"], []]
    assert frame.columns == table.column_names


def test_decimals_that_cannot_be_held_are_refused(tmp_path: Path) -> None:
    """No digit is rounded away."""
    long = pa.table({"stars": pa.array([Decimal(10) ** 40], pa.decimal256(50, 8))})
    with pytest.raises(UnreadableFileError, match=r"the column stars is decimal256\(50, 8\) and holds numbers of more"):
        _read(long, tmp_path)


def test_types_that_only_polars_has_are_read_by_polars(tmp_path: Path) -> None:
    """Numbers of 128 bits, written and read back."""
    frame = pl.DataFrame({"position": pl.Series([1, 2**90], dtype=pl.Int128)})
    write_parquet(frame, tmp_path / "t.parquet")
    assert read_parquet(tmp_path / "t.parquet").equals(frame)


# --- parts ------------------------------------------------------------------------------------------------------------


def _part(folder: Path, name: str, **columns: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(path)


def _spark(folder: Path) -> None:
    """What Spark leaves beside its parts."""
    for name in ("_SUCCESS", "._SUCCESS.crc", ".part-0000.parquet.crc"):
        (folder / name).write_bytes(b"crc\0")


def test_a_table_may_be_a_folder_of_parts(tmp_path: Path) -> None:
    """Columns in any order, numbers and text; the same count as from one file."""
    _part(tmp_path / "ballots.parquet", "part-0000.parquet", member_id=["ana", "ben"], Soup=[5, 0], Bread=[1, 4])
    _part(tmp_path / "ballots.parquet", "part-0001.snappy.parquet", Bread=["4"], member_id=["cleo"], Soup=["3"])
    _spark(tmp_path / "ballots.parquet")
    done = crowdvote("count", tmp_path)
    assert "Winner: Bread (margin: 1 ballot)" in done.stdout
    assert done.stderr == "note: ballots: choices are the columns Soup, Bread.\n"


@pytest.mark.parametrize("folder", ["votes", "votes.parquet"])
def test_folders_may_give_a_column_its_value(tmp_path: Path, folder: str) -> None:
    """``decision_id=lunch`` as Hive writes it, its value quoted as in URLs."""
    for decision, stars in (("lunch", 5), ("tea %26 cake", 2)):
        name = f"decision_id={decision.replace(' ', '%20')}/part-0.parquet"
        _part(tmp_path / folder, name, member_id=["ana"], choice_id=["soup"], stars=[stars])
    _spark(tmp_path / folder)
    state = SystemState.read(tmp_path)
    rows = state.votes.select("decision_id", "stars").sort("decision_id").rows()
    assert rows == [("lunch", Decimal(5)), ("tea & cake", Decimal(2))]


def test_an_unnamed_partition_is_blank(tmp_path: Path) -> None:
    """Hive's word for it is no value."""
    _part(tmp_path / "t", "decision_id=__HIVE_DEFAULT_PARTITION__/a.parquet", member_id=["ana"])
    assert read_parts(tmp_path / "t")["decision_id"].to_list() == [None]


def test_a_column_that_parts_lack_is_told(tmp_path: Path) -> None:
    """Blank there, with the number of parts."""
    _part(tmp_path / "t", "a.parquet", member_id=["ana"], Soup=[5])
    _part(tmp_path / "t", "b.parquet", member_id=["ben"])
    with pytest.warns(TableWarning, match=r"1 of 2 parts lack the column Soup; it is blank there \(first: b.parquet\)"):
        assert read_parts(tmp_path / "t")["Soup"].to_list() == [5, None]


@pytest.mark.parametrize(
    ("one", "other", "read"),
    [
        ([1], ["2"], ["1", "2"]),
        ([1], [Decimal("2.5")], ["1", "2.5"]),
        ([None], [2], [None, 2]),
        ([datetime.datetime(2026, 5, 1)], [None], [datetime.datetime(2026, 5, 1), None]),
    ],
)
def test_types_of_parts_meet_where_nothing_is_lost(
    tmp_path: Path, one: list[Any], other: list[Any], read: list[Any]
) -> None:
    """Whole numbers, decimals and text."""
    _part(tmp_path / "t", "a.parquet", x=one)
    _part(tmp_path / "t", "b.parquet", x=other)
    assert read_parts(tmp_path / "t")["x"].to_list() == read


@pytest.mark.parametrize(("one", "other"), [([1.5], [2]), ([datetime.datetime(2026, 5, 1)], ["2026-05-01"])])
def test_types_of_parts_that_do_not_meet_are_refused(tmp_path: Path, one: list[Any], other: list[Any]) -> None:
    """Binary floats are never made exact by being text (D10)."""
    _part(tmp_path / "t", "a.parquet", x=one)
    _part(tmp_path / "t", "b.parquet", x=other)
    with pytest.raises(UnreadableFileError, match="the column x has several types in its parts"):
        read_parts(tmp_path / "t")


def test_what_is_no_finished_folder_of_parts_is_refused(tmp_path: Path) -> None:
    """Logs of other formats decide which files count; something foreign may have been meant."""
    for name, said in (
        ("_delta_log", "is a Delta table"),
        ("_temporary", "was not written to its end"),
        (".hoodie", "is a Hudi table"),
        ("metadata", "is an Iceberg table"),
        ("more", "holds more, which is no part"),
    ):
        _part(tmp_path / name / "votes.parquet", "a.parquet", x=[1])
        (tmp_path / name / "votes.parquet" / name).mkdir()
        with pytest.raises(UnreadableFileError, match=said):
            read_parts(tmp_path / name / "votes.parquet")
    _part(tmp_path / "t", "decision_id=lunch/a.parquet", decision_id=["tea"])
    with pytest.raises(UnreadableFileError, match="the column decision_id says something else"):
        read_parts(tmp_path / "t")


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    """As is an interrupted copy of no bytes."""
    _part(tmp_path / "t", "a.parquet", x=[1])
    (tmp_path / "t" / "b.parquet").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match=r"b\.parquet: is not a Parquet file, or is damaged"):
        read_parts(tmp_path / "t")


def test_a_part_is_held_against_the_checksums_beside_it(tmp_path: Path) -> None:
    """Hadoop's: a head, the number of bytes, and a CRC-32 of so many each."""
    _part(tmp_path / "t", "a.parquet", x=list(range(500)))
    data = (tmp_path / "t" / "a.parquet").read_bytes()
    sums = b"".join(zlib.crc32(data[at : at + 512]).to_bytes(4, "big") for at in range(0, len(data), 512))
    crc = tmp_path / "t" / ".a.parquet.crc"
    crc.write_bytes(b"crc\0" + (512).to_bytes(4, "big") + sums)
    assert len(read_parts(tmp_path / "t")) == 500
    for place in (8, len(sums)):
        changed = bytearray(crc.read_bytes())
        changed[place] ^= 1
        crc.write_bytes(changed)
        with pytest.raises(UnreadableFileError, match=r"a\.parquet: is not what was written"):
            read_parts(tmp_path / "t")


def test_an_other_folder_beside_the_tables_stays_unread(tmp_path: Path) -> None:
    """A folder named like a table without Parquet files in it is left alone."""
    (tmp_path / "ballots.csv").write_text("member_id,Soup\nana,5\n")
    (tmp_path / "votes").mkdir()
    (tmp_path / "votes" / "notes.txt").write_text("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(SystemState.read(tmp_path).votes) == 1


def _ballots(folder: Path, member_id: pa.Array, **more: pa.Array) -> Path:
    """A folder with ballots of one column a choice."""
    table = pa.table({"member_id": member_id, "Pond": [5, 0], "Swings": [0, 4], **more})
    pq.write_table(table, folder / "ballots.parquet")
    return folder


_UUIDS = ["ed47d3e1-c4bd-42a6-8f00-000000000001", "00000000-0000-0000-0000-00000000000a"]


def test_uuids_are_read_as_text(tmp_path: Path) -> None:
    """As DuckDB writes them; a missing one stays missing."""
    given = [uuid.UUID(text).bytes for text in _UUIDS]
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array(given, pa.binary(16)))
    assert SystemState.read(_ballots(tmp_path, column)).ballots["member_id"].to_list() == _UUIDS
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([given[0], None], pa.binary(16)))
    assert _read(pa.table({"a": [1, 2], "member_id": column}), tmp_path)["member_id"].to_list() == [_UUIDS[0], None]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([uuid.UUID(text).bytes for text in _UUIDS], pa.binary(16)),
        pa.array([b"ana", b"\xff\xfe"], pa.binary()),
        pa.array([b"\xff", b"ana"], pa.large_binary()),
    ],
)
def test_ids_that_are_bytes_and_no_text_are_refused(tmp_path: Path, column: pa.Array) -> None:
    """In one sentence with the way out, on the command line as well."""
    run = crowdvote("count", str(_ballots(tmp_path, column)))
    assert run.returncode == 1
    assert "the column member_id is binary and no text" in " ".join(run.stderr.split())
    assert "member_id::VARCHAR" in run.stderr


def test_other_bytes_are_read_if_they_are_text_and_else_named(tmp_path: Path) -> None:
    """A picture is no choice; a choice whose type says nothing is one."""
    bytes_of = {"Tree": pa.array([b"1", b"2"]), "photo": pa.array([b"\xff\xd8", None])}
    with pytest.warns(TableWarning, match="the column photo is binary and no text; it is not read"):
        state = SystemState.read(_ballots(tmp_path, pa.array([b"ana", b"ben"]), **bytes_of))
    assert state.choices["choice_id"].to_list() == ["Pond", "Swings", "Tree"]
    assert state.ballots["member_id"].to_list() == ["ana", "ben"]
