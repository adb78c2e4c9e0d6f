"""The cases as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases import shared_file


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[[str], Path]:
    """Write the files of a case into a folder of their own; the folder."""

    def write(case_id: str) -> Path:
        cases = json.loads(shared_file("cases/inputs.json").read_text("utf-8"))["cases"]
        case = next(case for case in cases if case["id"] == case_id)
        folder = tmp_path / case_id
        folder.mkdir()
        for name, text in case["files"].items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return folder

    return write
