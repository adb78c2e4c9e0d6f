"""One column as people write it → the type it has in its table, exactly or not at all."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import times

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

# What is read as true and as false, in any case.
YES, NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
# How Python writes small and round decimals: 1E-8, 0E-8, 5E+0. Three digits suffice, more would only cost memory.
_EXPONENT = r"^[+-]?(\d+\.?\d*|\.\d+)E[+-]\d{1,3}$"
# The first and the last second that Python and polars can both show, counted from 1970.
_CALENDAR = (-62_135_596_800, 253_402_300_799)


def understands(target: pl.DataType, source: pl.DataType) -> bool:
    """Whether a column of the type ``target`` is read from one of the type ``source``; a list of what is safe."""
    if source == pl.Null or is_text(source):
        return True
    if isinstance(target, pl.List):
        inner = source.inner if isinstance(source, pl.List | pl.Array) else pl.Object()
        return inner in (pl.Null, pl.Boolean) or is_text(inner) or inner.is_numeric()
    if target == pl.String:
        return source.is_numeric() or isinstance(source, pl.Boolean | pl.Date | pl.Datetime | pl.Time)
    if target == pl.Boolean:
        return source.is_numeric() or source == pl.Boolean
    if isinstance(target, pl.Decimal):
        return source.is_integer() or source.is_decimal()  # never binary floats (D10)
    if isinstance(target, pl.Datetime):
        return isinstance(source, pl.Date | pl.Datetime)  # a bare number has no unit
    return source.is_numeric()


def is_text(source: object) -> bool:
    """Text, or categories, which are read as their text."""
    return source in (pl.String, pl.Categorical, pl.Enum)


def bytes_as_text(frame: pl.DataFrame, known: Iterable[str]) -> pl.DataFrame:
    """Columns of bytes that are UTF-8 in every cell as text: some programs do not say in Parquet that theirs is."""
    written = []
    for name in [name for name in known if name in frame.columns and frame.schema[name] == pl.Binary]:
        with suppress(pl.exceptions.ComputeError):
            written.append(frame[name].cast(pl.String))
    return frame.with_columns(written)


def beyond_the_calendar(column: pl.Series) -> bool:
    """Whether a column has a time outside the years 1 to 9999, which nothing can show, compare as text or write."""
    if isinstance(column.dtype, pl.Datetime):
        second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[column.dtype.time_unit]
    elif column.dtype == pl.Date:
        second = 0
    else:
        return False
    numbers = column.to_physical().drop_nulls()
    if numbers.is_empty():
        return False
    # Whole days for dates, else ticks; a day is kept from both ends, because a time zone may lie beyond.
    low, high = (limit // 86_400 if not second else limit * second for limit in _CALENDAR)
    margin = 86_400 * second
    first, last = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    return first < low + margin or last > high - margin


def unreadable(name: str, given: pl.DataFrame, converted: pl.DataFrame) -> pl.Series:
    """Numbers of the rows whose value could not be read; blank text is absent, and so is what says there is no time."""
    before, after = given[name], converted[name]
    if before.null_count() == after.null_count():
        return pl.Series([], dtype=pl.UInt32)
    lost = before.is_not_null() & after.is_null()
    if before.dtype == pl.String:
        lost &= before.str.strip_chars() != ""
        if isinstance(after.dtype, pl.Datetime):
            lost &= ~times.no_time(before)
    return given["row"].filter(lost)


def parsed(column: dy.Column, name: str, schema: pl.Schema) -> pl.Expr:
    """The column in the type of the table; null where a value is blank or cannot be read."""
    target, source, value = column.dtype, schema[name], pl.col(name)
    if not understands(target, source):  # where that changes no number, or else the column was refused
        return pl.lit(None, dtype=target)
    meta = column.metadata or {}
    if meta.get("lower"):
        return value.cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
    if source == pl.String:
        optional = "default" in meta
        return _from_text(target, value) if target != pl.String else _unless_blank(value, value) if optional else value
    if source == target or isinstance(target, pl.List) or target == pl.String or source == pl.Null:
        return value.cast(target, strict=False)
    if isinstance(target, pl.Datetime):
        if isinstance(source, pl.Datetime) and source.time_zone is not None:
            return value.dt.convert_time_zone("UTC").cast(target)
        return value.cast(pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC")
    if target == pl.Boolean:
        return pl.when(value == 1).then(True).when(value == 0).then(False)
    # A cast would round places away without a word; such a value is refused instead (D10).
    exact = value.cast(target, strict=False)
    return pl.when(exact.cast(source, strict=False) == value).then(exact)


def _unless_blank(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(text.str.strip_chars() != "").then(value)


def _from_text(target: pl.DataType, text: pl.Expr) -> pl.Expr:
    value = _unless_blank(text, text.str.strip_chars())
    if target == pl.Boolean:
        word = value.str.to_lowercase().str.replace(r"^([01])\.0+$", "$1")  # pandas, where a cell was blank
        return pl.when(word.is_in(YES)).then(True).when(word.is_in(NO)).then(False)
    if isinstance(target, pl.List):
        return value.str.split(";")
    if isinstance(target, pl.Decimal):
        plain = value.map_batches(_without_exponents, return_dtype=pl.String)
        fits = plain.str.contains(r"^[+-]?(\d+\.?\d{0,8}|\.\d{1,8})0*$")
        return pl.when(fits).then(plain.str.strip_chars_start("+").cast(target, strict=False))
    if isinstance(target, pl.Datetime):
        return value.map_batches(times.instants, return_dtype=times.UTC)
    return value.cast(target, strict=False)


def _without_exponents(text: pl.Series) -> pl.Series:
    """``1E-8`` as ``0.00000001``, each distinct text once; no digit changes."""
    written = text.filter(text.str.contains(_EXPONENT)).unique()
    return text.replace(written, pl.Series([f"{Decimal(each):f}" for each in written], dtype=pl.String))
