"""What was left blank (K10): it counts 0, and how many did so is said."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import UnknownDecisionError
from crowdvote_analysis.star import level_ballots, ratings, tally_star, with_ratings

from .elections import resolution_of

CHOICES = [("park", "x", "Ex", 0), ("park", "y", None, 1), ("park", "z", None, 2)]
BALLOTS = [{"x": "5", "y": "0"}, {"x": "2"}, {}, {"y": "3.5", "x": "0"}]


def test_blank_and_rated_add_up_to_the_ballots_tallied() -> None:
    """A ballot without stars is not tallied (D5); a choice rated 0 is rated; nobody's average is none."""
    counted = resolution_of({"park": BALLOTS}, CHOICES)
    assert ratings(counted, "park").rows() == [
        ("park", "x", 3, 0, Decimal("2.33333333")),
        ("park", "y", 2, 1, Decimal("1.75000000")),
        ("park", "z", 0, 3, None),
    ]
    tally = tally_star(counted)
    assert with_ratings(tally, ratings(counted)).select("choice_id", "average", "rated", "blank").rows() == [
        ("x", Decimal("2.33333333"), 3, 0),
        ("y", Decimal("1.16666667"), 2, 1),
        ("z", Decimal("0E-8"), 0, 3),
    ]


def test_lobbyists_are_not_counted() -> None:
    """What they rate or leave blank is no part of the tally (M1)."""
    counted = resolution_of({"park": BALLOTS}, CHOICES, lobbyists=["m1"])
    assert ratings(counted)["rated"].to_list() == [2, 2, 0]


def test_a_calculated_ballot_rates_what_some_source_rates() -> None:
    """D3: where all sources leave a choice blank, so does the average of them."""
    votes = pl.DataFrame({"decision_id": "park", "member_id": ["a", "b"], "choice_id": ["x", "y"], "stars": [4, 1]})
    followings = pl.DataFrame({"follower_id": ["c", "c", "d"], "followee_id": ["a", "b", "a"]})
    state = cv.SystemState(ballots=votes.select("decision_id", "member_id"), votes=votes, followings=followings)
    assert ratings(cv.resolve(state)).rows() == [
        ("park", "x", 3, 1, Decimal("3.33333333")),
        ("park", "y", 2, 2, Decimal("0.75000000")),
    ]


def test_every_decision_is_looked_at_on_its_own() -> None:
    """A member may rate a choice of the same name in one decision and not in the other; decisions may have no votes."""
    choices = [*CHOICES, ("bench", "x", None, 0), ("roof", "x", None, 0)]
    counted = resolution_of({"park": BALLOTS, "bench": [{"x": "1"}], "roof": [{}]}, choices)
    rows = ratings(counted).select("decision_id", "rated", "blank").rows()
    assert rows == [("bench", 1, 0), ("park", 3, 0), ("park", 2, 1), ("park", 0, 3), ("roof", 0, 0)]
    with pytest.raises(UnknownDecisionError, match="'pond' is not in the resolution"):
        ratings(counted, "pond")


def test_ballots_that_prefer_nothing_are_counted() -> None:
    """Equal stars everywhere, or 0 wherever something stands; apart from those whose blanks make the difference."""
    ballots = [
        {"x": "3", "y": "3", "z": "3"},
        {"x": "0", "y": "0", "z": "0"},
        {"y": "0"},
        {"x": "4", "y": "4"},
        {"z": "1"},
        {"x": "5", "y": "5", "z": "4"},
        {},
    ]
    counted = resolution_of({"park": ballots}, CHOICES)
    assert level_ballots(counted, "park") == (3, 2)
    assert level_ballots(resolution_of({"park": ballots}, CHOICES, lobbyists=["m0", "m4"]), "park") == (2, 1)
    assert level_ballots(resolution_of({"park": [{"x": "3"}]}, CHOICES[:1]), "park") == (0, 0)
