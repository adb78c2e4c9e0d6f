"""What happened to snapshots: an append-only table of events, one row whenever a status changes (S2, S4).

The row of a status carries what became known with it: what was frozen, who won, what went wrong. What there is to say
about a snapshot is the latest value of every column.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import BusyError, StoreError, UnknownSnapshotError
from crowdvote_analysis.store import delta, seal
from crowdvote_analysis.tables import UTC

if TYPE_CHECKING:
    from collections.abc import Collection

    from crowdvote_analysis.store.store import Store

TABLE = "snapshot_events"

RUNNING = ("creating", "staging", "tallying")
FAILED = {"creating": "failed_snapshot", "staging": "failed_staging", "tallying": "failed_tallying"}
STATUSES = ("creating", "ready", "staging", "tallying", "completed", *FAILED.values(), "corrupted")

_EVENT = {
    "snapshot_id": pl.String(),
    "number": pl.Int64(),
    "at": UTC,
    "status": pl.String(),
}
# What a status makes known, by column; null in the rows of all others.
_FACTS = {
    "community_id": pl.String(),
    "decision_id": pl.String(),
    "trigger": pl.String(),
    "supersedes": pl.String(),
    "options": pl.String(),
    "timestamp": UTC,
    "seq": pl.Int64(),
    "is_final": pl.Boolean(),
    "inputs_file": pl.String(),
    "staged_file": pl.String(),
    "result_file": pl.String(),
    "content_hash": pl.String(),
    "public_hash": pl.String(),
    "result_hash": pl.String(),
    "public_result_hash": pl.String(),
    "cycle_rule": pl.String(),
    "protocol": pl.String(),
    "outcome": pl.String(),
    "winner": pl.String(),
    "winner_title": pl.String(),
    "margin": pl.Int64(),
    "total_members": pl.Int64(),
    "manual_ballots": pl.Int64(),
    "calculated_ballots": pl.Int64(),
    "no_ballot": pl.Int64(),
    "lobbyists": pl.Int64(),
    "circular_prevented": pl.Int64(),
    "max_delegation_depth": pl.Int64(),
    "participation": pl.Float64(),
    "engine": pl.String(),
    "duration": pl.Float64(),
    "retry_count": pl.Int64(),
    "error": pl.String(),
    "trace": pl.String(),
}
EVENTS = pl.Schema({**_EVENT, **_FACTS})
OVERVIEW = pl.Schema(
    {
        "snapshot_id": pl.String(),
        "status": pl.String(),
        "status_at": UTC,
        **{name: kind for name, kind in _FACTS.items() if name not in ("trace", "error")},
        "last_error": pl.String(),
        "superseded_by": pl.String(),
    }
)

# Hashes of what holds real ids would confirm the name of an anonymous member to whoever guesses it (P1).
_DIGEST = r"\b[0-9a-f]{64}\b"
INTERNAL = ("inputs_file", "staged_file", "result_file", "content_hash", "result_hash")


def append_event(store: Store, snapshot_id: str, status: str, at: datetime, **facts: Any) -> None:
    """Add one event, in one commit of its own.

    Raises:
        BusyError: Somebody else wrote the table anew at the same time; trying again helps.
        StoreError: Events are missing that there are seals of.
    """
    delta.create(store.location, TABLE, EVENTS)
    table = delta.open_table(store.location, TABLE)
    newest = lambda: delta.open_table(store.location, TABLE).version()  # noqa: E731
    seal.require_end(store.location, TABLE, table.version(), newest)
    # The version of the table grows with every event, whatever the clock does.
    row = {"snapshot_id": snapshot_id, "number": table.version() + 1, "at": at, "status": status, **facts}
    if not delta.append(table, pl.DataFrame([row], schema=EVENTS)):
        raise BusyError(f"{store.location}: others were writing to {TABLE}. Nothing was recorded; try again.")
    with suppress(StoreError):  # the event is there; the next writer makes up for it
        seal.seal(store.location, TABLE, table.version())
    delta.tidy(store.location, TABLE, table)


def read_events(store: Store, snapshot_id: str | None = None) -> pl.DataFrame:
    """The events of all snapshots or of one, in the order in which they happened.

    Returns:
        snapshot_id, number (it grows), at, status (S4) and what became known with it.
    """
    if not delta.is_table(store.location, TABLE):
        return pl.DataFrame(schema=EVENTS)
    events = delta.scan(delta.open_table(store.location, TABLE), EVENTS, store.location.options)
    if snapshot_id is not None:
        events = events.filter(pl.col("snapshot_id") == snapshot_id)
    return delta.collected(store.location, TABLE, events.sort("snapshot_id", "number", "at"))


def list_snapshots(store: Store, decision_id: str | None = None) -> pl.DataFrame:
    """All snapshots of a store, the one that was begun last first.

    Args:
        store: The store.
        decision_id: Those of one decision only.

    Returns:
        One row a snapshot: snapshot_id, status (S4) and status_at (since when), community_id, decision_id, trigger,
        supersedes and superseded_by (ids of snapshots), options (JSON text), timestamp (the instant it is of), seq (of
        the last commit in it), is_final (S3), inputs_file, staged_file and result_file (SHA-256 of the JSON documents
        that describe what is frozen), content_hash, public_hash, result_hash, public_result_hash, cycle_rule, protocol,
        outcome (decided, unresolved tie, no ballots), winner, winner_title, margin, the statistics of M2, engine
        (version), duration (seconds of calculation), retry_count and last_error. What is not known yet is null.
    """
    return overview(read_events(store), decision_id)


def overview(events: pl.DataFrame, decision_id: str | None = None) -> pl.DataFrame:
    """One row a snapshot, from their events; see ``list_snapshots``."""
    latest = events.group_by("snapshot_id").agg(
        pl.col("number").min(),
        pl.col("status").last(),
        pl.col("at").last().alias("status_at"),
        pl.col([name for name in _FACTS if name not in ("trace", "error", "duration")]).drop_nulls().last(),
        pl.col("duration").sum(),
        pl.col("error").drop_nulls().last().alias("last_error"),
    )
    latest = latest.sort("number", "timestamp", "snapshot_id", descending=True)
    by = _superseded(latest.reverse())
    found = latest.join(by, on="snapshot_id", how="left", maintain_order="left").select(OVERVIEW.names()).cast(OVERVIEW)
    return found if decision_id is None else found.filter(pl.col("decision_id") == decision_id)


def redacted(text: str) -> str:
    """A text without hashes of what holds real ids, such as the names of files; see ``INTERNAL``."""
    return re.sub(_DIGEST, "…", text)


def public_events(frame: pl.DataFrame) -> pl.DataFrame:
    """Events or snapshots as they may be shown: without ``INTERNAL`` columns, and without hashes in errors (P1)."""
    texts = [name for name in ("error", "last_error") if name in frame.columns]
    return frame.drop(INTERNAL).with_columns(pl.col(texts).str.replace_all(_DIGEST, "…"))


def _superseded(latest: pl.DataFrame) -> pl.DataFrame:
    """Which snapshots were superseded, and by which: a result only by a later result, a failure by any later try.

    Args:
        latest: What is known of every snapshot, in the order in which they were begun: two may be of the same instant.
    """
    columns = ("snapshot_id", "status", "supersedes", "decision_id", "is_final")
    known = {row["snapshot_id"]: row for row in latest.select(columns).to_dicts()}
    by: dict[str, str] = {}
    final: dict[str, list[str]] = {}
    for name, row in known.items():
        earlier = row["supersedes"]
        if row["status"] == "completed":
            while earlier in known:
                by[earlier] = name
                earlier = known[earlier]["supersedes"]
            if row["is_final"]:  # one final result stands, whichever way the others came about (S3)
                by |= dict.fromkeys(final.setdefault(row["decision_id"], []), name)
                final[row["decision_id"]].append(name)
        elif row["status"] in FAILED.values() and earlier in known and known[earlier]["status"] != "completed":
            by.setdefault(earlier, name)
    return pl.DataFrame({"snapshot_id": list(by), "superseded_by": list(by.values())}, schema=_BY)


_BY = {"snapshot_id": pl.String, "superseded_by": pl.String}


def of_communities(rows: pl.DataFrame, communities: Collection[str] | None) -> pl.DataFrame:
    """The rows of some communities only, by their ``community_id``; ``None`` for all of them."""
    return rows if communities is None else rows.filter(pl.col("community_id").is_in(list(communities)))


def find_snapshot(store: Store, name: str, communities: Collection[str] | None = None) -> dict[str, Any]:
    """The row of one snapshot, by its id, by the first letters of it, or as ``latest`` for the newest completed one.

    Args:
        store: The store.
        name: Which one.
        communities: Of these communities only; others have none, as far as this says.

    Raises:
        UnknownSnapshotError: There is none, or there are several.
    """
    known = of_communities(list_snapshots(store), communities)
    if name == "latest":
        found = known.filter(status="completed").head(1)
    else:
        exact = known.filter(snapshot_id=name)
        found = exact if len(exact) else known.filter(pl.col("snapshot_id").str.starts_with(name))
    if len(found) == 1:
        return found.row(0, named=True)
    if len(found):
        raise UnknownSnapshotError(f"'{name}' may mean {len(found)} snapshots; give more of its id.")
    held = f"The store holds {len(known):,}; crowdvote snapshot list shows them." if len(known) else "It holds none."
    raise UnknownSnapshotError(f"There is no snapshot '{name}'. {held}")


def instant(text: str) -> datetime:
    """A time as the JSON documents of snapshots hold it."""
    return datetime.fromisoformat(text)
