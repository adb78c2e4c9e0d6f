"""The tie protocol `starvote`, step by step, on counts made by hand."""

from __future__ import annotations

import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.protocols import fill_as_starvote, protocol_named

Told = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def counts_of(
    totals: dict[str, int], prefers: dict[str, dict[str, int]] | None = None, fives: dict[str, int] | None = None
) -> Counts:
    """Counts with zero wherever nothing is said."""
    preferred = {a: {b: (prefers or {}).get(a, {}).get(b, 0) for b in totals if b != a} for a in totals}
    return Counts(9, totals, {choice: (fives or {}).get(choice, 0) for choice in totals}, preferred)


def told(counts: Counts) -> list[Told]:
    return [(step.rule, step.pool, step.advanced, step.remaining) for step in fill_as_starvote(counts)]


def test_the_two_best_scores_advance() -> None:
    """Without a tie one step fills both places, best first."""
    assert told(counts_of({"a": 1, "b": 3, "c": 2})) == [("sum", ("a", "b", "c"), ("b", "c"), ())]


def test_two_tied_for_first_advance_together() -> None:
    """A group of exactly two fills two places, in display order."""
    assert told(counts_of({"a": 1, "b": 3, "c": 3})) == [("sum", ("a", "b", "c"), ("b", "c"), ())]


def test_a_lone_choice_advances_alone() -> None:
    """With one choice the second place stays empty, which is no tie."""
    assert told(counts_of({"a": 0})) == [("sum", ("a",), ("a",), ())]


def test_preferences_are_summed_inside_the_tie_only() -> None:
    """Ballots that prefer a tied choice to one outside the pool do not help it."""
    prefers = {"b": {"a": 9, "c": 1}, "c": {"b": 2}}
    assert told(counts_of({"a": 5, "b": 3, "c": 3}, prefers)) == [
        ("sum", ("a", "b", "c"), ("a",), ("b", "c")),
        ("prefs", ("b", "c"), ("c",), ()),
    ]


def test_preferences_are_counted_once_not_again_in_the_smaller_pool() -> None:
    """After the best of three advances, those behind are compared by the numbers of the same step."""
    prefers = {"a": {"b": 5, "c": 5}, "b": {"a": 3, "c": 0}, "c": {"a": 0, "b": 2}}
    assert told(counts_of({"a": 3, "b": 3, "c": 3}, prefers)) == [
        ("sum", ("a", "b", "c"), (), ("a", "b", "c")),
        ("prefs", ("a", "b", "c"), ("a", "b"), ()),
    ]


def test_a_tie_behind_the_best_preferences_goes_on_to_five_star_ballots() -> None:
    """Steps never go back: the second place is not fought over by preferences again."""
    prefers = {"a": {"b": 5, "c": 5}, "b": {"a": 2}, "c": {"b": 2}}
    assert told(counts_of({"a": 3, "b": 3, "c": 3}, prefers, {"a": 0, "b": 1, "c": 4})) == [
        ("sum", ("a", "b", "c"), (), ("a", "b", "c")),
        ("prefs", ("a", "b", "c"), ("a",), ("b", "c")),
        ("max_count", ("b", "c"), ("c",), ()),
    ]


def test_a_larger_group_becomes_the_pool_and_the_rest_is_out() -> None:
    """Three tied ahead of a fourth: the fourth is never looked at again."""
    fives = {"a": 1, "b": 2, "c": 3, "d": 9}
    assert told(counts_of({"a": 3, "b": 3, "c": 3, "d": 2}, None, fives)) == [
        ("sum", ("a", "b", "c", "d"), (), ("a", "b", "c")),
        ("prefs", ("a", "b", "c"), (), ("a", "b", "c")),
        ("max_count", ("a", "b", "c"), ("c", "b"), ()),
    ]


def test_what_no_step_can_part_remains() -> None:
    """When five-star ballots are equal too, the last step has a rest."""
    assert told(counts_of({"a": 9, "b": 3, "c": 3})) == [
        ("sum", ("a", "b", "c"), ("a",), ("b", "c")),
        ("prefs", ("b", "c"), (), ("b", "c")),
        ("max_count", ("b", "c"), (), ("b", "c")),
    ]


def test_an_unknown_protocol_is_refused_with_those_there_are() -> None:
    """The text lists the protocols that can be asked for."""
    with pytest.raises(InvalidElectionError) as caught:
        protocol_named("losses")
    assert str(caught.value) == ("protocol: there is no tie protocol 'losses' (rule K3). Use one of: 'starvote'.")
