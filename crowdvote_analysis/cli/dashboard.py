"""``crowdvote dashboard``: the count as pictures, in the browser."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal

import typer

from crowdvote_analysis.cli.console import err, noting
from crowdvote_analysis.cli.reading import open_store, read_state
from crowdvote_analysis.errors import CrowdVoteError

# Pages that look at snapshots, which only a store has.
OF_A_STORE = ("decision", "snapshot")


def dashboard(
    folder: Annotated[
        str | None,
        typer.Argument(help="Folder with the tables, or a store; the demo communities by default.", show_default=False),
    ] = None,
    page: Annotated[
        Literal["count", "yes_no", "influence", "what_if", "tutorial", "decision", "snapshot"],
        typer.Option(
            "--page",
            help="The page to begin with: decisions with stars, yes/no decisions, who decided, what would come out "
            "otherwise, the rules; of a store: a decision over time, one snapshot.",
        ),
    ] = "count",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on this machine.")] = 2718,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Serve the pages on this machine: the count, its history, who decided, what if, the rules; links lead on.

    Without a folder they show a demo store, made for it and removed at the end. Tables that are no store have no
    history, so the pages decision and snapshot are left out.

    The pages are for one person on this machine: they listen on the loopback address only. Stop them with Ctrl+C.
    """
    from crowdvote_analysis.bundled import notebooks_folder
    from crowdvote_analysis.serving.loopback import serve_loopback
    from crowdvote_analysis.serving.notebooks import warm_up
    from crowdvote_analysis.serving.pages import find_pages
    from crowdvote_analysis.snapshots.demo import demo_store
    from crowdvote_analysis.store import is_store

    pages = find_pages(notebooks_folder())
    if folder is not None:
        if page in OF_A_STORE:
            open_store(folder)
        else:
            with noting():
                read_state(folder)  # what cannot be counted is said here rather than on a page that stays empty
        if not is_store(folder):
            pages = [each for each in pages if each.name not in OF_A_STORE]
    _require_free(port)
    with err.status("Loading the pages" if folder is not None else "Making a demo store"):
        if folder is None:
            demo_store()
        warm_up()
    err.print(f"Serving on http://127.0.0.1:{port} (Ctrl+C stops it).")
    place = folder if folder is None or "://" in folder else str(Path(folder).resolve())
    serve_loopback(pages, page, place, port, browser=browser)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUseError(f"port {port} is in use on this machine. Choose another one with --port.") from error


class PortInUseError(CrowdVoteError):
    """Something else listens on the port."""
