"""What counts as it stands and may be meant otherwise is told as a doubt."""

from __future__ import annotations

import warnings
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import DoubtWarning
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
