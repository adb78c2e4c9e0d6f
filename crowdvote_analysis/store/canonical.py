"""Rows in one form, so that one hash says the same of them wherever and in whatever order they lie.

A **row** is one line of JSON as RFC 8785 writes it: an object of the columns that are not null, by their names in
alphabetical order, without blanks, in UTF-8, with a line feed behind it. Text, whole numbers, true and false are those
of JSON; a decimal is text with all places of its type (``"4.50000000"``); a time is text, ISO 8601 in UTC with six
places of a second (``"2026-06-15T12:00:00.000000Z"``); a float is text, the shortest that gives it back; a list is an
array, with null where an element is; a structure is an object, without what is null in it.

The **hash of a row** is the SHA-256 of that line. The **hash of some rows** is the SHA-256 of their lines, sorted by
their bytes: ``LC_ALL=C sort rows.jsonl | sha256sum``. Neither depends on the order of rows, on how a Parquet file holds
them or which library wrote it, and a column that a table gets later changes no hash of the rows from before it, where
it is null. (The content hashes of snapshots are of CSV, which is to be opened by anybody; CSV has no form for the lists
of structures here, and changes with every column.)

The hashes are of rows as they are stored, real ids and all, and so are not for publication (P1); that of a commit is,
since its row has the random id of the commit in it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl


def line(row: Mapping[str, Any]) -> bytes:
    """A row in its one form."""
    text = json.dumps(_form(row), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash of one row."""
    return sha256(line(row))


def rows_hash(frame: pl.DataFrame) -> str:
    """The hash of some rows."""
    return joined_hash(line(row) for row in frame.iter_rows(named=True))


def joined_hash(lines: Iterable[bytes]) -> str:
    """The hash of rows whose lines are given, in any order."""
    return sha256(b"".join(sorted(lines)))


def _form(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, dict):
        return {name: _form(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_form(each) for each in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return repr(value) if isinstance(value, float) else value
