"""A snapshot from its first event to its last: capture, stage, tally (S1 to S5, S8).

Every step begins with an event that says so and ends with one that says what came out, or what went wrong. What a step
needs is frozen by the step before, so that one that failed can be done again later on the same inputs.
"""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

import polars as pl

from crowdvote_analysis import __version__
from crowdvote_analysis.errors import (
    BusyError,
    CrowdVoteError,
    FinalSnapshotError,
    RefusedRecordError,
    SnapshotError,
    reason,
)
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.loop_rules import check_rule
from crowdvote_analysis.snapshots import calculation
from crowdvote_analysis.snapshots.calculation import STAGED, listed_choices, resolve_snapshot, staged_tables, tallied
from crowdvote_analysis.snapshots.events import FAILED, append_event, find_snapshot, list_snapshots
from crowdvote_analysis.snapshots.inputs import (
    Options,
    decision_of,
    freeze_inputs,
    is_closed,
    named,
    people_of,
    rule_to_freeze,
)
from crowdvote_analysis.snapshots.loop_winners import loops_of_final
from crowdvote_analysis.snapshots.reading import read_document, read_frozen, read_people
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.store.closing import closing
from crowdvote_analysis.store.decisions import close_by_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Store

    Progress = Callable[[int, int], None]

_Made = TypeVar("_Made")

# Faults that pass are tried again three times (S5); these do not pass by themselves.
_WAITS = 3
_LASTING = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


def take_snapshot(
    store: Store,
    decision_id: str,
    *,
    trigger: str = "manual",
    cycles: str | None = None,
    protocol: str = "starvote",
    tie_order: Sequence[str] = (),
    work_limit: int = WORK_LIMIT,
    supersede: bool = False,
    later: str | None = None,
    wait: float = 60.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Freeze a decision as it is now, or as it was when it was closed, and count it.

    Where the time of a decision is over and no commit has closed it, one is made first, so that nothing lands before
    the end any more (S10).

    Args:
        store: The store.
        decision_id: The decision.
        trigger: Why, in a word or two (E1).
        cycles: Rule for loops, ``auto`` (Y6), ``path`` (Y1) or ``equilibrium`` (Y4); by default the one the community
            had when the decision was published.
        protocol: Name of the tie protocol (K3).
        tie_order: The order that the community manager gave for ties, best first (K7).
        work_limit: Steps the rule ``path`` may take for all loops (Y3).
        supersede: Put this final snapshot in the place of the one that is there (S3).
        later: Why a final snapshot is to count what was recorded since the decision was closed as well, in a few words;
            they become the trigger. Nothing of it counts by default (S10).
        wait: Seconds to wait while somebody else calculates the same decision (S8).
        progress: Called with (ballots done, ballots in all).

    Returns:
        What there is to say about it; see ``list_snapshots``.

    Raises:
        UnknownDecisionError: The decision is not in the store, is a draft, or is voted on with yes and no.
        FinalSnapshotError: The decision is closed, and its final snapshot is there.
        BusyError: Somebody else calculates the decision.
        ClockError: The clock here is ahead of that of the storage.
        SnapshotError: A step failed; the event that says so is kept, and ``recover`` tries again.
        InvalidElectionError, ValueError: There is no such tie protocol, or no such rule for loops.
    """
    protocol_named(protocol)
    check_rule(cycles)
    options = Options(cycles, protocol, tuple(tie_order), work_limit)
    with calculating(store, decision_id, wait):
        mark_stopped(store, decision_id)
        moment = _moment(store, decision_id, later=later is not None)
        supersedes = _final_to_supersede(store, decision_id, supersede) if moment.is_final else None
        snapshot_id = capture(store, decision_id, options, later or trigger, supersedes, moment=moment)
        stage(store, snapshot_id, progress)
        tally(store, snapshot_id)
    return find_snapshot(store, snapshot_id)


@contextmanager
def calculating(store: Store, decision_id: str, wait: float = 0.0) -> Iterator[None]:
    """Be the only one who calculates a decision (S8).

    Raises:
        BusyError: Somebody else does, and did not finish in time.
    """
    name = f"calculation-{hashlib.sha256(decision_id.encode()).hexdigest()[:16]}"
    turn = store.location.turn(name, wait)
    try:
        turn.__enter__()
    except BusyError:
        raise BusyError("Calculation already in progress for this decision. Try again when it is complete.") from None
    try:
        yield
    finally:
        turn.__exit__(None, None, None)


def is_calculating(store: Store, decision_id: str) -> bool:
    """Whether some process of this machine calculates a decision."""
    try:
        with calculating(store, decision_id):
            return False
    except BusyError:
        return True


def mark_stopped(store: Store, decision_id: str) -> list[str]:
    """Mark snapshots of a decision as failed whose process ended without a word: killed, or the machine went off.

    Call it inside ``calculating``: whoever holds that turn knows that nobody else calculates the decision. On object
    storage another machine may, and nothing is marked.

    Returns:
        The ids of those that were marked.
    """
    if store.location.folder is None:
        return []
    left = list_snapshots(store, decision_id).filter(pl.col("status").is_in([*_LEFT])).select("snapshot_id", "status")
    for snapshot_id, status in left.iter_rows():
        append_event(store, snapshot_id, _LEFT[status], store.clock(), error=STOPPED)
    return left["snapshot_id"].to_list()


# The error of a snapshot whose process ended without a word, and the status that says where it was.
STOPPED = "the process that calculated it ended without a word"
_LEFT = {"ready": FAILED["staging"], **FAILED}


# --- steps ---------------------------------------------------------------------------------------------------------


class _Moment(NamedTuple):
    """What a snapshot is of: all commits up to one of them, at an instant."""

    cut: Cut
    at: datetime
    is_final: bool


def _moment(store: Store, decision_id: str, *, later: bool = False) -> _Moment:
    """The present, or the end of a decision that is over (S10); ``later`` for the present of such a one too."""
    present, at = store.present()
    decision = decision_of(present, decision_id)
    end = closing(store, present, decision_id, at)
    if end is not None and end.seq is None:
        try:
            close_by_clock(store, decision_id)
        except RefusedRecordError as refused:
            if refused.reason != "decision_closed":  # by somebody who was faster
                raise
        return _moment(store, decision_id, later=later)
    if end is None or end.seq is None or later:
        return _Moment(present, at, is_closed(decision, at))
    return _Moment(store.cut(seq=end.seq), end.at, is_final=True)


def _new_id(decision_id: str, timestamp: datetime) -> str:
    """An id that no other snapshot has, whatever the clocks say (S11)."""
    mark = hashlib.sha256(f"{decision_id} {uuid4().hex}".encode()).hexdigest()[:8]
    return f"{timestamp:%Y%m%dT%H%M%SZ}-{mark}"


def capture(
    store: Store,
    decision_id: str,
    options: Options,
    trigger: str,
    supersedes: str | None = None,
    retry_count: int = 0,
    moment: _Moment | None = None,
) -> str:
    """Freeze the tables of a decision; the id of the snapshot. Call it inside ``calculating``."""
    present, timestamp, is_final = moment or _moment(store, decision_id)
    snapshot_id = _new_id(decision_id, timestamp)

    def work() -> dict[str, Any]:
        cut = replace(store.cut(seq=present.seq), coded=True)
        state = cut.state(decision_id, voting_time=options.voting_time)
        inputs, described = freeze_inputs(
            store.location,
            state,
            people_of(cut.people, cut, snapshot_id, state.decisions["community_id"].item()),
            snapshot_id,
            decision_id,
            timestamp=timestamp,
            seq=cut.seq,
            is_final=is_final,
            trigger=trigger,
            supersedes=supersedes,
            options=replace(options, cycles=rule_to_freeze(state, options.cycles)),
            engine=__version__,
        )
        facts = inputs.facts()
        del facts["snapshot_id"]
        return {"inputs_file": described, **facts}

    known = {
        "decision_id": decision_id,
        "timestamp": timestamp,
        "protocol": options.protocol,
        "trigger": trigger,
        "supersedes": supersedes,
        "options": json.dumps(options.to_dict(), ensure_ascii=False),
        "engine": __version__,
    }
    _step(store, snapshot_id, "creating", work, "ready", known, retry_count)
    return snapshot_id


def stage(store: Store, snapshot_id: str, progress: Progress | None = None, retry_count: int = 0) -> None:
    """Calculate everyone's ballot from the frozen tables. Call it inside ``calculating``."""

    def work() -> dict[str, Any]:
        inputs, state = read_frozen(store, snapshot_id)
        resolution = resolve_snapshot(state, inputs.options, progress)
        described = calculation.freeze_staged(
            store.location,
            snapshot_id,
            staged_tables(resolution, inputs.options),
            loops_of_final(store, inputs, state, resolution),
        )
        return {"staged_file": described, "cycle_rule": resolution.decisions["cycle_rule"].item()}

    _step(store, snapshot_id, "staging", work, "tallying", {}, retry_count)


def tally(store: Store, snapshot_id: str, retry_count: int = 0, *, begun: bool = True) -> None:
    """Tally the staged ballots. Call it inside ``calculating``; ``begun`` where the status is tallying already."""

    def work() -> dict[str, Any]:
        inputs, state = read_frozen(store, snapshot_id)
        described = read_document(store, snapshot_id, "staged")["tables"]
        staged = calculation.thaw_tables(store.location, snapshot_id, {name: described[name] for name in STAGED})
        result = tallied(staged, listed_choices(state), inputs.options)
        people = read_people(store, inputs)
        shown = result.exchanged(people.named_results) if inputs.coded else result
        described, whole, public = calculation.freeze_result(
            store.location, inputs, named(store.location, inputs, state, people), result, shown
        )
        return {"result_file": described, "result_hash": whole, "public_result_hash": public, **result.facts()}

    _step(store, snapshot_id, "tallying", work, "completed", {}, retry_count, begun=begun)


def _step(
    store: Store,
    snapshot_id: str,
    status: str,
    work: Callable[[], dict[str, Any]],
    then: str,
    known: Mapping[str, Any],
    retry_count: int,
    *,
    begun: bool = False,
) -> None:
    """Do one step, and write down how it began and how it ended."""
    started = time.perf_counter()
    if not begun:
        _trying(lambda: append_event(store, snapshot_id, status, store.clock(), retry_count=retry_count, **known))
    try:
        facts = _trying(work)
        spent = time.perf_counter() - started
        _trying(lambda: append_event(store, snapshot_id, then, store.clock(), duration=spent, **facts))
    except BaseException as error:
        said = {
            "error": _words(error),
            "trace": "".join(traceback.format_tb(error.__traceback__)),
            "duration": time.perf_counter() - started,
            "retry_count": retry_count,
        }
        _trying(lambda: append_event(store, snapshot_id, FAILED[status], store.clock(), **said))
        if not isinstance(error, Exception):
            raise
        raise SnapshotError(
            f"snapshot {snapshot_id}: {status} failed. {said['error']}\nWhat was frozen is kept: "
            "crowdvote snapshot recover tries again."
        ) from error


def _words(error: BaseException) -> str:
    """An error as it may be kept: an unexpected one by its kind alone, since its text may quote a name (P1).

    The trace has lines of code, not values.
    """
    if isinstance(error, OSError):
        return reason(error)
    return str(error) if isinstance(error, CrowdVoteError) else f"unexpected {type(error).__name__}"


def _trying(work: Callable[[], _Made]) -> _Made:
    """Do something, again after 1, 2 and 4 seconds where a fault may have passed (S5)."""
    import stamina
    from stamina import instrumentation

    instrumentation.set_on_retry_hooks([])  # that it was tried again is nobody's concern once it went well
    attempts = stamina.retry_context(
        on=is_transient, attempts=_WAITS + 1, timeout=None, wait_initial=1.0, wait_max=4.0, wait_jitter=0.0
    )
    for attempt in attempts:
        with attempt:
            made = work()
    return made


def is_transient(error: BaseException | None) -> bool:
    """Whether a fault may pass by itself: reading and writing, time-outs, commits of others; wrong data does not."""
    from deltalake.exceptions import DeltaError

    if isinstance(error, BusyError | DeltaError):
        return True
    if isinstance(error, OSError):
        return not isinstance(error, _LASTING)
    return isinstance(error, CrowdVoteError) and error.__cause__ is not None and is_transient(error.__cause__)


def _final_to_supersede(store: Store, decision_id: str, supersede: bool) -> str | None:
    """The id of the current final snapshot of a decision, if it may be superseded."""
    known = list_snapshots(store, decision_id)
    current = current_final(known)
    if current is not None and not supersede:
        raise FinalSnapshotError(
            f"Only one final snapshot is allowed per decision. {current} is that of decision '{decision_id}'; "
            "to count again and put the new one in its place, ask for it (--supersede)."
        )
    return current or current_final(known, "corrupted")


def current_final(known: pl.DataFrame, status: str = "completed") -> str | None:
    """The id of the final snapshot that stands, of the snapshots of one decision."""
    final = known.filter("is_final", status=status)
    standing = final.filter(final["superseded_by"].is_null())
    return standing["snapshot_id"][0] if len(standing) else None
