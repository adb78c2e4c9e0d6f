"""Sets of tags: few distinct ones, however many rows, so that these alone are brought to one form (T5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tags
from crowdvote_analysis.out_of_core.plain import SEPARATOR, refuse, tag_text

if TYPE_CHECKING:
    from crowdvote_analysis.out_of_core.database import Database
    from crowdvote_analysis.out_of_core.sources import Source

_TEXTS = pl.Schema({"text": pl.String(), "tag_set": pl.Int32()})


def tag_codes(database: Database, source: Source) -> tuple[list[list[str]], pl.DataFrame]:
    """The distinct sets of tags of a table, and which text of a row (``tag_text``) stands for which.

    Returns:
        The sets, the empty one first; and text, tag_set.
    """
    text = tag_text(source)
    if "tags" not in source.columns:
        return [[]], pl.DataFrame({"text": [""], "tag_set": [0]}, schema=_TEXTS)
    found = database.rows(
        f"SELECT {text} AS text, count(*), coalesce(sum(len(tags)), 0) FROM {source.sql} GROUP BY text ORDER BY text",
        source.bound,
    )
    given = [[] if text == "" else text.split(SEPARATOR) for text, _, _ in found]
    # A null entry is missing in the text, one that holds the separator has become two.
    mistaken = sum(
        abs(rows * len(parts) - int(entries)) for (_, rows, entries), parts in zip(found, given, strict=True)
    )
    if mistaken:
        refuse(source.table, "tags", "tags hold an empty entry, or one with a control character", mistaken)
    if any(mark in entry for parts in given for entry in parts for mark in ";\n\r"):
        refuse(source.table, "plain_tags", "a tag holds a semicolon or a line break, which separate tags in CSV files")
    column = pl.Series(given, dtype=pl.List(pl.String))
    formed = [tuple(each) for each in tags.in_one_form(column, following=source.table == "followings").tags]
    sets = [(), *sorted(set(formed) - {()})]
    number = {each: place for place, each in enumerate(sets)}
    texts = {"text": [text for text, _, _ in found], "tag_set": [number[each] for each in formed]}
    return [list(each) for each in sets], pl.DataFrame(texts, schema=_TEXTS)
