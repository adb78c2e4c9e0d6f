"""Influence as a chart."""

from __future__ import annotations

import polars as pl
import pytest

from crowdvote_analysis.charts import influence_chart, influence_rows
from tests.charts.spec import drawing, rows, texts


@pytest.fixture
def green(counted, names):
    ballots = counted.ballots.filter(decision_id="village-green")
    return ballots, names.filter(community_id="riverside")


def test_most_weight_comes_first(green):
    """Manual voters are listed by weight; the highest total influence is marked."""
    listed = influence_rows(*green, top=3)
    assert listed["name"].to_list() == ["Kelly", "Rowan (River Trust)", "Hana"]
    assert listed["most_influential"].to_list() == [True, False, False]
    assert listed["influence_total"].to_list() == [12, 11, 4]


def test_weights_of_all_are_the_ballots_tallied(green, counted):
    """Nothing of the result is left out when everybody is listed (I3)."""
    tallied = counted.stats.filter(decision_id="village-green")["tallied_ballots"].item()
    assert influence_rows(*green, top=1_000)["weight"].sum() == pytest.approx(tallied)


def test_lobbyists_are_shown_as_such(green):
    """Somebody who is followed but not tallied is named as a lobbyist (I4)."""
    assert "Rowan (River Trust)  (lobbyist, not tallied)" in texts(influence_chart(influence_rows(*green)))


def test_anonymous_members_stand_under_their_pseudonym(green, demo):
    """Neither name nor id of an anonymous member is in the chart (P1)."""
    chart = texts(influence_chart(influence_rows(*green, top=1_000))).lower()
    hidden = demo.members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    assert "anonymous 1" in chart
    for member_id, name in hidden.select("member_id", "display_name").iter_rows():
        assert member_id.lower() not in chart
        assert name.lower() not in chart


def test_several_may_be_most_influential(counted, names):
    """All who tie for the highest total are marked (I2)."""
    ballots = counted.ballots.filter(decision_id="bench-colour")
    listed = influence_rows(ballots, names.filter(community_id="riverside"))
    assert listed.filter("most_influential")["name"].to_list() == ["Sofia", "Tomas"]


def test_nobody_is_most_influential_without_followers(green):
    """The highest total counts only above zero (I2)."""
    ballots, names = green
    assert not influence_rows(ballots.with_columns(influence_total=pl.lit(0)), names)["most_influential"].any()


def test_influence_that_was_not_counted_is_left_out(green):
    """Large communities have no total influence; the rest is shown."""
    ballots, names = green
    ballots = ballots.with_columns(influence_total=pl.lit(None, dtype=pl.Int64))
    chart = texts(influence_chart(influence_rows(ballots, names, top=1)))
    assert "weight 6.71 \\u00b7 4 direct" in chart.replace("\\\\", "\\")
    assert "in all" not in chart


def test_no_manual_voters_can_be_drawn(green):
    """Without anybody to list the chart is empty, not an error."""
    ballots, names = green
    listed = influence_rows(ballots.filter(origin="none"), names)
    assert drawing(influence_chart(listed, width=300))
    assert listed.is_empty()
    assert rows(influence_chart(listed)) == []


def test_on_a_telephone_the_name_has_the_room(green):
    """Where there is little of it, only the weight stands behind a name, so that it is told who is a lobbyist."""
    wide, narrow = (drawing(influence_chart(influence_rows(*green), width=width, mode="light")) for width in (700, 380))
    assert "weight 4.21 · " in wide
    assert "weight 4.21" not in narrow
    for drawn in (wide, narrow):
        assert "Rowan (River Trust)  (lobbyist, not tallied)" in drawn
