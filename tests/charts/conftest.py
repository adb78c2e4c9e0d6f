from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.what_if import Comparison, WithdrawBallot, what_if


@pytest.fixture(scope="session")
def demo() -> cv.SystemState:
    return cv.SystemState.read(demo_folder())


@pytest.fixture(scope="session")
def counted(demo) -> cv.Resolution:
    return cv.resolve(demo)


@pytest.fixture(scope="session")
def names(demo) -> pl.DataFrame:
    return public_names(demo)


@pytest.fixture(scope="session")
def here(names) -> pl.DataFrame:
    """The members of the community that the tests look at."""
    return names.filter(community_id="riverside")


@pytest.fixture(scope="session")
def secrets(demo) -> set[str]:
    """What must not be told of the anonymous members of that community."""
    hidden = demo.members.filter("is_anonymous", community_id="riverside")
    return {text.lower() for text in [*hidden["member_id"], *hidden["display_name"]]}


@pytest.fixture(scope="session")
def green(demo, counted) -> Comparison:
    """What comes out when the one who carries most has not voted."""
    return what_if(demo, counted, "village-green", [WithdrawBallot("kelly")])


@pytest.fixture(scope="session")
def tally(counted):
    return lambda decision: cv.tally_star(counted, decision, on_tie="return")


@pytest.fixture
def vote():
    """A tally of ballots as dicts of stars by choice."""

    def tally_of(*ballots: dict[str, int], **kwargs) -> cv.StarTally:
        rows = [
            (f"m{number}", choice, stars) for number, ballot in enumerate(ballots) for choice, stars in ballot.items()
        ]
        votes = pl.DataFrame(rows, schema=["member_id", "choice_id", "stars"], orient="row")
        return cv.tally_star_votes(votes, on_tie="return", **kwargs)

    return tally_of
