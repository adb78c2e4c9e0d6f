"""Counting a decision again because a manager asks for it (E4): in a thread, one at a time per decision."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import CrowdVoteError, UnknownDecisionError
from crowdvote_analysis.logs import SYSTEM
from crowdvote_analysis.snapshots.recalculation import CLOSED, IN_PROGRESS, MANAGERS_ONLY, started, why_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.logs import EventLog
    from crowdvote_analysis.store.store import Store

_STATUS = {MANAGERS_ONLY: 403, CLOSED: 409, IN_PROGRESS: 409}


@dataclass(frozen=True)
class Answer:
    """What came of asking: a status of HTTP, and words."""

    status: int
    words: str


class Recalculation:
    """The recalculations of one server.

    Args:
        store: The store.
        log: Where they are written down.
        count: Takes a snapshot of a decision; another one in tests.
    """

    def __init__(self, store: Store, log: EventLog, count: Callable[[Store, str], object] | None = None) -> None:
        self._store, self._log, self._count = store, log, count or _take
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def start(self, decision_id: str, user: str, managed: frozenset[str] | None) -> Answer:
        """Begin to count a decision again; it is done some time later.

        Args:
            decision_id: The decision.
            user: Who asks for it.
            managed: The communities they manage; ``None`` for all. They do not learn what decisions others have.
        """
        try:
            is_manager = managed is None or self._community(decision_id) in managed
            refused = why_refused(self._store, decision_id, is_manager=is_manager)
            words = started(self._store, decision_id) if refused is None else refused
        except UnknownDecisionError as error:
            return Answer(404, str(error))
        if refused is not None:
            return Answer(_STATUS[refused], refused)
        with self._lock:
            if decision_id in self._running:
                return Answer(_STATUS[IN_PROGRESS], IN_PROGRESS)
            self._running.add(decision_id)
        self._log.write("MANUAL_RECALC", user, f"Recalculation of decision '{decision_id}' asked for")
        threading.Thread(target=self._work, args=(decision_id,), name=f"recalculate {decision_id}", daemon=True).start()
        return Answer(202, words)

    def _community(self, decision_id: str) -> str | None:
        rows = self._store.cut().rows("decisions").filter(decision_id=decision_id)
        return None if rows.is_empty() else str(rows["community_id"].item())

    def _work(self, decision_id: str) -> None:
        started = time.perf_counter()
        self._log.write("THREAD_START", SYSTEM, f"Counting decision '{decision_id}'")
        try:
            self._count(self._store, decision_id)
        except Exception as error:
            # The text of an unexpected error may quote a name (P1).
            words = str(error) if isinstance(error, CrowdVoteError) else f"unexpected {type(error).__name__}"
            self._log.write("CALCULATION_ERROR", SYSTEM, f"Decision '{decision_id}': {words}", logging.ERROR)
        finally:
            with self._lock:
                self._running.discard(decision_id)
            spent = time.perf_counter() - started
            self._log.write("THREAD_COMPLETE", SYSTEM, f"Decision '{decision_id}' after {spent:.1f} s")


def _take(store: Store, decision_id: str) -> object:
    from crowdvote_analysis.snapshots import take_snapshot

    return take_snapshot(store, decision_id, trigger="recalculation by a manager", wait=0.0)
