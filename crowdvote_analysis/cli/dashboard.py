"""``crowdvote dashboard``: the count as pictures, in the browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from crowdvote_analysis.cli.console import err, noting
from crowdvote_analysis.cli.reading import open_store, read_state
from crowdvote_analysis.errors import CrowdVoteError


def dashboard(
    folder: Annotated[
        str | None,
        typer.Argument(help="Folder with the tables, or a store; the demo communities by default.", show_default=False),
    ] = None,
    page: Annotated[
        Literal["count", "yes_no", "influence", "what_if", "tutorial", "decision", "snapshot"],
        typer.Option(
            "--page",
            help="Decisions with stars, yes/no decisions, who decided, what would come out otherwise, the rules; of a "
            "store: a decision over time, one snapshot.",
        ),
    ] = "count",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on this machine.")] = 2718,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Serve a notebook on this machine: the count with scores, runoff, influence and ballots, or another page.

    The pages decision and snapshot belong together, and look at a store; without one, at a demo store made for it.

    The page is for one person on this machine: it listens on the loopback address only. Stop it with Ctrl+C.
    """
    from crowdvote_analysis.bundled import notebooks_folder

    if page in ("decision", "snapshot"):
        from crowdvote_analysis.cli.history import serve_history

        if folder is not None:
            open_store(folder)
        _require_free(port)
        err.print(f"Serving on http://127.0.0.1:{port} (Ctrl+C stops it).")
        serve_history(page, folder if folder is None or "://" in folder else str(Path(folder).resolve()), port, browser)
        return
    if folder is not None:
        with noting():
            read_state(folder)  # what cannot be counted is said here rather than on a page that stays empty
    _require_free(port)
    command = [sys.executable, "-m", "marimo", "run", str(notebooks_folder() / f"{page}.py")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-sandbox", *([] if browser else ["--headless"])]
    if folder is not None:
        command += ["--", "--folder", folder if "://" in folder else str(Path(folder).resolve())]
    err.print(f"Serving on http://127.0.0.1:{port} (Ctrl+C stops it).")
    if os.name == "posix":
        os.execv(command[0], command)  # no process of ours is left between whoever stops it and the server
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUseError(f"port {port} is in use on this machine. Choose another one with --port.") from error


class PortInUseError(CrowdVoteError):
    """Something else listens on the port."""
