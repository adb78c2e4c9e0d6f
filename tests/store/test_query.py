"""SQL over frames: one question, read-only, nothing else in reach."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from crowdvote_analysis.store import QueryError, query
from crowdvote_analysis.store.query import require_flat

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


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'x'::BLOB", "the column x holds bytes"),
        ("1::VARINT", "the column x holds bytes"),
        ("'290000-01-01'::DATE", "the column x holds a time outside"),
        ("'infinity'::TIMESTAMP", "the column x holds a time outside"),
    ],
)
def test_an_answer_that_cannot_be_shown_says_how_to_ask(value: str, said: str) -> None:
    """Types that nothing can print, write or hold are cast to text in the statement."""
    with pytest.raises(QueryError, match=rf"{said}.*::VARCHAR"):
        query({}, f"SELECT {value} AS x")
    assert query({}, f"SELECT ({value})::VARCHAR AS x")["x"].dtype == pl.String


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("INTERVAL 1 DAY", "1 day"),
        ("340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455"),
        ("'1011'::BIT", "1011"),
        ("'12:00:00+02'::TIMETZ", "12:00:00+02"),
        ("union_value(num := 2)", "2"),
        ("{'a': INTERVAL 1 DAY}", "{'a': 1 day}"),
        ("[union_value(num := 2)]", "[2]"),
        ("MAP {'a': INTERVAL 1 DAY}", "{a=1 day}"),
    ],
)
def test_what_polars_has_no_type_for_is_text(value: str, text: str) -> None:
    """Within lists and structures too; the other columns keep their types."""
    answer = query({}, f'SELECT {value} AS "x ""y""", 1.5::DECIMAL(9,8) AS n')
    assert answer[0, 0] == text
    assert answer["n"].dtype == pl.Decimal(9, 8)


def test_a_cell_holds_no_structure() -> None:
    """Lists of text are written with semicolons; others are refused before a file is made."""
    require_flat(pl.DataFrame({"tags": [["a", "b"]], "n": [1]}))
    for value in ([[1, 2]], [{"a": 1}]):
        with pytest.raises(QueryError, match="a cell of a CSV file cannot hold the column x"):
            require_flat(pl.DataFrame({"x": value}))
