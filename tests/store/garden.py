"""A small store for tests: two members and a third who is anonymous, an open decision, one that is a draft."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis.store import Store, import_state

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
# Of the anonymous member; neither may be told to anybody.
SECRET_ID, SECRET_NAME = "zephyrine", "Zoe Quill"


def ticking(first: datetime = NOON) -> Callable[[], datetime]:
    """A clock that goes on by a minute whenever somebody looks."""
    times = iter(first + number * timedelta(minutes=1) for number in range(100_000))
    return lambda: next(times)


def new_garden(folder: Path) -> Store:
    """The store, at its first commit."""
    store = Store.create(folder, clock=ticking())
    state = cv.SystemState(
        communities=pl.DataFrame({"community_id": ["garden", "river"]}),
        members=pl.DataFrame(
            {
                "community_id": ["garden"] * 4 + ["river"],
                "member_id": ["kelly", "maya", SECRET_ID, "lobby", "olivia"],
                "display_name": [None, "Maya Lind", SECRET_NAME, None, None],
                "is_voter": [True, True, True, False, True],
                "is_anonymous": [False, False, True, False, False],
            }
        ),
        followings=pl.DataFrame(
            {"community_id": ["garden"] * 2, "follower_id": [SECRET_ID, "maya"], "followee_id": ["kelly", SECRET_ID]}
        ),
        decisions=pl.DataFrame(
            {
                "community_id": ["garden"] * 4,
                "decision_id": ["green", "later", "sketch", "roof"],
                "method": ["star", "star", "star", "simple_majority"],
                "status": ["active", "active", "draft", "active"],
                "opens_at": [None, "2026-07-01", None, None],
                "closes_at": [None, None, None, "2026-12-31"],
            }
        ),
        choices=pl.DataFrame(
            {"decision_id": ["green", "green", "later", "sketch"], "choice_id": ["Pond", "Swings", "Pond", "Pond"]}
        ),
        ballots=pl.DataFrame({"decision_id": ["green"] * 2, "member_id": ["kelly", SECRET_ID]}),
        votes=pl.DataFrame(
            {
                "decision_id": ["green"] * 3,
                "member_id": ["kelly", "kelly", SECRET_ID],
                "choice_id": ["Pond", "Swings", "Pond"],
                "stars": ["4.5", "2", "5"],
            }
        ),
    )
    import_state(store, state)
    return store


def copy_of(store: Store, folder: Path) -> Store:
    """The same store in another folder, which costs less than making one."""
    copytree(str(store.location.folder), folder)
    return Store.open(folder, clock=ticking(NOON + timedelta(hours=1)))
