"""How a tie was broken, in words."""

from __future__ import annotations

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis.charts import tie_steps


def test_no_tie_no_steps(tally):
    """A count without a tie has nothing to tell here."""
    assert tie_steps(tally("village-green")).is_empty()


def test_broken_tie_shows_what_broke_it(tally):
    """The tied step and the one that ended the tie are listed, best first, with titles."""
    assert tie_steps(tally("sports-day")).drop("stage").rows() == [
        (1, "total score", "A Saturday in June", "46", "advanced"),
        (1, "total score", "A Friday in May", "33", "tied"),
        (1, "total score", "The last day of term", "33", "tied"),
        (2, "preferences", "A Friday in May", "7", "advanced"),
        (2, "preferences", "The last day of term", "5", "out"),
    ]


def test_unresolved_tie_shows_every_step(tally):
    """All steps that left the tie open are listed."""
    steps = tie_steps(tally("bench-colour"))
    assert steps["outcome"].unique().to_list() == ["tied"]
    assert steps["counted"].unique(maintain_order=True).to_list() == [
        "ballots that prefer it",
        "total score",
        "five-star ballots",
    ]


def test_runoff_after_a_scoring_tie_is_no_tie(vote):
    """A tie while scoring does not make a step of the plain runoff after it."""
    ballots = [(5, 3, 3), (5, 4, 3), (5, 3, 4), (5, 5, 5)]
    result = vote(*(dict(zip("abc", stars, strict=True)) for stars in ballots))
    assert set(tie_steps(result)["stage"]) == {"Score phase"}


def test_numbers_are_exact():
    """Stars are written with every place they have and no more."""
    votes = [("m", choice, stars) for choice, stars in (("a", "5"), ("b", "3.12345678"), ("c", "3.12345678"))]
    frame = pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row")
    steps = tie_steps(cv.tally_star_votes(frame, on_tie="return"))
    assert steps.filter(step=1)["number"].to_list() == ["5", "3.12345678", "3.12345678"]
