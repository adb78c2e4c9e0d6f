"""Participation as a chart."""

from __future__ import annotations

import polars as pl
import pytest

from crowdvote_analysis.charts import participation_chart, participation_parts
from tests.charts.spec import drawing, texts


def test_parts_are_all_voters(counted):
    """By hand, calculated and none add up to the voters (M2)."""
    stats = counted.stats.filter(decision_id="village-green")
    parts = participation_parts(stats)
    assert parts["voters"].to_list() == [18, 18, 4]
    assert parts["share"].to_list() == pytest.approx([0.45, 0.45, 0.1])
    assert parts.select("start", "end").rows() == [(0, 18), (18, 36), (36, 40)]


def test_colours_are_those_of_the_screens(counted):
    """Manual is green, calculated blue, everywhere (U2)."""
    chart = participation_chart(participation_parts(counted.stats.filter(decision_id="village-green")))
    scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"][0] == "Voted by hand: 18 (45.0%)"
    assert scale["range"][:2] == ["#4caf50", "#2196f3"]


def test_nobody_can_be_drawn():
    """A community without voters has shares of zero."""
    parts = participation_parts(pl.DataFrame({"manual_ballots": [0], "calculated_ballots": [0], "no_ballot": [0]}))
    chart = participation_chart(parts, width=300)
    assert drawing(chart)
    assert parts["share"].to_list() == [0.0, 0.0, 0.0]
    assert "No ballot: 0 (0.0%)" in texts(chart)


def test_one_decision_at_a_time(counted):
    """Statistics of several decisions are not silently added up or cut."""
    with pytest.raises(ValueError, match="unpack"):
        participation_parts(counted.stats)
