"""SQL over a state and its results, read-only, in an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import CrowdVoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl


class QueryError(CrowdVoteError):
    """A query that DuckDB refuses, or that is not a question."""


def query(frames: Mapping[str, pl.DataFrame], sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Ask one question of some tables.

    Args:
        frames: Tables by name.
        sql: One SELECT statement in DuckDB's dialect (also WITH, FROM, DESCRIBE, SUMMARIZE, SHOW TABLES). Note that
            ``/`` and ``avg`` on stars give binary floats there.
        parameters: Values for ``$name`` in the statement.

    Returns:
        The answer.

    Raises:
        QueryError: The statement is not one SELECT, or DuckDB cannot answer it.
    """
    import duckdb

    connection = duckdb.connect()
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise QueryError("query: one SELECT statement is expected; tables are read-only here.")
        for name, frame in frames.items():
            connection.register(name, frame.to_arrow())
        # From here on the query sees the tables and nothing else: no files, no network, no settings.
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        answer: pl.DataFrame = connection.sql(sql, params=dict(parameters or {})).pl()
        return answer
    except duckdb.Error as error:
        raise QueryError(f"query: {error}\nTables here: {', '.join(frames)}.") from error
    finally:
        connection.close()
