"""The CSV exports of star.vote and BetterVoting become states."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_poll
from tests.readers.conftest import shared

if TYPE_CHECKING:
    from crowdvote_analysis import SystemState
    from tests.readers.conftest import Write

STAR_VOTE = """voterID,voteTime,pollID,"Ada, Countess","Bob ""B"" Jones",Zoe
v9,"2020-05-08 15:02:44",p1,0,5,
v1,"2020-05-08 15:03:38",p1,,,
v5,"2020-05-08 15:06:51",p1,3,4.5,1
"""
BETTERVOTING = """ballot_id,precinct,Pine,Oak
b2,,5,0
b1,,,3
b3,,,
"""
TWO_RACES = """ballot_id,precinct,Tree!!Pine,Tree!!Oak,Colour!!Red,Colour!!Oak
b2,,5,0,1,
b1,,,3,,
"""


def stars(state: SystemState) -> list[tuple[Any, ...]]:
    return sorted(state.votes.select("decision_id", "member_id", "choice_id", "stars").rows())


def test_star_vote_export_is_read(write: Write) -> None:
    """Poll, voters, times, candidates and stars stand where they belong; blanks are not rated."""
    state = read_poll(write("trees.csv", STAR_VOTE))
    assert state.decisions.select("community_id", "decision_id", "title").rows() == [("poll", "p1", "trees")]
    assert state.choices.select("choice_id", "position").rows() == [
        ("Ada, Countess", 0),
        ('Bob "B" Jones', 1),
        ("Zoe", 2),
    ]
    assert state.ballots["cast_at"].dt.to_string("%F %T %Z").to_list() == [
        "2020-05-08 15:02:44 UTC",
        "2020-05-08 15:03:38 UTC",
        "2020-05-08 15:06:51 UTC",
    ]
    assert stars(state) == [
        ("p1", "v5", "Ada, Countess", Decimal(3)),
        ("p1", "v5", 'Bob "B" Jones', Decimal("4.5")),
        ("p1", "v5", "Zoe", Decimal(1)),
        ("p1", "v9", "Ada, Countess", Decimal(0)),
        ("p1", "v9", 'Bob "B" Jones', Decimal(5)),
    ]
    assert state.votes.schema["stars"] == pl.Decimal(9, 8)


@pytest.mark.parametrize("text", [STAR_VOTE, BETTERVOTING])
def test_ballots_keep_the_order_of_the_file(write: Write, text: str) -> None:
    """Ballots stand as in the file, blank ones included; nobody follows, nothing is tagged."""
    state = read_poll(write("a.csv", text))
    assert state.ballots["member_id"].to_list() == [line.partition(",")[0] for line in text.splitlines()[1:]]
    assert state.followings.is_empty()
    assert state.ballots["tags"].list.len().sum() == 0
    assert state.members["member_id"].to_list() == sorted(state.ballots["member_id"])


def test_long_poll_keeps_its_order(write: Write) -> None:
    """The order holds for more rows than are handled in one piece."""
    voters = [f"v{i * 7919 % 50021}" for i in range(50_000)]
    path = write("a.csv", "ballot_id,precinct,A\n" + "".join(f"{voter},,3\n" for voter in voters))
    assert read_poll(path).ballots["member_id"].to_list() == voters


def test_several_star_vote_polls_share_a_file(write: Write) -> None:
    """Each pollID is a decision; its choices are the columns its ballots rate; a voter may vote in each."""
    path = write("a.csv", "voterID,voteTime,pollID,A,B,C\nv1,,p2,5,,\nv2,,p2,,0,\nv1,,p1,,,4\n")
    state = read_poll(path)
    assert state.decisions.select("decision_id", "title").rows() == [("p2", "p2"), ("p1", "p1")]
    assert state.choices.select("decision_id", "choice_id").rows() == [("p2", "A"), ("p2", "B"), ("p1", "C")]
    assert state.members["member_id"].to_list() == ["v1", "v2"]
    assert len(state.ballots) == 3


def test_candidate_nobody_rated_is_a_choice_of_a_single_poll(write: Write) -> None:
    """A column of blanks is a candidate all the same."""
    state = read_poll(write("a.csv", "ballot_id,precinct,A,B\nb1,,5,\n"))
    assert state.choices["choice_id"].to_list() == ["A", "B"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_bettervoting_export_is_read(write: Write, mark: str) -> None:
    """With or without a byte order mark; a file of one race is the decision named after the file."""
    state = read_poll(write("Best tree.csv", mark + BETTERVOTING), community_id="park")
    assert state.decisions.select("community_id", "decision_id", "title").rows() == [("park", "Best tree", "Best tree")]
    assert state.choices["choice_id"].to_list() == ["Pine", "Oak"]
    assert [row[1:] for row in stars(state)] == [("b1", "Oak", 3), ("b2", "Oak", 0), ("b2", "Pine", 5)]
    assert state.communities["community_id"].to_list() == ["park"]


def test_early_bettervoting_export_has_no_precinct(write: Write) -> None:
    """The first exports began with ballot_id and went straight on to the candidates."""
    assert stars(read_poll(write("t.csv", "ballot_id,a,b\nx,1,2\n"))) == [("t", "x", "a", 1), ("t", "x", "b", 2)]


def test_every_race_is_a_decision(write: Write) -> None:
    """Columns ``Race!!Candidate`` give a decision a race, whose choices are the candidates, and a ballot in each."""
    state = read_poll(write("a.csv", TWO_RACES))
    assert state.decisions["decision_id"].to_list() == ["Tree", "Colour"]
    assert state.choices.select("decision_id", "choice_id", "title", "position").rows() == [
        ("Tree", "Pine", "Pine", 0),
        ("Tree", "Oak", "Oak", 1),
        ("Colour", "Red", "Red", 0),
        ("Colour", "Oak", "Oak", 1),
    ]
    assert state.ballots.select("decision_id", "member_id").rows() == [
        ("Tree", "b2"),
        ("Tree", "b1"),
        ("Colour", "b2"),
        ("Colour", "b1"),
    ]
    assert stars(state) == [
        ("Colour", "b2", "Red", 1),
        ("Tree", "b1", "Oak", 3),
        ("Tree", "b2", "Oak", 0),
        ("Tree", "b2", "Pine", 5),
    ]
    assert len(state.members) == 2


def test_exclamation_marks_may_belong_to_names(write: Write) -> None:
    """The last pair with a name behind it parts race and candidate; a lone pair in a single race parts nothing."""
    several = read_poll(write("a.csv", "ballot_id,precinct,Go!!!!Yes,Go!!!!No!!\nb,,1,2\n"))
    assert several.choices.select("decision_id", "choice_id").rows() == [("Go!!", "Yes"), ("Go!!", "No!!")]
    single = read_poll(write("b.csv", "ballot_id,precinct,Yes!!really,No\nb,,1,2\n"))
    assert single.choices.select("decision_id", "choice_id").rows() == [("b", "Yes!!really"), ("b", "No")]


@pytest.mark.parametrize("rank", ["overvote_rank,has_duplicate_rank", "Mayor!!overvote_rank,Mayor!!has_duplicate_rank"])
def test_ranked_races_are_left_out_with_a_warning(write: Write, rank: str) -> None:
    """Ranks look like stars and mean the opposite; the race that has them is not counted."""
    path = write("a.csv", f"ballot_id,precinct,Mayor!!Ada,Mayor!!Ben,{rank},Tree!!Oak\nb1,,1,2,,FALSE,4\n")
    with pytest.warns(TableWarning, match="ranked, and ranks are not stars: Mayor"):
        state = read_poll(path)
    assert stars(state) == [("Tree", "b1", "Oak", 4)]


def test_two_ranked_races_repeat_their_columns(write: Write) -> None:
    """BetterVoting names the rank columns of every race alike; that is no repeated candidate."""
    rank = "overvote_rank,has_duplicate_rank"
    path = write("a.csv", f"ballot_id,precinct,M!!A,{rank},T!!Oak,C!!B,{rank}\nb1,,1,,FALSE,4,1,,FALSE\n")
    with pytest.warns(TableWarning, match="not stars: C, M"):
        assert stars(read_poll(path)) == [("T", "b1", "Oak", 4)]


def test_ranked_poll_is_refused(write: Write) -> None:
    """A file with nothing but ranks cannot be counted."""
    with pytest.raises(UnreadableFileError, match="ranks are not stars"):
        read_poll(write("a.csv", "ballot_id,precinct,A,B,overvote_rank,has_duplicate_rank\nb1,,1,2,,FALSE\n"))


def test_precincts_are_kept_aside(write: Write) -> None:
    """Precincts change no number, and are not lost."""
    with pytest.warns(TableWarning, match="precinct"):
        state = read_poll(write("a.csv", "ballot_id,precinct,A\nb1,North,5\nb2,,4\n"))
    assert state.unknown["ballots"].select("member_id", "precinct").rows() == [("b1", "North"), ("b2", None)]


def test_second_ballot_of_a_voter_is_refused(write: Write) -> None:
    """Which of two ballots counts is not for the reader to say."""
    path = write("a.csv", "ballot_id,precinct,A\nb1,,5\nb2,,4\nb1,,3\n")
    with pytest.raises(InvalidTableError, match=r"appears more than once.*'b1'") as error:
        read_poll(path)
    assert error.value.table == "ballots"


def test_quarantine_sets_bad_ballots_aside_whole(write: Write) -> None:
    """A ballot with one bad cell goes with all its stars, the others are read."""
    path = write("a.csv", "ballot_id,precinct,A,B\nb1,,5,six\nb2,,4,3\nb3,,6,0\n")
    with pytest.raises(InvalidTableError, match="choice_id 'B', stars 'six'"):
        read_poll(path)
    with pytest.warns(TableWarning, match="set aside"):
        state = read_poll(path, quarantine=True)
    assert state.ballots["member_id"].to_list() == ["b2"]
    assert [row[1:] for row in stars(state)] == [("b2", "A", 4), ("b2", "B", 3)]


@pytest.mark.parametrize("value", ["1,000", "1e0", "0.123456789", "-1", "4 stars", "4/5", "80%", "five", "²"])
def test_stars_are_exact_or_refused(write: Write, value: str) -> None:
    """Nothing is rounded or guessed on the way in (D10)."""
    with pytest.raises(InvalidTableError, match="stars"):
        read_poll(write("a.csv", f'ballot_id,precinct,A\nb1,,"{value}"\n'))


def test_eight_places_survive(write: Write) -> None:
    """Stars that no binary float can hold come out as written."""
    state = read_poll(write("a.csv", "ballot_id,precinct,A,B\nb1,,0.10000001,4.99999999\n"))
    assert state.votes["stars"].to_list() == [Decimal("0.10000001"), Decimal("4.99999999")]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("0,3,5", "first line holds numbers; it must name the choices"),
        ("Email Address", "no column was taken as a choice. Columns: Email Address"),
        ("ballot_id,precinct", "names no candidates"),
        ("voterID,voteTime,pollID", "names no candidates"),
        ("ballot_id,precinct,A,B,A", "repeats the column 'A'"),
        ("voterID,voteTime,pollID,A,A", "repeats the column 'A'"),
        ("ballot_id,precinct,R!!A,S!!A,R!!A", "repeats the column 'A'"),
    ],
)
def test_header_that_is_not_understood_is_shown(write: Write, header: str, said: str) -> None:
    """The error shows what was found and what would be understood."""
    cells = ",".join(["1"] * (header.count(",") + 1))
    with pytest.raises(UnreadableFileError, match=said):
        read_poll(write("a.csv", f"{header}\n{cells}\n"))


def test_poll_without_ballots_is_refused(write: Write) -> None:
    """A header alone is no poll."""
    with pytest.raises(UnreadableFileError, match="holds no ballots"):
        read_poll(write("a.csv", "ballot_id,precinct,A,B\n"))


def test_name_with_a_comma_that_was_not_quoted_leads_to_the_header(write: Write) -> None:
    """Older BetterVoting exports did not quote; the way out is to quote the name."""
    with pytest.raises(UnreadableFileError, match=r"line 2 has 4 cells, the header has 5.*double quotes"):
        read_poll(write("a.csv", "ballot_id,precinct,Ada, Countess,Bob\nb1,,1,2\n"))


def test_real_star_vote_poll() -> None:
    """The poll of May 2020 has 2,909 ballots for 22 candidates, and the stars of its first line are as in the file."""
    path = shared("starvote_ballots_libertarian_party_2020_presidential_nomination_may.csv")
    state = read_poll(path)
    lines = path.read_text().splitlines()
    assert (len(state.ballots), len(state.choices), len(state.votes)) == (2_909, 22, 63_998)
    assert state.ballots["member_id"].to_list() == [line.partition(",")[0] for line in lines[1:]]
    first = state.votes.filter(member_id="s4rywdsp2e").join(state.choices, on="choice_id").sort("position")
    assert ",".join(str(int(value)) for value in first["stars"]) == lines[1].partition("eh3cxxz7,")[2]
