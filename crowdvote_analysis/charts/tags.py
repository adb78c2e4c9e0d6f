"""Power by tag: on which tags ballots were inherited, and how much passed through ALL (T2, T3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import CALCULATED, OTHER, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

_COLOURS = {"tag": CALCULATED, "all": OTHER}


def tag_rows(power: pl.DataFrame, top: int = 10) -> pl.DataFrame:
    """List the tags with most power; the rest as one row.

    Args:
        power: ``tag`` (null for ALL), ``followings``, ``ballots``, ``share``, as from ``power.tag_power``.
        top: Number of rows at most, beside the one for the rest.

    Returns:
        ``tag`` (``[ALL]`` for ALL; T6), ``followings``, ``ballots``, ``share``.
    """
    named = power.with_columns(tag=pl.col("tag").fill_null("[ALL]"))
    rest = named.slice(top)
    if rest.is_empty():
        return named
    others = rest.select(
        pl.format("{} other tags", pl.len()).alias("tag"), pl.col("followings", "ballots", "share").sum()
    )
    return pl.concat([named.head(top), others])


def tag_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw how many calculated ballots were inherited on each tag.

    Args:
        rows: ``tag``, ``followings``, ``ballots``, ``share``, as from ``tag_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    on_all = pl.col("tag") == "[ALL]"
    shown = rows.with_columns(
        role=pl.when(on_all).then(pl.lit("all")).otherwise(pl.lit("tag")),
        label=pl.when(on_all).then(pl.lit("[ALL]  (followed whatever the tags)")).otherwise("tag"),
        figures=pl.struct("ballots", "share").map_elements(
            lambda row: f"{row['ballots']:,.2f} ballots, {row['share']:.0%}", return_dtype=pl.String
        ),
    )
    layers = labelled_bars(
        shown,
        value="ballots",
        most=max(float(rows["ballots"].sum()), 1.0),
        colours=_COLOURS,
        axis=None,
        tooltip=[
            alt.Tooltip("tag:N", title="Followed on"),
            alt.Tooltip("ballots:Q", title="Calculated ballots", format=",.4f"),
            alt.Tooltip("share:Q", title="Share of them", format=".1%"),
            alt.Tooltip("followings:Q", title="Followings that gave something", format=",d"),
        ],
        columns=["tag", "share", "followings"],
    )
    return styled(layers, mode, width, tall(shown))
