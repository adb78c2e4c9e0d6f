"""How a tie was broken, or where it was left (K4 to K8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.star.steps import RULE_NAMES
from crowdvote_analysis.star.units import plain_number

if TYPE_CHECKING:
    from crowdvote_analysis.star import StarTally

_STAGES = {"scoring": "Score phase", "runoff": "Runoff"}


def tie_steps(tally: StarTally) -> pl.DataFrame:
    """Give the steps of a count that were tied or broke a tie, in words.

    Returns:
        One row for each step and choice of its pool: ``step`` (number in the whole count), ``stage``, ``counted`` (what
        the numbers are), ``choice`` (title), ``number`` (text: exact, without trailing zeros), ``outcome``
        (``advanced``, ``tied``, ``out``). In the first step of scoring only the choices that the tie is about are
        listed, and those that advanced before it. No rows when nothing was tied.
    """
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    rows, tie_before = [], None
    for number, step in enumerate(tally.steps, start=1):
        if step.remaining or tie_before == step.stage:
            # Of the scores of all choices, only those that the tie is about matter here.
            all_scores = step.stage == "scoring" and step.rule == "sum"
            concerned = {*step.advanced, *step.remaining} if all_scores else set(step.pool)
            rows += [
                (
                    number,
                    _STAGES[step.stage],
                    RULE_NAMES[step.rule],
                    titles[choice],
                    plain_number(step.numbers[choice]),
                    "advanced" if choice in step.advanced else "tied" if choice in step.remaining else "out",
                )
                for choice in step.best_first
                if choice in concerned
            ]
        tie_before = step.stage if step.remaining else None
    schema = {
        "step": pl.Int64,
        "stage": pl.String,
        "counted": pl.String,
        "choice": pl.String,
        "number": pl.String,
        "outcome": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
