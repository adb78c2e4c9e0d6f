"""Rows in one form, so that one hash says the same of them wherever and in whatever order they lie.

A **row** is one line of JSON as RFC 8785 writes it: an object of the columns that are not null, by their names in
alphabetical order, without blanks, in UTF-8, with a line feed behind it. Text, whole numbers, true and false are those
of JSON; a decimal is text with all places of its type (``"4.50000000"``); a time is text, ISO 8601 in UTC with six
places of a second (``"2026-06-15T12:00:00.000000Z"``); a float is text, the shortest that gives it back; a list is an
array and a structure an object, with null where there is nothing (there are no floats in them).

The **hash of a row** is the SHA-256 of that line. The **hash of some rows** is the SHA-256 of their lines, sorted by
their bytes: ``LC_ALL=C sort rows.jsonl | sha256sum``. Neither depends on the order of rows, on how a Parquet file holds
them or which library wrote it, and a column that a table gets later changes no hash of the rows from before it, where
it is null. (The content hashes of snapshots are of CSV, which is to be opened by anybody; CSV has no form for the lists
of structures here, and changes with every column.)

The hashes are of rows as they are stored, with tokens in the place of people (see ``people``), so that they hold when
somebody is forgotten.
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


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def line(row: Mapping[str, Any]) -> bytes:
    """A row in its one form."""
    return _joined(f"{_json(name)}:{_json(row[name])}" for name in sorted(row) if row[name] is not None)


def lines(frame: pl.DataFrame) -> list[bytes]:
    """The rows of a frame in their one form, column by column, which is faster."""
    cells = [_cells(frame[name]) for name in sorted(frame.columns)]
    return [_joined(cell for cell in row if cell is not None) for row in zip(*cells, strict=True)]


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash of one row."""
    return sha256(line(row))


def row_hashes(frame: pl.DataFrame) -> list[str]:
    """The hash of each row."""
    return [sha256(each) for each in lines(frame)]


def rows_hash(frame: pl.DataFrame) -> str:
    """The hash of some rows."""
    return sha256(b"".join(sorted(lines(frame))))


def _joined(cells: Iterable[str]) -> bytes:
    return ("{" + ",".join(cells) + "}\n").encode()


def _cells(column: pl.Series) -> list[str | None]:
    """The name and value of every cell; none where there is no value."""
    name, values = _json(column.name), column.to_list()
    if column.dtype.is_nested() or column.dtype.is_float():  # their values are no keys, or -0.0 is taken for 0.0
        return [None if value is None else f"{name}:{_json(value)}" for value in values]
    texts = {value: f"{name}:{_json(value)}" for value in set(values) - {None}}
    return [texts.get(value) for value in values]


def _json(value: Any) -> str:
    return _JSON.encode(repr(value) if isinstance(value, float) else value)


def _text(value: Any) -> str:
    """What JSON has no form for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert isinstance(value, Decimal)
    return format(value, "f")


_JSON = json.JSONEncoder(default=_text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
