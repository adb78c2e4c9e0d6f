"""What snapshots have frozen: tables as Parquet files named by the SHA-256 of their bytes, and small JSON documents.

A table that did not change between two snapshots is one file. A file is written once and never again, so that whoever
finds other bytes than its name says knows that somebody else wrote them.

Beside the bytes, a table has a **content hash**: the SHA-256 of the table as CSV (rows in the order of their key,
UTF-8, lines ending in LF, cells quoted where needed, absent cells empty and empty texts as ``""``, lists as ``a;b``,
times as ISO 8601 in UTC). It says the same whatever the version that wrote the Parquet file, and ``sha256sum`` can
check it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from crowdvote_analysis.errors import SnapshotError, TableWarning
from crowdvote_analysis.parquet import DAMAGE
from crowdvote_analysis.store.export import CSV_TIME, flat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.store.location import Location

_FOLDER = "snapshots"


class Frozen(NamedTuple):
    """A table that was frozen.

    Attributes:
        rows: Number of its rows.
        content: Its content hash.
        file: SHA-256 of the bytes of its file.
        size: Number of those bytes.
    """

    rows: int
    content: str
    file: str
    size: int

    @property
    def path(self) -> str:
        """Where the file lies in the store."""
        if not re.fullmatch("[0-9a-f]{64}", self.file):
            raise ValueError("the name of a file is the SHA-256 of its bytes")
        return f"{_FOLDER}/objects/{self.file[:2]}/{self.file}.parquet"


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """A table as CSV, the form whose SHA-256 is its content hash; rows as they stand."""
    return flat(frame).write_csv(datetime_format=CSV_TIME).encode()


def content_of(frame: pl.DataFrame) -> str:
    """The content hash of a table whose rows are in the order of its key."""
    return sha256(csv_bytes(frame))


def listing_hash(contents: Mapping[str, str]) -> str:
    """One hash for several: the SHA-256 of what ``sha256sum`` prints for files of these names, sorted."""
    lines = "".join(f"{contents[name]}  {name}\n" for name in sorted(contents))
    return sha256(lines.encode())


def freeze(location: Location, frame: pl.DataFrame) -> Frozen:
    """Write a table, rows in the order of its key, unless its file is there already.

    A file of that name that holds other bytes is put right: its name says which bytes belong there.
    """
    written = io.BytesIO()
    frame.write_parquet(written)
    data = written.getvalue()
    frozen = Frozen(len(frame), content_of(frame), sha256(data), len(data))
    if not _put_new(location, frozen.path, data) and read_bytes(location, frozen.path) != data:
        warnings.warn("a file of a snapshot was changed from outside and was put right.", TableWarning, stacklevel=2)
        location.files.put(frozen.path, data)
    return frozen


def thaw(location: Location, frozen: Frozen) -> tuple[pl.DataFrame | None, str | None]:
    """Read a table back.

    Returns:
        The table, or none and a sentence that says what is wrong with its file.
    """
    try:
        data = read_bytes(location, frozen.path)
    except FileNotFoundError:
        return None, f"{frozen.path}: is missing"
    if len(data) != frozen.size:
        return None, f"{frozen.path}: has {len(data):,} bytes, and {frozen.size:,} were written"
    if sha256(data) != frozen.file:
        return None, f"{frozen.path}: holds other bytes than were written"
    try:
        return pl.read_parquet(data), None
    except DAMAGE:
        return None, f"{frozen.path}: is no Parquet file"


def write_json(location: Location, path: str, document: Mapping[str, Any]) -> str:
    """Write a JSON document once.

    Returns:
        The SHA-256 of its bytes.

    Raises:
        SnapshotError: It is there and says something else.
    """
    data = json_bytes(document)
    if not _put_new(location, path, data) and read_bytes(location, path) != data:
        raise SnapshotError(f"{location}: {path} is there already and says something else.")
    return sha256(data)


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A JSON document in its one form: keys sorted, indented by two, UTF-8."""
    return (json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def read_bytes(location: Location, path: str) -> bytes:
    """The bytes of a file of the store.

    Raises:
        FileNotFoundError: It is not there.
    """
    return bytes(location.files.get(path).bytes())


def file_of(snapshot_id: str, name: str) -> str:
    """Where a JSON document of a snapshot lies in the store; an id with other characters than ours lies nowhere."""
    snapshot_id = re.sub("[^0-9A-Za-z-]", "_", snapshot_id)
    return f"{_FOLDER}/{snapshot_id}/{name}.json"


def _put_new(location: Location, path: str, data: bytes) -> bool:
    """Write a file, whole or not at all; whether it was not there before."""
    from obstore.exceptions import AlreadyExistsError

    try:
        location.files.put(path, data, mode="create")
    except AlreadyExistsError:
        return False
    return True
