"""Files of a store that are altered, removed, cut off or swapped, and single bits that flip: each is named."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.errors import SnapshotError, StoreError
from crowdvote_analysis.snapshots import list_snapshots, take_snapshot, verify_snapshot
from crowdvote_analysis.store import delta
from crowdvote_analysis.store.seal import SEALED
from tests.attack.store import files_of, lived_in
from tests.command import crowdvote

if TYPE_CHECKING:
    from crowdvote_analysis.store import Store

pytestmark = pytest.mark.slow

FEW, MANY = 20, 500


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return lived_in(tmp_path_factory.mktemp("attack") / "garden")


@contextmanager
def damaged(path: Path, data: bytes | None) -> Iterator[None]:
    """A file that holds other bytes for a while, or is not there."""
    before = path.read_bytes()
    try:
        path.unlink() if data is None else path.write_bytes(data)
        yield
    finally:
        path.write_bytes(before)


def flips(store: Store, number: int, seed: int) -> Iterator[tuple[str, bytes | None]]:
    """Files of the store, each with one bit that is another one."""
    rng, files = random.Random(seed), files_of(store)
    while number:
        path = rng.choice(files)
        data = bytearray((store.location.folder / path).read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        number -= 1
        yield path, bytes(data)


def attacks(store: Store, number: int, seed: int) -> Iterator[tuple[str, bytes | None]]:
    """Files of the store that are removed, emptied, cut off, written over, made longer, or another file of its kind."""
    rng, files = random.Random(seed), files_of(store)
    while number:
        path = rng.choice(files)
        data = (store.location.folder / path).read_bytes()
        place = rng.randrange(len(data))
        akin = rng.choice([other for other in files if Path(other).suffix == Path(path).suffix])
        altered = rng.choice(
            [
                None,
                None,
                b"",
                data[:place],
                data[:place] + bytes(16) + data[place + 16 :],
                data[:place] + data[place + 1 :],
                data + b"\n",
                rng.randbytes(len(data)),
                (store.location.folder / akin).read_bytes(),
            ]
        )
        if altered != data:
            number -= 1
            yield path, altered


def require_named(store: Store, path: str, data: bytes | None) -> None:
    """The command ends with 1 and names the file, with what it means and the way out."""
    with damaged(store.location.folder / path, data):
        done = crowdvote("check", store.location.folder, "--json")
    if path == "store.json" and not done.stdout:  # it is no store any more, or of another format
        assert path in done.stderr
        assert done.returncode == 1
        return
    findings = json.loads(done.stdout)["findings"]
    named = [row for row in findings if row["file"] == path]
    assert named, (path, findings)
    assert all(row["meaning"] and row["way_out"] for row in named)
    is_wrong = data is not None or path not in may_be_missing(store)
    assert any(row["finding"] != "note" for row in named) is is_wrong, (path, findings)
    assert done.returncode == int(is_wrong), path


def may_be_missing(store: Store) -> set[str]:
    """Files that a writer may leave out that is stopped, or whose rows were written anew: a note is enough.

    The seal of the last version of a table, and those of versions that put files together.
    """
    seals = sorted(store.location.folder.glob("*/_seal/*.json"))
    replaced = {path for seal in seals for path in json.loads(seal.read_text())["replaced"]}
    last = {seal.parent: seal for seal in seals}.values()
    upkeep = [seal for seal in seals if seal.parts[-3] not in SEALED and int(seal.stem)]
    return replaced | {str(seal.relative_to(store.location.folder)) for seal in [*last, *upkeep] if int(seal.stem)}


def require_untouched(store: Store) -> None:
    done = crowdvote("check", store.location.folder, "--json")
    assert json.loads(done.stdout) == {"store": str(store.location), "whole": True, "findings": []}
    assert done.returncode == 0


def test_a_file_that_is_altered_removed_or_cut_off_is_named(store: Store) -> None:
    """Whatever the file, and however it was changed."""
    require_untouched(store)
    for path, data in attacks(store, FEW, seed=1):
        require_named(store, path, data)
    require_untouched(store)


def test_a_flipped_bit_is_named(store: Store) -> None:
    """Wherever it is, in whatever file."""
    for path, data in flips(store, FEW, seed=2):
        require_named(store, path, data)


def test_a_flipped_bit_is_never_read_as_another_table(store: Store) -> None:
    """Whoever reads the tables, takes a snapshot or verifies one is told of the file."""
    rng, (name, seq) = random.Random(5), list_snapshots(store).select("snapshot_id", "seq").row(0)
    later = store.cut().stored.filter(pl.col("seq") > seq).select(pl.col("files").explode()).unnest("files")["path"]
    for table in ("votes", "ballots", "members", "followings"):
        # A file of a later commit holds no row of the snapshot, and verifying passes it over.
        paths = delta.paths(delta.open_table(store.location, table), table)
        path = next(path for path in paths if path not in later)
        data = bytearray((store.location.folder / path).read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with damaged(store.location.folder / path, bytes(data)):
            with pytest.raises(StoreError, match=re.escape(path)):
                store.state()
            with pytest.raises(SnapshotError, match=re.escape(path)):
                take_snapshot(store, "later")
            checks = verify_snapshot(store, name).checks.filter(check="history")
            assert table in checks["detail"].item()


@pytest.mark.soak
def test_five_hundred_altered_removed_or_cut_off_files_are_named(store: Store) -> None:
    """The same at length."""
    for path, data in attacks(store, MANY, seed=3):
        require_named(store, path, data)
    require_untouched(store)


@pytest.mark.soak
def test_five_hundred_flipped_bits_are_named(store: Store) -> None:
    """The same at length."""
    for path, data in flips(store, MANY, seed=4):
        require_named(store, path, data)
    require_untouched(store)
