"""Two counts of one decision side by side, and who is pivotal."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.what_if import (
    CastBallot,
    Follow,
    TagBallot,
    Unfollow,
    WithdrawBallot,
    changed_state,
    compare,
    what_if,
    without_each,
)

FRAMES = ("ballots", "stars", "scores")


@pytest.fixture(scope="module")
def demo():
    return cv.SystemState.read(demo_folder())


@pytest.fixture(scope="module")
def green(demo):
    return cv.resolve(demo, ["village-green"])


@pytest.fixture
def small():
    """Ann and Ben vote, Cay follows Ann on trees: Ann's side has two of three ballots."""
    return cv.SystemState(
        followings=pl.DataFrame({"follower_id": ["Cay", "Ann"], "followee_id": ["Ann", "Ben"], "tags": ["trees", ""]}),
        ballots=pl.DataFrame({"member_id": ["Ann", "Ben"], "tags": ["trees", ""]}),
        votes=pl.DataFrame(
            {"member_id": ["Ann", "Ann", "Ben", "Ben"], "choice_id": ["x", "y"] * 2, "stars": [5, 0, 0, 4]}
        ),
    )


def _try(state, *changes, **kwargs):
    (decision,) = state.decisions["decision_id"]
    return what_if(state, cv.resolve(state), decision, changes, **kwargs)


def test_nothing_changes_without_a_change(small):
    """The same count twice has nothing to tell apart."""
    found = _try(small)
    assert found.ballots.is_empty()
    assert found.stars.is_empty()
    assert not found.winner_changes
    assert (found.scores["total_before"] == found.scores["total_after"]).all()


def test_a_tag_turns_the_result(small):
    """When Ann's ballot has another tag, Cay has no ballot any more, and the result is a tie in the runoff."""
    found = _try(small, TagBallot("Ann", ("roads",)))
    assert found.ballots.select("member_id", "origin_before", "origin_after").rows() == [
        ("Ann", "manual", "manual"),
        ("Cay", "calculated", "none"),
    ]
    assert found.stars.rows() == [("Cay", "x", Decimal(5), None), ("Cay", "y", Decimal(0), None)]
    assert found.scores.select("choice_id", "total_before", "total_after").rows() == [
        ("x", Decimal(10), Decimal(5)),
        ("y", Decimal(4), Decimal(4)),
    ]
    assert (found.before.runoff.votes, found.after.runoff.votes) == ({"x": 2, "y": 1}, {"x": 1, "y": 1})


def test_who_had_not_voted_inherits(small):
    """Without her ballot Ann follows Ben, and Cay, whose tag is gone, has none: the other choice wins."""
    found = _try(small, WithdrawBallot("Ann"))
    assert dict(found.ballots.select("member_id", "origin_after").iter_rows()) == {"Ann": "calculated", "Cay": "none"}
    assert (found.before.winner, found.after.winner, found.winner_changes) == ("x", "y", True)


def test_no_ballot_left_is_no_error(small):
    """Where nothing can be tallied any more, the tally after is none, and all scores are 0."""
    found = _try(small, WithdrawBallot("Ann"), WithdrawBallot("Ben"))
    assert found.after is None
    assert found.winner_changes
    assert found.scores["total_after"].to_list() == [0, 0]
    assert found.scores["title"].to_list() == ["x", "y"]


@pytest.mark.parametrize(
    "changes",
    [
        [WithdrawBallot("kelly")],
        [TagBallot("kelly", ("schools",)), Unfollow("carol", "victor")],
        [Follow("grace", "jack", ("budget",)), CastBallot("ben", {"meadow": "4.5"}, ("budget",))],
        [Follow("kelly", "olivia"), WithdrawBallot("kelly"), WithdrawBallot("jack")],
    ],
)
@pytest.mark.parametrize("cycles", [None, "equilibrium"])
def test_a_change_is_counted_as_if_it_had_been_so(demo, green, changes, cycles):
    """What only the affected members are counted for equals a count of the changed tables from the start (E2)."""
    found = what_if(demo, green, "village-green", changes, cycles=cycles)
    afresh = cv.resolve(changed_state(demo, "village-green", changes), ["village-green"], cycles)
    expected = compare(green, afresh, "village-green")
    for name in FRAMES:
        assert_frame_equal(getattr(found, name), getattr(expected, name))
    assert found.after.log == expected.after.log
    assert not found.ballots.is_empty()


def test_the_tie_protocol_can_be_tried():
    """The same ballots under another protocol: what was a tie may have a winner."""
    state = cv.SystemState(
        votes=pl.DataFrame(
            [
                (f"m{row}", choice, stars)
                for row, ballot in enumerate(["5400", "0504", "4050", "0045"])
                for choice, stars in zip("abcd", map(int, ballot), strict=True)
            ],
            schema=["member_id", "choice_id", "stars"],
            orient="row",
        )
    )
    found = _try(state, protocol="losses")
    assert (found.before.protocol, found.after.protocol) == ("starvote", "losses")
    assert found.ballots.is_empty()
    with pytest.raises(cv.InvalidElectionError):
        _try(state, protocol="coin")


@pytest.mark.slow
@pytest.mark.parametrize("decision", ["village-green", "school-garden"])
def test_absence_is_the_same_as_withdrawing(demo, decision):
    """All voters at once come out as one after the other (D2)."""
    before = cv.resolve(demo, [decision])
    found = without_each(demo, before, decision)
    assert found["member_id"].to_list() == sorted(before.ballots.filter(origin="manual")["member_id"])
    for member, status, winner, changes in found.iter_rows():
        one = what_if(demo, before, decision, [WithdrawBallot(member)])
        assert (one.after.status, one.after.winner, one.winner_changes) == (status, winner, changes)


def test_another_tie_is_another_result():
    """Where others could win than before, the result changes, though there is a winner in neither count (K7)."""
    ballots = {"Ann": "500", "Ben": "050", "Cay": "005"}
    state = cv.SystemState(
        votes=pl.DataFrame(
            [
                (member, choice, int(given))
                for member, stars in ballots.items()
                for choice, given in zip("xyz", stars, strict=True)
            ],
            schema=["member_id", "choice_id", "stars"],
            orient="row",
        )
    )
    found = _try(state, WithdrawBallot("Cay"))
    assert (found.before.winner, found.after.winner) == (None, None)
    assert set(found.before.possible_winners) != set(found.after.possible_winners)
    assert found.winner_changes
    (decision,) = state.decisions["decision_id"]
    assert without_each(state, cv.resolve(state), decision)["changes_winner"].all()


def test_pivotal_by_hand(small):
    """Ann's absence makes Ben's choice win, his changes nothing; asked for one, only that one is tried."""
    (decision,) = small.decisions["decision_id"]
    before = cv.resolve(small)
    assert without_each(small, before, decision).rows() == [
        ("Ann", "decided", "y", True),
        ("Ben", "decided", "x", False),
    ]
    assert without_each(small, before, decision, ["Ben"])["member_id"].to_list() == ["Ben"]
    with pytest.raises(cv.UnknownMemberError):
        without_each(small, before, decision, ["Cay"])


def test_a_single_ballot_is_pivotal():
    """Without the only ballot there is nothing to tally."""
    state = cv.SystemState(votes=pl.DataFrame({"member_id": ["Ann"], "choice_id": ["x"], "stars": [3]}))
    found = without_each(state, cv.resolve(state), state.decisions["decision_id"].item())
    assert found.rows() == [("Ann", "nothing to tally", None, True)]
