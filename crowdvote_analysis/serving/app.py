"""The server: its routes, with the guard around all of them.

One process, one worker: sessions of people and of notebooks are kept in memory.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.serving.access import Access
from crowdvote_analysis.serving.attempts import Attempts
from crowdvote_analysis.serving.devices import known_device, new_device
from crowdvote_analysis.serving.doing import DOING, SCRIPT
from crowdvote_analysis.serving.guard import COOKIE, Guard, SecurityHeaders, cookies
from crowdvote_analysis.serving.notebooks import SCRIPTS, notebooks_app
from crowdvote_analysis.serving.pages import OpenDecision, answer_page, find_pages, sign_in_page, start_page
from crowdvote_analysis.serving.recalculation import Recalculation
from crowdvote_analysis.serving.sessions import LONGEST, Session, Sessions
from crowdvote_analysis.serving.users import is_password, read_users, require_outside, users_of
from crowdvote_analysis.serving.waiting import GIVE_UP, Waiting
from crowdvote_analysis.snapshots.recalculation import MANAGERS_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from anyio import CapacityLimiter
    from starlette.requests import Request
    from starlette.responses import Response

    from crowdvote_analysis.logs import EventLog
    from crowdvote_analysis.serving.guard import App
    from crowdvote_analysis.serving.pages import Page
    from crowdvote_analysis.serving.recalculation import Answer
    from crowdvote_analysis.serving.users import User
    from crowdvote_analysis.store.store import Store

# A form that no session belongs to yet is known by a cookie of its own.
_FORM_COOKIE = "crowdvote_form"
# A browser that somebody signed in with is known again for half a year.
_DEVICE_COOKIE, _DEVICE_AGE = "crowdvote_device", 180 * 24 * 3600
# Passwords that are checked at a time: each takes 32 MB and a core.
_CHECKS = 2
_LARGEST_FORM = 16 * 1024

_WRONG = "Name or password are wrong."
_TOO_MANY = "Too many attempts. Wait a quarter of an hour, then try again."
_STALE = "This form is too old. Go back and try again."


@dataclass(frozen=True)
class Server:
    """What the routes share.

    Attributes:
        store: The store.
        access: Who may sign in, and which communities they see and manage.
        log: Where sign-ins and recalculations are written down.
        pages: The notebooks.
        sessions, attempts, recalculation: Who is signed in, who tried, what is being counted.
        checks: How many passwords are checked at a time.
    """

    store: Store
    access: Access
    log: EventLog
    pages: list[Page]
    sessions: Sessions
    attempts: Attempts
    recalculation: Recalculation
    checks: CapacityLimiter

    async def healthz(self, _request: Request) -> Response:
        """Say that the server is there, and nothing else."""
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("ok\n")

    async def doing(self, _request: Request) -> Response:
        """Somebody did something at a page; the guard has noted it."""
        from starlette.responses import Response

        return Response(status_code=204)

    async def show_sign_in(self, request: Request) -> Response:
        """Show the form to sign in with."""
        return self._form(request, _local(request.query_params.get("next")))

    async def sign_in(self, request: Request) -> Response:
        """Check name and password, and begin a session."""
        from anyio import to_thread

        given = await _fields(request)
        where, name, address = _local(given.get("next")), given.get("name", "").strip(), _address(request)
        if not _same(given.get("form"), cookies(request.scope).get(_FORM_COOKIE)):
            return self._form(request, where, "This form is too old. Try again.", 403)
        user = self.access.users().get(name)
        device = known_device(cookies(request.scope).get(_DEVICE_COOKIE), user)
        if not self.attempts.begin(name, address, device):
            self._failed(name, address, "too many attempts")
            return self._form(request, where, _TOO_MANY, 429)
        right = await to_thread.run_sync(
            is_password, given.get("password", ""), user.password if user else None, limiter=self.checks
        )
        if user is None or not right:
            self._failed(name, address, "wrong name or password")
            return self._form(request, where, _WRONG, 401)
        self.attempts.succeed(name, address, device)
        self.sessions.end(cookies(request.scope).get(COOKIE))
        token = self.sessions.begin(user)
        self.log.write("LOGIN", user.name, f"Signed in as {user.role} from {address}")
        answer = _go(where)
        _set(answer, request, COOKIE, token, "lax", int(LONGEST))
        _set(answer, request, _DEVICE_COOKIE, new_device(user), "strict", _DEVICE_AGE, "/sign-in")
        answer.delete_cookie(_FORM_COOKIE, path="/sign-in")
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, or all sessions of whoever asks."""
        session: Session = request.scope["session"]
        given = await _fields(request)
        if not _same(given.get("form"), session.form):
            return _said(request, 403, _STALE)
        everywhere = "everywhere" in given
        if everywhere:
            self.sessions.end_all(session.user)
        else:
            self.sessions.end(cookies(request.scope).get(COOKIE))
        how = "Signed out everywhere" if everywhere else "Signed out"
        self.log.write("LOGOUT", session.user, f"{how} from {_address(request)}")
        answer = _go("/sign-in")
        answer.delete_cookie(COOKIE, path="/")
        return answer

    async def start(self, request: Request) -> Response:
        """Show what there is to look at."""
        from anyio import to_thread
        from starlette.responses import HTMLResponse

        session: Session = request.scope["session"]
        decisions = await to_thread.run_sync(self._open_decisions, session.user)
        return HTMLResponse(start_page(session, self.pages, decisions))

    async def recalculate(self, request: Request) -> Response:
        """Count a decision again, for managers (E4)."""
        from anyio import to_thread

        session: Session = request.scope["session"]
        if session.role != "manager":
            return _said(request, 403, MANAGERS_ONLY)
        if not _same((await _fields(request)).get("form"), session.form):
            return _said(request, 403, _STALE)
        decision = request.path_params["decision"]
        answer = await to_thread.run_sync(self.ask, decision, session.user)
        return _said(request, answer.status, answer.words)

    def ask(self, decision: str, user: str) -> Answer:
        """Count a decision again for whoever asks, if they manage its community at this moment."""
        return self.recalculation.start(decision, user, self.access.managed(user))

    def _form(self, request: Request, where: str, problem: str | None = None, status: int = 200) -> Response:
        from starlette.responses import HTMLResponse

        form = secrets.token_urlsafe(32)
        answer = HTMLResponse(sign_in_page(form, where, problem), status)
        _set(answer, request, _FORM_COOKIE, form, "strict", 3600, "/sign-in")
        return answer

    def _failed(self, name: str, address: str, why: str) -> None:
        # People type passwords into the wrong box: a name that is nobody's is not written down.
        known = name if name in self.access.users() else "unknown"
        self.log.write("LOGIN_FAILED", known, f"From {address}: {why}", logging.WARNING)

    def _open_decisions(self, user: str) -> list[OpenDecision] | None:
        """What somebody may have counted again; ``None`` for somebody who manages no community."""
        from crowdvote_analysis.snapshots.events import of_communities
        from crowdvote_analysis.snapshots.inputs import is_closed

        managed = self.access.managed(user)
        if managed is not None and not managed:
            return None
        cut, now = self.store.cut(), self.store.clock()
        titles = dict(cut.rows("communities").select("community_id", "title").iter_rows())
        found = [
            OpenDecision(row["decision_id"], row["title"] or row["decision_id"], titles.get(community) or community)
            for row in of_communities(cut.rows("decisions"), managed).sort("title", "decision_id").iter_rows(named=True)
            for community in [row["community_id"]]
            if row["method"] == "star" and row["status"] != "draft" and not is_closed(row, now)
        ]
        return sorted(found, key=lambda decision: decision.community)


def create_app(
    store: Store, users: Path, log: EventLog, notebooks: Path | None = None, *, own_only: bool = False, **parts: Any
) -> App:
    """The whole server as an ASGI application.

    Args:
        store: The store that everything is about.
        users: The users file; read anew when it was changed, so that whoever is removed is out at once.
        log: Where sign-ins and recalculations are written down.
        notebooks: Folder with the notebooks; those of the package by default.
        own_only: Whether people see only the communities they are members of.
        parts: Other ``sessions``, ``attempts``, ``recalculation`` or ``open_pages``.

    Raises:
        UsersError: The users file is not there, is damaged, or lies inside the store.
    """
    from anyio import CapacityLimiter
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route

    from crowdvote_analysis.bundled import notebooks_folder

    require_outside(users, store.location.url)
    read_users(users)
    pages = find_pages(notebooks or notebooks_folder())
    known = users_of(users)
    waiting = Waiting()
    server = Server(
        store=store,
        access=Access(store, known, own_only),
        log=log,
        pages=pages,
        sessions=parts.get("sessions") or Sessions(_stamps(known)),
        attempts=parts.get("attempts") or Attempts(),
        recalculation=parts.get("recalculation") or Recalculation(store, log),
        checks=CapacityLimiter(_CHECKS),
    )
    routes = [
        Route("/healthz", server.healthz),
        Route("/sign-in", server.show_sign_in, methods=["GET"]),
        Route("/sign-in", server.sign_in, methods=["POST"]),
        Route("/sign-out", server.sign_out, methods=["POST"]),
        Route(DOING, server.doing, methods=["POST"]),
        Route(f"{GIVE_UP}/{{token}}", waiting.answer, methods=["POST"]),
        Route("/", server.start),
        Route("/recalculate/{decision:path}", server.recalculate, methods=["POST"]),
        Mount("/", notebooks_app(pages, SCRIPT)),
    ]
    names, app = [page.name for page in pages], Starlette(routes=routes)
    guard = Guard(
        app, server.sessions, names, store.location.url, server.ask, parts.get("open_pages"), server.access, waiting
    )
    return SecurityHeaders(guard, [*names, SCRIPTS])


def _stamps(users: Callable[[], Mapping[str, User]]) -> Callable[[str], str | None]:
    def stamp(name: str) -> str | None:
        user = users().get(name)
        return user.stamp if user else None

    return stamp


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form; none of one that is too large, or that does not come."""
    from urllib.parse import parse_qsl

    from starlette.requests import ClientDisconnect

    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_FORM:
                return {}
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except (ValueError, ClientDisconnect):
        return {}


def _local(where: str | None) -> str:
    """A page of this server; anything else becomes the start page, so that no link leads people elsewhere."""
    from urllib.parse import urlsplit

    if not where or not where.startswith("/") or where.startswith("//") or "\\" in where or not where.isprintable():
        return "/"
    parts = urlsplit(where)
    return where if not parts.scheme and not parts.netloc else "/"


def _same(given: str | None, kept: str | None) -> bool:
    return bool(given and kept) and hmac.compare_digest(str(given).encode(), str(kept).encode())


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _go(where: str) -> Response:
    from starlette.responses import RedirectResponse

    return RedirectResponse(where, 303)


def _set(answer: Response, request: Request, name: str, value: str, same_site: Any, age: int, path: str = "/") -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, max_age=age, path=path, secure=secure, httponly=True, samesite=same_site)


def _said(request: Request, status: int, words: str) -> Response:
    """An answer for a browser or for a program, whichever asks."""
    from starlette.responses import HTMLResponse, JSONResponse

    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(answer_page(words, good=status < 400), status)
    return JSONResponse({"message": words}, status)
