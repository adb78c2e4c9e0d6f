"""Cells of tags as people and programs write them."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.tags import in_one_form
from tests.test_state import VOTES, frame, noted, quietly


def read(cell: str | list[str | None], *, following: bool = True) -> list[str]:
    return in_one_form(pl.Series([cell]), following=following).tags[0].to_list()


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ('["budget"]', ["budget"]),
        ("['budget', 'Trees']", ["budget", "trees"]),
        ("['budget' 'trees']", ["budget", "trees"]),
        ("{budget}", ["budget"]),
        ('{budget,"old trees"}', ["budget", "old trees"]),
        ("('budget',)", ["budget"]),
        ("[budget]", ["budget"]),
        ("[budget]; [trees]", ["budget", "trees"]),
        ("[budget; trees]", ["budget", "trees"]),
        ('["caf\\u00e9"]', ["café"]),
        ('["it\'s"]', ["it's"]),
        ("['it\\'s']", ["it's"]),
        ('[null, "x"]', ["x"]),
    ],
)
def test_lists_of_programs_are_read_as_their_entries(cell: str, tags: list[str]) -> None:
    """T5: JSON, Python, NumPy, PostgreSQL and our own screens write them so, and a note says how many there were."""
    found = in_one_form(pl.Series([cell, "plain"]))
    assert found.tags.to_list() == [tags, ["plain"]]
    assert found.listed.to_list() == [True, False]


@pytest.mark.parametrize("cell", ["nan", "NaN", "None", "null", "NULL", "NaT", "<NA>", "#N/A", " nan "])
def test_a_word_for_nothing_is_nothing_and_noted(cell: str) -> None:
    """T5: pandas, Python, databases and spreadsheets write it where there is nothing; followings are on ALL then."""
    state = noted(
        followings=frame("follower_id followee_id", "Maya Kelly").with_columns(tags=pl.lit(cell)), votes=VOTES
    )
    assert state.followings["tags"].to_list() == [[]]
    assert state.notes[0].startswith(
        "followings: 1 row: tags are what programs write where nothing is; they follow on ALL (T3) (first: row 1: "
    )


@pytest.mark.parametrize("cell", ["[]", "{}", "set()", "[None]", "()"])
def test_an_empty_list_of_a_program(cell: str) -> None:
    """It has no entries; two round brackets may be a tag."""
    assert read(cell) == (["()"] if cell == "()" else [])


@pytest.mark.parametrize(
    "word", ["ALL", "all", " All ", "*", "[ALL]", "(all)", "<all>", "{ALL}", "all tags", "budget; ALL"]
)
def test_a_word_for_all_in_a_following_is_all_and_noted(word: str) -> None:
    """T3, T5: as text and as lists; on a ballot it is a tag like any other."""
    for tags in (pl.Series([word]), pl.Series([[word]])) if ";" not in word else (pl.Series([word]),):
        followings = frame("follower_id followee_id", "Maya Kelly").with_columns(tags=tags)
        state = noted(followings=followings, votes=VOTES)
        assert state.followings["tags"].to_list() == [[]]
        assert any("1 row: tags have a word for ALL among them; they follow on ALL (T3, T5)" in n for n in state.notes)
    assert quietly(ballots=frame("member_id", "Kelly").with_columns(tags=pl.lit("all"))).ballots["tags"].to_list() == [
        ["all"]
    ]


@pytest.mark.parametrize("word", ["none", "any", "everything", "hall", "(urgent)", "alle", "nano", "a,b"])
def test_what_can_be_a_tag_stays_one(word: str) -> None:
    """Nothing is taken for ALL or for nothing that somebody may have meant."""
    assert read(word) == [word]
    assert read([word]) == [word]


def test_a_tag_that_stands_in_one_following_alone_is_noted() -> None:
    """T5: with its number and with what may have been meant; a tag of a ballot or of two followings is not."""
    followings = frame("follower_id followee_id tags", "Maya Kelly budgte", "Jack Kelly park", "Olaf Kelly park;budget")
    ballots = frame("member_id tags", "Kelly budget")
    state = noted(followings=followings, ballots=ballots)
    (note,) = [note for note in state.notes if "(first: 'budgte'" in note]
    assert note == (
        "followings: 1 tag stands in one following and on no ballot, so it matches nothing (first: 'budgte', meant as "
        "'budget'?; T5)."
    )
    assert not any("budgte" in note for note in noted(followings=followings[1:], ballots=ballots).notes)


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("enviroment", "environment"),
        ("environments", "environment"),
        ("environment 2025", "environment 2025."),
        ("alle", "ALL"),
        ("Everything", "ALL"),
        ("all topics", "ALL"),
        ("any", "ALL"),
        ("-", "ALL"),
        ("(none)", "ALL"),
    ],
)
def test_a_tag_of_several_followings_that_looks_like_another_is_noted(tag: str, meant: str) -> None:
    """T5: it matches nothing, and nobody would see it."""
    followings = frame("follower_id followee_id", "Maya Kelly", "Jack Kelly").with_columns(tags=pl.lit(tag))
    ballots = frame("member_id", "Kelly").with_columns(tags=pl.lit("environment; environment 2025."))
    (note,) = [
        note for note in quietly(followings=followings, ballots=ballots).notes if "(T5)" in note or "T5)" in note
    ]
    assert note == (
        "followings: 2 have a tag that is on no ballot, so it matches nothing, and looks like another (first: "
        f"'{tag.lower()}', meant as '{meant}'?; T5)."
    )


@pytest.mark.parametrize("tag", ["parks", "environment 2026.", "art", "environment"])
def test_a_tag_of_several_followings_that_is_just_another_is_not_noted(tag: str) -> None:
    """Years and numbers tell topics apart, and topics of other decisions stand in followings."""
    followings = frame("follower_id followee_id", "Maya Kelly", "Jack Kelly").with_columns(tags=pl.lit(tag))
    ballots = frame("member_id", "Kelly").with_columns(tags=pl.lit("environment; environment 2025."))
    assert not any("T5" in note for note in quietly(followings=followings, ballots=ballots).notes)


def test_a_tag_on_a_ballot_that_names_an_anonymous_member_is_not_proposed() -> None:
    """P1."""
    state = quietly(
        members=frame("member_id is_anonymous", "Xaver true", "Kelly false", "Olaf false"),
        followings=frame(
            "follower_id followee_id tags", "Kelly Xaver xavers", "Olaf Xaver xavers", "Olaf Kelly xavver"
        ),
        ballots=frame("member_id tags", "Kelly xaver"),
    )
    assert not any("'xaver'" in note for note in state.notes)


def test_a_lonely_tag_of_another_community_does_not_help() -> None:
    """Tags match inside a community only."""
    state = quietly(
        followings=frame("community_id follower_id followee_id tags", "k Maya Kelly x"),
        decisions=frame("community_id decision_id", "k d", "l e"),
        ballots=frame("decision_id member_id tags", "e Ann x", "d Kelly y"),
    )
    assert any("1 tag stands in one following" in note for note in state.notes)


def test_a_lonely_tag_that_names_an_anonymous_member_is_not_shown() -> None:
    """P1."""
    state = quietly(
        members=frame("member_id is_anonymous", "Xaver true", "Kelly false"),
        followings=frame("follower_id followee_id tags", "Kelly Kelly XAVER"),
    )
    assert any("(first: not shown" in note for note in state.notes)
    assert not any("xaver" in note.lower() for note in state.notes)


def test_tags_of_both_forms_meet() -> None:
    """T5: a following in capitals and another Unicode form inherits."""
    state = quietly(
        followings=frame("follower_id followee_id tags", "Maya Kelly CAFE\u0301_STRASSE"),
        ballots=frame("member_id tags", "Kelly caf\u00e9_stra\u00dfe"),
        votes=frame("member_id choice_id stars", "Kelly Swings 5"),
    )
    assert cv.resolve(state).stats["calculated_ballots"].to_list() == [1]
