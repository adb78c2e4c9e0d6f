"""How few or many voters a result rests on."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crowdvote_analysis as cv
from crowdvote_analysis.power import concentration, voter_weights

WEIGHTS = st.lists(st.integers(0, 40), min_size=1, max_size=7).filter(any)


def test_worked_by_hand():
    """Weights 5, 3, 1, 1: 100/36 effective voters, two make a majority, Gini from the six pairs."""
    found = concentration([1, 5, 0, 3, 1])
    assert (found.voters, found.total) == (4, 10)
    assert found.effective_number == Fraction(100, 36)
    # Differences of the pairs: 2 + 4 + 4 + 2 + 2 + 0 = 14, of 2 * 4 * 10 / 2.
    assert found.gini == Fraction(14, 40)
    assert found.largest_share == Fraction(1, 2)
    assert found.smallest_majority == 2  # half is no majority


@given(st.integers(1, 50), st.fractions(min_value=Fraction(1, 9), max_value=9))
def test_equal_weights_count_as_many_as_there_are(number, weight):
    """Equal voters: the effective number is their number, nothing is unequal, more than half make the majority."""
    found = concentration([weight] * number)
    assert (found.effective_number, found.gini, found.largest_share) == (number, 0, Fraction(1, number))
    assert found.smallest_majority == number // 2 + 1


@given(WEIGHTS)
def test_measures_are_what_they_are_defined_as(weights):
    """Gini is half the mean difference of all pairs by the mean; no smaller group has more than half."""
    held = [weight for weight in weights if weight]
    found, total = concentration(weights), sum(held)
    assert found.gini == Fraction(sum(abs(one - other) for one in held for other in held), 2 * len(held) * total)
    largest = {size: max(sum(group) for group in combinations(held, size)) for size in range(1, len(held) + 1)}
    assert found.smallest_majority == min(size for size, most in largest.items() if 2 * most > total)
    assert 1 <= found.effective_number <= len(held)
    assert found.effective_number <= 1 / found.largest_share**2


@given(WEIGHTS, st.fractions(min_value=Fraction(1, 9), max_value=9), st.randoms())
def test_units_and_order_do_not_matter(weights, factor, chance):
    """The measures speak of shares: in other units and in any order they are the same."""
    other = [weight * factor for weight in weights]
    chance.shuffle(other)
    one, two = concentration(weights), concentration(other)
    assert (one.gini, one.effective_number, one.smallest_majority) == (
        two.gini,
        two.effective_number,
        two.smallest_majority,
    )


def test_nobody_has_a_weight():
    """Without any weight there is nothing to measure, and no error."""
    assert concentration([]) == concentration([0, 0])
    assert concentration([]).effective_number == 0


def test_weights_are_exact_and_not_negative():
    """Binary floats are refused (D10), and so is a weight below 0."""
    with pytest.raises(TypeError, match="D10"):
        concentration([0.5])
    with pytest.raises(ValueError, match="-1"):
        concentration([2, -1])
    assert concentration([Decimal("0.1")] * 3).effective_number == 3


def test_weights_of_a_count_are_its_ballots():
    """Two follow Ann, one of them half: Ann carries 2.5 of the four ballots (I3)."""
    state = cv.SystemState(
        followings=pl.DataFrame({"follower_id": ["Cay", "Dan", "Dan"], "followee_id": ["Ann", "Ann", "Ben"]}),
        votes=pl.DataFrame({"member_id": ["Ann", "Ben"], "choice_id": ["x", "x"], "stars": [5, 1]}),
    )
    resolution = cv.resolve(state)
    (decision,) = resolution.decisions["decision_id"]
    weights = voter_weights(resolution, decision)
    assert weights.select("member_id", "weight").rows() == [("Ann", Decimal("2.5")), ("Ben", Decimal("1.5"))]
    assert weights["cumulative"].to_list() == [0.625, 1.0]
    with pytest.raises(cv.UnknownDecisionError):
        voter_weights(resolution, "elsewhere")
