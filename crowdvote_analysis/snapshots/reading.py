"""What a snapshot has frozen, read back; every file is checked on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.snapshots.calculation import Result, thaw_tables
from crowdvote_analysis.snapshots.events import list_snapshots
from crowdvote_analysis.snapshots.inputs import Inputs, named, people_of, thaw_inputs
from crowdvote_analysis.snapshots.objects import file_of, read_bytes, sha256

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.people import People
    from crowdvote_analysis.store.store import Store


def read_document(store: Store, snapshot_id: str, name: str, file: str | None = None) -> dict[str, Any]:
    """A JSON document of a snapshot: inputs, staged or result.

    Args:
        store: The store.
        snapshot_id: The snapshot.
        name: Which of them.
        file: The SHA-256 of its bytes, to be checked; not checked by default.

    Raises:
        SnapshotError: It is missing, is no JSON, or is not what it was.
    """
    path = file_of(snapshot_id, name)
    try:
        data = read_bytes(store.location, path)
        document: dict[str, Any] = parse_json(data)
    except (FileNotFoundError, ValueError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else "is no JSON"
        raise SnapshotError(f"{store.location}: {path}: {what}. The snapshot is of no use without it.") from None
    if file is not None and sha256(data) != file:
        raise SnapshotError(f"{store.location}: {path}: holds other bytes than were written.")
    return document


def read_inputs(store: Store, snapshot_id: str) -> tuple[Inputs, SystemState]:
    """What a snapshot has frozen, under real ids and names; whoever was forgotten is a ``Forgotten member``.

    Raises:
        SnapshotError: Something is missing, or is not what it was.
    """
    inputs, state = read_frozen(store, snapshot_id)
    return inputs, named(store.location, inputs, state, read_people(store, inputs))


def read_people(store: Store, inputs: Inputs) -> People:
    """Who is behind the tokens of a snapshot; see ``people_of``."""
    people = store.cut().people
    if not inputs.coded:
        return people
    then = replace(store.cut(seq=inputs.seq), coded=True)
    return people_of(people, then, inputs.snapshot_id, inputs.community_id)


def read_frozen(store: Store, snapshot_id: str) -> tuple[Inputs, SystemState]:
    """What a snapshot has frozen, as it is counted: people under tokens.

    Raises:
        SnapshotError: Something is missing, or is not what it was.
    """
    inputs = Inputs.of(read_document(store, snapshot_id, "inputs"))
    return inputs, thaw_inputs(store.location, inputs)


def read_result(store: Store, snapshot_id: str) -> Result:
    """What came out of a snapshot, under real ids; whoever was forgotten is a ``Forgotten member``.

    Raises:
        SnapshotError: Something is missing, or is not what it was.
    """
    document = read_document(store, snapshot_id, "result")
    tables = thaw_tables(store.location, snapshot_id, document["tables"])
    inputs = Inputs.of(read_document(store, snapshot_id, "inputs"))
    result = Result(tables, document["tally"])
    return result.exchanged(read_people(store, inputs).named_results) if inputs.coded else result


def named_for_ever(store: Store) -> int:
    """How many snapshots have frozen ids and names of people: those from before format 2 of stores."""
    taken = list_snapshots(store).filter(pl.col("inputs_file").is_not_null())["snapshot_id"]
    return sum(not read_document(store, snapshot_id, "inputs").get("coded", False) for snapshot_id in taken)
