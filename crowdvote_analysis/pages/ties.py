"""How a tie was broken, or why it was not: its steps in plain words (K4 to K7), for pages and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.charts import tie_steps
from crowdvote_analysis.pages import html_rows
from crowdvote_analysis.star.steps import RULE_NAMES

if TYPE_CHECKING:
    from crowdvote_analysis.star import StarTally

_NAMES = ("Step", "Stage", "What is compared", "Choice", "Number", "What came of it")
# What the steps compare, for people who have not read the rules.
_COMPARED = {
    RULE_NAMES["sum"]: "total stars",
    RULE_NAMES["prefs"]: "ballots that give it more stars than another one compared here",
    RULE_NAMES["losses"]: "others compared here that more ballots prefer (fewest is best)",
    RULE_NAMES["max_count"]: "five-star ballots",
    RULE_NAMES["runoff"]: "ballots that give it more stars than the other one",
    RULE_NAMES["manager"]: "place in the order that the manager gave",
}


def tie_words(tally: StarTally) -> str:
    """Say how a tie is broken, before its steps (K4 to K7)."""
    steps = tie_steps(tally)["step"]
    before = (
        " Steps have their numbers in the whole count; those before the tie are left out." if 1 not in steps else ""
    )
    return (
        "Where choices are level, the next step compares something else, and only those still tied. What is compared, "
        f"and in which order, is the tie protocol “{tally.protocol}”.{before}"
    )


def tie_rows(tally: StarTally) -> pl.DataFrame:
    """Every step of a tie: Step, Stage, What is compared, Choice, Number, What came of it; see ``charts.tie_steps``.

    It has no rows where nothing was tied.
    """
    steps = tie_steps(tally).with_columns(pl.col("counted").replace_strict(_COMPARED))
    return steps.rename(dict(zip(steps.columns, _NAMES, strict=True)))


def tie_table(tally: StarTally) -> str:
    """The rows of a tie as a table."""
    rows = tie_rows(tally)
    return html_rows.table(rows.columns, rows.iter_rows(), right=("Number",))
