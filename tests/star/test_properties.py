"""What holds for every election."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdvote_analysis.star import StarTally, tally_star_votes

from .elections import votes_of

if TYPE_CHECKING:
    import random

Ballots = list[dict[str, Decimal]]


@st.composite
def elections(draw: st.DrawFn) -> tuple[Ballots, list[str]]:
    """Up to five choices and nine ballots, few different numbers of stars, so that ties and blanks are common."""
    choices = list("abcde"[: draw(st.integers(1, 5))])
    levels = draw(st.sampled_from([["0", "5"], ["0", "1", "4", "5"], ["0", "3.33333333", "1.66666667", "5"]]))
    stars = st.sampled_from([Decimal(level) for level in levels])
    ballot = st.dictionaries(st.sampled_from(choices), stars, min_size=1)
    return draw(st.lists(ballot, min_size=1, max_size=9)), choices


def tally(ballots: Ballots, choices: list[str]) -> StarTally:
    return tally_star_votes(votes_of(ballots, kind=pl.Decimal(9, 8)), choices, on_tie="return")


def totals_of(tally: StarTally) -> Counter[Any]:
    return Counter(dict(tally.scores.select("choice_id", "total").iter_rows()))


def preferences_of(tally: StarTally) -> Counter[Any]:
    return Counter({(a, b): ballots for a, b, ballots in tally.preferences.iter_rows()})


@pytest.mark.slow
@given(elections(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(election: tuple[Ballots, list[str]], order: random.Random) -> None:
    """Shuffled votes give the same tally, word for word."""
    ballots, choices = election
    votes = votes_of(ballots, kind=pl.Decimal(9, 8))
    rows = list(range(votes.height))
    order.shuffle(rows)
    shuffled = tally_star_votes(votes[rows], choices, on_tie="return")
    assert shuffled.to_dict() == tally(ballots, choices).to_dict()


@pytest.mark.slow
@given(elections(), elections())
def test_a_split_electorate_adds_up(first: tuple[Ballots, list[str]], second: tuple[Ballots, list[str]]) -> None:
    """Totals and preferences of two halves are, added, those of the whole."""
    choices = max(first[1], second[1], key=len)
    halves = [tally(first[0], choices), tally(second[0], choices)]
    whole = tally(first[0] + second[0], choices)
    assert whole.vote_count == halves[0].vote_count + halves[1].vote_count
    for numbers_of in (totals_of, preferences_of):
        one, other = (numbers_of(half) for half in halves)
        assert numbers_of(whole) == {key: one[key] + other[key] for key in one}


@pytest.mark.slow
@given(elections())
def test_everybody_voting_twice_changes_no_decision(election: tuple[Ballots, list[str]]) -> None:
    """The same electorate twice over has the same outcome, with numbers twice as large."""
    ballots, choices = election
    once, twice = tally(ballots, choices), tally(ballots * 2, choices)
    assert (twice.winner, twice.finalists, twice.tie) == (once.winner, once.finalists, once.tie)
    assert totals_of(twice) == {choice: 2 * total for choice, total in totals_of(once).items()}


@pytest.mark.slow
@given(elections())
def test_left_out_choices_are_the_same_as_zeros(election: tuple[Ballots, list[str]]) -> None:
    """Writing the zeros out changes nothing."""
    ballots, choices = election
    full = [{choice: ballot.get(choice, Decimal(0)) for choice in choices} for ballot in ballots]
    assert tally(full, choices).to_dict() == tally(ballots, choices).to_dict()


@pytest.mark.slow
@given(elections())
def test_the_order_of_choices_breaks_no_tie(election: tuple[Ballots, list[str]]) -> None:
    """Listing the choices backwards elects nobody else and leaves the same choices tied."""
    ballots, choices = election
    forwards, backwards = tally(ballots, choices), tally(ballots, choices[::-1])
    assert forwards.winner == backwards.winner
    assert set(forwards.possible_winners) == set(backwards.possible_winners)
    assert set(forwards.finalists) == set(backwards.finalists)
    assert set(forwards.tie.tied if forwards.tie else ()) == set(backwards.tie.tied if backwards.tie else ())


@given(elections())
def test_a_tally_is_consistent_in_itself(election: tuple[Ballots, list[str]]) -> None:
    """There is a winner or a tie, places add up, and every ballot is accounted for in the runoff."""
    ballots, choices = election
    found = tally(ballots, choices)
    assert (found.winner is None) == (found.tie is not None)
    assert set(found.possible_winners) <= set(choices)
    if found.runoff is not None:
        assert sum(found.runoff.votes.values()) + found.runoff.no_preference == found.vote_count == len(ballots)
    if found.tie is not None:
        assert len(found.tie.tied) > found.tie.places > 0
        assert not set(found.tie.tied) & set(found.tie.advanced)
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        assert after.pool == (before.remaining or found.finalists)
