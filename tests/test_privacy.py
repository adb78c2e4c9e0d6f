"""Pseudonyms of anonymous members (P1)."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.privacy import ELSEWHERE, public_ids, public_names
from crowdvote_analysis.published import RESULT_TABLES, input_tables, result_tables


def state_with(members: pl.DataFrame, **tables: pl.DataFrame) -> cv.SystemState:
    votes = pl.DataFrame({"member_id": ["Kelly"], "choice_id": ["Swings"], "stars": ["4"]})
    return cv.SystemState(members=members, votes=votes, **tables)


def shown(state: cv.SystemState) -> dict[str, str]:
    return dict(public_names(state).select("member_id", "public_id").iter_rows())


MEMBERS = pl.DataFrame(
    {
        "member_id": ["Kelly", "Olivia", "Maya", "Jack", "Anonymous 2"],
        "is_anonymous": [False, True, True, True, False],
    }
)


def test_only_anonymous_members_are_renamed() -> None:
    """Others keep id and name, and no pseudonym is the id of somebody else."""
    names = shown(state_with(MEMBERS))
    assert names["Kelly"] == "Kelly"
    assert names["Anonymous 2"] == "Anonymous 2"
    assert {names["Olivia"], names["Maya"], names["Jack"]} == {"Anonymous 1", "Anonymous 3", "Anonymous 4"}


def test_pseudonyms_do_not_depend_on_the_order_of_rows() -> None:
    """The same tables give the same pseudonyms however they are listed."""
    assert shown(state_with(MEMBERS)) == shown(state_with(MEMBERS.reverse()))


def test_the_order_of_pseudonyms_does_not_follow_names() -> None:
    """Somebody who joins reshuffles the numbers: they say nothing about the alphabet."""
    ids = [f"m{number:02d}" for number in range(30)]
    numbered = shown(state_with(pl.DataFrame({"member_id": [*ids, "Kelly"], "is_anonymous": [True] * 30 + [False]})))
    numbers = [int(numbered[member].removeprefix("Anonymous ")) for member in ids]
    assert sorted(numbers) == list(range(1, 31))
    assert numbers != sorted(numbers)


def test_an_anonymous_member_of_another_community_is_not_named_as_a_stranger() -> None:
    """A followee who is no member here is masked if an anonymous member elsewhere has that id."""
    members = pl.DataFrame(
        {
            "community_id": ["here", "there"],
            "member_id": ["Kelly", "Rosalind"],
            "is_anonymous": [False, True],
        }
    )
    frame = pl.DataFrame({"community_id": ["here", "here"], "followee_id": ["Rosalind", "Nobody"]})
    decisions = pl.DataFrame({"community_id": ["here"], "decision_id": ["decision"]})
    state = state_with(members, decisions=decisions)
    assert public_ids(frame, public_names(state), ["followee_id"])["followee_id"].to_list() == [ELSEWHERE, "Nobody"]


SPELLINGS = ["x77", "Rosalind Rose", "ROSALIND ROSE", " Rosalind  rose ", "X77 "]


def test_an_anonymous_member_is_hidden_wherever_an_id_stands() -> None:
    """The name is as secret as the id, in any capitals, with any blanks; whoever has it as an id keeps it."""
    members = pl.DataFrame(
        {
            "member_id": ["x77", "Kelly", "rosalind rose"],
            "display_name": ["Rosalind Rose", "Kelly", "Another"],
            "is_anonymous": [True, False, False],
        }
    )
    asked = pl.DataFrame({"member_id": [*SPELLINGS, "rosalind rose", "Kelly", "Gone"]})
    decisions = pl.DataFrame({"decision_id": ["roof"], "method": ["unanimity"]})
    with pytest.warns(cv.TableWarning):
        state = cv.SystemState(
            members=members,
            decisions=decisions,
            required_voters=asked,
            yes_no_votes=asked.with_columns(vote=pl.lit("yes")),
        )
    tables = input_tables(state)
    for table in ("required_voters", "yes_no_votes"):
        shown = set(tables[table]["member_id"])
        assert shown == {"Anonymous 1", ELSEWHERE, "rosalind rose", "Kelly", "Gone"}
    assert not any("hides" in frame.columns for frame in tables.values())


@pytest.mark.parametrize("table", ["followings", "ballots", "votes", "required_voters", "yes_no_votes"])
def test_a_pseudonym_is_nobody_s_id_in_any_table(table: str) -> None:
    """Somebody may copy a pseudonym from a report into a table."""
    people = pl.DataFrame({"member_id": ["Anonymous 1"]})
    frames = {
        "followings": pl.DataFrame({"follower_id": ["Kelly"], "followee_id": ["anonymous 1"]}),
        "ballots": people.with_columns(decision_id=pl.lit("park")),
        "votes": people.with_columns(decision_id=pl.lit("park"), choice_id=pl.lit("Swings"), stars=pl.lit(5)),
        "required_voters": people.with_columns(decision_id=pl.lit("roof")),
        "yes_no_votes": people.with_columns(decision_id=pl.lit("roof"), vote=pl.lit("yes")),
    }
    members = pl.DataFrame({"member_id": ["Kelly", "x77"], "is_anonymous": [False, True]})
    decisions = pl.DataFrame({"decision_id": ["park", "roof"], "method": ["star", "unanimity"]})
    with pytest.warns(cv.TableWarning):
        state = cv.SystemState(members=members, decisions=decisions, **{table: frames[table]})
    assert shown(state)["x77"] == "Anonymous 2"


@pytest.fixture(scope="module")
def published() -> tuple[cv.SystemState, dict[str, pl.DataFrame]]:
    from crowdvote_analysis.bundled import demo_folder

    state = cv.SystemState.read(demo_folder())
    return state, input_tables(state) | result_tables(state, cv.resolve(state))


def test_published_tables_hold_no_id_or_name_of_an_anonymous_member(
    published: tuple[cv.SystemState, dict[str, pl.DataFrame]],
) -> None:
    """Every text of every published table is looked at (P1)."""
    state, frames = published
    hidden = state.members.filter("is_anonymous").select("member_id", "display_name")
    words = {*hidden["member_id"], *hidden["display_name"]}
    assert set(RESULT_TABLES) < set(frames)
    for name, frame in frames.items():
        for column, kind in frame.schema.items():
            if kind == pl.String:
                assert not words & set(frame[column]), f"{name}.{column}"


def test_scores_say_what_was_left_blank(published: tuple[cv.SystemState, dict[str, pl.DataFrame]]) -> None:
    """Beside every score stand the ballots that rate the choice, and those that do not (K10)."""
    scores = published[1]["scores"].join(published[1]["stats"].select("decision_id", "tallied_ballots"), "decision_id")
    assert (scores["rated"] + scores["blank"] == scores["tallied_ballots"]).all()
    green = scores.filter(decision_id="village-green", choice_id="meadow")
    assert green.select("rated", "blank").rows() == [(33, 2)]
    assert (scores["average_rated"] >= scores["average"]).all()


def test_published_tables_can_be_joined(published: tuple[cv.SystemState, dict[str, pl.DataFrame]]) -> None:
    """Ids that were replaced are replaced alike everywhere, and no row is lost."""
    state, frames = published
    members = frames["members"].select("community_id", "member_id")
    assert members.is_unique().all()
    assert len(frames["resolved_ballots"].join(members, on=["community_id", "member_id"], how="anti")) == 0
    stars = frames["resolved_stars"].join(frames["resolved_ballots"], on=["decision_id", "member_id"], how="semi")
    assert len(stars) == len(frames["resolved_stars"]) == len(cv.resolve(state).stars)
    assert len(frames["votes"]) == len(state.votes)
