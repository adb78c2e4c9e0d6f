"""The notebooks as one ASGI application, each below its name."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from crowdvote_analysis.serving.open_pages import LINGER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crowdvote_analysis.serving.guard import App, Message, Receive, Scope, Send
    from crowdvote_analysis.serving.pages import Page


# Where the scripts of all pages are: in one place, so that a browser which has seen one page has them for the others.
SCRIPTS = "scripts"
# What a page is laid out with, and what draws charts: needed on every page, and asked for when there is one to draw.
_SOON = ("run-page-*.js", "layout-*.js", "react-vega-*.js")
# Their names change with what is in them.
_FOR_EVER = b"private, max-age=31536000, immutable"


def notebooks_app(pages: Iterable[Page], head: str = "") -> App:
    """Mount notebooks; nobody is asked who they are.

    Args:
        pages: The notebooks; each is found at ``/name/``.
        head: More for the head of each page.
    """
    import marimo
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    _keep_files_in_memory()
    static = Path(str(files("marimo") / "_static"))
    builder = marimo.create_asgi_app(
        quiet=True,
        include_code=False,
        asset_url=f"/{SCRIPTS}",
        session_ttl=LINGER,
        html_head=_asked_for_soon(static) + head,
    )
    for page in pages:
        builder = builder.with_app(path=f"/{page.name}", root=str(page.file))
    scripts = StaticFiles(directory=static, follow_symlink=True)
    routes = [Mount(f"/{SCRIPTS}", _kept(scripts)), Mount("/", _known_files_only(builder.build()))]
    return Starlette(routes=routes)


def _asked_for_soon(static: Path) -> str:
    """Tags by which a browser asks at once for large scripts that marimo asks for one after the other."""
    found = [script.name for name in _SOON for script in sorted((static / "assets").glob(name))]
    return "".join(f'<link rel="modulepreload" crossorigin href="/{SCRIPTS}/assets/{name}">' for name in found)


def _keep_files_in_memory() -> None:
    """Let marimo find the files of its pages in the memory of this process alone.

    Without a storage of its own it looks for a name that somebody asks for among the shared memory of all programs.
    """
    from marimo._runtime.virtual_file.storage import InMemoryStorage, VirtualFileStorageManager

    if VirtualFileStorageManager().storage is None:
        VirtualFileStorageManager().storage = InMemoryStorage()


def _kept(app: App) -> App:
    """Files that a browser keeps."""

    async def keep(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_kept(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400 and "/assets/" in scope["path"]:
                message["headers"] = [*message["headers"], (b"cache-control", _FOR_EVER)]
            await send(message)

        await app(scope, receive, send_kept)

    return keep


def warm_up() -> None:
    """Load what pages need, count an example with a loop and draw a chart: nobody waits for that on the first page."""
    import crowdvote_analysis as cv
    from crowdvote_analysis import charts, power
    from crowdvote_analysis.pages import history, layout, snapshot, yes_no  # noqa: F401
    from crowdvote_analysis.pages.tutorial import EXAMPLE, TIED_BALLOTS, example, why
    from crowdvote_analysis.what_if import WithdrawBallot, what_if

    state = example(
        TIED_BALLOTS, [("Fay", "Ann", ["trees"]), ("Fay", "Gus", []), ("Gus", "Fay", []), ("Gus", "Ben", [])]
    )
    for rule in ("path", "equilibrium"):
        resolution = cv.resolve(state, cycles=rule)
        why(state, "Fay", rule)
    power.concentration(power.voter_weights(resolution, EXAMPLE)["weight"])
    tried = what_if(state, resolution, EXAMPLE, [WithdrawBallot("Ann")])
    charts.change_chart(charts.change_rows(tried)).to_dict()


def _known_files_only(pages: App) -> App:
    """Say that there is no such file where a page has none of that name and length, which would break marimo's answer.

    It begins to answer before it looks for the file.
    """
    from starlette.responses import PlainTextResponse

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].partition("/@file/")[2]
        if name and not _is_file(name):
            await PlainTextResponse("There is no such file.\n", 404)(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return answer


def _is_file(name: str) -> bool:
    """Whether there is a file in memory; it is asked for as ``LENGTH-NAME``."""
    from marimo._runtime.virtual_file.storage import VirtualFileStorageManager

    length, _, key = name.partition("-")
    storage = VirtualFileStorageManager().storage
    return storage is not None and storage.has(key) and length == str(len(storage.read(key, sys.maxsize)))
