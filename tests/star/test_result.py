"""The tally as data."""

from __future__ import annotations

import decimal
import json
from decimal import Decimal

import polars as pl
import pytest

from crowdvote_analysis.star import Step, tally_star_votes

from .elections import votes_of

VOTES = votes_of([{"a": "5", "b": "3.33333333"}, {"b": "3.33333333", "c": "3.33333333"}, {"c": "3.33333333"}])


def test_scores_are_best_first_with_exact_totals() -> None:
    """Totals are Decimal, equal totals share a rank, titles stand beside the ids."""
    scores = tally_star_votes(VOTES, titles={"a": "Apple"}, on_tie="return").scores
    assert scores.schema == {
        "choice_id": pl.String,
        "title": pl.String,
        "total": pl.Decimal(38, 8),
        "average": pl.Decimal(9, 8),
        "five_star_count": pl.Int64,
        "rank": pl.Int64,
    }
    assert scores.rows() == [
        ("b", "b", Decimal("6.66666666"), Decimal("2.22222222"), 0, 1),
        ("c", "c", Decimal("6.66666666"), Decimal("2.22222222"), 0, 1),
        ("a", "Apple", Decimal("5.00000000"), Decimal("1.66666667"), 1, 3),
    ]


def test_preferences_list_every_ordered_pair() -> None:
    """Both directions of a pair are there, because no preference is their difference to all ballots."""
    preferences = tally_star_votes(VOTES, on_tie="return").preferences
    assert preferences.rows() == [
        ("a", "b", 1),
        ("a", "c", 1),
        ("b", "a", 1),
        ("b", "c", 1),
        ("c", "a", 2),
        ("c", "b", 1),
    ]


def test_steps_can_be_had_as_a_frame() -> None:
    """One row for each step and choice of its pool, and what became of it."""
    tally = tally_star_votes(votes_of([{"a": 5, "b": 1, "c": 2}, {"a": 5, "b": 2, "c": 1}]), on_tie="return")
    assert tally.steps_frame().rows() == [
        (1, "scoring", "sum", 2, "a", Decimal(10), "advanced"),
        (1, "scoring", "sum", 2, "b", Decimal(3), "tied"),
        (1, "scoring", "sum", 2, "c", Decimal(3), "tied"),
        (2, "scoring", "prefs", 1, "b", Decimal(1), "tied"),
        (2, "scoring", "prefs", 1, "c", Decimal(1), "tied"),
        (3, "scoring", "max_count", 1, "b", Decimal(0), "tied"),
        (3, "scoring", "max_count", 1, "c", Decimal(0), "tied"),
    ]


def test_who_falls_out_of_a_step_is_marked() -> None:
    """The choices behind the filled places are out."""
    tally = tally_star_votes(votes_of([{"a": 5, "b": 4, "c": 1}]))
    assert tally.steps_frame().select("step", "choice_id", "outcome").rows() == [
        (1, "a", "advanced"),
        (1, "b", "advanced"),
        (1, "c", "out"),
        (2, "a", "advanced"),
        (2, "b", "out"),
    ]


def test_steps_hold_stars_as_decimals_and_ballots_as_integers() -> None:
    """A step says its pool, its numbers, who advanced and who remains."""
    tally = tally_star_votes(votes_of([{"a": 5, "b": "4"}]))
    assert tally.steps == (
        Step("scoring", "sum", 2, {"a": Decimal(5), "b": Decimal(4)}, ("a", "b"), ()),
        Step("runoff", "runoff", 1, {"a": 1, "b": 0}, ("a",), ()),
    )
    assert tally.steps[0].pool == ("a", "b")


def test_to_dict_is_json_with_stars_as_strings() -> None:
    """The document goes through JSON unchanged, and no star is a number in it (D10)."""
    tally = tally_star_votes(votes_of([{"a": "5", "b": "0"}]).with_columns(decision_id=pl.lit("lunch")))
    document = tally.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document == {
        "decision_id": "lunch",
        "method": "STAR",
        "protocol": "starvote",
        "status": "decided",
        "vote_count": 1,
        "winner": "a",
        "runner_up": "b",
        "finalists": ["a", "b"],
        "possible_winners": ["a"],
        "scores": [
            {"choice_id": "a", "title": "a", "total": "5.00000000", "average": "5.00000000"}
            | {"five_star_count": 1, "rank": 1},
            {"choice_id": "b", "title": "b", "total": "0.00000000", "average": "0.00000000"}
            | {"five_star_count": 0, "rank": 2},
        ],
        "runoff": {"votes": {"a": 1, "b": 0}, "no_preference": 0, "margin": 1, "decided_by": "runoff"},
        "margin_percentage": "100.00000000",
        "why_leader_lost": None,
        "tie_order": [],
        "decided_by_manager": False,
        "preferences": [
            {"choice_id": "a", "over_choice_id": "b", "ballots": 1},
            {"choice_id": "b", "over_choice_id": "a", "ballots": 0},
        ],
        "steps": [
            {"stage": "scoring", "rule": "sum", "places": 2, "numbers": {"a": "5.00000000", "b": "0.00000000"}}
            | {"advanced": ["a", "b"], "remaining": []},
            {"stage": "runoff", "rule": "runoff", "places": 1, "numbers": {"a": 1, "b": 0}}
            | {"advanced": ["a"], "remaining": []},
        ],
        "tie": None,
        "log": list(tally.log),
    }


def test_to_dict_of_an_unresolved_tie_says_who_could_win() -> None:
    """The tie is part of the document."""
    document = tally_star_votes(votes_of([{"a": 1}, {"b": 1}]), on_tie="return").to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["winner"] is None
    assert document["tie"] == {
        "tied": ["a", "b"],
        "places": 1,
        "advanced": [],
        "stage": "runoff",
        "possible_winners": ["a", "b"],
    }


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    """Three digits of precision are a matter for whoever asked for them."""
    expected = tally_star_votes(VOTES, on_tie="return").to_dict()
    with decimal.localcontext() as context:
        context.prec = 3
        assert tally_star_votes(VOTES, on_tie="return").to_dict() == expected


def test_a_tally_cannot_be_changed() -> None:
    """A result is written once."""
    tally = tally_star_votes(votes_of([{"a": 5}]))
    with pytest.raises(AttributeError):
        tally.winner = "b"  # type: ignore[misc]


def test_the_matrix_is_the_preferences_as_a_square() -> None:
    """One row and one column a choice, in display order, nothing on the diagonal."""
    matrix = tally_star_votes(VOTES, ["c", "a", "b"], on_tie="return").matrix()
    assert matrix.columns == ["choice_id", "over c", "over a", "over b"]
    assert matrix.rows() == [("c", None, 2, 1), ("a", 1, None, 1), ("b", 1, 1, None)]


def test_a_leader_who_lost_is_told_why() -> None:
    """More stars from fewer ballots: the sentence names both lots of ballots and the lead in stars, exactly."""
    votes = votes_of([{"a": "5", "b": "0"}, {"a": "2.5", "b": "2.50000001"}, {"b": "1"}])
    tally = tally_star_votes(votes, titles={"a": "Apple", "b": "Banana"})
    assert (tally.winner, tally.score_leaders) == ("b", ("a",))
    assert tally.why_leader_lost == (
        "Apple has the most stars, 3.99999999 more than Banana, but fewer ballots prefer it: 1 against 2. Its lead "
        "comes from larger differences on fewer ballots, and in the runoff every ballot counts once."
    )
    assert "the most stars, 4 more in total than" in tally.leader_lost(places=2)
    close = tally_star_votes(votes_of([{"a": "5", "b": "0"}, {"a": "0", "b": "2.5"}, {"a": "0", "b": "2.49999999"}]))
    assert "the most stars, 0.00000001 more in total than" in close.leader_lost(places=2)
    assert tally_star_votes(votes_of([{"a": 5}, {"a": 1, "b": 0}]), ["a", "b"]).why_leader_lost is None


def test_the_margin_is_a_part_of_all_ballots() -> None:
    """Those without a preference are in the divisor, and the rounding is half-even (S9)."""
    tally = tally_star_votes(votes_of([{"a": 1, "b": 0}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]))
    assert tally.margin_percentage == Decimal("33.33333333")
    assert tally_star_votes(votes_of([{"a": 1}])).margin_percentage is None


def test_no_decimal_context_of_the_caller_is_followed() -> None:
    """With two digits of precision everything is as exact as ever (D10)."""
    votes = votes_of([{"a": "3.33333333", "b": "1.11111111"}] * 3 + [{"b": "2.22222222"}] * 4)
    expected = tally_star_votes(votes, protocol="losses").to_dict()
    with decimal.localcontext(prec=2):
        assert tally_star_votes(votes, protocol="losses").to_dict() == expected
