"""Every step of a count as bars, and ballots by their stars."""

from __future__ import annotations

from crowdvote_analysis import charts
from crowdvote_analysis.star import score_histogram
from tests.charts.spec import drawing, rows


def test_every_step_lists_whoever_did_best_first(tally) -> None:
    """Steps of a tie stand between the score phase and the runoff, each with its own numbers."""
    found = charts.step_rows(tally("sports-day")).select("step", "rule", "title", "number", "outcome").rows()
    assert found[:6] == [
        (1, "total score", "A Saturday in June", "46", "advanced"),
        (1, "total score", "A Friday in May", "33", "tied"),
        (1, "total score", "The last day of term", "33", "tied"),
        (1, "total score", "Early in September", "11.5", "out"),
        (2, "preferences", "A Friday in May", "7", "advanced"),
        (2, "preferences", "The last day of term", "5", "out"),
    ]
    assert found[-2:] == [
        (3, "ballots that prefer it", "A Saturday in June", "9", "won"),
        (3, "ballots that prefer it", "A Friday in May", "3", "out"),
    ]
    # Nobody has won while people can still vote (S3).
    assert charts.step_rows(tally("sports-day"), is_open=True)["outcome"].to_list()[-2:] == ["ahead", "out"]


def test_the_longest_bar_of_a_step_is_its_largest_number(tally) -> None:
    """Steps count different things, so each has its own scale."""
    drawn = rows(charts.steps_chart(charts.step_rows(tally("sports-day"))))
    assert [max(row["part"] for row in drawn if row["step"] == step) for step in (1, 2, 3)] == [1, 1, 1]


def test_a_decision_of_the_manager_is_drawn_as_what_it_is(vote) -> None:
    """The last step says whose order it was."""
    tied = vote({"a": 1}, {"b": 1}, tie_order=["b", "a"])
    assert "place in the manager" in drawing(charts.steps_chart(charts.step_rows(tied), width=500, mode="light"))


def test_ballots_lie_end_to_end_by_their_stars(counted, tally) -> None:
    """Each choice's parts fill its bar, best score first."""
    parts = charts.histogram_parts(score_histogram(counted, "village-green"), tally("village-green").scores)
    assert parts["title"].unique(maintain_order=True)[0] == "Wildflower meadow"
    assert all(abs(end - 1) < 1e-12 for end in parts.filter(stars="5")["end"])
    assert parts.group_by("place").agg(parts["ballots"].sum()).height == tally("village-green").scores.height
