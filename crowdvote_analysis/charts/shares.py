"""What every choice's score is made of, by the voters whose stars it is (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import label_axes, row_axis, tall
from crowdvote_analysis.charts.theme import OTHER, legend_columns, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

# Okabe and Ito, Color Universal Design, 2008: apart under every common colour blindness.
_VOTERS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_BAR, _BAR_DY = 16, 9


def share_rows(
    shares: pl.DataFrame, scores: pl.DataFrame, names: pl.DataFrame, top: int = len(_VOTERS)
) -> pl.DataFrame:
    """Split every choice's score by the heaviest voters and everybody else, under public names (P1).

    Args:
        shares: ``Resolution.score_shares`` of one decision: ``choice_id``, ``member_id`` (null for what rounding does),
            ``weight``, ``score``.
        scores: ``StarTally.scores``: ``choice_id``, ``title``, ``total``, ``rank``.
        names: ``member_id``, ``public_id`` and ``name`` of the decision's community, as from ``privacy.public_names``.
        top: Voters to name, at most six.

    Returns:
        ``title``, ``voter``, ``stars`` (Float64, of the choice's total), ``start`` and ``end`` (Float64, 0 to 1: where
        the part lies in the score), ``total`` (Float64); choices by rank, the heaviest voter first, everybody else
        last. Choices without a star are left out.
    """
    heaviest = (
        shares.drop_nulls("member_id")
        .group_by("member_id")
        .agg(pl.col("weight").first())
        .join(names.select("member_id", voter=pl.coalesce("name", "public_id")), on="member_id")
        .sort(["weight", "voter"], descending=[True, False])
        .head(min(top, len(_VOTERS)))
        .with_row_index("place")
        .with_columns(voter=pl.when(pl.col("voter").is_duplicated()).then(_numbered()).otherwise("voter"))
    )
    last = pl.lit(len(heaviest), dtype=pl.UInt32)
    parts = (
        shares.join(heaviest.select("member_id", "voter", "place"), on="member_id", how="left")
        .with_columns(pl.col("voter").fill_null("everybody else"), pl.col("place").fill_null(last))
        .group_by("choice_id", "voter", "place")
        .agg(stars=pl.col("score").sum().cast(pl.Float64))
        .join(scores.filter(pl.col("total") > 0).select("choice_id", "title", "total", "rank"), on="choice_id")
        .sort("rank", "title", "place")
        .with_columns(pl.col("total").cast(pl.Float64))
    )
    end = (pl.col("stars").cum_sum().over("choice_id") / pl.col("total")).clip(0, 1)
    return (
        parts.filter(pl.col("stars") > 0)
        .with_columns(end=end)
        .with_columns(start=(pl.col("end") - pl.col("stars") / pl.col("total")).clip(0, 1))
        .select("title", "voter", "stars", "start", "end", "total")
    )


def share_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw every choice's score as one bar, in the parts that voters have in it.

    Args:
        rows: ``title``, ``voter``, ``stars``, ``start``, ``end``, ``total``, as from ``share_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    choices = rows.select("title", "total").unique(maintain_order=True).with_row_index("place")
    voters = [name for name in rows["voter"].unique(maintain_order=True) if name != "everybody else"]
    named = rows.join(choices.select("title", "place"), on="title", maintain_order="left")
    data = plotted(
        named.with_columns(pl.col("place").cast(pl.Int64), share=pl.col("stars") / pl.col("total")),
        ["place", "title", "voter", "stars", "share", "start", "end"],
    )
    left, right = label_axes(
        choices.with_columns(
            label="title", figures=pl.col("total").map_elements("{:,.1f} stars".format, return_dtype=pl.String)
        )
    )
    scale = alt.Scale(domain=[0, 1], nice=False)
    colours = alt.Scale(domain=[*voters, "everybody else"], range=[*_VOTERS[: len(voters)], OTHER])
    tooltip = [
        alt.Tooltip("title:N", title="Choice"),
        alt.Tooltip("voter:N", title="Voter"),
        alt.Tooltip("stars:Q", title="Stars of its score", format=",.2f"),
        alt.Tooltip("share:Q", title="Share of its score", format=".1%"),
    ]
    base = alt.Chart(data)
    bars = base.mark_bar(height=_BAR, yOffset=_BAR_DY).encode(
        x=alt.X("start:Q", scale=scale, axis=None),
        x2="end:Q",
        y=row_axis(left),
        color=alt.Color(
            "voter:N",
            scale=colours,
            legend=alt.Legend(
                title=None, orient="bottom", columns=legend_columns(200, 4), symbolLimit=0, labelLimit=180
            ),
        ),
        tooltip=tooltip,
    )
    totals = base.mark_bar(height=_BAR, yOffset=_BAR_DY, opacity=0).encode(
        x=alt.X("start:Q", scale=scale, axis=None), x2="end:Q", y=row_axis(right), tooltip=tooltip
    )
    drawn: alt.LayerChart = alt.LayerChart(layer=[bars, totals]).resolve_axis(x="independent", y="independent")
    return styled(drawn, mode, width, tall(choices))


def _numbered() -> pl.Expr:
    """Names that several have are told apart by their place; ids would tell who is anonymous."""
    return pl.format("{} ({})", "voter", pl.col("place") + 1)
