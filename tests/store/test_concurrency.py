"""Many writers at once, and writers that are killed at any moment: nothing acknowledged is lost, nothing is half there.

Writers are processes that are forked from one that has imported everything and used nothing, so that one costs little.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.snapshots.check import check_store, is_whole
from crowdvote_analysis.store import Store, delta, recording

if TYPE_CHECKING:
    from crowdvote_analysis.store.cut import Cut

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("all_cores"),
    pytest.mark.skipif(
        "forkserver" not in multiprocessing.get_all_start_methods(), reason="processes cannot be forked here"
    ),
]

CHOICES = [f"choice {number}" for number in range(5)]
WRITERS, COMMITS = 8, 6
KILLS, AT_ONCE = 200, 8


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["deltalake", "filelock", "polars", "pyarrow", "tests.store.test_concurrency"])
    return context


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with an open decision of five choices and a member for every writer."""
    made = Store.create(tmp_path / "busy")
    recording.create_community(made, "community")
    for number in range(WRITERS):
        recording.join(made, "community", f"member {number}")
    recording.create_decision(made, "community", "decision", choices=CHOICES)
    recording.publish_decision(made, "decision")
    return made


def cast(store: Store, member: str, marker: int) -> int:
    """Cast a ballot all of whose stars carry one number, also its tag; gives the number of the commit."""
    stars = dict.fromkeys(CHOICES, f"{marker % 500_000_000 / 10**8:.8f}")
    return recording.cast_ballot(store, "decision", member, stars, [str(marker)]).seq


def write(folder: str, member: str, first: int, commits: int, told: Connection) -> None:
    """A writer: casts ballot after ballot, and tells each after it is there."""
    delta.MANY_FILES = 6  # so that files are put together all the time, also while others do
    store = Store.open(folder)
    told.send((0, 0))
    for marker in range(first, first + commits):
        told.send((cast(store, member, marker), marker))
    told.close()


def started(
    processes: ForkServerContext, store: Store, member: int, first: int, commits: int
) -> tuple[ForkServerProcess, Connection]:
    mine, theirs = processes.Pipe(duplex=False)
    arguments = (str(store.location), f"member {member}", first, commits, theirs)
    process = processes.Process(target=write, args=arguments, daemon=True)
    process.start()
    theirs.close()
    return process, mine


def heard(told: Connection) -> Iterator[tuple[int, int]]:
    """What a writer has told, to the end; one that was killed may have been cut off in the middle of it."""
    with suppress(EOFError, OSError):
        while told.poll(30):
            yield told.recv()


def require_whole(cut: Cut) -> dict[str, int]:
    """Every ballot has five stars and a tag that carry one number; gives it, by member."""
    ballots, votes = cut.rows("ballots"), cut.rows("votes")
    stars = votes.group_by("member_id").agg(pl.col("stars").n_unique().alias("different"), pl.len(), pl.first("stars"))
    both = ballots.join(stars, on="member_id", how="full", coalesce=True)
    assert both.null_count().sum_horizontal().item() == 0
    markers = both.select("member_id", marker=pl.col("tags").list.first().cast(pl.Int64))
    for row, (member, marker) in zip(both.iter_rows(named=True), markers.iter_rows(), strict=True):
        assert (row["different"], row["len"]) == (1, len(CHOICES)), member
        assert int(row["stars"] * 10**8) == marker, member
    return dict(markers.iter_rows())


def test_no_commit_of_many_writers_is_lost_and_every_reader_sees_whole_ballots(
    store: Store, processes: ForkServerContext
) -> None:
    """Eight writers at once, and a reader who takes one cut after the other meanwhile."""
    before = store.cut().seq
    writers = [started(processes, store, number, number * 1000, COMMITS) for number in range(WRITERS)]
    cuts = 0
    while any(process.is_alive() for process, _ in writers) and cuts < 500:
        cut = store.cut()
        require_whole(cut)
        assert is_whole(check_store(store))
        cuts += 1
        time.sleep(0.05)
    told = [row for _, pipe in writers for row in heard(pipe) if row[0]]
    for process, _ in writers:
        process.join(30)
        assert process.exitcode == 0
    assert cuts > 1
    commits = store.cut().commits.filter(pl.col("seq") > before)
    assert len(told) == WRITERS * COMMITS
    assert sorted(commits["seq"]) == sorted(seq for seq, _ in told)
    assert commits["seq"].is_unique().all()
    assert commits["committed_at"].is_sorted()
    assert commits["committed_at"].is_unique().all()
    last = {f"member {number}": number * 1000 + COMMITS - 1 for number in range(WRITERS)}
    assert require_whole(store.cut()) == last
    store.cut().require_complete()
    assert is_whole(check_store(store))


def test_writers_that_are_killed_lose_nothing_that_they_told_and_leave_nothing_half_done(
    store: Store, processes: ForkServerContext
) -> None:
    """Two hundred writers are killed at random moments; after each round the store is whole and takes new commits."""
    moments = random.Random(20260615)
    told: dict[int, int] = {}
    marker = 0
    killed = 0
    while killed < KILLS:
        writers = []
        for number in range(AT_ONCE):
            marker += 1000
            writers.append(started(processes, store, number, marker, 1000))
        for _, pipe in writers:  # all are up
            assert pipe.poll(30)
            assert pipe.recv() == (0, 0)
        busy = moments.randrange(4)  # commits that are waited for, so that every moment of a commit has its turn
        patience = time.monotonic() + 5
        for _ in range(busy):
            for pipe in wait([pipe for _, pipe in writers], max(0, patience - time.monotonic()))[:1]:
                seq, number = pipe.recv()
                told[seq] = number
        time.sleep(moments.uniform(0, 0.1))
        for process, _ in moments.sample(writers, AT_ONCE):
            process.kill()
            time.sleep(moments.choice([0, 0, 0.005, 0.02]))
        wait([process.sentinel for process, _ in writers], 30)
        for process, pipe in writers:
            process.join(30)
            assert process.exitcode == -signal.SIGKILL
            killed += 1
            told |= dict(heard(pipe))
        cut = store.cut()
        require_whole(cut)
        cut.require_complete()
    recorded = store.cut().commits["seq"]
    assert len(told) >= KILLS / AT_ONCE  # or nothing was tried here
    assert set(told) <= set(recorded)
    opened = Store.open(str(store.location))
    history = opened.cut().history("ballots").select("seq", pl.col("tags").list.first().cast(pl.Int64)).collect()
    by_commit = dict(history.iter_rows())
    assert {seq: by_commit[seq] for seq in told} == told
    opened.state()
    assert is_whole(check_store(opened))
    seq = cast(opened, "member 0", 7)
    assert seq > max(recorded)
    assert require_whole(opened.cut())["member 0"] == 7
