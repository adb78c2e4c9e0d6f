"""Ids that look alike or became one: what is refused, merged, noted."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.test_state import frame, noted, quietly, refused

JOSE, JOSE_APART = "Jos\u00e9", "Jose\u0301"


def choices(state: cv.SystemState) -> list[str]:
    return state.choices["choice_id"].to_list()


# --- choices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pond", "pond"),
        ("Town_Hall", "Town__Hall"),
        ("Kim's", "Kim’s"),
        ("Pond", "Po\u00adnd\u200e"),
        ("1", "1.0"),
        ("7", "007"),
    ],
)
def test_choices_that_look_alike_are_refused_where_only_the_votes_name_them(one: str, other: str) -> None:
    """T7: the error names the spellings, the most written first, and the line that settles it; quarantine or not."""
    votes = frame("member_id choice_id stars", f"Kim {one} 5", f"Lou {other} 4", f"Mo {other} 4", "Mo Swings 1")
    for quarantine in (False, True):
        error = refused(votes=votes, quarantine=quarantine)
        assert error.counts == {"look_alikes": 0}
        shown = one.replace("_", " ")
        assert f"{shown!r} (1 vote)".replace('"', "'") in str(error).replace('"', "'")
        assert "(2 votes), " in str(error)
        assert "list them in a table choices" in str(error)


def test_the_line_that_settles_it_lists_every_choice_in_the_spelling_of_most() -> None:
    """So that it can be copied; a comma in a name makes semicolons separate."""
    votes = frame("member_id choice_id stars", "Kim Pond 5", "Lou pond 4", "Mo pond 4", "Mo Swings 1")
    assert "--choices \"Swings,pond\" (in Python spellings=['Swings', 'pond'])" in str(refused(votes=votes))
    comma = votes.with_columns(pl.col("choice_id").replace("Swings", "Swings, two"))
    assert '--choices "Swings, two; pond"' in str(refused(votes=comma))


def test_choices_of_columns_are_choices_that_only_the_ballots_name() -> None:
    """A reader says so with ``__column__``; a table of choices has none, and tells them apart, with a note."""
    table = frame("choice_id __column__", "Pond Pond", "pond pond")
    votes = frame("member_id choice_id stars", "Kim Pond 5", "Lou pond 4")
    assert "'Pond' (1 vote), 'pond' (1 vote) look like one choice" in str(refused(votes=votes, choices=table))
    state = noted(votes=votes, choices=table.drop("__column__"))
    assert state.notes == ("choices: 2 look alike and count apart (first: 'Pond' and 'pond'; T7).",)


def test_choices_of_different_decisions_do_not_look_alike() -> None:
    """Each decision has its own."""
    votes = frame("decision_id member_id choice_id stars", "d Kim Pond 5", "e Kim pond 5")
    assert choices(noted(votes=votes)) == ["Pond", "pond"]


def test_spellings_make_look_alikes_one_with_numbers() -> None:
    """T7: what looks like one of them becomes it, everything else stays."""
    votes = frame("member_id choice_id stars", "Kim Pond 5", "Lou pond 4", "Mo POND 3", "Mo Swings 1")
    state = noted(votes=votes, spellings=["Pond"])
    assert choices(state) == ["Pond", "Swings"]
    assert state.votes.filter(choice_id="Pond")["stars"].to_list() == [5, 4, 3]
    assert state.notes == (
        "votes: 2 rows: choice_id is read as 'Pond' (first: row 2: member_id 'Lou', choice_id 'pond'; row 3: member_id "
        "'Mo', choice_id 'POND').",
    )


def test_spellings_may_list_look_alikes_apart() -> None:
    """Whoever lists both means both; a third spelling could be either, and is refused still."""
    votes = frame("member_id choice_id stars", "Kim Pond 5", "Lou pond 4")
    assert choices(quietly(votes=votes, spellings=["Pond", "pond"])) == ["Pond", "pond"]
    third = pl.concat([votes, frame("member_id choice_id stars", "Mo POND 3")])
    assert "look like one choice" in str(refused(votes=third, spellings=["Pond", "pond"]))


def test_spellings_that_are_no_choice_are_noted() -> None:
    """A misspelt spelling would change nothing, without a word."""
    votes = frame("member_id choice_id stars", "Kim Pond 5")
    assert noted(votes=votes, spellings=["Pond", "Pnod"]).notes == (
        "choices: 'Pnod': asked for, and no choice looks so.",
    )


def test_a_table_of_choices_is_read_in_the_spelling_that_was_asked_for() -> None:
    """Its rows become one, the first of them in the order of display stands."""
    table = frame("choice_id position title", "pond 2 Small", "Pond 1 Large", "Swings 3 S")
    state = quietly(choices=table, votes=frame("member_id choice_id stars", "Kim POND 5"), spellings=["Pond"])
    assert state.choices.select("choice_id", "title").rows() == [("Pond", "Large"), ("Swings", "S")]
    assert state.votes["choice_id"].to_list() == ["Pond"]


@pytest.mark.parametrize(("one", "other"), [("Pond", "pond"), (JOSE, JOSE_APART)])
def test_a_ballot_that_rates_one_choice_twice_is_merged_if_equal_and_bad_if_not(one: str, other: str) -> None:
    """Nobody can know which of two numbers of stars was meant."""
    equal = frame("member_id choice_id stars", f"Kim {one} 5", f"Kim {other} 5.0", f"Lou {one} 1")
    state = quietly(votes=equal, spellings=[one])
    assert state.votes.rows() == [("decision", "Kim", one, Decimal(5)), ("decision", "Lou", one, Decimal(1))]
    assert any("1 rows say the same as an earlier one and were merged" in note for note in state.notes)
    differing = frame("member_id choice_id stars", f"Kim {one} 5", f"Kim {other} 4", f"Lou {one} 1")
    error = refused(votes=differing, spellings=[one])
    assert error.counts == {"one_form": 2}
    assert "appears more than once with other stars, now that its ids are in one form (T7)" in str(error)
    aside = quietly(votes=differing, spellings=[one], quarantine=True)
    assert aside.votes["member_id"].to_list() == ["Lou"]
    assert aside.quarantined["votes"]["choice_id"].to_list() == [one, other]


def test_a_row_that_is_simply_there_twice_stays_bad() -> None:
    """Merging is for what became one."""
    votes = frame("member_id choice_id stars", "Kim Pond 5", "Kim Pond 5", f"Lou {JOSE_APART} 1")
    assert refused(votes=votes).counts == {"primary_key": 2}


def test_a_vote_for_a_choice_that_is_not_in_the_table_is_told_what_it_looks_like() -> None:
    """With the way out."""
    error = refused(choices=frame("choice_id", "Pond"), votes=frame("member_id choice_id stars", "Kim pond 5"))
    assert "the choice is not in the table choices of this decision, though 'pond' looks like 'Pond' (T7); " in str(
        error
    )
    assert '--choices "Pond" reads it so' in str(error)


# --- members --------------------------------------------------------------------------------------------------------


def test_members_that_look_alike_count_apart_with_a_note() -> None:
    """T7; members of different communities do not meet."""
    members = frame("community_id member_id", "k Kelly", "k kelly", "l KELLY", "k Jack")
    assert noted(members=members).notes == ("members: 2 look alike and count apart (first: 'Kelly' and 'kelly'; T7).",)


def test_an_anonymous_member_who_looks_like_another_is_not_named_and_names_nobody() -> None:
    """P1: the twin would say the name."""
    members = frame("member_id is_anonymous", "Xaver true", "xaver false", "Kelly false")
    (note,) = noted(members=members).notes
    assert note == "members: 2 look alike and count apart (first: anonymous members; T7)."


def test_two_members_whose_ids_become_one_are_refused_and_both_named() -> None:
    """T7: they may be two people."""
    members = pl.DataFrame({"member_id": [JOSE, "Kim", JOSE_APART], "__line__": [2, 3, 4]})
    error = refused(members=members)
    assert error.counts == {"one_form": 2}
    assert "line 2: member_id 'José'; line 4: member_id 'Jose\\u0301'" in str(error)
    assert "(community_id, member_id) appears more than once, now that its ids are in one form (T7)" in str(error)


def test_an_id_in_another_form_is_found_with_a_note() -> None:
    """A ballot of José is José's, however the two tables write him."""
    state = noted(
        members=frame("member_id", JOSE),
        votes=frame("member_id choice_id stars", f"\ufeff{JOSE_APART} Pond 5"),
    )
    assert state.votes["member_id"].to_list() == [JOSE]
    assert state.notes == (
        "votes: 1 row: member_id was brought to one form (NFC, without invisible characters; T7) (first: row 1: "
        "member_id '\\ufeffJose\\u0301', choice_id 'Pond').",
    )


def test_a_title_is_brought_to_one_form_too() -> None:
    """What people see is the same as what was typed."""
    assert quietly(members=frame("member_id display_name", f"j {JOSE_APART}")).members["display_name"].to_list() == [
        JOSE
    ]


@pytest.mark.parametrize(("stranger", "member"), [("kelly", "Kelly"), ("7", "007"), ("007", "7"), ("7.0", "7")])
def test_a_stranger_who_looks_like_a_member_is_named_with_the_member(stranger: str, member: str) -> None:
    """D6, M3: zeros that a spreadsheet took away are seen as well."""
    members = frame("member_id", member, "Jack")
    followed = noted(members=members, followings=frame("follower_id followee_id", f"Jack {stranger}", "Jack x"))
    assert any(f"1 of them look like members: '{stranger}' like '{member}' (T7)." in note for note in followed.notes)
    voted = noted(members=members, ballots=frame("member_id", stranger, "x"))
    assert any(f"1 of them look like members: '{stranger}' like '{member}' (T7)." in note for note in voted.notes)


def test_a_stranger_who_looks_like_an_anonymous_member_tells_no_name() -> None:
    """P1."""
    members = frame("member_id is_anonymous", "007 true", "Jack false")
    state = noted(members=members, followings=frame("follower_id followee_id", "Jack 7"))
    assert any("1 of them look like members (T7)." in note for note in state.notes)


def test_derived_members_that_differ_in_zeros_are_noted() -> None:
    """Where no table says who is a member, the ballots of 7 and the followings of 007 may be one person's."""
    state = noted(
        followings=frame("follower_id followee_id", "Jack 007"), votes=frame("member_id choice_id stars", "7 Pond 5")
    )
    assert "members: 2 look alike and count apart (first: '007' and '7'; T7)." in state.notes


def test_decisions_and_communities_that_look_alike_are_noted() -> None:
    """They count apart."""
    state = noted(decisions=frame("community_id decision_id", "k Park", "k park", "K x"))
    assert "decisions: 2 look alike and count apart (first: 'Park' and 'park'; T7)." in state.notes
    assert "communities: 2 look alike and count apart (first: 'K' and 'k'; T7)." in state.notes


# --- frozen ---------------------------------------------------------------------------------------------------------


def test_frozen_tables_stay_as_they_are() -> None:
    """T7: what was recorded before there was one form is not changed, merged, refused or noted by it."""
    state = cv.SystemState.frozen(
        {
            "members": frame("member_id", JOSE, JOSE_APART, "1.0"),
            "choices": frame("choice_id", "Pond", "pond"),
            "ballots": pl.DataFrame({"member_id": [JOSE_APART], "tags": [["straße"]]}),
            "votes": frame("member_id choice_id stars", f"{JOSE_APART} pond 5"),
            "followings": pl.DataFrame({"follower_id": ["1.0"], "followee_id": [JOSE_APART], "tags": [["all"]]}),
        }
    )
    assert set(state.members["member_id"]) == {JOSE, JOSE_APART, "1.0"}
    assert state.ballots["tags"].to_list() == [["straße"]]
    assert state.followings["tags"].to_list() == [["all"]]
    assert choices(state) == ["Pond", "pond"]
    assert state.notes == ()
