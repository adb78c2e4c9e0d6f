"""History counted again: certified, differs, or cannot be recounted, and why."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.snapshots import lifecycle, recounts
from crowdvote_analysis.snapshots.events import list_snapshots
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.snapshots.recounts import recompute
from crowdvote_analysis.store import delta
from crowdvote_analysis.store.store import Store
from tests.snapshots import killing
from tests.snapshots.garden import cast
from tests.snapshots.test_verify import altered, file_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def seven(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven snapshots: other stars, other tags, other rules, nothing new."""
    folder = tmp_path_factory.mktemp("seven") / "garden"
    shutil.copytree(planted, folder)
    store = Store.open(folder)
    take_snapshot(store, "pond")
    cast(store, "Kelly", {"Lilies": "0", "Fish": "5"}, ("trees",))
    take_snapshot(store, "pond")
    cast(store, "Nora", {"Lilies": "4"}, ())
    take_snapshot(store, "pond")
    take_snapshot(store, "pond")
    take_snapshot(store, "pond", cycles="equilibrium")
    cast(store, "Maya", {"Lilies": "1"}, ("trees", "budget"))
    take_snapshot(store, "pond", protocol="losses")
    take_snapshot(store, "pond", cycles="equilibrium", protocol="bettervoting")
    return folder


@pytest.fixture
def past(seven: Path, tmp_path: Path) -> Store:
    """A copy of them."""
    shutil.copytree(seven, tmp_path / "garden")
    return Store.open(tmp_path / "garden")


def report(store: Store, **asked) -> pl.DataFrame:
    return pl.concat(recompute(store, **{"workers": 1, **asked})).sort("timestamp")


@pytest.mark.usefixtures("all_cores")
@pytest.mark.parametrize("asked", [{}, {"full": True}, {"workers": 2}])
def test_every_snapshot_is_certified(past: Store, monkeypatch, asked) -> None:
    """With shared work, without, and on two cores: the same winners, bit for bit the same results."""
    monkeypatch.setattr(recounts, "_BATCH", 4)
    found = report(past, **asked)
    known = list_snapshots(past).sort("timestamp")
    assert found["verdict"].to_list() == ["certified"] * 7
    same = ["snapshot_id", "winner", "outcome", "margin", "participation", "manual_ballots", "timestamp"]
    assert found.select(same).equals(known.select(same))
    assert (found["seconds"] > 0).all()


@pytest.mark.usefixtures("all_cores")
def test_a_worker_that_is_killed_costs_its_own_job_alone(past: Store, monkeypatch, tmp_path: Path) -> None:
    """The others are counted all the same, also those of whoever was killed once; one that kills again is told."""
    monkeypatch.setattr(recounts, "_BATCH", 1)
    monkeypatch.setattr(recounts, "run_job", killing.run_job)
    names = list_snapshots(past).sort("timestamp")["snapshot_id"].to_list()
    monkeypatch.setenv(killing.ONCE, str(tmp_path / "killed"))
    monkeypatch.setenv(killing.ALWAYS, names[3])
    found = report(past, workers=2)
    verdicts = dict(found.select("snapshot_id", "verdict").iter_rows())
    assert (tmp_path / "killed").exists()
    assert verdicts == dict.fromkeys(names, "certified") | {names[3]: "cannot be recounted"}
    assert "was killed" in found.filter(snapshot_id=names[3])["detail"].item()


def test_what_differs_or_cannot_be_recounted_is_told_and_the_rest_goes_on(past: Store, monkeypatch) -> None:
    """A wrong result, a damaged file and a snapshot that never had a result each get their verdict."""
    names = list_snapshots(past).sort("timestamp")["snapshot_id"].to_list()
    altered(file_of(past, names[1], "votes"))
    with monkeypatch.context() as patch:
        staged = lifecycle.staged_tables
        wrong = pl.lit(9, pl.Int64)
        patch.setattr(
            lifecycle,
            "staged_tables",
            lambda *asked: {
                **staged(*asked),
                "stats": staged(*asked)["stats"].with_columns(no_ballot=wrong),
            },
        )
        take_snapshot(past, "pond")
        patch.setattr(lifecycle, "resolve_snapshot", lambda *_: 1 / 0)
        with pytest.raises(SnapshotError):
            take_snapshot(past, "pond")
        patch.setattr(lifecycle, "freeze_inputs", lambda *_, **__: 1 / 0)
        with pytest.raises(SnapshotError):
            take_snapshot(past, "pond")
    found = report(past)
    verdicts = found["verdict"].to_list()
    assert verdicts == ["certified", "cannot be recounted", *["certified"] * 5, "differs", "cannot be recounted"]
    details = found["detail"].to_list()
    assert details[1].startswith("votes (snapshots/objects/")
    assert file_of(past, names[1], "votes").name not in details[1]  # a report may be published (P1)
    assert details[7] == "stats: 1 row differs"
    assert "there is no result to compare" in details[8]


def test_snapshots_are_chosen_by_decision_community_and_time(past: Store) -> None:
    """Only those that are asked for are counted."""
    times = list_snapshots(past)["timestamp"].sort()
    assert len(report(past, since=times[2], until=times[4])) == 3
    assert len(report(past, since=times[2].replace(tzinfo=None))) == 5
    assert len(report(past, community_id="community", decision_id="pond")) == 7
    assert list(recompute(past, decision_id="roof", workers=1)) == []
    assert list(recompute(past, community_id="elsewhere", workers=1)) == []


def test_an_interrupted_run_goes_on_where_it_was(past: Store, monkeypatch) -> None:
    """What an earlier report holds is not counted again."""
    monkeypatch.setattr(recounts, "_BATCH", 3)
    first = next(iter(recompute(past, workers=1)))
    rest = report(past, done=first)
    assert len(first) == 3
    assert len(rest) == 4
    assert set(first["snapshot_id"]).isdisjoint(rest["snapshot_id"])


def test_a_history_that_was_rewritten_is_found_on_request(past: Store) -> None:
    """A recount is of what is frozen; with the history it is also held against the commits of the store."""
    delta.open_table(past.location, "votes").update(predicate="choice_id = 'Fish'", updates={"stars": "0"})
    assert set(report(past)["verdict"]) == {"certified"}
    found = report(past, with_history=True)
    assert set(found["verdict"]) == {"differs"}
    assert "other rows in votes" in found["detail"][0]


def test_progress_counts_snapshots(past: Store) -> None:
    """Whoever waits sees how far it is."""
    seen = []
    report(past, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (7, 7)


def test_instants_without_a_snapshot_are_counted_from_history(past: Store) -> None:
    """The outcome at any instant is that of a snapshot taken then; before the decision there is none."""
    known = list_snapshots(past).sort("timestamp")
    instants = [known["timestamp"][0], known["timestamp"][2], known["timestamp"][0] - timedelta(days=999)]
    found = report(past, as_of=instants)
    assert found["verdict"].to_list() == ["cannot be recounted", "counted", "counted"]
    assert found["winner"].to_list()[1:] == [known["winner"][0], known["winner"][2]]
    assert found["snapshot_id"].null_count() == 3
    assert "'pond' is not in the store" in found["detail"][0]


def test_what_was_shared_is_what_a_full_count_gives(past: Store) -> None:
    """A recount that starts from the one before certifies the same as one that starts from nothing."""
    shared, alone = report(past), report(past, full=True)
    assert shared.drop("seconds").equals(alone.drop("seconds"))
