"""Scores before and after a change that is tried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import FINALIST, OTHER, TIED, WINNER, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width
    from crowdvote_analysis.what_if import Comparison

_COLOURS = {"winner": WINNER, "finalist": FINALIST, "tied": TIED, "": OTHER}
_FULL = 5.0


def change_rows(comparison: Comparison) -> pl.DataFrame:
    """List the choices with their average stars before and after, and how they fare after, in the order before.

    Returns:
        ``title``, ``role`` (``winner``, ``finalist``, ``tied`` or empty, after the change), ``won_before`` (Boolean),
        ``average_before``, ``average_after``, ``rank_before``, ``rank_after`` (null where nothing was tallied), as
        ``Comparison.scores``.
    """
    before, after = comparison.before, comparison.after
    tied = after.tie.tied if after and after.tie else ()
    finalists = after.finalists if after else ()
    choice = pl.col("choice_id")
    ordered = comparison.scores.sort("rank_before", nulls_last=True, maintain_order=True)
    return ordered.select(
        "title",
        pl.when(choice.is_in(list(tied)))
        .then(pl.lit("tied"))
        .when(choice == pl.lit(after.winner if after else None, dtype=pl.String))
        .then(pl.lit("winner"))
        .when(choice.is_in(list(finalists)))
        .then(pl.lit("finalist"))
        .otherwise(pl.lit(""))
        .alias("role"),
        (choice == pl.lit(before.winner if before else None, dtype=pl.String)).fill_null(False).alias("won_before"),
        "average_before",
        "average_after",
        "rank_before",
        "rank_after",
    )


def change_chart(
    rows: pl.DataFrame, *, is_open: bool = False, mode: Mode = "page", width: Width = "container"
) -> alt.LayerChart:
    """Draw the average stars after the change as bars; a mark shows where they stood before.

    Args:
        rows: ``title``, ``role``, ``won_before``, ``average_before``, ``average_after``, ``rank_before``,
            ``rank_after``, as from ``change_rows``.
        is_open: Whether people can still vote, so that nobody has won yet (S3).
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    stays = pl.col("won_before") & (pl.col("role") == "winner")
    winner, won = ("in the lead", "led") if is_open else ("winner", "won")
    moved = pl.when("won_before").then(pl.lit(f"{won} before")).otherwise(pl.lit(""))
    role = pl.col("role").replace("winner", winner)
    now = pl.when(role == "").then(pl.lit("")).otherwise(role + " now")
    both = pl.concat_str(moved, pl.when((moved != "") & (now != "")).then(pl.lit(", ")).otherwise(pl.lit("")), now)
    told = pl.when(stays).then(pl.lit(f"{winner}, before and now")).otherwise(both)
    shown = rows.with_columns(pl.col("average_before", "average_after").cast(pl.Float64)).with_columns(
        label=pl.when(told == "").then("title").otherwise(pl.format("{}  ({})", "title", told)),
        figures=pl.struct("average_before", "average_after").map_elements(_figures, return_dtype=pl.String),
    )
    layers = labelled_bars(
        shown,
        value="average_after",
        most=_FULL,
        colours=_COLOURS,
        axis=alt.Axis(title="average stars", values=[0, 1, 2, 3, 4, 5], grid=False),
        tooltip=[
            alt.Tooltip("title:N", title="Choice"),
            alt.Tooltip("average_before:Q", title="Average stars before", format=".4f"),
            alt.Tooltip("average_after:Q", title="Average stars now", format=".4f"),
            alt.Tooltip("rank_before:Q", title="Place before", format="d"),
            alt.Tooltip("rank_after:Q", title="Place now", format="d"),
        ],
        columns=["title", "rank_before", "rank_after"],
        mark_at="average_before",
    )
    return styled(layers, mode, width, tall(shown))


def _figures(row: dict[str, float]) -> str:
    before, after = f"{row['average_before']:.2f}", f"{row['average_after']:.2f}"
    return f"{after} stars" if before == after else f"{before} → {after} stars"
