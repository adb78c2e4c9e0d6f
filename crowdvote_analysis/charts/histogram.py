"""How the ballots of each choice are spread over the stars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import label_axes, row_axis, tall
from crowdvote_analysis.charts.theme import plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

# From nothing to five stars in one hue, so that more is darker for everybody; the grey of 0 stands on both pages.
_COLOURS = {"0": "#a3a8b0", "1": "#d8d2fb", "2": "#b9aef6", "3": "#998bea", "4": "#7a68dc", "5": "#5b45c9"}
_BAR, _BAR_DY = 13, 8


def histogram_parts(histogram: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Lay the ballots of each choice end to end, by their whole stars.

    Args:
        histogram: ``choice_id``, ``stars``, ``ballots`` of one decision, as from ``star.score_histogram``.
        scores: ``choice_id``, ``title``, ``average``, ``rank``, as ``StarTally.scores``.

    Returns:
        Six rows a choice, best score first: ``title``, ``average`` (Float64), ``stars`` (text), ``ballots``, ``share``
        of the choice's ballots (0 to 1), ``start`` and ``end`` along the bar, and ``place`` of the choice.
    """
    order = scores.select("choice_id", "title", pl.col("average").cast(pl.Float64)).with_row_index("place")
    return (
        histogram.join(order, on="choice_id")
        .sort("place", "stars")
        .with_columns(share=(pl.col("ballots") / pl.col("ballots").sum().over("place")).fill_nan(0.0))
        .with_columns(end=pl.col("share").cum_sum().over("place"))
        .with_columns(start=pl.col("end") - pl.col("share"), stars=pl.col("stars").cast(pl.String))
        .select("title", "average", "stars", "ballots", "share", "start", "end", pl.col("place").cast(pl.Int64))
    )


def histogram_chart(parts: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw one bar a choice, its ballots from no stars to five.

    Args:
        parts: As from ``histogram_parts``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    rows = parts.unique("place", maintain_order=True).select(
        label="title",
        figures=pl.col("average").map_elements("{:.2f} stars on average".format, return_dtype=pl.String),
    )
    left, right = label_axes(rows)
    base = alt.Chart(plotted(parts, ["place", "title", "stars", "ballots", "share", "start", "end"]))
    scale = alt.Scale(domain=[0, 1], nice=False)
    bars = [
        base.mark_bar(height=_BAR, yOffset=_BAR_DY).encode(
            x=alt.X("start:Q", scale=scale, axis=None),
            x2="end:Q",
            y=row_axis(axis),
            color=alt.Color(
                "stars:N",
                scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
                legend=alt.Legend(title=None, orient="top", direction="horizontal", labelExpr="datum.label + ' ★'"),
            ),
            tooltip=[
                alt.Tooltip("title:N", title="Choice"),
                alt.Tooltip("stars:N", title="Whole stars"),
                alt.Tooltip("ballots:Q", title="Ballots", format=",d"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
        for axis in (left, right)
    ]
    layers = alt.LayerChart(layer=bars).resolve_axis(x="independent", y="independent")
    return styled(layers, mode, width, tall(rows))
