"""``crowdvote dashboard``: the count as pictures, in the browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import err


def dashboard(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder with the tables; the demo communities by default.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on this machine.")] = 2718,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Serve the notebook of the count on this machine: scores, runoff, influence, ballots.

    The page is for one person on this machine: it listens on the loopback address only. Stop it with Ctrl+C.
    """
    from crowdvote_analysis.bundled import notebooks_folder

    command = [sys.executable, "-m", "marimo", "run", str(notebooks_folder() / "count.py")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-sandbox", *([] if browser else ["--headless"])]
    if folder is not None:
        command += ["--", "--folder", str(folder.resolve())]
    err.print(f"Serving on http://127.0.0.1:{port} (Ctrl+C stops it).")
    try:
        ended = subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        ended = 0
    raise typer.Exit(ended)
