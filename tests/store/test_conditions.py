"""Object storage that does not keep to conditional writes is refused when a store is made there."""

from __future__ import annotations

from typing import Any

import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.store.location import Location


class Careless:
    """Storage that passes over some conditions; ``over`` says which: ``create`` or ``e_tag``."""

    def __init__(self, over: str) -> None:
        self.kept, self._over = MemoryStore(), over

    def put(self, name: str, data: bytes, mode: Any = "overwrite") -> object:
        is_over = mode == self._over or (isinstance(mode, dict) and self._over in mode)
        return self.kept.put(name, data, mode="overwrite" if is_over else mode)

    def head(self, name: str) -> Any:
        return self.kept.head(name)

    def delete(self, name: str) -> None:
        self.kept.delete(name)


class Unreachable(Careless):
    def put(self, *_: object, **__: object) -> object:
        raise GenericError("password=secret")


def of(files: Any) -> Location:
    location = Location("s3://bucket/garden")
    location.__dict__["files"] = files
    return location


def there(files: Any) -> list[str]:
    return [found["path"] for batch in files.list() for found in batch]


def test_storage_that_keeps_to_them_is_taken() -> None:
    """Nothing is left of the trial."""
    files = MemoryStore()
    of(files).require_conditions()
    assert there(files) == []


@pytest.mark.parametrize(
    ("over", "told"),
    [("create", "takes a second creation of an object"), ("e_tag", "takes a write in the place of a version that is")],
)
def test_storage_that_passes_over_them_is_refused_by_name(over: str, told: str) -> None:
    files = Careless(over)
    with pytest.raises(StoreError, match=rf"s3://bucket/garden: the object storage {told}"):
        of(files).require_conditions()
    assert there(files.kept) == []


def test_storage_that_cannot_be_tried_is_refused_without_its_words() -> None:
    """What a library says may quote a secret."""
    with pytest.raises(StoreError, match=r"conditional writes \(GenericError\)") as refused:
        of(Unreachable("")).require_conditions()
    assert "secret" not in str(refused.value)
