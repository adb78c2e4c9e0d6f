"""The words and tables of the page about a count."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.pages import words
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.store import Store, import_state
from crowdvote_analysis.store.recording import join


def test_winner_in_words(tally):
    """The headline names the winner and how the runoff went."""
    said = words.headline(tally("village-green"))
    assert (said.kind, said.title) == ("success", "Wildflower meadow wins")
    assert said.sentences[0] == (
        "25 ballots for it, 7 for Playground and 3 without a preference in the runoff: a margin of 18."
    )


def test_unresolved_tie_in_words(tally):
    """The headline asks people to decide and says who could win (K7)."""
    said = words.headline(tally("bench-colour"))
    assert said.kind == "warn"
    assert said.sentences[0].startswith(
        "Unresolved tie between: Bottle green, River blue. Community Manager must decide"
    )
    assert said.sentences[-1] == "Possible winners: Bottle green, River blue."


def test_tie_that_does_not_matter_in_words(vote):
    """Where every decision of the tie gives the same winner, the headline says so."""
    result = vote({"a": 5, "b": 1, "c": 1}, {"a": 5, "b": 2, "c": 0}, {"a": 5, "b": 0, "c": 2})
    assert result.tie is not None
    assert words.headline(result).sentences[-1] == (
        "It does not change who wins: under any decision of the tie that is a."
    )


def test_lone_choice_in_words(vote):
    """A lone choice wins without a runoff (K2)."""
    assert words.headline(vote({"a": 1})).sentences == ("It is the only choice, so there was no runoff.",)


def test_level_runoff_in_words(vote):
    """A runoff that was level says what decided."""
    said = words.headline(vote({"a": 5, "b": 0}, {"a": 1, "b": 2}))
    assert said.title == "a wins"
    assert said.sentences[0] == "The runoff against b is level at 1 ballot each; total stars decide."


@pytest.mark.parametrize(
    ("opens", "closes", "status", "said"),
    [
        (1, 30, "active", "voting is open from 1 April 2026, 08:00 to 30 April 2026, 08:00 (UTC)"),
        (1, 9, "active", "voting is over: it was open from 1 April 2026, 08:00 to 9 April 2026, 08:00 (UTC)"),
        (1, 30, "approved", "voting is over; it was to close 30 April 2026, 08:00 (UTC)"),
        (20, 30, "active", "voting opens 20 April 2026, 08:00 and closes 30 April 2026, 08:00 (UTC)"),
        (20, None, "active", "voting opens 20 April 2026, 08:00 (UTC)"),
        (1, None, "active", "voting is open from 1 April 2026, 08:00 (UTC)"),
        (1, None, "cancelled", "voting is over"),
        (None, 9, "active", "voting is over: it was open until 9 April 2026, 08:00 (UTC)"),
        (None, None, "active", "no closing time"),
        (None, None, "rejected", "voting is over"),
    ],
)
def test_times_in_words(opens, closes, status, said):
    """The time of a decision says whether people can vote, as on 10 April, and tells no time that was not kept (S3)."""
    times = {
        name: day and datetime(2026, 4, day, 8, tzinfo=UTC)
        for name, day in (("opens_at", opens), ("closes_at", closes))
    }
    assert words.voting_time({**times, "status": status}, datetime(2026, 4, 10, tzinfo=UTC)) == said


def test_how_safe_names_the_choice_that_could_win(counted, tally):
    """People read titles, and by what rule a runoff that is turned around is won (K4)."""
    result = tally("village-green")
    assert words.headline(result, words.safety_of(counted, result)).sentences[1] == (
        "How safe: 5 ballots would have to change for another result: Car park could then reach the runoff and win it. "
        "For Playground to win this runoff takes 9 ballots (then both have as many, and Playground has more stars in "
        "all). Changed ballots may have parts of stars, as some have."
    )


def test_ballots_are_listed_under_public_names(counted, names):
    """Everybody has one row; anonymous members only their pseudonym, in no telling order (P1)."""
    table = words.ballot_table(counted, "village-green", names)
    assert len(table) == 42
    assert table.columns[:3] == ["Member", "Ballot", "★ Wildflower meadow"]
    cells = {str(cell).lower() for row in table.iter_rows() for cell in row}
    assert {"anonymous 1", "anonymous 2"} <= cells
    assert not cells & {"rosalind", "thaddeus"}
    by_hand = table.filter(Ballot="by hand")["Member"].to_list()
    assert by_hand == sorted(by_hand)


def test_ballot_says_why_there_is_none(counted, names):
    """A member without a ballot has a reason and no stars (D7)."""
    row = words.ballot_table(counted, "village-green", names).row(by_predicate=pl.col("Member") == "Stella", named=True)
    assert row["Why none"] == "Not following anyone"
    assert row["★ Car park"] is None


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("no_followings", "Not following anyone"),
        ("no_match", "Following others but no tag matches"),
        ("no_match+no_ballot", "Following others but no tag matches and there is no ballot to inherit"),
        ("circular+not_a_member", "Following others but it leads back in a loop and whom they follow is not a member"),
    ],
)
def test_the_true_cause_is_told(detail, said):
    """What became of the followings is told, not that no tag matches where there was nothing to match (D7)."""
    assert words.no_ballot(detail) == said


def test_choice_may_be_called_like_a_column():
    """Choice ids and titles that are also columns of the table do not collide."""
    state = cv.SystemState(
        votes=pl.DataFrame({"member_id": ["a", "a", "a"], "choice_id": ["tags", "depth", "Member"], "stars": [1, 2, 3]})
    )
    table = words.ballot_table(cv.resolve(state), "decision", public_names(state))
    assert table.select("★ tags", "★ depth", "★ Member").rows() == [(1.0, 2.0, 3.0)]


def test_every_cell_is_written_as_text(counted, names):
    """Stars have two places, none are a dash; nothing is an empty cell rather than the word None."""
    formats = words.cell_formats(words.ballot_table(counted, "village-green", names))
    assert formats["★ Playground"](3.0) == "3.00"
    assert (formats["★ Playground"](None), formats["Depth"](None), formats["Depth"](2)) == ("–", "", "2")


def test_reading_gives_state_and_notes(tmp_path):
    """What is unusual about a folder is told beside its state."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings\nKelly,,4\n")
    (tmp_path / "followings.csv").write_text("follower_id,followee_id,tags\nMaya,Maya,\n")
    state, notes = words.read_noting(tmp_path)
    assert state.members["member_id"].to_list() == ["Kelly", "Maya"]
    assert len(notes) == 1
    assert "D8" in notes[0]


def test_participation_in_figures(counted):
    """The figures of a decision come with a few words each."""
    said = words.figures(counted.stats.filter(decision_id="village-green"))
    assert said[0] == ("36 of 40", "voters have a ballot (90.0%)")
    assert ("35", "ballots tallied; 1 rates no choice") in said
    said = words.figures(counted.stats.filter(decision_id="bench-colour"))
    assert ("7", "ballots tallied") in said


def test_ballots_that_are_not_tallied_are_told(counted, tally):
    """36 voters have a ballot and 35 are tallied: the headline says what became of the other one (D5)."""
    (stats,) = counted.stats.filter(decision_id="village-green").to_dicts()
    said = words.headline(tally("village-green"), stats=stats)
    assert said.sentences[-1] == "Tallied: 35 of 36 ballots; 1 rates no choice."
    assert words.tallied_words({**stats, "manual_ballots": 17}) == "Tallied: 35 ballots."


def test_nobody_has_won_while_voting_goes_on(tally):
    """An open decision has a leader or a tie so far, no winner (S3)."""
    said = words.headline(tally("village-green"), is_open=True)
    assert (said.kind, said.title) == ("info", "Wildflower meadow leads so far")
    assert words.headline(tally("bench-colour"), is_open=True).title == "No winner so far: an unresolved tie"


@pytest.mark.parametrize(
    ("decision", "is_open"),
    [
        ({"closes_at": datetime(2026, 6, 2, tzinfo=UTC)}, True),
        ({"closes_at": datetime(2026, 6, 1, tzinfo=UTC)}, False),
        ({"opens_at": datetime(2026, 5, 1, tzinfo=UTC)}, True),
        ({"closes_at": datetime(2026, 6, 2, tzinfo=UTC), "status": "cancelled"}, False),
        ({}, False),
    ],
)
def test_tables_without_times_are_all_there_is(decision, is_open):
    """A decision is open until it closes; ballots alone, without any time, are a complete count (S3)."""
    row = {"opens_at": None, "closes_at": None, "status": "active", **decision}
    assert words.is_open(row, datetime(2026, 6, 1, tzinfo=UTC)) == is_open


def test_stars_are_rounded_for_people(tally):
    """Sentences have two places, and logs and documents all of them."""
    lost = tally("school-meals")
    assert "7.94 more in total than" in " ".join(words.headline(lost).sentences)
    assert "7.9357143 more than" in lost.why_leader_lost


def test_a_store_is_read_again_when_something_was_recorded(tmp_path):
    """Pages share what was read, until there is something new."""
    store = Store.create(tmp_path / "store")
    import_state(store, cv.SystemState(members=pl.DataFrame({"member_id": ["Kelly"]})))
    first, _ = words.read_noting(tmp_path / "store")
    assert words.read_noting(str(tmp_path / "store"))[0] is first
    join(store, "community", "ann", display_name="Ann")
    assert set(words.read_noting(tmp_path / "store")[0].members["member_id"]) == {"ann", "Kelly"}
