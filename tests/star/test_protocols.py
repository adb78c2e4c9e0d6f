"""The tie protocol `starvote`, step by step, on counts made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.protocols import protocol_named

Told = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def counts_of(
    totals: dict[str, int], prefers: dict[str, dict[str, int]] | None = None, fives: dict[str, int] | None = None
) -> Counts:
    """Counts with zero wherever nothing is said."""
    preferred = {a: {b: (prefers or {}).get(a, {}).get(b, 0) for b in totals if b != a} for a in totals}
    return Counts(9, totals, {choice: (fives or {}).get(choice, 0) for choice in totals}, preferred)


def told(counts: Counts, protocol: str = "starvote") -> list[Told]:
    return [(step.rule, step.pool, step.advanced, step.remaining) for step in protocol_named(protocol)(counts)]


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
        protocol_named("lots")
    assert str(caught.value) == (
        "protocol: there is no tie protocol 'lots' (rule K3). Use one of: 'starvote', 'losses', 'bettervoting'."
    )


CYCLE = {"a": {"b": 2, "c": 1}, "b": {"c": 2, "a": 1}, "c": {"a": 2, "b": 1}}


def test_whoever_loses_most_match_ups_is_dropped() -> None:
    """A choice that loses to everybody goes first, however many five-star ballots it has (K5)."""
    prefers = {one: {**others, "d": 2} for one, others in CYCLE.items()} | {"d": {"a": 1, "b": 1, "c": 1}}
    counts = counts_of(dict.fromkeys("abcd", 3), prefers, {"a": 1, "b": 1, "c": 0, "d": 9})
    assert told(counts, "losses") == [
        ("sum", ("a", "b", "c", "d"), (), ("a", "b", "c", "d")),
        ("losses", ("a", "b", "c", "d"), (), ("a", "b", "c")),
        ("losses", ("a", "b", "c"), (), ("a", "b", "c")),
        ("max_count", ("a", "b", "c"), ("a", "b"), ()),
    ]


def test_survivors_of_a_drop_advance_and_the_dropped_compete_for_the_rest() -> None:
    """One choice beats two that are level with each other: it advances, they fight for the second place (K5)."""
    prefers = {"a": {"b": 2, "c": 2}, "b": {"a": 1, "c": 1}, "c": {"a": 1, "b": 1}}
    counts = counts_of(dict.fromkeys("abc", 3), prefers, {"a": 0, "b": 1, "c": 2})
    assert told(counts, "losses") == [
        ("sum", ("a", "b", "c"), (), ("a", "b", "c")),
        ("losses", ("a", "b", "c"), ("a",), ("b", "c")),
        ("losses", ("b", "c"), (), ("b", "c")),
        ("max_count", ("b", "c"), ("c",), ()),
    ]


def test_after_five_star_ballots_match_ups_are_counted_again() -> None:
    """The best of a cycle by five-star ballots advances; between the other two the match-up decides, not five stars."""
    counts = counts_of(dict.fromkeys("abc", 3), CYCLE, {"a": 5, "b": 1, "c": 4})
    assert told(counts, "losses")[2:] == [
        ("max_count", ("a", "b", "c"), ("a",), ("b", "c")),
        ("losses", ("b", "c"), ("b",), ()),
    ]


def test_where_too_many_have_most_five_star_ballots_the_fewest_drop() -> None:
    """Four in a ring for two places, three of them level in front: the fourth drops and match-ups count again (K5)."""
    ring = {"a": {"b": 2}, "b": {"c": 2}, "c": {"d": 2}, "d": {"a": 2}}
    counts = counts_of(dict.fromkeys("abcd", 3), ring, {"a": 4, "b": 4, "c": 4, "d": 1})
    assert told(counts, "losses")[1:] == [
        ("losses", ("a", "b", "c", "d"), (), ("a", "b", "c", "d")),
        ("max_count", ("a", "b", "c", "d"), (), ("a", "b", "c")),
        ("losses", ("a", "b", "c"), ("a",), ("b", "c")),
        ("losses", ("b", "c"), ("b",), ()),
    ]


def test_two_tied_for_second_are_compared_with_each_other() -> None:
    """With two the preference between them counts, then five-star ballots (K6)."""
    counts = counts_of({"a": 5, "b": 3, "c": 3}, {"b": {"c": 2}, "c": {"b": 2}}, {"b": 0, "c": 1})
    assert told(counts, "bettervoting")[1:] == [
        ("prefs", ("b", "c"), (), ("b", "c")),
        ("max_count", ("b", "c"), ("c",), ()),
    ]


def test_three_tied_go_straight_to_five_star_ballots() -> None:
    """With more than two, preferences are not looked at (K6)."""
    prefers = {"a": {"b": 9, "c": 9}}
    counts = counts_of(dict.fromkeys("abc", 3), prefers, {"a": 0, "b": 2, "c": 1})
    assert told(counts, "bettervoting")[1:] == [("max_count", ("a", "b", "c"), ("b", "c"), ())]
    assert told(counts)[1:][0][:3] == ("prefs", ("a", "b", "c"), ("a",))


def test_what_five_star_ballots_leave_is_unresolved_without_lots() -> None:
    """A strict leader advances; those level behind it stay tied (K6)."""
    counts = counts_of(dict.fromkeys("abc", 3), None, {"a": 2, "b": 1, "c": 1})
    assert told(counts, "bettervoting")[-1] == ("max_count", ("a", "b", "c"), ("a",), ("b", "c"))


def literal_losses(tied: list[str], places: int, counts: Counts) -> tuple[list[str], list[str]]:
    """K5 read aloud, one sentence of the rule after another: who advances from a tie, and who is left tied."""
    if len(tied) <= places:
        return tied, []
    beats = counts.preferred
    lost = {one: [other for other in tied if other != one and beats[other][one] > beats[one][other]] for one in tied}
    most = max(len(to) for to in lost.values())
    dropped = [one for one in tied if len(lost[one]) == most]
    left = [one for one in tied if one not in dropped]
    if left:
        if len(left) >= places:
            return literal_losses(left, places, counts)
        more, rest = literal_losses(dropped, places - len(left), counts)
        return left + more, rest
    fives = {one: counts.five_stars[one] for one in tied}
    best = [one for one in tied if fives[one] == max(fives.values())]
    if len(best) <= places:
        more, rest = literal_losses([one for one in tied if one not in best], places - len(best), counts)
        return (best, []) if len(best) == places else (best + more, rest)
    kept = [one for one in tied if fives[one] > min(fives.values())]
    return literal_losses(kept, places, counts) if kept else ([], tied)


@pytest.mark.slow
@settings(max_examples=400)
@given(st.data())
def test_losses_is_what_the_rule_says_read_aloud(data: st.DataObject) -> None:
    """On random ties of up to six choices, who advances and who is left is the same as by the sentences of K5."""
    names = list("abcdef"[: data.draw(st.integers(3, 6))])
    few = st.integers(0, 2)
    prefers = {one: {other: data.draw(few) for other in names if other != one} for one in names}
    counts = counts_of(dict.fromkeys(names, 3), prefers, {one: data.draw(few) for one in names})
    steps = protocol_named("losses")(counts)
    advanced, left = literal_losses(names, 2, counts)
    assert sorted(choice for step in steps for choice in step.advanced) == sorted(advanced)
    assert list(steps[-1].remaining) == left
