"""What is said of every file that is written, so that whoever looks later can tell which one is not what it was.

The row of a commit states the files that it wrote in the tables of its rows: data, entries of the Delta log, summaries
of it; path, size and SHA-256 each. It also holds the hash of its predecessor, so that the rows of ``commits`` are a
chain. What no row of a commit states has a **seal** beside it, the object ``<table>/_seal/<version>.json``: every
version of ``commits`` and ``snapshot_events``, the first version of every table, and those that put files together or
remove them. Delta passes over folders that begin with an underscore.

A seal is one line in the form of ``canonical``:

    table, version  the table, and its version
    files           what that version wrote: path, size, sha256
    replaced        paths of the data files whose rows it wrote anew, and that may be removed
    removed         paths of such files that were removed, where it did that
    seq, head       in ``commits``, where it added some: number and hash of the last commit
    rows            in ``snapshot_events``: hashes of the rows it added
    seal            the SHA-256 of the line without this

It is written right after its version. A writer that is stopped in between leaves a version without one, and the next
writer makes up for it; so only the last version of a table may be without.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import polars as pl

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.parquet import DAMAGE
from crowdvote_analysis.store import canonical
from crowdvote_analysis.store.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from crowdvote_analysis.store.location import Location

FILES = pl.List(pl.Struct({"path": pl.String(), "size": pl.Int64(), "sha256": pl.String()}))
# The tables of which every version has a seal.
SEALED = ("commits", "snapshot_events")
# Versions between two summaries of a log: whoever opens a table reads one summary and what came after it.
CHECKPOINTS = 10

Files = list[dict[str, Any]]


class Entry(NamedTuple):
    """What an entry of a Delta log says.

    Attributes:
        added: Paths of data files that belong to the table from then on.
        removed: Paths of data files that belong to it no longer.
        is_append: Whether rows were added, and nothing else was done.
    """

    added: list[str]
    removed: list[str]
    is_append: bool


def log_path(table: str, version: int, ending: str = "json") -> str:
    """Where an entry of the log of a table lies in the store, or another file of that version."""
    return f"{table}/_delta_log/{version:020d}.{ending}"


def pointer_path(table: str) -> str:
    """Where the file lies that names the last summary of a log."""
    return f"{table}/_delta_log/_last_checkpoint"


def seal_path(table: str, version: int) -> str:
    """Where a seal lies."""
    return f"{table}/_seal/{version:020d}.json"


def read_file(location: Location, path: str) -> bytes:
    """The bytes of a file of the store.

    Raises:
        StoreError: It is not there, or cannot be read.
    """
    from obstore.exceptions import BaseError

    try:
        return bytes(location.files.get(path).bytes())
    except FileNotFoundError:
        raise StoreError(f"{location}: {path} is missing. Restore it from a backup.") from None
    except (BaseError, OSError) as error:  # not its text, which may quote secrets
        raise StoreError(f"{location}: {path} cannot be read ({type(error).__name__}).") from None


def statement(path: str, data: bytes) -> dict[str, Any]:
    """What is stated of a file."""
    return {"path": path, "size": len(data), "sha256": sha256(data)}


def stated(location: Location, *paths: str) -> Files:
    """What is stated of some files, read now."""
    return [statement(path, read_file(location, path)) for path in paths]


def read_entry(table: str, data: bytes) -> Entry:
    """What an entry of the log of a table says.

    Raises:
        ValueError: It is none.
    """
    actions = [parse_json(line) for line in data.decode().splitlines() if line.strip()]
    if not actions or not all(isinstance(action, dict) for action in actions):
        raise ValueError("no entry of a log")
    found: dict[str, list[dict[str, Any]]] = {"add": [], "remove": [], "commitInfo": []}
    for action in actions:
        for name in found.keys() & action.keys():
            found[name].append(action[name])
    added, removed = ([f"{table}/{unquote(file['path'])}" for file in found[name]] for name in ("add", "remove"))
    info = found["commitInfo"][0] if found["commitInfo"] else {}
    mode = info.get("operationParameters", {}).get("mode")
    return Entry(added, removed, info.get("operation") == "WRITE" and mode == "Append")


def written(location: Location, table: str, before: int, after: int) -> Files:
    """What was written to a table in the versions behind one of them: what others added meanwhile too."""
    return [file for version in range(before + 1, after + 1) for file in _version(location, table, version)[1]]


def _version(location: Location, table: str, version: int) -> tuple[Entry, Files, dict[str, bytes]]:
    """A version of a table: its entry, what is stated of its files, and the bytes of its data files."""
    path = log_path(table, version)
    log = read_file(location, path)
    try:
        entry = read_entry(table, log)
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{location}: {path} is damaged. Restore it from a backup.") from None
    data = {name: read_file(location, name) for name in entry.added}
    files = [statement(path, log), *(statement(name, content) for name, content in data.items())]
    if version % CHECKPOINTS in (0, CHECKPOINTS - 1):
        with suppress(StoreError):  # of most versions there is none
            files += stated(location, log_path(table, version, "checkpoint.parquet"), pointer_path(table))
    return entry, files, data


# --- seals ---------------------------------------------------------------------------------------------------------


def seal(location: Location, table: str, version: int, rows: pl.DataFrame | None = None, **more: Any) -> None:
    """Write the seal of a version; also those of versions of a sealed table before it that have none.

    Args:
        location: The store.
        table: The table.
        version: The version.
        rows: The rows that it added, where the caller has just written it; read by default.
        more: What else it did.

    Raises:
        StoreError: Files of the version cannot be read, or the seal cannot be written.
    """
    document = _document(location, table, version, rows) | more
    # Who has written a version knows best what belongs to it.
    _put(location, seal_path(table, version), document, "create" if rows is None else "overwrite")
    while table in SEALED and version > 0 and not exists(location, seal_path(table, version - 1)):
        version -= 1
        _put(location, seal_path(table, version), _document(location, table, version, None), "create")


def seal_upkeep(location: Location, table: str, before: int, after: int, removed: Iterable[str] = ()) -> None:
    """Write the seals of versions behind one of them that did something else than to add rows.

    Args:
        location: The store.
        table: The table.
        before: The version before them.
        after: The last of them.
        removed: Paths of files that were removed in them.
    """
    for version in range(before + 1, after + 1):
        if table in SEALED or not _version(location, table, version)[0].is_append:
            more: dict[str, Any] = {"removed": sorted(removed)} if removed and version == after else {}
            seal(location, table, version, **more)


def _document(location: Location, table: str, version: int, rows: pl.DataFrame | None) -> dict[str, Any]:
    entry, files, data = _version(location, table, version)
    document: dict[str, Any] = {"table": table, "version": version, "files": files, "replaced": entry.removed}
    # Who puts files together may not have seen the last rows yet; those have seals of their own.
    if table not in SEALED or not entry.is_append:
        return document
    if rows is None:
        try:
            rows = pl.concat([pl.read_parquet(content) for content in data.values()])
        except DAMAGE as error:
            raise StoreError(f"{location}: a file of {table} is damaged. Restore it from a backup.") from error
    if table == "commits":
        last = rows.sort("seq").row(-1, named=True)
        return document | {"seq": last["seq"], "head": canonical.row_hash(last)}
    return document | {"rows": canonical.row_hashes(rows)}


def _put(location: Location, path: str, document: Mapping[str, Any], mode: str) -> None:
    from obstore.exceptions import AlreadyExistsError, BaseError

    sealed = {**document, "seal": canonical.row_hash(document)}
    try:
        with suppress(AlreadyExistsError):
            location.files.put(path, canonical.line(sealed), mode=mode)
    except (BaseError, OSError) as error:
        raise StoreError(f"{location}: {path} cannot be written ({type(error).__name__}).") from None


def exists(location: Location, path: str) -> bool:
    """Whether a file is there."""
    try:
        location.files.head(path)
    except FileNotFoundError:
        return False
    return True


def read_seal(data: bytes) -> dict[str, Any] | None:
    """What a seal says; none where it is not as it was written."""
    try:
        document = parse_json(data)
        said = document.pop("seal")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    is_whole = said == canonical.row_hash(document) and canonical.line({**document, "seal": said}) == data
    return document if is_whole else None


def seals(location: Location, table: str) -> Iterator[dict[str, Any]]:
    """The seals of a table that are as they were written, the newest first."""
    listed = location.files.list_with_delimiter(f"{table}/_seal")["objects"]
    for path in sorted((file["path"] for file in listed), reverse=True):
        with suppress(StoreError):
            found = read_seal(read_file(location, path))
            if found is not None:
                yield found


# --- what readers look at ------------------------------------------------------------------------------------------


def require_end(
    location: Location, table: str, version: int, newest: Callable[[], int], last: int | None = None
) -> dict[str, Any]:
    """Make sure that nothing was taken off the end of a sealed table, as its seals say.

    Args:
        location: The store.
        table: The table.
        version: Its version, as it was opened.
        newest: Gives its version now, as somebody may have written since.
        last: In ``commits`` the number of the last commit that was read; 0 before the first.

    Returns:
        In ``commits`` the seal of the last version that added commits; nothing where that is missing.

    Raises:
        StoreError: There are seals of what is not there.
    """
    said = {} if last is None else _last_addition(location, table, version)
    is_cut_off = exists(location, seal_path(table, version + 1)) and newest() == version
    if is_cut_off or said.get("seq", last) != last:
        behind = "" if last is None else f" behind commit {last:,}"
        raise StoreError(
            f"{location}: rows of {table} are missing{behind}, though there are seals of them: the folder {table} was "
            f"changed from outside. Restore it from a backup; crowdvote check {location} names every file."
        )
    return said


def _last_addition(location: Location, table: str, version: int) -> dict[str, Any]:
    """The seal of the last version of ``commits`` that added some; nothing where one is missing on the way."""
    said: dict[str, Any] = {}
    while version and "seq" not in said:
        try:
            found = read_seal(read_file(location, seal_path(table, version)))
        except StoreError:  # the newest version may be without
            found = None
        if found is None:
            return {}
        said, version = found, version - 1
    return said


def require_chain(location: Location, commits: pl.DataFrame, head: str | None) -> None:
    """Make sure that every commit holds the hash of the one before it.

    Args:
        location: The store.
        commits: The commits as they are stored, by seq.
        head: The hash of the last one, where its seal says it.

    Raises:
        StoreError: A commit is missing, is another one than was made, or was put in between.
    """
    broken = broken_links(commits)
    if broken:
        what = f"commit {broken[0]:,} does not follow from the one before it"
    elif head is not None and head != canonical.row_hashes(commits.tail(1))[0]:
        what = f"commit {commits['seq'][-1]:,} is not what its seal says"
    else:
        return
    raise StoreError(
        f"{location}: {what}: the table commits was changed from outside. Restore it from a backup; crowdvote check "
        f"{location} names every file."
    )


def broken_links(commits: pl.DataFrame) -> list[int]:
    """The numbers of the commits that do not hold the hash of the one before them; ``commits`` as stored, by seq."""
    hashes = [None, *canonical.row_hashes(commits)]
    links = zip(commits["seq"], commits["previous"], hashes, strict=False)
    return [seq for seq, previous, before in links if previous != before]


def chained(commits: pl.DataFrame, previous: str | None) -> pl.DataFrame:
    """Rows of new commits, by seq, each with the hash of the one before it.

    Args:
        commits: The rows, in the columns of ``COMMITS``; what they have in ``previous`` is replaced.
        previous: The hash of the last commit that is there; none before the first.
    """
    hashes = []
    for row in commits.iter_rows(named=True):
        hashes.append(previous)
        previous = canonical.row_hash({**row, "previous": previous})
    return commits.with_columns(previous=pl.Series(hashes, dtype=pl.String))


def require_files(location: Location, table: str, paths: Iterable[str], commits: pl.DataFrame) -> None:
    """Make sure that the data files that a table reads are what was written.

    Args:
        location: The store.
        table: The table.
        paths: The files, by their paths in the store.
        commits: The commits; files of later ones hold no row of theirs and are passed over.

    Raises:
        StoreError: A file is missing or holds other bytes than were written.
    """
    read = set(paths)
    own = commits.lazy().select(pl.col("files").explode()).unnest("files").filter(pl.col("path").is_in(read)).collect()
    said = {path: digest for path, _, digest in own.iter_rows()}
    for found in seals(location, table):
        if read <= said.keys():
            break
        said |= {file["path"]: file["sha256"] for file in found["files"]}
    for path in sorted(read & said.keys()):
        if sha256(read_file(location, path)) != said[path]:
            raise StoreError(
                f"{location}: {path} holds other bytes than were written. Restore it from a backup; crowdvote check "
                f"{location} names every file."
            )
