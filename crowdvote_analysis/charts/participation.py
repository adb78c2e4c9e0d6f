"""Participation (M2): who voted by hand, whose ballot was calculated, who has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import CALCULATED, MANUAL, NONE, legend_columns, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

_PARTS = (
    ("manual_ballots", "Voted by hand", MANUAL),
    ("calculated_ballots", "Calculated from followings", CALCULATED),
    ("no_ballot", "No ballot", NONE),
)
_HEIGHT = 26


def participation_parts(stats: pl.DataFrame) -> pl.DataFrame:
    """Split the voters of one decision by where their ballot comes from.

    Args:
        stats: ``manual_ballots``, ``calculated_ballots``, ``no_ballot``; one row, as a row of ``Resolution.stats``.

    Returns:
        Three rows: ``part``, ``voters``, ``share`` of all voters (0 to 1; 0 where there are none), ``start`` and
        ``end`` along the bar.
    """
    (row,) = stats.select(name for name, _, _ in _PARTS).iter_rows()
    everybody = sum(row)
    return (
        pl.DataFrame({"part": [words for _, words, _ in _PARTS], "voters": row}, schema_overrides={"voters": pl.Int64})
        .with_columns(share=pl.col("voters") / everybody if everybody else pl.lit(0.0))
        .with_columns(end=pl.col("voters").cum_sum())
        .with_columns(start=pl.col("end") - pl.col("voters"))
        .select("part", "voters", "share", "start", "end")
    )


def participation_chart(parts: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw the parts of all voters as one bar, with the figures in its legend.

    Args:
        parts: ``part``, ``voters``, ``share``, ``start``, ``end``, as from ``participation_parts``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    colours = {words: colour for _, words, colour in _PARTS}
    # The figures stand in the legend: inside the bar they would not fit a small part, and a legend never overlaps.
    labels = {
        part: f"{part}: {voters:,} ({share:.1%})"
        for part, voters, share in parts.select("part", "voters", "share").iter_rows()
    }
    data = plotted(
        parts.with_columns(label=pl.col("part").replace_strict(labels, return_dtype=pl.String)),
        ["label", "part", "voters", "share", "start", "end"],
    )
    most = max(float(parts["voters"].sum()), 1.0)
    bar = (
        alt.Chart(data)
        .mark_bar(height=_HEIGHT)
        .encode(
            x=alt.X("start:Q", scale=alt.Scale(domain=[0, most], nice=False), axis=None),
            x2="end:Q",
            color=alt.Color(
                "label:N",
                scale=alt.Scale(domain=[labels[part] for part in labels], range=[colours[part] for part in labels]),
                legend=alt.Legend(
                    title=None,
                    orient="top",
                    direction="horizontal",
                    offset=10,
                    columnPadding=24,
                    columns=legend_columns(250, len(labels)),
                ),
            ),
            tooltip=[
                alt.Tooltip("part:N", title="Voters"),
                alt.Tooltip("voters:Q", title="Number", format=",d"),
                alt.Tooltip("share:Q", title="Share of all voters", format=".1%"),
            ],
        )
    )
    return styled(alt.LayerChart(layer=[bar]), mode, width, _HEIGHT + 4)
