"""Who carried the runoff: its votes handed back to the manual voters they are made of."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.delegation.networks import many, state_of


@pytest.fixture(scope="module")
def followed() -> cv.Resolution:
    """Ada and Bo vote; Cy and Dot follow Ada, Eva follows both; Fay is a lobbyist who follows Bo."""
    followings = [("cy", "ada"), ("dot", "ada"), ("eva", "ada"), ("eva", "bo"), ("fay", "bo")]
    return cv.resolve(
        cv.SystemState(
            members=pl.DataFrame(
                {"member_id": ["ada", "bo", "cy", "dot", "eva", "fay"], "is_voter": [True] * 5 + [False]}
            ),
            followings=pl.DataFrame(followings, schema=["follower_id", "followee_id"], orient="row"),
            votes=pl.DataFrame(
                {"member_id": ["ada", "ada", "bo", "bo"], "choice_id": ["x", "y"] * 2, "stars": [5, 0, 1, 4]}
            ),
        )
    )


def test_votes_of_the_runoff_go_back_to_those_who_cast_them(followed: cv.Resolution) -> None:
    """Cy's and Dot's votes are Ada's, half of Eva's is Bo's, and the lobbyist's is nobody's."""
    shares = cv.runoff_shares(followed, cv.tally_star(followed))
    columns = ["member_id", "for_winner", "for_runner_up", "no_preference", "lead", "carries"]
    half = Decimal("0.5")
    assert shares.select(columns).rows() == [
        ("ada", 3 + half, 0, 0, 3 + half, True),
        ("bo", half, 1, 0, -half, False),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_sum_to_the_runoff_exactly(seed: int) -> None:
    """Under the path rule no part of any vote is lost."""
    resolution = cv.resolve(state_of(many("path", 20, 7000 + seed)))
    compared = 0
    for tally in cv.tally_each(resolution).values():
        shares = cv.runoff_shares(resolution, tally)
        if tally.runoff is None:
            assert shares.height == 0
            continue
        first = tally.winner or tally.finalists[0]
        votes = tally.runoff.votes
        others = [votes[choice] for choice in tally.finalists if choice != first]
        sums = shares.select(pl.col("for_winner", "for_runner_up", "no_preference").sum()).row(0)
        assert list(sums) == [votes[first], *others, tally.runoff.no_preference]
        carried = shares.filter("carries")["lead"]
        assert carried.sum() >= tally.runoff.margin
        if len(carried):
            assert carried[:-1].sum() < tally.runoff.margin, "one fewer would not have been enough"
        compared += 1
    assert compared > 5
