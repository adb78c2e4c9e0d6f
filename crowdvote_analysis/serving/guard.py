"""Nobody gets in without signing in: pure ASGI, around everything, HTTP and websockets alike.

A websocket runs the notebook, so a guard for HTTP alone would guard nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from crowdvote_analysis.serving.doing import is_doing
from crowdvote_analysis.serving.open_pages import OpenPages
from crowdvote_analysis.serving.pages import no_room_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, MutableMapping

    from crowdvote_analysis.serving.access import Access
    from crowdvote_analysis.serving.recalculation import Answer
    from crowdvote_analysis.serving.sessions import Session, Sessions
    from crowdvote_analysis.serving.waiting import Waiting

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "crowdvote_session"
OPEN = ("/healthz", "/sign-in")

# What a page of marimo asks of its server while people look at it. It has many more routes, for those who edit; they
# are refused by marimo where a page is only run, and do not even get there.
_PAGE = re.compile(
    r"/(|ws|health|favicon\.ico|manifest\.json|public-files-sw\.js|assets/.+|public/.+|@file/.+|[\w.-]+\.(png|svg|ico|js)"
    r"|api/kernel/(instantiate|set_ui_element_value|set_model_value|function_call)"
    r"|api/(version|status/connections))"
)
# Seconds between two looks at whether whoever holds a websocket is still signed in.
_LOOK = 1.0
_REFUSED = 4401
# How long the id of a session of a notebook may be; marimo's have some ten letters.
_LONGEST_ID = 64
# The largest body of a request, in bytes; pages send values of controls.
LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True)
class SignedIn:
    """The user of a request, as Starlette and marimo know users."""

    username: str
    role: str
    is_authenticated: bool = True

    @property
    def display_name(self) -> str:
        """The name."""
        return self.username


class Guard:
    """Lets through who is signed in, and tells the pages who it is.

    Pages find the user in ``scope["user"]`` and, as marimo puts a user of its own there, in ``scope["meta"]``:
    ``user``, ``role``, ``store``, ``pages`` and ``waiting`` (``mo.app_meta().request.meta`` in a notebook); with
    ``access`` also ``seen`` and ``managed``, which give communities when they are called.

    Args:
        app: What is guarded.
        sessions: Who is signed in.
        pages: First parts of the paths of notebooks.
        store: The store that the notebooks show, whatever folder an address names.
        recalculate: Counts a decision again: called with the decision and the user; gives status and words.
        open_pages: Counts the pages that are open, and says who may open another one.
        access: Which communities somebody sees and manages; everybody sees and no role is narrowed without it.
        waiting: Lets whoever waits for a calculation of a page give it up.
    """

    def __init__(
        self,
        app: App,
        sessions: Sessions,
        pages: Collection[str],
        store: str,
        recalculate: Callable[[str, str], Answer] | None = None,
        open_pages: OpenPages | None = None,
        access: Access | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self._app, self._sessions, self._pages, self._store = app, sessions, frozenset(pages), store
        self._recalculate, self._open_pages = recalculate, open_pages or OpenPages()
        self._access, self._waiting = access, waiting
        # Whose a session of a notebook is, by its id: marimo lets in whoever knows one. Only of those that run.
        self._owners: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or websocket through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"scope {scope['type']!r} is not guarded")
        elif not is_from_here(scope):
            await refuse(scope, receive, send, 403, "This was sent from another site.")
        elif scope["type"] == "http" and scope["path"] in OPEN:
            await self._app(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = cookies(scope).get(COOKIE)
        session = self._sessions.find(token, touch=is_doing(scope))
        if session is None:
            where = _sign_in(scope)
            await refuse(scope, receive, send, 303 if where else 401, "Sign in first.", where)
            return
        page, _, rest = scope["path"].removeprefix("/").partition("/")
        if page in self._pages and not _PAGE.fullmatch(f"/{rest}"):
            await refuse(scope, receive, send, 404, "There is no such page.")
            return
        if page in self._pages and not self._owns(scope, rest, str(token)):
            await refuse(scope, receive, send, 403, "This is somebody else's session of the page. Reload the page.")
            return
        known = self._known(scope, session, str(token), is_page=page in self._pages)
        if scope["type"] == "websocket":
            await self._watch(known, receive, send, str(token), page)
            return
        if page in self._pages and scope["path"] == f"/{page}/" and scope["method"] == "GET":
            full = self._open_pages.ask(session.user)
            if full is not None:
                await _say_full(scope, receive, send, full)
                return
        await _Bounded(self._app)(known, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send, token: str, page: str) -> None:
        """Let a websocket through if there is room for it, as long as somebody is signed in behind it."""
        asked = _query(scope).get("session_id", "")
        notebook = f"{page} {asked}"
        full = self._open_pages.open(scope["session"].user, notebook)
        if full is not None:
            await refuse(scope, receive, send, 429, full)
            return
        running = {name.partition(" ")[2] for name in self._open_pages.running()}
        self._owners = {name: own for name, own in self._owners.items() if name in running} | {asked: token}
        watched = Watched(receive, send, lambda: self._sessions.find(token, touch=False) is None)
        try:
            await self._app(scope, watched, watched.send)
        finally:
            watched.stop()
            self._open_pages.close(notebook)

    def _owns(self, scope: Scope, rest: str, token: str) -> bool:
        """Whether a session of a notebook is the signed-in session's own; a websocket that is let in begins one."""
        names = {name for name in (_query(scope).get("session_id"), header(scope, b"marimo-session-id")) if name}
        if any(len(name) > _LONGEST_ID for name in names):
            return False
        if scope["type"] != "websocket" and rest.startswith("api/kernel/") and not names:
            return False
        return all(self._owners.get(name, token) == token for name in names)

    def _known(self, scope: Scope, session: Session, token: str, *, is_page: bool) -> Scope:
        """The scope with the user, and with the one store in place of a folder that the address names."""
        known = {**scope, "user": SignedIn(session.user, session.role), "session": session}
        known["meta"] = {
            "user": session.user,
            "role": session.role,
            "store": self._store,
            "pages": sorted(self._pages),
            "waiting": self._waiting,
        }
        if self._access is not None:
            # Asked when a page opens, and not for every file of it.
            known["meta"]["seen"] = partial(self._access.seen, session.user)
            known["meta"]["managed"] = partial(self._access.managed, session.user)
        if self._recalculate is not None:
            known["meta"]["recalculate"] = lambda decision: self._ask(token, decision)
        if is_page:
            asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            # Nor does an address choose another notebook, as it may where marimo serves several.
            kept = [(name, value) for name, value in asked if name not in ("folder", "file")]
            known["query_string"] = urlencode([*kept, ("folder", self._store)]).encode()
        return known

    def _ask(self, token: str, decision_id: str) -> Answer | None:
        """Count again for whoever is signed in at this moment; ``None`` where nobody is."""
        session = self._sessions.find(token, touch=False)
        if session is None or self._recalculate is None:
            return None
        return self._recalculate(decision_id, session.user)


class _Bounded:
    """Takes the bodies of requests up to a size: what is larger is refused before anything is made of it.

    Args:
        app: What answers.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that the body is too large."""
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        length = header(scope, b"content-length") or ""
        if length.isdigit() and int(length) > LARGEST_BODY:
            await refuse(scope, receive, send, 413, "This is too large.")
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                await refuse(scope, receive, send, 413, "This is too large.")
                return
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Message:
            return next(given, None) or await receive()

        await self._app(scope, again, send)


class Watched:
    """What comes in on a websocket, until the session behind it is over: then the websocket is closed.

    Args:
        receive, send: Those of the websocket.
        is_over: Whether the session is over.
    """

    def __init__(self, receive: Receive, send: Send, is_over: Callable[[], bool]) -> None:
        self._receive, self._send, self._is_over = receive, send, is_over
        self._waiting: asyncio.Future[Message] | None = None
        self._looked, self._closed = time.monotonic(), False

    async def __call__(self) -> Message:
        """The next message. Whoever stops waiting for it may ask again: none is lost."""
        self._waiting = self._waiting or asyncio.ensure_future(self._receive())
        while True:
            done, _ = await asyncio.wait({self._waiting}, timeout=_LOOK)
            if await self._over():
                return {"type": "websocket.disconnect", "code": _REFUSED, "reason": "signed out"}
            if done:
                message, self._waiting = self._waiting, None
                return message.result()

    async def send(self, message: Message) -> None:
        """Send a message, unless the session is over."""
        if not await self._over():
            await self._send(message)

    async def _over(self) -> bool:
        """Whether the session is over, looked at every second however much is said; then the socket is closed."""
        if not self._closed and time.monotonic() - self._looked >= _LOOK:
            self._looked = time.monotonic()
            if self._is_over():
                self._closed = True
                await self._send({"type": "websocket.close", "code": _REFUSED, "reason": "signed out"})
        return self._closed

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._waiting is not None:
            self._waiting.cancel()


def header(scope: Scope, name: bytes) -> str | None:
    """One header of a request."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def cookies(scope: Scope) -> dict[str, str]:
    """The cookies of a request; none where they cannot be read."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header(scope, b"cookie") or "")
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def is_from_here(scope: Scope) -> bool:
    """Whether a request that may do something comes from a page of this server, as far as the browser says."""
    origin = header(scope, b"origin")
    if origin is None or (scope["type"] == "http" and scope["method"] in ("GET", "HEAD")):
        return True
    try:
        return urlsplit(origin).netloc.lower() == (header(scope, b"host") or "").lower() != ""
    except ValueError:
        return False


def _query(scope: Scope) -> dict[str, str]:
    """What the address asks for, by name; the last of several is the one that marimo reads."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def _is_browser(scope: Scope) -> bool:
    return "text/html" in (header(scope, b"accept") or "")


def _sign_in(scope: Scope) -> str | None:
    """Where somebody who opens a page is sent to sign in; programs are told with a status alone."""
    if scope["type"] != "http" or scope["method"] != "GET" or not _is_browser(scope):
        return None
    query = scope["query_string"].decode("latin-1")
    return f"/sign-in?next={quote(scope['path'] + (f'?{query}' if query else ''), safe='')}"


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str, where: str | None = None) -> None:
    """Say no to a request or websocket, or send a browser elsewhere."""
    if scope["type"] == "websocket":
        await receive()  # the connect
        await send({"type": "websocket.close", "code": _REFUSED, "reason": words})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if where:
        headers.append((b"location", where.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if where else f"{words}\n".encode()})


async def _say_full(scope: Scope, receive: Receive, send: Send, words: str) -> None:
    """Tell whoever asks for a page that there is no room for it: browsers by a page with the way to try again."""
    from starlette.responses import HTMLResponse

    if not _is_browser(scope):
        await refuse(scope, receive, send, 429, words)
        return
    query = scope["query_string"].decode("latin-1")
    again = quote(scope["path"]) + (f"?{query}" if query else "")
    await HTMLResponse(no_room_page(words, again), 429)(scope, receive, send)


class SecurityHeaders:
    """What browsers are told about every answer.

    Args:
        app: What answers.
        pages: First parts of the paths of notebooks and of their scripts.
    """

    def __init__(self, app: App, pages: Collection[str]) -> None:
        self._app, self._pages = app, frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        is_page = first in self._pages
        told = {
            **_HEADERS,
            b"content-security-policy": _PAGE_POLICY if is_page else _OWN_POLICY,
        }
        if not (is_page and rest.startswith("assets/")):
            told[b"cache-control"] = b"no-store"
        if scope.get("scheme") == "https":
            told[b"strict-transport-security"] = b"max-age=31536000"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in told]
                message = {**message, "headers": [*kept, *told.items()]}
            await send(message)

        await self._app(scope, receive, with_headers)


_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_OWN_POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Notebooks bring scripts of their own, and charts are compiled in the browser; nothing comes from or goes to elsewhere.
_PAGE_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    b"form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
