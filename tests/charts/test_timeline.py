"""A decision over time as charts."""

from __future__ import annotations

import polars as pl

from crowdvote_analysis.charts import (
    participation_history,
    participation_history_chart,
    star_history,
    star_history_chart,
)
from crowdvote_analysis.charts.timeline import _COLOURS
from tests.charts.spec import drawing
from tests.charts.timelines import small_timeline


def test_whoever_won_at_an_instant_is_marked():
    """The winner of each snapshot is marked at its stars; a tie marks nobody."""
    rows = star_history(small_timeline())
    assert rows.filter(role="winner").select("title", "average").rows() == [
        ("Swings", 3.0),
        ("Pond", 4.0),
        ("Pond", 4.25),
    ]
    assert rows["timestamp"].is_sorted()


def test_a_result_that_was_superseded_is_told_as_such():
    """It is drawn, but no line leads through it."""
    rows = star_history(small_timeline()).filter(title="Pond")
    assert rows["count"].to_list() == ["interim", "interim", "final, superseded", "final"]
    assert rows["current"].to_list() == [True, True, False, True]
    lines = star_history_chart(rows).to_dict()["layer"][0]
    assert lines["mark"]["type"] == "line"
    assert lines["transform"] == [{"filter": "datum.current"}]


def test_bars_are_all_voters():
    """The parts of each snapshot that stands fill the bar (M2)."""
    rows = participation_history(small_timeline())
    assert rows["voters"].to_list() == [4, 2, 4, 5, 3, 2, 6, 4, 0]
    assert rows["end"].gather_every(3, 2).to_list() == [1.0, 1.0, 1.0]
    second = rows.select("part", "voters", pl.col("share", "start", "end").round(9), "count").row(1)
    assert second == ("Calculated from followings", 2, 0.2, 0.4, 0.6, "interim")


def test_many_choices_keep_those_that_led():
    """No more lines are drawn than there are colours; whoever was in the lead is among them."""
    rows = small_timeline()
    others = [
        rows.filter(subject="pond").with_columns(subject=pl.lit(f"c{number}"), title=pl.lit(f"C{number}"))
        for number in range(len(_COLOURS))
    ]
    titles = star_history(pl.concat([rows, *others]))["title"].unique()
    assert len(titles) == len(_COLOURS)
    assert {"Pond", "Swings"} <= set(titles)


def test_nothing_can_be_drawn():
    """A decision without a completed snapshot has empty charts, not an error."""
    nothing = small_timeline().clear()
    assert drawing(star_history_chart(star_history(nothing), width=300))
    assert drawing(participation_history_chart(participation_history(nothing), width=300))
