"""Yes/no decisions (C2 to C5): who said what, and how far yes has to get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import label_axes, labelled_bars, row_axis, tall, texts_beside
from crowdvote_analysis.charts.theme import ABSTAIN, NO, YES, legend_columns, plotted, styled
from crowdvote_analysis.consensus import outcomes as outcomes_of
from crowdvote_analysis.consensus.checks import in_units
from crowdvote_analysis.consensus.words import in_short

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width

# Who has not voted is the empty part of the bar, as in the other charts.
_COLOURS = {"yes": YES, "no": NO, "abstain": ABSTAIN, "not voted": "#8883"}
# Title above the bar, counts below it, in pixels.
_ROW, _BAR, _TITLE_DY, _COUNTS_DY = 66, 13, -18, 17


def progress_parts(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Split the required voters of each decision by what they said.

    Args:
        outcomes: Rows of ``consensus.outcomes`` or ``decide``: ``decision_id``, ``method``, ``required``, ``yes``,
            ``no``, ``abstain``, ``cast``, ``passed``, ``deadlocked``, ``missing_votes``, the options that ``outcomes``
            takes, and ``title``, ``status`` and ``delegated`` where there are such.

    Returns:
        Four rows a decision, in the order of the rows (``yes``, ``no``, ``abstain``, ``not voted``): ``decision_id``,
        ``title``, ``words`` (what became of it, or what is missing), ``part``, ``votes``, ``share`` of the required
        voters (0 to 1), ``start`` and ``end`` along the bar, and ``needed``: the yes votes that would pass it, with the
        other votes as they are, as such a share; null where no number of them would. Where votes pass
        along followings or come in parts, one more yes is often one less no: there it is the place that the votes cast
        make the criterion, not in whole votes; a simple majority has to get beyond it.
    """
    everybody = pl.max_horizontal("required", "cast")
    return (
        outcomes.with_columns(
            pl.col("title" if "title" in outcomes.columns else "decision_id").alias("title"),
            words=in_short(pl.col("status") if "status" in outcomes.columns else pl.lit("active")),
            needed=_needed(outcomes),
        )
        .with_row_index("place")
        .with_columns(pl.col("required", "cast", "yes", "no", "abstain", "needed").cast(pl.Float64))
        .with_columns((everybody - pl.col("cast")).alias("not voted"), pl.col("needed") / everybody)
        .unpivot(
            list(_COLOURS),
            index=["place", "decision_id", "title", "words", "required", "cast", "needed"],
            variable_name="part",
            value_name="votes",
        )
        .sort("place", maintain_order=True)
        .with_columns(share=(pl.col("votes") / everybody).fill_nan(0.0))
        .with_columns(end=pl.col("share").cum_sum().over("place"))
        .with_columns(start=pl.col("end") - pl.col("share"))
        .select("decision_id", "title", "words", "part", "votes", "share", "start", "end", "needed")
    )


def _needed(outcomes: pl.DataFrame) -> pl.Series:
    """How many yes votes would pass each decision, the other votes as they are; null where no number of them would."""
    # The rules themselves say where yes has to get to: what is missing if every yes is taken back.
    without_yes = outcomes.with_columns(yes=pl.lit(0))
    whole = outcomes_of(without_yes)["missing_votes"].cast(pl.Float64)
    units, scale = in_units(outcomes)
    yes, no, abstain, required, quorum = (
        pl.col(part) / scale for part in ("yes", "no", "abstain", "required", "quorum")
    )
    out_of = yes + no + pl.when("decisive_only").then(0.0).otherwise(abstain)
    part = required * pl.col("numerator") / pl.col("denominator")
    share = pl.when(method="simple_majority").then(out_of / 2).otherwise(part)
    short_of_quorum = pl.when(yes + no + abstain < quorum).then(quorum - no - abstain)
    exact = units.select(pl.max_horizontal(share, short_of_quorum)).to_series()
    passed_on = pl.col("delegated") if "delegated" in outcomes.columns else pl.lit(value=False)
    in_parts = pl.any_horizontal(pl.col("yes", "no") % 1 != 0)
    weighted = (passed_on | in_parts) & (pl.col("method") != "unanimity") & (pl.col("cast") > 0)
    return outcomes.select(
        pl.when(~weighted).then(whole).when(pl.col("passed") | ~pl.col("deadlocked")).then(exact)
    ).to_series()


def progress_chart(parts: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw one bar a decision, its required voters by what they said; the mark stands where yes has to get to.

    Args:
        parts: As from ``progress_parts``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    rows = parts.group_by("decision_id", maintain_order=True).agg(
        pl.col("title").first().alias("label"),
        pl.col("words").first().alias("figures"),
        pl.struct("part", "votes").alias("counts"),
    )
    places = rows.select("decision_id").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    data = plotted(
        parts.join(places, on="decision_id", maintain_order="left"),
        ["place", "title", "words", "part", "votes", "share", "start", "end", "needed"],
    )
    left, right = label_axes(rows, _TITLE_DY)
    below = texts_beside(
        rows["counts"].map_elements(_counts, return_dtype=pl.String),
        _COUNTS_DY,
        orient="left",
        labelAlign="left",
        labelLimit={"expr": "width"},
    )
    scale = alt.Scale(domain=[0, 1], nice=False)
    base = alt.Chart(data)
    bar = base.mark_bar(height=_BAR).encode(
        x=alt.X("start:Q", scale=scale, axis=None),
        x2="end:Q",
        y=row_axis(left),
        color=alt.Color(
            "part:N",
            scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
            legend=alt.Legend(
                title=None,
                orient="top",
                direction="horizontal",
                offset=10,
                columnPadding=24,
                columns=legend_columns(130, 5),
            ),
        ),
        tooltip=[
            alt.Tooltip("title:N", title="Decision"),
            alt.Tooltip("words:N", title="Outcome"),
            alt.Tooltip("part:N", title="Vote"),
            alt.Tooltip("votes:Q", title="Number", format=",.2~f"),
            alt.Tooltip("share:Q", title="Share of the required voters", format=".1%"),
            alt.Tooltip("needed:Q", title="Yes has to get to", format=".1%"),
        ],
    )
    # Dark on a light edge, so that it shows on every bar and page; the layers also carry the other two texts.
    marks = [
        base.mark_tick(orient="vertical", thickness=thickness, size=_BAR + 4, color=colour, opacity=1).encode(
            x=alt.X("needed:Q", scale=scale, axis=None), y=row_axis(axis)
        )
        for thickness, colour, axis in ((5, "white", right), (2, "#1f2328", below))
    ]
    layers = alt.LayerChart(layer=[bar, *marks]).resolve_axis(x="independent", y="independent")
    return styled(layers, mode, width, _ROW * max(1, len(rows)))


def vote_weight_rows(weights: pl.DataFrame, names: pl.DataFrame, top: int = 12) -> pl.DataFrame:
    """List the votes cast by hand that carry the most in a delegated decision, under public names (P1).

    Args:
        weights: As from ``consensus.weights``: ``member_id``, ``vote``, ``weight``.
        names: ``member_id`` and ``name`` of the decision's community, as from ``privacy.public_names``.
        top: Number of rows at most.

    Returns:
        ``name``, ``vote``, ``weight``; most weight first, then by name. Votes without any weight are left out.
    """
    return (
        weights.filter(pl.col("weight") > 0)
        .join(names.select("member_id", "name"), on="member_id")
        .sort(["weight", "name"], descending=[True, False])
        .head(top)
        .select("name", "vote", "weight")
    )


def vote_weight_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw how many of the counted votes come down to each vote cast by hand, coloured by what it says.

    Args:
        rows: As from ``vote_weight_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    shown = rows.with_columns(
        pl.col("weight").cast(pl.Float64),
        label=pl.format("{}  ({})", "name", "vote"),
        role="vote",
        figures=pl.col("weight").map_elements(lambda weight: f"weight {weight:,.2f}", return_dtype=pl.String),
    )
    heaviest = shown["weight"].max()
    layers = labelled_bars(
        shown,
        value="weight",
        most=max(float(heaviest), 1.0) if isinstance(heaviest, float) else 1.0,
        colours={part: colour for part, colour in _COLOURS.items() if part != "not voted"},
        axis=None,
        tooltip=[
            alt.Tooltip("name:N", title="Voter"),
            alt.Tooltip("vote:N", title="Vote"),
            alt.Tooltip("weight:Q", title="Weight, in votes", format=",.4f"),
        ],
        columns=["name", "vote"],
    )
    return styled(layers, mode, width, tall(shown))


def _counts(parts: list[dict[str, Any]]) -> str:
    return " · ".join(f"{_number(part['votes'])} {part['part']}" for part in parts)


def _number(votes: float) -> str:
    return f"{votes:,.2f}".rstrip("0").rstrip(".")
