"""A store of format 1 into one of today: every commit and every snapshot, with ids and names of people kept apart.

The new store is made beside the old one and compared with it; only then does it take its place, and the old one stays.
Rows that were left by writers that were stopped, and belong to no commit, do not come along.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.store import delta, seal
from crowdvote_analysis.store.canonical import rows_hash
from crowdvote_analysis.store.cut import COMMITS, record_schema
from crowdvote_analysis.store.location import Location
from crowdvote_analysis.store.people import People
from crowdvote_analysis.store.store import (
    FORMAT,
    MARK,
    Store,
    concerned,
    create_tables,
    is_store,
    put_mark,
    read_mark,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

UPGRADE = "upgrade"
_TICK = timedelta(microseconds=1)
_OLD_COMMITS = pl.Schema(
    {
        "seq": pl.Int64(),
        "commit_id": pl.String(),
        "committed_at": tables.UTC,
        "action": pl.String(),
        "tables": pl.List(pl.String()),
        "rows": pl.List(pl.Int64()),
    }
)


@dataclass(frozen=True)
class Upgraded:
    """A store that was upgraded.

    Attributes:
        store: The store, of the format of today.
        before: Where the old one lies.
        commits: How many commits there were.
        people: How many people.
    """

    store: Store
    before: str
    commits: int
    people: int


def upgrade_store(
    where: str | Path,
    options: Mapping[str, str] | None = None,
    to: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Upgraded:
    """Bring a store of format 1 to the format of today.

    Nobody may record meanwhile: programs of older versions are stopped first. Numbers, times and rows of all commits
    stay, and so do the snapshots with their hashes.

    Args:
        where: The store.
        options: What its object storage needs.
        to: Where the new store is made; by default it takes the place of the old one, which is kept beside it as
            ``NAME.format-1``. Needed on object storage.
        progress: Called with (tables copied, tables in all).

    Raises:
        StoreError: There is no store of format 1; the new place is not empty; or the new store would not be the same.
    """
    old = Location.of(where, options)
    mark = read_mark(old)
    if mark["format"] == FORMAT:
        raise StoreError(f"{old}: has format {FORMAT} already; nothing was done.")
    new, before = _places(old, to, options)
    if is_store(new.url, options) or (new.folder is not None and new.folder.exists()):
        raise StoreError(f"{new}: is there already. Remove it, or name another place with --to. Nothing was done.")
    if new.folder is not None:
        new.folder.mkdir(parents=True)
    try:
        store = _made(old, new, mark, progress)
        _require_same(old, store)
    except BaseException:
        if new.folder is not None:
            shutil.rmtree(new.folder, ignore_errors=True)
        raise
    if to is None:
        assert old.folder is not None
        assert new.folder is not None
        old.folder.rename(before)
        new.folder.rename(old.folder)
        store = Store.open(old.url, options)
    cut = store.cut()
    return Upgraded(store, before, len(cut.commits), len(cut.people.ids))


def _places(old: Location, to: str | Path | None, options: Mapping[str, str] | None) -> tuple[Location, str]:
    """Where the new store is made, and where the old one is afterwards."""
    if to is not None:
        return Location.of(to, options), old.url
    if old.folder is None:
        raise StoreError(f"{old}: is on object storage, where nothing can be renamed: name a new place with --to.")
    before = old.folder.with_name(f"{old.folder.name}.format-1")
    if before.exists():
        raise StoreError(f"{before}: is there already, and is where the old store would be kept. Move it away first.")
    return Location.of(old.folder.with_name(f"{old.folder.name}.upgrading")), str(before)


def _rows(location: Location, table: str, schema: pl.Schema) -> pl.DataFrame:
    """All rows of a table of the old store."""
    rows = delta.scan(delta.open_table(location, table), schema, location.options)
    return delta.collected(location, table, rows)


def _made(old: Location, new: Location, mark: Mapping[str, Any], progress: Callable[[int, int], None] | None) -> Store:
    """The new store, whole."""
    commits = _rows(old, "commits", _OLD_COMMITS).sort("seq")
    frames = {}
    for done, table in enumerate(tables.TABLES, start=1):
        rows = _rows(old, table, record_schema(table)).join(commits.select("commit_id"), on="commit_id", how="semi")
        if len(rows):
            frames[table] = rows
        if progress is not None:
            progress(done, len(tables.TABLES) + 1)
    create_tables(new)
    _copy_snapshots(old, new)
    put_mark(new, mark["secret"])
    _replay(new, commits, frames)
    if progress is not None:
        progress(len(tables.TABLES) + 1, len(tables.TABLES) + 1)
    return Store.open(new.url, new.options)


def _replay(new: Location, commits: pl.DataFrame, frames: Mapping[str, pl.DataFrame]) -> None:
    """Write all rows, then all commits as one chain; the last one brings the people, and states the files."""
    seq, at = (0, datetime.now(UTC)) if commits.is_empty() else commits.select("seq", "committed_at").row(-1)
    own = {"seq": seq + 1, "commit_id": uuid4().hex, "committed_at": at + _TICK, "action": UPGRADE}
    files: seal.Files = seal.stated(new, MARK)
    parts: dict[str, dict[str, pl.DataFrame]] = {}
    for table, frame in People.none().coded(frames).items():
        rows = frame if table in tables.TABLES else frame.with_columns(commit_id=pl.lit(own["commit_id"]))
        rows = rows.select(record_schema(table).names()).cast(record_schema(table))
        opened = delta.open_table(new, table)
        before = opened.version()
        delta.append(opened, rows)
        files += seal.written(new, table, before, opened.version())
        parts[table] = {str(key): part for (key,), part in rows.partition_by("commit_id", as_dict=True).items()}
    chain = []
    for row in [*commits.iter_rows(named=True), own]:
        brought = {table: part[row["commit_id"]] for table, part in parts.items() if row["commit_id"] in part}
        hashed = {table: part for table, part in brought.items() if table != "names"}
        said = dict(zip(row.get("tables", ()), row.get("rows", ()), strict=True))
        if row is not own and said != {table: len(part) for table, part in hashed.items()}:
            raise StoreError(
                f"{new}: commit {row['seq']:,} has not the rows that were committed. Restore the store from a backup "
                "first; it stays as it is."
            )
        chain.append(
            {name: row[name] for name in own}
            | {
                "tables": list(hashed),
                "rows": [len(part) for part in hashed.values()],
                "row_hashes": [rows_hash(part) for part in hashed.values()],
                "files": files if row is own else [],
                "previous": None,
                **concerned(brought.values()),
            }
        )
    log = delta.open_table(new, "commits")
    delta.append(log, seal.chained(pl.DataFrame(chain, schema=COMMITS), None))
    seal.seal(new, "commits", log.version())


def _copy_snapshots(old: Location, new: Location) -> None:
    """What snapshots have frozen, and their events, byte by byte."""
    for prefix in ("snapshots/", "snapshot_events/"):
        for batch in old.files.list(prefix):
            for path in (found["path"] for found in batch):
                new.files.put(path, old.files.get(path).bytes())
    if delta.is_table(new, "snapshot_events"):
        seal.seal(new, "snapshot_events", delta.open_table(new, "snapshot_events").version())


def _require_same(old: Location, store: Store) -> None:
    """Hold the new store against the old one, row by row.

    Raises:
        StoreError: It has other rows.
    """
    commits = _rows(old, "commits", _OLD_COMMITS).select("commit_id", "seq", "action")
    cut = store.cut()
    for table in tables.TABLES:
        given = _rows(old, table, record_schema(table)).join(commits, on="commit_id").drop("commit_id")
        now = cut.history(table).select(given.columns).collect()
        order = [pl.struct(given.columns).map_batches(_written, return_dtype=pl.String)]
        if not given.select(order).to_series().sort().equals(now.select(order).to_series().sort()):
            raise StoreError(f"{old}: the table {table} would have other rows afterwards; the store stays as it is.")


def _written(rows: pl.Series) -> pl.Series:
    return pl.Series([repr(row) for row in rows.struct.unnest().iter_rows()], dtype=pl.String)
