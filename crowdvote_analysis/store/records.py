"""What all recordings need: find one row, check new rows, refuse with words that name no member (P1)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.checking import admit, anonymous_members, check
from crowdvote_analysis.errors import InvalidTableError, RefusedRecordError, TableWarning
from crowdvote_analysis.faults import describe
from crowdvote_analysis.store.people import FORGOTTEN
from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from crowdvote_analysis.faults import Checked
    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

# How the names begin that stand for anonymous members, and for those who were forgotten.
_PSEUDONYMS = ("Anonymous", "Former anonymous member", "Once anonymous member", FORGOTTEN)
_WAY_OUT = "Nothing was recorded; correct the value and try again."


def record(store: Store, action: str, prepare: Callable[[Cut, datetime], Mapping[str, pl.DataFrame]]) -> Commit:
    """Make a commit of rows of which there is always one."""
    commit = store.commit(action, prepare)
    assert commit is not None
    return commit


def found(cut: Cut, table: str, **key: str) -> dict[str, Any] | None:
    """The row of a key; none where there is none."""
    rows = cut.rows(table, **key)
    return rows.row(0, named=True) if len(rows) else None


def require_community(cut: Cut, community_id: str) -> None:
    """Refuse a community that is not there."""
    if found(cut, "communities", community_id=community_id) is None:
        raise RefusedRecordError("unknown_community", f"There is no community '{community_id}' in this store.")


def require_member(cut: Cut, community_id: str, member_id: str, who: str = "member") -> dict[str, Any]:
    """The row of a member; refuses somebody who is none.

    Args:
        cut: The store.
        community_id: The community.
        member_id: The member.
        who: What they are to the recording, for the refusal, which does not say the id (P1).
    """
    require_community(cut, community_id)
    row = found(cut, "members", community_id=community_id, member_id=member_id)
    if row is None:
        text = f"The {who} is not a member of the community '{community_id}'. Let them join first."
        raise RefusedRecordError("not_a_member", text)
    return row


def require_decision(cut: Cut, decision_id: str) -> dict[str, Any]:
    """The row of a decision; refuses one that is not there."""
    row = found(cut, "decisions", decision_id=decision_id)
    if row is None:
        raise RefusedRecordError("unknown_decision", f"There is no decision '{decision_id}' in this store.")
    return row


def require_no_pseudonym(**names: str | None) -> None:
    """Refuse an id or a name that would look like the pseudonym of somebody else (P1)."""
    for what, name in names.items():
        text = folded(pl.Series([name or ""]))[0]
        for pseudonym in _PSEUDONYMS:
            if text.startswith(f"{pseudonym.lower()} "):
                raise RefusedRecordError(
                    "looks_like_pseudonym",
                    f"{what}: names that begin with '{pseudonym}' stand for somebody else (P1). Choose another; "
                    "whoever wants to be anonymous joins under their own and is marked so.",
                )


def checked(cut: Cut, table: str, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """New rows in the types of their table.

    Args:
        cut: The store; it knows who is anonymous.
        table: Name of the table.
        rows: Values by column; tags as a list, times with or without a zone (then UTC), stars as text.

    Raises:
        InvalidTableError: A row breaks the contract of the table.
    """
    if not rows:
        return tables.empty(table)
    frame = pl.DataFrame([pl.Series(name, [row[name] for row in rows], strict=False) for name in rows[0]])
    result = check(table, admit(table, frame), known_ids=True)
    if result.bad:
        secret = _secrets(cut, result)
        raise InvalidTableError([describe(result, bad, secret) for bad in result.bad], _WAY_OUT)
    for fault in [fault for fault in result.odd if "tags" in fault.columns]:
        warnings.warn(f"{table}: {fault.sentence}.", TableWarning, stacklevel=2)
    return result.good.drop("row")


def listed(tags: Iterable[str]) -> list[str]:
    """Tags as a list; one tag that was given as it is, is a list of one."""
    return [tags] if isinstance(tags, str) else list(tags)


def anonymous_texts(cut: Cut) -> set[str]:
    """Ids and names, as they were given, of whoever was anonymous at any time (P1)."""
    rows = cut.history("members").filter("is_anonymous").select("member_id", "display_name").unique().collect()
    return {text for column in rows for text in column.drop_nulls()}


def _secrets(cut: Cut, result: Checked) -> set[str]:
    """Ids and names that may not be said, ``folded``: of whoever was anonymous, or is about to be."""
    known = set(folded(pl.Series(sorted(anonymous_texts(cut)), dtype=pl.String)))
    return known | (anonymous_members(result) if result.table == "members" else set())
