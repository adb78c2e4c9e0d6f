"""Why a result was counted again, and what changed, in plain words (S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

# What made a snapshot be taken, where it is not told as it stands, as "ballot cast" is (E1).
_ASKED = {
    "manual": "somebody asked for it",
    "recalculation by a manager": "a manager asked for it",
    "recover": "an earlier count had failed",
}


def successor(known: pl.DataFrame, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The snapshot that stands in the place of another; none where that still stands, or it is not among these.

    Args:
        known: Rows of ``list_snapshots``.
        row: One of them.
    """
    found = known.filter(snapshot_id=row["superseded_by"] or "")
    return found.row(0, named=True) if len(found) else None


def predecessor(known: pl.DataFrame, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest result in whose place a snapshot stands; see ``successor``."""
    found = known.filter(superseded_by=row["snapshot_id"], status="completed").head(1)
    return found.row(0, named=True) if len(found) else None


def counted_again(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Say when and why a result was counted again, and what changed.

    Args:
        before: The row of the snapshot that does not stand any more.
        after: The row of the one in its place.

    Returns:
        Such as ``Counted again on 2026-05-02 09:40 UTC (somebody asked for it): 4 more ballots, 36 instead of 32; the
        winner is unchanged; the margin is 18 instead of 3.``
    """
    changes = [_ballots(before, after), _winner(before, after)]
    if None not in (before["margin"], after["margin"]) and before["margin"] != after["margin"]:
        changes.append(f"the margin is {after['margin']:,} instead of {before['margin']:,}")
    why = _ASKED.get(after["trigger"] or "", after["trigger"] or "")
    told = f"Counted again on {after['timestamp']:%Y-%m-%d %H:%M} UTC{f' ({why})' if why else ''}"
    return f"{told}: {'; '.join(changes)}."


def _ballots(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    was, now = ((row["manual_ballots"] or 0) + (row["calculated_ballots"] or 0) for row in (before, after))
    if was == now:
        return f"{now:,} ballots as before"
    number = abs(now - was)
    more = f"{number:,} {'more' if now > was else 'fewer'} {'ballot' if number == 1 else 'ballots'}"
    return f"{more}, {now:,} instead of {was:,}"


def _winner(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if (before["outcome"], before["winner"]) == (after["outcome"], after["winner"]):
        return "the winner is unchanged" if after["winner"] else "still no winner"
    was, now = (row["winner_title"] or row["winner"] or "nobody" for row in (before, after))
    return f"the winner is {now} instead of {was}"
