"""Running the command ``crowdvote`` in tests."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

from crowdvote_analysis.cli import main

COMMAND = [sys.executable, "-c", "from crowdvote_analysis.cli import main; main()"]


def crowdvote(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command here: what it prints and how it ends, without the time that a process takes to start."""
    words = ["crowdvote", *map(str, arguments)]
    out, err, code = StringIO(), StringIO(), 0
    here = patch.object(sys, "argv", words), patch.dict(os.environ, _surroundings(), clear=True)
    with here[0], here[1], redirect_stdout(out), redirect_stderr(err):
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
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }
