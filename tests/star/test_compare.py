"""One set of ballots under every tie protocol."""

from __future__ import annotations

from crowdvote_analysis.star import compare_protocols, tally_star_votes
from crowdvote_analysis.star.compare import counts_of
from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.votes import read_votes

from .elections import votes_of

# a, b and c are level in score; by preferences a leads, by five-star ballots b and c do.
PARTED = votes_of([{"a": 4, "b": 1, "c": 1}, {"a": 4, "b": 3, "c": 3}, {"a": 1, "b": 5, "c": 5}])


def test_the_protocols_stand_side_by_side() -> None:
    """Each row says who wins by which steps, and at which step a protocol leaves the one that was asked for."""
    rows = {row["protocol"]: row for row in compare_protocols(tally_star_votes(PARTED, on_tie="return")).to_dicts()}
    assert list(rows) == ["starvote", "losses", "bettervoting"]
    assert (rows["starvote"]["parts_at_step"], rows["losses"]["parts_at_step"]) == (None, 2)
    assert rows["bettervoting"]["rules"][:2] == ["sum", "max_count"]
    assert rows["bettervoting"]["finalists"] == ["b", "c"]
    assert rows["bettervoting"]["winner"] is None
    assert rows["bettervoting"]["possible_winners"] == ["b", "c"]
    assert rows["starvote"]["possible_winners"] == ["a"]


def test_the_protocol_that_was_asked_for_comes_first() -> None:
    """The others are held against it."""
    compared = compare_protocols(tally_star_votes(PARTED, protocol="bettervoting", on_tie="return"))
    assert compared["protocol"].to_list() == ["bettervoting", "starvote", "losses"]
    assert compared["parts_at_step"].to_list() == [None, 2, 2]


def test_without_a_tie_they_do_not_part() -> None:
    """Where nothing is tied all protocols take the same steps."""
    compared = compare_protocols(tally_star_votes(votes_of([{"a": 5, "b": 3, "c": 0}])))
    assert compared["parts_at_step"].null_count() == 3


def test_an_order_of_the_manager_is_left_out() -> None:
    """The comparison is about what the ballots say by themselves."""
    tied = votes_of([{"a": 1}, {"b": 1}])
    assert compare_protocols(tally_star_votes(tied, tie_order=["b", "a"]))["winner"].null_count() == 3


def test_a_tally_holds_the_counts_it_was_decided_by() -> None:
    """Scores, five-star ballots and preferences of a tally are the whole of what a protocol looks at."""
    counts = counts_of(tally_star_votes(PARTED, ["c", "a", "b"], on_tie="return"))
    assert counts == count(read_votes(PARTED, ["c", "a", "b"]).ballots)
