"""Which ballots were cast within the voting time (D12), and what is said of those that were not.

A ballot without a time counts, since nobody can say that it was late.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.privacy import public_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crowdvote_analysis.state import SystemState

_TIMES = ("opens_at", "closes_at")
# So many members a note names.
_NAMED = 10


def early_or_late(ballots: pl.DataFrame, decisions: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Whether a ballot was cast before its decision opened, and whether after it closed.

    Args:
        ballots: Rows with decision_id and cast_at.
        decisions: decision_id, opens_at, closes_at.

    Returns:
        Two Boolean series, by ballot; false where a time is not known.
    """
    if decisions.select(pl.col(_TIMES).is_null().all()).row(0) == (True, True):
        never = pl.repeat(False, len(ballots), eager=True)
        return never, never
    times = ballots.select("decision_id", "cast_at").join(
        decisions.select("decision_id", *_TIMES), on="decision_id", how="left", maintain_order="left"
    )
    early = pl.col("cast_at") < pl.col("opens_at")
    late = pl.col("cast_at") > pl.col("closes_at")
    found = times.select(early=early.fill_null(value=False), late=late.fill_null(value=False))
    return found["early"], found["late"]


def note_left_out(state: SystemState, decisions: pl.DataFrame, drafts: Sequence[str]) -> None:
    """Issue a ``TableWarning`` for what a count leaves out: drafts (S10) and untimely ballots (D12)."""
    said = notes(state, decisions)
    if drafts:
        named = ", ".join(drafts[:_NAMED]) + (f" and {len(drafts) - _NAMED:,} more" if len(drafts) > _NAMED else "")
        are, verb = (
            ("1 decision is a draft", "is") if len(drafts) == 1 else (f"{len(drafts):,} decisions are drafts", "are")
        )
        said.append(f"{are} and {verb} not counted (S10): {named}.")
    for note in said:
        warnings.warn(note, TableWarning, stacklevel=3)


def notes(state: SystemState, decisions: pl.DataFrame) -> list[str]:
    """What to say about the times of ballots, one sentence or two for each decision.

    Members stand under public ids (P1). A store keeps what a ballot was before it was changed, and the time of every
    commit; a folder does not, so that there a late change loses the ballot before.

    Args:
        state: The tables.
        decisions: Those that are counted: decision_id, community_id, opens_at, closes_at.
    """
    known = state.ballots.join(decisions.select("decision_id", "community_id", *_TIMES), on="decision_id")
    early, late = early_or_late(known, decisions)
    dated = pl.any_horizontal(pl.col(_TIMES).is_not_null())
    found = known.with_columns(early=early, late=late, undated=pl.col("cast_at").is_null() & dated)
    counts = found.group_by("decision_id", "community_id", *_TIMES).agg(pl.col("early", "late", "undated").sum())
    said = []
    for row in counts.sort("decision_id").iter_rows(named=True):
        if row["early"] + row["late"]:
            lost = found.filter("late", decision_id=row["decision_id"]) if row["late"] and not state.secret else None
            said.append(_outside(row) + ("" if lost is None else _lost(state, lost)))
        if row["undated"] and not state.secret:
            said.append(
                f"decision '{row['decision_id']}': {_ballots(row['undated'])} without a time of casting, counted as if "
                "cast in time (D12). The column cast_at of the table ballots holds the times."
            )
    return said


def _outside(row: dict[str, object]) -> str:
    early, late = int(row["early"]), int(row["late"])  # type: ignore[call-overload]
    number = early + late
    were, do = ("was", "does") if number == 1 else ("were", "do")
    parts = [f"{early:,} before {_at(row['opens_at'])}"] if early else []
    parts += [f"{late:,} after {_at(row['closes_at'])}"] if late else []
    return (
        f"decision '{row['decision_id']}': {_ballots(number)} {were} cast outside of the voting time and {do} not "
        f"count (D12): {', '.join(parts)}."
    )


def _lost(state: SystemState, late: pl.DataFrame) -> str:
    """Whose ballots are lost if the late ones took the place of earlier ones."""
    names = public_names(state).select("community_id", "member_id", "public_id")
    shown = late.join(names, on=["community_id", "member_id"], how="left")
    ids = shown.select(pl.coalesce("public_id", pl.lit("somebody who is no member")))["public_id"].sort().to_list()
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return (
        f" If a late ballot took the place of an earlier one, that one is lost, as these tables keep no history; late: "
        f"{', '.join(ids[:_NAMED])}{more}."
    )


def _ballots(number: int) -> str:
    return "1 ballot" if number == 1 else f"{number:,} ballots"


def _at(at: object) -> str:
    time: datetime = at  # type: ignore[assignment]
    return f"{time:%Y-%m-%d %H:%M} UTC"
