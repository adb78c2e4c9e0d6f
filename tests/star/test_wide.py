"""Ballots in the wide form: one row a ballot, one column a choice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star import tally_all_ballots, tally_star_ballots, tally_star_votes

WIDE = pl.DataFrame({"member_id": ["ann", "ben", "cay"], "b": [5, 1, None], "a": [0, 4, 5]})


def long(wide: pl.DataFrame) -> pl.DataFrame:
    return wide.unpivot(index="member_id", variable_name="choice_id", value_name="stars").drop_nulls("stars")


@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt8, pl.String, pl.Decimal(9, 8), pl.Decimal(3, 1)])
def test_wide_and_long_are_the_same_election(kind: Any) -> None:
    """Whatever kind the columns are, the tally is the one of the long form, in the order of the columns."""
    wide = WIDE.with_columns(pl.col("a", "b").cast(kind))
    assert tally_star_ballots(wide).to_dict() == tally_star_votes(long(WIDE), ["b", "a"]).to_dict()


def test_columns_of_unlike_kinds_are_tallied_together() -> None:
    """Whole stars in one column and fractions in another are the same scale."""
    tally = tally_star_ballots(WIDE.with_columns(a=pl.Series([Decimal("0.5"), Decimal("4.5"), Decimal(5)])))
    assert dict(tally.scores.select("choice_id", "total").iter_rows()) == {"a": Decimal(10), "b": Decimal(6)}


def test_a_row_without_stars_is_no_ballot() -> None:
    """Nobody is tallied who rated nothing (D5), while a row of zeros is a ballot."""
    wide = pl.DataFrame({"a": [1, None, 0], "b": [2, None, 0]})
    assert tally_star_ballots(wide).vote_count == 2
    with pytest.raises(InvalidElectionError, match="no row has any stars"):
        tally_star_ballots(wide[1:2])


def test_a_column_without_stars_is_a_choice_nobody_rated() -> None:
    """A column of nothing but nulls counts zeros."""
    tally = tally_star_ballots(WIDE.with_columns(c=pl.lit(None)))
    assert tally.scores.filter(choice_id="c").select("total", "five_star_count").row(0) == (0, 0)


def test_the_choices_may_be_named() -> None:
    """Only the columns named are choices; others may stand beside them."""
    wide = WIDE.with_columns(note=pl.lit("late"))
    assert list(tally_star_ballots(wide, ["a", "b"]).steps[0].pool) == ["a", "b"]
    with pytest.raises(InvalidElectionError, match=r"no column 'c' \(columns found: 'member_id', 'b', 'a', 'note'\)"):
        tally_star_ballots(wide, ["a", "c"])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ([5, 6, -1], "ballots: 2 rows with stars outside 0 to 5 (rule K9) (first: row 2, choice 'b', stars 6; row 3"),
        ([5.0, 1.0, 0.0], "ballots, column 'b': stars are binary floats (Float64)"),
        (
            ["5", "many", None],
            "ballots: 1 row with stars that are not a number (first: row 2, choice 'b', stars (no number))",
        ),
        (["5", "1.123456789", "0"], "ballots: 1 row with stars with more than 8 decimals (rule D10) (first: row 2"),
        ([True, False, True], "ballots, column 'b': stars must be whole numbers, Decimal or text, not Boolean"),
    ],
)
def test_cells_that_cannot_be_counted_are_named(column: list[Any], text: str) -> None:
    """The row, the choice and the value are named, never the member (P1)."""
    with pytest.raises(InvalidElectionError) as caught:
        tally_star_ballots(WIDE.with_columns(b=pl.Series(column)))
    assert str(caught.value).startswith(text)
    assert "ben" not in str(caught.value)


def test_a_member_with_two_rows_is_refused() -> None:
    """Nobody can say which of two ballots is meant."""
    twice = pl.concat([WIDE, WIDE[:1]])
    with pytest.raises(InvalidElectionError, match=r"2 rows share their member with another row \(first: rows 1, 4\)"):
        tally_star_ballots(twice)
    with pytest.raises(InvalidElectionError, match="1 row has no member_id"):
        tally_star_ballots(WIDE.with_columns(member_id=pl.Series(["a", None, "b"])))


@pytest.mark.parametrize(
    ("wide", "text"),
    [
        (WIDE[:0], "ballots: no ballots, so there is nothing to tally"),
        (WIDE.select("member_id"), "ballots: no choices, so there is nothing to tally"),
        (WIDE[:0].select("member_id"), "ballots: no ballots and no choices"),
    ],
)
def test_nothing_to_tally_is_refused(wide: pl.DataFrame, text: str) -> None:
    """An empty frame has no winner (K9)."""
    with pytest.raises(InvalidElectionError) as caught:
        tally_star_ballots(wide)
    assert str(caught.value).startswith(text)


def test_two_decisions_need_tally_all() -> None:
    """One call tallies one decision; the other function has one row for each, also for one without ballots."""
    two = pl.DataFrame({"decision_id": ["e", "d", "e", "f"], "a": [1, 5, 2, None], "b": [None, 3, None, None]})
    with pytest.raises(InvalidElectionError, match="tally_all_ballots tallies them all"):
        tally_star_ballots(two)
    rows = tally_all_ballots(two).select("decision_id", "status", "winner", "choice_count", "vote_count").rows()
    assert rows == [("d", "decided", "a", 2, 1), ("e", "decided", "a", 1, 2), ("f", "no ballots", None, 0, 0)]
    with pytest.raises(InvalidElectionError, match="a column decision_id is needed"):
        tally_all_ballots(WIDE)


def test_a_choice_may_be_called_anything() -> None:
    """Names that mean something to others, patterns and columns of ours, are choices like any other."""
    odd = {"^B.*$": [None, 4, None], "*": [2, None, None], "Bread": [1, None, 3], "row": [0, 0, 0], "stars": [1, 1, 1]}
    tally = tally_star_ballots(pl.DataFrame(odd))
    assert tally.vote_count == 3
    totals = {"^B.*$": 4, "*": 2, "Bread": 4, "row": 0, "stars": 3}
    assert dict(tally.scores.select("choice_id", "total").iter_rows()) == totals
    two = pl.DataFrame({"decision_id": ["x", "y"], "*": [4, None], "^B$": [1, 2]})
    assert tally_all_ballots(two).select("decision_id", "winner", "choice_count").rows() == [
        ("x", "*", 2),
        ("y", "^B$", 1),
    ]
    with pytest.raises(InvalidElectionError, match="row 1, choice 'row', stars 9"):
        tally_star_ballots(pl.DataFrame({"row": [9, 5], "choice_id": [1, 2]}))


def test_rows_are_numbered_as_they_were_given() -> None:
    """Also where decisions stand in no order."""
    mixed = pl.DataFrame({"decision_id": ["z", "a", "a"], "member_id": ["m1", "m2", "m3"], "A": [9, 5, 4]})
    with pytest.raises(InvalidElectionError, match="first: row 1, choice 'A', stars 9"):
        tally_all_ballots(mixed)
    twice = pl.DataFrame({"decision_id": ["z", "a", "z"], "member_id": ["m1", "m2", "m1"], "A": [1, 2, 3]})
    with pytest.raises(InvalidElectionError, match="first: rows 1, 3"):
        tally_all_ballots(twice)


def test_whole_numbers_of_any_width_are_stars() -> None:
    """As in the long form."""
    wide = pl.DataFrame({"a": [5, None], "b": [1, 2]}, schema={"a": pl.Int128, "b": pl.Int8})
    assert tally_star_ballots(wide).vote_count == 2


@pytest.mark.parametrize("choices", ["ab", ["a", "a"], [], ["a", "z"]])
def test_choices_are_looked_at_before_anything_is_counted(choices: Any) -> None:
    """A text, a repeated choice, none, and one that is not there are refused for many decisions as for one."""
    wide = pl.DataFrame({"decision_id": ["d"], "a": [1], "b": [2]})
    for tally in (tally_star_ballots, tally_all_ballots):
        with pytest.raises(InvalidElectionError, match=r"choices: |no column 'z'"):
            tally(wide, choices)


def test_what_is_no_frame_is_refused() -> None:
    """A query that has not run yet is named, with the way out."""
    with pytest.raises(InvalidElectionError, match=r"expected a polars DataFrame, got LazyFrame\. Collect it first"):
        tally_star_ballots(pl.LazyFrame({"a": [1]}))  # type: ignore[arg-type]
