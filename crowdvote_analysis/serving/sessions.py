"""Who is signed in: sessions with random ids that expire, kept in memory."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.serving.users import Role, User

# Seconds: without anything done, and in all.
IDLE, LONGEST = 2 * 3600.0, 12 * 3600.0
_MOST_OF_ONE = 20


@dataclass
class Session:
    """Somebody who is signed in.

    Attributes:
        user: Their name.
        role: ``viewer`` or ``manager``.
        stamp: Of their password and role when they signed in.
        form: Has to come back with every form, so that no other site can send one.
        begun, seen: When they signed in, and last did something (seconds of the clock).
    """

    user: str
    role: Role
    stamp: str
    begun: float
    seen: float
    form: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Sessions:
    """The sessions of one server; whoever holds this object in memory still learns no id that could be used.

    Args:
        stamp_of: Gives the present stamp of a user, ``None`` for somebody who may not sign in any more.
        clock: Seconds that only grow.
    """

    def __init__(self, stamp_of: Callable[[str], str | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._stamp_of, self._clock = stamp_of, clock
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, user: User) -> str:
        """Sign somebody in; the id of the session, which is told to their browser alone."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._known = {key: each for key, each in self._known.items() if not self._is_over(each, now)}
            mine = sorted((each.seen, key) for key, each in self._known.items() if each.user == user.name)
            for _, key in mine[: max(0, len(mine) - _MOST_OF_ONE + 1)]:
                del self._known[key]
            self._known[_key(token)] = Session(user.name, user.role, user.stamp, now, now)
        return token

    def find(self, token: str | None, *, touch: bool) -> Session | None:
        """The session of an id; ``None`` for one that is unknown, over, or of a user who was changed since.

        Args:
            token: The id.
            touch: Whether this is a person's doing, so that the session goes on (``doing.is_doing``).
        """
        if not token:
            return None
        now = self._clock()
        with self._lock:
            session = self._known.get(_key(token))
            if session is None:
                return None
            if self._is_over(session, now) or self._stamp_of(session.user) != session.stamp:
                del self._known[_key(token)]
                return None
            if touch:
                session.seen = now
            return session

    def end(self, token: str | None) -> None:
        """Sign somebody out."""
        with self._lock:
            self._known.pop(_key(token or ""), None)

    def end_all(self, user: str) -> None:
        """Sign somebody out wherever they are signed in."""
        with self._lock:
            self._known = {key: each for key, each in self._known.items() if each.user != user}

    @staticmethod
    def _is_over(session: Session, now: float) -> bool:
        return now - session.seen > IDLE or now - session.begun > LONGEST


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
