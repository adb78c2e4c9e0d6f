"""How many pages are open: each is a notebook that runs on the server, so there is only room for some."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Seconds that a notebook goes on after its page was closed: somebody whose connection broke finds it as it was.
LINGER = 60
# A page takes some 10 MB for the demo communities and three threads, more for larger ones.
MOST_OF_USER, MOST_OF_ALL = 10, 100
# So many notebooks may run for each page that may be open: one in use, and one that was just closed.
_RUNNING = 2
# Seconds within which the websocket of a page that was asked for arrives, over a slow line too.
_ARRIVAL = 20.0

MINE = "You have {most} pages open, and more are not possible. Close those you do not need, then try again."
QUICK = "You opened many pages within a short time. Wait a minute, then try again."
EVERYBODY = "The server has no room for another page now. Close those you do not need, and try again in a few minutes."


@dataclass
class _Running:
    """A notebook that runs: for whom, over how many websockets, and when the last one ended."""

    user: str
    sockets: int = 0
    ended: float = 0.0


class OpenPages:
    """Counts the pages that are open, and the notebooks that still run after theirs was closed.

    It is used by the event loop alone, so nothing is locked.

    Args:
        most: How many may be open by everybody together.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int = MOST_OF_ALL, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._running: dict[str, _Running] = {}
        # Pages that were asked for and whose websocket is to come: when, and for whom. A browser that opens many tabs
        # at once asks for all of them before the first websocket.
        self._asked: list[tuple[float, str]] = []

    def ask(self, user: str) -> str | None:
        """Somebody asks for a page; why it is refused, or ``None``."""
        now = self._now()
        refused = self._refusal(user, [user for _, user in self._asked])
        if refused is None:
            self._asked.append((now, user))
        return refused

    def open(self, user: str, name: str) -> str | None:
        """A websocket begins; why it is refused, or ``None``. One that comes back to its notebook never is.

        Args:
            user: Who opens it.
            name: The notebook that runs behind it.
        """
        self._now()
        if name not in self._running:
            refused = self._refusal(user, [])
            if refused is not None:
                return refused
            self._running[name] = _Running(user)
            self._arrived(user)
        self._running[name].sockets += 1
        return None

    def running(self) -> Iterable[str]:
        """The notebooks that run."""
        return self._running.keys()

    def close(self, name: str) -> None:
        """A websocket ended; its notebook goes on for a while."""
        running = self._running[name]
        running.sockets, running.ended = running.sockets - 1, self._clock()

    def _now(self) -> float:
        """The time, after what is over by now was forgotten."""
        now = self._clock()
        self._running = {
            name: each for name, each in self._running.items() if each.sockets or now - each.ended < LINGER
        }
        self._asked = [(at, user) for at, user in self._asked if now - at < _ARRIVAL]
        return now

    def _arrived(self, user: str) -> None:
        mine = next((number for number, (_, each) in enumerate(self._asked) if each == user), None)
        if mine is not None:
            del self._asked[mine]

    def _refusal(self, user: str, coming: Iterable[str]) -> str | None:
        running = Counter(each.user for each in self._running.values()) + Counter(coming)
        opened = Counter(each.user for each in self._running.values() if each.sockets) + Counter(coming)
        if opened[user] >= MOST_OF_USER:
            return MINE.format(most=MOST_OF_USER)
        if running[user] >= _RUNNING * MOST_OF_USER:
            return QUICK
        if opened.total() >= self._most or running.total() >= _RUNNING * self._most:
            return EVERYBODY
        return None
