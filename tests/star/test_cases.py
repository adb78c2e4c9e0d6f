"""The worked answers of ../shared/cases/star.json, every one of them completely."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crowdvote_analysis.errors import UnresolvedTieError
from crowdvote_analysis.star import StarTally, tally_star_votes

from .elections import votes_of

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "star.json"
CASES: dict[str, list[dict[str, Any]]] = (
    json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {"integer": [], "fractional": []}
)
NAMES = [(kind, case["id"]) for kind in ("integer", "fractional") for case in CASES[kind]]

pytestmark = pytest.mark.skipif(not NAMES, reason=f"no worked answers at {PATH}")


def case_of(kind: str, name: str) -> dict[str, Any]:
    """Find a case by its id."""
    return next(case for case in CASES[kind] if case["id"] == name)


def votes_in(case: dict[str, Any]) -> pl.DataFrame:
    """Write the ballots of a case as votes."""
    # A blank ballot is one of zeros: somebody without any row in the votes has not voted at all.
    blank = dict.fromkeys(case["candidates"], 0)
    return votes_of([ballot or blank for ballot in case["ballots"]], case.get("counts"))


def tally_of(case: dict[str, Any]) -> StarTally:
    """Tally a case; an unresolved tie is returned."""
    return tally_star_votes(votes_in(case), case["candidates"], on_tie="return")


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_scores_are_the_worked_totals(kind: str, name: str) -> None:
    """Every choice has exactly the total of the worked answer."""
    case = case_of(kind, name)
    totals = dict(tally_of(case).scores.select("choice_id", "total").iter_rows())
    assert totals == {choice: Decimal(total) for choice, total in case["expected"]["scores_total"].items()}


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_the_steps_lead_to_the_worked_winner(kind: str, name: str) -> None:
    """Steps, finalists, runoff, winner and who could win are those of the worked answer."""
    case = case_of(kind, name)
    expected, tally = case["expected"], tally_of(case)
    assert [step.rule for step in tally.steps] == expected["steps"]
    assert list(tally.finalists) == (expected["finalists"] or [])
    assert tally.winner == expected["winner"]
    assert sorted(tally.possible_winners) == sorted(expected["possible_winners"])
    runoff = tally.runoff and {"votes": tally.runoff.votes, "no_preference": tally.runoff.no_preference}
    assert runoff == expected["runoff"]
    assert tally.vote_count == sum(case.get("counts", [1] * len(case["ballots"])))


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_an_unresolved_tie_is_raised_as_worked_out(kind: str, name: str) -> None:
    """The error names who is tied, for how many places and where; a decided election raises nothing."""
    case = case_of(kind, name)
    expected = case["expected"]
    if expected["winner"] is not None:
        assert tally_star_votes(votes_in(case), case["candidates"]).winner == expected["winner"]
        return
    with pytest.raises(UnresolvedTieError) as caught:
        tally_star_votes(votes_in(case), case["candidates"])
    tie = caught.value
    assert sorted(tie.tied) == sorted(expected["tied"])
    assert tie.places == expected["desired"]
    assert tie.stage == expected["stage"]
    assert sorted(tie.possible_winners) == sorted(expected["possible_winners"])
    assert tie.log == tally_of(case).log


@pytest.mark.parametrize("name", [name for kind, name in NAMES if kind == "integer"])
def test_preferences_and_five_star_ballots_are_the_worked_matrices(name: str) -> None:
    """All pairwise preferences and five-star counts are those of the worked answer."""
    case = case_of("integer", name)
    tally = tally_of(case)
    preferred = {(a, b): ballots for a, b, ballots in tally.preferences.iter_rows()}
    worked = case["matrices"]["preferred"]
    assert preferred == {(a, b): worked[a][b] for a in worked for b in worked[a] if a != b}
    assert dict(tally.scores.select("choice_id", "five_star_count").iter_rows()) == case["matrices"]["five_star"]


@pytest.mark.parametrize("name", [name for kind, name in NAMES if kind == "integer"])
def test_the_kind_of_the_stars_column_changes_nothing(name: str) -> None:
    """Whole stars give the same tally as integers, as Decimal and as text."""
    case = case_of("integer", name)
    votes = votes_in(case)
    answers = [
        tally_star_votes(votes.cast({"stars": kind}), case["candidates"], on_tie="return").to_dict()
        for kind in (pl.UInt8(), pl.Decimal(9, 8), pl.Decimal(3, 1), pl.Decimal(20, 12), pl.String())
    ]
    assert all(answer == tally_of(case).to_dict() for answer in answers)
