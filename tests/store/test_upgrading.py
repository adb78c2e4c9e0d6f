"""A store of format 1 becomes one of today: the same commits, rows and snapshots, with hashes and without names.

``format-1.zip`` was made by the last version that wrote format 1: the garden of the tests, with an interim snapshot, a
new name, a member who left while anonymous, another ballot, the end of the decision and its final.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.snapshots import list_snapshots, named_for_ever, take_snapshot, verify_snapshot
from crowdvote_analysis.snapshots.check import check_store, is_whole
from crowdvote_analysis.store import Store, recording, upgrade_store
from crowdvote_analysis.store.store import read_mark
from tests.command import crowdvote
from tests.store.garden import SECRET_ID, SECRET_NAME
from tests.store.test_forgetting import files_with

# Who left is followed still, which is told whenever the tables are read.
pytestmark = pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    shutil.unpack_archive(Path(__file__).with_name("format-1.zip"), tmp_path)
    return tmp_path / "garden"


def test_an_older_store_is_refused_in_one_sentence_with_the_way_out(old: Path) -> None:
    with pytest.raises(StoreError, match=r"has format 1.* crowdvote store upgrade"):
        Store.open(old)


def test_everything_comes_along(old: Path) -> None:
    """Commits with their numbers and times, every row, every snapshot with its hashes; and it goes on from there."""
    done = upgrade_store(old)
    store = done.store
    assert done.before == str(old.with_name("garden.format-1"))
    assert done.commits == 7
    assert done.people == 5
    assert store.cut().commits["action"].to_list() == ["import", "cast", "role", "leave", "cast", "close", "upgrade"]
    assert is_whole(check_store(store))
    taken = list_snapshots(store)["snapshot_id"]
    assert len(taken) == 2
    for name in taken:
        assert verify_snapshot(store, name).certified
    assert named_for_ever(store) == 2
    names = store.cut().history("members").filter(member_id="maya").sort("seq").collect()["display_name"]
    assert names.to_list() == ["Maya Lind", "Maya Linden"]
    commit = recording.create_decision(store, "garden", "bench", choices=["Oak"])
    assert commit.seq == 8
    recording.publish_decision(store, "bench")
    recording.cast_ballot(store, "bench", "maya", {"Oak": 4})
    assert verify_snapshot(store, take_snapshot(store, "bench")["snapshot_id"]).certified
    assert is_whole(check_store(store))


def test_names_stand_in_one_table_afterwards(old: Path) -> None:
    """But for the snapshots of before, whose hashes are of names; who is forgotten is told so by the command."""
    store = upgrade_store(old).store
    rooms = {path.split("/")[0] for path in files_with(store, SECRET_ID, SECRET_NAME, "kelly")}
    assert rooms == {"names", "snapshots"}
    told = crowdvote("record", "forget", str(old), "-m", "maya", "--yes")
    assert "Forgotten member 1" in told.stdout
    assert "Snapshots from before format 2 may name them still (2)" in " ".join(told.stdout.split())
    for name in list_snapshots(store)["snapshot_id"]:
        assert verify_snapshot(store, name).certified


def test_the_old_store_stays_until_the_new_one_is_right(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that fails leaves what was there, and nothing else."""
    before = sorted(str(path) for path in old.rglob("*"))
    monkeypatch.setattr("crowdvote_analysis.store.upgrading._require_same", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        upgrade_store(old)
    assert sorted(str(path) for path in old.rglob("*")) == before
    assert [path.name for path in old.parent.iterdir()] == ["garden"]


def test_another_place_and_what_is_refused(old: Path, tmp_path: Path) -> None:
    """``to`` leaves the old store where it is; what is there already is not written over."""
    done = upgrade_store(old, to=tmp_path / "elsewhere")
    assert done.before == str(old)
    assert read_mark(Store.open(tmp_path / "elsewhere").location)["format"] == 2
    with pytest.raises(StoreError, match="is there already"):
        upgrade_store(old, to=tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="has format 2 already"):
        upgrade_store(tmp_path / "elsewhere")
    (tmp_path / "garden.format-1").mkdir()
    with pytest.raises(StoreError, match="where the old store would be kept"):
        upgrade_store(old)


def test_a_row_that_would_be_lost_stops_the_upgrade(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new store is held against the old one before it takes its place."""
    from crowdvote_analysis.store import upgrading

    real = upgrading._replay

    def losing(new, commits, frames) -> None:
        real(new, commits, frames | {"votes": frames["votes"].with_columns(stars=pl.lit("1").cast(pl.Decimal(9, 8)))})

    monkeypatch.setattr(upgrading, "_replay", losing)
    with pytest.raises(StoreError, match="the table votes would have other rows"):
        upgrade_store(old)


def test_a_store_that_has_lost_rows_is_not_sealed(old: Path) -> None:
    """What was damaged before must not look as if it had always been so."""
    table = DeltaTable(old / "votes")
    rows = pl.DataFrame(table.to_pyarrow_table())
    write_deltalake(table, rows.head(len(rows) - 1).to_arrow(), mode="overwrite")
    with pytest.raises(StoreError, match=r"has not the rows that were committed\. Restore the store"):
        upgrade_store(old)


def test_upgrading_is_a_command(old: Path) -> None:
    told = crowdvote("store", "upgrade", str(old))
    assert "7 commits, 5 people" in told.stdout
    assert crowdvote("check", str(old)).returncode == 0
