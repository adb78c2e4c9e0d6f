"""Protocol `starvote` against the library it is named after (K4)."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import starvote
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis.star import tally_all_ballots, tally_all_votes, tally_star_votes

from .elections import votes_of

UNITS_PER_STAR = 10**8
# Headings of the library's report, in our words for the steps.
STEPS = {
    "Scoring Round": "sum",
    "Scoring Round: First tiebreaker": "prefs",
    "Scoring Round: Second tiebreaker": "max_count",
    "Automatic Runoff Round": "runoff",
    "Automatic Runoff Round: First tiebreaker": "sum",
    "Automatic Runoff Round: Second tiebreaker": "max_count",
}
Answer = tuple[str | None, list[str], int | None, list[str]]


def answer_of_starvote(ballots: list[dict[str, int]], most: int) -> Answer:
    """Winner, tied, open places and steps, as the library tells them without a tiebreaker."""
    report: list[str] = []
    winner, tied, places = None, [], None
    try:
        # The library spells a lone winner letter by letter, hence choices of one letter in this file.
        (winner,) = starvote.star_voting(
            ballots,
            maximum_score=most,
            tiebreaker=None,
            verbosity=1,
            print=lambda *words, **_: report.append(" ".join(map(str, words))),
        )
    except starvote.UnbreakableTieError as tie:
        tied, places = sorted(tie.candidates), tie.desired
    headings = re.findall(r"\[STAR Voting: (.*)\]", "\n".join(report))
    return winner, tied, places, [STEPS[heading] for heading in headings if heading in STEPS]


def answer_of_ours(votes: pl.DataFrame, choices: list[str]) -> Answer:
    tally = tally_star_votes(votes, choices, on_tie="return")
    tied, places = (sorted(tally.tie.tied), tally.tie.places) if tally.tie else ([], None)
    return tally.winner, tied, places, [step.rule for step in tally.steps]


@st.composite
def elections(draw: st.DrawFn, levels: list[list[int]]) -> list[dict[str, int]]:
    """Ballots over up to six choices; some elections are made symmetric, so that ties go deep."""
    choices = "abcdef"[: draw(st.integers(1, 6))]
    stars = st.sampled_from(draw(st.sampled_from(levels)))
    ballots = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(choices, stars)), min_size=1, max_size=12))
    if draw(st.booleans()):
        turned = dict(zip(choices, choices[1:] + choices[0], strict=True))
        ballots += [{turned[choice]: given for choice, given in ballot.items()} for ballot in ballots]
    return ballots


def without_some_zeros(ballots: list[dict[str, Any]], keep: int) -> list[dict[str, Any]]:
    """Leave out zeros of all but every keep-th ballot; the first rating stays, so that it remains a ballot."""
    return [
        {choice: stars for choice, stars in ballot.items() if stars or number % keep == 0 or choice == "a"}
        for number, ballot in enumerate(ballots)
    ]


@pytest.mark.slow
@settings(max_examples=250)
@given(elections([[0, 5], [0, 1], [4, 5], [0, 0, 5], [0, 1, 2, 3, 4, 5]]), st.integers(1, 3))
def test_whole_stars_give_the_answer_of_the_library(ballots: list[dict[str, int]], keep: int) -> None:
    """Winner, unresolved ties and every step agree, with blanks left out on our side."""
    choices = list(ballots[0])
    ours = answer_of_ours(votes_of(without_some_zeros(ballots, keep)), choices)
    assert ours == answer_of_starvote(ballots, 5)


@pytest.mark.slow
@settings(max_examples=250)
@given(
    elections(
        [
            [0, 333_333_333, 166_666_667, 500_000_000],
            [500_000_000, 499_999_999],
            [0, 1, 2, 500_000_000],
            [250_000_000, 271_428_571, 266_666_667],
        ]
    ),
    st.integers(1, 3),
)
def test_fractions_of_stars_give_the_answer_of_the_library(ballots: list[dict[str, int]], keep: int) -> None:
    """Stars of 8 decimals are to us what 1e8 times as many points are to the library."""
    choices = list(ballots[0])
    stars = [
        {choice: Decimal(units) / UNITS_PER_STAR for choice, units in ballot.items()}
        for ballot in without_some_zeros(ballots, keep)
    ]
    ours = answer_of_ours(votes_of(stars, kind=pl.Decimal(9, 8)), choices)
    assert ours == answer_of_starvote(ballots, 5 * UNITS_PER_STAR)


ELECTIONS = 10_000
Result = tuple[str | None, list[str], int | None]


def drawn(seed: int, levels: list[list[int]]) -> list[list[dict[str, int]]]:
    """Elections of up to six choices and ten ballots, most of them with ties somewhere."""
    draw = random.Random(seed)
    elections = []
    for _ in range(ELECTIONS):
        choices, stars = "abcdef"[: draw.randint(1, 6)], draw.choice(levels)
        ballots = [{choice: draw.choice(stars) for choice in choices} for _ in range(draw.randint(1, 10))]
        if draw.random() < 0.3:
            turned = dict(zip(choices, choices[1:] + choices[0], strict=True))
            ballots += [{turned[choice]: given for choice, given in ballot.items()} for ballot in ballots]
        elections.append(ballots)
    return elections


def result_of_starvote(ballots: list[dict[str, int]], most: int) -> Result:
    try:
        (winner,) = starvote.star_voting(ballots, maximum_score=most, tiebreaker=None, verbosity=0)
    except starvote.UnbreakableTieError as tie:
        return None, sorted(tie.candidates), tie.desired
    return winner, [], None


def results_of(tallies: pl.DataFrame) -> dict[str, Result]:
    rows = tallies.select("decision_id", "winner", pl.col("tied").list.sort(), "places").iter_rows()
    return {decision: (winner, tied, places) for decision, winner, tied, places in rows}


@pytest.mark.slow
def test_tens_of_thousands_of_elections_of_whole_stars() -> None:
    """Winner and unresolved ties of every one are those of the library, in both forms of votes, blanks left out."""
    elections = drawn(1, [[0, 5], [0, 1], [4, 5], [0, 0, 5], [0, 1, 2, 3, 4, 5]])
    rows = [
        (f"{number:05d}", place, choice, stars)
        for number, ballots in enumerate(elections)
        for place, ballot in enumerate(ballots)
        for choice, stars in ballot.items()
    ]
    votes = pl.DataFrame(rows, schema=["decision_id", "member_id", "choice_id", "stars"], orient="row")
    choices = votes.select("decision_id", "choice_id").unique().sort("decision_id", "choice_id")
    # A zero says the same as nothing, as long as something of the ballot is left.
    blank = (pl.col("stars") == 0) & (pl.col("member_id") % 2 == 0) & (pl.col("choice_id") != "a")
    long = results_of(tally_all_votes(votes.filter(~blank), choices))
    wide = results_of(tally_all_ballots(votes.pivot("choice_id", index=["decision_id", "member_id"], values="stars")))
    expected = {f"{number:05d}": result_of_starvote(ballots, 5) for number, ballots in enumerate(elections)}
    assert long == expected
    assert wide == expected
    tied = sum(winner is None for winner, _, _ in expected.values())
    assert ELECTIONS / 20 < tied < ELECTIONS / 2, "ties have to be common for this to mean something"


@pytest.mark.slow
def test_tens_of_thousands_of_elections_of_fractions() -> None:
    """With stars of 8 decimals the answers are those of the library on 1e8 times as many points."""
    thirds = [0, 333_333_333, 166_666_667, 500_000_000]
    elections = drawn(2, [thirds, [500_000_000, 499_999_999], [0, 1, 2, 500_000_000], [250_000_000, 271_428_571]])
    rows = [
        (f"{number:05d}", place, choice, Decimal(units) / UNITS_PER_STAR)
        for number, ballots in enumerate(elections)
        for place, ballot in enumerate(ballots)
        for choice, units in ballot.items()
    ]
    schema = {"decision_id": pl.String, "member_id": pl.Int64, "choice_id": pl.String, "stars": pl.Decimal(9, 8)}
    ours = results_of(tally_all_votes(pl.DataFrame(rows, schema=schema, orient="row")))
    assert ours == {
        f"{number:05d}": result_of_starvote(ballots, 5 * UNITS_PER_STAR) for number, ballots in enumerate(elections)
    }
