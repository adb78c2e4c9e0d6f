"""Depth as a chart."""

from __future__ import annotations

import polars as pl
import pytest

from crowdvote_analysis.charts import depth_chart, depth_rows
from tests.charts.spec import drawing, rows


def test_voters_are_counted_by_depth(counted):
    """Every voter with a ballot stands at one depth, those by hand at zero (D11)."""
    listed = depth_rows(counted.ballots.filter(decision_id="village-green"))
    assert listed.rows() == [
        (0, "manual", 18),
        (1, "calculated", 5),
        (2, "calculated", 4),
        (3, "calculated", 5),
        (4, "calculated", 4),
    ]


def test_depths_nobody_stands_at_are_shown():
    """A gap in the depths is a gap in the picture."""
    ballots = pl.DataFrame(
        {"is_voter": [True, True, False], "origin": ["manual", "calculated", "manual"], "depth": [0, 2, 0]}
    )
    assert depth_rows(ballots)["voters"].to_list() == [1, 0, 1]


@pytest.mark.slow
def test_numbers_stand_below_the_bars(counted):
    """How many voters a bar is can be read without a tooltip."""
    chart = depth_chart(depth_rows(counted.ballots.filter(decision_id="village-green")), width=300)
    assert ">18</tspan>" in drawing(chart)


def test_labels_do_not_run_into_each_other():
    """Where there are many depths, some have no label, and the bars have theirs in a tooltip."""
    many = pl.DataFrame({"depth": range(60), "origin": ["manual"] + ["calculated"] * 59, "voters": range(100, 160)})
    shown = drawing(depth_chart(many, width=460))
    assert [f">{number}</tspan>" in shown for number in (100, 103, 105, 106, 112)] == [True, False, False, True, True]


def test_no_ballots_can_be_drawn(counted):
    """Without any ballot there is nothing to show, and no error."""
    listed = depth_rows(counted.ballots.filter(origin="none"))
    chart = depth_chart(listed, width=300)
    assert drawing(chart)
    assert rows(chart) == []
