"""How the tests share the machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from crowdvote_analysis import loop_rules
from tests.cores import every_core, keep_to_one


def pytest_configure() -> None:
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    if worker:
        keep_to_one(int(worker[1]))


# No test fails because a machine was busy for a moment.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

BOUND = (2, 2, 0)  # what ``tiny_cores`` takes for small

_MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def main_module() -> None:
    """The module that started the tests, as processes that a test starts look for it.

    marimo puts one of its own in its place for every page that it serves in this process, and empties that when the
    page is closed.
    """
    sys.modules["__main__"] = _MAIN


@pytest.fixture
def tiny_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cores of three are large already, so that small networks have cores of both kinds (Y6)."""
    for name, value in zip(("FEW_MEMBERS", "MORE_MEMBERS", "FOLLOWINGS_BEYOND"), BOUND, strict=True):
        monkeypatch.setattr(loop_rules, name, value)


@pytest.fixture
def all_cores() -> Iterator[None]:
    """For processes whose threads, or which among themselves, are to run at the same time."""
    with every_core():
        yield


@pytest.fixture(scope="session")
def demo_store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo store as of today, for looking at; made once for all workers. Whoever changes it takes a copy."""
    from tests.command import crowdvote

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with FileLock(shared / "demo-store.lock"):
        if not (shared / "demo-store").exists():
            done = crowdvote("demo", "--store", shared / "demo-store")
            assert done.returncode == 0, done.stderr
    return shared / "demo-store"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Whoever looks at the demo store waits for it to be made.
    for item in items:
        if "demo_store_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    # An option in pyproject.toml would be replaced by every other `-m`, and `-m "not slow"` would soak.
    if "soak" not in config.option.markexpr:
        soaking = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaking)
        items[:] = [item for item in items if item not in soaking]
