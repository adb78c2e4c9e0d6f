"""A snapshot from its first event to its last, and what happens where a step fails."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
import stamina

import crowdvote_analysis as cv
from crowdvote_analysis.cli.show_snapshots import show_health
from crowdvote_analysis.errors import (
    BusyError,
    FinalSnapshotError,
    InvalidElectionError,
    SnapshotError,
    UnknownDecisionError,
    UnknownSnapshotError,
)
from crowdvote_analysis.snapshots import calculation, lifecycle, upkeep
from crowdvote_analysis.snapshots.events import find_snapshot, list_snapshots, read_events
from crowdvote_analysis.snapshots.lifecycle import calculating, take_snapshot
from crowdvote_analysis.snapshots.reading import read_inputs, read_result
from crowdvote_analysis.snapshots.upkeep import health, recover, validate
from crowdvote_analysis.snapshots.verify import verify_snapshot
from tests.snapshots.garden import cast, close

if TYPE_CHECKING:
    from crowdvote_analysis.store.store import Store

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
# Where each step does its work, the status after it fails, and the steps that are done again.
STEPS = {
    "freeze_inputs": ("failed_snapshot", ["creating", "ready", "staging", "tallying", "completed"]),
    "resolve_snapshot": ("failed_staging", ["staging", "tallying", "completed"]),
    "tallied": ("failed_tallying", ["tallying", "completed"]),
}


@pytest.fixture(autouse=True)
def at_once():
    """Do not wait between tries."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def statuses(store: Store, snapshot_id: str) -> list[str]:
    return read_events(store, snapshot_id)["status"].to_list()


def fails(*_: object, **__: object) -> None:
    raise ValueError("a fault of the program")


def break_step(monkeypatch: pytest.MonkeyPatch, step: str, fault=fails) -> None:
    monkeypatch.setattr(lifecycle, step, fault)


def test_a_snapshot_is_captured_staged_and_tallied(store: Store) -> None:
    """Every status is an event, and the result is that of a count of the same tables."""
    taken = take_snapshot(store, "pond", trigger="ballot cast")
    assert statuses(store, taken["snapshot_id"]) == ["creating", "ready", "staging", "tallying", "completed"]
    resolution = cv.resolve(store.state(), ["pond"])
    result = read_result(store, taken["snapshot_id"])
    assert result.tables["resolved_stars"].equals(resolution.stars)
    assert result.tables["sources"].equals(resolution.sources)
    assert result.tables["stats"].equals(resolution.stats)
    assert result.tables["resolved_ballots"].drop("weight").equals(resolution.ballots.drop("weight"))
    assert result.tally == cv.tally_star(resolution, "pond").to_dict()
    assert (taken["outcome"], taken["winner"], taken["margin"]) == ("decided", "Lilies", 1)
    assert (taken["trigger"], taken["protocol"], taken["cycle_rule"]) == ("ballot cast", "starvote", "auto-1")
    assert (taken["engine"], taken["is_final"]) == (cv.__version__, False)
    assert taken["duration"] > 0


def test_weights_are_kept_as_decimals(store: Store) -> None:
    """No binary float of the calculation is stored, so that any machine gives the same bytes."""
    result = read_result(store, take_snapshot(store, "pond")["snapshot_id"])
    kinds = {name: kind for frame in result.tables.values() for name, kind in frame.schema.items()}
    assert {name for name, kind in kinds.items() if kind.is_float()} == {"participation"}
    assert result.tables["resolved_ballots"]["weight"].sum() == 5


def test_what_happens_later_does_not_touch_a_snapshot(store: Store) -> None:
    """The frozen tables are those of the instant, whatever is cast afterwards."""
    taken = take_snapshot(store, "pond")
    before = read_inputs(store, taken["snapshot_id"])[1]
    cast(store, "Kelly", {"Fish": "5"})
    later = take_snapshot(store, "pond")
    assert read_inputs(store, taken["snapshot_id"])[1].votes.equals(before.votes)
    assert later["winner"] == "Fish"
    assert later["content_hash"] != taken["content_hash"]
    assert later["timestamp"] > taken["timestamp"]


def test_tables_that_did_not_change_are_stored_once(store: Store) -> None:
    """A second snapshot of the same tables has the same hashes and adds no table."""
    first = take_snapshot(store, "pond")
    folder = store.location.folder / "snapshots" / "objects"
    files = sorted(folder.rglob("*.parquet"))
    second = take_snapshot(store, "pond")
    assert sorted(folder.rglob("*.parquet")) == files
    for name in ("content_hash", "result_hash"):
        assert first[name] == second[name]
    for name in ("public_hash", "public_result_hash"):  # they also say which snapshot they are of
        assert first[name] != second[name]


def test_the_rules_that_are_asked_for_are_used_and_recorded(store: Store) -> None:
    """Another rule for loops, another protocol and the order of the manager stand with the result."""
    for member in ("Kelly", "Nora"):
        cast(store, member, {"Lilies": "3", "Fish": "3"}, ("trees", "budget"))
    tied = take_snapshot(store, "pond", cycles="equilibrium", protocol="losses")
    assert (tied["cycle_rule"], tied["protocol"], tied["outcome"]) == ("equilibrium", "losses", "unresolved tie")
    decided = take_snapshot(store, "pond", tie_order=("Fish", "Lilies"))
    assert (decided["winner"], decided["outcome"]) == ("Fish", "decided")
    assert read_result(store, decided["snapshot_id"]).tally["tie_order"] == ["Fish", "Lilies"]


def test_a_decision_without_ballots_has_a_snapshot(store: Store) -> None:
    """That nobody voted is a result too."""
    empty = lambda cut, _at: {"ballots": cut.rows("ballots").with_columns(withdrawn=True)}  # noqa: E731
    store.commit("withdraw", empty)
    taken = take_snapshot(store, "pond")
    assert (taken["outcome"], taken["winner"], taken["manual_ballots"]) == ("no ballots", None, 0)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"decision_id": "lake"}, UnknownDecisionError, "'lake' is not in the store"),
        ({"decision_id": "roof"}, UnknownDecisionError, "voted on with yes and no"),
        ({"decision_id": "pond", "protocol": "coin"}, InvalidElectionError, "coin"),
        ({"decision_id": "pond", "cycles": "walk"}, ValueError, "'path'"),
    ],
)
def test_what_cannot_be_counted_is_refused_before_anything_is_written(store: Store, asked, error, words) -> None:
    """No snapshot begins that could not end."""
    with pytest.raises(error, match=words):
        take_snapshot(store, **asked)
    assert list_snapshots(store).is_empty()


# --- final snapshots -----------------------------------------------------------------------------------------------


def test_a_closed_decision_has_one_final_snapshot(store: Store) -> None:
    """A second one is refused in the words of the rule, unless it is to take the place of the first (S3)."""
    interim = take_snapshot(store, "pond")
    close(store)
    final = take_snapshot(store, "pond")
    assert (interim["is_final"], final["is_final"]) == (False, True)
    with pytest.raises(FinalSnapshotError, match="Only one final snapshot is allowed per decision"):
        take_snapshot(store, "pond")
    again = take_snapshot(store, "pond", supersede=True)
    third = take_snapshot(store, "pond", supersede=True)
    by = dict(list_snapshots(store).select("snapshot_id", "superseded_by").iter_rows())
    assert by == {
        interim["snapshot_id"]: None,
        final["snapshot_id"]: third["snapshot_id"],
        again["snapshot_id"]: third["snapshot_id"],
        third["snapshot_id"]: None,
    }


def test_a_failed_second_try_does_not_supersede_a_final_result(store: Store, monkeypatch) -> None:
    """The result that stands keeps standing until another one is there."""
    close(store)
    final = take_snapshot(store, "pond")
    with monkeypatch.context() as patch:
        break_step(patch, "tallied")
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond", supersede=True)
    assert find_snapshot(store, final["snapshot_id"])["superseded_by"] is None
    with pytest.raises(FinalSnapshotError, match=final["snapshot_id"]):
        take_snapshot(store, "pond")


def test_two_final_results_never_stand_side_by_side(store: Store, monkeypatch) -> None:
    """Where a failed final snapshot is finished after another one was taken, the later one stands (S3)."""
    close(store)
    with monkeypatch.context() as patch:
        break_step(patch, "tallied")
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond")
    other = take_snapshot(store, "pond")["snapshot_id"]
    store.clock.time += HOUR
    (tried,) = recover(store).to_dicts()
    assert tried["status"] == "completed"
    by = dict(list_snapshots(store).select("snapshot_id", "superseded_by").iter_rows())
    assert by == {tried["snapshot_id"]: other, other: None}


def test_a_capture_that_was_overtaken_is_not_made_again(store: Store, monkeypatch) -> None:
    """Captured anew it would be of now; a later result has resolved it."""
    with monkeypatch.context() as patch:
        break_step(patch, "freeze_inputs")
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond")
    take_snapshot(store, "pond")
    store.clock.time += HOUR
    assert recover(store).is_empty()
    assert health(store)["status"] == "healthy"


# --- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_told_and_can_be_done_again(store: Store, monkeypatch, step: str) -> None:
    """The event keeps the error with its trace; recovering goes on at that step, on the same frozen tables."""
    status, again = STEPS[step]
    with monkeypatch.context() as patch:
        break_step(patch, step)
        with pytest.raises(SnapshotError, match="unexpected ValueError"):
            take_snapshot(store, "pond")
    (failed,) = list_snapshots(store).to_dicts()
    assert failed["status"] == status
    assert failed["last_error"] == "unexpected ValueError"  # its text may quote a name (P1)
    assert "fails" in read_events(store)["trace"].drop_nulls().item()
    assert health(store)["status"] == "degraded"
    cast(store, "Kelly", {"Fish": "5"})
    assert recover(store).is_empty()  # not before half an hour has passed
    store.clock.time += HOUR
    (tried,) = recover(store).to_dicts()
    name = tried["new_snapshot_id"] or tried["snapshot_id"]
    assert (tried["was"], tried["status"], tried["error"]) == (status, "completed", None)
    assert statuses(store, name)[-len(again) :] == again
    assert health(store)["status"] == "healthy"
    if step == "freeze_inputs":  # captured anew, on the tables as they are now
        assert find_snapshot(store, tried["snapshot_id"])["superseded_by"] == name
        assert find_snapshot(store, name)["winner"] == "Fish"
    else:
        assert find_snapshot(store, name)["winner"] == "Lilies"
        assert statuses(store, name).count("creating") == 1


def test_after_three_tries_nothing_is_tried_any_more(store: Store, monkeypatch) -> None:
    """What fails again and again waits for people; a later result of the decision resolves it."""
    with monkeypatch.context() as patch:
        break_step(patch, "resolve_snapshot")
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond")
        for number in (1, 2, 3):
            store.clock.time += HOUR
            (tried,) = recover(store).to_dicts()
            assert "unexpected ValueError" in tried["error"]
            assert find_snapshot(store, tried["snapshot_id"])["retry_count"] == number
        store.clock.time += HOUR
        assert recover(store).is_empty()
    assert health(store)["status"] == "degraded"
    take_snapshot(store, "pond")
    assert health(store) == {
        "status": "healthy",
        "snapshots": 2,
        "statuses": {"completed": 1, "failed_staging": 1},
        "stuck": 0,
        "unresolved": [],
        "without_events": [],
        "without_final": [],
        "refused_by_path": [],
        "files": [],
    }


@pytest.mark.parametrize(
    ("step", "fault"),
    list(zip(STEPS, [OSError("input/output error"), TimeoutError("no answer"), BusyError("conflict")], strict=True)),
)
def test_faults_that_pass_are_tried_again(store: Store, monkeypatch, step: str, fault: Exception, caplog) -> None:
    """Three times a step may fail by reading, writing, waiting or conflicts; the fourth try is the last (S5)."""
    caplog.set_level(logging.CRITICAL, logger="stamina")
    work, left = getattr(lifecycle, step), [3]

    def unreliable(*args, **kwargs):
        if left[0]:
            left[0] -= 1
            raise fault
        return work(*args, **kwargs)

    break_step(monkeypatch, step, unreliable)
    assert take_snapshot(store, "pond")["status"] == "completed"
    left[0] = 4
    with pytest.raises(SnapshotError, match=str(fault)):
        take_snapshot(store, "pond")
    assert left == [0]


@pytest.mark.parametrize("fault", [PermissionError("not yours"), ValueError("wrong"), InvalidElectionError("bad")])
def test_faults_that_stay_are_not_tried_again(store: Store, monkeypatch, fault: Exception) -> None:
    """Wrong data and missing rights do not get better by waiting."""
    calls = []

    def broken(*_: object) -> None:
        calls.append(1)
        raise fault

    break_step(monkeypatch, "tallied", broken)
    with pytest.raises(SnapshotError):
        take_snapshot(store, "pond")
    assert calls == [1]


def test_an_interruption_is_told_too(store: Store, monkeypatch) -> None:
    """Whoever stops a calculation finds it as failed, not as running for ever."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        break_step(patch, "resolve_snapshot", interrupted)
        with pytest.raises(KeyboardInterrupt):
            take_snapshot(store, "pond")
    assert list_snapshots(store)["status"].to_list() == ["failed_staging"]


def test_a_limit_of_work_is_an_error_with_the_ways_out(store: Store) -> None:
    """A tangle of loops that is too large for the path rule fails the staging, and says what to do (Y3)."""
    with pytest.raises(SnapshotError, match="--cycles auto"):
        take_snapshot(store, "pond", cycles="path", work_limit=1)
    assert list_snapshots(store)["status"].to_list() == ["failed_staging"]


def test_health_names_who_waits_for_another_rule(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Communities whose newest snapshots were refused, with the one command that mends it; a later result ends it."""
    with pytest.raises(SnapshotError):
        take_snapshot(store, "pond", cycles="path", work_limit=1)
    found = health(store)
    assert found["refused_by_path"] == [{"community_id": "community", "decisions": ["pond"]}]
    show_health(found)
    told = " ".join(capsys.readouterr().out.split())
    assert "crowdvote record cycle-rule STORE auto -c community --published" in told
    take_snapshot(store, "pond")
    assert health(store)["refused_by_path"] == []


# --- one at a time -------------------------------------------------------------------------------------------------


def test_one_calculation_at_a_time(store: Store) -> None:
    """A second calculation of a decision is refused politely; afterwards it may begin (S8)."""
    with calculating(store, "pond"):
        with pytest.raises(BusyError, match="Calculation already in progress for this decision"):
            take_snapshot(store, "pond", wait=0.05)
        with calculating(store, "roof"):
            pass
    assert take_snapshot(store, "pond", wait=0)["status"] == "completed"


@pytest.mark.parametrize("status", ["creating", "staging", "tallying"])
def test_a_calculation_whose_process_died_goes_on_later(store: Store, monkeypatch, status: str) -> None:
    """A status that nobody works at is warned of after an hour, tried again, or corrupted after two (S7)."""
    real = lifecycle.append_event

    def dies(opened, snapshot_id, now, *args, **facts):
        real(opened, snapshot_id, now, *args, **facts)
        if now == status:
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "append_event", dies)
        patch.setattr(lifecycle, "FAILED", {})  # it says nothing more
        with pytest.raises((SystemExit, KeyError)):
            take_snapshot(store, "pond")
    (row,) = list_snapshots(store).to_dicts()
    assert row["status"] == status
    with calculating(store, "pond"):
        assert validate(store)["finding"].to_list() == ["ok"]  # somebody is at it
        assert recover(store).is_empty()
        assert health(store)["stuck"] == 0
    assert [each["status"] for each in health(store)["unresolved"]] == [status]
    assert health(store)["stuck"] == 1
    (marked,) = validate(store).to_dicts()
    assert (marked["finding"], marked["status"]) == ("failed", lifecycle._LEFT[status])
    assert marked["problem"] == "the process that calculated it ended without a word"
    store.clock.time += HOUR
    (tried,) = recover(store).to_dicts()
    assert (tried["was"], tried["status"]) == (lifecycle._LEFT[status], "completed")


def test_who_comes_next_marks_what_was_left_half(store: Store, monkeypatch) -> None:
    """Not after an hour: whoever calculates a decision knows that nobody else does."""
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "FAILED", {})
        break_step(patch, "resolve_snapshot")
        with pytest.raises(KeyError):
            take_snapshot(store, "pond")
    taken = take_snapshot(store, "pond")
    rows = list_snapshots(store)
    assert rows["status"].to_list() == ["completed", "failed_staging"]
    assert rows["last_error"][1] == "the process that calculated it ended without a word"
    assert rows["snapshot_id"][0] == taken["snapshot_id"]
    assert health(store)["status"] == "healthy"


def test_where_others_may_be_at_it_time_tells(store: Store, monkeypatch) -> None:
    """On object storage another machine may calculate: a warning after an hour, corrupted after two (S7)."""
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "FAILED", {})
        break_step(patch, "resolve_snapshot")
        with pytest.raises(KeyError):
            take_snapshot(store, "pond")
    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "_on_one_machine", lambda _store: False)
        assert validate(store)["finding"].to_list() == ["ok"]
        store.clock.time += 1.5 * HOUR
        (warned,) = validate(store).to_dicts()
        assert warned["finding"] == "warning"
        assert "1.5 hours" in warned["problem"]
        assert health(store)["stuck"] == 1
        store.clock.time += 1.5 * HOUR
        assert validate(store)["finding"].to_list() == ["corrupted"]
    assert list_snapshots(store)["status"].to_list() == ["corrupted"]
    assert recover(store).is_empty()
    assert health(store)["status"] == "degraded"


# --- finding -------------------------------------------------------------------------------------------------------


def test_snapshots_are_found_by_the_first_letters_of_their_id(store: Store) -> None:
    """One is named by its id, by enough of it, or as the latest; anything else is an error that helps."""
    one, two = take_snapshot(store, "pond"), take_snapshot(store, "pond")
    assert find_snapshot(store, "latest") == two
    assert find_snapshot(store, one["snapshot_id"][:-2]) == one
    with pytest.raises(UnknownSnapshotError, match="may mean 2 snapshots"):
        find_snapshot(store, one["snapshot_id"][:8])
    with pytest.raises(UnknownSnapshotError, match="here is no snapshot 'x'"):
        find_snapshot(store, "x")
    assert list_snapshots(store)["snapshot_id"].to_list() == [two["snapshot_id"], one["snapshot_id"]]
    assert list_snapshots(store, "roof").is_empty()


def test_an_object_that_was_changed_is_put_right_by_the_next_snapshot(store: Store) -> None:
    """A snapshot never stands on a file that somebody else has written, nor is it stopped by one."""
    first = take_snapshot(store, "pond")
    files = list((store.location.folder / "snapshots" / "objects").rglob("*.parquet"))
    before = {path: path.read_bytes() for path in files}
    files[0].write_bytes(before[files[0]][:-1] + b"?")
    with pytest.warns(match="was changed from outside and was put right"):
        second = take_snapshot(store, "pond")
    assert {path: path.read_bytes() for path in files} == before
    for row in (first, second):
        assert verify_snapshot(store, row["snapshot_id"]).certified


def test_a_writer_whose_clock_is_ahead_loses_nobody_a_ballot(store: Store) -> None:
    """The instant of a snapshot is never before a commit that is there; a clock that is far ahead is warned of."""
    store.clock.time += timedelta(minutes=10)
    cast(store, "Kelly", {"Fish": "3"})
    store.clock.time -= timedelta(minutes=10)
    cast(store, "Maya", {"Fish": "5"})
    close(store)
    with pytest.warns(match="ahead of the clock"):
        taken = take_snapshot(store, "pond")
    assert (taken["is_final"], taken["manual_ballots"]) == (True, 3)
    assert verify_snapshot(store, taken["snapshot_id"]).checks.filter(~pl.col("ok"))["what"].to_list() == ["decision"]
    store.clock.time += timedelta(minutes=10)
    assert verify_snapshot(store, taken["snapshot_id"]).certified


def test_a_ballot_that_is_on_its_way_is_waited_for(store: Store, monkeypatch) -> None:
    """Whoever votes before the instant of a snapshot is in it, however slow the disk is."""
    entered, real = [], type(store.location).turn

    def turn(location, name, *arguments):
        entered.append(name)
        return real(location, name, *arguments)

    monkeypatch.setattr(type(store.location), "turn", turn)
    store.present()
    assert entered == ["commits"]


def test_a_closed_decision_without_its_final_snapshot_is_told_and_gets_it(store: Store) -> None:
    """Whoever was stopped between closing and counting leaves a decision that recovering finishes (S3)."""
    close(store)
    found = health(store)
    assert (found["status"], found["without_final"]) == ("degraded", ["pond"])
    (tried,) = recover(store).to_dicts()
    assert (tried["was"], tried["status"], tried["error"]) == ("closed", "completed", None)
    assert find_snapshot(store, tried["new_snapshot_id"])["is_final"]
    assert health(store)["status"] == "healthy"


def test_what_is_kept_of_a_resolution_has_no_more_places_than_it_says(store: Store) -> None:
    """Weights have nine places."""
    staged = calculation.staged_tables(cv.resolve(store.state(), ["pond"]))
    assert staged["resolved_ballots"].schema["weight"] == pl.Decimal(28, 9)
