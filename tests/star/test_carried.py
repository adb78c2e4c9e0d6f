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
            before = carried.filter(carried > carried.min())
            assert before.sum() < tally.runoff.margin, "they would have been enough without the last"
        compared += 1
    assert compared > 5


def test_equal_leads_carry_together() -> None:
    """Where one of two equal leads would be enough, neither is named before the other."""
    votes = [("ann", "x", 5), ("bob", "x", 5), ("cy", "y", 5)]
    frame = pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row")
    resolution = cv.resolve(cv.SystemState(votes=frame))
    shares = cv.runoff_shares(resolution, cv.tally_star(resolution))
    assert shares.select("member_id", "carries").rows() == [("ann", True), ("bob", True), ("cy", False)]


def test_dust_of_floats_makes_nobody_carry() -> None:
    """In a loop of the equilibrium rule a lead of 3.999… makes up a margin of 4."""
    followings = [("a", "v1"), ("a", "b"), ("b", "c"), ("b", "v1"), ("c", "a")]
    votes = [("v1", "x", 5), ("v1", "y", 0), ("v2", "x", 5), ("v2", "y", 0), ("v3", "x", 0), ("v3", "y", 5)]
    state = cv.SystemState(
        followings=pl.DataFrame(followings, schema=["follower_id", "followee_id"], orient="row"),
        votes=pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
    )
    for cycles in ("path", "equilibrium"):
        resolution = cv.resolve(state, cycles=cycles)
        shares = cv.runoff_shares(resolution, cv.tally_star(resolution))
        assert shares.filter("carries")["member_id"].to_list() == ["v1"]


def test_a_tally_of_other_ballots_is_refused(followed: cv.Resolution) -> None:
    """Numbers of two elections are not mixed, whether their choices are the same or not."""
    for choices in (["x", "y"], ["p", "q"]):
        other = cv.tally_star_ballots(pl.DataFrame({choices[0]: [5], choices[1]: [0]}))
        with pytest.raises(cv.InvalidElectionError, match="the tally is not of the ballots of this resolution"):
            cv.runoff_shares(followed, other)


def test_all_decisions_are_taken_apart_at_once() -> None:
    """Several tallies give the rows of each, one after the other."""
    resolution = cv.resolve(state_of(many("path", 6, 7100)))
    tallies = cv.tally_each(resolution)
    singly = pl.concat([cv.runoff_shares(resolution, tally) for tally in tallies.values()])
    assert singly.height > 5
    assert cv.runoff_shares(resolution, tallies.values()).equals(singly)
