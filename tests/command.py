"""Running the command ``crowdvote`` in tests."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from unittest.mock import patch

import typer

from crowdvote_analysis.cli import console, main

_WIDTH = 120
_put_together = cache(typer.main.get_command)  # the same for every run
COMMAND = [sys.executable, "-c", "from crowdvote_analysis.cli import main; main()"]


def crowdvote(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command here: what it prints and how it ends, without the time that a process takes to start."""
    words = ["crowdvote", *map(str, arguments)]
    out, err, code = StringIO(), StringIO(), 0
    with ExitStack() as here:
        here.enter_context(patch.object(sys, "argv", words))
        here.enter_context(patch.dict(os.environ, _surroundings(), clear=True))
        here.enter_context(patch.object(typer.main, "get_command", _put_together))
        for screen in (console.out, console.err):  # they asked how wide they are when they were made
            here.enter_context(patch.object(screen, "_width", _WIDTH))
        here.enter_context(redirect_stdout(out))
        here.enter_context(redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def crowdvote_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, as people do."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_surroundings(), timeout=120)


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "CROWDVOTE_DEBUG"} | {
        "COLUMNS": str(_WIDTH),
        "NO_COLOR": "1",
    }
