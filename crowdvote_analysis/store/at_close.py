"""Ballots that were changed after the close of their decision, as they stood at the close (D12)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import TableWarning

if TYPE_CHECKING:
    from crowdvote_analysis.store.cut import Cut

_BALLOT = ["decision_id", "member_id"]


def as_at_close(cut: Cut, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with the last ballot in time of whoever changed it too late; others stay as they are.

    Voting ends by a commit, and nothing lands behind it, so there are such ballots only where an import moved the close
    or brought a later time. A ``TableWarning`` says how many.

    Args:
        cut: The store; it keeps every ballot there ever was.
        frames: The tables as they stand.
    """
    closes = frames["decisions"].select("decision_id", "closes_at")
    late = frames["ballots"].join(closes, on="decision_id").filter(pl.col("cast_at") > pl.col("closes_at"))
    if late.is_empty():
        return frames
    cast = pl.when("withdrawn").then("committed_at").otherwise(pl.coalesce("cast_at", "committed_at"))
    in_time = cut.history("ballots").join(late.lazy().select(*_BALLOT, "closes_at"), on=_BALLOT)
    last = in_time.filter(cast <= pl.col("closes_at")).sort("seq").unique(_BALLOT, keep="last", maintain_order=True)
    then = last.filter(~pl.col("withdrawn")).collect()
    if then.is_empty():
        return frames
    changed = "1 ballot was changed after the close of its decision, and counts as it stood then (D12)."
    if len(then) > 1:
        changed = (
            f"{len(then):,} ballots were changed after the close of their decision, and count as they stood then (D12)."
        )
    warnings.warn(changed, TableWarning, stacklevel=4)
    key = [*_BALLOT, "seq"]
    stars = cut.history("votes").join(then.lazy().select(key), on=key, how="semi").collect()
    return frames | {
        table: _replaced(frames[table], table, rows, then) for table, rows in (("ballots", then), ("votes", stars))
    }


def _replaced(frame: pl.DataFrame, table: str, rows: pl.DataFrame, ballots: pl.DataFrame) -> pl.DataFrame:
    others = frame.join(ballots, on=_BALLOT, how="anti")
    return pl.concat([others, rows.select(frame.columns)]).sort(tables.key(table))
