"""What stands in the specification of a chart."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import altair as alt


def rows(chart: alt.LayerChart) -> list[dict[str, Any]]:
    """The rows the chart carries; all layers share them."""
    (data,) = chart.to_dict()["datasets"].values()
    return data


def fields(chart: alt.LayerChart) -> set[str]:
    """The columns that any channel of any layer asks for."""

    def found(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("field"), str):
                yield node["field"]
            for value in node.values():
                yield from found(value)
        elif isinstance(node, list):
            for value in node:
                yield from found(value)

    spec = chart.to_dict()
    return set(found(spec["layer"]))


def texts(chart: alt.LayerChart) -> str:
    """The whole specification as text."""
    return chart.to_json()


def drawing(chart: alt.LayerChart) -> str:
    """The chart drawn as SVG, without a network."""
    picture = StringIO()
    chart.save(picture, format="svg")
    return picture.getvalue()
