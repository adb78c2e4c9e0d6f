"""Charts as drawings inside the page: no script, no file beside it, and the colour of texts from the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import charts
from crowdvote_analysis.charts.theme import CALCULATED, MANUAL, NONE
from crowdvote_analysis.html import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import altair as alt

    from crowdvote_analysis.report.contents import Contents

# Drawn twice, since texts in a drawing shrink with it: for a window and for a telephone. The page shows one of them.
WIDTHS = {"wide": 760, "narrow": 380}
# Bars of one chart: a decision may have hundreds of choices.
MOST_BARS = 20


def picture(name: str, words: str, draw: Callable[[int], alt.LayerChart]) -> Html:
    """A chart, once for each width.

    Args:
        name: A word of its own on the page; ids inside the drawing begin with it.
        words: What it shows, for those who cannot see it.
        draw: Makes the chart for a width in pixels.
    """
    drawings = [_drawing(f"{name}-{size}", draw(width), words, size) for size, width in WIDTHS.items()]
    return element("figure", *drawings)


def _drawing(prefix: str, chart: alt.LayerChart, words: str, size: str) -> Html:
    import vl_convert

    inked = chart.copy(deep=True)
    inked.config["style"] = {"guide-label": {"fill": "currentColor"}, "guide-title": {"fill": "currentColor"}}
    drawn: str = vl_convert.vegalite_to_svg(inked.to_dict())
    # Ids hold for the whole page, and namespaces need no address inside HTML.
    drawn = re.sub(r' xmlns(:xlink)?="[^"]*"', "", drawn, count=2)
    numbers: dict[str, int] = {}  # the program that draws counts on from one drawing to the next
    drawn = re.sub(
        r'(\bid="|url\(#)(clip\d+|gradient_\d+)',
        lambda found: f"{found[1]}{prefix}-{numbers.setdefault(found[2], len(numbers))}",
        drawn,
    )
    label = element("svg", class_=size, role="img", aria_label=words).removesuffix("></svg>")
    return Html(re.sub(r'<svg version="1.1" class="marks"', lambda _: label, drawn, count=1))


def participation(found: Contents) -> Html:
    """Who has a ballot."""
    parts = charts.participation_parts(found.public.tables["stats"])
    figures = {
        part: f"{part}: {voters:,} ({share:.1%})"
        for part, voters, share in parts.select("part", "voters", "share").iter_rows()
    }
    colours = dict(zip(figures, (MANUAL, CALCULATED, NONE), strict=True))
    # The legend stands outside of the drawing: its entries would run into each other in a wider font.
    legend = [
        element("span", element("i", style=f"background: {colours[part]}"), words) for part, words in figures.items()
    ]

    def draw(width: int) -> alt.LayerChart:
        chart = charts.participation_chart(parts, width=width)
        chart.layer[0].encoding.color.legend = None
        return chart

    return joined(element("p", *legend, class_="legend"), picture("participation", ", ".join(figures.values()), draw))


def scores(found: Contents) -> Iterator[Html]:
    """The score phase, as far as there are bars for it."""
    tally, known = found.tally, found.scores
    if tally is None or known is None:
        return
    shown = known.head(MOST_BARS)
    tied = tally.tie.tied if tally.tie else ()
    yield picture(
        "scores",
        "Average stars of each choice",
        lambda width: charts.score_chart(
            shown,
            finalists=tally.finalists,
            winner=tally.winner,
            tied=tied,
            is_open=not found.row["is_final"],
            width=width,
        ),
    )
    more = len(known) - len(shown)
    if more:
        yield element(
            "p", f"{more:,} more choices have fewer stars; the audit log below has all of them.", class_="dim"
        )


def runoff(found: Contents) -> Html | None:
    """The runoff; none where it did not come to one."""
    parts = charts.runoff_parts(found.tally) if found.tally else None
    if parts is None:
        return None

    def draw(width: int) -> alt.LayerChart:
        return charts.runoff_chart(parts, is_open=not found.row["is_final"], width=width)

    return picture("runoff", "Ballots that prefer each finalist", draw)


def steps(found: Contents) -> Html | None:
    """Every step of the count; none where there is no count, or too many bars for a page."""
    is_open = not found.row["is_final"]
    rows = charts.step_rows(found.tally, is_open=is_open) if found.tally else pl.DataFrame()
    if not 0 < len(rows) <= 3 * MOST_BARS:
        return None
    return picture("steps", "Every step of the count", lambda width: charts.steps_chart(rows, width=width))


def influence(found: Contents) -> Html | None:
    """Whose ballots carry the result; none where nobody's does."""
    ballots = found.staged.ballots.with_columns(pl.col("weight").cast(pl.Float64))
    rows = charts.influence_rows(ballots, found.names)
    if rows.is_empty():
        return None
    return picture(
        "influence", "Weight of the ballots cast by hand", lambda width: charts.influence_chart(rows, width=width)
    )
