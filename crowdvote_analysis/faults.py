"""What is wrong or odd in the rows of a table, in words that find it again in the file somebody has open."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import columns, tables
from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.text import folded, unmistakable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

# Where a row stood in the file that somebody has open, if whoever read it says so: the number of the line, and the
# header above the cell for a row that was one cell of a wide ballot. They are no columns of any table.
LINE, COLUMN = "__line__", "__column__"
# What they are called in quarantine.
PLACE = {LINE: "line", COLUMN: "column"}
_MEMBERS = ("member_id", "follower_id", "followee_id", "display_name")
# In place of what somebody wrote beside a vote, where an anonymous member is named in it (P1).
_CELL = "(not shown: it names an anonymous member)"


@dataclass(frozen=True)
class Fault:
    """A rule that rows of a table break, or something odd about rows that count all the same.

    Attributes:
        rule: Short name.
        sentence: What it is, in words.
        rows: The numbers of the rows.
        columns: The columns whose values say so, beside the key.
    """

    rule: str
    sentence: str
    rows: pl.Series
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """What is good and what is bad in the rows of a table.

    Attributes:
        table: Name of the table.
        given: The frame as it came, with the column ``row``, counted from 1; ``__line__`` and ``__column__`` say where
            the rows stood in a file, if the reader gave them.
        converted: All its rows, bad ones too, in the types of the table, with the column ``row``; what could not be
            read has the default or is null.
        good: The rows of ``converted`` that keep the contract.
        bad: The rules that rows break.
        odd: What was unusual about rows and how it was read; they count.
        unknown: Names of the columns the table does not have.
        repeated: Numbers of the rows that say the same as an earlier one, where such rows are merged; they are in
            ``given`` alone.
    """

    table: str
    given: pl.DataFrame
    converted: pl.DataFrame
    good: pl.DataFrame
    bad: list[Fault] = field(default_factory=list)
    odd: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    repeated: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.UInt32))


def describe(checked: Checked, fault: Fault, anonymous: set[str]) -> Problem:
    """Put a fault in words, with its first rows; anonymous members are not named (P1)."""
    rows = fault.rows.unique()
    shown = dict.fromkeys([*tables.key(checked.table), *fault.columns])
    first = in_the_file(checked.given.filter(pl.col("row").is_in(rows.implode()))).head(3)
    as_text = first.select("row").join(checked.converted, on="row", maintain_order="left")
    cells = []
    for name in [name for name in shown if name in first.columns]:
        words = _words(first[name])
        if name in _MEMBERS:
            hidden = [text in anonymous for text in folded(as_text[name])]
            words = ["(an anonymous member)" if hide else word for hide, word in zip(hidden, words, strict=True)]
        elif checked.table == "yes_no_votes" and name != "decision_id":
            texts = folded(pl.Series([_text(cell) for cell in first[name].to_list()], dtype=pl.String))
            named = [any(secret in text for secret in anonymous) for text in texts]
            words = [_CELL if hide else word for hide, word in zip(named, words, strict=True)]
        cells.append([f"{name} {word}" for word in words])
    told = [f"{place}: " + ", ".join(row_cells) for place, *row_cells in zip(places(first), *cells, strict=True)]
    return Problem(checked.table, fault.rule, fault.sentence, len(rows), tuple(told))


def in_the_file(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as given, in the order in which they stand in the file, or else in the frame."""
    return rows.sort([name for name in (LINE, "row") if name in rows.columns], nulls_last=True)


def places(rows: pl.DataFrame) -> list[str]:
    """Where rows, as given, are to be found: ``line 3, column Ben`` of the file, or else ``row 2`` of the frame."""
    lines, names = (rows[name] if name in rows.columns else [None] * len(rows) for name in (LINE, COLUMN))
    return [
        f"row {row}" if line is None else f"line {line}" if name is None else f"line {line}, column {name}"
        for row, line, name in zip(rows["row"], lines, names, strict=True)
    ]


def refuse_type(table: str, name: str, column: dy.Column, source: pl.DataType) -> None:
    """Stop at a column of a type that the table does not understand."""
    if columns.understands(column.dtype, source):
        return
    if isinstance(column.dtype, pl.Decimal) and source.is_float():
        raise InvalidTableError(
            [Problem(table, f"{name}|type", f"{name} is a column of binary floats, and stars are exact (D10)", 0, ())],
            f"Give {name} as text, integers or Decimal(9, 8): frame.with_columns(pl.col('{name}').cast(pl.String)).",
        )
    raise wrong_type(table, name, source, f"Give it as {column.dtype} or as text; each cell is {tables.kind(column)}.")


def wrong_type(table: str, name: str, source: pl.DataType, way_out: str) -> InvalidTableError:
    """The error for a column of a type that cannot be read."""
    return InvalidTableError(
        [Problem(table, f"{name}|type", f"{name} has the type {source}, which cannot be read", 0, ())], way_out
    )


def refuse_misspelt(table: str, unknown: Sequence[str], absent: Sequence[str]) -> None:
    """Stop at ``tag`` for ``tags``: its default would follow on ALL, or publish an anonymous name, without a word."""
    for name in unknown:
        meant = difflib.get_close_matches(name.strip().lower(), absent, n=1, cutoff=0.75)
        if meant:
            raise InvalidTableError(
                [Problem(table, f"{meant[0]}|missing", f"the column {name} may be meant as {meant[0]}", 0, ())],
                f"Rename it to {meant[0]}; if it is something else, give it a name that is less alike.",
            )


def missing_column(table: str, name: str, found: list[str]) -> InvalidTableError:
    """The error for a column that is needed and absent."""
    needed = [
        n
        for n, c in tables.columns(table).items()
        if "default" not in (c.metadata or {}) and not (c.metadata or {}).get("home")
    ]
    sentence = f"the column {name} is missing (columns found: {', '.join(found) or 'none'})"
    return InvalidTableError(
        [Problem(table, f"{name}|missing", sentence, 0, ())],
        f"The table {table} needs the columns {', '.join(needed)}; all others are optional.",
    )


def several(table: str, name: str, there: Sequence[str]) -> InvalidTableError:
    """The error for a column that may only be absent where there is one community, or one decision."""
    what = {"community_id": "communities", "decision_id": "decisions"}[name]
    named = ", ".join(repr(each) for each in there[:3]) + (", …" if len(there) > 3 else "")
    return InvalidTableError(
        [Problem(table, f"{name}|missing", f"the column {name} is missing, and there are several {what}", 0, ())],
        f"Add the column, so that it is clear which of them is meant ({named}).",
    )


def _text(cell: object) -> str:
    return " ".join(map(str, cell)) if isinstance(cell, list) else str(cell)


def _words(cells: pl.Series) -> list[str]:
    """The cells as an error shows them; polars writes what is no text, because it knows more types than Python."""
    if cells.dtype == pl.String:
        return ["(missing)" if cell is None else unmistakable(cell) for cell in cells.to_list()]
    if cells.dtype.is_nested():
        return ["(missing)" if cell is None else repr(cell) for cell in cells.to_list()]
    try:
        texts = cells.cast(pl.String, strict=False)
    except pl.exceptions.PolarsError:  # bytes and the like
        return [f"({cells.dtype})"] * len(cells)
    return ["(missing)" if cell is None else cell for cell in texts.to_list()]
