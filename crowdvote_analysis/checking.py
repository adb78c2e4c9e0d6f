"""A frame as people write it → a table, its good rows told from its bad ones, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import columns, ids, tables, tags, text, times
from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.faults import (
    COLUMN,
    LINE,
    PLACE,
    Checked,
    Fault,
    missing_column,
    refuse_misspelt,
    refuse_type,
    several,
    wrong_type,
)
from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

# Columns of ours in what is handed back; somebody's column of that name is kept under a longer one.
_OURS = ("row", "reasons")
_OWN_ID = {
    "communities": "community_id",
    "members": "member_id",
    "decisions": "decision_id",
    "choices": "choice_id",
}
_TITLES = ("title", "display_name")


def admit(table: str, frame: object) -> pl.DataFrame:
    """A frame whose columns can be read as the table: the first look at what somebody passed.

    Args:
        table: Name of the table.
        frame: What was passed. A reader of files may give the columns ``__line__`` (whole numbers) and ``__column__``
            (text) besides: where each row stood in the file.

    Returns:
        The frame, categories and bytes of UTF-8 as text, columns that are named like ours under a longer name.

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
    frame = columns.bytes_as_text(frame, known)
    for name, source in frame.schema.items():
        if name in known:
            if source == pl.Object or not _idle(known[name]):
                refuse_type(table, name, known[name], source)
            if columns.beyond_the_calendar(frame[name]):
                sentence = f"{name} has times outside the years 1 to 9999 (mostly a unit was mistaken)"
                raise InvalidTableError([Problem(table, f"{name}|type", sentence, 0, ())], "Correct the column.")
        elif source == pl.Object:
            raise wrong_type(table, name, source, "Convert it to text or remove it.")
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


def check(
    table: str,
    frame: pl.DataFrame,
    home: Mapping[str, Sequence[str]] | None = None,
    *,
    as_given: pl.DataFrame | None = None,
    known_ids: bool = False,
    frozen: bool = False,
) -> Checked:
    """Convert a frame into a table and tell its good rows from its bad ones.

    Args:
        table: Name of the table.
        frame: The rows as ``admit`` returns them; text is understood for every column.
        home: The communities and decisions there are, by the name of the column; a column that is absent means the only
            one.
        as_given: The same rows with the ids as they were written, where they were mended.
        known_ids: Whether the ids were recorded earlier: then they stay as they are (T7).
        frozen: Whether the rows were frozen earlier: then titles and tags stay as they are as well.

    Returns:
        The good rows in the types of the table and, for every broken rule, the numbers of the rows that break it.

    Raises:
        InvalidTableError: A required column is absent, or one that says which of several communities or decisions.
    """
    given = (frame if as_given is None else as_given).with_row_index("row", offset=1)
    frame = frame.with_row_index("row", offset=1)
    known = tables.columns(table)
    unknown = [name for name in given.columns if name not in (*known, *PLACE, "row")]
    refuse_misspelt(table, unknown, [name for name in known if name not in frame.columns])
    present = [name for name in known if name in frame.columns]
    parsed = frame.select("row", *(columns.parsed(known[name], name, frame.schema).alias(name) for name in present))
    unreadable = {name: rows for name in present if len(rows := columns.unreadable(name, frame, parsed))}
    converted = parsed.select("row", *(_filled(table, name, parsed, home or {}).alias(name) for name in known))
    if converted.is_empty():  # no row breaks a rule, and to find that out takes as long as for a thousand
        return Checked(table, given, converted, converted, unknown=unknown)
    bad: list[Fault] = []
    odd: list[Fault] = []
    if not frozen:
        converted, bad, odd = _in_one_form(table, frame, converted, known_ids=known_ids)
    for name in [name for name in unreadable if _idle(known[name])]:
        odd.append(Fault(f"{name}|unknown", tables.idle_sentence(table, name), unreadable.pop(name), (name,)))
    odd += _timeless(frame, present)
    bad += [
        Fault(f"{name}|type", tables.sentence(table, f"{name}|type"), rows, (name,))
        for name, rows in unreadable.items()
    ]
    one = pl.Series([], dtype=pl.UInt32) if frozen or known_ids else _became_one(table, converted, given)
    repeated = _said_before(table, _without(converted, bad), one)
    if len(repeated):
        converted = converted.filter(~pl.col("row").is_in(repeated.implode()))
    kept, failure = tables.TABLES[table].filter(converted)
    if len(kept) < len(converted):
        details = failure.details()
        for rule in failure.counts():
            rows = details.filter(pl.col(rule) == "invalid")["row"]
            # What could not be read was left empty; that it is empty is not a second fault.
            if rule.partition("|")[0] in unreadable:
                rows = rows.filter(~rows.is_in(unreadable[rule.partition("|")[0]].implode()))
            for name, some in _repeats(rule, rows, one):
                if len(some):
                    bad.append(Fault(name, tables.sentence(table, name), some, tables.at_fault(rule)))
    return Checked(table, given, converted, _without(kept, bad), bad, odd, unknown, repeated)


def anonymous_members(members: Checked) -> set[str]:
    """Every id and name that may belong to an anonymous member, bad rows included (P1); ``folded``."""
    unclear = [bad.rows for bad in members.bad if bad.rule == "is_anonymous|type"]
    may_be = pl.col("is_anonymous")
    for rows in unclear:
        may_be |= pl.col("row").is_in(rows.implode())
    found = members.converted.filter(may_be)
    return {text for name in ("member_id", "display_name") for text in folded(found[name].drop_nulls()) if text}


# --- converting ----------------------------------------------------------------------------------------------------


def _idle(column: dy.Column) -> bool:
    """Whether a column changes no number of the count."""
    return bool((column.metadata or {}).get("idle"))


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
            raise several(table, name, there)
        value = pl.lit(there[0])
    elif "default" in meta:
        value = default
    else:
        raise missing_column(table, name, [found for found in parsed.columns if found != "row"])
    return pl.coalesce(value, pl.col(_OWN_ID[table])) if name in ("title", "display_name") else value


def _in_one_form(
    table: str, frame: pl.DataFrame, converted: pl.DataFrame, *, known_ids: bool
) -> tuple[pl.DataFrame, list[Fault], list[Fault]]:
    """Bring ids, titles (T7) and tags (T5) to one form; also what is bad and what is odd about them."""
    new, bad, odd = [], [], []
    for name in converted.columns:
        if (name.endswith("_id") and not known_ids) or name in _TITLES:
            before = converted[name]
            after = text.in_plain_form(before)
            if after is not before:
                new.append(after)
                rows = converted["row"].filter(before.ne_missing(after) & after.is_not_null())
                sentence = f"{name} was brought to one form (NFC, without invisible characters; T7)"
                odd += [Fault(f"{name}|form", sentence, rows, (name,))] if len(rows) and name in frame.columns else []
            # The header of a column may run over two lines, as forms write them.
            if name.endswith("_id") and name in frame.columns and not (name == "choice_id" and COLUMN in frame.columns):
                refused, noted = ids.suspicious(name, after, converted["row"], in_lines=LINE in frame.columns)
                bad += refused
                odd += noted
    if "tags" in frame.columns:
        cells = frame["tags"] if frame.schema["tags"] == pl.String else converted["tags"]
        found = tags.in_one_form(cells, following=table == "followings")
        new.append(found.tags.alias("tags"))
        odd += [
            Fault(f"tags|{rule}", sentence, converted["row"].filter(rows), ("tags",))
            for rule, sentence, rows in _about_tags(table, found)
            if rows.any()
        ]
    return converted.with_columns(new), bad, odd


def _about_tags(table: str, found: tags.Tags) -> list[tuple[str, str, pl.Series]]:
    on_all = "; they follow on ALL (T3)" if table == "followings" else ""
    return [
        ("blank", f"tags are all blank (T5){on_all}", found.blank),
        ("absent", f"tags are what programs write where nothing is{on_all}", found.absent),
        ("listed", "tags are written as a program writes a list, and are read as its entries (T5)", found.listed),
        ("all", "tags have a word for ALL among them; they follow on ALL (T3, T5)", found.all),
    ]


def _timeless(frame: pl.DataFrame, present: Sequence[str]) -> list[Fault]:
    """Rows whose text says that there is no time."""
    faults = []
    for name in present:
        if frame.schema[name] == pl.String and name.endswith("_at"):
            rows = frame["row"].filter(times.no_time(frame[name]).fill_null(value=False))
            sentence = f"{name} is what programs write where there is no time; it is unknown"
            faults += [Fault(f"{name}|none", sentence, rows, (name,))] if len(rows) else []
    return faults


def _without(rows: pl.DataFrame, bad: Sequence[Fault]) -> pl.DataFrame:
    for fault in bad:
        rows = rows.filter(~pl.col("row").is_in(fault.rows.implode()))
    return rows


def _became_one(table: str, converted: pl.DataFrame, given: pl.DataFrame) -> pl.Series:
    """Numbers of the rows that have a key in common, at least one of them only since its ids are in one form."""
    key = tables.key(table)
    texts = [name for name in key if name.endswith("_id") and given.schema.get(name) == pl.String]
    changed = pl.Series([False]).new_from_index(0, len(given))
    for name in texts:
        if given[name] is not converted[name]:
            changed |= given[name].ne_missing(converted[name])
    if not changed.any():
        return pl.Series([], dtype=pl.UInt32)
    mine = pl.col("row").is_in(given["row"].filter(changed).implode())
    twins = converted.filter(pl.struct(key).is_duplicated())
    return twins.filter(mine.any().over(key))["row"]


def _said_before(table: str, readable: pl.DataFrame, one: pl.Series) -> pl.Series:
    """Numbers of the rows that say the same as another one: in some tables always, else where ids became one."""
    if table in tables.MERGED:
        return readable.filter(~pl.struct(pl.exclude("row")).is_first_distinct())["row"]
    if one.is_empty() or table not in ("votes", "choices"):
        return pl.Series([], dtype=pl.UInt32)
    key, twins = tables.key(table), readable.filter(pl.col("row").is_in(one.implode()))
    if table == "votes":
        twins = twins.filter(pl.col("stars").n_unique().over(key) == 1)
    else:
        twins = twins.sort("position", "title", "row")
    return twins.filter(~pl.struct(key).is_first_distinct())["row"]


def _repeats(rule: str, rows: pl.Series, one: pl.Series) -> list[tuple[str, pl.Series]]:
    """Tell rows whose key repeats as it was written from those whose ids became one (T7)."""
    if rule != "primary_key" or one.is_empty():
        return [(rule, rows)]
    became = rows.is_in(one.implode())
    return [(rule, rows.filter(~became)), ("one_form", rows.filter(became))]
