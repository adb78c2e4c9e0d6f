"""One look for all charts: colours, fonts, and texts that can be read on light and on dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

Mode: TypeAlias = Literal["page", "light", "dark"]
Width: TypeAlias = int | Literal["container"]

# Where a ballot comes from (U2). Black would vanish on a dark page, so "none" is the grey that both can show.
MANUAL, CALCULATED, NONE, CIRCULAR = "#4caf50", "#2196f3", "#9e9e9e", "#ff9800"

# How a choice fares. Violet, amber and grey stay apart under every common colour blindness, and from the colours above.
WINNER, FINALIST, TIED, OTHER = "#6f5fd6", "#a89cf0", "#d99a1c", "#a3a8b0"

# What somebody said to a yes/no question: bluish green and vermilion stay apart under every common colour blindness,
# in hue as well as in lightness.
YES, NO, ABSTAIN = "#0e9f86", "#d9572b", "#a3a8b0"

_FONT = "PT Sans, system-ui, sans-serif"
INKS = {"light": ("#1f2328", "#ffffff"), "dark": ("#e6e8eb", "#181c1a")}


def plotted(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns a chart needs, ready for Altair.

    Args:
        frame: Any frame that has them; other columns stay out of the chart, and so out of the page.
        columns: Their names.

    Returns:
        The columns in that order, Decimal as Float64.

    Raises:
        polars.exceptions.ColumnNotFoundError: One is missing. A chart would show nothing, without a word.
    """
    return frame.select(columns).with_columns(cs.decimal().cast(pl.Float64))


def said_role(is_open: bool) -> pl.Expr:
    """The column ``role`` in words: while ballots may still come, the winner leads."""
    return pl.col("role").replace({"winner": "leads so far"} if is_open else {})


def choice_of(column: str) -> alt.Parameter:
    """A selection of rows by clicking on them, several with Shift, for a notebook that acts on it.

    Args:
        column: By what rows are told apart.
    """
    import altair as alt

    return alt.selection_point(name="chosen", fields=[column], clear="click[!event.item || !event.item.datum]")


def legend_columns(entry: int, most: int) -> alt.ExprRef:
    """As many columns of a legend as the chart has room for; a legend that is too wide would be cut.

    Args:
        entry: Width of an entry in pixels.
        most: Columns at most.
    """
    import altair as alt

    return alt.ExprRef(f"clamp(floor(width / {entry}), 1, {most})")


def styled(chart: alt.LayerChart, mode: Mode, width: Width, height: int) -> alt.LayerChart:
    """Give a finished chart its size and look.

    Args:
        chart: The chart, without configuration of its own.
        mode: ``"page"`` leaves background and text colour to the page around the chart (marimo and Jupyter set them for
            light and dark); ``"light"`` and ``"dark"`` bring their own, for files.
        width: In pixels, or ``"container"`` for the width of the page.
        height: In pixels.
    """
    ink, paper = INKS[mode] if mode != "page" else (None, "transparent")
    config: dict[str, Any] = {
        "font": _FONT,
        "background": paper,
        # On a page, bars begin where its texts begin.
        "padding": {"left": 0, "right": 0, "top": 4, "bottom": 4} if mode == "page" else 12,
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": 12,
            "labelOpacity": 0.75,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titleOpacity": 0.75,
            "domain": False,
            "ticks": False,
            "gridColor": "#8884",
        },
        "legend": {"labelFontSize": 13, "labelLimit": 0, "symbolType": "square", "symbolSize": 120, "symbolOpacity": 1},
    }
    if ink is not None:
        config["style"] = {"guide-label": {"fill": ink}, "guide-title": {"fill": ink}}
        config["axis"] |= {"labelColor": ink, "titleColor": ink}
        config["legend"] |= {"labelColor": ink, "titleColor": ink}
    # No menu beside the chart: it costs width, and one of its entries sends the data to a site of others.
    quiet = {"embedOptions": {"actions": False}}
    finished: alt.LayerChart = chart.properties(width=width, height=height, usermeta=quiet).configure(**config)
    return finished
