"""Ids that every file can carry, in one form: what a CSV file would not give back is no id for a new row."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.text import folded, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crowdvote_analysis.store.store import Store

_OWN_TABLE = {"member_id": "members", "community_id": "communities", "decision_id": "decisions"}
_PEOPLE = ("member_id", "follower_id", "followee_id")
# What a frame can hold of that which ``_fault`` finds: blank and control characters, no half ones.
_DOUBTFUL = r"\p{Cc}|^\s|\s$"
_WAY_OUT = "Use ids of plain characters, without blanks at their ends. Nothing was {done}."


def require_plain_ids(table: str, **ids: str | Iterable[str]) -> None:
    """Refuse ids of new rows that would not come back from a CSV file.

    Args:
        table: The table that the rows are for.
        ids: One id or several, by column. Those of people are not said in the error (P1).

    Raises:
        InvalidTableError: One has a control character or half a character in it, or a blank at its ends.
    """
    problems = []
    for column, given in ids.items():
        for text in [given] if isinstance(given, str) else given:
            fault = _fault(text)
            if fault:
                first = () if column in _PEOPLE else (ascii(text),)
                problems.append(Problem(table, f"{column}|plain", f"{column} {fault}", 1, first))
    if problems:
        raise InvalidTableError(problems, _WAY_OUT.format(done="recorded"))


def as_recorded(store: Store, **ids: str) -> tuple[str, ...]:
    """Ids in one form (T7), but for those that were recorded before there was one.

    Args:
        store: The store.
        ids: Ids of members, communities or decisions, by column.

    Returns:
        The ids, in the order given.
    """
    return tuple(
        text if plain(text) == text or _stands(store, name, text) else plain(text) for name, text in ids.items()
    )


def _stands(store: Store, name: str, text: str) -> bool:
    column = "member_id" if name in _PEOPLE else name
    rows = store.cut().history(_OWN_TABLE[column])
    return not rows.filter(pl.col(column) == text).head(1).collect().is_empty()


def require_plain_rows(rows: Mapping[str, pl.DataFrame], secrets: set[str]) -> None:
    """Refuse rows with ids that would not come back from a CSV file.

    Args:
        rows: Rows by table.
        secrets: Ids and names of anonymous members; no id that holds one of them is said, in any capitals (P1).

    Raises:
        InvalidTableError: As ``require_plain_ids``, with the number of rows.
    """
    problems, hidden = [], set[str]()
    for table, frame in rows.items():
        for column in [name for name in tables.columns(table) if name.endswith("_id")]:
            counts = frame[column].filter(frame[column].str.contains(_DOUBTFUL)).value_counts().sort(column)
            by_fault: dict[str, list[tuple[str, int]]] = {}
            for text, count in counts.iter_rows():
                by_fault.setdefault(_fault(text), []).append((text, count))
            for fault, found in by_fault.items():
                hidden = hidden or _spellings(secrets)
                first = tuple(_shown(text, hidden) for text, _ in found[:3])
                number = sum(count for _, count in found)
                problems.append(Problem(table, f"{column}|plain", f"{column} {fault}", number, first))
    if problems:
        raise InvalidTableError(problems, _WAY_OUT.format(done="imported"))


def _fault(text: str) -> str:
    """What is wrong with an id; nothing where it is plain, or empty, which the table itself refuses."""
    kinds = {category(character) for character in text}
    if "Cs" in kinds:
        return "has half a character in it (an unpaired surrogate)"
    if "Cc" in kinds:
        return "has a control character in it, such as a line break, NUL or ESC"
    if text and not text.strip():
        return "is nothing but blanks"
    return "has a blank at its ends" if text != text.strip() else ""


def _shown(text: str, hidden: set[str]) -> str:
    """The id in plain letters; with control characters in it the name of an anonymous member is one still."""
    named = any(secret in spelt for spelt in _spellings([text]) for secret in hidden)
    return "(an anonymous member)" if named else ascii(text)


def _spellings(texts: Iterable[str]) -> set[str]:
    """Texts ``folded``, as they are, with blanks for control characters and without them."""
    found = set()
    for text in texts:
        found |= {text, *("".join(other if category(each) == "Cc" else each for each in text) for other in (" ", ""))}
    return set(folded(pl.Series(sorted(found), dtype=pl.String))) - {""}
