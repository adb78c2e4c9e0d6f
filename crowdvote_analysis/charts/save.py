"""Charts as files: pictures, drawings, and pages that open offline."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import UnreadableFileError

if TYPE_CHECKING:
    import altair as alt

ENDINGS = (".png", ".svg", ".pdf", ".html")
# What "the width of the page" is where there is no page around the chart.
_WIDTH = 720


def save_chart(chart: alt.LayerChart, path: str | Path, *, scale: float = 2.0) -> Path:
    """Write a chart to a file, in the format that its name ends in; no network is needed, for reading it neither.

    An older file is replaced at once or not at all. A chart of ``mode="page"`` has no colours of its own: it is written
    with those of ``mode="light"``, and as HTML it follows the light or dark of the reader's system.

    Args:
        chart: A chart of this package, or any other of Altair.
        path: The file: ``.png``, ``.svg``, ``.pdf``, or ``.html`` for a page with tooltips and everything it needs.
        scale: Pixels of a ``.png`` for each pixel of the chart.

    Returns:
        The path.

    Raises:
        ValueError: The name ends otherwise, or ``scale`` is not above 0.
        UnreadableFileError: The file cannot be written there.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"{path.name}: a chart is written to a file whose name ends in {', '.join(ENDINGS)}.")
    if not scale > 0:
        raise ValueError(f"scale is {scale}; it has to be above 0.")
    written = _page(chart) if ending == ".html" else _picture(chart, ending, scale)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(written)
        beside.replace(path)
    except OSError as error:
        raise UnreadableFileError(f"{path}: cannot be written ({error.strerror}).") from error
    return path


def _picture(chart: alt.LayerChart, ending: str, scale: float) -> bytes:
    import vl_convert

    spec = _standing_alone(chart, **_colours()).to_dict()
    if ending == ".svg":
        drawing: str = vl_convert.vegalite_to_svg(spec)
        return drawing.encode()
    picture: bytes = (
        vl_convert.vegalite_to_png(spec, scale=scale) if ending == ".png" else vl_convert.vegalite_to_pdf(spec)
    )
    return picture


def _page(chart: alt.LayerChart) -> bytes:
    """The page takes light or dark from the reader, and the texts of the chart take it from the page."""
    page = StringIO()
    ink = {"background": "transparent", **_inked("currentColor")} if _is_of_page(chart) else {}
    options = {"renderer": "svg", "actions": False}
    _standing_alone(chart, **ink).save(page, format="html", inline=True, embed_options=options)
    style = "<style>:root { color-scheme: light dark; }</style>"
    return page.getvalue().replace("<head>", f"<head>{style}", 1).encode()


def _standing_alone(chart: alt.LayerChart, **config: Any) -> alt.LayerChart:
    """The chart with a width in pixels, and colours where it has none."""
    alone: alt.LayerChart = chart.copy(deep=True)
    if alone.to_dict().get("width") == "container":
        alone = alone.properties(width=_WIDTH)
    if _is_of_page(chart):
        for name, value in config.items():
            alone.config[name] = value
    return alone


def _is_of_page(chart: alt.LayerChart) -> bool:
    return bool(chart.to_dict().get("config", {}).get("background") == "transparent")


def _colours() -> dict[str, Any]:
    from crowdvote_analysis.charts.theme import INKS

    ink, paper = INKS["light"]
    return {"background": paper, "padding": 12, **_inked(ink)}


def _inked(ink: str) -> dict[str, Any]:
    return {"style": {"guide-label": {"fill": ink}, "guide-title": {"fill": ink}}}
