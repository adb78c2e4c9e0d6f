"""A disk that is full or read-only, a link, old locks, a clock that goes back: one sentence each, and nothing lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import reason
from crowdvote_analysis.snapshots import list_snapshots, take_snapshot, verify_snapshot
from crowdvote_analysis.snapshots.check import check_store, is_whole
from crowdvote_analysis.store import Store, delta, recording
from tests.command import crowdvote
from tests.store.garden import new_garden

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning"),
]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes with a store on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        new_garden(disk / "garden")
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def fill(disk: Path) -> Path:
    path = disk / "filled"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"0" * 4096)
        except OSError:
            return path


def require_one_sentence(ran: subprocess.CompletedProcess[str], words: str) -> None:
    """An error of a few lines at most that says why; no trace, no colours of a library, nothing to be guessed."""
    told = " ".join(ran.stderr.split())
    assert ran.returncode == 1, told
    assert re.search(words, told), told
    assert told.count("crowdvote:") == 1
    assert "Traceback" not in told
    assert "\x1b" not in ran.stderr
    assert len(told) < 400


def commands(disk: Path) -> list[tuple[object, ...]]:
    garden = disk / "garden"
    return [
        ("record", "cast", garden, "-d", "green", "-m", "maya", "--stars", "Pond=3"),
        ("snapshot", "take", garden, "-d", "green"),
        ("import", "data/demo", disk / "other"),
        ("export", garden, "--out", disk / "out"),
    ]


def test_a_full_disk(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is said; what was there is whole, and it goes on when there is room."""
    monkeypatch.setattr("crowdvote_analysis.snapshots.lifecycle._WAITS", 0)
    store = Store.open(small / "garden")
    taken = take_snapshot(store, "green")["snapshot_id"]
    before = store.cut().commits
    filled = fill(small)
    for command in commands(small):
        require_one_sentence(crowdvote(*command), "No space left on device")
    assert store.cut().commits.equals(before)
    assert verify_snapshot(store, taken).certified
    assert is_whole(check_store(store))
    filled.unlink()
    shutil.rmtree(small / "other", ignore_errors=True)
    recording.cast_ballot(store, "green", "maya", {"Pond": 3})
    assert take_snapshot(store, "green")["status"] == "completed"
    assert is_whole(check_store(store))
    assert set(list_snapshots(store)["status"]) <= {"completed", "failed_snapshot"}


def test_a_disk_that_may_only_be_read(small: Path) -> None:
    """Whoever looks, counts, verifies and checks can; whoever writes is told."""
    store = Store.open(small / "garden")
    taken = take_snapshot(store, "green")["snapshot_id"]
    remount(small, "ro")
    try:
        for command in commands(small):
            require_one_sentence(crowdvote(*command), "Read-only file system")
        for command in (("count", small / "garden", "-d", "green"), ("history", small / "garden"),
                        ("snapshot", "verify", small / "garden", taken), ("check", small / "garden")):  # fmt: skip
            ran = crowdvote(*command)
            assert ran.returncode == 0, ran.stderr
    finally:
        remount(small, "rw")


def test_a_store_behind_a_link(tmp_path: Path) -> None:
    """It is the one it leads to, for everybody who takes turns at it too."""
    store = new_garden(tmp_path / "garden")
    (tmp_path / "link").symlink_to(tmp_path / "garden")
    linked = Store.open(tmp_path / "link")
    assert linked.location.url == store.location.url
    recording.cast_ballot(linked, "green", "maya", {"Pond": 3})
    assert is_whole(check_store(Store.open(tmp_path / "garden")))


def test_locks_that_were_left(tmp_path: Path) -> None:
    """The file of a lock keeps nobody out: the operating system knows who holds it, and nobody does."""
    store = new_garden(tmp_path / "garden")
    for name in ("commits", "tidy", "calculation-0123456789abcdef"):
        (tmp_path / "garden" / f".{name}.lock").write_text("4711")
    recording.cast_ballot(store, "green", "maya", {"Pond": 3})
    store.compact()
    assert is_whole(check_store(store))


def test_a_clock_that_goes_back(tmp_path: Path) -> None:
    """The order of commits is that of their numbers; times never go back with them."""
    store = new_garden(tmp_path / "garden")
    last = store.cut().at
    assert last is not None
    back = Store.open(tmp_path / "garden", clock=lambda: last - timedelta(days=1))
    commit = recording.cast_ballot(back, "green", "maya", {"Pond": 3})
    assert commit.at > last
    assert store.cut().commits["committed_at"].is_sorted()
    assert take_snapshot(back, "green")["timestamp"] >= commit.at
    assert is_whole(check_store(store))


@pytest.mark.parametrize("damage", [b"", b"PAR1", None], ids=["emptied", "cut off", "removed"])
def test_a_checkpoint_that_is_damaged(tmp_path: Path, damage: bytes | None) -> None:
    """Read or refused in a sentence, and named; when it is put back all is as it was."""
    store = new_garden(tmp_path / "garden")
    for number in range(12):
        recording.cast_ballot(store, "green", "maya", {"Pond": str(number % 6)})
    path = next((tmp_path / "garden" / "votes" / "_delta_log").glob("*.checkpoint.parquet"))
    whole = path.read_bytes()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    found = check_store(store)
    assert str(path.relative_to(tmp_path / "garden")) in found["file"].to_list()
    ran = crowdvote("count", tmp_path / "garden", "-d", "green")
    if ran.returncode:
        require_one_sentence(ran, "votes cannot be read .* from a backup")
    path.write_bytes(whole)
    assert is_whole(check_store(store))
    assert delta.open_table(store.location, "votes").version() == 13


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space"), "No space left on device"),
        (OSError("Generic error\n  \x1b[31m↳\x1b[0m copying\n   ↳ No space (os error 28)"), "No space left on device"),
        (ValueError("Detail: [errno 30] Read-only"), "Read-only file system"),
        (ValueError("\n\x1b[31mthe first line\x1b[0m\nanother"), "the first line"),
        (ValueError(""), "ValueError"),
    ],
)
def test_what_a_library_says_is_told_in_a_few_words(error: Exception, words: str) -> None:
    assert reason(error) == words
