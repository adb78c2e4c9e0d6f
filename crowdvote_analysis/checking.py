"""A frame as people write it → a table, its good rows told from its bad ones, with reasons."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import columns, tables
from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.privacy import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import dataframely as dy

# Columns of ours in what is handed back; somebody's column of that name is kept under a longer one.
_OURS = ("row", "reasons")
# Where a row stood in the file that somebody has open, if whoever read it says so: the number of the line, and the
# header above the cell for a row that was one cell of a wide ballot. They are no columns of any table.
LINE, COLUMN = "__line__", "__column__"
# What they are called in quarantine.
PLACE = {LINE: "line", COLUMN: "column"}
_OWN_ID = {
    "communities": "community_id",
    "members": "member_id",
    "decisions": "decision_id",
    "choices": "choice_id",
}
_MEMBERS = ("member_id", "follower_id", "followee_id", "display_name")
# In place of what somebody wrote beside a vote, where an anonymous member is named in it (P1).
_CELL = "(not shown: it names an anonymous member)"


@dataclass(frozen=True)
class BadRow:
    """A rule that rows of a table break: its name, the sentence, the numbers of the rows, the columns at fault."""

    rule: str
    sentence: str
    rows: pl.Series
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """What ``check`` found.

    Attributes:
        table: Name of the table.
        given: The frame as it came, with the column ``row``, counted from 1; ``__line__`` and ``__column__`` say where
            the rows stood in a file, if the reader gave them.
        converted: All its rows, bad ones too, in the types of the table, with the column ``row``; what could not be
            read has the default or is null.
        good: The rows of ``converted`` that keep the contract.
        bad: The rules that rows break.
        unknown: Names of the columns the table does not have.
        blank_tags: Numbers of the rows whose tags are given and all blank.
        repeated: Numbers of the rows that say the same as an earlier one, where such rows are merged; they are in
            ``given`` alone.
    """

    table: str
    given: pl.DataFrame
    converted: pl.DataFrame
    good: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    blank_tags: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.UInt32))
    repeated: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.UInt32))


def admit(table: str, frame: object) -> pl.DataFrame:
    """A frame whose columns can be read as the table: the first look at what somebody passed.

    Args:
        table: Name of the table.
        frame: What was passed. A reader of files may give the columns ``__line__`` (whole numbers) and ``__column__``
            (text) besides: where each row stood in the file.

    Returns:
        The frame, categories as text, columns that are named like ours under a longer name.

    Raises:
        InvalidTableError: It is no frame, or a column has a type that the table does not understand, such as stars in
            binary floats (D10).
    """
    if not isinstance(frame, pl.DataFrame):
        lazy = isinstance(frame, pl.LazyFrame)
        raise InvalidTableError(
            [Problem(table, "frame", f"a {type(frame).__name__} was given, a polars DataFrame is needed", 0, ())],
            "Collect it first: frame.collect()." if lazy else "Make one with pl.DataFrame(...) or pl.read_csv(...).",
        )
    known = tables.columns(table)
    for name, source in frame.schema.items():
        if name in known:
            _refuse_type(table, name, known[name], source)
            if columns.beyond_the_calendar(frame[name]):
                sentence = f"{name} has times outside the years 1 to 9999 (mostly a unit was mistaken)"
                raise InvalidTableError([Problem(table, f"{name}|type", sentence, 0, ())], "Correct the column.")
        elif source == pl.Object:
            raise _wrong_type(table, name, source, "Convert it to text or remove it.")
    texts = [name for name in known if name in frame.columns and columns.is_text(frame.schema[name])]
    taken = set(frame.columns)
    longer = {}
    placed = [word for column, word in PLACE.items() if column in taken]
    for name in (*_OURS, *placed):
        if name in taken:
            longer[name] = f"{name} (as given)"
            while longer[name] in taken:
                longer[name] += " (as given)"
            taken.add(longer[name])
    return frame.with_columns(pl.col(texts).cast(pl.String)).rename(longer)


def check(table: str, frame: pl.DataFrame, home: Mapping[str, Sequence[str]] | None = None) -> Checked:
    """Convert a frame into a table and tell its good rows from its bad ones.

    Args:
        table: Name of the table.
        frame: The rows as ``admit`` returns them; text is understood for every column.
        home: The communities and decisions there are, by the name of the column; a column that is absent means the only
            one.

    Returns:
        The good rows in the types of the table and, for every broken rule, the numbers of the rows that break it.

    Raises:
        InvalidTableError: A required column is absent, or one that says which of several communities or decisions.
    """
    given = frame.with_row_index("row", offset=1)
    known = tables.columns(table)
    unknown = [name for name in frame.columns if name not in known and name not in PLACE]
    _refuse_misspelt(table, unknown, [name for name in known if name not in frame.columns])
    present = [name for name in known if name in given.columns]
    parsed = given.select("row", *(columns.parsed(known[name], name, given.schema).alias(name) for name in present))
    unreadable = {name: rows for name in present if len(rows := columns.unreadable(name, given, parsed))}
    converted = parsed.select("row", *(_filled(table, name, parsed, home or {}).alias(name) for name in known))
    if converted.is_empty():  # no row breaks a rule, and to find that out takes as long as for a thousand
        return Checked(table, given, converted, converted, unknown=unknown)
    blank_tags = pl.Series([], dtype=pl.UInt32)
    if "tags" in parsed.columns:
        converted, blank_tags = _normalise_tags(converted)
    repeated = pl.Series([], dtype=pl.UInt32)
    if table in tables.MERGED:
        repeated = _said_before(converted, unreadable.values())
        converted = converted.filter(~pl.col("row").is_in(repeated.implode()))
    bad = [
        BadRow(f"{name}|type", tables.sentence(table, f"{name}|type"), rows, (name,))
        for name, rows in unreadable.items()
    ]
    kept, failure = tables.TABLES[table].filter(converted)
    good: pl.DataFrame = kept
    for rows in unreadable.values():
        good = good.filter(~pl.col("row").is_in(rows.implode()))
    if len(kept) < len(converted):
        details = failure.details()
        for rule in failure.counts():
            rows = details.filter(pl.col(rule) == "invalid")["row"]
            # What could not be read was left empty; that it is empty is not a second fault.
            if rule.partition("|")[0] in unreadable:
                rows = rows.filter(~rows.is_in(unreadable[rule.partition("|")[0]].implode()))
            if len(rows):
                bad.append(BadRow(rule, tables.sentence(table, rule), rows, tables.at_fault(rule)))
    return Checked(table, given, converted, good, bad, unknown, blank_tags, repeated)


def describe(checked: Checked, problem: BadRow, anonymous: set[str]) -> Problem:
    """Put a broken rule in words, with its first rows; anonymous members are not named (P1)."""
    rows = problem.rows.unique()
    shown = dict.fromkeys([*tables.key(checked.table), *problem.columns])
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
    return Problem(checked.table, problem.rule, problem.sentence, len(rows), tuple(told))


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


def anonymous_members(members: Checked) -> set[str]:
    """Every id and name that may belong to an anonymous member, bad rows included (P1); ``folded``."""
    unclear = [bad.rows for bad in members.bad if bad.rule == "is_anonymous|type"]
    may_be = pl.col("is_anonymous")
    for rows in unclear:
        may_be |= pl.col("row").is_in(rows.implode())
    found = members.converted.filter(may_be)
    return {text for name in ("member_id", "display_name") for text in folded(found[name].drop_nulls()) if text}


# --- converting ----------------------------------------------------------------------------------------------------


def _filled(table: str, name: str, parsed: pl.DataFrame, home: Mapping[str, Sequence[str]]) -> pl.Expr:
    """The column with its default where it is null; the home or the default where it is absent."""
    column = tables.columns(table)[name]
    meta = column.metadata or {}
    default = pl.lit(meta.get("default"), dtype=column.dtype)
    if name in parsed.columns:
        value = pl.col(name).fill_null(default) if meta.get("default") is not None else pl.col(name)
    elif meta.get("home"):
        there = home.get(name) or [tables.HOME[name]]
        if len(there) > 1 and len(parsed):
            raise _several(table, name, there)
        value = pl.lit(there[0])
    elif "default" in meta:
        value = default
    else:
        raise _missing_column(table, name, [found for found in parsed.columns if found != "row"])
    return pl.coalesce(value, pl.col(_OWN_ID[table])) if name in ("title", "display_name") else value


def _normalise_tags(typed: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Trim, lower-case and de-duplicate tags (T5), each distinct list once; sorted, so that equal sets are equal.

    Also gives the numbers of the rows whose tags were given and are all blank.
    """
    tag = pl.element().str.strip_chars().str.to_lowercase()
    normal = pl.col("tags").list.eval(tag.filter((tag != "").fill_null(True))).list.unique().list.sort()
    distinct = typed.select("tags").unique().with_columns(normal=normal)
    joined = typed.join(distinct, on="tags", how="left", nulls_equal=True, maintain_order="left")
    blank = joined.filter((pl.col("tags").list.len() > 0) & (pl.col("normal").list.len() == 0))["row"]
    return joined.with_columns(tags="normal").drop("normal"), blank


def _said_before(converted: pl.DataFrame, unreadable: Iterable[pl.Series]) -> pl.Series:
    """Numbers of the rows that repeat an earlier one; what could not be read is only null here, and repeats nothing."""
    readable = converted
    for rows in unreadable:
        readable = readable.filter(~pl.col("row").is_in(rows.implode()))
    return readable.filter(~pl.struct(pl.exclude("row")).is_first_distinct())["row"]


# --- words ---------------------------------------------------------------------------------------------------------


def _refuse_type(table: str, name: str, column: dy.Column, source: pl.DataType) -> None:
    if columns.understands(column.dtype, source):
        return
    if isinstance(column.dtype, pl.Decimal) and source.is_float():
        raise InvalidTableError(
            [Problem(table, f"{name}|type", f"{name} is a column of binary floats, and stars are exact (D10)", 0, ())],
            f"Give {name} as text, integers or Decimal(9, 8): frame.with_columns(pl.col('{name}').cast(pl.String)).",
        )
    raise _wrong_type(table, name, source, f"Give it as {column.dtype} or as text; each cell is {tables.kind(column)}.")


def _wrong_type(table: str, name: str, source: pl.DataType, way_out: str) -> InvalidTableError:
    return InvalidTableError(
        [Problem(table, f"{name}|type", f"{name} has the type {source}, which cannot be read", 0, ())], way_out
    )


def _refuse_misspelt(table: str, unknown: Sequence[str], absent: Sequence[str]) -> None:
    """Stop at ``tag`` for ``tags``: its default would follow on ALL, or publish an anonymous name, without a word."""
    for name in unknown:
        meant = difflib.get_close_matches(name.strip().lower(), absent, n=1, cutoff=0.75)
        if meant:
            raise InvalidTableError(
                [Problem(table, f"{meant[0]}|missing", f"the column {name} may be meant as {meant[0]}", 0, ())],
                f"Rename it to {meant[0]}; if it is something else, give it a name that is less alike.",
            )


def _missing_column(table: str, name: str, found: list[str]) -> InvalidTableError:
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


def _several(table: str, name: str, there: Sequence[str]) -> InvalidTableError:
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
    if cells.dtype.is_nested() or cells.dtype == pl.String:
        return ["(missing)" if cell is None else repr(cell) for cell in cells.to_list()]
    return ["(missing)" if cell is None else cell for cell in cells.cast(pl.String).to_list()]
