"""The demo communities as a store with a history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import Store
from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.snapshots import health, list_snapshots, make_demo_store, read_inputs, verify_snapshot
from tests.command import crowdvote

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def store(demo_store_folder: Path) -> Store:
    return Store.open(demo_store_folder)


def test_the_village_green_tells_a_story(store: Store) -> None:
    """The lead changes twice, one count fails, and the final one is repeated (S3, S4)."""
    known = list_snapshots(store, "village-green").reverse()
    assert known["winner_title"].to_list() == [
        "Bandstand",
        "Playground",
        None,
        "Playground",
        "Wildflower meadow",
        "Wildflower meadow",
        "Wildflower meadow",
    ]
    assert known["status"].to_list() == ["completed"] * 2 + ["failed_staging"] + ["completed"] * 4
    assert "Y3" in known["last_error"][2]
    assert known["is_final"].to_list() == [False] * 5 + [True] * 2
    assert known["superseded_by"].to_list() == [None] * 5 + [known["snapshot_id"][6], None]


def test_the_last_count_is_that_of_the_tables(store: Store) -> None:
    """After all ballots have come in, everything is counted as from the folder of tables."""
    counted = cv.resolve(cv.SystemState.read(demo_folder()))
    stands = list_snapshots(store).filter(status="completed").unique("decision_id", keep="first", maintain_order=True)
    names = ("total_members", "manual_ballots", "calculated_ballots", "no_ballot", "lobbyists")
    own = stands.filter(pl.col("decision_id") != "market-square").select("decision_id", *names).sort("decision_id")
    here = pl.col("decision_id").is_in(own["decision_id"].implode())
    assert own.equals(counted.stats.filter(here).select("decision_id", *names).sort("decision_id"))


def test_what_is_open_in_the_demo_is_open_now(store: Store) -> None:
    """All times are moved by whole days, so that the present of the demo is today."""
    now = datetime.now(UTC)
    festival = store.cut().rows("decisions", decision_id="summer-festival").row(0, named=True)
    told = cv.SystemState.read(demo_folder()).decisions.filter(decision_id="summer-festival")
    assert (festival["closes_at"] - told["closes_at"].item()).seconds == 0
    assert festival["opens_at"] < now < festival["closes_at"]
    newest = list_snapshots(store)["timestamp"].max()
    assert now - timedelta(days=2) < newest < now


def test_a_vote_that_was_changed_is_kept_as_it_was(store: Store) -> None:
    """The snapshot of before holds Kelly's first ballot, the one of after her second (S1)."""
    stars = {}
    for row in list_snapshots(store, "village-green").filter(status="completed").iter_rows(named=True):
        _, state = read_inputs(store, row["snapshot_id"])
        kelly = state.votes.filter(member_id="kelly", choice_id="playground")["stars"].to_list()
        stars[row["winner_title"]] = [int(given) for given in kelly]
    assert stars == {"Bandstand": [], "Playground": [5], "Wildflower meadow": [3]}


def test_the_history_of_the_demo_is_proved(store: Store) -> None:
    """Its snapshots are certified, and nothing in it is left unresolved but what was never counted."""
    first = list_snapshots(store, "village-green").filter(status="completed")["snapshot_id"][-1]
    assert verify_snapshot(store, first).certified
    found = health(store)
    assert (found["status"], found["unresolved"]) == ("degraded", [])
    assert found["without_final"] == ["library-hours", "night-bus", "youth-centre"]


def test_a_store_that_is_there_is_left_alone(demo_store_folder: Path) -> None:
    """The demo does not mix with what somebody has recorded."""
    before = len(Store.open(demo_store_folder).cut().commits)
    with pytest.raises(StoreError, match="folder of its own"):
        make_demo_store(demo_store_folder, DEMO_DATE)
    assert crowdvote("demo", "--store", demo_store_folder).returncode == 1
    assert len(Store.open(demo_store_folder).cut().commits) == before
