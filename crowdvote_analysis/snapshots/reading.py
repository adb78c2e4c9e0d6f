"""What a snapshot has frozen, read back; every file is checked on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.snapshots.calculation import Result, thaw_tables
from crowdvote_analysis.snapshots.inputs import Inputs, thaw_inputs
from crowdvote_analysis.snapshots.objects import file_of, read_bytes

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store


def read_document(store: Store, snapshot_id: str, name: str) -> dict[str, Any]:
    """A JSON document of a snapshot: inputs, staged or result.

    Raises:
        SnapshotError: It is missing or no JSON.
    """
    path = file_of(snapshot_id, name)
    try:
        document: dict[str, Any] = json.loads(read_bytes(store.location, path))
    except (FileNotFoundError, ValueError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else "is no JSON"
        raise SnapshotError(f"{store.location}: {path}: {what}. The snapshot is of no use without it.") from None
    return document


def read_inputs(store: Store, snapshot_id: str) -> tuple[Inputs, SystemState]:
    """What a snapshot has frozen.

    Raises:
        SnapshotError: Something is missing, or is not what it was.
    """
    inputs = Inputs.of(read_document(store, snapshot_id, "inputs"))
    return inputs, thaw_inputs(store.location, inputs)


def read_result(store: Store, snapshot_id: str) -> Result:
    """What came out of a snapshot.

    Raises:
        SnapshotError: Something is missing, or is not what it was.
    """
    document = read_document(store, snapshot_id, "result")
    tables = thaw_tables(store.location, snapshot_id, document["tables"])
    return Result(tables, document["tally"])
