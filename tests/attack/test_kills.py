"""Processes that take snapshots, finals and recounts are killed at any moment: what they told is there, certified.

``make soak`` kills until two hundred snapshots were hit while they ran; the quick run until a few were.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
import warnings
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis import SystemState
from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.snapshots import health, list_snapshots, recompute, recover, take_snapshot, verify_snapshot
from crowdvote_analysis.snapshots.check import check_store, is_whole
from crowdvote_analysis.snapshots.events import RUNNING
from crowdvote_analysis.store import Store, import_state, recording

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

MEMBERS = 40
QUICK, WHOLE = 2, 200
# Longer than a round takes, so that the one before it is killed and not ended.
_ROUNDS = 1_000
_BEGUN = [*RUNNING, "ready"]


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["deltalake", "filelock", "polars", "pyarrow", "scipy.sparse", __name__])
    return context


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A community that follows in rings, so that a snapshot takes a while."""
    made = Store.create(tmp_path / "kept")
    recording.create_community(made, "garden")
    frames = {}
    names = [f"member {number:02}" for number in range(MEMBERS)]
    frames["members"] = pl.DataFrame({"community_id": "garden", "member_id": names})
    pairs = [(one, names[(place + step) % MEMBERS]) for place, one in enumerate(names) for step in (1, 3)]
    frames["followings"] = pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row").with_columns(
        community_id=pl.lit("garden"), tags=pl.lit([], dtype=pl.List(pl.String))
    )
    import_state(made, SystemState(communities=pl.DataFrame({"community_id": ["garden"]}), **frames))
    return made


def work(where: str, seed: int, told: Connection) -> None:
    """Vote, take snapshots, close decisions and count again, and tell of every snapshot that is there."""
    warnings.simplefilter("ignore", TableWarning)
    store, draw = Store.open(where), random.Random(seed)
    for number in range(_ROUNDS):
        decision = f"d{seed}-{number}"
        recording.create_decision(store, "garden", decision, choices=["Oak", "Elm"])
        recording.publish_decision(store, decision)
        for _ in range(2):
            who = f"member {draw.randrange(MEMBERS):02}"
            recording.cast_ballot(store, decision, who, {"Oak": draw.randrange(6), "Elm": draw.randrange(6)})
            told.send(("begin", ""))
            told.send(("taken", take_snapshot(store, decision)["snapshot_id"]))
        recording.close_decision(store, decision)
        told.send(("final", take_snapshot(store, decision)["snapshot_id"]))
        for _ in recompute(store, decision_id=decision, workers=1):
            pass


def heard(pipe: Connection, told: dict[str, str]) -> None:
    with suppress(EOFError, OSError):
        while pipe.poll(0):
            kind, name = pipe.recv()
            if name:
                told[name] = kind


def killed_until(store: Store, processes, wanted: int, seed: int) -> tuple[int, int, dict[str, str]]:
    """Kill until so many snapshots were hit while they ran: kills, hits, and what was told."""
    moments, told, kills, hits = random.Random(seed), {}, 0, 0
    while hits < wanted and kills < 10 * wanted:
        mine, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=work, args=(str(store.location), seed * 10_000 + kills, theirs), daemon=True)
        process.start()
        theirs.close()
        for _ in range(moments.randrange(1, 6)):  # so that some are complete, and some are about to begin
            assert mine.poll(60)
            kind, name = mine.recv()
            told |= {name: kind} if name else {}
        time.sleep(moments.uniform(0, 0.5))
        process.kill()
        process.join(30)
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        heard(mine, told)
        known = list_snapshots(store)
        hits += len(known.filter(pl.col("status").is_in(_BEGUN)))
        # Whoever comes next marks it at once: the health of the store, and the next one who calculates.
        for decision in known.filter(pl.col("status").is_in(_BEGUN))["decision_id"].unique():
            take_snapshot(store, decision, trigger="after a kill", supersede=True)
        assert list_snapshots(store).filter(pl.col("status").is_in(_BEGUN))["snapshot_id"].to_list() == []
    return kills, hits, told


def require_kept(store: Store, told: dict[str, str]) -> None:
    """Everything that was told of is there and certified, and the store is whole."""
    known = dict(list_snapshots(store).select("snapshot_id", "status").iter_rows())
    assert {name: known.get(name) for name in told} == dict.fromkeys(told, "completed")
    for name in told:
        found = verify_snapshot(store, name)
        assert found.certified, found.checks
    assert is_whole(check_store(store))
    recover(store, cooling=timedelta(0))
    unresolved = health(store)
    assert unresolved["stuck"] == 0
    assert unresolved["without_final"] == []


@pytest.mark.slow
def test_a_few_kills_lose_nothing_that_was_told(store: Store, processes) -> None:
    """The same as below, a few times."""
    _, hits, told = killed_until(store, processes, QUICK, seed=1)
    assert hits >= QUICK
    assert told
    require_kept(store, told)


@pytest.mark.soak
def test_two_hundred_snapshots_that_are_killed_lose_nothing_that_was_told(store: Store, processes) -> None:
    """Takers, finals and recounts."""
    kills, hits, told = killed_until(store, processes, WHOLE, seed=2)
    print(f"{kills} kills, {hits} of a running snapshot, {len(told)} snapshots told of")
    assert hits >= WHOLE
    assert set(told.values()) == {"taken", "final"}
    require_kept(store, told)
