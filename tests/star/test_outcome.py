"""From counts to a winner, or to a tie that people must decide."""

from __future__ import annotations

from typing import Any

import pytest

from crowdvote_analysis.star import StarTally, UnresolvedTie, tally_star_votes

from .elections import votes_of


def tally(*ballots: dict[str, Any], choices: list[str] | None = None) -> StarTally:
    return tally_star_votes(votes_of(ballots), choices, on_tie="return")


def test_the_runoff_can_turn_the_scores_around() -> None:
    """One enthusiast gives a the better score, but two of three prefer b."""
    found = tally({"a": 5, "b": 0}, {"a": 3, "b": 4}, {"a": 3, "b": 4})
    assert (found.finalists, found.winner, found.runner_up) == (("a", "b"), "b", "a")
    assert found.runoff is not None
    assert found.runoff.votes == {"a": 1, "b": 2}
    assert (found.runoff.no_preference, found.runoff.margin, found.runoff.decided_by) == (0, 1, "runoff")


def test_equal_stars_are_no_preference() -> None:
    """A ballot that scores both finalists the same supports neither."""
    found = tally({"a": 4, "b": 4}, {"a": 1, "b": 2})
    assert found.runoff is not None
    assert (found.runoff.votes, found.runoff.no_preference) == ({"b": 1, "a": 0}, 1)


def test_a_tied_runoff_goes_to_the_better_score() -> None:
    """One ballot each: the total decides, and it is on record."""
    found = tally({"a": 5, "b": 1}, {"a": 3, "b": 4})
    assert found.runoff is not None
    assert (found.winner, found.runoff.margin, found.runoff.decided_by) == ("a", 0, "sum")


def test_a_tied_runoff_with_equal_scores_goes_to_more_five_star_ballots() -> None:
    """Votes and totals equal: exactly five stars decide."""
    found = tally({"a": 5, "b": 3}, {"a": 2, "b": 4})
    assert found.runoff is not None
    assert (found.winner, found.runoff.decided_by) == ("a", "max_count")


def test_nearly_five_stars_do_not_break_a_tie() -> None:
    """4.99999999 is not five stars, so the tie stays (K9)."""
    found = tally({"a": "4.99999999", "b": "3"}, {"a": "2", "b": "3.99999999"})
    assert (found.winner, found.status) == (None, "unresolved tie")


def test_one_unit_of_score_decides() -> None:
    """A difference of 1e-8 star breaks a tied runoff, and nothing smaller than that is ever lost."""
    assert tally({"a": "3.33333334", "b": "0"}, {"a": "0", "b": "3.33333333"}).winner == "a"
    assert tally({"a": "3.33333333", "b": "0"}, {"a": "0", "b": "3.33333333"}).winner is None


def test_a_tied_runoff_leaves_both_as_possible_winners() -> None:
    """Nobody wins, the finalists and the runoff are still told."""
    found = tally({"b": 1}, {"a": 1})
    assert found.tie == UnresolvedTie(("a", "b"), 1, (), "runoff", ("a", "b"))
    assert (found.winner, found.runner_up, found.finalists) == (None, None, ("a", "b"))
    assert found.runoff is not None
    assert found.runoff.decided_by is None


def test_a_tie_for_second_may_not_matter() -> None:
    """Whoever is chosen to meet a loses: there is one possible winner (K7)."""
    found = tally({"a": 5, "b": 1, "c": 2}, {"a": 5, "b": 2, "c": 1})
    assert found.tie == UnresolvedTie(("b", "c"), 1, ("a",), "scoring", ("a",))
    assert (found.winner, found.finalists, found.runoff) == (None, (), None)


def test_a_tie_for_second_may_decide_everything() -> None:
    """Choice b beats a in the runoff and c does not, so both a and b could win."""
    found = tally({"a": 5, "c": 2}, {"a": 1, "b": 2}, {"c": 1, "b": 1, "a": 1}, {"a": 1, "b": 2}, {"c": 2})
    assert found.tie is not None
    assert (found.tie.advanced, found.tie.tied) == (("a",), ("b", "c"))
    assert found.possible_winners == ("a", "b")


def test_a_tie_for_both_places_tries_every_pair() -> None:
    """In a circle of three any of them could win."""
    found = tally({"a": 3, "b": 2, "c": 1}, {"b": 3, "c": 2, "a": 1}, {"c": 3, "a": 2, "b": 1})
    assert found.tie == UnresolvedTie(("a", "b", "c"), 2, (), "scoring", ("a", "b", "c"))


def test_the_tied_stand_in_display_order() -> None:
    """The order of the choices is the order of the tied."""
    found = tally({"a": 1}, {"b": 1}, {"c": 1}, choices=["c", "a", "b"])
    assert found.tie is not None
    assert found.tie.tied == ("c", "a", "b")


@pytest.mark.parametrize("stars", [0, 5])
def test_a_lone_choice_wins_without_a_runoff(stars: int) -> None:
    """One choice wins whatever its stars; nobody comes second."""
    found = tally({"a": stars})
    assert (found.winner, found.runner_up, found.finalists, found.runoff) == ("a", None, (), None)
    assert found.possible_winners == ("a",)


def test_a_choice_nobody_rated_takes_part() -> None:
    """A stated choice without a single star can still be a finalist."""
    found = tally({"a": 1}, choices=["a", "b"])
    assert found.finalists == ("a", "b")
    assert found.scores["choice_id"].to_list() == ["a", "b"]
