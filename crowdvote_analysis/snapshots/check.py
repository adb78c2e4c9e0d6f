"""Whether a store is what was written: its tables, what its snapshots have frozen, and whatever else lies in it.

What ``store.check`` says of the tables, and of snapshots: each frozen table is named by the SHA-256 of its bytes, the
JSON documents name the tables, and the events name the documents. Whether the numbers in them are right is another
question, which ``verify_snapshot`` and ``recompute`` answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.snapshots.events import list_snapshots
from crowdvote_analysis.snapshots.objects import Frozen, file_of
from crowdvote_analysis.store import canonical, seal
from crowdvote_analysis.store.canonical import sha256
from crowdvote_analysis.store.check import LOOK, NOTHING, Finding, Looked, look, tell_of_strangers

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.store.store import Store

FOUND = pl.Schema({name: pl.String() for name in Finding._fields})

FOLDER = "snapshots/"
_OBJECT = re.compile(r"snapshots/objects/([0-9a-f]{2})/(\1[0-9a-f]{62})\.parquet")
_DOCUMENTS = ("inputs", "staged", "result")


def check_store(
    store: Store,
    head: tuple[int, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    deep: bool = True,
) -> pl.DataFrame:
    """Compare every file of a store with what was written; nothing is written.

    Args:
        store: The store.
        head: Number and hash of a commit as they were kept elsewhere: the store has to have it still.
        progress: Called with (files read, files in all).
        deep: Whether data files and rows are read. Without, one that has its size is taken for what it was.

    Returns:
        What was found, what is wrong first: file (its path in the store, or the table), finding (``missing``,
        ``altered``, ``extra``, ``contradiction``, or ``note`` where nothing is wrong), meaning and way_out.
    """
    looked = look(store.location, progress, deep=deep)
    _compare_snapshots(looked, store)
    tell_of_strangers(looked, FOLDER)
    if head is not None:
        _compare_head(looked, *head)
    found = pl.DataFrame(looked.found, schema=FOUND, orient="row").unique(maintain_order=True)
    return found.sort(pl.col("finding") == "note", "file", maintain_order=True)


def is_whole(found: pl.DataFrame) -> bool:
    """Whether nothing but notes was found."""
    return bool((found["finding"] == "note").all())


def _compare_head(looked: Looked, seq: int, digest: str) -> None:
    rows = looked.commits.filter(pl.col("seq") == seq)
    if any(canonical.row_hash(row) == digest for row in rows.iter_rows(named=True)):
        return
    what = f"another commit {seq:,} than the one whose hash you kept" if len(rows) else f"no commit {seq:,} any more"
    way_out = "Restore the store from a backup, or find out since when it is so: older heads may still be in it."
    looked.tell("commits", "contradiction", f"The store has {what}.", way_out)


# --- snapshots -----------------------------------------------------------------------------------------------------


def _compare_snapshots(looked: Looked, store: Store) -> None:
    try:
        known = list_snapshots(store)
    except StoreError as error:
        if not looked.is_wrong("snapshot_events"):
            looked.tell("snapshot_events", "altered", f"The events of snapshots cannot be read: {error}")
        return
    named: dict[str, str] = {}  # documents, with their SHA-256
    for row in known.iter_rows(named=True):
        documents = {file_of(row["snapshot_id"], name): row[f"{name}_file"] for name in _DOCUMENTS}
        named |= {path: digest for path, digest in documents.items() if digest is not None}
    frozen: set[str] = set()
    for path, digest in sorted(named.items()):
        frozen |= _frozen(_document(looked, path, digest))
    for path in sorted(frozen - looked.files.keys()):
        if seal.exists(looked.location, path):  # somebody has frozen it since
            continue
        looked.tell(path, "missing", "The file is not there. It is a table that a snapshot has frozen.")
    begun = {
        path.partition("/")[0] for path in (file_of(name, "x").removeprefix(FOLDER) for name in known["snapshot_id"])
    }
    for path in sorted(path for path in looked.files if path.startswith(FOLDER) and path not in named):
        _compare_file(looked, path, begun, frozen)


def _document(looked: Looked, path: str, digest: str) -> Any:
    """A document that an event names; none where it is not what was written."""
    try:
        data = seal.read_file(looked.location, path)
    except StoreError:
        looked.tell(path, "missing", "The file is not there. It says what a snapshot has frozen, or what came out.")
        return None
    if sha256(data) != digest:
        looked.tell(
            path, "altered", "It holds other bytes than written. It says what a snapshot has frozen, or what came out."
        )
        return None
    try:
        return parse_json(data)
    except ValueError:
        return None  # then it was written so, which is for verify to say


def _frozen(document: Any) -> set[str]:
    """The paths of the tables that a document names."""
    try:
        return {Frozen(**table).path for table in document["tables"].values()}
    except (TypeError, KeyError, AttributeError, ValueError):
        return set()


def _compare_file(looked: Looked, path: str, begun: set[str], frozen: set[str]) -> None:
    """Look at a file of snapshots that no event names: a table, named by its bytes, or what somebody left."""
    name = _OBJECT.fullmatch(path)
    if name and (looked.deep or path not in frozen) and sha256(seal.read_file(looked.location, path)) != name[2]:
        looked.tell(
            path, "altered", "It holds other bytes than its name says. It is a table that a snapshot has frozen."
        )
    elif name and path in frozen:
        return
    elif name or "#" in path:
        looked.tell(
            path, "note", "No snapshot names it: whoever wrote it was stopped, or is about to name it.", NOTHING
        )
    elif path.split("/")[1] in begun and path.split("/")[2:] in [[f"{each}.json"] for each in _DOCUMENTS]:
        looked.tell(path, "note", "No event names it: whoever wrote it was stopped, or is about to record it.", NOTHING)
    elif path.split("/")[2:] in [[f"{each}.json"] for each in _DOCUMENTS]:
        looked.tell(path, "extra", "There are files of this snapshot, and no events: events were removed.", LOOK)
    else:
        looked.tell(path, "extra", "No commit, no seal and no snapshot states this file.", LOOK)
