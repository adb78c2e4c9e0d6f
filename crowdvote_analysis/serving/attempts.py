"""Sign-in attempts, limited by name and by address, or by browser where the owner of the name signed in before."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 15 * 60.0  # seconds
MOST_OF_USER, MOST_OF_ADDRESS, MOST_OF_DEVICE = 5, 20, 5
_MOST_KEYS = 20_000


class Attempts:
    """Counts attempts that failed, or have not ended yet, within a quarter of an hour.

    Those of a browser that the owner of the name is known by (``device``) are counted apart from all others: neither do
    strangers use them up, nor does the owner give strangers new ones by signing in.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, address: str, device: str | None = None) -> bool:
        """Begin an attempt; whether it may be made. It counts at once, so that many at the same time count as many."""
        now, keys = self._clock(), self._keys(name, address, device)
        with self._lock:
            if any(len(self._recent(key, now)) >= most for key, most in keys.items()):
                return False
            for key in keys:
                self._times.setdefault(key, deque()).append(now)
            if len(self._times) > _MOST_KEYS:
                self._forget(now)
            return True

    def succeed(self, name: str, address: str, device: str | None = None) -> None:
        """The attempt was no failure: those of this name or browser are forgotten, and this one of the address."""
        own, *shared = self._keys(name, address, device)
        with self._lock:
            self._times.pop(own, None)
            for key in shared:
                times = self._times.get(key)
                if times:
                    times.pop()

    def _recent(self, key: tuple[str, str], now: float) -> deque[float]:
        times = self._times.get(key, deque())
        while times and now - times[0] > WINDOW:
            times.popleft()
        return times

    def _forget(self, now: float) -> None:
        """Drop what no longer counts; if that is not enough, the oldest."""
        for key in list(self._times):
            if not self._recent(key, now):
                del self._times[key]
        oldest = sorted(self._times, key=lambda key: self._times[key][-1])
        for key in oldest[: max(0, len(oldest) - _MOST_KEYS)]:
            del self._times[key]

    @staticmethod
    def _keys(name: str, address: str, device: str | None) -> dict[tuple[str, str], int]:
        if device is not None:
            return {("device", device): MOST_OF_DEVICE}
        return {("user", name.casefold()[:64]): MOST_OF_USER, ("address", address): MOST_OF_ADDRESS}
