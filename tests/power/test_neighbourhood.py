"""Who stands around a member."""

from __future__ import annotations

import warnings

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.power import neighbourhood
from crowdvote_analysis.power.neighbourhood import influence_level


def _counted(followings: list[tuple[str, str, str]], voters: list[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # some tags stand in one following alone
        state = cv.SystemState(
            followings=pl.DataFrame(followings, schema=["follower_id", "followee_id", "tags"], orient="row"),
            ballots=pl.DataFrame({"member_id": voters, "tags": ["trees"] * len(voters)}),
            votes=pl.DataFrame({"member_id": voters, "choice_id": ["x"] * len(voters), "stars": [4] * len(voters)}),
        )
    resolution = cv.resolve(state)
    return state, resolution, resolution.decisions["decision_id"].item()


def _steps(found) -> dict[str | None, int]:
    return dict(found.members.select("member_id", "step").iter_rows())


CHAIN = [("Ann", "Ben", "trees"), ("Ben", "Cay", ""), ("Cay", "Dan", "roads; trees"), ("Dan", "Eve", "")]


def test_followers_stand_before_and_followees_behind():
    """Steps count followings, to either side, no further than asked."""
    counted = _counted(CHAIN, ["Eve"])
    assert _steps(neighbourhood(*counted, "Cay")) == {"Cay": 0, "Ben": -1, "Ann": -2, "Dan": 1, "Eve": 2}
    assert _steps(neighbourhood(*counted, "Cay", steps=1)) == {"Cay": 0, "Ben": -1, "Dan": 1}


def test_followings_have_their_tags_and_what_they_gave():
    """A following of somebody who voted is not looked at; others say whether they matched."""
    found = neighbourhood(*_counted(CHAIN, ["Ben", "Eve"]), "Cay")
    name = dict(found.members.select("node", "member_id").iter_rows())
    told = {(name[one], name[other]): (tags, outcome) for one, other, _, tags, outcome in found.followings.iter_rows()}
    assert told == {
        ("Ann", "Ben"): (["trees"], "match"),
        ("Ben", "Cay"): ([], "own ballot"),
        ("Cay", "Dan"): (["roads", "trees"], "match"),
        ("Dan", "Eve"): ([], "match"),
    }


def test_a_loop_is_walked_once():
    """Who is before and behind at the same distance is shown as followee, once."""
    found = neighbourhood(*_counted([("Ann", "Ben", ""), ("Ben", "Ann", ""), ("Ben", "Eve", "")], ["Eve"]), "Ann")
    assert _steps(found) == {"Ann": 0, "Ben": 1, "Eve": 2}
    assert len(found.followings) == 3


def test_too_many_are_put_together():
    """Beyond the bound the least influential are one node, which says how many it stands for."""
    many = [(f"m{number:02}", "Ann", "") for number in range(30)] + [("fan", "m07", "")]
    found = neighbourhood(*_counted(many, ["Ann"]), "Ann", most=5)
    near = found.members.filter(step=-1)
    assert near["members"].to_list() == [1] * 5 + [25]
    assert near["member_id"][0] == "m07"  # the only one with a follower
    assert near["member_id"][5] is None
    assert found.followings.filter(follower=near["node"][5]).select("followings", "tags").rows() == [(25, None)]
    assert found.members.filter(step=-2)["member_id"].to_list() == ["fan"]


def test_one_too_many_is_still_shown():
    """A node for several would take the place of the one it hides."""
    many = [(f"m{number}", "Ann", "") for number in range(6)]
    assert neighbourhood(*_counted(many, ["Ann"]), "Ann", most=5).members["members"].max() == 1


def test_levels_are_thirds_of_the_highest():
    """None, some, much, most: the thirds of the way to the highest influence."""
    ballots = pl.DataFrame(
        {"member_id": list("abcde"), "influence_direct": [0] * 5, "influence_total": [0, 1, 3, 6, 9]}
    )
    assert influence_level(ballots)["level"].to_list() == ["none", "some", "some", "much", "most"]
    nobody = influence_level(ballots.with_columns(influence_total=pl.lit(0)))
    assert set(nobody["level"]) == {"none"}


def test_somebody_else_is_refused():
    """A stranger has no neighbourhood; a bound below 1 shows nothing."""
    counted = _counted(CHAIN, ["Eve"])
    with pytest.raises(cv.UnknownMemberError):
        neighbourhood(*counted, "Zoe")
    with pytest.raises(ValueError, match="steps is 0"):
        neighbourhood(*counted, "Cay", steps=0)
