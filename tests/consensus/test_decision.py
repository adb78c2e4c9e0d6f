"""Tables become decided decisions (C1 to C6)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.consensus import decide
from tests.consensus.tables import frame, state

MEMBERS = frame("member_id is_voter", "Kelly true", "Maya true", "Jack true", "Zoe true", "Lobo false")
VOTES = ["Kelly yes", "Maya abstain", "Jack no 2026-05-01", "Jack yes 2026-05-02"]


def test_votes_that_stand_are_counted_against_those_who_are_required() -> None:
    """Every number of a decision, and its types."""
    row = decide(state("roof supermajority", *VOTES, "Lobo no", members=MEMBERS))
    assert row.to_dicts() == [
        {
            "decision_id": "roof",
            "community_id": "community",
            "title": "roof",
            "method": "supermajority",
            "status": "active",
            "closes_at": None,
            "delegated": False,
            "required": 4,
            "yes": Decimal(2),
            "no": Decimal(0),
            "abstain": 1,
            "threshold": None,
            "quorum": None,
            "decisive_only": False,
            "cast": 3,
            "remaining": 1,
            "out_of": 4,
            "percentage": Decimal(50),
            "passed": False,
            "reason": "2 of 4 required voters say yes (50%); at least 66% is needed",
            "deadlocked": False,
            "deadlock_reason": None,
            "missing_votes": 1,
            "missing": "1 more yes vote would pass it",
        }
    ]
    numbers = ["required", "abstain", "cast", "remaining", "out_of", "missing_votes"]
    assert {row.schema[name] for name in numbers} == {pl.Int64}
    assert {row.schema[name] for name in ("yes", "no")} == {pl.Decimal(38, 9)}
    assert decide(state("park star", members=MEMBERS)).schema == row.schema


def test_lobbyists_and_strangers_are_not_required() -> None:
    """M1, M3: they would make a unanimity impossible that everybody who counts agrees on."""
    required = frame("member_id", "Kelly", "Jack", "Lobo", "Gone")
    row = decide(state("roof unanimity", *VOTES, members=MEMBERS, required_voters=required)).row(0, named=True)
    assert (row["required"], row["cast"], row["reason"]) == (2, 2, "2 yes votes, none no")


@pytest.mark.parametrize(
    ("stored", "votes", "at", "status"),
    [
        ("active", VOTES, None, "active"),
        ("active", VOTES, "2026-05-09 17:59", "active"),
        ("active", VOTES, "2026-05-09 18:00", "rejected"),
        ("active", [*VOTES, "Zoe yes"], "2026-05-09 18:00", "approved"),
        ("active", [], "2026-05-09 18:00", "expired"),
        ("active", ["Lobo yes"], "2026-05-09 18:00", "expired"),
        ("draft", VOTES, "2026-05-10 00:00", "draft"),
        ("cancelled", [*VOTES, "Zoe yes"], "2026-05-10 00:00", "cancelled"),
        ("approved", [], "2026-05-10 00:00", "approved"),
    ],
)
def test_past_the_deadline_an_active_decision_has_its_outcome(
    stored: str, votes: list[str], at: str | None, status: str
) -> None:
    """C6: approved or rejected by outcome, expired if nobody voted; what is stored otherwise stays."""
    decisions = frame("decision_id method closes_at status", f"roof supermajority 2026-05-09T18:00 {stored}")
    instant = dt.datetime.fromisoformat(at) if at else None
    assert decide(state(decisions, *votes, members=MEMBERS), at=instant)["status"].item() == status


def test_a_decision_without_a_deadline_stays_active() -> None:
    """There is nothing that could have passed."""
    assert decide(state("roof unanimity", members=MEMBERS), at=dt.datetime(2999, 1, 1))["status"].item() == "active"


def test_decisions_are_sorted_and_chosen() -> None:
    """Those with stars are not among them; the answer for one does not depend on the others."""
    rows = ["roof unanimity", "park star", "fence simple_majority", "Aisle supermajority"]
    votes = frame("decision_id member_id vote", "fence Kelly yes", "roof Kelly no")
    everything = state(frame("decision_id method", *rows), members=MEMBERS, yes_no_votes=votes)
    table = decide(everything)
    assert table["decision_id"].to_list() == ["Aisle", "fence", "roof"]
    assert decide(everything, ["roof", "Aisle"]).equals(table.filter(pl.col("decision_id") != "fence"))
    assert decide(everything, []).is_empty()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("x", r"decision 'x' is not in the table decisions \(decisions there: roof\)"),
        ("park", "decision 'park' is counted with stars, not with yes and no; it is tallied by .*tally_star"),
    ],
)
def test_a_decision_that_is_not_there_or_has_stars_is_named(asked: str, words: str) -> None:
    """With what there is, or with who counts it."""
    with pytest.raises(cv.UnknownDecisionError, match=words):
        decide(state(frame("decision_id method", "roof unanimity", "park star"), members=MEMBERS), [asked])
    with pytest.raises(TypeError, match="give a list"):
        decide(state("roof unanimity", members=MEMBERS), "roof")
