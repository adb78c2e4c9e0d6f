"""A decision over time: the stars of its choices, who led, and how many took part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import CALCULATED, MANUAL, NONE, legend_columns, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

# Hues and lightness that stay apart under every common colour blindness, on light and on dark; shapes tell them too.
_COLOURS = ("#6f5fd6", "#d9772b", "#0e9f86", "#d05a9b", "#b8860b", "#3f8fd2", "#8a8f98", "#a0522d")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
_HEIGHT, _LOW = 240, 150
# Both charts begin at the same place, so that an instant stands above itself.
_ASIDE = 36
_SHARES = (
    ("manual_ballots", "Voted by hand", MANUAL),
    ("calculated_ballots", "Calculated from followings", CALCULATED),
    ("no_ballot", "No ballot", NONE),
)


def star_history(timeline: pl.DataFrame, most: int = len(_COLOURS)) -> pl.DataFrame:
    """Take the stars of every choice out of a timeline.

    Args:
        timeline: As ``snapshots.decision_timeline``.
        most: Choices to keep at most: those that led, then those with the most stars in the newest snapshot.

    Returns:
        One row for each snapshot and choice, in the order of time: ``timestamp``, ``title``, ``average`` (Float64),
        ``role`` (``winner`` or empty), ``count`` (final, interim or superseded), ``current`` (Boolean).
    """
    winners = (
        timeline.filter(measure="winner").select("snapshot_id", subject="text").with_columns(role=pl.lit("winner"))
    )
    rows = timeline.filter(kind="choice", measure="average").sort("timestamp", "snapshot_id", maintain_order=True)
    rows = rows.join(winners, on=["snapshot_id", "subject"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("role").fill_null(""))
    order = rows.group_by("subject").agg((pl.col("role") == "winner").any().alias("led"), pl.col("value").last())
    kept = order.sort(["led", "value", "subject"], descending=[True, True, False]).head(most)["subject"]
    return rows.filter(pl.col("subject").is_in(kept.implode())).select(
        "timestamp",
        "title",
        pl.col("value").cast(pl.Float64).alias("average"),
        "role",
        _count().alias("count"),
        pl.col("is_current").alias("current"),
    )


def participation_history(timeline: pl.DataFrame) -> pl.DataFrame:
    """Take the participation out of a timeline (M2).

    Args:
        timeline: As ``snapshots.decision_timeline``.

    Returns:
        Three rows for each snapshot that stands, in the order of time: ``timestamp``, ``part``, ``voters``, ``share``
        of all voters (0 to 1), ``start`` and ``end`` (shares, stacked), ``count`` (final or interim).
    """
    names = {name: words for name, words, _ in _SHARES}
    place = {name: number for number, name in enumerate(names)}
    rows = timeline.filter("is_current", pl.col("measure").is_in(list(names)))
    rows = rows.sort("timestamp", "snapshot_id", pl.col("measure").replace_strict(place))
    voters = pl.col("value").cast(pl.Int64)
    share = (pl.col("voters") / pl.col("voters").sum().over("snapshot_id")).fill_nan(0.0)
    return (
        rows.with_columns(voters=voters, part=pl.col("measure").replace_strict(names), count=_count())
        .with_columns(share=share)
        .with_columns(end=pl.col("share").cum_sum().over("snapshot_id"))
        .with_columns(start=pl.col("end") - pl.col("share"))
        .select("timestamp", "part", "voters", "share", "start", "end", "count")
    )


def star_history_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw the average stars of every choice over time; a ring stands around whoever won at that instant.

    Args:
        rows: As from ``star_history``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    titles = rows["title"].unique(maintain_order=True).to_list()
    data = plotted(rows, ["timestamp", "title", "average", "role", "count", "current"])
    colour = alt.Color(
        "title:N",
        scale=alt.Scale(domain=titles, range=[_COLOURS[at % len(_COLOURS)] for at in range(len(titles))]),
        legend=_legend(),
    )
    shape = alt.Shape(
        "title:N",
        scale=alt.Scale(domain=titles, range=[_SHAPES[at % len(_SHAPES)] for at in range(len(titles))]),
        legend=_legend(),
    )
    base = alt.Chart(data).encode(
        x=_time(),
        y=alt.Y(
            "average:Q",
            scale=alt.Scale(domain=[0, 5], nice=False),
            axis=alt.Axis(title="Average stars", values=[0, 1, 2, 3, 4, 5], minExtent=_ASIDE, maxExtent=_ASIDE),
        ),
        color=colour,
        tooltip=[
            alt.Tooltip("title:N", title="Choice"),
            alt.Tooltip("average:Q", title="Average stars", format=".2f"),
            alt.Tooltip("timestamp:T", title="At (UTC)", format="%Y-%m-%d %H:%M", formatType="utc"),
            alt.Tooltip("count:N", title="Count"),
            alt.Tooltip("role:N", title="Came out as"),
        ],
    )
    layers = [
        base.mark_line(strokeWidth=2, opacity=0.75).transform_filter("datum.current"),
        base.mark_point(filled=True, size=70).encode(
            shape=shape, opacity=alt.condition("datum.current", alt.value(1), alt.value(0.45))
        ),
        base.mark_point(shape="circle", size=290, strokeWidth=2, filled=False).transform_filter(
            "datum.role == 'winner'"
        ),
    ]
    return styled(alt.LayerChart(layer=layers), mode, width, _HEIGHT)


def participation_history_chart(
    rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container"
) -> alt.LayerChart:
    """Draw the parts of all voters over time, one bar a snapshot, from the bottom: by hand, calculated, none.

    Args:
        rows: As from ``participation_history``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    data = plotted(rows, ["timestamp", "part", "voters", "share", "start", "end", "count"])
    base = alt.Chart(data).encode(
        x=_time(),
        color=alt.Color(
            "part:N",
            scale=alt.Scale(domain=[words for _, words, _ in _SHARES], range=[colour for _, _, colour in _SHARES]),
            legend=_legend(),
        ),
        tooltip=[
            alt.Tooltip("part:N", title="Voters"),
            alt.Tooltip("voters:Q", title="Number", format=",d"),
            alt.Tooltip("share:Q", title="Share of all voters", format=".1%"),
            alt.Tooltip("timestamp:T", title="At (UTC)", format="%Y-%m-%d %H:%M", formatType="utc"),
            alt.Tooltip("count:N", title="Count"),
        ],
    )
    bars = base.mark_bar(size=14).encode(
        y=alt.Y(
            "start:Q",
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(
                title="Share of voters", format="%", values=[0, 0.25, 0.5, 0.75, 1], minExtent=_ASIDE, maxExtent=_ASIDE
            ),
        ),
        y2="end:Q",
    )
    return styled(alt.LayerChart(layer=[bars]), mode, width, _LOW)


def _count() -> pl.Expr:
    kind = pl.when("is_final").then(pl.lit("final")).otherwise(pl.lit("interim"))
    return pl.when("is_current").then(kind).otherwise(pl.format("{}, superseded", kind))


def _time() -> alt.X:
    axis = alt.Axis(title=None, grid=False, labelOverlap=True, labelFlush=False, tickCount=6, domain=True)
    return alt.X("timestamp:T", scale=alt.Scale(type="utc", padding=14), axis=axis)


def _legend() -> alt.Legend:
    columns = legend_columns(230, 4)
    return alt.Legend(title=None, orient="top", direction="horizontal", offset=8, columnPadding=24, columns=columns)
