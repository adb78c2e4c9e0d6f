"""The command ``crowdvote check``, and the heads that ``crowdvote history`` prints for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.store import recording
from tests.command import crowdvote
from tests.store.conftest import garden, untouched  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from crowdvote_analysis.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(garden: Store) -> Path:  # noqa: F811
    recording.follow(garden, "garden", "maya", "kelly")
    return garden.location.folder


def test_a_head_is_printed_kept_and_found_again(folder: Path) -> None:
    """However much is recorded behind it, the store still has it."""
    head = crowdvote("history", folder, "--head").stdout.strip()
    assert re.fullmatch(r"2:[0-9a-f]{64}", head)
    seq, _, digest = head.partition(":")
    assert json.loads(crowdvote("history", folder, "--head", "--json").stdout) == {"seq": int(seq), "hash": digest}
    assert crowdvote("record", "unfollow", folder, "-c", "garden", "-m", "maya", "-f", "kelly").returncode == 0
    assert crowdvote("history", folder, "--head").stdout.strip().startswith("3:")
    assert crowdvote("check", folder, "--head", head).returncode == 0
    other = crowdvote("check", folder, "--head", f"{seq}:{'0' * 64}")
    assert other.returncode == 1
    assert "another commit 2" in " ".join(other.stdout.split())


@pytest.mark.parametrize("head", ["2", "x:y", f"2:{'0' * 63}", f"-2:{'0' * 64}"])
def test_what_is_no_head_is_refused(folder: Path, head: str) -> None:
    """With the command that prints one."""
    done = crowdvote("check", folder, f"--head={head}")
    assert done.returncode == 2
    assert "is no head" in done.stderr


def test_a_store_that_is_what_was_written_is_said_to_be_so(folder: Path) -> None:
    """In one line, and as JSON."""
    done = crowdvote("check", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "as written" in done.stdout
    assert json.loads(crowdvote("check", folder, "--json").stdout)["whole"] is True


def test_what_is_wrong_is_a_table_with_the_way_out(folder: Path) -> None:
    """File, finding, what it means, what to do; the store's other commands say what they can."""
    entry = sorted((folder / "followings" / "_delta_log").iterdir())[-1]
    entry.write_bytes(b"")
    (folder / "notes.txt").write_text("x")
    done = crowdvote("check", folder)
    assert done.returncode == 1
    told = " ".join(done.stdout.split())
    for words in (
        entry.name[:10],
        "altered",
        "notes.txt",
        "extra",
        "backup",
        "something is wrong with 3 files or tables",
    ):
        assert words in told, words
    (wrong, *_) = [
        row
        for row in json.loads(crowdvote("check", folder, "--json").stdout)["findings"]
        if "_delta_log" in row["file"]
    ]
    assert wrong["file"] == str(entry.relative_to(folder))
    assert wrong["meaning"].startswith("It has 0 bytes, and ")
    healthy = crowdvote("snapshot", "health", folder)
    assert healthy.returncode == 4
    assert entry.name in healthy.stdout
    valid = crowdvote("snapshot", "validate", folder)
    assert valid.returncode == 4
    assert "0 of 0 snapshots" in valid.stdout
    assert "crowdvote check" in valid.stdout


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["removed", "emptied"])
def test_the_last_commit_cannot_go_in_silence(folder: Path, damage) -> None:
    """Neither the history nor any count is told as if it had never been."""
    damage(sorted((folder / "commits" / "_delta_log").iterdir())[-1])
    for command in (["history", folder], ["count", folder], ["record", "leave", folder, "-c", "garden", "-m", "maya"]):
        done = crowdvote(*command)
        assert done.returncode == 1
        assert "rows of commits are missing behind commit 1" in " ".join(done.stderr.split())
    assert crowdvote("check", folder).returncode == 1
    assert crowdvote("snapshot", "health", folder).returncode == 4


def test_a_store_of_the_format_before_names_its_way_out(folder: Path) -> None:
    """Every command does, in one sentence."""
    mark = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(mark | {"format": 1}))
    done = crowdvote("check", folder)
    assert done.returncode == 1
    assert "crowdvote store upgrade" in " ".join(done.stderr.split())
