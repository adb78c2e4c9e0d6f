"""A frame as people write it → a table, its good rows told from its bad ones, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import InvalidTableError, Problem

if TYPE_CHECKING:
    import dataframely as dy


@dataclass(frozen=True)
class BadRow:
    """A rule that rows of a table break: the rule's name, the sentence, and the numbers of the rows."""

    rule: str
    sentence: str
    rows: pl.Series


@dataclass(frozen=True)
class Checked:
    """What ``check`` found.

    Attributes:
        table: Name of the table.
        given: The frame as it came, with the column ``row``, counted from 1.
        good: The rows that keep the contract, in the types of the table, with the column ``row``.
        bad: The rules that rows break.
        unknown: Names of the columns the table does not have.
    """

    table: str
    given: pl.DataFrame
    good: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def check(table: str, frame: pl.DataFrame, home: dict[str, str] | None = None) -> Checked:
    """Convert a frame into a table and tell its good rows from its bad ones.

    Args:
        table: Name of the table.
        frame: The rows as they came; text is understood for every column.
        home: Value of a ``community_id`` or ``decision_id`` column that is absent, by column name.

    Returns:
        The good rows in the types of the table and, for every broken rule, the numbers of the rows that break it.

    Raises:
        InvalidTableError: A required column is absent, or has a type that cannot be converted at all, such as stars in
            binary floats (D10).
    """
    if "row" in frame.columns:  # ours; a column of that name is unknown like any other and kept under a longer one
        frame = frame.rename({"row": "row (as given)"})
    given = frame.with_row_index("row", offset=1)
    known = tables.columns(table)
    unknown = [name for name in given.columns if name not in known and name != "row"]
    bad: list[BadRow] = []
    converted = [pl.col("row")]
    unconverted: dict[str, pl.Expr] = {}
    for name, column in known.items():
        converted.append(_value(table, name, column, given, home or tables.HOME).alias(name))
        if name in given.columns and given.schema[name] != column.dtype:
            unconverted[name] = (
                pl.col(name).is_not_null()
                & ~_blank(given.schema[name], name)
                & _parsed(column, given.schema[name], name).is_null()
            )
    unreadable: dict[str, pl.Series] = {}
    if unconverted:
        failed = given.select("row", **unconverted)
        unreadable = {name: failed.filter(pl.col(name))["row"] for name in unconverted}
    typed = given.select(converted)
    if "tags" in given.columns and "tags" in known:
        typed = _normalise_tags(typed)
    kept, failure = tables.TABLES[table].filter(typed)
    good: pl.DataFrame = kept
    for name, rows in unreadable.items():
        if len(rows):
            bad.append(BadRow(f"{name}|type", _type_sentence(name, known[name]), rows))
            good = good.filter(~pl.col("row").is_in(rows.implode()))
    if len(failure.invalid()):
        details = failure.details()
        for rule in failure.counts():
            rows = details.filter(pl.col(rule) == "invalid")["row"]
            # What could not be read was left empty; that it is empty is not a second fault.
            told = unreadable.get(rule.partition("|")[0], pl.Series([], dtype=pl.UInt32))
            rows = rows.filter(~rows.is_in(told.implode()))
            if len(rows):
                bad.append(BadRow(rule, _rule_sentence(table, rule), rows))
    return Checked(table, given, good, bad, unknown)


def describe(checked: Checked, problem: BadRow, anonymous: set[str]) -> Problem:
    """Put a broken rule in words, with its first rows; anonymous members are not named (P1)."""
    wrong = problem.rule.partition("|")[0]
    shown = [name for name in dict.fromkeys([*tables.key(checked.table), wrong]) if name in checked.given.columns]
    rows = problem.rows.sort()
    first = checked.given.filter(pl.col("row").is_in(rows.head(3).implode()))
    return Problem(
        table=checked.table,
        rule=problem.rule,
        sentence=problem.sentence,
        count=rows.n_unique(),
        first=tuple(
            f"row {row['row']}: " + ", ".join(f"{name} {_shown(name, row, anonymous)}" for name in shown)
            for row in first.iter_rows(named=True)
        ),
    )


def anonymous_members(checked: Checked) -> set[str]:
    """Every id and name in a members table that may belong to an anonymous member, bad rows included (P1)."""
    if "is_anonymous" not in checked.given.columns:
        return set()
    parsed = _parsed(tables.Members.is_anonymous, checked.given.schema["is_anonymous"], "is_anonymous")
    blank = pl.col("is_anonymous").is_null() | _blank(checked.given.schema["is_anonymous"], "is_anonymous")
    rows = checked.given.filter(~blank & parsed.fill_null(True))
    names = [name for name in ("member_id", "display_name") if name in rows.columns]
    return {str(value) for name in names for value in rows[name] if value is not None}


# --- converting ----------------------------------------------------------------------------------------------------


def _value(table: str, name: str, column: dy.Column, given: pl.DataFrame, home: dict[str, str]) -> pl.Expr:
    meta = column.metadata or {}
    absent = name not in given.columns
    if absent and meta.get("home"):
        return pl.lit(home[name])
    if absent and "default" not in meta:
        raise _missing_column(table, name, given)
    default = pl.lit(meta.get("default"), dtype=column.dtype) if "default" in meta else None
    if absent:
        value = default
        assert value is not None
    else:
        source = given.schema[name]
        _refuse_impossible(table, name, column, source)
        value = pl.col(name) if source == column.dtype else _parsed(column, source, name)
        if default is not None:
            value = value.fill_null(default)
    if name in ("title", "display_name"):
        own_id = {
            "communities": "community_id",
            "members": "member_id",
            "decisions": "decision_id",
            "choices": "choice_id",
        }
        value = pl.coalesce(value, pl.col(own_id[table]).cast(pl.String)) if own_id[table] in given.columns else value
    return value


def _normalise_tags(typed: pl.DataFrame) -> pl.DataFrame:
    """Trim, lower-case and de-duplicate tags (T5), each distinct list once; sorted, so that equal sets are equal."""
    tag = pl.element().str.strip_chars().str.to_lowercase()
    normal = pl.col("tags").list.eval(tag.filter((tag != "").fill_null(True))).list.unique().list.sort()
    distinct = typed.select("tags").unique().with_columns(normal=normal)
    joined = typed.join(distinct, on="tags", how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(tags="normal").drop("normal")


def _parsed(column: dy.Column, source: pl.DataType, name: str) -> pl.Expr:
    """The column in the type of the table; null where a value cannot be read."""
    target, value = column.dtype, pl.col(name)
    text = source == pl.String
    if text:
        trimmed = value.str.strip_chars()
        value = pl.when(trimmed != "").then(trimmed)
    if target == pl.String:
        return value if text else value.cast(pl.String, strict=False)
    if target == pl.Boolean and text:
        word = value.str.to_lowercase()
        yes, no = word.is_in(["true", "t", "yes", "y", "1"]), word.is_in(["false", "f", "no", "n", "0"])
        return pl.when(yes).then(True).when(no).then(False)
    if isinstance(target, pl.List):
        return value.str.split(";") if text else value.cast(target, strict=False)
    if isinstance(target, pl.Decimal):
        # A cast would round a ninth place away without a word; such a value is refused instead (D10).
        if text:
            return pl.when(value.str.contains(r"^[+-]?(\d+\.?\d{0,8}|\.\d{1,8})0*$")).then(
                value.str.strip_chars_start("+").cast(target, strict=False)
            )
        exact = value.cast(target, strict=False)
        return pl.when(exact.cast(source, strict=False) == value).then(exact)
    if isinstance(target, pl.Datetime):
        if text:
            return pl.coalesce(
                value.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC"),
                value.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC"),
                *(
                    value.str.to_datetime(shape, strict=False, time_unit="us").dt.replace_time_zone("UTC")
                    for shape in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
                ),
                value.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            )
        if isinstance(source, pl.Datetime) and source.time_zone is not None:
            return value.dt.convert_time_zone("UTC").cast(target)
        return value.cast(pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC")
    return value.cast(target, strict=False)


def _blank(source: pl.DataType, name: str) -> pl.Expr:
    """Blank text counts as absent, not as unreadable."""
    return pl.col(name).str.strip_chars() == "" if source == pl.String else pl.lit(False)


# --- words ---------------------------------------------------------------------------------------------------------


def _refuse_impossible(table: str, name: str, column: dy.Column, source: pl.DataType) -> None:
    if isinstance(column.dtype, pl.Decimal) and source.is_float():
        raise InvalidTableError(
            [Problem(table, f"{name}|type", f"{name} is a column of binary floats, and stars are exact (D10)", 0, ())],
            f"Give {name} as text, integers or Decimal(9, 8): frame.with_columns(pl.col('{name}').cast(pl.String)).",
        )
    if source.is_nested() and not (isinstance(source, pl.List) and isinstance(column.dtype, pl.List)):
        raise InvalidTableError(
            [Problem(table, f"{name}|type", f"{name} has the type {source}, expected {column.dtype}", 0, ())],
            "Convert the column before reading.",
        )


def _missing_column(table: str, name: str, given: pl.DataFrame) -> InvalidTableError:
    found = ", ".join(column for column in given.columns if column != "row") or "none"
    needed = [
        n
        for n, c in tables.columns(table).items()
        if "default" not in (c.metadata or {}) and not (c.metadata or {}).get("home")
    ]
    return InvalidTableError(
        [Problem(table, f"{name}|missing", f"the column {name} is missing (columns found: {found})", 0, ())],
        f"The table {table} needs the columns {', '.join(needed)}; all others are optional.",
    )


def _type_sentence(name: str, column: dy.Column) -> str:
    if isinstance(column.dtype, pl.Decimal):
        return f"{name} is not a number from 0 to 5 with at most 8 places (D10, K9)"
    if column.dtype == pl.Boolean:
        return f"{name} is neither true nor false"
    if isinstance(column.dtype, pl.Datetime):
        return f"{name} is not a time such as 2026-05-01 18:00:00 (UTC)"
    return f"{name} is not of the type {column.dtype}"


def _rule_sentence(table: str, rule: str) -> str:
    name, _, kind = rule.partition("|")
    named = {
        "primary_key": f"the key ({', '.join(tables.key(table))}) appears more than once",
        "known_cycle_rule": "cycle_rule is neither path (Y1) nor equilibrium (Y4)",
        "known_method": "method is not star",
        "opens_before_closing": "closes_at lies before opens_at",
        "plain_tags": "a tag holds a semicolon or a line break, which separate tags in CSV files",
    }
    if name in named:
        return named[name]
    return {
        "nullability": f"{name} is missing",
        "min_length": f"{name} is empty",
        "min": f"{name} outside 0 to 5 (K9)",
        "max": f"{name} outside 0 to 5 (K9)",
        "inner_nullability": f"{name} holds an empty entry",
    }.get(kind, f"{name} breaks the rule {kind}")


def _shown(name: str, row: dict[str, Any], anonymous: set[str]) -> str:
    value = row[name]
    if name in ("member_id", "follower_id", "followee_id", "display_name") and str(value) in anonymous:
        return "(an anonymous member)"
    return "(missing)" if value is None else repr(value) if isinstance(value, str) else str(value)
