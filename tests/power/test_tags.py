"""By which tags ballots were inherited."""

from __future__ import annotations

import warnings

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.power import tag_power
from tests.delegation.networks import many, state_of


@pytest.fixture(scope="module")
def small():
    """Cay follows Ann on two tags that match and Ben on ALL, Dan follows Cay; Eve votes herself, Lou is a lobbyist."""
    with pytest.warns(cv.TableWarning, match="'roads'"):
        return cv.SystemState(
            members=pl.DataFrame(
                {"member_id": ["Ann", "Ben", "Cay", "Dan", "Eve", "Lou"], "is_voter": [True] * 5 + [False]}
            ),
            followings=pl.DataFrame(
                {
                    "follower_id": ["Cay", "Cay", "Dan", "Eve", "Lou"],
                    "followee_id": ["Ann", "Ben", "Cay", "Ann", "Ann"],
                    "tags": ["trees; budget; roads", "", "trees", "trees", "trees"],
                }
            ),
            ballots=pl.DataFrame({"member_id": ["Ann", "Ben", "Eve"], "tags": ["trees; budget", "schools", ""]}),
            votes=pl.DataFrame({"member_id": ["Ann", "Ben", "Eve"], "choice_id": ["x"] * 3, "stars": [5, 1, 2]}),
        )


def test_worked_by_hand(small):
    """Cay is half ALL and a quarter each of two tags, Dan is all trees; lobbyists and manual voters do not count."""
    resolution = cv.resolve(small)
    power = tag_power(resolution, resolution.decisions["decision_id"].item())
    assert power.rows() == [
        ("trees", 2, 1.25, 0.625),
        (None, 1, 0.5, 0.25),
        ("budget", 1, 0.25, 0.125),
    ]


@pytest.mark.parametrize("cycles", ["path", "equilibrium"])
def test_parts_make_up_the_calculated_ballots(cycles):
    """Whatever the network, every calculated ballot that is tallied is split without a rest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        resolution = cv.resolve(state_of(many(cycles, 60, 77)))
    calculated = dict(resolution.stats.select("decision_id", "calculated_ballots").iter_rows())
    assert sum(calculated.values()) > 20
    for decision, number in calculated.items():
        power = tag_power(resolution, decision)
        assert power["ballots"].sum() == pytest.approx(number)
        assert power["share"].sum() == pytest.approx(1 if number else 0)
