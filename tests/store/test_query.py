"""SQL over frames: one question, read-only, nothing else in reach."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from crowdvote_analysis.store import QueryError, query

FRAMES = {
    "votes": pl.DataFrame(
        {"member_id": ["Kelly", "Olivia"], "stars": [Decimal("4.5"), Decimal("0.00000001")]},
        schema_overrides={"stars": pl.Decimal(9, 8)},
    )
}


def test_sums_of_stars_are_exact() -> None:
    """Stars are summed as decimals (D10)."""
    assert query(FRAMES, "SELECT sum(stars) AS total FROM votes")["total"].to_list() == [Decimal("4.50000001")]


def test_values_are_bound_not_pasted() -> None:
    """A value with a quote in it is a value."""
    sql = "SELECT count(*) AS n FROM votes WHERE member_id = $name"
    assert query(FRAMES, sql, {"name": "Kelly' OR 'a' = 'a"})["n"].to_list() == [0]
    assert query(FRAMES, sql, {"name": "Kelly"})["n"].to_list() == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM votes",
        "SELECT 1; SELECT 2",
        "COPY votes TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "",
    ],
)
def test_only_one_select_is_answered(sql: str) -> None:
    """Whatever would write, load or set is refused before it runs."""
    with pytest.raises(QueryError, match="one SELECT statement"):
        query(FRAMES, sql)


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM read_text('/etc/hostname')", "SELECT * FROM '/etc/hostname'", "SELECT * FROM FRAMES"]
)
def test_nothing_but_the_tables_can_be_reached(sql: str) -> None:
    """Neither files nor the variables of the program are tables."""
    with pytest.raises(QueryError, match="Tables here: votes"):
        query(FRAMES, sql)


def test_a_mistake_is_explained() -> None:
    """A misspelt column is named, and the tables that are there."""
    with pytest.raises(QueryError, match=r"(?s)star_s.*Tables here: votes"):
        query(FRAMES, "SELECT star_s FROM votes")
