"""In how many trees of sources a member appears, for members asked for one by one (I2)."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.delegation import trees
from tests.delegation.networks import many, state_of


@pytest.mark.parametrize("cells", [1, 40_000_000])
@pytest.mark.parametrize("cycles", ["path", "equilibrium"])
def test_totals_asked_for_are_those_of_the_whole_count(
    cycles: str, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways of counting trees agree, loops included, some members at a time or all at once."""
    state = state_of(many(cycles, 40, 6000))
    counted = cv.resolve(state).ballots
    monkeypatch.setattr(trees, "LARGEST_COUNTED", 0)
    monkeypatch.setattr(trees, "_CELLS", cells)
    resolution = cv.resolve(state)
    assert resolution.ballots["influence_total"].null_count() == resolution.ballots.height, "left open when too large"
    for (decision,), ballots in counted.group_by("decision_id"):
        asked = resolution.influence_total(str(decision), ballots["member_id"].to_list())
        assert asked.equals(ballots.sort("member_id").select("member_id", "influence_total"))


def test_members_and_decisions_must_be_known() -> None:
    """The error names who is not there."""
    resolution = cv.resolve(state_of(many("path", 1, 1)))
    with pytest.raises(cv.UnknownDecisionError, match="'lunch'"):
        resolution.influence_total("lunch", [])
    decision = resolution.stats["decision_id"][0]
    with pytest.raises(cv.UnknownMemberError, match="'nobody'"):
        resolution.influence_total(decision, ["nobody"])
    assert resolution.influence_total(decision, []).columns == ["member_id", "influence_total"]


def test_an_anonymous_member_of_another_community_is_not_named() -> None:
    """The error says how many are unknown, not who (P1)."""
    members = pl.DataFrame({"community_id": ["a", "b"], "member_id": ["ada", "secret"], "is_anonymous": [False, True]})
    decisions = pl.DataFrame({"community_id": ["a"], "decision_id": ["lunch"]})
    resolution = cv.resolve(cv.SystemState(members=members, decisions=decisions))
    with pytest.raises(cv.UnknownMemberError, match="1 of the 1 members") as caught:
        resolution.influence_total("lunch", ["secret"])
    assert "secret" not in str(caught.value)
    with pytest.raises(TypeError, match="list of member ids"):
        resolution.influence_total("lunch", "ada")
