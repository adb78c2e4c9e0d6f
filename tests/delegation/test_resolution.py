"""A count holds arrays; frames are made when somebody asks, for all or for some."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.delegation.networks import joined, many, state_of

MADE = ["ballots", "electorate", "stars", "stats", "sources", "choices", "decisions", "cores"]


@pytest.fixture(scope="module")
def counted() -> cv.Resolution:
    return cv.resolve(state_of([*many("path", 4, 11), *many("equilibrium", 3, 12), *joined("auto", 2, 13)]))


def test_nothing_is_made_before_it_is_asked_for() -> None:
    resolution = cv.resolve(state_of(many("path", 3, 5)))
    assert not [name for name in MADE if resolution.made(name) is not None]
    assert not any(
        part.knows(name) for part in resolution._counted for name in ("places", "total", "weight", "outcome")
    )
    assert resolution.stats.height == resolution.decisions.height
    assert resolution.made("ballots") is None
    assert resolution.stars is resolution.made("stars")


def test_rows_of_one_decision_or_of_some_members_are_those_of_all(counted: cv.Resolution) -> None:
    """Whether or not the frames of all have been made."""
    fresh = cv.resolve(counted._encoded.state)
    members = counted.ballots["member_id"].unique().sort()[::3].to_list()
    for decision in counted.decisions["decision_id"]:
        assert fresh.ballots_of(decision).equals(counted.ballots.filter(decision_id=decision))
        assert counted.ballots_of(decision).equals(counted.ballots.filter(decision_id=decision))
        theirs = counted.stars.filter(pl.col("member_id").is_in(members), decision_id=decision)
        assert fresh.stars_of(*members, decision_id=decision).equals(theirs)
    assert fresh.stars_of(*members).equals(counted.stars.filter(pl.col("member_id").is_in(members)))
    assert fresh.stars_of("nobody").is_empty()
    assert fresh.made("stars") is None
    assert fresh.made("ballots") is None


def test_the_electorate_is_who_has_a_row_among_ballots(counted: cv.Resolution) -> None:
    """A tally asks for no more: neither for reasons nor for influence."""
    assert counted.electorate.equals(counted.ballots.select("decision_id", "member_id", "is_voter"))
    fresh = cv.resolve(counted._encoded.state)
    assert cv.tally_all(fresh).equals(cv.tally_all(counted))
    assert fresh.made("ballots") is None


def test_statistics_say_what_ballots_say(counted: cv.Resolution) -> None:
    """They are counted from the arrays; the frame of ballots tells the same."""
    voters = pl.col("is_voter")
    told = (
        counted.ballots.group_by("decision_id")
        .agg(
            total_members=voters.sum(),
            manual_ballots=(voters & (pl.col("origin") == "manual")).sum(),
            calculated_ballots=(voters & (pl.col("origin") == "calculated")).sum(),
            no_ballot=(voters & (pl.col("origin") == "none")).sum(),
            lobbyists=(~voters).sum(),
            max_delegation_depth=pl.col("depth").max().fill_null(0),
        )
        .sort("decision_id")
    )
    told = told.cast({pl.UInt32: pl.Int64})
    assert counted.stats.select(told.columns).equals(told)
    rated = counted.stars.select("decision_id", "member_id").unique()
    tallied = (
        counted.ballots.filter("is_voter").join(rated, on=["decision_id", "member_id"]).group_by("decision_id").len()
    )
    both = counted.stats.join(tallied, on="decision_id", how="left").with_columns(pl.col("len").fill_null(0))
    assert both["tallied_ballots"].to_list() == both["len"].to_list()


@pytest.mark.parametrize(
    "ask", [lambda found: found.ballots_of("lunch"), lambda found: found.stars_of(decision_id="lunch")]
)
def test_a_decision_that_was_not_counted_is_said_so(counted: cv.Resolution, ask) -> None:
    with pytest.raises(cv.UnknownDecisionError, match="'lunch' is not among those that were counted"):
        ask(counted)


def test_a_count_of_nothing_has_frames() -> None:
    empty = cv.resolve(cv.SystemState())
    assert [getattr(empty, name).height for name in MADE] == [0] * len(MADE)
