"""Whose rows differ between two versions of the tables, as far as a count depends on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.voting_time import early_or_late

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState

# The columns that a count depends on; the first one named is the member whose change it is.
COUNTED = {
    "members": ["member_id", "community_id", "is_voter"],
    "followings": ["follower_id", "community_id", "followee_id", "tags"],
    "ballots": ["member_id", "decision_id", "tags", "timely"],
    "votes": ["member_id", "decision_id", "choice_id", "stars"],
}


def differences(before: SystemState, after: SystemState, named: set[str] | None) -> dict[str, set[str]]:
    """The members whose rows differ between two states, by table.

    Args:
        before: One state.
        after: The other.
        named: Members who may differ; anybody by default.

    Raises:
        ValueError: Others differ as well.
    """
    rows = {name: (getattr(before, name), getattr(after, name)) for name in COUNTED}
    rows["ballots"] = _ballots(before, after)
    found = {name: differing(name, *versions, named) for name, versions in rows.items()}
    if named is not None and set().union(*found.values()) - named:
        raise ValueError(_unnamed(found, named, before, after))
    return found


def _ballots(before: SystemState, after: SystemState) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ballots of two states, with a column that says which were cast within the voting time (D12)."""
    one = _with_timely(before)
    if before.ballots is after.ballots and before.decisions.equals(after.decisions):
        return one, one
    return one, _with_timely(after)


def _with_timely(state: SystemState) -> pl.DataFrame:
    early, late = early_or_late(state.ballots, state.decisions)
    return state.ballots.with_columns(timely=~(early | late))


def differing(table: str, before: pl.DataFrame, after: pl.DataFrame, named: set[str] | None = None) -> set[str]:
    """The members whose rows differ between two versions of a table, whatever the order of the rows.

    Args:
        table: Name of the table.
        before: One version.
        after: The other.
        named: Members who may differ. If a quick look does not tell who does, they are left out of the comparison and
            taken to differ.
    """
    if before is after:
        return set()
    one, other = _plain(table, before), _plain(table, after)
    if len(one) == len(other):
        unlike = _unlike(one, other)
        if unlike.sum() * 10 <= len(one):
            return _members_of(one.filter(unlike), other.filter(unlike))
    if named:
        ids = pl.Series(sorted(named), dtype=pl.String).implode()
        one, other = (frame.filter(~frame[frame.columns[0]].is_in(ids)) for frame in (one, other))
        if len(one) == len(other):
            unlike = _unlike(one, other)
            one, other = one.filter(unlike), other.filter(unlike)
        return named | _members_of(one, other)
    return _members_of(one, other)


def _unnamed(found: dict[str, set[str]], named: set[str], *states: SystemState) -> str:
    """Says who changed without being named; anonymous members are not named here either (P1)."""
    unnamed = sorted(set().union(*found.values()) - named)
    hidden: set[str] = set()
    for state in states:
        hidden |= set(state.members.filter(pl.col("is_anonymous"))["member_id"])
    shown = [f"'{name}'" for name in unnamed if name not in hidden][:3]
    tables = ", ".join(name for name, members in found.items() if members - named)
    first = f" (first: {', '.join(shown)})" if shown else ""
    how_many = "1 member" if len(unnamed) == 1 else f"{len(unnamed)} members"
    return (
        f"changed: {how_many} differ between the two states but are not named{first}; tables: {tables}. Name every "
        "member whose ballot, followings or role changed, or leave `changed` out to have them found (rule E2)."
    )


def _plain(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(COUNTED[table])


def _unlike(one: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    """Which rows of two frames of the same length differ."""
    unlike = pl.repeat(False, len(one), eager=True)
    for name in one.columns:
        if name != "tags":
            unlike |= one[name].ne_missing(other[name])
    if "tags" in one.columns:
        unlike |= _unlike_lists(one["tags"], other["tags"])
    return unlike


def _unlike_lists(one: pl.Series, other: pl.Series) -> pl.Series:
    lengths, others = one.list.len(), other.list.len()
    unlike = lengths != others
    if not unlike.any():
        # Lists are compared many times faster flat than as lists.
        flat = (one.explode(empty_as_null=False) != other.explode(empty_as_null=False)).to_numpy()
        row = np.repeat(np.arange(len(one)), lengths.to_numpy())
        rows = np.zeros(len(one), dtype=np.bool_)
        rows[row[flat]] = True
        return pl.Series(rows)
    alike = ~unlike
    return unlike.scatter(alike.arg_true(), _unlike_lists(one.filter(alike), other.filter(alike)))


def _members_of(one: pl.DataFrame, other: pl.DataFrame) -> set[str]:
    """The members of the rows that are in one frame only."""
    # No tag holds a semicolon (tables.py), so this text stands for the set of tags.
    one, other = (
        frame.with_columns(pl.col("tags").list.join(";")) if "tags" in frame.columns else frame
        for frame in (one, other)
    )
    who = one.columns[0]
    alone = [one.join(other, on=one.columns, how="anti"), other.join(one, on=one.columns, how="anti")]
    return set(pl.concat([frame[who] for frame in alone]))
