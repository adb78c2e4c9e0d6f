"""Every step of a STAR count as bars (K8): what was counted, for whom, and who went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import OTHER, TIED, WINNER, styled
from crowdvote_analysis.star.steps import RULE_NAMES
from crowdvote_analysis.star.units import plain_number

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width
    from crowdvote_analysis.star import StarTally

_COLOURS = {"advanced": WINNER, "won": WINNER, "ahead": WINNER, "tied": TIED, "out": OTHER}


def step_rows(tally: StarTally, *, is_open: bool = False) -> pl.DataFrame:
    """List the steps of a count, one row for each step and choice of its pool, whoever does best first.

    Args:
        tally: The tally.
        is_open: Whether people can still vote, so that whoever wins the runoff is ``ahead`` and has not won yet (S3).

    Returns:
        ``step`` (from 1), ``stage``, ``rule`` (in words), ``title``, ``number`` (text, exact), ``part`` (the number as
        a part of the largest of the step, 0 to 1) and ``outcome``: ``advanced``, ``won``,
        ``ahead``, ``tied`` or ``out``.
    """
    won = "ahead" if is_open else "won"
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    rows = []
    for number, step in enumerate(tally.steps, start=1):
        largest = max(step.numbers.values())
        gone_on = won if step.stage == "runoff" else "advanced"
        for choice in step.best_first:
            outcome = gone_on if choice in step.advanced else "tied" if choice in step.remaining else "out"
            part = float(step.numbers[choice]) / float(largest) if largest else 0.0
            count = plain_number(step.numbers[choice])
            rows.append((number, step.stage, RULE_NAMES[step.rule], titles[choice], count, part, outcome))
    schema = {
        "step": pl.Int64,
        "stage": pl.String,
        "rule": pl.String,
        "title": pl.String,
        "number": pl.String,
        "part": pl.Float64,
        "outcome": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def steps_chart(rows: pl.DataFrame, *, mode: Mode = "page", width: Width = "container") -> alt.LayerChart:
    """Draw every step of a count, one bar for each choice that it looked at.

    Args:
        rows: As from ``step_rows``.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    shown = rows.with_columns(
        label=pl.format("Step {} · {} ({})", "step", "title", "outcome"),
        figures=pl.format("{} {}", "number", pl.when(rule="total score").then(pl.lit("stars")).otherwise("rule")),
        role="outcome",
    )
    layers = labelled_bars(
        shown,
        value="part",
        most=1.0,
        colours=_COLOURS,
        axis=None,
        tooltip=[
            alt.Tooltip("step:Q", title="Step", format="d"),
            alt.Tooltip("stage:N", title="Stage"),
            alt.Tooltip("rule:N", title="Counted"),
            alt.Tooltip("title:N", title="Choice"),
            alt.Tooltip("number:N", title="Number"),
            alt.Tooltip("outcome:N", title="Outcome"),
        ],
        columns=["step", "stage", "rule", "title", "number", "outcome"],
    )
    return styled(layers, mode, width, tall(shown))
