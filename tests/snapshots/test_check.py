"""A store is held against what was written: what is wrong is named, and what stopped writers left is a note."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis.snapshots import health, lifecycle, take_snapshot, validate
from crowdvote_analysis.snapshots.check import check_store, is_whole
from crowdvote_analysis.snapshots.events import append_event
from crowdvote_analysis.store import delta, seal
from crowdvote_analysis.store.store import Store
from tests.command import crowdvote
from tests.snapshots.conftest import Clock
from tests.snapshots.garden import cast, close

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with four commits, files that were put together, and a snapshot; copied for each test."""
    folder = tmp_path_factory.mktemp("lived") / "garden"
    shutil.copytree(planted, folder)
    opened = Store.open(folder, clock=Clock())
    for stars in ("1", "2", "3"):
        cast(opened, "Kelly", {"Lilies": stars})
    delta.compact(opened.location, "votes")
    take_snapshot(opened, "pond")
    return folder


@pytest.fixture
def store(lived: Path, tmp_path: Path) -> Store:
    shutil.copytree(lived, tmp_path / "garden")
    return Store.open(tmp_path / "garden", clock=Clock())


def told(store: Store, **asked) -> dict[str, str]:
    """What is found, by file."""
    return dict(check_store(store, **asked).select("file", "finding").iter_rows())


def entry(store: Store, table: str, back: int = 1) -> Path:
    return sorted((store.location.folder / table / "_delta_log").glob("*.json"))[-back]


def place(store: Store, path: Path) -> str:
    return str(path.relative_to(store.location.folder))


def test_nothing_is_found_in_a_store_that_is_what_was_written(store: Store) -> None:
    """Before and after files were put together, old ones removed and a final count taken."""
    assert told(store) == {}
    close(store)
    take_snapshot(store, "pond")
    seen = []
    assert check_store(store, progress=lambda done, total: seen.append((done, total))).is_empty()
    assert seen[-1][0] == seen[-1][1] == len(seen)
    store.compact()
    assert told(store) == told(store, deep=False) == {}
    removed = delta.open_table(store.location, "votes").vacuum(
        retention_hours=0, enforce_retention_duration=False, dry_run=True
    )
    assert removed  # there is something to tell apart
    assert health(store)["files"] == []


def test_old_files_that_were_removed_by_the_store_are_not_missed(store: Store, monkeypatch) -> None:
    """Removed by somebody else they are a note: their rows were written anew."""
    real = delta.open_table(store.location, "votes").__class__.vacuum
    at_once = lambda table, **_: real(table, retention_hours=0, enforce_retention_duration=False, dry_run=False)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr("deltalake.DeltaTable.vacuum", at_once)
        assert delta.vacuum(store.location, "votes") == 4
    assert told(store) == {}
    delta.compact(store.location, "ballots")
    (old, *_) = json.loads((store.location.folder / seal.seal_path("ballots", 5)).read_text())["replaced"]
    (store.location.folder / old).unlink()
    assert told(store) == {old: "note"}


@pytest.mark.parametrize("table", ["votes", "commits", "snapshot_events"])
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), Path.unlink], ids=["emptied", "removed"])
def test_an_entry_of_a_log_that_is_gone_is_named(store: Store, table: str, damage) -> None:
    """By whoever checks; those who look after snapshots say so too."""
    path = entry(store, table)
    damage(path)
    found = check_store(store).filter(file=place(store, path))
    assert found["finding"].to_list() in (["missing"], ["altered"])
    assert "log" in found["meaning"].item()
    assert health(store)["status"] == "degraded"
    assert place(store, path) in [row["file"] for row in health(store)["files"]]
    assert any(place(store, path) in (problem or "") for problem in validate(store)["problem"])
    done = crowdvote("check", store.location.folder)
    assert done.returncode == 1
    assert "not what was written" in done.stdout


def test_commits_that_were_taken_off_the_end_with_their_seals_are_missed_by_whoever_kept_the_head(store: Store) -> None:
    """Nothing in the store tells; the head does, of this commit and of every one before it."""
    cut = store.cut()
    head, earlier = (cut.seq, cut.head), (store.cut(seq=3).seq, store.cut(seq=3).head)
    for path in (entry(store, "commits"), store.location.folder / seal.seal_path("commits", 4)):
        path.unlink()
    assert store.cut().seq == 3
    assert is_whole(check_store(store, earlier))
    (found,) = check_store(store, head).filter(pl.col("finding") != "note").to_dicts()
    assert found["meaning"] == "The store has no commit 4 any more."
    (found,) = check_store(store, (3, head[1])).filter(pl.col("finding") != "note").to_dicts()
    assert "another commit 3 than the one whose hash you kept" in found["meaning"]


def test_a_commit_that_was_put_in_the_place_of_another_is_named(store: Store) -> None:
    """With its data, its entry in the log and its seal, as somebody does it who knows the store."""
    rows = store.cut().stored
    forged = rows.with_columns(action=pl.when(seq=3).then(pl.lit("import")).otherwise("action"))
    shutil.rmtree(store.location.folder / "commits")
    delta.create(store.location, "commits", rows.schema)
    opened = delta.open_table(store.location, "commits")
    assert delta.append_as_next(opened, forged)
    seal.seal(store.location, "commits", 1)
    found = check_store(store).filter(file="commits")
    assert found["meaning"].to_list() == ["Commit 4 does not follow from the one before it."]


@pytest.mark.parametrize("sealed", [True, False])
def test_rows_that_were_changed_while_files_were_put_together_are_named(store: Store, sealed: bool) -> None:
    """The hashes of commits are of their rows, whatever files they lie in."""
    opened = delta.open_table(store.location, "votes")
    opened.update(predicate="choice_id = 'Fish'", updates={"stars": "0"})
    if sealed:
        seal.seal(store.location, "votes", opened.version())
    found = check_store(store)
    assert found.filter(file="votes")["meaning"].to_list() == [
        "Rows of commit 1 in votes are others than were committed."
    ]


def test_files_that_were_put_together_without_a_word_are_a_note(store: Store) -> None:
    """Whoever did it was stopped before the seal, and every row is what it was."""
    delta.open_table(store.location, "ballots").optimize.compact()
    assert told(store) == {seal.seal_path("ballots", 5): "note"}
    store.state()


def test_what_stopped_writers_leave_is_a_note(store: Store, monkeypatch) -> None:
    """Rows without a commit, files without an entry, a commit without its seal; and everything else goes on."""

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    folder = store.location.folder
    with monkeypatch.context() as patch:
        patch.setattr(delta, "append_as_next", stops)
        with pytest.raises(KeyboardInterrupt):
            cast(store, "Kelly", {"Fish": "5"})
    shutil.copy(
        folder / delta.paths(delta.open_table(store.location, "votes"), "votes")[0], folder / "votes" / "part-9.parquet"
    )
    (folder / "votes" / "_delta_log" / "_commit_1.json.tmp").write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(seal, "seal", stops)
        with pytest.raises(KeyboardInterrupt):
            cast(store, "Kelly", {"Fish": "4"})
    expected = {
        "votes/part-9.parquet",
        "votes/_delta_log/_commit_1.json.tmp",
        seal.seal_path("commits", 5),
        *(place(store, entry(store, table, back=2)) for table in ("votes", "ballots")),
    }
    assert told(store) == dict.fromkeys(expected, "note")
    cast(store, "Kelly", {"Fish": "3"})
    assert told(store) == dict.fromkeys(expected - {seal.seal_path("commits", 5)}, "note")


def test_a_seal_that_is_missing_with_later_ones_there_is_named(store: Store) -> None:
    """The next writer would have made up for it."""
    path = seal.seal_path("snapshot_events", 2)
    (store.location.folder / path).unlink()
    assert told(store) == {path: "missing"}


def test_rows_that_somebody_adds_in_the_name_of_a_commit_are_named(store: Store) -> None:
    """Both the entry of the log and the commit whose rows they are not."""
    opened = delta.open_table(store.location, "members")
    rows = delta.scan(opened, pl.Schema(opened.to_pyarrow_table().schema), {}).head(1).collect()
    assert delta.append(opened, rows.with_columns(member_id=pl.lit("Mallory")))
    found = told(store)
    assert found == {place(store, entry(store, "members")): "extra", "members": "contradiction"}


def test_files_of_others_are_named(store: Store) -> None:
    """Wherever they lie; what turns go by is no such file."""
    paths = ["votes.csv", "votes/notes.txt", "votes/_delta_log/x.json", "snapshots/x.txt", "snapshots/x/inputs.json"]
    (store.location.folder / "snapshots" / "x").mkdir()
    for path in paths:
        (store.location.folder / path).write_text("{}")
    assert told(store) == dict.fromkeys(paths, "extra")


def test_files_of_snapshots_are_held_against_the_events(store: Store) -> None:
    """What is missing is named, and files of which all events were removed."""
    folder = store.location.folder
    (inputs,) = folder.glob("snapshots/*/inputs.json")
    (document,) = folder.glob("snapshots/*/result.json")
    frozen = next(
        path for path in sorted(folder.glob("snapshots/objects/*/*.parquet")) if path.stem in inputs.read_text()
    )  # what only the result names cannot be missed without it
    frozen.unlink()
    document.unlink()
    missing = {place(store, path): "missing" for path in (frozen, document)}
    assert {path: found for path, found in told(store).items() if found != "note"} == missing
    shutil.rmtree(folder / "snapshot_events")
    assert "events were removed" in " ".join(check_store(store)["meaning"])


def test_what_was_frozen_before_a_writer_was_stopped_is_a_note(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are named by no event yet."""

    def stops(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        lifecycle,
        "append_event",
        lambda *given, **facts: stops() if given[2] == "ready" else append_event(*given, **facts),
    )
    with pytest.raises(KeyboardInterrupt):
        take_snapshot(store, "pond")
    found = told(store)
    assert found
    assert set(found.values()) == {"note"}
    assert any(path.endswith("inputs.json") for path in found)


def test_events_that_were_changed_while_files_were_put_together_are_named(store: Store) -> None:
    """Their hashes stand in the seals of the versions that added them."""
    opened = delta.open_table(store.location, "snapshot_events")
    opened.update(predicate="status = 'completed'", updates={"winner": "'Frogs'"})
    seal.seal(store.location, "snapshot_events", opened.version())
    assert told(store)["snapshot_events"] == "contradiction"


def test_nothing_is_recorded_behind_events_that_are_missing(store: Store) -> None:
    """Whoever takes a snapshot is told."""
    entry(store, "snapshot_events").unlink()
    with pytest.raises(Exception, match="rows of snapshot_events are missing"):
        append_event(store, "x", "creating", store.clock())
