"""When a decision ended, and which commits its final count is of (S10).

Voting ends by a commit: by hand before its time is over, or by the clock afterwards. The latter changes no value; it is
there so that the end has its place in the order of all commits, and no ballot can land in front of it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Store

# The actions of the commits that end a decision: at once, and when its time was over.
BY_HAND, BY_CLOCK = "close", "deadline"
CLOSINGS = (BY_HAND, BY_CLOCK)
# The statuses of a decision that is over, whatever its times are.
OVER = ("approved", "rejected", "expired", "cancelled")


class Closing(NamedTuple):
    """The end of a decision.

    Attributes:
        at: The instant (UTC): of the commit that closed it, or the time at which it was to close.
        seq: Number of the last commit before that instant, or of the commit that closed it by hand; none as long as
            no commit has closed a decision whose time is over.
    """

    at: datetime
    seq: int | None


def ends(cut: Cut, at: datetime, decision_id: str | None = None) -> pl.DataFrame:
    """The decisions that are over at an instant, sorted by id.

    Args:
        cut: The store.
        at: The instant.
        decision_id: This decision only.

    Returns:
        decision_id, method, status, closes_at, action, seq and committed_at (of the commit that wrote the row), and
        clock (Boolean: whether its time was over before any commit said so). A draft is never over.
    """
    where = {} if decision_id is None else {"decision_id": decision_id}
    rows = cut.standing("decisions", **where).select(
        "decision_id", "method", "status", "closes_at", "action", "seq", "committed_at"
    )
    over_then = pl.col("status").is_in(OVER) | (pl.col("closes_at") <= pl.col("committed_at")).fill_null(value=False)
    passed = (pl.col("closes_at") <= at).fill_null(value=False)
    by_commit = pl.col("action").is_in(CLOSINGS)
    ended = rows.filter(pl.col("status") != "draft", by_commit | over_then | passed)
    return ended.with_columns(clock=~(by_commit | over_then)).sort("decision_id").collect()


def closing(store: Store, cut: Cut, decision_id: str, at: datetime) -> Closing | None:
    """The end of a decision as of an instant; none while it is open, or a draft."""
    found = ends(cut, at, decision_id)
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    if row["clock"]:
        return Closing(row["closes_at"], None)
    if row["action"] == BY_CLOCK:
        before = store.cut(as_of=row["closes_at"], seq=row["seq"] - 1)
        return Closing(row["closes_at"], before.seq)
    return Closing(row["closes_at"] if row["action"] == BY_HAND else row["committed_at"], row["seq"])
