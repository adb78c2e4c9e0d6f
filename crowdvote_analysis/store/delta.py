"""Delta tables: create, append, read. The only place that talks to deltalake.

Delta itself removes old entries of a log where it writes a summary of it. Here none is ever removed: each is stated
somewhere (see ``seal``), and one that is missing was removed by somebody else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

import polars as pl

from crowdvote_analysis.errors import CrowdVoteError, StoreError, reason
from crowdvote_analysis.parquet import DAMAGE
from crowdvote_analysis.store import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deltalake import DeltaTable

    from crowdvote_analysis.store.location import Location

# So many small files make every reading slower than putting them together once.
MANY_FILES = 32
_CONFIGURATION = {
    "delta.checkpointInterval": str(seal.CHECKPOINTS),
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",  # for those who clean up by hand
}
# A file of this size is large enough to be left alone when small ones are put together.
_LARGE = 32 * 1024 * 1024
_PATIENCE = 60.0


def create(location: Location, name: str, schema: pl.Schema, *, quiet: bool = False) -> None:
    """Make an empty table, with its seal; one that is there stays as it is.

    Args:
        location: The store.
        name: The table.
        schema: Its columns.
        quiet: Keep the least and greatest values of columns out of its log, so that rows can be erased.
    """
    from deltalake import write_deltalake

    if not is_table(location, name):
        write_deltalake(
            location.table(name),
            pl.DataFrame(schema=schema).to_arrow(),
            mode="ignore",
            configuration=_CONFIGURATION | ({"delta.dataSkippingNumIndexedCols": "0"} if quiet else {}),
            storage_options=dict(location.options),
        )
        seal.seal(location, name, 0)


def is_table(location: Location, name: str) -> bool:
    """Whether a table is there."""
    from deltalake import DeltaTable

    return DeltaTable.is_deltatable(location.table(name), storage_options=dict(location.options))


def open_table(location: Location, name: str) -> DeltaTable:
    """The table as it is now.

    Raises:
        StoreError: It is not there, or its log cannot be read.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable(location.table(name), storage_options=dict(location.options))
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"{location}: the table {name} cannot be read ({reason(error)}). Restore the folder from a backup."
        ) from error


def names(location: Location) -> list[str]:
    """The names of all tables of a store, sorted."""
    folders: list[str] = location.files.list_with_delimiter()["common_prefixes"]
    return sorted(name for name in folders if is_table(location, name))


def append(table: DeltaTable, frame: pl.DataFrame) -> bool:
    """Add rows in one Delta commit; others may add theirs at the same time.

    Returns:
        Whether that was done; not where somebody else wrote the table anew in the meantime. Then nothing was added.
    """
    from deltalake import write_deltalake

    return _written(table, lambda: write_deltalake(table, frame.to_arrow(), mode="append"))


def _written(table: DeltaTable, write: Callable[[], object]) -> bool:
    """Write, unless somebody else is in the way.

    Raises:
        StoreError: The table cannot be written to, as where the disk is full.
    """
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        write()
    except CommitFailedError:
        return False
    except DeltaError as error:
        raise StoreError(f"{table.table_uri}: cannot be written ({reason(error)}).") from error
    return True


def append_as_next(table: DeltaTable, frame: pl.DataFrame) -> bool:
    """Add rows as the version that follows the one that was opened.

    Returns:
        Whether that was done; not where somebody else took the version in the meantime. Then nothing was added.
    """
    from deltalake import CommitProperties, write_deltalake

    # Without retries the commit is a compare-and-swap: Delta names the next version or fails.
    once = CommitProperties(max_commit_retries=0)
    return _written(table, lambda: write_deltalake(table, frame.to_arrow(), mode="append", commit_properties=once))


def tidy(location: Location, name: str, written: DeltaTable) -> None:
    """Put small files together where there are many, so that reading stays fast however many commits there are.

    Args:
        location: The store.
        name: The table.
        written: The table as it was after the last writing.
    """
    from deltalake.exceptions import DeltaError

    # What was written is there: many files are no reason to say otherwise, and the next writer tries again.
    with suppress(DeltaError, OSError, CrowdVoteError):
        if len(written.file_uris()) > MANY_FILES:
            compact(location, name, MANY_FILES, patience=0)


def paths(table: DeltaTable, name: str) -> list[str]:
    """The data files of a table, by their paths in the store."""
    return [f"{name}/{unquote(uri.rpartition('/')[2])}" for uri in table.file_uris()]


def scan(table: DeltaTable, schema: pl.Schema, options: Mapping[str, str]) -> pl.LazyFrame:
    """The rows of a table, in no order; a column that is younger than a file is null there."""
    files = table.file_uris()
    if not files:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        [uri if options or "://" in uri else unquote(uri) for uri in files],  # paths are quoted as in URLs
        schema=schema,
        missing_columns="insert",
        storage_options=dict(options) or None,
        glob=False,
        cast_options=pl.ScanCastOptions(datetime_cast="convert-timezone"),
    )


def collected(location: Location, name: str, rows: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a query over a table.

    Raises:
        StoreError: A file of the table is missing or damaged.
    """
    try:
        return rows.collect()
    except DAMAGE as error:
        raise StoreError(
            f"{location}: a file of the table {name} is missing or damaged ({reason(error)}). Restore it from a backup."
        ) from error


def compact(location: Location, name: str, most: int = 1, patience: float = _PATIENCE) -> None:
    """Put the files of a table together; no row changes. Others may add rows at the same time.

    One at a time: of two programs that put the same files together, Delta takes both, and every row would be there
    twice. On a machine they take turns. On object storage, where other machines may do it too, the table is written
    anew as a whole, which Delta takes only as the version that follows the one that was read.

    Args:
        location: The store.
        name: The table.
        most: So many files may stay as they are.
        patience: Seconds to wait for others.

    Raises:
        BusyError: Others did not finish in time.
    """
    with location.turn("tidy", patience):
        table = open_table(location, name)  # only now, as somebody may have done it in the meantime
        if len(table.file_uris()) <= most:
            return
        before = table.version()
        if location.folder is not None:
            table.optimize.compact(target_size=_LARGE)
        else:
            rewrite(table)
        seal.seal_upkeep(location, name, before, table.version())


def rewrite(table: DeltaTable) -> bool:
    """Put all rows into one file, as the version that follows the one that was opened.

    Returns:
        Whether that was done; not where somebody else took the version in the meantime. Then nothing has changed.
    """
    from deltalake import CommitProperties, write_deltalake

    once, rows = CommitProperties(max_commit_retries=0), table.to_pyarrow_table()
    return _written(table, lambda: write_deltalake(table, rows, mode="overwrite", commit_properties=once))


def replace(table: DeltaTable, frame: pl.DataFrame) -> bool:
    """Put other rows in the place of all rows, as the version that follows the one that was opened.

    Returns:
        Whether that was done; not where somebody else took the version in the meantime. Then nothing has changed.
    """
    from deltalake import CommitProperties, write_deltalake

    once = CommitProperties(max_commit_retries=0)
    return _written(table, lambda: write_deltalake(table, frame.to_arrow(), mode="overwrite", commit_properties=once))


def former(location: Location, name: str) -> list[str]:
    """The data files that a table once had and has no longer, and that are still there, by their paths in the store.

    What others are about to add is not among them. Who reads an older version when they are removed finds them missing,
    and has to look again.
    """
    now, there, ever = set(paths(open_table(location, name), name)), set(), set()
    for batch in location.files.list(f"{name}/"):
        for path in (found["path"] for found in batch):
            if path.startswith(f"{name}/_delta_log/") and path.endswith(".json"):
                ever |= set(seal.read_entry(name, seal.read_file(location, path)).added)
            else:
                there.add(path)
    return sorted((there & ever) - now)


def vacuum(location: Location, name: str) -> int:
    """Remove files that no version of the last seven days needs, also those of writers that were stopped.

    Returns:
        Number of files.
    """
    table = open_table(location, name)
    before = table.version()
    removed = table.vacuum(dry_run=False)
    after = open_table(location, name).version()
    seal.seal_upkeep(location, name, before, after, [f"{name}/{unquote(path)}" for path in removed])
    return len(removed)
