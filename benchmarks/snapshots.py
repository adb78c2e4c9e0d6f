"""Stores and snapshots: what is measured against what; each first makes sure that both sides give the same answer."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

import crowdvote_analysis as cv
from benchmarks.comparison import Comparison, Result, seconds, timed
from benchmarks.measure import in_turns, once
from benchmarks.networks import community
from crowdvote_analysis.snapshots import list_snapshots, read_result, recompute, take_snapshot
from crowdvote_analysis.store import Store, import_state, recording
from crowdvote_analysis.store.delta import append, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DECISION = "decision 0000"
_MEMBERS = 10_000
_SNAPSHOTS = 1_000


@contextmanager
def _town(members: int) -> Iterator[Store]:
    """A store of one community of members who follow five others each, a tenth of whom have voted."""
    folder = Path(tempfile.mkdtemp(prefix="crowdvote-"))
    try:
        store = Store.create(folder / "town")
        import_state(store, cv.SystemState(**community(members)))
        yield store
    finally:
        shutil.rmtree(folder)


def _snapshot(size: float, runs: int) -> Result:
    """Capture, stage, tally and keep, beside the same count with its tables simply written."""
    with _town(max(100, int(_MEMBERS * size))) as store, tempfile.TemporaryDirectory() as folder:
        frames = community(max(100, int(_MEMBERS * size)))

        def count() -> None:
            resolution = cv.resolve(cv.SystemState(**frames))
            tables = {"ballots": resolution.ballots, "stars": resolution.stars, "sources": resolution.sources}
            for name, frame in (tables | {"tallies": cv.tally_all(resolution)}).items():
                frame.write_parquet(Path(folder) / f"{name}.parquet")

        taken = take_snapshot(store, _DECISION)
        tallies = read_result(store, taken["snapshot_id"]).tables["tallies"]
        assert tallies.equals(cv.tally_all(cv.resolve(store.state())))
        return _in_seconds(lambda: take_snapshot(store, _DECISION), count, runs)


def _capture(size: float, runs: int) -> Result:
    """A consistent cut of a store with a thousand commits, beside reading the same tables from one file each."""
    with _town(max(100, int(_MEMBERS * size))) as store, tempfile.TemporaryDirectory() as folder:
        voters = store.state().ballots["member_id"].to_list()
        for number in range(max(4, int(1_000 * size))):
            _cast(store, voters, number)
        state = store.state()
        state.write(folder)
        assert len(cv.SystemState.read(folder).votes) == len(state.votes)
        return _in_seconds(store.state, lambda: cv.SystemState.read(folder), runs)


def _in_seconds(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> Result:
    """Our time as it is, since the bar is a time; the peer's is told beside it."""
    timing = in_turns(ours, peer, runs)
    return Result(seconds(timing.ours), seconds(timing.peer), timing.ours)


def _cast(store: Store, voters: list[str], number: int) -> None:
    stars = {f"choice {choice:02d}": (number + choice) % 6 for choice in range(5)}
    recording.cast_ballot(store, _DECISION, voters[number * 7 % len(voters)], stars, ["budget"])


def _commit(size: float, runs: int) -> Result:
    """One ballot with five stars, checked and atomic, against three bare appends to Delta tables."""
    with _town(max(100, int(_MEMBERS * size))) as store, _town(100) as other:
        voters = store.state().ballots["member_id"].to_list()
        rows = {
            name: other.cut().history(name).drop("seq", "committed_at", "action").head(5).collect()
            for name in ("ballots", "votes")
        }
        commits = other.cut().stored.head(1)
        number = iter(range(10**6))

        def bare() -> None:
            for name, frame in rows.items():
                append(open_table(other.location, name), frame.with_columns(commit_id=pl.lit("x")))
            append(open_table(other.location, "commits"), commits)

        return timed(lambda: _cast(store, voters, next(number)), bare, 4 * runs)


@cache
def _past(members: int, snapshots: int) -> Store:
    """A store with snapshots, each after somebody gave other stars; made once, and gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="crowdvote-"))
    atexit.register(shutil.rmtree, folder)
    store = Store.create(folder / "town")
    import_state(store, cv.SystemState(**community(members)))
    voters = store.state().ballots["member_id"].to_list()
    for number in range(snapshots):
        _cast(store, voters, number)
        take_snapshot(store, _DECISION)
    return store


def _recount(store: Store, workers: int, newest: int | None = None) -> None:
    since = list_snapshots(store)["timestamp"][newest - 1] if newest else None
    report = pl.concat(recompute(store, workers=workers, since=since))
    assert (report["verdict"] == "certified").all()


def _both_cores(size: float, runs: int) -> Result:
    """All snapshots on all cores, against one process; once each, as one run is a thousand counts."""
    del runs
    store = _past(*_sizes(size))
    return timed(lambda: _recount(store, 2), lambda: _recount(store, 1), 1)


def _growth(size: float, runs: int) -> Result:
    """Seconds a snapshot of all snapshots, against those of the newest tenth alone."""
    members, snapshots = _sizes(size)
    store, few = _past(members, snapshots), max(4, snapshots // 10)
    alone = median(once(lambda: _recount(store, 1, few)) for _ in range(runs)) / few
    whole = once(lambda: _recount(store, 1)) / snapshots
    return Result(f"{whole * 1000:.0f} ms each", f"{alone * 1000:.0f} ms each", whole / alone)


def _sizes(size: float) -> tuple[int, int]:
    """Members and snapshots: all members from a tenth of the size on, as it is their history that is measured."""
    return max(100, int(_MEMBERS * min(1, 10 * size))), max(8, int(_SNAPSHOTS * size))


COMPARISONS = [
    Comparison(
        "commit",
        "one ballot of five stars into a store of 10,000 members: checked, one atomic commit",
        "three bare appends to Delta tables",
        (5, 3),
        "×",
        _commit,
    ),
    Comparison(
        "capture",
        "the tables of 10,000 members, 50,000 followings and 1,000 commits as they stand: one consistent state",
        "the bar of the old system; beside it, reading the same tables from one Parquet file each",
        (30, 1),
        "s",
        _capture,
    ),
    Comparison(
        "snapshot",
        "10,000 members, 50,000 followings: capture, stage, tally, keep with hashes and events",
        "seconds, and one; beside it, the same count in memory, its tables written without hashes",
        (10, 1),
        "s",
        _snapshot,
    ),
    Comparison(
        "recompute",
        "1,000 snapshots of 10,000 members recounted and certified on two cores",
        "one process",
        (0.75, 0.6),
        "×",
        _both_cores,
    ),
    Comparison(
        "history",
        "recounting all of 1,000 snapshots, by snapshot",
        "recounting the newest hundred, by snapshot",
        (1.25, 1.1),
        "×",
        _growth,
    ),
]
