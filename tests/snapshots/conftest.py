"""A small store for tests of snapshots: five members, two of them in a loop, one anonymous."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis import SystemState, tables
from crowdvote_analysis.store.store import Store
from tests.snapshots.garden import votes

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Clock:
    """A clock that goes on by a second whenever somebody looks, and by more when it is told to."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store as it is before anything happens in a test; made once, and copied."""
    folder = tmp_path_factory.mktemp("store") / "garden"
    store = Store.create(folder, clock=lambda: NOON - timedelta(days=1))
    state = SystemState(
        members=pl.DataFrame(
            {
                "member_id": ["Kelly", "Maya", "Olivia", "Jack", "Nora"],
                "display_name": ["Kelly", "Maya", "Olivia", "Jack", "Nora the Gardener"],
                "is_anonymous": [False, False, False, False, True],
            }
        ),
        followings=pl.DataFrame(
            {
                "follower_id": ["Maya", "Olivia", "Olivia", "Jack"],
                "followee_id": ["Olivia", "Maya", "Kelly", "Nora"],
                "tags": [[], [], ["trees"], ["budget"]],
            },
            schema_overrides={"tags": pl.List(pl.String)},
        ),
        decisions=pl.DataFrame({"decision_id": ["pond", "roof"], "method": ["star", "simple_majority"]}),
        ballots=pl.DataFrame(
            {"decision_id": ["pond", "pond"], "member_id": ["Kelly", "Nora"], "tags": [["trees"], ["budget"]]}
        ),
        votes=votes("Kelly", {"Lilies": "5", "Fish": "1"}).vstack(votes("Nora", {"Lilies": "2.5", "Fish": "4"})),
    )
    store.commit("import", lambda _cut, _at: {name: getattr(state, name) for name in tables.TABLES})
    return folder


@pytest.fixture
def store(planted: Path, tmp_path: Path) -> Store:
    """A copy of the store, with a clock of its own (``store.clock.time``)."""
    shutil.copytree(planted, tmp_path / "garden")
    return Store.open(tmp_path / "garden", clock=Clock())
