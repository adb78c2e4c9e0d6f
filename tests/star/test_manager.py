"""Ties that people decide: the order of the community manager is taken, recorded and shown as what it is (K7)."""

from __future__ import annotations

import pytest

from crowdvote_analysis.errors import InvalidElectionError, UnresolvedTieError
from crowdvote_analysis.star import StarTally, tally_star_votes

from .elections import votes_of

RUNOFF = votes_of([{"a": 1}, {"b": 1}])
# c leads; a and b are level for the second place in every number, and both lose to c.
SECOND = votes_of([{"c": 5, "a": 2}, {"c": 5, "b": 2}])
# All three level in everything.
CYCLE = votes_of([{"a": 5, "b": 3, "c": 1}, {"b": 5, "c": 3, "a": 1}, {"c": 5, "a": 3, "b": 1}])


def decided(votes: object, order: list[str]) -> StarTally:
    return tally_star_votes(votes, tie_order=order, titles={"a": "Apple"})  # type: ignore[arg-type]


def test_a_tied_runoff_goes_as_the_manager_says() -> None:
    """The first of the order wins, and every place where it is told says that the manager decided."""
    tally = decided(RUNOFF, ["b", "a"])
    assert (tally.winner, tally.runner_up, tally.tie, tally.status) == ("b", "a", None, "decided")
    assert (tally.tie_order, tally.decided_by_manager, tally.won_by_ballots) == (("b", "a"), True, False)
    assert tally.runoff is not None
    assert tally.runoff.decided_by == "manager"
    assert tally.log[-2:] == (
        "Runoff Tie decided by the Community Manager (order: b, Apple): b wins",
        "Winner: b (margin: 0 votes, tie decided by the Community Manager)",
    )
    assert tally.audit_log().row(-1, named=True)["rule"] == "manager"


def test_a_tie_for_a_place_goes_as_the_manager_says() -> None:
    """The runoff follows as usual, and the protocol's own steps stay on record before the manager's."""
    tally = decided(SECOND, ["b", "a"])
    assert (tally.winner, tally.finalists, tally.decided_by_manager) == ("c", ("c", "b"), True)
    assert [step.rule for step in tally.steps] == ["sum", "prefs", "max_count", "manager", "runoff"]
    assert dict(tally.steps[3].numbers) == {"a": 2, "b": 1}
    assert "Score Tie decided by the Community Manager (order: b, Apple): b advances" in tally.log


def test_one_order_may_decide_both_a_place_and_the_runoff() -> None:
    """Three level choices: the first two of the order meet, and where they are level too the first wins."""
    level = votes_of([{"a": 5, "b": 5, "c": 5}, {"a": 0, "b": 0, "c": 0}])
    tally = decided(level, ["c", "a", "b"])
    assert (tally.winner, tally.finalists) == ("c", ("c", "a"))
    assert [step.rule for step in tally.steps if step.rule == "manager"] == ["manager", "manager"]


def test_a_second_tie_that_the_order_does_not_speak_of_is_asked_for() -> None:
    """An order made for the second place need not rank the finalist it meets; then that tie is still open."""
    votes = votes_of(
        [{"c": 5, "a": 1, "b": 1}, {"c": 1, "a": 5, "b": 5}, {"c": 5, "a": 4, "b": 4}, {"c": 3, "a": 3, "b": 3}]
    )
    first = tally_star_votes(votes, on_tie="return")
    assert first.tie is not None
    assert (first.tie.stage, first.tie.tied) == ("scoring", ("a", "b"))


@pytest.mark.parametrize(("votes", "winner"), [(votes_of([{"a": 5, "b": 1}]), "a"), (votes_of([{"a": 1}]), "a")])
def test_an_order_that_is_not_needed_changes_nothing(votes: object, winner: str) -> None:
    """Where no tie is left the ballots decide; the order is recorded as not needed."""
    tally = decided(votes, ["a"])
    assert (tally.winner, tally.decided_by_manager, tally.tie_order) == (winner, False, ("a",))
    assert "Order of the Community Manager (Apple): not needed, no tie was left" in tally.log


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (["a"], "tie_order: leaves out 'b'. The tie is between 'a', 'b'; rank all of them (rule K7)."),
        (["a", "x"], "tie_order: 'x' is not among the choices, which are 'a', 'b'. Use their ids."),
        (["a", "a", "b"], "tie_order: a choice stands there more than once. Name every choice once, best first."),
        ("ab", "tie_order: expected choice ids, best first, got the one text 'ab'."),
    ],
)
def test_an_order_that_cannot_be_used_is_refused(order: list[str], text: str) -> None:
    """The text names who is missing or unknown."""
    with pytest.raises(InvalidElectionError) as caught:
        decided(RUNOFF, order)
    assert str(caught.value) == text


def test_every_possible_winner_wins_under_some_order() -> None:
    """Who is said to be a possible winner can be made one, and nobody else can."""
    tie = tally_star_votes(CYCLE, on_tie="return").tie
    assert tie is not None
    orders = [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]]
    assert {decided(CYCLE, order).winner for order in orders} == set(tie.possible_winners)


def test_a_tie_that_does_not_matter_says_so() -> None:
    """Whoever gets the second place loses to c: the error and the log name the winner under any decision."""
    with pytest.raises(UnresolvedTieError) as caught:
        tally_star_votes(SECOND)
    assert caught.value.possible_winners == ("c",)
    assert str(caught.value).endswith(
        "(coin toss, revote, or other community-specific process). Whatever is decided, c wins."
    )
    assert caught.value.log[-1] == "Winner under any decision of the tie: c"
