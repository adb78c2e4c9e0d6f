"""What is stated of every file and row that is written, and what readers and writers do where it is not so."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.store import canonical, delta, recording, seal
from crowdvote_analysis.store import store as stores
from crowdvote_analysis.store.store import Store
from tests.store.garden import ticking

if TYPE_CHECKING:
    from collections.abc import Callable


def last(store: Store) -> dict[str, Any]:
    return store.cut().stored.row(-1, named=True)


def entries(store: Store, table: str) -> list[Path]:
    return sorted((store.location.folder / table / "_delta_log").glob("*.json"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def vote(store: Store, stars: str = "3") -> None:
    recording.change_ballot(store, "green", "kelly", stars={"Pond": stars})


# --- commits -------------------------------------------------------------------------------------------------------


def test_a_commit_states_every_file_that_it_wrote(garden: Store) -> None:
    """Data and entries of logs, and a summary where Delta wrote one, as they lie on the disk."""
    folder = garden.location.folder
    for number in range(12):
        before = {path for path in folder.rglob("*") if path.is_file()}
        vote(garden, str(number % 6))
        new = {path for path in folder.rglob("*") if path.is_file()} - before
        data = {
            str(path.relative_to(folder)) for path in new if path.relative_to(folder).parts[0] in ("ballots", "votes")
        }
        said = {file["path"]: file for file in last(garden)["files"]}
        assert data <= said.keys()
        assert {path.rpartition("/")[2] for path in said.keys() - data} <= {"_last_checkpoint"}
        for path, file in said.items():
            written = (folder / path).read_bytes()
            assert (file["size"], file["sha256"]) == (len(written), hashlib.sha256(written).hexdigest())
    assert any("checkpoint" in file["path"] for files in garden.cut().stored["files"] for file in files)


def test_the_first_commit_states_what_makes_a_folder_a_store(garden: Store) -> None:
    """Its format, and the secret of its pseudonyms."""
    said = {file["path"]: file["sha256"] for file in garden.cut().stored["files"][0]}
    assert said["store.json"] == hashlib.sha256((garden.location.folder / "store.json").read_bytes()).hexdigest()


def test_a_commit_holds_the_hashes_of_its_rows_and_of_its_predecessor(garden: Store) -> None:
    """Worked out here from the rows, as the documentation says it."""
    before = last(garden)
    vote(garden)
    row = last(garden)
    plain = {name: value for name, value in before.items() if value is not None}
    plain["committed_at"] = plain["committed_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert row["previous"] == hashlib.sha256(text.encode()).hexdigest()
    assert row["tables"] == ["ballots", "votes"]
    for table, digest in zip(row["tables"], row["row_hashes"], strict=True):
        stored = replace(garden.cut(), coded=True).history(table).filter(commit_id=row["commit_id"])
        rows = stored.drop("seq", "committed_at", "action")
        assert canonical.rows_hash(rows.collect()) == digest
    assert garden.cut().head == canonical.row_hash(row)


def test_a_commit_says_whom_it_concerns(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Communities, decisions and members that its rows name; nothing where they are too many."""
    recording.follow(garden, "garden", "maya", "kelly")
    vote(garden)
    names = dict(garden.cut().people.ids.iter_rows())
    rows = garden.cut().stored.tail(2).select("communities", "decisions", "members").rows()
    told = [
        (communities, decisions, sorted(names[token] for token in members)) for communities, decisions, members in rows
    ]
    assert told == [(["garden"], [], ["kelly", "maya"]), ([], ["green"], ["kelly"])]
    monkeypatch.setattr(stores, "MOST_NAMED", 1)
    recording.unfollow(garden, "garden", "maya", "kelly")
    assert garden.cut().stored.select("communities", "members").row(-1) == (["garden"], None)


def test_files_of_a_try_that_came_second_are_stated(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their rows belong to no commit; the commit that follows says whose they are."""
    rightly, tries = delta.append_as_next, iter([False])
    monkeypatch.setattr(delta, "append_as_next", lambda *given: next(tries, None) is None and rightly(*given))
    vote(garden)
    assert sum(file["path"].startswith("votes/part-") for file in last(garden)["files"]) == 2


def test_numbers_go_on_where_one_version_holds_many_commits(garden: Store) -> None:
    """The number of a commit is higher than that of every other."""
    new = {"seq": pl.lit(40, dtype=pl.Int64), "commit_id": pl.lit("x"), "tables": [], "rows": [], "row_hashes": []}
    row = garden.cut().stored.tail(1).with_columns(**new)
    log = delta.open_table(garden.location, "commits")
    assert delta.append_as_next(log, seal.chained(row, garden.cut().head))
    vote(garden)
    assert last(garden)["seq"] == 41
    garden.cut().require_complete()


# --- seals ---------------------------------------------------------------------------------------------------------


def test_every_version_that_no_commit_states_has_a_seal(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of ``commits``, the first of every table, and those that put files together."""
    monkeypatch.setattr(delta, "MANY_FILES", 3)
    for number in range(6):
        vote(garden, str(number))
    garden.compact()
    said = {file["path"] for files in garden.cut().stored["files"] for file in files}
    for table in delta.names(garden.location):
        folder = garden.location.folder / table
        for entry in entries(garden, table):
            is_sealed = (folder / "_seal" / entry.name).exists()
            assert is_sealed is not (str(entry.relative_to(garden.location.folder)) in said), entry
    document = seal.read_seal((garden.location.folder / seal.seal_path("commits", 3)).read_bytes())
    assert document["head"] == canonical.row_hash(garden.cut().stored.row(2, named=True))


def test_a_store_that_was_begun_is_finished_with_all_its_seals(tmp_path: Path) -> None:
    """Whoever made it may have been stopped between a table and its seal."""
    first = Store.create(tmp_path / "garden")
    for path in ("store.json", seal.seal_path("votes", 0), seal.seal_path("commits", 0)):
        (tmp_path / "garden" / path).unlink()
    again = Store.create(tmp_path / "garden")
    assert again.location.secret != first.location.secret
    assert all((tmp_path / "garden" / seal.seal_path(table, 0)).exists() for table in delta.names(again.location))


def test_a_seal_that_was_changed_says_nothing(garden: Store) -> None:
    """Not in any of its bytes."""
    data = (garden.location.folder / seal.seal_path("commits", 1)).read_bytes()
    assert seal.read_seal(data)["seq"] == 1
    for place in range(len(data)):
        assert seal.read_seal(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) is None
    assert seal.read_seal(data + b" ") is None
    assert seal.read_seal(b"[]") is None


@pytest.mark.parametrize("stops", [StoreError("the disk is full"), KeyboardInterrupt()])
def test_the_next_writer_makes_up_for_a_seal_that_is_missing(
    garden: Store, monkeypatch: pytest.MonkeyPatch, stops: BaseException
) -> None:
    """A writer that is stopped behind its commit leaves it whole; a full disk is no reason to say otherwise."""

    def fails(*_: object) -> None:
        raise stops

    with monkeypatch.context() as patch:
        patch.setattr(seal, "seal", fails)
        try:
            vote(garden, "1")
        except KeyboardInterrupt:
            assert isinstance(stops, KeyboardInterrupt)
    missing = garden.location.folder / seal.seal_path("commits", 2)
    assert garden.cut().seq == 2
    assert not missing.exists()
    vote(garden, "2")
    assert seal.read_seal(missing.read_bytes())["head"] == last(garden)["previous"]


def test_delta_leaves_seals_and_old_entries_alone(garden: Store) -> None:
    """Neither a summary nor cleaning up removes an entry, however old, and no seal is taken for a file of nobody."""
    for number in range(3):
        vote(garden, str(number))
    for table in ("commits", "votes", "snapshot_events"):
        if table == "snapshot_events":
            delta.create(garden.location, table, pl.Schema({"number": pl.Int64()}))
        opened = delta.open_table(garden.location, table)
        opened.create_checkpoint()  # who cleans up removes what is older than an old summary
        before = entries(garden, table)
        seals = sorted((garden.location.folder / table / "_seal").iterdir())
        for path in [*(garden.location.folder / table / "_delta_log").iterdir(), *seals]:
            os.utime(path, (0, 0))
        opened.cleanup_metadata()
        opened.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        assert entries(garden, table)[: len(before)] == before
        assert sorted((garden.location.folder / table / "_seal").iterdir()) == seals


def test_files_that_were_put_together_while_somebody_committed_hide_nothing(garden: Store) -> None:
    """Whoever puts them together may land behind a commit that they have not seen."""
    vote(garden, "1")
    stale = delta.open_table(garden.location, "commits")
    vote(garden, "2")
    stale.optimize.compact()
    seal.seal_upkeep(garden.location, "commits", 3, stale.version())
    assert stale.version() == 4
    assert garden.cut().sealed_head == garden.cut().head
    empty(entries(garden, "commits")[3])
    with pytest.raises(StoreError, match="rows of commits are missing behind commit 2"):
        garden.cut()


# --- readers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [empty, Path.unlink])
def test_a_commit_that_was_taken_off_the_end_is_missed(garden: Store, damage: Callable[[Path], None]) -> None:
    """Whoever reads or writes is told, and nothing is written behind the gap."""
    vote(garden, "1")
    vote(garden, "2")
    damage(entries(garden, "commits")[-1])
    for attempt in (garden.cut, garden.state, lambda: vote(garden), garden.present):
        with pytest.raises(StoreError, match="rows of commits are missing behind commit 2"):
            attempt()


def test_a_commit_that_was_taken_out_of_the_middle_is_missed(garden: Store) -> None:
    """The one behind it holds the hash of another."""
    for number in range(3):
        vote(garden, str(number))
    empty(entries(garden, "commits")[-2])
    with pytest.raises(StoreError, match="commit 4 does not follow from the one before it"):
        garden.state()


@pytest.mark.parametrize("table", ["votes", "commits"])
@pytest.mark.parametrize("seq", [2, 3])
def test_a_commit_that_is_another_one_is_noticed(garden: Store, table: str, seq: int) -> None:
    """A file that somebody wrote in the place of another, with rows that make sense."""
    vote(garden, "1")
    vote(garden, "2")
    (added,) = seal.read_entry(table, entries(garden, table)[seq].read_bytes()).added
    path = garden.location.folder / added
    frame = pl.read_parquet(path)
    column = {"votes": pl.lit("5").cast(pl.Decimal(9, 8)).alias("stars"), "commits": pl.lit("x").alias("action")}[table]
    frame.with_columns(column).write_parquet(path)
    with pytest.raises(StoreError, match=r"does not follow|not what its seal|votes/part-.* holds other bytes"):
        garden.state()


def test_rows_of_files_that_were_put_together_are_read_with_every_check(garden: Store) -> None:
    """What they are is stated in a seal then."""
    vote(garden, "1")
    vote(garden, "2")
    garden.compact()
    garden.state()
    (path,) = delta.paths(delta.open_table(garden.location, "votes"), "votes")
    data = bytearray((garden.location.folder / path).read_bytes())
    data[data.rindex(b"delta-rs")] ^= 1  # the library that wrote it: every value is what it was
    (garden.location.folder / path).write_bytes(data)
    with pytest.raises(StoreError, match="holds other bytes than were written"):
        garden.state()


def test_a_store_of_the_format_before_names_the_way_out(tmp_path: Path) -> None:
    """One sentence, with the command."""
    Store.create(tmp_path / "garden", clock=ticking())
    (tmp_path / "garden" / "store.json").write_text('{"format": 1, "secret": "x"}')
    with pytest.raises(StoreError, match=r"has format 1, and this version reads 2: crowdvote store upgrade .*garden"):
        Store.open(tmp_path / "garden")


def test_a_store_without_its_mark_is_told_from_a_folder_of_others(garden: Store) -> None:
    """What is missing is named, as making it anew would give other pseudonyms."""
    (garden.location.folder / "store.json").unlink()
    with pytest.raises(StoreError, match=r"store\.json is missing"):
        Store.open(garden.location.folder)
