"""What frames of votes are taken, and what is said about those that are not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star import star_units, tally_star_votes

from .elections import votes_of


def stars_frame(stars: list[Any], kind: Any = None) -> pl.DataFrame:
    """One ballot a star, all for the choice x."""
    return pl.DataFrame(
        {
            "member_id": [f"m{number}" for number in range(len(stars))],
            "choice_id": ["x"] * len(stars),
            "stars": pl.Series(stars, dtype=kind),
        }
    )


def refusal(votes: pl.DataFrame, choices: Any = None) -> str:
    with pytest.raises(InvalidElectionError) as caught:
        tally_star_votes(votes, choices)
    return str(caught.value)


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32])
def test_binary_floats_are_refused_with_the_way_out(kind: Any) -> None:
    """Floats are refused even when they are whole, and the text says what to cast them to."""
    assert refusal(stars_frame([4.0, 5.0], kind)) == (
        f"votes: stars are binary floats ({kind()}), which cannot hold most fractions exactly (rule D10). Cast them "
        "first: .cast(pl.Int64) if they are whole, .cast(pl.Decimal(9, 8)) to round them to 8 decimals, or read the "
        "column as text (pl.String)."
    )


def test_other_kinds_of_stars_are_refused() -> None:
    """A column of booleans is no column of stars."""
    assert "stars must be whole numbers, Decimal or text, not Boolean" in refusal(stars_frame([True]))


@pytest.mark.parametrize(
    ("stars", "kind"),
    [
        ([5, 6, -1], pl.Int8),
        ([5, 6, 2**64 - 1], pl.UInt64),
        ([5, 6, -(2**100)], pl.Int128),
        (["5", "5.000000001", "-1"], pl.String),
        ([Decimal(5), Decimal("5.1"), Decimal(-1)], pl.Decimal(4, 1)),
        ([Decimal(5), Decimal("5.000000001"), Decimal(-1)], pl.Decimal(12, 9)),
        ([Decimal(5), Decimal(10**30), Decimal(-(10**30))], pl.Decimal(38, 0)),
    ],
)
def test_stars_outside_0_to_5_are_refused(stars: list[Any], kind: Any) -> None:
    """However stars are held, those outside 0 to 5 are counted and named."""
    text = refusal(stars_frame(stars, kind))
    assert text.startswith("votes: 2 rows with stars outside 0 to 5 (rule K9) (first: row 2, choice 'x', stars ")
    assert text.endswith("Correct or leave out these rows; a missing choice counts 0.")


@pytest.mark.parametrize(
    ("stars", "kind"),
    [(["4.500000000", "1.123456789"], pl.String), ([Decimal("4.5"), Decimal("1.123456789")], pl.Decimal(20, 9))],
)
def test_a_ninth_decimal_is_refused_not_rounded(stars: list[Any], kind: Any) -> None:
    """More than 8 decimals are refused, while zeros behind the eighth do no harm."""
    assert refusal(stars_frame(stars, kind)).startswith(
        "votes: 1 row with stars with more than 8 decimals (rule D10) (first: row 2, choice 'x', stars 1.123456789)."
    )


@pytest.mark.parametrize("kind", [pl.Int64, pl.String, pl.Decimal(9, 8), pl.Null])
def test_nulls_are_refused(kind: Any) -> None:
    """A null is not silently a zero."""
    assert refusal(stars_frame([None], kind)).startswith(
        "votes: 1 row with no stars (null) (first: row 1, choice 'x', stars null)."
    )


def test_text_that_is_no_number_is_refused() -> None:
    """A word among the stars is named with its row."""
    assert "1 row with stars that are not a number (first: row 2, choice 'x', stars many)" in refusal(
        stars_frame(["1", "many"])
    )


def test_rows_without_an_id_are_refused() -> None:
    """A row needs a member and a choice."""
    votes = pl.DataFrame({"member_id": ["a", None], "choice_id": [None, "x"], "stars": [1, 2]})
    text = refusal(votes)
    assert "1 row with no member_id (null) (first: row 2, choice 'x', stars 2)" in text
    assert "1 row with no choice_id (null) (first: row 1, choice null, stars 1)" in text


def test_a_member_rating_a_choice_twice_is_refused() -> None:
    """Both rows are named, because nobody can say which one is meant."""
    votes = pl.DataFrame({"member_id": ["a", "b", "a"], "choice_id": ["x", "x", "x"], "stars": [1, 2, 3]})
    assert refusal(votes).startswith(
        "votes: 2 rows with stars for the same member and choice more than once "
        "(first: row 1, choice 'x', stars 1; row 3, choice 'x', stars 3)."
    )


def test_a_choice_that_was_not_up_is_refused() -> None:
    """With the choices stated, a vote for another one is an error."""
    assert "2 rows with a choice that is not among the choices of the decision (first: row 2, choice 'y'" in refusal(
        votes_of([{"x": 1, "y": 2}, {"y": 3}]), ["x", "z"]
    )


def test_only_the_first_rows_are_named_and_all_are_counted() -> None:
    """A thousand bad rows make a short text."""
    text = refusal(stars_frame([9] * 1200))
    assert text.startswith("votes: 1,200 rows with stars outside 0 to 5")
    assert "row 3," in text
    assert "row 4," not in text


def test_no_member_is_named_in_an_error() -> None:
    """Rows are named by number: who is anonymous is not known here (P1)."""
    assert "m0" not in refusal(stars_frame([9]))


def test_missing_columns_are_named() -> None:
    """The text says which column is missing and what was found."""
    assert refusal(stars_frame([1]).drop("stars")).startswith(
        "votes: no column 'stars' (columns found: 'member_id', 'choice_id')."
    )


@pytest.mark.parametrize("name", ["member_id", "choice_id"])
def test_ids_that_are_neither_text_nor_whole_are_refused(name: str) -> None:
    """An id that is a float is a reading mistake."""
    votes = stars_frame([1]).with_columns(pl.lit(1.0).alias(name))
    assert refusal(votes).startswith(f"votes: {name} must be text, not Float64.")


def test_whole_numbers_and_categories_serve_as_ids() -> None:
    """Ids that polars holds as numbers or categories are read as text."""
    votes = pl.DataFrame({"member_id": [7, 8], "choice_id": ["x", "x"], "stars": [1, 2]}).with_columns(
        pl.col("choice_id").cast(pl.Categorical)
    )
    assert star_units(votes).to_dict(as_series=False) == {"member_id": ["7", "8"], "x": [100_000_000, 200_000_000]}


def test_votes_of_two_decisions_are_refused() -> None:
    """One call tallies one decision."""
    votes = stars_frame([1, 2]).with_columns(decision_id=pl.Series(["b", "a"]))
    assert refusal(votes).startswith("votes: rows of 2 decisions ('a', 'b'). Filter the votes to one decision;")


def test_a_decision_that_is_null_is_refused() -> None:
    """A half-filled decision column is not guessed at."""
    votes = stars_frame([1, 2]).with_columns(decision_id=pl.Series(["a", None]))
    assert refusal(votes).startswith("votes: some rows have no decision_id (null).")


def test_no_ballots_are_refused() -> None:
    """An empty frame has no winner, whether the choices are stated or not."""
    empty = pl.DataFrame({"member_id": [], "choice_id": [], "stars": []})
    assert refusal(empty) == "votes: no ballots and no choices, so there is nothing to tally (rule K9)."
    assert refusal(empty, ["x"]) == "votes: no ballots, so there is nothing to tally (rule K9)."


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ([], "choices: no choices, so there is nothing to tally (rule K9)."),
        ("xy", "choices: expected several choice ids, got the one text 'xy'. Use a list."),
        (["x", 1], "choices: 1 is not text. Give choice ids as text."),
        (["y", "x", "y"], "choices: 'y' is there more than once. Name every choice once."),
    ],
)
def test_choices_that_make_no_list_are_refused(choices: Any, text: str) -> None:
    """The argument is checked before any vote is."""
    assert refusal(stars_frame([1]), choices) == text


def test_units_are_one_row_a_ballot_and_one_column_a_choice() -> None:
    """The wide form holds whole units, zeros for missing choices, columns in the order stated."""
    votes = votes_of([{"x": "3.33333333"}, {"y": "5", "x": "0"}])
    wide = star_units(votes.reverse(), ["y", "z", "x"])
    assert wide.schema == {"member_id": pl.String, "y": pl.Int64, "z": pl.Int64, "x": pl.Int64}
    assert wide.rows() == [("m0", 0, 0, 333_333_333), ("m1", 500_000_000, 0, 0)]


def test_units_refuse_a_choice_named_like_the_key() -> None:
    """Two columns of the same name would hide one of them."""
    with pytest.raises(InvalidElectionError, match="a choice is called 'member_id'"):
        star_units(votes_of([{"member_id": 1}]))
    assert tally_star_votes(votes_of([{"member_id": 1}])).winner == "member_id"
