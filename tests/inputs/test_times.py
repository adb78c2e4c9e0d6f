"""Cases about time: late ballots, drafts, deadlines that nobody watched, clocks that disagree."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import FinalSnapshotError, UnknownDecisionError
from crowdvote_analysis.snapshots import health, list_snapshots, recover, take_snapshot, verify_snapshot
from crowdvote_analysis.store import Store, import_state, recording
from tests.command import crowdvote

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, time: datetime = NOON) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    """Two members, and a decision that closes an hour after noon and is a draft yet."""
    made = replace(Store.create(tmp_path / "store", clock=clock), storage_clock=clock)
    import_state(made, cv.SystemState(members=pl.DataFrame({"member_id": ["Ana", "Ben"]})))
    (community,) = made.cut().rows("communities")["community_id"]
    hour = NOON + timedelta(hours=1)
    recording.create_decision(made, community, "hall", choices=["Yes", "No"], closes_at=hour)
    return made


def test_late_ballots(files_of: Callable[[str], Path]) -> None:
    """Ballots before the opening and after the close are kept and not counted, and a note says how many."""
    done = crowdvote("count", files_of("late-ballots"), "--json")
    document = json.loads(done.stdout)
    (decision,) = document["decisions"]
    assert (decision["tally"]["winner"], decision["tally"]["vote_count"]) == ("Yes", 1)
    assert decision["participation"]["untimely_ballots"] == 2
    _, note = document["notes"]  # the other says which columns are choices
    assert "2 ballots were cast outside of the voting time and do not count (D12)" in note
    assert "late: Ben." in note
    assert "Cleo" not in note  # nothing was lost by a ballot that came early


def test_drafts(store: Store) -> None:
    """No snapshot of a draft, not even when its time has passed; a count leaves it out, and says so."""
    place = store.location.folder
    for when in (NOON, NOON + timedelta(days=1)):
        store.clock.time = when  # type: ignore[attr-defined]
        with pytest.raises(UnknownDecisionError, match="is a draft, and drafts are not counted"):
            take_snapshot(store, "hall")
    assert list_snapshots(store).is_empty()
    assert health(store)["status"] == "healthy"
    done = json.loads(crowdvote("count", place, "--json").stdout)
    assert done["decisions"] == []
    assert done["notes"] == ["1 decision is a draft and is not counted (S10): hall."]
    refused = crowdvote("count", place, "-d", "hall")
    assert (refused.returncode, "is a draft" in refused.stderr) == (1, True)


def test_deadline_passed(store: Store, clock: Clock) -> None:
    """A decision whose time is over is degraded until its final is taken, of the instant at which it ended."""
    recording.publish_decision(store, "hall")
    recording.cast_ballot(store, "hall", "Ana", {"Yes": 5})
    assert health(store)["status"] == "healthy"
    clock.time += timedelta(hours=2)
    recording.join(store, store.cut().rows("communities")["community_id"][0], "Cleo")
    found = health(store)
    assert (found["status"], found["without_final"]) == ("degraded", ["hall"])
    (tried,) = recover(store).to_dicts()
    final = list_snapshots(store).row(0, named=True)
    assert (tried["status"], tried["new_snapshot_id"]) == ("completed", final["snapshot_id"])
    assert (final["is_final"], final["winner"], final["total_members"]) == (True, "Yes", 2)  # Cleo came later
    assert final["timestamp"] == NOON + timedelta(hours=1)
    assert verify_snapshot(store, final["snapshot_id"]).certified
    assert health(store)["status"] == "healthy"


def test_clash_of_clocks(store: Store, clock: Clock) -> None:
    """Two snapshots while the last commit is ahead of the clock have two ids; a final is not replaced by itself."""
    recording.publish_decision(store, "hall")
    clock.time += timedelta(seconds=30)
    recording.cast_ballot(store, "hall", "Ana", {"Yes": 5})
    clock.time -= timedelta(seconds=30)
    with warnings.catch_warnings(action="ignore"):  # of the clock, by every one of them
        interim = [take_snapshot(store, "hall")["snapshot_id"] for _ in range(2)]
        recording.close_decision(store, "hall")
        final = take_snapshot(store, "hall")["snapshot_id"]
        with pytest.raises(FinalSnapshotError):
            take_snapshot(store, "hall")
        again = take_snapshot(store, "hall", supersede=True)["snapshot_id"]
    clock.time += timedelta(minutes=1)
    ids = [*interim, final, again]
    assert len(set(ids)) == 4
    assert all(verify_snapshot(store, name).certified for name in ids)
    by = dict(list_snapshots(store).select("snapshot_id", "superseded_by").iter_rows())
    assert by == {interim[0]: None, interim[1]: None, final: again, again: None}
