"""Which votes stand at an instant, and which of them count (C1, M1, M3)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crowdvote_analysis.consensus import standing_votes
from tests.consensus.tables import frame, state

VOTES = ["Kelly yes", "Kelly no 2026-05-01", "Kelly abstain 2026-05-03", "Maya no 2026-05-02"]


def standing(*votes: str, at: dt.datetime | None = None, closes_at: str | None = None) -> list[tuple[str, str]]:
    decisions = pl.DataFrame({"decision_id": ["roof"], "method": ["unanimity"], "closes_at": [closes_at]})
    return standing_votes(state(decisions, *votes), at).select("member_id", "vote").rows()


def test_the_latest_vote_stands_whatever_the_order_of_rows() -> None:
    """C1: a later vote replaces an earlier one; one without a time is the earliest."""
    for votes in (VOTES, VOTES[::-1]):
        assert standing(*votes) == [("Kelly", "abstain"), ("Maya", "no")]


def test_a_vote_stands_from_its_instant_on() -> None:
    """History: at any time, what had been cast until then, in whatever zone it is asked."""
    day = dt.datetime(2026, 5, 1)
    second = dt.timedelta(seconds=1)
    east = dt.timezone(dt.timedelta(hours=2))
    assert standing(*VOTES, at=day - second) == [("Kelly", "yes")]
    assert standing(*VOTES, at=day) == [("Kelly", "no")]
    assert standing(*VOTES, at=dt.datetime(2026, 5, 1, 2, tzinfo=east)) == [("Kelly", "no")]
    assert standing(*VOTES, at=dt.datetime(2026, 5, 1, 1, 59, 59, tzinfo=east)) == [("Kelly", "yes")]
    assert standing(*VOTES, at=day + dt.timedelta(days=2)) == [("Kelly", "abstain"), ("Maya", "no")]


def test_a_late_vote_leaves_the_one_in_time_standing() -> None:
    """C1: after the deadline votes cannot be changed."""
    assert standing(*VOTES, closes_at="2026-05-03") == [("Kelly", "no"), ("Maya", "no")]
    late = state(frame("decision_id method closes_at", "roof unanimity 2026-05-01"), *VOTES[1:])
    assert standing_votes(late).select("member_id", "vote", "counted", "not_counted").rows() == [
        ("Kelly", "abstain", False, "cast after the deadline (C1)"),
        ("Maya", "no", False, "cast after the deadline (C1)"),
    ]


def test_a_vote_that_does_not_count_says_why() -> None:
    """M3 before M1 before C1; every voter has one row."""
    votes = standing_votes(
        state(
            "roof unanimity",
            *(f"{name} yes" for name in ("Kelly", "Lobo", "Gone", "Jack")),
            members=frame("member_id is_voter", "Kelly true", "Lobo false", "Jack true"),
            required_voters=frame("member_id", "Kelly", "Lobo", "Gone"),
        )
    )
    assert votes.select("member_id", "counted", "not_counted").rows() == [
        ("Gone", False, "cast by somebody who is not a member (M3)"),
        ("Jack", False, "cast by somebody who is not a required voter (C1)"),
        ("Kelly", True, None),
        ("Lobo", False, "cast by a lobbyist (M1)"),
    ]


def test_nobody_voted() -> None:
    """No votes are a frame without rows."""
    assert standing_votes(state("roof unanimity", members=frame("member_id", "Kelly"))).is_empty()
