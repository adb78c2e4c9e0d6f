"""A vote is recorded or refused, in the words of C1."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import tables
from crowdvote_analysis.consensus import new_vote, standing_votes, why_refused
from tests.consensus.tables import frame, state
from tests.test_state import SECRET

AT = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DECISIONS = frame(
    "decision_id method status closes_at delegated",
    "roof unanimity active 2026-06-14T18:00 false",
    "fence supermajority active - true",
    "barn unanimity draft 2026-05-01 false",
    "park star active - false",
)
MEMBERS = frame("member_id is_voter", "Kelly true", "Maya true", "Lobo false")
REQUIRED = frame("decision_id member_id", *(f"{d} {m}" for d in ("roof", "fence", "barn") for m in ("Kelly", "Lobo")))
VOTE = frame("decision_id member_id vote voted_at", "roof Kelly yes 2026-05-20")
STATE = state(DECISIONS, members=MEMBERS, required_voters=REQUIRED, yes_no_votes=VOTE)


def refusal(*vote: Any, **tags: Any) -> cv.RefusedVoteError:
    """The error; the state must be as before."""
    before = {name: getattr(STATE, name).clone() for name in tables.TABLES}
    with pytest.raises(cv.RefusedVoteError) as caught:
        cv.record_vote(STATE, *vote, **tags)
    assert all(getattr(STATE, name).equals(frame) for name, frame in before.items())
    assert (caught.value.decision_id, caught.value.member_id) == vote[:2]
    return caught.value


def test_a_vote_is_added_and_its_predecessor_stays() -> None:
    """C1: history is kept, and the later vote stands; the state that was given does not change."""
    after = cv.record_vote(STATE, "roof", "Kelly", " No ", AT, ["Budget", "trees "])
    assert after.yes_no_votes.rows() == [*STATE.yes_no_votes.rows(), ("roof", "Kelly", AT, "no", ["budget", "trees"])]
    assert after.yes_no_votes.schema == STATE.yes_no_votes.schema
    assert len(STATE.yes_no_votes) == 1
    assert standing_votes(after).select("vote", "voted_at").rows() == [("no", AT)]
    assert standing_votes(after, dt.datetime(2026, 5, 21))["vote"].item() == "yes"
    assert new_vote(STATE, "roof", "Kelly", "no", AT, ["trees", "budget"]).equals(after.yes_no_votes.tail(1))


def test_time_is_kept_in_utc() -> None:
    """Whatever zone a vote came from."""
    east = dt.datetime(2026, 6, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    for at in (east, AT.replace(tzinfo=None)):
        assert new_vote(STATE, "roof", "Kelly", "no", at)["voted_at"].item() == AT


LATE = dt.datetime(2026, 6, 14, 18, tzinfo=dt.UTC)
INELIGIBLE = "You are not eligible to vote on this decision. Only required voters can cast votes."


@pytest.mark.parametrize(
    ("vote", "reason", "text"),
    [
        (("lunch", "Kelly", "maybe", LATE), "unknown_decision", "Decision not found."),
        (
            ("park", "Kelly", "yes", AT),
            "counted_with_stars",
            "This decision is counted with stars, not with yes and no. Cast a ballot instead.",
        ),
        (("barn", "Maya", "maybe", LATE), "not_required", INELIGIBLE),
        (("roof", "Gone", "yes", AT), "not_required", INELIGIBLE),
        (("roof", "Lobo", "yes", AT), "not_required", INELIGIBLE),
        (
            ("barn", "Kelly", "maybe", LATE),
            "not_active",
            "This decision is no longer active (status: draft). Votes cannot be changed.",
        ),
        (
            ("roof", "Kelly", "maybe", LATE),
            "deadline",
            "The deadline for this decision has passed (2026-06-14 18:00 UTC). Votes cannot be changed.",
        ),
        (
            ("roof", "Kelly", "maybe", AT),
            "vote",
            "This vote cannot be cast: vote is none of yes, no, abstain (C1).",
        ),
        (("roof", "Kelly", None, AT), "vote", "This vote cannot be cast: vote is missing."),
        (
            ("roof", "Kelly", "yes", dt.datetime(2026, 5, 20)),
            "not_later",
            "There is a vote of 2026-05-20 00:00 UTC already. A vote that takes its place has to be later.",
        ),
    ],
)
def test_a_refused_vote_changes_nothing_and_says_why(vote: tuple[Any, ...], reason: str, text: str) -> None:
    """The checks of C1 in their order, in their words; then the vote, then the history."""
    error = refusal(*vote)
    assert (error.reason, str(error)) == (reason, text)


def test_tags_that_a_table_cannot_hold_are_refused() -> None:
    """They would be other tags when they are read again."""
    error = refusal("roof", "Kelly", "yes", AT, tags=["a;b"])
    assert error.reason == "tags"
    assert "separate tags" in str(error)


def test_a_vote_is_in_time_until_the_deadline() -> None:
    """The last moment before it, and a decision without one at any time."""
    assert why_refused(STATE, "roof", "Kelly", LATE - dt.timedelta(microseconds=1)) is None
    assert why_refused(STATE, "roof", "Kelly", LATE)[0] == "deadline"  # type: ignore[index]
    assert why_refused(STATE, "fence", "Kelly", dt.datetime(2999, 1, 1)) is None


def test_a_lobbyist_votes_where_somebody_can_inherit_it() -> None:
    """M1: never counted, so that a vote means something in delegated decisions only."""
    assert why_refused(STATE, "fence", "Lobo", AT) is None
    assert why_refused(STATE, "roof", "Lobo", AT) == ("not_required", INELIGIBLE)


def test_no_refusal_names_an_anonymous_member() -> None:
    """P1: the text may be shown to others."""
    members = frame("member_id is_anonymous", f"{SECRET} true", "Kelly false")
    secret = state(DECISIONS, members=members)
    secret = cv.record_vote(secret, "roof", SECRET, "yes", AT)
    for vote in (
        ("lunch", "yes", AT),
        ("barn", "yes", AT),
        ("roof", "maybe", AT),
        ("roof", "yes", AT),
        ("roof", "no", LATE),
    ):
        with pytest.raises(cv.RefusedVoteError) as caught:
            cv.record_vote(secret, vote[0], SECRET, *vote[1:])  # type: ignore[arg-type]
        assert SECRET not in str(caught.value) + repr(caught.value)
