"""Headers of an edge list where nobody looks for one: below edges, or in a comment above them.

Files that were put one below the other repeat their header, and a sorted file has it in the middle. Read as an edge it
would be a following of members that are not there, and nobody would know who follows whom.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.edge_lines import note
from crowdvote_analysis.readers.network_header import WORDS, Columns, columns_of, names_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WAY_OUT = "call them follower_id and followee_id"
_ARROW = re.compile(r"<?[-=]*>?|[:→←]")
_NUMBER = r"^\d+(\.0+)?$"


def other_than(cells: pl.DataFrame) -> pl.DataFrame:
    """The lines below the first that do not say the same as it."""
    names = cells.columns[2:]
    first = [str(cell).lower() for cell in cells.row(0)[2:]]
    same = [pl.col(name).str.to_lowercase() == cell for name, cell in zip(names, first, strict=True)]
    return cells[1:].filter(~pl.all_horizontal(same))


def without_repeated(path: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """The lines below a header, without the same header again."""
    edges = other_than(cells)
    left_out = len(cells) - 1 - len(edges)
    if left_out:
        line = cells[1:].join(edges, on="line", how="anti")["line"][0]
        lines = "1 line that says" if left_out == 1 else f"{left_out:,} lines that say"
        note(path, f"{lines} the same as the header were left out (first: line {line}).")
    return edges


def refuse_below(path: Path, edges: pl.DataFrame, columns: Columns) -> None:
    """Refuse a header below edges; which of the edges it is about, nobody can know.

    Raises:
        UnreadableFileError: Both ids of a line are words that name columns. One line of other words among numbers is
            noted.
    """
    ids = [str(columns.follower + 1), str(columns.followee + 1)]
    word = pl.col(ids).str.to_lowercase().str.replace_all(r"[\W_]+", "").str.contains(WORDS)
    found = edges.filter(pl.all_horizontal(word))
    headers = [row for row in found.select("line", "text", *ids).iter_rows() if names_columns(row[2:])]
    if headers:
        line, text = headers[0][:2]
        raise UnreadableFileError(
            f"{path}: line {line} is a header below edges: {text[:80]!r}. Was the file sorted, or are these several "
            "files? Put the header above its edges, one file each; if it is an edge, rename these ids."
        )
    lonely = edges.filter(~pl.any_horizontal(pl.col(ids).str.contains(_NUMBER)))
    if len(lonely) == 1 and len(edges) > 2:
        note(
            path,
            f"line {lonely['line'][0]} is the only one whose ids are no numbers ({lonely['text'][0][:60]!r}); it is "
            "read as an edge. If it names the columns, put it above its edges.",
        )


def as_commented(path: Path, above: Sequence[str], width: int) -> Columns:
    """The columns as a comment above the edges names them (SNAP), else the first and the second.

    Raises:
        UnreadableFileError: A comment names the columns, and does not say which of them follows.
    """
    for comment in reversed(above):
        names = [name for name in re.split(r"[\s,;]+", comment) if name and not _ARROW.fullmatch(name)]
        if not 2 <= len(names) <= width:
            continue
        found = columns_of(names, over_numbers=False)
        if isinstance(found, Columns) and found.known:
            return _known(path, names, found, width)
        if names_columns(names[:2]):
            if found == Columns(0, 1, False):
                note(path, f"the comment {comment!r} does not say who follows whom: the first is taken to follow.")
                return found
            raise UnreadableFileError(f"{path}: the comment {comment!r} {found}. If it names the columns, {_WAY_OUT}.")
    return Columns(0, 1, False)


def _known(path: Path, names: Sequence[str], found: Columns, width: int) -> Columns:
    if found.follower < found.followee and found[:2] == (0, 1):
        return found
    if len(names) < width:
        raise UnreadableFileError(
            f"{path}: the comment {' '.join(names)!r} names {len(names)} columns and the lines have {width}, so it is "
            f"not clear which are meant. Name all of them, and {_WAY_OUT}."
        )
    note(path, f"the comment above the edges says that '{names[found.follower]}' follows '{names[found.followee]}'.")
    return found
