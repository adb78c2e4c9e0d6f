"""Final snapshots: of the instant of closing, whenever they are taken, and one that stands (S10, S11)."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
import stamina

from crowdvote_analysis import SystemState
from crowdvote_analysis.errors import FinalSnapshotError, SnapshotError
from crowdvote_analysis.snapshots import health, lifecycle, list_snapshots, read_inputs, recover, verify_snapshot
from crowdvote_analysis.snapshots.events import find_snapshot
from crowdvote_analysis.snapshots.inputs import Options
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.snapshots.recounts import recompute
from crowdvote_analysis.store import Store, import_state, recording
from tests.command import crowdvote
from tests.snapshots.conftest import NOON
from tests.snapshots.garden import close

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_once():
    """Do not wait between tries."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def join(store: Store, member: str) -> None:
    (community,) = store.cut().rows("communities")["community_id"]
    recording.join(store, community, member)


def closing_later(store: Store) -> Store:
    """The decision about the lake, open, with a ballot; it closes an hour after noon, and nobody does anything."""
    (community,) = store.cut().rows("communities")["community_id"]
    recording.create_decision(store, community, "lake", choices=["Boat", "Pier"], closes_at=NOON + HOUR)
    recording.publish_decision(store, "lake")
    recording.cast_ballot(store, "lake", "Kelly", {"Boat": 4})
    return store


# --- the instant ---------------------------------------------------------------------------------------------------


def test_a_decision_closed_by_hand_is_counted_as_it_was_then(store: Store) -> None:
    """What was recorded between the closing and the count is not in it."""
    close(store)
    closed = store.cut()
    join(store, "Zoe")
    store.clock.time += HOUR
    final = take_snapshot(store, "pond")
    assert (final["timestamp"], final["seq"], final["total_members"]) == (closed.at, closed.seq, 5)
    assert verify_snapshot(store, final["snapshot_id"]).certified


def test_a_decision_closed_by_the_clock_is_counted_as_it_was_then(store: Store) -> None:
    """The count takes the commits before the end, and makes one that says that it is over."""
    closing_later(store)
    last = store.cut().seq
    store.clock.time += 2 * HOUR
    join(store, "Zoe")
    final = take_snapshot(store, "lake")
    assert (final["timestamp"], final["seq"], final["total_members"]) == (NOON + HOUR, last, 5)
    assert store.cut().commits["action"].to_list()[-2:] == ["join", "deadline"]
    assert verify_snapshot(store, final["snapshot_id"]).certified
    assert take_snapshot(store, "lake", supersede=True)["seq"] == last
    assert store.cut().commits["action"][-1] == "deadline"  # the end is recorded once


def test_a_manager_may_have_later_commits_counted_and_says_why(store: Store) -> None:
    """Nothing enters by itself; the result before stays, superseded."""
    close(store)
    first = take_snapshot(store, "pond")
    join(store, "Zoe")
    with pytest.raises(FinalSnapshotError):
        take_snapshot(store, "pond", later="Zoe was forgotten")
    again = take_snapshot(store, "pond", supersede=True, later="Zoe was forgotten")
    assert (again["is_final"], again["total_members"], again["trigger"]) == (True, 6, "Zoe was forgotten")
    assert find_snapshot(store, first["snapshot_id"])["superseded_by"] == again["snapshot_id"]
    assert verify_snapshot(store, again["snapshot_id"]).certified
    back = take_snapshot(store, "pond", supersede=True)
    assert back["total_members"] == 5
    by = dict(list_snapshots(store, "pond").select("snapshot_id", "superseded_by").iter_rows())
    assert by == {first["snapshot_id"]: back["snapshot_id"], again["snapshot_id"]: back["snapshot_id"]} | {
        back["snapshot_id"]: None
    }


def test_a_decision_that_was_imported_closed_is_counted_as_it_was_imported(tmp_path: Path, store: Store) -> None:
    """Health asks for its final, and recovering takes it; late ballots do not count."""
    made = Store.create(tmp_path / "imported", clock=store.clock)
    import_state(
        made,
        SystemState(
            decisions=pl.DataFrame({"decision_id": ["pier"], "closes_at": ["2026-05-08T00:00:00Z"]}),
            ballots=pl.DataFrame(
                {
                    "decision_id": ["pier"] * 2,
                    "member_id": ["Ana", "Ben"],
                    "cast_at": ["2026-05-01T00:00:00Z", "2026-05-09T00:00:00Z"],
                }
            ),
            votes=pl.DataFrame(
                {
                    "decision_id": ["pier"] * 2,
                    "member_id": ["Ana", "Ben"],
                    "choice_id": ["Yes", "No"],
                    "stars": ["3", "5"],
                }
            ),
        ),
    )
    imported = made.cut()
    join(made, "Zoe")
    assert health(made)["without_final"] == ["pier"]
    with pytest.warns(match="1 ballot was cast outside of the voting time"):
        (tried,) = recover(made).to_dicts()
    final = find_snapshot(made, tried["new_snapshot_id"])
    assert (final["is_final"], final["winner"], final["seq"], final["total_members"]) == (True, "Yes", imported.seq, 2)
    assert health(made)["status"] == "healthy"


@pytest.mark.parametrize(("stars", "outcome"), [({"Boat": 3, "Pier": 3}, "unresolved tie"), (None, "no ballots")])
def test_a_tie_or_no_ballots_is_an_outcome(store: Store, stars: dict[str, int] | None, outcome: str) -> None:
    """A final snapshot says so; it is no failure."""
    closing_later(store)
    if stars is None:
        recording.withdraw_ballot(store, "lake", "Kelly")
    else:
        recording.cast_ballot(store, "lake", "Kelly", stars)
    store.clock.time += 2 * HOUR
    (tried,) = recover(store).to_dicts()
    final = find_snapshot(store, tried["new_snapshot_id"])
    assert (final["status"], final["is_final"], final["outcome"]) == ("completed", True, outcome)
    assert health(store)["status"] == "healthy"
    assert verify_snapshot(store, final["snapshot_id"]).certified


def test_an_import_may_not_move_what_has_ended(store: Store) -> None:
    """Neither before nor after the commit that says so."""
    closing_later(store)
    store.clock.time += 2 * HOUR
    moved = store.state()
    moved = moved._with(decisions=moved.decisions.with_columns(closes_at=pl.lit(NOON + 9 * HOUR)))
    for _ in range(2):
        with pytest.raises(Exception, match="would change decisions that are over"):
            import_state(store, moved)
        recover(store)


def test_a_decision_that_was_called_off_needs_no_final(store: Store) -> None:
    """It is over without a result."""
    closing_later(store)
    rows = store.cut().rows("decisions", decision_id="lake").with_columns(status=pl.lit("cancelled"))
    store.commit("import", lambda _cut, _at: {"decisions": rows})
    assert health(store)["status"] == "healthy"


# --- what stands ---------------------------------------------------------------------------------------------------


def test_a_try_that_failed_is_resolved_by_one_of_the_same_instant(store: Store, monkeypatch) -> None:
    """Which came later is not a matter of their instants, which are the same."""
    close(store)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "freeze_inputs", lambda *_, **__: 1 / 0)
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond")
    assert health(store)["status"] == "degraded"
    final = take_snapshot(store, "pond")["snapshot_id"]
    assert health(store)["status"] == "healthy"
    store.clock.time += HOUR
    assert recover(store).is_empty()
    assert find_snapshot(store, "latest")["snapshot_id"] == final


def test_a_snapshot_that_failed_takes_no_place(store: Store, monkeypatch) -> None:
    """At no step, also where it was asked to supersede."""
    close(store)
    final = take_snapshot(store, "pond")["snapshot_id"]
    for step in ("freeze_inputs", "resolve_snapshot", "tallied"):
        with monkeypatch.context() as patch:
            patch.setattr(lifecycle, step, lambda *_, **__: 1 / 0)
            with pytest.raises(SnapshotError):
                take_snapshot(store, "pond", supersede=True)
        assert find_snapshot(store, final)["superseded_by"] is None
    assert verify_snapshot(store, final).certified


def test_snapshots_from_before_the_voting_time_keep_their_hashes(store: Store, monkeypatch) -> None:
    """Their options do not speak of it, and all their ballots count, whenever they were cast; so do drafts."""
    for status in ("draft", "active"):
        rows = store.cut().rows("decisions", decision_id="pond").with_columns(status=pl.lit(status), closes_at=NOON)
        hers = pl.lit("Maya").alias("member_id")
        late = store.cut().rows("ballots", member_id="Kelly").with_columns(hers, cast_at=pl.lit(NOON + HOUR))
        stars = store.cut().rows("votes", member_id="Kelly").with_columns(hers)
        told = {"decisions": rows, "ballots": late, "votes": stars}
        store.commit("import", lambda _cut, _at, told=told: told)
        with monkeypatch.context() as patch:
            patch.setattr(lifecycle, "Options", lambda *given: Options(*given, voting_time=False))
            patch.setattr(lifecycle, "_moment", lambda at, *_, **__: lifecycle._Moment(*at.present(), is_final=True))
            old = take_snapshot(store, "pond", supersede=True)
        assert old["manual_ballots"] == 3
        inputs, _ = read_inputs(store, old["snapshot_id"])
        assert set(inputs.head()["options"]) == {"cycles", "protocol", "tie_order", "work_limit"}
        assert verify_snapshot(store, old["snapshot_id"]).certified
    with pytest.warns(match="1 ballot was cast outside"):
        assert take_snapshot(store, "pond", supersede=True)["manual_ballots"] == 2
    verdicts = pl.concat(recompute(store, workers=1))["verdict"]
    assert verdicts.to_list() == ["certified"] * 3


# --- on the command line -------------------------------------------------------------------------------------------


def test_closing_what_has_ended_takes_its_final(store: Store) -> None:
    """A deadline that has passed is no reason to refuse, but a final snapshot that stands is."""
    closing_later(store)
    place = store.location.folder
    done = crowdvote("record", "close", place, "-d", "lake")
    assert (done.returncode, "Final snapshot" in done.stderr) == (0, True)
    (final,) = list_snapshots(store, "lake").to_dicts()
    assert (final["is_final"], final["timestamp"]) == (True, NOON + HOUR)
    again = crowdvote("record", "close", place, "-d", "lake")
    assert (again.returncode, "was closed at" in again.stderr) == (1, True)
    assert len(list_snapshots(store, "lake")) == 1


def test_closing_again_takes_a_final_that_is_missing(store: Store) -> None:
    """Whoever was stopped between the closing and the count closes once more."""
    close(store)
    done = crowdvote("record", "close", store.location.folder, "-d", "pond")
    assert (done.returncode, "Final snapshot" in done.stderr) == (0, True)


def test_a_count_of_what_is_closed_says_which_final_stands(store: Store) -> None:
    """And whether today's tables say something else."""
    place = store.location.folder

    def notes() -> str:
        return " ".join(json.loads(crowdvote("count", place, "-d", "pond", "--json").stdout)["notes"])

    assert "final" not in notes()
    close(store)
    assert "over, and without a final snapshot: pond" in notes()
    final = take_snapshot(store, "pond")["snapshot_id"]
    assert f"its final snapshot {final} stands (winner: Lilies)." in notes()
    assert "differs" not in notes()
    join(store, "Zoe")
    assert "has the same winner and other numbers" in notes()
    recording.leave(store, store.cut().rows("communities")["community_id"][0], "Kelly")
    assert f"its final snapshot {final} stands (winner: Lilies)." in notes()
    assert "This count of the tables of today differs (winner: Fish)." in notes()


def test_an_import_says_which_finals_are_missing(tmp_path: Path) -> None:
    """And which command takes them."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "decisions.csv").write_text("decision_id,closes_at\npier,2026-05-08\n", "utf-8")
    (folder / "ballots.csv").write_text("decision_id,member_id,cast_at,Yes\npier,Ana,2026-05-01,5\n", "utf-8")
    done = crowdvote("import", folder, tmp_path / "store")
    assert f"without a final snapshot: pier. To take it: crowdvote snapshot recover {tmp_path / 'store'}" in "".join(
        done.stderr.replace("\n", "")
    )
    assert crowdvote("snapshot", "health", tmp_path / "store").returncode == 4
    assert crowdvote("snapshot", "recover", tmp_path / "store").returncode == 0
    assert crowdvote("snapshot", "health", tmp_path / "store").returncode == 0


def test_later_commits_need_a_reason(store: Store) -> None:
    """Without one, or without asking for the place of the final, the command does nothing."""
    close(store)
    place = store.location.folder
    for options in (["--with-later", "because"], ["--supersede", "--with-later", " "]):
        assert crowdvote("snapshot", "take", place, "-d", "pond", *options).returncode == 2
    assert list_snapshots(store).is_empty()


def test_a_clock_that_is_ahead_is_told_in_one_sentence(store: Store) -> None:
    """Nothing is taken, and nothing begins."""
    ahead = replace(store, storage_clock=lambda: NOON - HOUR)
    with pytest.raises(Exception, match="more than a minute ahead of that of the storage"):
        take_snapshot(ahead, "pond")
    assert list_snapshots(store).is_empty()


def test_a_ballot_that_was_changed_after_a_close_that_was_moved_stands_as_before(store: Store) -> None:
    """History is kept: the ballot of before the close counts, with its stars and tags (D12)."""
    closing_later(store)
    store.clock.time = NOON + HOUR / 4
    recording.cast_ballot(store, "lake", "Maya", {"Pier": 5})
    store.clock.time = NOON + HOUR / 2
    recording.cast_ballot(store, "lake", "Kelly", {"Pier": 5}, ["trees"])
    moved = store.cut().rows("decisions", decision_id="lake").with_columns(closes_at=pl.lit(NOON + HOUR / 5))
    store.commit("import", lambda _cut, _at: {"decisions": moved})
    with pytest.warns(match="1 ballot was changed after the close of its decision"):
        state = store.state()
    kelly = state.votes.filter(decision_id="lake", member_id="Kelly")
    assert kelly.select("choice_id", pl.col("stars").cast(int)).rows() == [("Boat", 4)]
    with warnings.catch_warnings(action="ignore"):
        final = take_snapshot(store, "lake")
        certified = verify_snapshot(store, final["snapshot_id"]).certified
    assert (final["is_final"], final["winner"], final["manual_ballots"], certified) == (True, "Boat", 1, True)
