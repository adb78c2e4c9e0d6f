"""Tallying a decision of a resolution, and what happens when that cannot be done."""

from __future__ import annotations

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidElectionError, UnknownDecisionError, UnresolvedTieError
from crowdvote_analysis.star import tally_star, tally_star_votes

from .elections import FakeResolution, resolution_of, votes_of

CHOICES = [("park", "slide", "Slide", 2), ("park", "swings", "Swings", 1), ("park", "bench", None, 2)]
PARK = resolution_of({"park": [{"swings": "5", "slide": "2.5"}, {"slide": "4"}, {}]}, CHOICES)


def test_a_decision_is_tallied_with_its_titles() -> None:
    """Data holds ids, texts hold titles, and a choice without a title is called by its id."""
    tally = tally_star(PARK, "park", on_tie="return")
    assert (tally.decision_id, tally.vote_count, tally.finalists) == ("park", 2, ("slide", "swings"))
    assert tally.winner == "slide"
    assert tally.log[0] == "Score Phase: Slide 3.25 avg (2 votes), Swings 2.50 avg (2 votes), bench 0.00 avg (2 votes)"


def test_choices_stand_in_the_order_of_position_then_id() -> None:
    """Display order is position, then id, and nobody needs to have rated a choice."""
    assert list(tally_star(PARK, "park").steps[0].pool) == ["swings", "bench", "slide"]


def test_lobbyists_are_not_tallied() -> None:
    """A ballot of somebody who is no voter is there and does not count (M1)."""
    with_lobby = resolution_of(
        {"park": [{"swings": "5", "slide": "1"}, {"slide": "5"}, {"slide": "5"}]}, CHOICES, lobbyists=["m1", "m2"]
    )
    tally = tally_star(with_lobby)
    assert (tally.vote_count, tally.winner) == (1, "swings")


def test_a_voter_in_one_decision_may_be_a_lobbyist_in_another() -> None:
    """Who is tallied is asked decision by decision."""
    choices = [("d", "x", "X", 0), ("e", "x", "X", 0)]
    both = resolution_of({"d": [{"x": "1"}], "e": [{"x": "2"}, {"x": "3"}]}, choices)
    voters = pl.col("is_voter") & ((pl.col("decision_id") == "d") | (pl.col("member_id") == "m1"))
    mixed = FakeResolution(both.ballots.with_columns(is_voter=voters), both.stars, both.choices)
    assert [tally_star(mixed, name).scores["total"].item() for name in ("d", "e")] == [1, 3]


def test_stars_without_a_ballot_are_not_tallied() -> None:
    """Stars of somebody who is not among the ballots are not counted (M3)."""
    stray = FakeResolution(PARK.ballots.filter(pl.col("member_id") != "m1"), PARK.stars, PARK.choices)
    assert tally_star(stray).vote_count == 1


def test_the_decision_may_be_left_out_when_there_is_one() -> None:
    """One decision needs no name."""
    assert tally_star(PARK).to_dict() == tally_star(PARK, "park").to_dict()


def test_the_same_votes_give_the_same_tally_with_and_without_a_resolution() -> None:
    """Both doors lead to the same count."""
    votes = votes_of([{"swings": "5", "slide": "2.5"}, {"slide": "4"}]).with_columns(decision_id=pl.lit("park"))
    titles = {"swings": "Swings", "slide": "Slide"}
    alone = tally_star_votes(votes, ["swings", "bench", "slide"], titles=titles)
    assert alone.to_dict() == tally_star(PARK).to_dict()


def test_an_unknown_decision_is_refused_with_those_there_are() -> None:
    """The text names the decisions that could be asked for."""
    with pytest.raises(UnknownDecisionError, match=r"decision 'pool' is not in the resolution, which holds 'park'\."):
        tally_star(PARK, "pool")


def test_leaving_the_decision_out_of_several_is_refused() -> None:
    """With two decisions one has to be named."""
    two = resolution_of({"b": [{"x": "1"}]}, [("a", "x", "X", 0), ("b", "x", "X", 0)])
    with pytest.raises(UnknownDecisionError, match=r"say which decision to tally; the resolution holds 'a', 'b'\."):
        tally_star(two)


def test_an_empty_resolution_is_refused() -> None:
    """Without decisions there is nothing to name."""
    with pytest.raises(UnknownDecisionError, match="holds no decisions"):
        tally_star(resolution_of({}, []))


@pytest.mark.parametrize("lobbyists", [(), ("m0",)])
def test_a_decision_without_ballots_of_voters_is_refused(lobbyists: tuple[str, ...]) -> None:
    """Neither empty ballots nor those of lobbyists make an election (K9)."""
    nobody = resolution_of({"park": [{"slide": "1"} if lobbyists else {}]}, CHOICES, lobbyists)
    with pytest.raises(InvalidElectionError, match="decision 'park': no voter has a ballot with stars to tally"):
        tally_star(nobody)


def test_a_decision_without_choices_is_refused() -> None:
    """A decision known from its ballots only has nothing to choose (K9)."""
    with pytest.raises(InvalidElectionError, match="decision 'park' has no choices"):
        tally_star(resolution_of({"park": [{}]}, []))


def test_a_choice_listed_twice_is_refused() -> None:
    """Two rows for one choice would count its stars twice."""
    twice = resolution_of({"park": [{"slide": "1"}]}, [*CHOICES, ("park", "slide", "Chute", 9)])
    with pytest.raises(InvalidElectionError, match="choices: 'slide' listed more than once for the same decision"):
        tally_star(twice)


def test_stars_for_a_choice_of_another_decision_are_refused() -> None:
    """Choices belong to their decision; the row is the one of the whole table of stars."""
    astray = resolution_of({"a": [{"x": "1"}], "b": [{"x": "1"}]}, [("a", "x", "X", 0), ("b", "y", "Y", 0)])
    with pytest.raises(InvalidElectionError, match=r"stars: 1 row with a choice that is not .* \(first: row 2, "):
        tally_star(astray, "b")


def test_an_unresolved_tie_is_raised_with_everything_known() -> None:
    """The error carries ids, the stage and the log; its text is the one of the rules (K7)."""
    tied = resolution_of({"park": [{"slide": "1"}, {"swings": "1"}]}, CHOICES)
    with pytest.raises(UnresolvedTieError) as caught:
        tally_star(tied)
    tie = caught.value
    assert (tie.tied, tie.places, tie.advanced, tie.stage) == (("swings", "slide"), 1, (), "runoff")
    assert tie.possible_winners == ("swings", "slide")
    assert tie.log == tally_star(tied, on_tie="return").log
    assert str(tie) == (
        "Unresolved tie between: swings, slide. Community Manager must decide tie-breaking method "
        "(coin toss, revote, or other community-specific process)."
    )


def test_an_unresolved_tie_can_be_returned_with_its_scores() -> None:
    """A screen can show the scores of a count that nobody has won yet."""
    tied = resolution_of({"park": [{"slide": "1"}, {"swings": "1"}]}, CHOICES)
    tally = tally_star(tied, on_tie="return")
    assert (tally.winner, tally.status) == (None, "unresolved tie")
    assert tally.scores["choice_id"].to_list() == ["swings", "slide", "bench"]


@pytest.mark.parametrize("protocol", ["lots", "STARVOTE", ""])
def test_an_unknown_protocol_is_refused_before_anything_is_counted(protocol: str) -> None:
    """The name is checked first, also where there would be other things to complain about."""
    with pytest.raises(InvalidElectionError, match="Use one of: 'starvote', 'losses', 'bettervoting'"):
        tally_star(PARK, "pool", protocol)
    with pytest.raises(InvalidElectionError, match="Use one of: 'starvote', 'losses', 'bettervoting'"):
        tally_star_votes(pl.DataFrame(), protocol=protocol)


def test_the_protocol_is_recorded() -> None:
    """The result says how ties were to be broken (K3)."""
    assert tally_star(PARK).protocol == "starvote"
