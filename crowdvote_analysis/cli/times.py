"""Instants as people write them on the command line, read as the tables read them; the only look at the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import typer


def now() -> datetime:
    """The clock, in UTC."""
    return datetime.now(UTC)


def instant(written: str, option: str = "--at") -> datetime:
    """A time in UTC.

    Args:
        written: Such as ``2026-06-15 12:00``; without a zone it is UTC.
        option: The option it was written for, which an error names.
    """
    import polars as pl

    from crowdvote_analysis import columns, tables

    given = pl.DataFrame({"at": [written]})
    time = tables.columns("yes_no_votes")["voted_at"]
    column = given.select(columns.parsed(time, "at", given.schema)).to_series()
    if columns.beyond_the_calendar(column):
        raise typer.BadParameter(f"{written!r} lies outside the years 1 to 9999.", param_hint=option)
    read: datetime | None = column.item()
    if read is None:
        shape = "a time such as '2026-06-15 12:00' (UTC), in the years 1 to 9999"
        raise typer.BadParameter(f"{written!r} is not {shape}.", param_hint=option)
    return read
