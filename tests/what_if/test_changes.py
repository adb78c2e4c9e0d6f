"""Changes to try out."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.what_if import CastBallot, Follow, TagBallot, Unfollow, WithdrawBallot, changed_state


@pytest.fixture
def state():
    return cv.SystemState(
        members=pl.DataFrame(
            {"member_id": ["Ann", "Ben", "Cay"], "is_anonymous": [False, False, True], "display_name": list("ABC")}
        ),
        followings=pl.DataFrame({"follower_id": ["Ben"], "followee_id": ["Ann"], "tags": ["trees"]}),
        decisions=pl.DataFrame({"decision_id": ["green", "blue"]}),
        choices=pl.DataFrame({"decision_id": ["green", "green", "blue"], "choice_id": ["x", "y", "x"]}),
        ballots=pl.DataFrame({"decision_id": ["green", "blue"], "member_id": ["Ann", "Ann"], "tags": ["trees", ""]}),
        votes=pl.DataFrame(
            {"decision_id": ["green", "blue"], "member_id": ["Ann"] * 2, "choice_id": ["x", "x"], "stars": [5, 1]}
        ),
    )


def _votes(state: cv.SystemState, decision: str = "green") -> set[tuple]:
    return set(state.votes.filter(decision_id=decision).select("member_id", "choice_id", "stars").rows())


def test_a_ballot_is_cast_whole(state):
    """A new ballot takes the place of the old one, stars that are not named included; other decisions keep theirs."""
    changed = changed_state(state, "green", [CastBallot("Ann", {"y": "2.5"}, (" Roads", "trees"))])
    assert _votes(changed) == {("Ann", "y", Decimal("2.5"))}
    assert changed.ballots.filter(decision_id="green")["tags"].to_list() == [["roads", "trees"]]  # T5
    assert _votes(changed, "blue") == {("Ann", "x", Decimal(1))}
    assert _votes(state) == {("Ann", "x", Decimal(5))}


def test_a_ballot_is_withdrawn_with_its_stars(state):
    """Who had not voted has no ballot in this decision, and keeps those in others."""
    changed = changed_state(state, "green", [WithdrawBallot("Ann")])
    assert _votes(changed) == set()
    assert changed.ballots["decision_id"].to_list() == ["blue"]


def test_tags_of_a_ballot_change_alone(state):
    """The stars of a ballot with other tags stay."""
    changed = changed_state(state, "green", [TagBallot("Ann", ("roads",))])
    assert changed.ballots.filter(decision_id="green")["tags"].to_list() == [["roads"]]
    assert _votes(changed) == _votes(state)


def test_followings_are_replaced_and_removed(state):
    """Following somebody again replaces the tags; unfollowing ends it."""
    again = changed_state(state, "green", [Follow("Ben", "Ann"), Follow("Cay", "Ben", ("trees",))])
    assert again.followings.select("follower_id", "tags").sort("follower_id").rows() == [
        ("Ben", []),
        ("Cay", ["trees"]),
    ]
    assert changed_state(again, "green", [Unfollow("Ben", "Ann")]).followings["follower_id"].to_list() == ["Cay"]


def test_changes_follow_one_another(state):
    """A later change sees what an earlier one did."""
    changed = changed_state(state, "green", [CastBallot("Ben", {"x": 1}), TagBallot("Ben", ("roads",))])
    assert changed.ballots.filter(member_id="Ben")["tags"].to_list() == [["roads"]]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (WithdrawBallot("Ben"), cv.UnknownMemberError, "no ballot to withdraw"),
        (TagBallot("Ben", ("trees",)), cv.UnknownMemberError, "no ballot to tag"),
        (Unfollow("Ann", "Ben"), cv.UnknownMemberError, "does not follow"),
        (CastBallot("Zoe", {"x": 1}), cv.UnknownMemberError, "not a member"),
        (Follow("Ann", "Zoe"), cv.UnknownMemberError, "not a member"),
        (Follow("Ann", "Ann"), cv.InvalidTableError, "D8"),
        (CastBallot("Ben", {"x": "5.5"}), cv.InvalidTableError, "stars"),
        (CastBallot("Ben", {"z": 1}), cv.InvalidTableError, "no choice 'z'"),
        (CastBallot("Ben", {"x": 0.1}), TypeError, "D10"),
    ],
)
def test_what_cannot_be_is_refused(state, change, error, words):
    """A change that no table could hold says why."""
    with pytest.raises(error, match=words):
        changed_state(state, "green", [change])


def test_refusals_do_not_name_anonymous_members(state):
    """A member without a ballot may be anonymous, so errors leave the name out (P1)."""
    for change in (WithdrawBallot("Cay"), Unfollow("Cay", "Ann"), CastBallot("Cay", {"x": 7})):
        with pytest.raises(cv.CrowdVoteError) as refused:
            changed_state(state, "green", [change])
        assert "Cay" not in str(refused.value)


def test_an_unknown_decision_is_refused(state):
    """Only decisions with stars can be changed."""
    with pytest.raises(cv.UnknownDecisionError, match="'red'"):
        changed_state(state, "red", [])
