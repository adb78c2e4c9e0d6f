"""SQL over a state and its results, read-only, in an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.columns import beyond_the_calendar
from crowdvote_analysis.errors import CrowdVoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb


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
        QueryError: The statement is not one SELECT, DuckDB cannot answer it, or a column of the answer can be neither
            shown nor written.
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
        answer: pl.DataFrame = _known_types(connection.sql(sql, params=dict(parameters or {}))).pl()
        return _presentable(answer)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise QueryError(f"query: the answer has a type that cannot be shown. {_CAST}") from error
    except duckdb.Error as error:
        raise QueryError(f"query: {error}\nTables here: {', '.join(frames)}.") from error
    finally:
        connection.close()


# What polars has no type for, or takes for another value: the largest whole numbers, and times with their zone.
_UNKNOWN = ("uhugeint", "interval", "bit", "union", "time with time zone")


def _known_types(answer: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The answer with columns of types that polars has not as text, as DuckDB writes them."""
    strange = [_is_unknown(kind) for kind in answer.types]
    if not any(strange):
        return answer
    quoted = ['"' + name.replace('"', '""') + '"' for name in answer.columns]
    return answer.project(
        ", ".join(
            f"CAST({name} AS VARCHAR) AS {name}" if is_strange else name
            for name, is_strange in zip(quoted, strange, strict=True)
        )
    )


def _is_unknown(kind: Any) -> bool:
    """Whether a type of DuckDB, or a type within it, is one that polars has not."""
    if kind.id in ("list", "array", "map", "struct", "union"):
        inner = [part for _, part in kind.children if not isinstance(part, int)]
        return kind.id == "union" or any(map(_is_unknown, inner))
    return kind.id in _UNKNOWN


_CAST = "Cast it to text in the statement: column::VARCHAR."


def _presentable(answer: pl.DataFrame) -> pl.DataFrame:
    """The answer, where every column can be shown."""
    for column in answer:
        raw = column.dtype == pl.Binary or isinstance(column.dtype, pl.BaseExtension)
        if raw or beyond_the_calendar(column):
            what = "bytes" if raw else "a time outside the years 1 to 9999"
            raise QueryError(f"query: the column {column.name} holds {what}, which cannot be shown. {_CAST}")
    return answer


def require_flat(answer: pl.DataFrame) -> None:
    """Refuse to write as CSV what a cell cannot hold.

    Raises:
        QueryError: A column holds lists of anything but text, or structures.
    """
    for name, kind in answer.schema.items():
        if kind.is_nested() and kind != pl.List(pl.String):
            raise QueryError(f"query: a cell of a CSV file cannot hold the column {name} ({kind}). {_CAST}")
