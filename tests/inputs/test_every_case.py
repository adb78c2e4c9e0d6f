"""No case of ``inputs.json`` is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cases import shared_file


def test_every_case_has_a_test() -> None:
    """Each id of the shared cases stands in a test beside this one, as the name of a function."""
    cases = json.loads(shared_file("cases/inputs.json").read_text("utf-8"))["cases"]
    written = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    missing = [case["id"] for case in cases if f"def test_{case['id'].replace('-', '_')}(" not in written]
    assert not missing
