"""Count history again: every stored snapshot on its frozen tables, on all cores, what did not change only once.

Snapshots of one decision are counted in the order of time, a batch of them in one process: a table that did not change
is read once, and only members whom a change affects are calculated again (E2), which gives what a full count gives.
"""

from __future__ import annotations

import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.affected import resolve_affected
from crowdvote_analysis.errors import CrowdVoteError, TableWarning
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.snapshots.calculation import (
    Result,
    as_asked,
    listed_choices,
    resolve_snapshot,
    staged_tables,
    tallied,
)
from crowdvote_analysis.snapshots.events import list_snapshots, redacted
from crowdvote_analysis.snapshots.inputs import Inputs, Options, decision_of
from crowdvote_analysis.snapshots.verify import Cache, compare, history, open_snapshot
from crowdvote_analysis.tables import UTC as UTC_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store

# The options that everyone's ballot depends on.
_SHARED = ("cycles", "work_limit", "voting_time")
CERTIFIED, DIFFERS, CANNOT, COUNTED = "certified", "differs", "cannot be recounted", "counted"
REPORT = pl.Schema(
    {
        "community_id": pl.String(),
        "decision_id": pl.String(),
        "timestamp": UTC_TIME,
        "snapshot_id": pl.String(),
        "status": pl.String(),
        "is_final": pl.Boolean(),
        "verdict": pl.String(),
        "detail": pl.String(),
        "outcome": pl.String(),
        "winner": pl.String(),
        "margin": pl.Int64(),
        "total_members": pl.Int64(),
        "manual_ballots": pl.Int64(),
        "calculated_ballots": pl.Int64(),
        "participation": pl.Float64(),
        "engine": pl.String(),
        "seconds": pl.Float64(),
    }
)
# Snapshots that one process counts in a row: enough to share work, few enough to lose little when interrupted.
_BATCH = 25


@dataclass(frozen=True)
class Job:
    """Some snapshots of one decision, or one decision at some instants, for one process."""

    store: Store
    rows: tuple[dict[str, Any], ...]
    full: bool = False
    with_history: bool = False


def recompute(
    store: Store,
    *,
    community_id: str | None = None,
    decision_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: Sequence[datetime] = (),
    done: pl.DataFrame | None = None,
    full: bool = False,
    with_history: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """Count stored snapshots again, and compare bit for bit.

    Args:
        store: The store.
        community_id: Snapshots of one community only.
        decision_id: Snapshots of one decision only.
        since: Snapshots of this instant and later ones only.
        until: Snapshots of this instant and earlier ones only.
        as_of: Instead of snapshots, count the decisions as they stood at these instants, from the history of the store.
        done: A report of an earlier run; what stands in it is not counted again.
        full: Count every snapshot from the beginning, sharing nothing.
        with_history: Also hold the frozen tables against the commits of the store, as ``verify_snapshot`` does.
        workers: Processes; as many as there are cores by default. With 1 everything happens in this process.
        progress: Called with (snapshots done, snapshots in all).

    Yields:
        Parts of the report, as they are finished: community_id, decision_id, timestamp, snapshot_id (null for
        instants), status, is_final, verdict, detail, what the recount gives (outcome, winner, margin, total_members,
        manual_ballots, calculated_ballots, participation), engine (version that took the snapshot) and seconds.
        The verdict is ``certified`` (every byte is the same), ``differs`` (detail says where), ``cannot be recounted``
        (detail says why), or ``counted`` for an instant without a snapshot.
    """
    wanted = _only(_instants(store, as_of) if as_of else _snapshots(store), community_id, decision_id)
    if since is not None:
        wanted = wanted.filter(pl.col("timestamp") >= _utc(since))
    if until is not None:
        wanted = wanted.filter(pl.col("timestamp") <= _utc(until))
    if done is not None:
        key = ["decision_id", "timestamp", "snapshot_id"]
        wanted = wanted.join(done.select(key), on=key, how="anti", nulls_equal=True)
    jobs = [replace(job, full=full, with_history=with_history) for job in _jobs(store, wanted)]
    finished = 0
    for part in _run(jobs, workers or os.cpu_count() or 1):
        finished += len(part)
        if progress is not None:
            progress(finished, len(wanted))
        yield part


def run_job(job: Job) -> pl.DataFrame:
    """Count the snapshots of one job, in the order of time."""
    shared = _Shared(job.full, job.with_history)
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # said when the snapshot was taken
        for row in job.rows:
            started = time.perf_counter()
            known = {name: row.get(name) for name in REPORT if name not in ("seconds", "verdict", "detail")}
            found = _judge(job.store, row, shared)
            rows.append(known | found | {"seconds": time.perf_counter() - started})
    return pl.DataFrame(rows, schema=REPORT)


# --- what is to be counted -----------------------------------------------------------------------------------------


def _snapshots(store: Store) -> pl.DataFrame:
    """Those that have frozen something; a capture that failed has nothing to count."""
    return (
        list_snapshots(store)
        .filter(pl.col("inputs_file").is_not_null())
        .select("community_id", "decision_id", "timestamp", "snapshot_id")
    )


def _instants(store: Store, as_of: Sequence[datetime]) -> pl.DataFrame:
    """Every decision with stars of the store at every instant."""
    decisions = store.cut().rows("decisions").filter(method="star").select("community_id", "decision_id")
    times = pl.DataFrame({"timestamp": [_utc(at) for at in as_of]}, schema={"timestamp": UTC_TIME})
    return decisions.join(times, how="cross").with_columns(snapshot_id=pl.lit(None, dtype=pl.String))


def _only(wanted: pl.DataFrame, community_id: str | None, decision_id: str | None) -> pl.DataFrame:
    for name, value in (("community_id", community_id), ("decision_id", decision_id)):
        if value is not None:
            wanted = wanted.filter(pl.col(name) == value)
    return wanted


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _jobs(store: Store, wanted: pl.DataFrame) -> Iterator[Job]:
    """Batches of one decision each, the largest number of them that keeps what is shared together."""
    known = {row["snapshot_id"]: row for row in list_snapshots(store).iter_rows(named=True)}
    ordered = wanted.sort("decision_id", "timestamp", "snapshot_id")
    for _, rows in ordered.group_by("decision_id", maintain_order=True):
        for start in range(0, len(rows), _BATCH):
            batch = rows.slice(start, _BATCH).iter_rows(named=True)
            yield Job(store, tuple({**row, **known.get(row["snapshot_id"], {})} for row in batch))


def _run(jobs: Sequence[Job], workers: int) -> Iterable[pl.DataFrame]:
    if workers == 1 or len(jobs) < 2:
        yield from map(run_job, jobs)
        return
    # Started afresh, since a process that runs threads must not be copied; each with its part of the cores.
    threads = {"POLARS_MAX_THREADS": str(max(1, (os.cpu_count() or 1) // workers))}
    before = {name: os.environ.get(name) for name in threads}
    os.environ.update(threads)
    try:
        left = yield from _in_processes(jobs, workers)
        # A worker that dies takes the pool with it, and nobody says which job it had: those that were not done are done
        # one by one, each in a process of its own, so that only the job that kills its worker is lost.
        for job in left:
            if (yield from _in_processes([job], 1)):
                yield _lost(job)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _in_processes(jobs: Sequence[Job], workers: int) -> Generator[pl.DataFrame, None, list[Job]]:
    """Do jobs in processes of their own; those that were not done because one of the processes was killed."""
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn"))
    waiting = {pool.submit(run_job, job): job for job in jobs}
    left = []
    try:
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                left.append(waiting[future])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [job for job in jobs if any(job is each for each in left)]


def _lost(job: Job) -> pl.DataFrame:
    """The report of a job whose own process was killed, as for want of memory."""
    said = {"verdict": CANNOT, "detail": "the process that counted it was killed; is there enough memory?"}
    rows = [{name: row.get(name) for name in REPORT} | said for row in job.rows]
    return pl.DataFrame(rows, schema=REPORT)


# --- counting ------------------------------------------------------------------------------------------------------


class _Shared:
    """What one count leaves for the next of the same decision."""

    def __init__(self, full: bool, with_history: bool) -> None:
        self.cache = Cache()
        self.with_history = with_history
        self._full = full
        self._last: tuple[Options, str, Resolution, Result] | None = None

    def count(self, state: SystemState, options: Options, content_hash: str) -> Result:
        """Count a state, as far as the last one does not say what comes out."""
        if self._last is not None and not self._full:
            before, content, resolution, result = self._last
            if (before, content) == (options, content_hash):
                return result
            if all(getattr(before, name) == getattr(options, name) for name in _SHARED):
                asked = as_asked(state, options)
                resolution = resolve_affected(asked, resolution, cycles=options.cycles, work_limit=options.work_limit)
                return self._kept(state, options, content_hash, resolution)
        return self._kept(state, options, content_hash, resolve_snapshot(state, options))

    def _kept(self, state: SystemState, options: Options, content_hash: str, resolution: Resolution) -> Result:
        result = tallied(staged_tables(resolution, options), listed_choices(state), options)
        self._last = (options, content_hash, resolution, result)
        return result

    def forget(self, files: Iterable[str]) -> None:
        """Drop tables that the next snapshot does not have."""
        kept = set(files)
        self.cache = Cache({name: frame for name, frame in self.cache.items() if name in kept})


def _judge(store: Store, row: dict[str, Any], shared: _Shared) -> dict[str, Any]:
    try:
        if row["snapshot_id"] is None:
            return _counted(store, row, shared)
        return _recounted(store, row, shared)
    except CrowdVoteError as error:
        return {"verdict": CANNOT, "detail": redacted(str(error))}
    except Exception as error:  # the others are counted all the same
        return {"verdict": CANNOT, "detail": f"unexpected {type(error).__name__}"}


def _recounted(store: Store, row: dict[str, Any], shared: _Shared) -> dict[str, Any]:
    found = open_snapshot(store, row, shared.cache, public=False)
    if found.inputs is None or found.state is None or found.problems:
        why = found.problems or [f"it is {row['status']}: nothing was frozen"]
        return {"verdict": CANNOT, "detail": redacted("; ".join(why))}
    if shared.with_history:
        check = history(store, found.inputs)
        if not check.ok:
            return {"verdict": DIFFERS, "detail": f"{check.what}: {check.detail}"}
    inputs: Inputs = found.inputs
    result = shared.count(found.state, inputs.options, inputs.content_hash)
    facts = {name: value for name, value in result.facts().items() if name in REPORT}
    if found.result is None:
        return {"verdict": CANNOT, "detail": f"it is {row['status']}: there is no result to compare", **facts}
    checks = [check for check in compare(found, result) if not check.ok]
    shared.forget(found.files)
    if checks:
        detail = "; ".join(f"{check.what}: {check.detail}" for check in checks)
        return {"verdict": DIFFERS, "detail": detail, **facts}
    return {"verdict": CERTIFIED, **facts}


def _counted(store: Store, row: dict[str, Any], shared: _Shared) -> dict[str, Any]:
    cut = store.cut(as_of=row["timestamp"])
    decision_of(cut, row["decision_id"])
    state = cut.state(row["decision_id"])
    result = shared.count(state, Options(None, "starvote", (), WORK_LIMIT), f"commit {cut.seq}")
    return {"verdict": COUNTED, **{name: value for name, value in result.facts().items() if name in REPORT}}
