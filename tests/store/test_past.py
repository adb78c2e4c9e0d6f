"""The past of a store as tables: every row there ever was, and nobody who was ever anonymous."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.store import Store, recording
from crowdvote_analysis.store.past import PAST_TABLES, past_tables
from tests.store.garden import SECRET_ID, SECRET_NAME, copy_of

if TYPE_CHECKING:
    import polars as pl


@pytest.fixture(scope="module")
def told(untouched: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which members were anonymous, became so, ceased to be so, and left."""
    store = copy_of(untouched, tmp_path_factory.mktemp("stores") / "told")
    recording.change_role(store, "garden", "maya", is_anonymous=True)
    recording.join(store, "garden", "once", display_name="Once Known", is_anonymous=True)
    recording.cast_ballot(store, "green", "once", {"Pond": 1})
    recording.vote(store, "roof", SECRET_ID, "yes")
    recording.change_role(store, "garden", "once", is_anonymous=False)
    recording.withdraw_ballot(store, "green", SECRET_ID)
    recording.leave(store, "garden", SECRET_ID)
    return store


def past(store: Store, seq: int | None = None) -> dict[str, pl.DataFrame]:
    cut = store.cut(seq=seq)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        return past_tables(cut, cut.state())


def test_every_row_stands_with_its_commit(told: Store) -> None:
    """Rows that were superseded and rows that take others back, in the order in which they came."""
    frames = past(told)
    assert set(frames) == set(PAST_TABLES)
    assert frames["commits"]["action"].to_list() == [
        "import", "role", "join", "cast", "vote", "role", "withdraw", "leave",
    ]  # fmt: skip
    assert frames["commits"].columns == ["seq", "committed_at", "action", "tables", "rows"]
    ballots = frames["ballots_history"]
    assert ballots["withdrawn"].to_list() == [False, False, False, True]
    assert ballots.columns[-4:] == ["seq", "committed_at", "action", "withdrawn"]
    for name, frame in frames.items():
        assert "extra" not in frame.columns
        assert frame["seq"].is_sorted(), name


def test_whoever_was_anonymous_at_any_time_is_named_in_no_row(told: Store) -> None:
    """Those who are so, were so or left so stand under one pseudonym each, in rows from before too (P1)."""
    frames = past(told)
    texts = "\n".join(str(frame.rows()) for frame in frames.values())
    for secret in (SECRET_ID, SECRET_NAME, "maya", "Maya Lind", "'once'", "Once Known"):
        assert secret not in texts
    assert "kelly" in texts
    members = frames["members_history"].filter(community_id="garden").select("member_id", "display_name")
    assert sorted(set(members.rows())) == [
        ("Anonymous 1", "Anonymous 1"),
        ("Former anonymous member 1", "Former anonymous member 1"),
        ("Once anonymous member 1", "Once anonymous member 1"),
        ("kelly", "kelly"),
        ("lobby", "lobby"),
    ]
    assert frames["yes_no_votes_history"]["member_id"].to_list() == ["Former anonymous member 1"]
    assert frames["followings_history"].select("follower_id", "followee_id").rows() == [
        ("Anonymous 1", "Former anonymous member 1"),
        ("Former anonymous member 1", "kelly"),
    ]


def test_an_earlier_instant_knows_what_was_known_then(told: Store) -> None:
    """Before a member became anonymous they stood under their id, and later commits are not there."""
    frames = past(told, seq=1)
    assert len(frames["commits"]) == 1
    assert "maya" in frames["members_history"]["member_id"].to_list()
    assert SECRET_ID not in frames["members_history"]["member_id"].to_list()


def test_an_empty_store_has_an_empty_past(tmp_path: Path) -> None:
    """Every table is there, without rows."""
    frames = past(Store.create(tmp_path / "empty"))
    assert {len(frame) for frame in frames.values()} == {0}
