"""One decision under every rule for loops, in a table and a sentence."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import UnknownDecisionError
from crowdvote_analysis.what_if import loop_rules_in_words
from tests.explanation.test_lineage import clique, community

TITLES = {"X": "Pond", "Y": "Swings"}


def compared(*rows: dict[str, Any]) -> pl.DataFrame:
    kinds = {"winner": pl.String, "finalists": pl.List(pl.String), "possible_winners": pl.List(pl.String)}
    more = {"rule": pl.String, "status": pl.String, "margin": pl.Int64, "ballots_that_differ": pl.Int64}
    return pl.DataFrame(rows, schema=more | kinds)


def row(rule: str, winner: str | None = "X", differ: int = 0, **more: Any) -> dict[str, Any]:
    return {"rule": rule, "status": "decided", "winner": winner, "ballots_that_differ": differ, **more}


REFUSED = {"rule": "path", "status": "refused"}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            [row("path"), row("equilibrium")],
            "The rule for loops makes no difference here: every rule gives the same ballots.",
        ),
        (
            [row("path"), row("equilibrium", differ=1)],
            "The rule for loops does not matter for the winner here (1 ballot differs at the most between the rules).",
        ),
        (
            [row("path"), row("equilibrium", "Y", 12)],
            "The rule for loops matters here: by the rule “equilibrium” Swings would win.",
        ),
        (
            [row("path", None, 2, possible_winners=["X", "Y"]), row("equilibrium", "Y", 12)],
            "The rule for loops matters here: by the rule “path” a tie would be left between Pond, Swings and by the "
            "rule “equilibrium” Swings would win.",
        ),
        (
            [REFUSED, row("equilibrium")],
            "Whether the rule for loops matters for the winner is not known here. What the rule “path” would give "
            "takes too much work to say.",
        ),
        (
            [REFUSED, row("equilibrium", differ=5)],
            "By the rule “equilibrium” the winner would be the same (5 ballots differ). What the rule “path” would "
            "give takes too much work to say.",
        ),
    ],
)
def test_a_sentence_says_whether_the_rule_matters(others: list[dict[str, Any]], said: str) -> None:
    """Nothing is said of a rule that could not be counted by (Y3)."""
    assert loop_rules_in_words(compared(row("auto-1"), *others), TITLES) == said


def test_each_rule_has_a_row_and_the_own_one_comes_first() -> None:
    """Ballots that differ are held against the rule of the decision, and what takes too much work is refused (Y6)."""
    state = community([*clique(8), ("k0", "v"), ("k3", "w"), ("a", "b"), ("b", "a"), ("a", "v"), ("b", "w")], {
        "v": "1", "w": "5"
    }, "auto")  # fmt: skip
    rows = {each["rule"]: each for each in cv.compare_loop_rules(state, "d").to_dicts()}
    assert list(rows) == ["auto-1", "path", "equilibrium"]
    assert {name: each["ballots_that_differ"] for name, each in rows.items()} == {
        "auto-1": 0,
        "path": 2,
        "equilibrium": 2,
    }
    few = cv.compare_loop_rules(state, "d", work_limit=3)
    assert few.filter(rule="path")["status"].item() == "refused"
    with pytest.raises(UnknownDecisionError):
        cv.compare_loop_rules(state, "nothing")
