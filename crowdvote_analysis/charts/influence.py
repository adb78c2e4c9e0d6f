"""Influence of manual voters (I1 to I3): how much of the result rests on each ballot that was cast by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import MANUAL, OTHER, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

_COLOURS = {"voter": MANUAL, "lobbyist": OTHER}


def influence_rows(ballots: pl.DataFrame, names: pl.DataFrame, top: int = 12) -> pl.DataFrame:
    """List the manual voters of one decision with the most weight, under their public names (P1).

    Args:
        ballots: ``Resolution.ballots`` of one decision: ``member_id``, ``origin``, ``is_voter``, ``influence_direct``,
            ``influence_total``, ``weight``.
        names: ``member_id``, ``public_id`` and ``name`` of the decision's community, as from ``privacy.public_names``.
        top: Number of rows at most.

    Returns:
        ``name``, ``is_voter``, ``influence_direct``, ``influence_total`` (null where it was not counted), ``weight``,
        ``most_influential`` (all who tie for the highest total above zero; I2); most weight first, then by name.
        Manual voters without any weight, whose ballot is empty or who are followed by nobody and not tallied, are left
        out.
    """
    total = pl.col("influence_total")
    highest = ballots["influence_total"].max()
    return (
        ballots.filter((pl.col("origin") == "manual") & (pl.col("weight") > 0))
        .join(names.select("member_id", pl.coalesce("name", "public_id").alias("name")), on="member_id", how="inner")
        .with_columns(most_influential=((total == pl.lit(highest, dtype=pl.Int64)) & (total > 0)).fill_null(False))
        .sort(["weight", "name"], descending=[True, False])
        .head(top)
        .select("name", "is_voter", "influence_direct", "influence_total", "weight", "most_influential")
    )


def influence_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw the weight of manual voters as bars, their direct and total influence beside it.

    Args:
        rows: ``name``, ``is_voter``, ``influence_direct``, ``influence_total``, ``weight``, ``most_influential``, as
            from ``influence_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    shown = rows.with_columns(
        role=pl.when("is_voter").then(pl.lit("voter")).otherwise(pl.lit("lobbyist")),
        label=pl.concat_str(
            "name",
            pl.when("is_voter").then(pl.lit("")).otherwise(pl.lit("  (lobbyist, not tallied)")),
            pl.when("most_influential").then(pl.lit("  (in most ballots)")).otherwise(pl.lit("")),
        ),
        few_figures=pl.col("weight").map_elements("{:,.2f}".format, return_dtype=pl.String),
        figures=pl.struct("weight", "influence_direct", "influence_total").map_elements(
            _figures, return_dtype=pl.String
        ),
    )
    heaviest = shown["weight"].max()
    layers = labelled_bars(
        shown,
        value="weight",
        most=max(float(heaviest), 1.0) if isinstance(heaviest, float) else 1.0,
        colours=_COLOURS,
        axis=None,
        tooltip=[
            alt.Tooltip("name:N", title="Voter"),
            alt.Tooltip("weight:Q", title="Weight, in ballots", format=",.4f"),
            alt.Tooltip("influence_direct:Q", title="Inherit directly", format=",d"),
            alt.Tooltip("influence_total:Q", title="Inherit at any depth", format=",d"),
        ],
        columns=["name", "influence_direct", "influence_total"],
    )
    return styled(layers, mode, width, tall(shown))


def _figures(row: dict[str, Any]) -> str:
    total = "" if row["influence_total"] is None else f" · {row['influence_total']:,} in all"
    return f"weight {row['weight']:,.2f} · {row['influence_direct']:,} direct{total}"
