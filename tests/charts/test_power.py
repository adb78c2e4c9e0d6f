"""Who decided, and what would come out otherwise, as charts."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import charts
from crowdvote_analysis.charts.network import LEVEL_COLOURS
from crowdvote_analysis.power import neighbourhood, tag_power
from tests.charts.spec import drawing, texts


def _shares(counted, here, tally, **kwargs) -> pl.DataFrame:
    shares = counted.score_shares.filter(decision_id="village-green")
    return charts.share_rows(shares, tally("village-green").scores, here, **kwargs)


def test_parts_fill_every_score(counted, here, tally):
    """The parts of a bar lie side by side from 0 to 1, and are the stars of the choice."""
    for _, parts in _shares(counted, here, tally).group_by("title"):
        assert parts["start"].to_list() == pytest.approx([0, *parts["end"][:-1]])
        assert parts["end"][-1] == pytest.approx(1)
        assert parts["stars"].sum() == pytest.approx(parts["total"][0])


def test_the_heaviest_are_named(counted, here, tally):
    """The heaviest voters are named, everybody else is one part, whatever the choice."""
    rows = _shares(counted, here, tally, top=2)
    assert set(rows["voter"]) == {"Kelly", "Rowan (River Trust)", "everybody else"}
    assert rows.filter(title="Car park")["voter"].to_list() == ["everybody else"]  # the two gave it no star


def test_names_that_repeat_are_told_apart(counted, here, tally):
    """Two voters of one name stay two parts, without an id that could be an anonymous one."""
    rows = _shares(counted, here.with_columns(name=pl.lit("Sam")), tally, top=2)
    assert set(rows["voter"]) == {"Sam (1)", "Sam (2)", "everybody else"}


def test_weights_are_added_up():
    """From nobody to everybody, with the first row above one half marked."""
    rows = charts.cumulative_rows(pl.DataFrame({"cumulative": [0.5, 0.75, 1.0]}))
    assert rows["share"].to_list() == [0, 0.5, 0.75, 1]
    assert rows.filter("majority")["voters"].to_list() == [2]
    assert rows["even"].to_list() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_many_voters_are_thinned_out():
    """Thousands of voters are a few hundred points; the majority and the last are among them."""
    rows = charts.cumulative_rows(pl.DataFrame({"cumulative": [place / 9_999 for place in range(1, 10_000)]}))
    assert len(rows) <= 400
    assert rows.filter("majority")["voters"].to_list() == [5_000]
    assert rows["voters"][-1] == 9_999


def test_further_tags_are_one_row(counted):
    """Beyond the bound tags are put together; ALL is written as such (T6)."""
    power = tag_power(counted, "village-green")
    assert charts.tag_rows(power)["tag"].to_list()[:2] == ["[ALL]", "environment"]
    rows = charts.tag_rows(power, top=2)
    assert rows["tag"].to_list() == ["[ALL]", "environment", "3 other tags"]
    assert rows["share"].sum() == pytest.approx(1)


def test_followers_stand_left_and_arrows_point_at_the_followed(demo, counted, here):
    """Positions follow the steps; an arrow ends at whoever is followed, with the tags on it."""
    drawn = charts.drawing_of(neighbourhood(demo, counted, "village-green", "kelly", steps=1), here)
    at = {row["label"]: row for row in drawn.nodes.iter_rows(named=True)}
    assert at["Grace"]["x"] < at["Kelly (12)"]["x"] < at["Jack (6)"]["x"]
    assert (at["Kelly (12)"]["level"], at["Jack (6)"]["level"], at["Grace"]["level"]) == ("most", "many", "nobody")
    (arrow,) = drawn.arrows.filter(pl.col("from") == "Leila").iter_rows(named=True)
    assert (arrow["x2"], arrow["y2"]) == (at["Kelly (12)"]["x"], at["Kelly (12)"]["y"])
    assert (arrow["to"], arrow["tags"], arrow["result"]) == ("Kelly", "[ALL]", "gave its ballot")
    (own,) = drawn.arrows.filter(pl.col("from") == "Hana").iter_rows(named=True)
    assert (own["result"], own["why"]) == ("gave nothing", "not looked at: voted by hand")


def test_every_level_has_its_colour(demo, counted, here):
    """Grey, blue, purple and red stand in the chart, and its texts can be read on any page."""
    chart = charts.network_chart(charts.drawing_of(neighbourhood(demo, counted, "village-green", "kelly"), here))
    for colour in LEVEL_COLOURS.values():
        assert colour in texts(chart)
    assert "Kelly (12)" in drawing(chart.properties(width=600))


def test_somebody_alone_can_be_drawn():
    """A member who follows nobody and is followed by nobody is one point."""
    state = cv.SystemState(votes=pl.DataFrame({"member_id": ["Ann"], "choice_id": ["x"], "stars": [3]}))
    resolution = cv.resolve(state)
    found = neighbourhood(state, resolution, resolution.decisions["decision_id"].item(), "Ann")
    names = pl.DataFrame({"member_id": ["Ann"], "public_id": ["Ann"], "name": ["Ann"]})
    assert "Ann" in drawing(charts.network_chart(charts.drawing_of(found, names), width=300))


def test_charts_name_no_anonymous_member(demo, counted, here, tally, secrets):
    """Neither name nor id of an anonymous member is in a chart, wherever they stand (P1)."""
    told = [texts(charts.share_chart(_shares(counted, here, tally)))]
    hidden = demo.members.filter("is_anonymous", community_id="riverside")["member_id"]
    for member in ["kelly", *hidden]:
        found = neighbourhood(demo, counted, "village-green", member, steps=2)
        told.append(texts(charts.network_chart(charts.drawing_of(found, here))))
    for text in told:
        assert not [secret for secret in secrets if f'"{secret}"' in text.lower() or f"'{secret}'" in text.lower()]


def test_choices_keep_their_order_when_something_is_tried(green):
    """Bars can be compared, and the old and the new winner are marked."""
    rows = charts.change_rows(green)
    assert rows["rank_before"].to_list() == sorted(rows["rank_before"])
    assert rows.filter("won_before")["title"].to_list() == ["Wildflower meadow"]
    labels = texts(charts.change_chart(rows))
    assert "Wildflower meadow  (won before, finalist now)" in labels
    assert "Car park  (winner now)" in labels
