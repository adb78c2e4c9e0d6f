"""A store that has lived: some thirty commits, files that were put together, snapshots, a final one, a failed one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.snapshots import lifecycle, take_snapshot
from crowdvote_analysis.store import Store, delta, recording
from tests.store.garden import NOON, new_garden, ticking


def lived_in(folder: Path, commits: int = 20, many_files: int = 5) -> Store:
    """Make the store."""
    store = new_garden(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta, "MANY_FILES", many_files)
        store = Store.open(folder, clock=ticking(NOON + timedelta(hours=1)))
        for number in range(commits):
            _something(store, number)
            if number % 9 == 4:
                take_snapshot(store, "green")
        _fail(store, patch)
        recording.close_decision(store, "green")
        take_snapshot(store, "green")
    store.compact()
    recording.join(store, "river", "petra")
    return store


def _something(store: Store, number: int) -> None:
    stars = {"Pond": f"{number % 6}", "Swings": f"{(number + 2) % 6}"}
    steps: list[Callable[[], object]] = [
        lambda: recording.join(store, "garden", f"member {number}"),
        lambda: recording.follow(store, "garden", f"member {number - 1}", "kelly", ["trees"]),
        lambda: recording.change_ballot(store, "green", "kelly", stars=stars),
        lambda: recording.change_role(store, "garden", "maya", display_name=f"Maya {number}"),
    ]
    steps[number % 4]()


def _fail(store: Store, patch: pytest.MonkeyPatch) -> None:
    """A snapshot that fails once its tables are frozen."""

    def fails(*_: object, **__: object) -> None:
        raise ValueError

    with patch.context() as inner:
        inner.setattr(lifecycle, "resolve_snapshot", fails)
        with pytest.raises(SnapshotError):
            take_snapshot(store, "green")


def files_of(store: Store) -> list[str]:
    """The paths of all files of a store that hold something, sorted."""
    folder = store.location.folder
    assert folder is not None
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return sorted(str(path.relative_to(folder)) for path in found)
