"""Followings around one member as a picture: who follows whom on which tags, coloured by influence (I2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from crowdvote_analysis.charts.theme import NONE, plotted, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width
    from crowdvote_analysis.power import Neighbourhood

# Grey, blue, purple, red get darker and larger as well, so that they stay apart for every eye.
LEVEL_COLOURS = {"none": NONE, "some": "#4f9ee8", "much": "#8c4fc4", "most": "#c2262e"}
_SIZES = {"none": 150, "some": 260, "much": 420, "most": 640}
_WORDS = {"none": "nobody", "some": "some", "much": "many", "most": "most"}
_WHY = {
    "match": "a tag matches, so the ballot is inherited",
    "no_match": "no tag matches",
    "no_ballot": "there is no ballot to inherit",
    "circular": "it leads back in a circle",
    "not_a_member": "not a member",
    "own ballot": "not looked at: voted by hand",
}
_GAVE, _NOTHING = "gave its ballot", "gave nothing"
_ROW, _MARGIN = 54, 0.55
_LINE = "#7d8590"
# Labels on more arrows than this hide one another; the tooltip has them all.
_ROOM = 150  # pixels between two columns
_LABELLED = 36
_LONGEST = 22


@dataclass(frozen=True)
class Drawing:
    """What the picture is made of, under public names (P1).

    Attributes:
        nodes: ``x`` (steps, left to right), ``y`` (rows, downwards), ``label``, ``level`` (``nobody``, ``some``,
            ``many``, ``most``: by how many inherit), ``size``, ``ballot``, ``influence``.
        arrows: ``x``, ``y``, ``x2``, ``y2``, ``radius`` (of the node it points at, in pixels), ``tags`` (``[ALL]`` for
            none; T6), ``label`` (the same, cut), ``result`` (``gave its ballot`` or ``gave nothing``), ``from``,
            ``to``, ``why``.
    """

    nodes: pl.DataFrame
    arrows: pl.DataFrame


def drawing_of(found: Neighbourhood, names: pl.DataFrame) -> Drawing:
    """Place a neighbourhood on a plane: followers at the left, the member in the middle, followees at the right.

    Args:
        found: As from ``power.neighbourhood``.
        names: ``member_id``, ``public_id`` and ``name`` of its community, as from ``privacy.public_names``.
    """
    row = pl.int_range(pl.len()).over("step")
    # Where a column follows within itself, its members stand a little apart sideways, so that the arrow can be seen.
    step = found.members.select("node", "step")
    beside = (
        found.followings.join(step, left_on="follower", right_on="node")
        .join(step, left_on="followee", right_on="node", suffix="_to")
        .filter(pl.col("step") == pl.col("step_to"))["step"]
        .to_list()
    )
    nodes = (
        found.members.join(
            names.select("member_id", name=pl.coalesce("name", "public_id")),
            on="member_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            x=pl.col("step") + pl.when(pl.col("step").is_in(beside)).then((row % 2 - 0.5) * 0.16).otherwise(0.0),
            y=row - (pl.len().over("step") - 1) / 2,
            name=pl.coalesce("name", pl.format("{} others", "members")),
        )
        .with_columns(
            label=pl.when(pl.col("member_id").is_null() | (pl.col("influence") == 0))
            .then("name")
            .otherwise(pl.format("{} ({})", "name", "influence")),
            ballot=pl.col("origin")
            .replace_strict({"manual": "by hand", "calculated": "calculated", "none": "none"})
            .fill_null("several"),
            size=pl.col("level").replace_strict(_SIZES, return_dtype=pl.Float64),
            level=pl.col("level").replace_strict(_WORDS),
        )
    )
    at = nodes.select("node", "x", "y", "name", "size")
    tags = pl.when(pl.col("tags").list.len() == 0).then(pl.lit("[ALL]")).otherwise(pl.col("tags").list.join(", "))
    arrows = (
        found.followings.join(at, left_on="follower", right_on="node")
        .join(at, left_on="followee", right_on="node", suffix="_to")
        .with_columns(
            tags=pl.coalesce(tags, pl.format("{} followings", "followings")),
            result=pl.when(pl.col("outcome").is_null() | (pl.col("outcome") == "match"))
            .then(pl.lit(_GAVE))
            .otherwise(pl.lit(_NOTHING)),
            why=pl.col("outcome").replace_strict(_WHY).fill_null("several followings"),
            radius=(pl.col("size_to") / 3.1416).sqrt() + 2,
        )
        .with_columns(
            label=pl.when(pl.col("tags").str.len_chars() > _LONGEST)
            .then(pl.col("tags").str.slice(0, _LONGEST - 1) + "…")
            .otherwise("tags")
        )
        .sort("follower", "followee")
        .rename({"name": "from", "name_to": "to", "x_to": "x2", "y_to": "y2"})
    )
    return Drawing(
        nodes.select("x", "y", "label", "level", "size", "ballot", "influence"),
        arrows.select("x", "y", "x2", "y2", "radius", "tags", "label", "result", "from", "to", "why"),
    )


def network_chart(drawing: Drawing, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw members and the followings between them; an arrow points at whoever is followed.

    Args:
        drawing: As from ``drawing_of``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    nodes = plotted(drawing.nodes, ["x", "y", "label", "level", "size", "ballot", "influence"])
    columns = ["x", "y", "x2", "y2", "radius", "tags", "label", "result", "from", "to", "why"]
    arrows = plotted(drawing.arrows, columns)
    (left, right), (top, bottom) = _range(nodes["x"]), _range(nodes["y"])
    x = alt.Scale(domain=[left, right], nice=False, zero=False)
    y = alt.Scale(domain=[bottom, top], nice=False, zero=False)
    across = f"((datum.x2 - datum.x) * width / {right - left})"
    down = f"((datum.y2 - datum.y) * height / {bottom - top})"
    far = f"max(1, sqrt({across} * {across} + {down} * {down}))"
    dash = alt.StrokeDash(
        "result:N",
        scale=alt.Scale(domain=[_GAVE, _NOTHING], range=[[1, 0], [3, 4]]),
        legend=alt.Legend(title="The following", orient="bottom", symbolType="stroke", symbolSize=300),
    )
    tooltip = [
        alt.Tooltip("from:N", title="Follower"),
        alt.Tooltip("to:N", title="Followed"),
        alt.Tooltip("tags:N", title="On"),
        alt.Tooltip("why:N", title="Here"),
    ]
    begin = alt.X("x:Q", scale=x, axis=None), alt.Y("y:Q", scale=y, axis=None)
    end = alt.X("x2:Q", scale=x, axis=None), alt.Y("y2:Q", scale=y, axis=None)
    faint = alt.condition(f"datum.result === '{_GAVE}'", alt.value(0.9), alt.value(0.45))
    lines = alt.Chart(arrows).mark_rule(color=_LINE, strokeWidth=1.4)
    heads = alt.Chart(arrows).mark_point(
        shape="triangle",
        filled=True,
        size=70,
        color=_LINE,
        angle=alt.expr(f"atan2({down}, {across}) * 180 / PI + 90"),
        xOffset=alt.expr(f"-(datum.radius + 4) * {across} / {far}"),
        yOffset=alt.expr(f"-(datum.radius + 4) * {down} / {far}"),
    )
    # Near the follower: two who follow each other have their tags apart, and so have many who
    # follow one.
    near = (pl.col(one) * 0.7 + pl.col(other) * 0.3 for one, other in (("x", "x2"), ("y", "y2")))
    # Where columns stand too close for words between them, the tooltip alone has them.
    shown = alt.expr(f"width / {right - left} < {_ROOM} ? 0 : 0.8")
    tags = _texts(arrows.select("label", *near), fontSize=11, dy=-6, opacity=shown)
    circles = alt.Chart(nodes).mark_point(shape="circle", filled=True, opacity=1, stroke="white", strokeWidth=1)
    colour = alt.Color(
        "level:N",
        scale=alt.Scale(domain=list(_WORDS.values()), range=list(LEVEL_COLOURS.values())),
        legend=alt.Legend(title="Inherit from the member", orient="top", symbolType="circle"),
    )
    layers = [
        lines.encode(*begin, x2="x2:Q", y2="y2:Q", strokeDash=dash, opacity=faint, tooltip=tooltip),
        heads.encode(*end, opacity=faint, tooltip=tooltip),
        *([tags.encode(*begin, text="label:N")] if len(arrows) <= _LABELLED else []),
        circles.encode(
            *begin,
            color=colour,
            size=alt.Size("size:Q", scale=None),
            tooltip=[
                alt.Tooltip("label:N", title="Member"),
                alt.Tooltip("ballot:N", title="Ballot"),
                alt.Tooltip("influence:Q", title="Inherit at any depth", format=",d"),
            ],
        ),
        _texts(nodes, fontSize=13, dy=alt.expr("sqrt(datum.size / PI) + 11"), fontWeight=600).encode(
            *begin, text="label:N"
        ),
    ]
    return styled(alt.LayerChart(layer=layers), mode, width, round(_ROW * (bottom - top)))


def _texts(frame: pl.DataFrame, **look: Any) -> alt.Chart:
    """Texts in the colour of the page, which is handed to guides only.

    They take it along with the style of guides if they are not filled by themselves; the outline that is drawn instead
    has no width.
    """
    texts: alt.Chart = alt.Chart(frame).mark_text(style="guide-label", filled=False, strokeWidth=0, **look)
    return texts


def _range(values: pl.Series) -> tuple[float, float]:
    low, high = values.min(), values.max()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return float(low) - _MARGIN, float(high) + _MARGIN + 0.1
