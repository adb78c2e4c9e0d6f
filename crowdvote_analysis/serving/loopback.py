"""The pages for one person on their own machine: no sign-in, and nobody else gets in."""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crowdvote_analysis.serving.guard import header, refuse
from crowdvote_analysis.serving.notebooks import notebooks_app
from crowdvote_analysis.serving.waiting import GIVE_UP, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.serving.guard import App, Receive, Scope, Send
    from crowdvote_analysis.serving.pages import Page

_HERE = ("127.0.0.1", "localhost", "::1")


def serve_loopback(pages: Sequence[Page], first: str, folder: str | None, port: int, *, browser: bool) -> None:
    """Serve pages on the loopback address until somebody stops it.

    Args:
        pages: The notebooks.
        first: The name of the one that the address without a path leads to.
        folder: The folder of tables or store that they show; by default the demo store of this process.
        port: A free port.
        browser: Whether the first page is opened in the browser.
    """
    import uvicorn

    from crowdvote_analysis.snapshots.demo import discard_demo_store

    if browser:
        threading.Timer(1.0, webbrowser.open, [f"http://127.0.0.1:{port}"]).start()
    # Whoever ends the server ends it at once: notebooks that are looked at run in threads, which would be waited for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = loopback_app(pages, first, folder)
    try:
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2)
    finally:
        discard_demo_store()
        os._exit(0)


def loopback_app(pages: Sequence[Page], first: str, folder: str | None) -> App:
    """The pages as one ASGI application; whoever sits at this machine is its manager (E4).

    Args:
        pages: The notebooks.
        first: The name of the one that the address without a path leads to.
        folder: The folder of tables or store that they show; the demo store of this process by default.
    """
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, RedirectResponse
    from starlette.routing import Mount, Route

    async def start(_request: object) -> RedirectResponse:
        return RedirectResponse(f"/{first}/")

    async def health(_request: object) -> PlainTextResponse:
        return PlainTextResponse("ok")

    waiting = Waiting()
    routes = [
        Route("/", start),
        Route("/health", health),
        Route(f"{GIVE_UP}/{{token}}", waiting.answer, methods=["POST"]),
        Mount("/", notebooks_app(pages)),
    ]
    app = Starlette(routes=routes)
    told = {"role": "manager", "folder": folder, "pages": [page.name for page in pages], "waiting": waiting}

    async def for_one(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not _is_for_here(scope):
            await refuse(
                scope, receive, send, 403, "Ask for these pages as http://127.0.0.1: they are for this machine."
            )
            return
        await app({**scope, "meta": told}, receive, send)

    return for_one


def _is_for_here(scope: Scope) -> bool:
    """Whether the browser asks for this machine by a name that is always its own, and for one of these pages.

    A website that is open in the same browser can reach this address as well, under a name of its own, and marimo lets
    every site read what it answers.
    """
    host, origin = header(scope, b"host") or "", header(scope, b"origin")
    try:
        named = urlsplit(f"//{host}").hostname in _HERE
        return named and (origin is None or urlsplit(origin).netloc.lower() == host.lower())
    except ValueError:
        return False
