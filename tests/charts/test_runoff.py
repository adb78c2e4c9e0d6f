"""The runoff as a chart."""

from __future__ import annotations

from crowdvote_analysis.charts import runoff_chart, runoff_parts
from tests.charts.spec import rows, texts


def test_parts_are_all_ballots(tally):
    """Finalists and those without a preference add up to the ballots tallied."""
    result = tally("village-green")
    parts = runoff_parts(result)
    assert parts.rows() == [
        ("Wildflower meadow", "winner", 25, 25 / 35, 16.0),
        ("Playground", "runner-up", 7, 7 / 35, 16.0),
        ("No preference", "no preference", 3, 3 / 35, None),
    ]
    assert parts["ballots"].sum() == result.vote_count


def test_winner_may_be_the_second_of_the_scoring(vote):
    """Roles follow the runoff, the order follows the scores."""
    parts = runoff_parts(vote({"a": 5, "b": 0}, {"a": 2, "b": 3}, {"a": 2, "b": 3}))
    assert parts.select("title", "role").rows()[:2] == [("a", "runner-up"), ("b", "winner")]


def test_tied_finalists_are_both_marked(tally):
    """An unresolved runoff has neither a winner nor a runner-up."""
    assert runoff_parts(tally("bench-colour"))["role"].to_list() == ["tied", "tied", "no preference"]


def test_no_runoff_no_parts(vote):
    """A lone choice and a tie while scoring do not come to a runoff."""
    assert runoff_parts(vote({"a": 3})) is None
    tie = vote({"a": 5, "b": 0, "c": 0}, {"a": 0, "b": 5, "c": 0}, {"a": 0, "b": 0, "c": 5})
    assert tie.tie.stage == "scoring"
    assert runoff_parts(tie) is None


def test_figures_stand_beside_the_bars(tally):
    """Numbers and percentages can be read without a tooltip."""
    chart = runoff_chart(runoff_parts(tally("village-green")))
    assert "25 ballots, 71.4%" in texts(chart)
    assert "1 ballot, 14.3%" in texts(runoff_chart(runoff_parts(tally("bench-colour"))))


def test_majority_is_marked_on_the_finalists_only(tally):
    """Half of the ballots with a preference says nothing about those without."""
    assert [row["half"] for row in rows(runoff_chart(runoff_parts(tally("village-green"))))] == [16, 16, None]


def test_ballots_without_any_preference_can_be_drawn(vote):
    """A runoff in which nobody prefers anything is three bars all the same."""
    chart = runoff_chart(runoff_parts(vote({"a": 3, "b": 3})))
    assert [row["ballots"] for row in rows(chart)] == [0, 0, 1]
