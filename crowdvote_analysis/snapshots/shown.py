"""A stored snapshot as the document that others read (S9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.snapshots.calculation import listed_choices, resolve_snapshot, staged_tables, tallied
from crowdvote_analysis.snapshots.document import document
from crowdvote_analysis.snapshots.events import find_snapshot
from crowdvote_analysis.snapshots.objects import listing_hash
from crowdvote_analysis.snapshots.reading import read_inputs, read_people
from crowdvote_analysis.star import tally_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crowdvote_analysis.store.store import Store

_HEAD = (
    "snapshot_id",
    "status",
    "trigger",
    "supersedes",
    "superseded_by",
    "engine",
    "public_hash",
    "public_result_hash",
)


def snapshot_document(
    store: Store, name: str, *, depth: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Iterator[str]:
    """The document of a snapshot, piece by piece; see ``document``.

    The trees are worked out anew from the frozen tables, and only if that gives the stored result bit for bit.

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.
        depth: Levels of followings in the trees; it changes no number.
        progress: Called with (ballots done, ballots in all).

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: It has no result, is not what it was, or a recount gives another result.
    """
    row = find_snapshot(store, name)
    if row["status"] != "completed":
        raise SnapshotError(f"snapshot {row['snapshot_id']} is {row['status']}; a document is made of completed ones.")
    inputs, state = read_inputs(store, row["snapshot_id"])
    resolution = resolve_snapshot(state, inputs.options, progress)
    result = tallied(staged_tables(resolution, inputs.options), listed_choices(state), inputs.options)
    stored = result.exchanged(read_people(store, inputs).coded_results) if inputs.coded else result
    if listing_hash(stored.contents()) != row["result_hash"]:
        raise SnapshotError(
            f"snapshot {row['snapshot_id']}: a recount gives another result than was stored, so no document is made. "
            "crowdvote snapshot verify says where."
        )
    orders = {inputs.decision_id: inputs.options.tie_order} if inputs.options.tie_order else None
    tallies = tally_each(resolution, inputs.options.protocol, tie_orders=orders)
    return document(
        state,
        resolution,
        inputs.decision_id,
        timestamp=inputs.timestamp,
        is_final=inputs.is_final,
        tally=tallies.get(inputs.decision_id),
        head={field: row[field] for field in _HEAD},
        depth=depth,
    )
