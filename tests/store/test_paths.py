"""Stores, tables and exports in folders of any name."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis import SystemState
from crowdvote_analysis.confinement import ConfinedError
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.store import Store
from tests.command import crowdvote

_BALLOTS = "member_id,Swings,Pond\nana,5,1\nben,1,4\ncleo,0,3\n"
_GROUPS = [
    "with blank and trail ",
    "a%b per% h#ash q?x {b} *.csv",
    unicodedata.normalize("NFC", "Größe ελ 日本 العربية"),
    unicodedata.normalize("NFD", "Größe é") + "🌳\u200d",
    "-dash decision_id=x 'q' \"d\" $HOME `x` <y> ; & ~ http:",
]
_HARD = ["[b]", "a%20b", "back\\slash", "a|b", "x^2", "new\nline", "tab\there", "_delta_log", os.fsdecode(b"\xff")]


def said(*arguments: object) -> str:
    done = crowdvote(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", _GROUPS)
def test_a_store_works_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """Import, recording, snapshots, their proof, questions, exports and compaction, with nothing made elsewhere."""
    base = tmp_path / name
    folder, store = base / "tables", base / name
    folder.mkdir(parents=True)
    (folder / "ballots.csv").write_text(_BALLOTS)
    assert "Winner: Pond" in said("count", folder)
    said("import", folder, store)
    said("record", "change", store, "-d", "decision", "-m", "cleo", "--stars", "Pond=5")
    said("snapshot", "take", store, "-d", "decision")
    assert "certified" in said("snapshot", "verify", store)
    assert "13" in said("query", "-f", store, "SELECT total::INT + 3 FROM scores WHERE choice_id = 'Pond'")
    said("export", store, "--out", base / "results", "--format", "csv")
    said("snapshot", "export", store, "latest", "--out", base / "audit")
    said("compact", store)
    assert "1 certified" in said("recompute", store, "--all", "--out", base / "report.csv")
    assert len(Store.open(store).state().votes) == 6
    assert os.listdir(tmp_path) == [name]  # noqa: PTH208 - names as they are
    assert sorted(path.name for path in base.iterdir()) == sorted([name, "audit", "report.csv", "results", "tables"])


@pytest.mark.parametrize("name", _HARD)
def test_a_name_that_delta_tables_do_not_bear_is_refused_first(tmp_path: Path, name: str) -> None:
    """One sentence names what is in the way, and nothing is made, neither there nor under the name it is taken for."""
    with pytest.raises(StoreError, match="cannot be opened under the name") as refused:
        Store.create(tmp_path / name / "store")
    assert repr(name) in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="cannot be opened under the name"):
        Store.open(tmp_path / name)


@pytest.mark.parametrize("name", [name for name in _HARD if name.isprintable()])
def test_tables_and_exports_lie_anywhere(tmp_path: Path, name: str) -> None:
    """What is no store is read and written under names that a store cannot bear."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "ballots.csv").write_text(_BALLOTS)
    said("export", folder, "--out", folder / "results")
    assert len(pl.read_parquet((folder / "results" / "tallies.parquet").read_bytes())) == 1
    assert len(SystemState.read(folder).votes) == 6
    assert os.listdir(tmp_path) == [name]  # noqa: PTH208 - names as they are


def test_a_file_url_is_read_as_urls_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Path.as_uri`` writes blanks as %20; such a URL means the folder, also where one place only may be read."""
    folder = tmp_path / "with blank #1"
    Store.create(folder)
    assert folder.as_uri().endswith("with%20blank%20%231")
    assert Store.open(folder.as_uri()).location.url == str(folder)
    monkeypatch.setenv("CROWDVOTE_ONLY", str(folder))
    assert Store.open(folder.as_uri()).location.url == str(folder)
    with pytest.raises(ConfinedError):
        Store.open((tmp_path / "with%20blank%20%231").as_uri())


@pytest.mark.parametrize("url", ["s3://", "s3://a b/c", "foo://bar"])
def test_a_url_that_leads_nowhere_is_an_error_in_words(url: str) -> None:
    """Whatever the library of the storage makes of it."""
    done = crowdvote("count", url)
    assert done.returncode == 1
    assert f"{url}: cannot be reached" in done.stderr
