"""JSON that somebody else may have written."""

from __future__ import annotations

import json
from typing import Any


def parse_json(data: bytes | str) -> Any:
    """What a JSON document holds.

    Raises:
        ValueError: It is none, or one that is nested deeper than any of ours.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
