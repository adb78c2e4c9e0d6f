"""What stands in the specification of a chart."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import altair as alt


def rows(chart: alt.LayerChart) -> list[dict[str, Any]]:
    """The rows the chart carries, of all its layers."""
    return [row for data in chart.to_dict()["datasets"].values() for row in data]


def fields(chart: alt.LayerChart) -> list[tuple[set[str], set[str]]]:
    """For each layer, the columns that any channel asks for, and those that its rows have."""
    spec = chart.to_dict()
    columns = {name: set(data[0]) for name, data in spec["datasets"].items() if data}
    return [
        (set(_found(layer)), columns.get(layer.get("data", spec.get("data"))["name"], set())) for layer in spec["layer"]
    ]


def _found(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("field"), str):
            yield node["field"]
        for value in node.values():
            yield from _found(value)
    elif isinstance(node, list):
        for value in node:
            yield from _found(value)


def texts(chart: alt.LayerChart) -> str:
    """The whole specification as text."""
    return chart.to_json()


def drawing(chart: alt.LayerChart) -> str:
    """The chart drawn as SVG, without a network."""
    picture = StringIO()
    chart.save(picture, format="svg")
    return picture.getvalue()
