"""Snapshots that are taken while others write: every one is a whole state, and counted right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis.snapshots import list_snapshots, read_inputs, read_result, take_snapshot, verify_snapshot
from tests.store.test_concurrency import (  # noqa: F401 - fixtures and marks
    CHOICES,
    WRITERS,
    heard,
    processes,
    pytestmark,
    started,
    store,
)

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

    from crowdvote_analysis.store import Store

COMMITS, SNAPSHOTS = 6, 12


def test_snapshots_taken_while_eight_writers_vote_are_consistent_and_right(
    store: Store,  # noqa: F811
    processes: ForkServerContext,  # noqa: F811
) -> None:
    """Every ballot in them is whole, they are what the store held at that commit, and a recount gives the same."""
    writers = [started(processes, store, number, number * 1000, COMMITS) for number in range(WRITERS)]
    taken = []
    while any(process.is_alive() for process, _ in writers) and len(taken) < SNAPSHOTS:
        taken.append(take_snapshot(store, "decision", trigger="stress"))
    told = [seq for _, pipe in writers for seq, _ in heard(pipe) if seq]
    for process, _ in writers:
        process.join(30)
        assert process.exitcode == 0
    assert set(told) <= set(store.cut().commits["seq"])
    assert len(told) == WRITERS * COMMITS
    taken.append(take_snapshot(store, "decision"))
    assert len(taken) > 2
    assert list_snapshots(store)["status"].to_list() == ["completed"] * len(taken)
    for row in taken:
        votes = read_inputs(store, row["snapshot_id"])[1].votes
        ballots = votes.group_by("member_id").agg(pl.col("stars").n_unique().alias("different"), pl.len())
        assert ballots.filter((pl.col("different") != 1) | (pl.col("len") != len(CHOICES))).is_empty()
        state = store.cut(seq=row["seq"]).state("decision")
        expected = cv.tally_all(cv.resolve(state))
        assert read_result(store, row["snapshot_id"]).tables["tallies"].equals(expected)
        assert verify_snapshot(store, row["snapshot_id"]).certified
    assert taken[-1]["manual_ballots"] == WRITERS
