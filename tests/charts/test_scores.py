"""The score phase as a chart."""

from __future__ import annotations

import pytest

from crowdvote_analysis.charts import runoff_chart, runoff_parts, score_chart
from crowdvote_analysis.star import ratings, with_ratings
from tests.charts.spec import drawing, rows, texts


def test_best_choice_comes_first(tally):
    """Choices stand in the order of their stars, with the roles of the count."""
    result = tally("village-green")
    chart = score_chart(result.scores, finalists=result.finalists, winner=result.winner)
    shown = rows(chart)
    assert [row["title"] for row in shown] == ["Wildflower meadow", "Playground", "Car park", "Bandstand"]
    assert [row["role"] for row in shown] == ["winner", "finalist", "", ""]
    assert [row["average"] for row in shown] == pytest.approx([3.24047619, 2.32, 2.12, 1.5], abs=0.005)


def test_what_was_left_blank_is_told(tally, counted):
    """Where it is known, how many left a choice blank and the average of the others are in the tooltip (K10)."""
    result = tally("village-green")
    first = rows(score_chart(with_ratings(result, ratings(counted))))[0]
    assert (first["blank"], first["average_rated"]) == (2, pytest.approx(3.43686869))
    assert "blank" not in rows(score_chart(result.scores))[0]


def test_order_of_rows_does_not_matter(tally):
    """A frame in another order gives the same picture."""
    result = tally("village-green")
    assert rows(score_chart(result.scores.reverse())) == rows(score_chart(result.scores))


def test_tied_choices_are_marked(tally):
    """Those of an unresolved tie look different from finalists."""
    result = tally("bench-colour")
    shown = rows(score_chart(result.scores, finalists=result.finalists, tied=result.tie.tied))
    assert [row["role"] for row in shown] == ["tied", "tied", ""]


def test_bar_is_total_or_average(vote):
    """The measure decides the length of the bars and the words beside them."""
    scores = vote({"a": 5, "b": 2}, {"a": 4, "b": 1}).scores
    assert "4.50 stars on average" in texts(score_chart(scores))
    assert "9.0 stars" in texts(score_chart(scores, measure="total"))


def test_no_stars_at_all_can_be_drawn(vote):
    """Totals of zero do not break the scale."""
    chart = score_chart(vote({"a": 0, "b": 0}).scores, measure="total", width=300)
    assert drawing(chart)
    assert [row["total"] for row in rows(chart)] == [0, 0]


def test_lone_choice(vote):
    """One choice is one bar."""
    result = vote({"a": 3})
    assert [row["role"] for row in rows(score_chart(result.scores, winner=result.winner))] == ["winner"]


@pytest.mark.slow
def test_twenty_two_long_titles_keep_a_row_each(vote):
    """Every choice gets its bar and its label, however many and long they are."""
    ballot = {f"c{number:02}": number % 6 for number in range(22)}
    titles = {choice: f'{choice} "quoted" \\ é ' + "long " * 40 for choice in ballot}
    chart = score_chart(vote(ballot, titles=titles).scores, width=400)
    drawn = drawing(chart)
    assert len(rows(chart)) == 22
    assert chart.to_dict()["height"] >= 22 * 30
    assert all(choice in drawn for choice in ballot)
    assert "…" in drawn


def test_choices_of_the_same_title_stay_apart(vote):
    """A title that is used twice is two bars."""
    chart = score_chart(vote({"a": 3, "b": 2}, titles={"a": "Park", "b": "Park"}).scores)
    assert [(row["place"], row["title"]) for row in rows(chart)] == [(0, "Park (a)"), (1, "Park (b)")]


def test_while_ballots_may_come_nobody_has_won(tally):
    """The bars say who leads, as the words beside them do."""
    green = tally("village-green")
    chart = score_chart(green.scores, finalists=green.finalists, winner=green.winner, is_open=True, width=600)
    runoff = runoff_chart(runoff_parts(green), is_open=True, width=600)
    for shown in (drawing(chart), drawing(runoff)):
        assert "(leads so far)" in shown
        assert "(winner)" not in shown
