"""Cells of tags, as people and programs write them → tags in one form (T5).

``budget; trees`` is how we write them. A program that stores lists writes ``["budget", "trees"]`` or ``{budget,trees}``
into a CSV file, and ``nan`` where there is nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from crowdvote_analysis.text import tag

# What programs write for an absent value, in just these letters: a tag called `none` is one.
NOTHING = ("nan", "NaN", "None", "null", "NULL", "NaT", "<NA>", "#N/A")
# What cannot be the tag of a ballot where blank means ALL (T3).
_ALL = ("all", "*", "[all]", "(all)", "<all>", "{all}", "all tags")
# What people write for ALL in their language, and what they write for no tag. It may be a tag, so it is only noted.
FOR_ALL = frozenset(
    {
        *(
            "alle",
            "alles",
            "jede",
            "jedes",
            "tout",
            "toutes",
            "tous",
            "todo",
            "todos",
            "todas",
            "tutti",
            "tutto",
            "tutte",
        ),
        *("any", "every", "everything", "anything", "all topics", "all subjects", "all categories", "every topic"),
        *(
            "any topic",
            "any tag",
            "all of them",
            "general",
            "allgemein",
            "alle themen",
            "tous les sujets",
            "allt",
            "alla",
        ),
        *("wszystko", "wszystkie", "kaikki", "tudo", "все", "всё", "全部", "すべて", "全て", "모두"),
        *("-", "--", "–", "—", ".", "n/a", "na", "none", "(none)", "no tag", "no tags", "keine", "aucun", "blank"),
    }
)
# A list as a program writes it, JSON, Python, NumPy, PostgreSQL; and an entry of one, in quotes or bare.
_LIST = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}|\(\s*[\"'][^()]*\)|set\(\)")
_ENTRY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^,;]+))\s*[,;]?""")
_SCHEMA: dict[str, Any] = {
    "normal": pl.List(pl.String),
    "blank": pl.Boolean,
    "listed": pl.Boolean,
    "absent": pl.Boolean,
    "all": pl.Boolean,
}


@dataclass(frozen=True)
class Tags:
    """A column of tags in one form.

    Attributes:
        tags: The tags of each row, each once, in the order of the alphabet, so that equal sets are equal.
        blank: Rows whose tags are given and all blank.
        listed: Rows whose cell was a list as a program writes it.
        absent: Rows whose cell says that there is nothing, such as ``nan``.
        all: Rows with a word for ALL among them, where it means that.
    """

    tags: pl.Series
    blank: pl.Series
    listed: pl.Series
    absent: pl.Series
    all: pl.Series


def in_one_form(cells: pl.Series, *, following: bool = False) -> Tags:
    """Bring tags to one form, each distinct cell once.

    Args:
        cells: Text, or lists of text; null is no tags.
        following: Whether they are of followings, where a word such as ``ALL`` means it (T3).
    """
    distinct = cells.unique()
    read = [_read(cell, following=following) for cell in distinct]
    forms = pl.DataFrame(read, schema=_SCHEMA, orient="row").with_columns(distinct.alias("cell"))
    rows = cells.alias("cell").to_frame().join(forms, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return Tags(*(rows[name] for name in _SCHEMA))


def _read(cell: str | pl.Series | None, *, following: bool) -> tuple[list[str | None], bool, bool, bool, bool]:
    """The tags of one cell, and which of the attributes of ``Tags`` are true of it."""
    parts = [] if cell is None else _parts(cell)
    absent = len(parts) == 1 and parts[0] is not None and parts[0].strip() in NOTHING
    given: list[str | None] = []
    lists = 0
    for part in [] if absent else parts:
        listed = part is not None and bool(_LIST.fullmatch(part.strip()))
        given += _listed(part.strip()) if part is not None and listed else [part]
        lists += listed
    tags = [entry for entry in (None if entry is None else tag(entry) for entry in given) if entry != ""]
    everything = following and any(entry in _ALL for entry in tags)
    kept = [] if everything else sorted(set(tags), key=lambda entry: entry or "")
    blank = bool(given) and not tags and not (isinstance(cell, str) and not cell.strip())
    return kept, blank, lists > 0, absent, everything


def _parts(cell: str | pl.Series) -> list[str | None]:
    if not isinstance(cell, str):
        return cell.to_list()
    return [cell] if _LIST.fullmatch(cell.strip()) else [*cell.split(";")]


def _listed(text: str) -> list[str]:
    """The entries between brackets."""
    if text == "set()":
        return []
    found = []
    for quoted, single, bare in _ENTRY.findall(text[1:-1]):
        if bare.strip() not in ("", *NOTHING):
            found.append(bare)
        elif not bare.strip():
            found.append(_unescaped(quoted) if quoted else re.sub(r"\\(.)", r"\1", single))
    return found


def _unescaped(quoted: str) -> str:
    try:
        return str(json.loads(f'"{quoted}"'))
    except ValueError:
        return re.sub(r"\\(.)", r"\1", quoted)
