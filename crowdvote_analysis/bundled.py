"""Where the demo communities and the notebooks are, in a checkout as well as in an installed package."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crowdvote_analysis.errors import UnreadableFileError

# "Now" in the demo communities (data/make_demo.py).
DEMO_DATE = datetime(2026, 6, 15, 12, tzinfo=UTC)

_PACKAGE = Path(__file__).parent


def demo_folder() -> Path:
    """The folder with the tables of the demo communities."""
    return _find("data/demo")


def notebooks_folder() -> Path:
    """The folder with the marimo notebooks."""
    return _find("notebooks")


def _find(name: str) -> Path:
    for root in (_PACKAGE.parent, _PACKAGE / "_bundled"):
        if (root / name).is_dir() and (root != _PACKAGE.parent or (root / "pyproject.toml").exists()):
            return root / name
    raise UnreadableFileError(f"{name} is not part of this installation. Install the package again, or give a folder.")
