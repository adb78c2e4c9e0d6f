"""Depth (D11): how many followings a ballot came along before it reached a member."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import CALCULATED, MANUAL, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

_LABEL = 46  # pixels
_COLOURS = {"manual": MANUAL, "calculated": CALCULATED}


def depth_rows(ballots: pl.DataFrame) -> pl.DataFrame:
    """Count the ballots of voters by depth.

    Args:
        ballots: ``is_voter``, ``origin``, ``depth``, as ``Resolution.ballots`` of one decision.

    Returns:
        ``depth`` (0 for ballots cast by hand), ``origin``, ``voters``; every depth up to the deepest is there.
    """
    counted = (
        ballots.filter(pl.col("is_voter") & pl.col("depth").is_not_null())
        .group_by("depth")
        .agg(voters=pl.len().cast(pl.Int64))
    )
    deepest = counted["depth"].max()
    levels = pl.DataFrame({"depth": range(deepest + 1 if isinstance(deepest, int) else 0)}, schema={"depth": pl.Int64})
    return levels.join(counted, on="depth", how="left", maintain_order="left").select(
        "depth",
        origin=pl.when(pl.col("depth") == 0).then(pl.lit("manual")).otherwise(pl.lit("calculated")),
        voters=pl.col("voters").fill_null(0),
    )


def depth_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw the number of voters by the depth of their ballot.

    Args:
        rows: ``depth``, ``origin``, ``voters``, as from ``depth_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    data = plotted(rows, ["depth", "origin", "voters"])
    numbers = [f"{voters:,}" for voters in rows["voters"]]
    words = f"[datum.value === 0 ? 'by hand' : datum.value, {json.dumps(numbers)}[datum.value]]"
    # Where bars stand closer than their labels are wide, only every second, third … has one.
    every = f"datum.value % ceil({len(numbers)} * {_LABEL} / width) === 0 ? {words} : ''"
    bars = (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2, width=alt.expr("min(110, 0.9 * bandwidth('x'))"))
        .encode(
            x=alt.X(
                "depth:O",
                title="followings a ballot came along (second line: number of voters)",
                axis=alt.Axis(labelAngle=0, labelExpr=every, labelLineHeight=16),
            ),
            y=alt.Y("voters:Q", axis=None, scale=alt.Scale(nice=False)),
            color=alt.Color(
                "origin:N", scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())), legend=None
            ),
            tooltip=[alt.Tooltip("depth:O", title="Depth"), alt.Tooltip("voters:Q", title="Voters", format=",d")],
        )
    )
    return styled(alt.LayerChart(layer=[bars]), mode, width, 120)
