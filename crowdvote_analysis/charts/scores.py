"""The score phase of a STAR count (K2): stars by choice, the finalists marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import altair as alt
import polars as pl
import polars.selectors as cs

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import FINALIST, OTHER, TIED, WINNER, said_role, styled

if TYPE_CHECKING:
    from collections.abc import Collection

    from crowdvote_analysis.charts.theme import Mode, Width

_COLOURS = {"winner": WINNER, "finalist": FINALIST, "tied": TIED, "": OTHER}
_FIGURES = {"average": "{:.2f} stars on average", "total": "{:,.1f} stars"}
_FULL = 5.0


def score_chart(
    scores: pl.DataFrame,
    *,
    finalists: Collection[str] = (),
    winner: str | None = None,
    tied: Collection[str] = (),
    is_open: bool = False,
    measure: Literal["average", "total"] = "average",
    mode: Mode = "page",
    width: Width = "container",
) -> alt.LayerChart:
    """Draw the stars of every choice, best first.

    Args:
        scores: ``choice_id``, ``title``, ``total``, ``average`` (Decimal or float), ``five_star_count``, ``rank``; one
            row a choice, as ``StarTally.scores``. With ``blank`` and ``average_rated``, as from ``star.with_ratings``,
            these are told as well.
        finalists: Choice ids of the runoff.
        winner: Choice id of the winner.
        tied: Choice ids of an unresolved tie; they are marked as tied, whatever else they are.
        is_open: Whether ballots may still come, so that the winner only leads.
        measure: Length of the bars: average stars of a scale of five, or total stars.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    choice = pl.col("choice_id")
    role = (
        pl.when(choice.is_in(list(tied)))
        .then(pl.lit("tied"))
        .when(choice == pl.lit(winner, dtype=pl.String))
        .then(pl.lit("winner"))
        .when(choice.is_in(list(finalists)))
        .then(pl.lit("finalist"))
        .otherwise(pl.lit(""))
    )
    rows = (
        scores.with_columns(cs.by_name("average", "total", "average_rated", require_all=False).cast(pl.Float64))
        .sort("rank", maintain_order=True)
        .with_columns(role=role)
        .with_columns(
            label=pl.when(pl.col("role") == "")
            .then("title")
            .otherwise(pl.format("{}  ({})", "title", said_role(is_open))),
            figures=pl.col(measure).map_elements(_FIGURES[measure].format, return_dtype=pl.String),
        )
    )
    highest = rows["total"].max()
    most = _FULL if measure == "average" else max(float(highest) if isinstance(highest, float) else 0.0, 1.0)
    more = [
        alt.Tooltip("blank:Q", title="Left it blank", format=",d"),
        alt.Tooltip("average_rated:Q", title="Average of who rated it", format=".4f"),
    ]
    rated = [name for name in ("blank", "average_rated") if name in rows.columns]
    layers = labelled_bars(
        rows,
        value=measure,
        most=most,
        colours=_COLOURS,
        axis=alt.Axis(title=None, values=[0, 1, 2, 3, 4, 5], grid=False) if measure == "average" else None,
        tooltip=[
            alt.Tooltip("title:N", title="Choice"),
            alt.Tooltip("rank:Q", title="Place", format="d"),
            alt.Tooltip("average:Q", title="Average stars", format=".4f"),
            alt.Tooltip("total:Q", title="Total stars", format=",.2f"),
            alt.Tooltip("five_star_count:Q", title="Five-star ballots", format=",d"),
            *(more if rated else []),
        ],
        columns=["title", "rank", "average", "total", "five_star_count", *rated],
    )
    return styled(layers, mode, width, tall(rows))
