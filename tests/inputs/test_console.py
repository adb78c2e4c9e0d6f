"""Screens that people have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.command import COMMAND


def test_console_encoding(files_of: Callable[[str], Path]) -> None:
    """A stream that is not UTF-8 gets the result; what it cannot write is replaced."""
    done = subprocess.run(
        [*COMMAND, "tally", str(files_of("console-encoding") / "poll.csv")],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "COLUMNS": "120"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Winner: Ben (margin: 1 ballot)" in done.stdout.decode("cp1252")
    assert done.stderr == b""
