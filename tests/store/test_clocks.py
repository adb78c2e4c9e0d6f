"""Writers whose clocks are wrong, and what the order of commits is then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crowdvote_analysis.errors import ClockError, RefusedRecordError
from crowdvote_analysis.snapshots import take_snapshot, verify_snapshot
from crowdvote_analysis.store import Store, recording
from crowdvote_analysis.store import store as stores
from crowdvote_analysis.store.location import Location
from tests.store.garden import NOON

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def at(store: Store, here: datetime, there: datetime) -> Store:
    """The store for a writer with a clock of its own, and the clock of the storage."""
    return replace(store, clock=lambda: here, storage_clock=lambda: there)


def follow(store: Store) -> stores.Commit:
    return recording.follow(store, "garden", "kelly", "maya")


def unfollow(store: Store) -> stores.Commit:
    return recording.unfollow(store, "garden", "kelly", "maya")


@pytest.fixture
def far(garden: Store) -> tuple[Store, datetime]:
    """A store in which a writer of before was a day ahead: its last commit is a ballot of tomorrow."""
    now = NOON + timedelta(hours=2)
    recording.cast_ballot(at(garden, now + DAY, now + DAY), "green", "maya", {"Pond": 5})
    return garden, now


def test_a_writer_who_is_ahead_is_refused_in_one_sentence(garden: Store) -> None:
    """More than a minute is too much, and nothing was recorded; whoever has the clock of the storage goes on."""
    before, now = garden.cut().seq, NOON + DAY
    with pytest.raises(ClockError, match=r"nothing was recorded, because the clock here \(2026-06-16 12:01:01 UTC\)"):
        follow(at(garden, now + 61 * SECOND, now))
    with pytest.raises(ClockError):
        take_snapshot(at(garden, now + DAY, now), "green")
    assert garden.cut().seq == before
    assert follow(at(garden, now, now)).at == now


def test_a_writer_who_is_a_little_ahead_has_the_time_of_the_storage(garden: Store) -> None:
    """No commit has a time that has not come."""
    now = NOON + DAY
    assert follow(at(garden, now + 30 * SECOND, now)).at == now


def test_a_machine_that_is_behind_has_the_time_of_the_storage(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline that has passed has passed, though it is yesterday here."""
    now = NOON + 3 * DAY
    monkeypatch.setattr(stores, "now", lambda: now - DAY)
    recording.create_decision(garden, "garden", "hall", choices=["a"], closes_at=now - SECOND)
    recording.publish_decision(at(garden, now - DAY, now), "hall")
    machine = replace(garden, clock=stores.now, storage_clock=lambda: now)
    with pytest.raises(RefusedRecordError, match="was closed at"):
        recording.cast_ballot(machine, "hall", "maya", {"a": 5})
    assert follow(machine).at == now


def test_a_commit_of_tomorrow_moves_no_other(far: tuple[Store, datetime]) -> None:
    """The next commits have the time that it is, and the one before has it too, as it was there already."""
    garden, now = far
    times = [follow(at(garden, now, now)).at, unfollow(at(garden, now + SECOND, now + SECOND)).at]
    assert times == [now, now + SECOND]
    assert garden.cut().commits["committed_at"].to_list()[-3:] == [now, now, now + SECOND]
    assert garden.cut(as_of=now - SECOND).seq < garden.cut(as_of=now).seq < garden.cut().seq


def test_a_past_instant_stays_what_it_was(far: tuple[Store, datetime]) -> None:
    """What was seen of an instant before somebody wrote again is seen of it afterwards."""
    garden, now = far
    before = garden.cut(as_of=now - SECOND).seq
    follow(at(garden, now, now))
    assert garden.cut(as_of=now - SECOND).seq == before


def test_a_ballot_of_tomorrow_is_of_the_commit_behind_it(far: tuple[Store, datetime]) -> None:
    """It was cast in time, whatever its clock said: it is in the final result of a decision that closes before."""
    garden, now = far
    closed = recording.close_decision(at(garden, now, now), "green")
    assert garden.cut().rows("ballots", member_id="maya")["cast_at"].item() == closed.at
    later = at(garden, now + SECOND, now + SECOND)
    final = take_snapshot(later, "green")
    assert (final["is_final"], final["manual_ballots"]) == (True, 3)
    assert verify_snapshot(later, final["snapshot_id"]).certified


def test_a_snapshot_behind_a_commit_of_tomorrow_is_of_today(far: tuple[Store, datetime]) -> None:
    """A commit without rows says what time it is; nothing that is open is closed by it."""
    garden, now = far
    today = at(garden, now, now)
    with pytest.warns(match="ahead of the clock"):
        taken = take_snapshot(today, "green")
    assert (taken["timestamp"], taken["is_final"], taken["manual_ballots"]) == (now, False, 3)
    assert today.cut().commits["action"][-1] == "clock"
    assert verify_snapshot(today, taken["snapshot_id"]).certified
    assert follow(at(garden, now + SECOND, now + SECOND)).at == now + SECOND
    assert verify_snapshot(today, taken["snapshot_id"]).certified


def test_a_folder_knows_what_time_it_is(tmp_path: Path) -> None:
    """The file system tells it, and keeps nothing of the question."""
    before = datetime.now(UTC)
    found = Location.of(tmp_path).now()
    assert abs(found - before) < timedelta(seconds=10)
    assert list(tmp_path.iterdir()) == []


# --- after the end -------------------------------------------------------------------------------------------------


def test_the_end_by_the_clock_is_a_commit_after_which_nothing_lands(garden: Store) -> None:
    """Whoever is refused is told so, though their own clock says that there is time left."""
    closes = NOON + DAY
    recording.create_decision(garden, "garden", "hall", choices=["a"], closes_at=closes)
    recording.publish_decision(garden, "hall")
    recording.cast_ballot(at(garden, closes - SECOND, closes - SECOND), "hall", "maya", {"a": 5})
    with pytest.raises(RefusedRecordError, match="is not over yet"):
        recording.close_by_clock(at(garden, closes - SECOND, closes - SECOND), "hall")
    commit = recording.close_decision(at(garden, closes + SECOND, closes + SECOND), "hall")
    assert (commit.action, commit.at) == ("deadline", closes + SECOND)
    assert garden.cut().rows("decisions", decision_id="hall")["closes_at"].item() == closes
    early = at(garden, closes - timedelta(hours=1), closes - timedelta(hours=1))  # the storage was set back
    for attempt in (
        lambda: recording.cast_ballot(early, "hall", "kelly", {"a": 1}),
        lambda: recording.change_ballot(early, "hall", "maya", stars={"a": 1}),
        lambda: recording.withdraw_ballot(early, "hall", "maya"),
        lambda: recording.close_decision(early, "hall"),
    ):
        with pytest.raises(RefusedRecordError, match="was closed at") as refused:
            attempt()
        assert refused.value.reason == "decision_closed"


def test_a_ballot_on_its_way_does_not_land_behind_the_end(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """On object storage, where nobody takes turns: it was prepared in time, and somebody took the final meanwhile."""
    closes = NOON + DAY
    recording.create_decision(garden, "garden", "hall", choices=["a"], closes_at=closes)
    recording.publish_decision(garden, "hall")
    in_time, afterwards = (at(garden, moment, moment) for moment in (closes - SECOND, closes + SECOND))
    rightly, finals = stores.delta.append_as_next, []

    def slowly(table: object, frame: object) -> bool:
        if not finals:
            finals.append(None)
            with monkeypatch.context() as patch:
                patch.setattr(Location, "folder", None)
                patch.setattr(stores.delta, "append_as_next", rightly)
                recording.close_decision(afterwards, "hall")
        return rightly(table, frame)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(stores.delta, "append_as_next", slowly)
        with pytest.raises(RefusedRecordError, match="was closed at"):
            recording.cast_ballot(in_time, "hall", "maya", {"a": 5})
    final = take_snapshot(afterwards, "hall")
    assert (final["outcome"], final["manual_ballots"]) == ("no ballots", 0)


def test_a_decision_that_was_closed_takes_no_ballot_though_it_closes_tomorrow(far: tuple[Store, datetime]) -> None:
    """A closing of tomorrow closes today."""
    garden, now = far
    recording.close_decision(at(garden, now + DAY, now + DAY), "green")
    with pytest.raises(RefusedRecordError, match="was closed at"):
        recording.cast_ballot(at(garden, now, now), "green", "kelly", {"Pond": 5})
