"""Bars with their label above them: long titles keep the whole width, and twenty rows stay as legible as two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import plotted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROW = 42
_BAR = 13
_TEXT_DY = -10
_BAR_DY = 8
# Generous width of a character of 13 px: better a label cut a little early than one running into the numbers.
_CHARACTER = 7.2
# On a telephone, as an expression of the chart.
_NARROW = "width < 500"


def labelled_bars(
    rows: pl.DataFrame,
    *,
    value: str,
    most: float,
    colours: Mapping[str, str],
    axis: alt.Axis | None,
    tooltip: Sequence[alt.Tooltip],
    columns: Sequence[str],
    mark_at: str | None = None,
) -> alt.LayerChart:
    """Draw one bar a row, in the order of the rows.

    Args:
        rows: ``label`` (above the bar), ``figures`` (text at the right; a column ``few_figures`` takes its place where
            there is little room), ``role`` (colour) and the columns named below.
        value: Column with the length of the bar.
        most: The length that fills the width.
        colours: Colour by ``role``.
        axis: The axis below; none by default.
        tooltip: What is told about a row.
        columns: Further columns that the tooltip needs.
        mark_at: Column with a place to mark on the bar; null for none.

    Returns:
        The layers, to be given size and look by ``styled``.
    """
    needed = dict.fromkeys(["place", "role", value, *columns, *([mark_at] if mark_at else [])])
    data = plotted(rows.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64)), list(needed))
    left, right = label_axes(rows)
    scale = alt.Scale(domain=[0, most], nice=False)
    base = alt.Chart(data)
    layers = [
        base.mark_bar(height=_BAR, yOffset=_BAR_DY, cornerRadius=2, color="#8883").encode(
            x=alt.datum(0, type="quantitative", scale=scale, axis=axis),
            x2=alt.datum(most),
            y=row_axis(left),
            tooltip=list(tooltip),
        ),
        base.mark_bar(height=_BAR, yOffset=_BAR_DY, cornerRadius=2).encode(
            x=alt.X(f"{value}:Q", scale=scale, axis=None),
            y=row_axis(right),
            color=alt.Color("role:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None),
            tooltip=list(tooltip),
        ),
    ]
    if mark_at is not None:
        # Dark on a light edge, so that it shows on every bar and page.
        layers += [
            base.mark_tick(
                orient="vertical", thickness=thickness, size=_BAR + 4, yOffset=_BAR_DY, color=colour, opacity=1
            ).encode(x=alt.X(f"{mark_at}:Q", scale=scale, axis=None), y=row_axis(None))
            for thickness, colour in ((5, "white"), (2, "#1f2328"))
        ]
    drawn: alt.LayerChart = alt.LayerChart(layer=layers).resolve_axis(x="independent", y="independent")
    return drawn


def label_axes(rows: pl.DataFrame, offset: int = _TEXT_DY) -> tuple[alt.Axis, alt.Axis]:
    """The texts above bars: ``label`` at the left, cut before it runs into ``figures`` at the right."""
    few = rows["few_figures" if "few_figures" in rows.columns else "figures"]
    limit = {"expr": f"max(width - ({_NARROW} ? {_room(few)} : {_room(rows['figures'])}), 60)"}
    left: dict[str, Any] = {
        "orient": "left",
        "labelAlign": "left",
        "labelFontSize": 14,
        "labelOpacity": 1,
        "labelLimit": limit,
    }
    right: dict[str, Any] = {"orient": "right", "labelAlign": "right", "labelFontSize": 13, "labelLimit": 0}
    return texts_beside(rows["label"], offset, **left), texts_beside(rows["figures"], offset, few, **right)


def row_axis(axis: alt.Axis | None) -> alt.Y:
    """The rows of a chart of bars, by their column ``place``."""
    return alt.Y("place:O", axis=axis, scale=alt.Scale(padding=0))


def _room(texts: pl.Series) -> int:
    longest = texts.str.len_chars().max()
    return round(_CHARACTER * longest) + 16 if isinstance(longest, int) else 0


def texts_beside(texts: pl.Series, offset: int, few: pl.Series | None = None, **look: Any) -> alt.Axis:
    """An axis that writes a text in each row, so many pixels below its middle; ``few`` where there is little room.

    Labels of an axis rather than text marks: only those take the colour that a light or dark page gives to texts.
    """
    words = json.dumps(texts.to_list())
    if few is not None and not few.equals(texts):
        words = f"({_NARROW} ? {json.dumps(few.to_list())} : {words})"
    words += "[datum.value]"
    return alt.Axis.from_dict(
        {"title": None, "labelExpr": words, "labelOffset": offset, "labelPadding": 0, "labelOverlap": False, **look}
    )


def tall(rows: pl.DataFrame) -> int:
    """The height for these rows, in pixels."""
    return ROW * max(1, len(rows))
