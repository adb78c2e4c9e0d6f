"""The pages about the history of decisions, side by side, so that links lead from one to the other."""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from crowdvote_analysis.bundled import notebooks_folder

if TYPE_CHECKING:
    from starlette.applications import Starlette

PAGES = ("decision", "snapshot")


def serve_history(page: str, store: str | None, port: int, browser: bool) -> None:
    """Serve the pages on the loopback address until somebody stops it.

    Args:
        page: Which of ``PAGES`` the address without a path leads to.
        store: The store; a demo store by default, which is ready before the first page is asked for.
        port: A free port.
        browser: Whether the page is opened in the browser.
    """
    import uvicorn

    from crowdvote_analysis.snapshots.demo import demo_store, discard_demo_store

    if store is None:
        demo_store()
    if browser:
        threading.Timer(1.0, webbrowser.open, [f"http://127.0.0.1:{port}"]).start()
    # Whoever ends the server ends it at once: notebooks that are looked at run in threads, which would be waited for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        uvicorn.run(
            history_app(page, store), host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2
        )
    finally:
        discard_demo_store()
        os._exit(0)


def history_app(page: str, store: str | None) -> Starlette:
    """The pages as one ASGI application; whoever sits at this machine is its manager (E4)."""
    import marimo
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, RedirectResponse
    from starlette.routing import Mount, Route

    built = marimo.create_asgi_app(quiet=True)
    for name in PAGES:
        built = built.with_app(path=f"/{name}", root=str(notebooks_folder() / f"{name}.py"))
    notebooks = built.build()

    async def as_manager(scope: Any, receive: Any, send: Any) -> None:
        await notebooks({**scope, "meta": {"role": "manager"}}, receive, send)

    asked = "" if store is None else f"?{urlencode({'store': store})}"

    async def first(_request: object) -> RedirectResponse:
        return RedirectResponse(f"/{page}/{asked}")

    async def health(_request: object) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/", first), Route("/health", health), Mount("/", as_manager)])
