"""Codes are given once to a state, and go along with every state that has the same members and followings."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import codes
from crowdvote_analysis.delegation.encode import encode
from tests.delegation.networks import many, state_of

FRAMES = ["ballots", "stars", "sources", "stats", "choices", "decisions"]


@pytest.fixture
def state() -> cv.SystemState:
    return state_of(many("auto", 8, 21), 3)


def test_nothing_is_encoded_twice(state: cv.SystemState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for the same count again, nor for one decision after the other, nor after other ballots."""
    whole = cv.resolve(state)
    ids = whole.decisions["decision_id"].to_list()
    cv.resolve(state, ids[:1])
    for name in ("Codes", "Lookup", "_tag_sets"):
        monkeypatch.setattr(codes, name, None)  # would fail if it were called
    assert cv.resolve(state).stars.equals(whole.stars)
    for decision in ids:
        one = cv.resolve(state, [decision])
        assert one.ballots.equals(whole.ballots_of(decision))
    fewer = state._with(ballots=state.ballots.filter(pl.col("decision_id") != ids[0]))
    assert fewer.codes is state.codes
    assert cv.resolve(fewer).stars.filter(decision_id=ids[-1]).equals(whole.stars.filter(decision_id=ids[-1]))


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_other_followings_have_other_codes(state: cv.SystemState) -> None:
    """What is known of tables that changed is not kept."""
    other = state._with(followings=state.followings.head(3))
    assert other.codes is not state.codes
    assert other.codes.followings.height <= 3
    fresh = cv.SystemState.frozen({name: getattr(other, name) for name in cv.tables.TABLES})
    for name in FRAMES:
        assert getattr(cv.resolve(other), name).equals(getattr(cv.resolve(fresh), name))


def test_a_decision_without_rows_has_no_rows(state: cv.SystemState) -> None:
    """Nor do the rows of others become its own."""
    empty = state.decisions.head(1).with_columns(decision_id=pl.lit("silence"))
    more = state._with(decisions=pl.concat([state.decisions, empty]))
    encoded = encode(more, ["silence"])
    assert (encoded.ballots.height, encoded.votes.height) == (0, 0)
    assert cv.resolve(more, ["silence"]).stats["manual_ballots"].to_list() == [0]


def test_codes_do_not_depend_on_the_order_of_rows(state: cv.SystemState) -> None:
    other = state_of(many("auto", 8, 21), 5)
    assert not state.followings.equals(other.followings)
    assert state.codes.members.equals(other.codes.members)
    columns = ["follower", "followee"]
    assert state.codes.followings.select(columns).equals(other.codes.followings.select(columns))
