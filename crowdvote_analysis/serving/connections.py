"""Limits on connections: time for a request to arrive, how many may wait for theirs, and what is logged of it.

uvicorn waits for ever for the rest of a request. Three hundred connections that send half of one would use up the files
that a process may open; from then on nobody gets in, and asyncio says so two thousand times a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import h11

    from crowdvote_analysis.serving.guard import App

# Seconds within which the head of a request is there, and its body.
HEAD, BODY = 10.0, 30.0
# So many connections may wait for the rest of their request; when there are more, the one that waits longest has to go.
# As many are accepted at a time, before those that have to go are closed.
MOST_WAITING = 128
# Files that the server wants to be able to open: connections, and what the store and the pages read.
_FILES = 8_192
# The largest message of a websocket, in bytes; pages send values of controls.
LARGEST_MESSAGE = 1024 * 1024

_log = logging.getLogger("uvicorn.error")


class Waiting:
    """The connections whose request is not there yet, the one that waits longest first.

    Args:
        most: So many may be.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._connections: dict[LimitedProtocol, asyncio.TimerHandle] = {}

    def add(self, connection: LimitedProtocol, seconds: float) -> None:
        """A connection waits, for so many seconds at most."""
        self.remove(connection)
        loop = asyncio.get_running_loop()
        self._connections[connection] = loop.call_later(seconds, connection.give_up)
        if len(self._connections) > self._most:
            next(iter(self._connections)).give_up()

    def remove(self, connection: LimitedProtocol) -> None:
        """A connection waits no longer."""
        timer = self._connections.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def __contains__(self, connection: LimitedProtocol) -> bool:
        return connection in self._connections

    def __len__(self) -> int:
        return len(self._connections)


class LimitedProtocol(H11Protocol):
    """HTTP with limits; ``waiting`` is that of its server."""

    waiting: Waiting

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects, and is to say what they want."""
        super().connection_made(transport)
        self.waiting.add(self, HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.waiting.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        before = self.cycle
        super().data_received(data)
        begun = self.cycle is not before
        if (
            self.transport.is_closing()
            or self.transport.get_protocol() is not self
            or (self.cycle is not None and not self.cycle.more_body and (begun or self in self.waiting))
        ):
            self.waiting.remove(self)
        elif begun:
            self.waiting.add(self, BODY)
        elif self not in self.waiting and (self.cycle is None or self.cycle.response_complete):
            self.waiting.add(self, HEAD)  # the beginning of another request on the same connection

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on it is a websocket, which the guard and the number of open pages limit."""
        self.waiting.remove(self)
        super().handle_websocket_upgrade(event)

    def give_up(self) -> None:
        """Nobody waits for the rest any longer."""
        self.waiting.remove(self)
        self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn, which says once a second what it could not do, instead of every time."""

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        asyncio.get_running_loop().set_exception_handler(_Seldom())
        await super().startup(sockets)


class _Seldom:
    """Logs what goes wrong in the loop, what goes wrong again at most once a second."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        message, now = str(context.get("message")), time.monotonic()
        if now - self._said.get(message, -1.0) >= 1.0:
            self._said = {said: at for said, at in self._said.items() if now - at < 60} | {message: now}
            _log.error("%s: %s", message, context.get("exception"))


def run(app: App, host: str, port: int, **options: Any) -> None:
    """Serve an application until somebody stops it.

    Args:
        app: The application.
        host: Where it listens.
        port: Where it listens.
        options: Further ones of ``uvicorn.Config``.
    """
    most = min(MOST_WAITING, raise_file_limit() // 4)
    protocol = type("Protocol", (LimitedProtocol,), {"waiting": Waiting(most)})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        backlog=most,
        ws_max_size=LARGEST_MESSAGE,
        log_level="warning",
        access_log=False,
        server_header=False,
        **options,
    )
    Server(config).run()


def raise_file_limit() -> int:
    """Let this process open as many files as it wants, where the system lets it; how many it may open."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _FILES if soft == resource.RLIM_INFINITY else soft
