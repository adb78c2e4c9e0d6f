"""How the tests share the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.cores import every_core, keep_to_one


def pytest_configure() -> None:
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    if worker:
        keep_to_one(int(worker[1]))


@pytest.fixture
def all_cores() -> Iterator[None]:
    """For processes whose threads, or which among themselves, are to run at the same time."""
    with every_core():
        yield
