"""The audit log as text: exactly these words (K8)."""

from __future__ import annotations

from typing import Any

from crowdvote_analysis.star import tally_star_votes

from .elections import votes_of


def log_of(*ballots: dict[str, Any], times: list[int] | None = None, titles: dict[str, str] | None = None) -> list[str]:
    return list(tally_star_votes(votes_of(ballots, times), titles=titles, on_tie="return").log)


def test_a_plain_election_reads_as_the_rules_say() -> None:
    """26 ballots: the example of the rules, number by number."""
    # Apple: 15 x 5 + 11 x 3.18181818 = 109.99999998; Banana: 15 x 2.92592592 + 11 x 4.68531469 = 95.42735739.
    lines = log_of(
        {"apple": "5", "banana": "2.92592592"},
        {"apple": "3.18181818", "banana": "4.68531469"},
        times=[15, 11],
        titles={"apple": "Apple", "banana": "Banana"},
    )
    assert lines == [
        "Score Phase: Apple 4.23 avg (26 votes), Banana 3.67 avg (26 votes)",
        "Runoff: Apple vs Banana",
        "Apple: 15 preferences, Banana: 11 preferences",
        "Winner: Apple (margin: 4 votes)",
    ]


def test_one_is_singular_and_no_preference_has_a_line() -> None:
    """One vote, one preference, one ballot."""
    assert log_of({"a": 2, "b": 1}, {"a": 3, "b": 3}) == [
        "Score Phase: a 2.50 avg (2 votes), b 2.00 avg (2 votes)",
        "Runoff: a vs b",
        "a: 1 preference, b: 0 preferences",
        "No preference: 1 ballot",
        "Winner: a (margin: 1 vote)",
    ]


def test_the_averages_are_rounded_half_even_from_exact_sums() -> None:
    """0.125 is shown as 0.12 and 0.375 as 0.38."""
    assert log_of({"a": "0.375", "b": "0.125"})[0] == "Score Phase: a 0.38 avg (1 vote), b 0.12 avg (1 vote)"


def test_every_step_of_a_scoring_tie_has_a_line() -> None:
    """The tie, the step that helps nobody, and the step that decides."""
    ballots = [{"a": 5, "b": 5, "c": 4}, {"a": 5, "b": 1, "c": 2}]
    assert log_of(*ballots) == [
        "Score Phase: a 5.00 avg (2 votes), b 3.00 avg (2 votes), c 3.00 avg (2 votes)",
        "Score Tie: b, c at 6 stars for 1 place",
        "Score Tiebreaker (preferences): b 1, c 1; still tied: b, c",
        "Score Tiebreaker (five-star ballots): b 1, c 0; b advances",
        "Runoff: a vs b",
        "a: 1 preference, b: 0 preferences",
        "No preference: 1 ballot",
        "Winner: a (margin: 1 vote)",
    ]


def test_a_step_can_fill_one_place_and_leave_a_tie_for_the_other() -> None:
    """Both halves of such a step stand in its line."""
    lines = log_of({"a": 5, "b": 1, "c": 1}, {"a": 3, "b": 4, "c": 1}, {"a": 0, "b": 3, "c": 4}, {"c": 2})
    assert lines[1:4] == [
        "Score Tie: a, b, c at 8 stars for 2 places",
        "Score Tiebreaker (preferences): a 3, b 3, c 4; c advances; still tied: a, b",
        "Score Tiebreaker (five-star ballots): a 1, b 0; a advances",
    ]


def test_a_tied_runoff_says_what_broke_the_tie() -> None:
    """The step has a line, and the winner's line repeats the rule."""
    assert log_of({"a": "4.5", "b": 1}, {"a": "3", "b": "4.25"})[1:] == [
        "Runoff: a vs b",
        "a: 1 preference, b: 1 preference",
        "Runoff Tiebreaker (total score): a 7.5, b 5.25; a wins",
        "Winner: a (margin: 0 votes, tie broken by total score)",
    ]


def test_an_unresolved_tie_says_who_must_decide_and_who_could_win() -> None:
    """Titles stand in the text."""
    assert log_of({"x": 1}, {"y": 1}, titles={"x": "Swings", "y": "Slide"})[1:] == [
        "Runoff: Swings vs Slide",
        "Swings: 1 preference, Slide: 1 preference",
        "Runoff Tiebreaker (total score): Swings 1, Slide 1; still tied: Swings, Slide",
        "Runoff Tiebreaker (five-star ballots): Swings 0, Slide 0; still tied: Swings, Slide",
        "Unresolved tie between: Swings, Slide. Community Manager must decide tie-breaking method "
        "(coin toss, revote, or other community-specific process).",
        "Possible winners: Swings, Slide",
    ]


def test_a_tie_that_does_not_matter_says_so() -> None:
    """One possible winner wins under any decision."""
    lines = log_of({"a": 5, "b": 1, "c": 2}, {"a": 5, "b": 2, "c": 1})
    assert lines[-1] == "Winner under any decision of the tie: a"


def test_a_lone_choice_is_said_to_be_one() -> None:
    """There is no runoff to report."""
    assert log_of({"a": 4}) == ["Score Phase: a 4.00 avg (1 vote)", "Winner: a (the only choice)"]


def test_titles_that_read_the_same_are_told_apart() -> None:
    """Two choices of one title carry their ids, a title stays on one line, and a missing one is the id."""
    votes = votes_of([{"x": 5, "y": 3, "z": 1}])
    log = tally_star_votes(votes, titles={"x": "Same", "y": "Same", "z": "Nice\nWinner: y"}).log
    assert (
        log[0]
        == "Score Phase: Same (x) 5.00 avg (1 vote), Same (y) 3.00 avg (1 vote), Nice Winner: y 1.00 avg (1 vote)"
    )
    assert tally_star_votes(votes, titles={"x": None}).log[-1] == "Winner: x (margin: 1 vote)"  # type: ignore[dict-item]
