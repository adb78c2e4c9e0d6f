"""How few voters make up how much of the weight: the heaviest first, added up (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import FINALIST, OTHER, WINNER, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

# More points than pixels show nothing more.
_POINTS = 400


def cumulative_rows(weights: pl.DataFrame) -> pl.DataFrame:
    """Add the shares of voters up, the heaviest first.

    Args:
        weights: ``cumulative`` (Float64, 0 to 1), the heaviest first, as ``power.voter_weights``.

    Returns:
        ``voters`` (Int64, from 0), ``share`` (Float64, of all weight that so many voters have), ``even`` (Float64, what
        as many would have if all were equal), ``majority`` (Boolean, true for the first row above one half). At most
        400 rows, the first and the last and the majority among them.
    """
    number = len(weights)
    shares = [0.0, *weights["cumulative"]]
    above = next((place for place, share in enumerate(shares) if share > 0.5), None)
    step = max(1, -(-number // (_POINTS - 3)))
    kept = sorted({*range(0, number + 1, step), number, *([] if above is None else [above])})
    return pl.DataFrame(
        [(place, shares[place], place / number if number else 0.0, place == above) for place in kept],
        schema={"voters": pl.Int64, "share": pl.Float64, "even": pl.Float64, "majority": pl.Boolean},
        orient="row",
    )


def cumulative_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw how much of the weight the heaviest voters have together; the dashed line is what equals would have.

    Args:
        rows: ``voters``, ``share``, ``even``, ``majority``, as from ``cumulative_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    data = plotted(rows, ["voters", "share", "even", "majority"])
    most = max(int(rows["voters"].max() or 1), 1)  # type: ignore[arg-type]
    base = alt.Chart(data).encode(
        x=alt.X(
            "voters:Q",
            title="people, the heaviest first",
            scale=alt.Scale(domain=[0, most], nice=False),
            axis=alt.Axis(format=",d", tickMinStep=1, grid=False),
        ),
        tooltip=[
            alt.Tooltip("voters:Q", title="The heaviest people", format=",d"),
            alt.Tooltip("share:Q", title="Their share of the weight", format=".1%"),
            alt.Tooltip("even:Q", title="If all were equal", format=".1%"),
        ],
    )
    share = alt.Y(
        "share:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    layers = [
        base.mark_area(color=FINALIST, opacity=0.25).encode(y=share),
        base.mark_line(color=OTHER, strokeDash=[5, 4]).encode(y="even:Q"),
        base.mark_line(color=WINNER, strokeWidth=2.5).encode(y=share),
        base.mark_point(size=160, opacity=0, filled=True).encode(y=share),  # something to point at
        base.transform_filter("datum.majority")
        .mark_point(color=WINNER, filled=True, size=110, opacity=1)
        .encode(y=share),
    ]
    return styled(alt.LayerChart(layer=layers), mode, width, 220)
