"""What counts as it stands and may be meant otherwise is told as a doubt."""

from __future__ import annotations

import re
import warnings
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import DoubtWarning, TableWarning
from tests.test_state import VOTES, frame, quietly


def doubts(**frames: Any) -> list[str]:
    """The doubts, each of which is a note of the state as well."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = cv.SystemState(**frames)
    found = [str(warning.message) for warning in caught if warning.category is DoubtWarning]
    assert set(found) <= set(state.notes)
    return found


@pytest.mark.parametrize(
    "name", ["topics", "Topic", "on", "subject", "category", "Thema", "for topics", "topicName", "tag_1"]
)
def test_followings_without_tags_and_with_topics_are_doubted(name: str) -> None:
    """T3: all of them follow on ALL, and the winner may be another one."""
    followings = frame("follower_id followee_id", "Maya Kelly", "Jack Kelly").with_columns(pl.lit("budget").alias(name))
    assert doubts(followings=followings, votes=VOTES) == [
        f"followings: there is no column tags, so all 2 follow on ALL (T3). The column {name} looks as if it held "
        "their tags: if so, rename it to tags, else give it another name."
    ]


def test_other_columns_of_followings_are_not_doubted() -> None:
    """Nor one that is blank, nor any beside tags."""
    followings = frame("follower_id followee_id", "Maya Kelly")
    assert not doubts(followings=followings.with_columns(comment=pl.lit("on budget")), votes=VOTES)
    assert not doubts(followings=followings.with_columns(topics=pl.lit(" ")), votes=VOTES)
    assert not doubts(followings=followings.with_columns(topics=pl.lit("x"), tags=pl.lit("x")), votes=VOTES)


@pytest.mark.parametrize("cell", ["Kelly,Bob", "Kelly, Bob", "Bob; Kelly", "Kelly|Bob", "Kelly & Bob", "Kelly/Bob,"])
def test_several_members_in_one_cell_are_doubted(cell: str) -> None:
    """Members derived or given."""
    followings = frame("follower_id followee_id", "Tim Bob").vstack(
        pl.DataFrame({"follower_id": ["Maya"], "followee_id": [cell]})
    )
    ballots = frame("member_id", "Kelly", "Bob")
    members = frame("member_id", "Kelly", "Bob", "Tim", "Maya")
    for frames in ({"ballots": ballots}, {"members": members}):
        assert doubts(followings=followings, **frames) == [
            f"followings: 1 cell looks like several members in one (first: '{cell}'), and count as somebody else. Give "
            "each a row of its own (D8)."
        ]


def test_commas_in_names_are_not_doubted_and_anonymous_members_not_named() -> None:
    """P1; ``Ray, Kim`` is a name as long as Ray and Kim are not both members."""
    followings = pl.DataFrame({"follower_id": ["Tim"], "followee_id": ["Ray, Kim"]})
    assert not doubts(followings=followings, ballots=frame("member_id", "Kim"))
    members = frame("member_id is_anonymous", "Ray true", "Kim false", "Tim false")
    (doubt,) = doubts(followings=followings, members=members)
    assert "(first: not shown)" in doubt
    assert "Ray" not in doubt


@pytest.mark.parametrize("damaged", ["1,001", "1.001", "1 001", "1'001"])
def test_numbers_with_marks_between_thousands_look_like_those_without(damaged: str) -> None:
    """T7: a spreadsheet shows ids so."""
    followings = pl.DataFrame({"follower_id": ["2"], "followee_id": ["1001"]})
    ballots = pl.DataFrame({"member_id": [damaged]})
    notes = quietly(followings=followings, ballots=ballots).notes
    assert f"members: 2 look alike and count apart (first: '{damaged}' and '1001'; T7)." in [
        note.replace('"', "'") for note in notes
    ]
    members = pl.DataFrame({"member_id": ["1001", "2"]})
    assert any("1 of them look like members" in note for note in quietly(members=members, ballots=ballots).notes)


_NAMED = pl.DataFrame({"member_id": ["m1", "m2", "m3"], "display_name": ["Ada", "Kim", None]})


@pytest.mark.parametrize("written", ["Ada", "ada", " Ada"])
@pytest.mark.parametrize("column", ["follower_id", "followee_id"])
def test_names_that_are_shown_are_no_ids_and_are_warned_of(column: str, written: str) -> None:
    """Forms ask whom somebody follows by name; without a warning the delegation would be lost."""
    ids = {"follower_id": ["m3", "m2"], "followee_id": ["m2", "m1"]}
    ids[column] = [written, "m1" if column == "followee_id" else "m2"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cv.SystemState(members=_NAMED, followings=pl.DataFrame(ids))
    said = [str(warning.message) for warning in caught if warning.category is DoubtWarning]
    assert len(said) == 1
    assert f"1 row has the display_name of a member as {column} (first: '{written}', who is 'm1')" in said[0]
    assert "Write the member_id of that member instead" in said[0]


def test_ballots_under_the_name_that_is_shown_are_warned_of() -> None:
    """They are not counted, and may decide."""
    ballots, votes = {"member_id": ["Kim"]}, {"member_id": ["Kim"], "choice_id": ["Pond"], "stars": ["5"]}
    with (
        pytest.warns(TableWarning, match="ballots: 1 were cast by somebody who is not a member"),
        pytest.warns(DoubtWarning, match="ballots: 1 row has the display_name of a member as member_id .*'m2'"),
    ):
        cv.SystemState(members=_NAMED, ballots=pl.DataFrame(ballots), votes=pl.DataFrame(votes))


def test_names_of_anonymous_members_are_not_told() -> None:
    """Neither the name nor the id stands in the warning (P1)."""
    members = _NAMED.with_columns(is_anonymous=pl.Series([True, False, False]))
    followings = pl.DataFrame({"follower_id": ["m3"], "followee_id": ["Ada"]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cv.SystemState(members=members, followings=followings)
    said = " ".join(str(warning.message) for warning in caught)
    assert "display_name of a member as followee_id (first: not shown)" in said
    assert "Ada" not in said
    assert "'m1'" not in said


def test_an_id_that_is_another_members_shown_name_is_an_id() -> None:
    """Who is a member under this id is meant."""
    members = pl.DataFrame({"member_id": ["Ada", "m1", "m3"], "display_name": ["Kim", "Ada", None]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cv.SystemState(members=members, followings=pl.DataFrame({"follower_id": ["m3"], "followee_id": ["Ada"]}))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (["environment|budget"], "1 row has a tag that looks like others in one .*'environment' and 'budget'"),
        (["#environment"], "1 row has a tag that looks like another one .*there is 'environment'"),
        (["budget & environment"], "looks like others in one"),
    ],
)
def test_tags_that_stand_in_one_are_warned_of(tags: list[str], said: str) -> None:
    """Followings on one of them do not match, and whoever follows has no ballot."""
    frames = {
        "members": pl.DataFrame({"member_id": ["Kelly", "Maya", "Jack"]}),
        "followings": pl.DataFrame(
            {"follower_id": ["Maya", "Jack"], "followee_id": ["Kelly"] * 2, "tags": [["environment"], ["budget"]]}
        ),
        "ballots": pl.DataFrame({"member_id": ["Kelly"], "tags": [tags]}),
        "votes": pl.DataFrame({"member_id": ["Kelly"], "choice_id": ["Pond"], "stars": ["5"]}),
    }
    with pytest.warns(cv.TableWarning) as told:
        cv.SystemState(**frames)
    doubts = [str(warning.message) for warning in told if issubclass(warning.category, DoubtWarning)]
    assert len(doubts) == 1
    assert re.search(said, doubts[0])


def test_signs_in_tags_are_nobodys_business() -> None:
    """Where no tag is what stands between them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cv.SystemState(
            ballots=pl.DataFrame({"member_id": ["Kelly"], "tags": [["r&d", "input/output", "c#"]]}),
            votes=pl.DataFrame({"member_id": ["Kelly"], "choice_id": ["Pond"], "stars": ["5"]}),
        )
