"""Files for the readers to read: small ones written on the spot, and the real ones beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


class Write(Protocol):
    """Writes a file of the test's folder and returns its path."""

    def __call__(self, name: str, content: str | bytes) -> Path: ...


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def shared(name: str) -> Path:
    """A real file from beside the repository; the test is skipped where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path
