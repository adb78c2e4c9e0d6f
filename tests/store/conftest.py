from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.store.garden import copy_of, new_garden

if TYPE_CHECKING:
    from crowdvote_analysis.store import Store


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that tests only read, or that refuses what they try."""
    return new_garden(tmp_path_factory.mktemp("stores") / "garden")


@pytest.fixture
def garden(untouched: Store, tmp_path: Path) -> Store:
    """A store of one test alone."""
    return copy_of(untouched, tmp_path / "garden")
