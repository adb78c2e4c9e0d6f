"""A network and a poll, put together."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis import SystemState
from crowdvote_analysis.errors import InvalidElectionError, InvalidTableError, TableWarning
from crowdvote_analysis.readers import make_scenario, read_network, read_poll
from tests.readers.conftest import shared

if TYPE_CHECKING:
    from tests.readers.conftest import Write


def network(*edges: str) -> pl.DataFrame:
    return pl.DataFrame([edge.split(">") for edge in edges], schema=["follower_id", "followee_id"], orient="row")


@cache
def poll(*ballots: str) -> SystemState:
    """A poll whose ballots, in this order, give the choices A, B, … these stars; ``-`` is not rated."""
    rows = [(f"z{9 - n}", chr(65 + i), mark) for n, marks in enumerate(ballots) for i, mark in enumerate(marks)]
    votes = pl.DataFrame(rows, schema=["member_id", "choice_id", "stars"], orient="row").filter(pl.col("stars") != "-")
    voters = [f"z{9 - n}" for n in range(len(ballots))]
    return SystemState(ballots=pl.DataFrame({"member_id": voters}, schema={"member_id": pl.String}), votes=votes)


def marks(state: SystemState) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {member: {} for member in state.ballots["member_id"]}
    for member, choice, stars in state.votes.select("member_id", "choice_id", "stars").iter_rows():
        found[member][choice] = int(stars)
    return found


def test_who_follows_nobody_votes_in_the_order_of_ids_as_text() -> None:
    """10 comes before 9; the ballots are dealt in the order of the poll and start over when they end."""
    state = make_scenario(network("1>10", "1>9", "2>10", "2>8", "3>7"), poll("5-", "03"))
    assert marks(state) == {"10": {"A": 5}, "7": {"A": 0, "B": 3}, "8": {"A": 5}, "9": {"A": 0, "B": 3}}
    assert state.ballots["member_id"].to_list() == ["10", "7", "8", "9"]


def test_everybody_in_the_network_is_a_voter_and_follows_on_all_tags() -> None:
    """Members are the ends of the edges, followings the edges, without tags (T3)."""
    state = make_scenario(network("b>a", "c>b"), poll("5"), community_id="town")
    assert state.members.select("community_id", "member_id", "is_voter").rows() == [
        ("town", "a", True),
        ("town", "b", True),
        ("town", "c", True),
    ]
    assert state.followings.select("follower_id", "followee_id").rows() == [("b", "a"), ("c", "b")]
    assert state.followings["tags"].list.len().to_list() == [0, 0]
    assert state.communities.select("community_id", "cycle_rule").rows() == [("town", "auto")]


def test_decision_and_choices_are_those_of_the_poll(write: Write) -> None:
    """The decision moves into the community; the choices keep their order, unrated ones included."""
    source = read_poll(write("p.csv", "voterID,voteTime,pollID,Pine,Ash\nv1,,p1,5,\n"))
    state = make_scenario(network("a>b"), source, cycle_rule="path")
    assert state.decisions.select("community_id", "decision_id", "title").rows() == [("scenario", "p1", "p")]
    assert state.choices.select("choice_id", "position").rows() == [("Pine", 0), ("Ash", 1)]
    assert state.communities["cycle_rule"].to_list() == ["path"]


def test_ballot_without_stars_is_dealt_like_any_other() -> None:
    """An empty ballot takes its turn and stays a manual ballot without stars (D5)."""
    assert marks(make_scenario(network("x>a", "x>b"), poll("--", "50"))) == {"a": {}, "b": {"A": 5, "B": 0}}


def test_who_follows_only_themselves_gets_no_ballot() -> None:
    """Following oneself is a following: it is kept, warned of, and gives nothing (D8)."""
    with pytest.warns(TableWarning, match="follow themselves"):
        state = make_scenario(network("s>s", "a>b"), poll("5"))
    assert list(marks(state)) == ["b"]
    assert ("s", "s") in state.followings.select("follower_id", "followee_id").rows()


def test_repeated_edges_are_merged_with_a_warning() -> None:
    """Networks over time repeat edges; one following is left (D8)."""
    with pytest.warns(TableWarning, match="merged"):
        assert len(make_scenario(network("a>b", "a>b"), poll("5")).followings) == 1


def test_network_where_everybody_follows_has_no_ballots() -> None:
    """A ring of followers is a valid scenario in which nobody votes."""
    state = make_scenario(network("a>b", "b>a"), poll("5"))
    assert state.ballots.is_empty()
    assert state.votes.is_empty()


def test_tags_of_the_ballot_come_along() -> None:
    """A ballot is dealt whole, tags included (T1)."""
    source = SystemState(
        ballots=pl.DataFrame({"member_id": ["v"], "tags": ["Parks"]}),
        votes=pl.DataFrame({"member_id": ["v"], "choice_id": ["A"], "stars": ["5"]}),
    )
    assert make_scenario(network("a>b"), source).ballots["tags"].to_list() == [["parks"]]


def test_numeric_ids_are_read_as_text() -> None:
    """A network made by hand may hold numbers."""
    state = make_scenario(pl.DataFrame({"follower_id": [1, 1], "followee_id": [10, 9]}), poll("5", "4"))
    assert marks(state) == {"10": {"A": 5}, "9": {"A": 4}}


def test_poll_must_hold_one_decision_and_ballots(write: Write) -> None:
    """Two races, or none, or no ballots cannot be dealt."""
    races = read_poll(write("p.csv", "ballot_id,precinct,R!!A,S!!A\nb,,1,2\n"))
    with pytest.raises(InvalidElectionError, match=r"exactly one decision; this one has 2 \(R, S\)"):
        make_scenario(network("a>b"), races)
    empty = SystemState(decisions=pl.DataFrame({"decision_id": ["d"]}))
    with pytest.raises(InvalidElectionError, match="has none"):
        make_scenario(network("a>b"), empty)


def test_network_must_name_both_ends() -> None:
    """A frame without followees, or with a missing one, is refused."""
    with pytest.raises(InvalidTableError, match="followee_id is missing"):
        make_scenario(network("a>b").drop("followee_id"), poll("5"))
    with pytest.raises(InvalidTableError, match="followee_id is missing"):
        make_scenario(
            pl.DataFrame({"follower_id": ["a"], "followee_id": [None]}, schema_overrides={"followee_id": pl.String}),
            poll("5"),
        )


@pytest.mark.slow
@given(edges=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, unique=True), data=st.data())
@settings(max_examples=50)
def test_order_of_edges_changes_nothing(edges: list[tuple[int, int]], data: st.DataObject) -> None:
    """The same network in another order deals the same ballots to the same members."""
    edges = [(a, b) for a, b in edges if a != b] or [(0, 1)]
    other = data.draw(st.permutations(edges))
    schema = ["follower_id", "followee_id"]
    first, second = (
        make_scenario(pl.DataFrame(e, schema=schema, orient="row"), poll("50", "04", "3-")) for e in (edges, other)
    )
    assert first.ballots.equals(second.ballots)
    assert first.votes.equals(second.votes)
    assert first.members.equals(second.members)


def test_wikipedia_and_the_poll_of_2020() -> None:
    """7,115 members, of whom the 1,005 who follow nobody vote, the first as the poll's first voter."""
    source = read_poll(shared("starvote_ballots_libertarian_party_2020_presidential_nomination_may.csv"))
    state = make_scenario(read_network(shared("wiki-Vote.txt")), source)
    assert (len(state.members), len(state.ballots), len(state.followings)) == (7_115, 1_005, 103_689)
    assert state.ballots["member_id"].is_sorted()
    voter, member = source.ballots["member_id"][0], state.ballots["member_id"][0]
    wanted = source.votes.filter(member_id=voter).select("choice_id", "stars").sort("choice_id")
    assert state.votes.filter(member_id=member).select("choice_id", "stars").sort("choice_id").equals(wanted)
