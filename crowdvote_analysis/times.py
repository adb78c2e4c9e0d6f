"""Times as text, as people and programs write them → instants in UTC; what is not clear is never guessed."""

from __future__ import annotations

import polars as pl

UTC = pl.Datetime("us", "UTC")

# What databases and programs write for no time at all.
_NO_TIME = r"^(0000-00-00([T ]00:00(:00([.,]0*)?)?)?(Z|\+00:?00)?|NaT|nan|NaN|None|null|NULL|<NA>|#N/A)$"
# The year comes first, or it is not clear what is the day: 03/04/2020 has two meanings. Groups: year, month, day twice
# (with signs between them, or without any), hour, minute, second, fraction, half of the day, zone, hours and minutes of
# the zone.
_TIME = (
    r"(?i)^(?:(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{4})(\d{2})(\d{2}))"
    r"(?:(?:T|\s+)(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9})\d*)?)?)?(?:\s*([AP])\.?M\.?)?"
    r"(?:\s*(Z|(?:UTC|GMT)?\s*([+-]\d{1,2})(?::?(\d{2}))?|UTC|GMT))?)?$"
)


def no_time(texts: pl.Series) -> pl.Series:
    """Whether each text says that there is no time, as MySQL's ``0000-00-00 00:00:00`` does."""
    return texts.str.strip_chars().str.contains(_NO_TIME)


def instants(texts: pl.Series) -> pl.Series:
    """Times in UTC; null where a text is none, or where it is not clear which.

    The date is year, month, day. A time without a zone is UTC; a bare date is 00:00 of its day. Fractions of a second
    beyond the sixth place are cut off.
    """
    distinct = texts.unique().drop_nulls()
    found = distinct.str.strip_chars().str.extract_groups(_TIME).struct.unnest()
    found.columns = [f"g{number}" for number in range(len(found.columns))]
    return texts.replace_strict(distinct, found.select(_instant()).to_series(), default=None, return_dtype=UTC)


def _instant() -> pl.Expr:
    """The instant that the groups of a match say."""

    def number(*groups: int) -> pl.Expr:
        return pl.coalesce(pl.col(f"g{group}") for group in groups).cast(pl.Int64, strict=False)

    half = pl.col("g10").str.to_lowercase()
    hour = number(6)
    of_twelve = hour.is_between(1, 12)
    noon = pl.when(half == "p").then(12).otherwise(0)
    hour = pl.when(half.is_null()).then(hour.fill_null(0)).when(of_twelve).then(hour % 12 + noon)
    away = number(12)
    minutes = away.abs() * 60 + number(13).fill_null(0)
    micros = pl.col("g9").fill_null("0").str.pad_end(6, "0").str.head(6).cast(pl.Int64)
    year, month, day = number(0, 3), number(1, 4), number(2, 5)
    days = month.replace_strict({2: 28, 4: 30, 6: 30, 9: 30, 11: 30}, default=31, return_dtype=pl.Int64)
    leap = (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    clear = (
        month.is_between(1, 12)
        & day.is_between(1, days + leap.cast(pl.Int64))
        & year.is_between(1, 9999)
        & (hour <= 23)
        & (number(7).fill_null(0) <= 59)
        & (number(8).fill_null(0) <= 59)
        & (minutes.fill_null(0) <= 14 * 60)
    )
    local = pl.datetime(
        pl.when(clear).then(year), month, day, hour, number(7).fill_null(0), number(8).fill_null(0), micros
    )
    east = pl.when(minutes.is_null()).then(0).when(pl.col("g12").str.starts_with("-")).then(-minutes).otherwise(minutes)
    instant = local - pl.duration(minutes=east)
    # A zone may carry the first and the last day out of the years that can be shown.
    return pl.when(instant.dt.year().is_between(1, 9999)).then(instant).dt.replace_time_zone("UTC")
