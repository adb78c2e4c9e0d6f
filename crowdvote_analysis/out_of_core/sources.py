"""The Parquet files of a folder of tables, as DuckDB reads them: which there are, their columns and their rows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crowdvote_analysis import tables
from crowdvote_analysis.confinement import require_allowed
from crowdvote_analysis.errors import UnreadableFileError, reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEEDED = ("members", "ballots", "votes")
# What a count with stars looks at; other tables in the folder are left alone.
LOOKED_AT = ("communities", "members", "followings", "decisions", "choices", "ballots", "votes")
_PIECE = 1 << 22
WAY_OUT = "Or count in memory, which reads more forms and mends what it can: crowdvote count FOLDER, without --out."


@dataclass(frozen=True)
class Source:
    """One table on disk.

    Attributes:
        table: Its name.
        paths: Its Parquet files, in the order of their names.
        rows: Number of rows, from the files' own account.
        size: Bytes on disk.
        columns: The columns and their types, as DuckDB names them.
    """

    table: str
    paths: tuple[Path, ...]
    rows: int
    size: int
    columns: dict[str, str]

    @property
    def sql(self) -> str:
        """The table in a query; paths are bound as ``$members`` and so on."""
        return parquet(f"${self.table}")

    @property
    def bound(self) -> dict[str, list[str]]:
        """What to bind for ``sql``."""
        return {self.table: [one_file(path) for path in self.paths]}


def one_file(path: Path) -> str:
    """A path as DuckDB takes it for one file: else ``[``, ``*`` and ``?`` in it would stand for other names as well."""
    return re.sub(r"([*?[])", r"[\1]", str(path))


def parquet(paths: str) -> str:
    """Files in a query. A folder called ``decision_id=7`` is a name like any other, and gives no column."""
    return f"read_parquet({paths}, hive_partitioning = false)"


def sources_in(folder: Path) -> dict[str, Source]:
    """The tables of a folder by name, each one Parquet file or a folder of them.

    Raises:
        UnreadableFileError: A table that is needed is missing, is no Parquet file, or stands there twice.
    """
    require_allowed(folder)
    if not folder.is_dir():
        raise UnreadableFileError(f"{folder}: there is no such folder.")
    found = {}
    for table in LOOKED_AT:
        places = [path for path in (folder / f"{table}.parquet", folder / table) if path.exists()]
        if (folder / f"{table}.csv").exists():
            raise UnreadableFileError(
                f"{folder}: {table}.csv is text, and a count from files to files reads Parquet alone. Write the tables "
                f"as Parquet (SystemState.read(folder).write(other), or any tool). {WAY_OUT}"
            )
        if len(places) > 1:
            raise UnreadableFileError(f"{folder}: holds both {table}.parquet and {table}. Remove one.")
        if places:
            found[table] = _source(table, places[0])
        elif table in NEEDED:
            raise UnreadableFileError(
                f"{folder}: holds no {table}.parquet. A count from files to files needs {', '.join(NEEDED)}. {WAY_OUT}"
            )
    return found


def _source(table: str, path: Path) -> Source:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = tuple(sorted(path.glob("*.parquet"))) if path.is_dir() else (path,)
    if not paths:
        raise UnreadableFileError(f"{path}: holds no Parquet files. Write the table as one Parquet file. {WAY_OUT}")
    try:
        rows = sum(pq.read_metadata(part).num_rows for part in paths)
        with duckdb.connect() as connection:
            described = connection.execute(
                f"DESCRIBE SELECT * FROM {parquet('$1')}", [list(map(one_file, paths))]
            ).fetchall()
    except (pa.ArrowException, duckdb.Error, OSError) as error:
        raise UnreadableFileError(f"{path}: cannot be read as Parquet ({reason(error)}). {WAY_OUT}") from None
    columns = {str(name): str(kind) for name, kind, *_ in described}
    size = sum(part.stat().st_size for part in paths)
    return Source(table, paths, rows, size, {name: columns[name] for name in columns if name in tables.columns(table)})


def fingerprints(
    sources: dict[str, Source], known: dict[str, Any], advance: Callable[[int, int], None]
) -> dict[str, dict[str, Any]]:
    """Size, time and SHA-256 of every file by path; a file of the size and time that is known is not read again."""
    files = [path.resolve() for source in sources.values() for path in source.paths]
    total, done, found = sum(path.stat().st_size for path in files), 0, {}
    for path in files:
        stat = path.stat()
        about = {"size": stat.st_size, "time": stat.st_mtime_ns}
        before = known.get(str(path), {})
        if {name: before.get(name) for name in about} == about:
            digest = before["sha256"]
        else:
            seen = hashlib.sha256()
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    seen.update(piece)
                    advance(done := done + len(piece), total)
            digest = seen.hexdigest()
        found[str(path)] = about | {"sha256": digest}
    return found
