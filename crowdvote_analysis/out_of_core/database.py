"""DuckDB within a memory limit: what it cannot hold it keeps in the work folder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import CrowdVoteError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb
    import polars as pl

    from crowdvote_analysis.out_of_core.work import Work

_SHARE = 0.5  # of the memory; the rest is for what surrounds it
_BATCH = 1 << 17


class Database:
    """Queries over files.

    Args:
        connection: An open connection.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """Make a small table from a frame."""
        self._connection.register("frame", frame.to_arrow())
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM frame")
        self._connection.unregister("frame")

    def rows(self, query: str, bound: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The few rows of an answer."""
        return self._connection.execute(query, bound or None).fetchall()

    def stream(self, query: str, bound: Mapping[str, Any] | None = None) -> Iterator[pl.DataFrame]:
        """A long answer, frame by frame."""
        import polars as pl

        reader = self._connection.sql(query, params=bound or None).to_arrow_reader(_BATCH)
        for batch in reader:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield frame


@contextmanager
def database(work: Work, threads: int | None) -> Iterator[Database]:
    """A database that holds nothing of its own.

    Raises:
        CrowdVoteError: A file is damaged, the disk is full, or the memory does not suffice.
    """
    import duckdb

    spill = work.path("spill")
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"SET memory_limit = '{int(work.memory * _SHARE)}B'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET temp_directory = $1", [str(spill)])
        if threads is not None:
            connection.execute(f"SET threads = {int(threads)}")
        yield Database(connection)
    except duckdb.OutOfMemoryException:
        raise CrowdVoteError(
            f"the tables cannot be sorted within {work.memory / 1e9:.1f} GB, or the disk is full. Give more memory "
            "(--memory) or a folder on a larger disk."
        ) from None
    except duckdb.Error as error:
        raise CrowdVoteError(f"the tables cannot be read: {reason(error)}.") from None
    finally:
        connection.close()
