"""What all notebooks have in common."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted(str(path) for path in (Path(__file__).parents[1] / "notebooks").glob("*.py"))
# In one process, which imports the libraries once.
AS_SCRIPTS = "import runpy, sys; [runpy.run_path(path, run_name='__main__') for path in sys.argv[1:]]"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments, *NOTEBOOKS]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_notebooks_have_no_complaints() -> None:
    """Marimo's own checks pass, warnings included."""
    assert len(NOTEBOOKS) == 7
    done = _run("-m", "marimo", "check", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr


def test_notebooks_run_as_scripts() -> None:
    """Without a browser and without arguments every notebook runs through, without a warning."""
    done = _run("-W", "error", "-c", AS_SCRIPTS)
    assert (done.returncode, done.stderr) == (0, "")
