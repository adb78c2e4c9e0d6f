"""What all charts have in common."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis import charts, decide
from crowdvote_analysis.charts.theme import plotted
from crowdvote_analysis.consensus import weights
from crowdvote_analysis.power import neighbourhood, tag_power, voter_weights
from crowdvote_analysis.star import ratings, score_histogram, with_ratings
from crowdvote_analysis.what_if import compare
from tests.charts.spec import drawing, fields, rows
from tests.charts.timelines import small_timeline

if TYPE_CHECKING:
    import altair as alt

pytestmark = pytest.mark.slow

DECISIONS = ["bench-colour", "bicycle-lanes"]


@pytest.fixture(scope="module")
def yes_no(demo):
    return charts.progress_parts(decide(demo)), weights(demo, "night-lights")


@pytest.fixture(scope="module", params=DECISIONS)
def drawn(request, demo, counted, names, tally, yes_no):
    """Every chart of a decision, by name, for a mode; drawn once for all tests, which leave them as they are."""
    decision = request.param
    result, ballots = tally(decision), counted.ballots.filter(decision_id=decision)
    stats = counted.stats.filter(decision_id=decision)
    community = counted.decisions.filter(decision_id=decision)["community_id"].item()
    progress, by_voter = yes_no
    here = names.filter(community_id=community)
    weighty = voter_weights(counted, decision)
    around = neighbourhood(demo, counted, decision, weighty["member_id"][0])

    @cache
    def draw(**look) -> dict[str, alt.LayerChart]:
        return {
            "scores": charts.score_chart(result.scores, finalists=result.finalists, winner=result.winner, **look),
            "totals": charts.score_chart(with_ratings(result, ratings(counted)), measure="total", **look),
            "histogram": charts.histogram_chart(
                charts.histogram_parts(score_histogram(counted, decision), result.scores), **look
            ),
            "steps": charts.steps_chart(charts.step_rows(result), **look),
            "runoff": charts.runoff_chart(charts.runoff_parts(result), **look),
            "influence": charts.influence_chart(
                charts.influence_rows(ballots, names.filter(community_id=community)), **look
            ),
            "participation": charts.participation_chart(charts.participation_parts(stats), **look),
            "shares": charts.share_chart(
                charts.share_rows(counted.score_shares.filter(decision_id=decision), result.scores, here), **look
            ),
            "cumulative": charts.cumulative_chart(charts.cumulative_rows(weighty), **look),
            "tags": charts.tag_chart(charts.tag_rows(tag_power(counted, decision)), **look),
            "network": charts.network_chart(charts.drawing_of(around, here), **look),
            "change": charts.change_chart(charts.change_rows(compare(counted, counted, decision)), **look),
            "depth": charts.depth_chart(charts.depth_rows(ballots), **look),
            "stars over time": charts.star_history_chart(charts.star_history(small_timeline()), **look),
            "participation over time": charts.participation_history_chart(
                charts.participation_history(small_timeline()), **look
            ),
            "progress": charts.progress_chart(progress, **look),
            "vote weights": charts.vote_weight_chart(
                charts.vote_weight_rows(by_voter, names.filter(community_id="riverside")), **look
            ),
        }

    return draw


def test_encoded_fields_are_columns(drawn):
    """A misspelt column would leave a chart empty without a word."""
    for name, chart in drawn().items():
        for asked, columns in fields(chart):
            assert asked, name
            assert asked <= columns, name


def test_no_decimal_reaches_a_chart(drawn):
    """Altair cannot save Decimal columns."""
    for chart in drawn().values():
        assert not [value for row in rows(chart) for value in row.values() if isinstance(value, Decimal)]


def test_charts_are_saved_offline(drawn):
    """Every chart becomes a picture without a network."""
    for name, chart in drawn(mode="light", width=500).items():
        picture = BytesIO()
        chart.save(picture, format="png")
        assert picture.getvalue().startswith(b"\x89PNG"), name


def _inks(chart: alt.LayerChart) -> set[str]:
    return set(re.findall(r'<text[^>]* fill="([^"]+)"', drawing(chart)))


@pytest.mark.parametrize(("mode", "ink"), [("light", "#1f2328"), ("dark", "#e6e8eb")])
def test_texts_take_the_colour_of_the_mode(drawn, mode, ink):
    """On a dark picture no text stays black, and the other way round."""
    for name, chart in drawn(mode=mode, width=500).items():
        assert _inks(chart) == {ink}, name


def test_texts_follow_the_page_unless_told_otherwise(drawn):
    """A page that is dark hands its text colour to guides, so the chart must not set one."""
    for name, chart in drawn().items():
        page = chart.copy(deep=True)
        page.config["style"] = {"guide-label": {"fill": "#abcdef"}, "guide-title": {"fill": "#abcdef"}}
        assert _inks(page.properties(width=500)) == {"#abcdef"}, name
        assert chart.to_dict()["config"]["background"] == "transparent"


def test_width_follows_the_page_unless_given(drawn):
    """Charts fill the page they stand on."""
    assert {chart.to_dict()["width"] for chart in drawn().values()} == {"container"}
    assert {chart.to_dict()["width"] for chart in drawn(width=321).values()} == {321}


def test_only_needed_columns_enter_a_chart():
    """What a chart does not show does not reach the browser either."""
    frame = pl.DataFrame({"a": [Decimal("1.5")], "secret": ["x"]})
    assert plotted(frame, ["a"]).to_dict(as_series=False) == {"a": [1.5]}


def test_a_missing_column_is_named():
    """A frame without a needed column is refused instead of drawn empty."""
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="average"):
        charts.score_chart(pl.DataFrame({"choice_id": ["a"], "title": ["A"], "rank": [1]}))
