"""Tables from elsewhere into a store: what is new or has changed, in one commit."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

_BALLOT = ["decision_id", "member_id"]


def import_state(store: Store, state: SystemState, progress: Callable[[int, int], None] | None = None) -> Commit | None:
    """Record all rows of a state that are new or differ from what stands, in one commit.

    Rows that the state lacks stay as they are: nothing is withdrawn. A ballot is taken as a whole: where its tags, its
    time or any of its stars differ, it is written with all the stars it has in the state. Columns that the tables do
    not have (``SystemState.unknown``) stand as JSON text in the column ``extra`` of the store.

    Args:
        store: The store.
        state: The tables.
        progress: Called with (tables looked at, tables in all).

    Returns:
        The commit; none where everything stands already.

    Raises:
        InvalidTableError: The tables of the store would not fit together any more; nothing was recorded.
    """
    given = {table: _with_extra(state, table) for table in tables.TABLES}

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        standing = {}
        for done, table in enumerate(tables.TABLES, start=1):
            standing[table] = cut.standing(table).select(given[table].columns).collect()
            if progress is not None:
                progress(done, len(tables.TABLES))
        new = {table: _changed(table, given[table], standing[table]) for table in tables.TABLES if table != "votes"}
        ballots = _changed_ballots(given, standing, new["ballots"])
        for table in ("ballots", "votes"):
            new[table] = given[table].join(ballots, on=_BALLOT, how="semi", maintain_order="left")
        _require_fitting(cut, standing, new, ballots)
        return new

    return store.commit("import", prepare)


def _with_extra(state: SystemState, table: str) -> pl.DataFrame:
    """The rows of a table with the columns that it does not have as JSON text, null where they are all blank."""
    frame: pl.DataFrame = getattr(state, table)
    if table not in state.unknown:
        return frame.with_columns(extra=pl.lit(None, dtype=pl.String))
    key = tables.key(table)
    aside = state.unknown[table].unique(key, keep="first", maintain_order=True)
    own = aside.select(pl.exclude(key))
    written = aside.select(key).with_columns(extra=_as_json(own))
    return frame.join(written, on=key, how="left", nulls_equal=True, maintain_order="left")


def _as_json(columns: pl.DataFrame) -> pl.Series:
    """Every row as JSON text by column name, null where all of it is; what JSON does not know is text."""
    rows = columns.with_columns(pl.selectors.float().fill_nan(None)).iter_rows(named=True)
    said = [row if any(value is not None for value in row.values()) else None for row in rows]
    texts = [None if row is None else json.dumps(row, ensure_ascii=False, default=str) for row in said]
    return pl.Series("extra", texts, dtype=pl.String)


def _changed(table: str, given: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """The rows that are new or differ in any column."""
    key = tables.key(table)
    others = [name for name in given.columns if name not in key]
    same = pl.all_horizontal(
        pl.lit(value=True), *(pl.col(name).eq_missing(pl.col(f"{name}_standing")) for name in others)
    )
    beside = given.join(
        standing.with_columns(there=pl.lit(value=True)),
        on=key,
        how="left",
        nulls_equal=True,
        maintain_order="left",
        suffix="_standing",
    )
    return beside.filter(pl.col("there").is_null() | ~same).select(given.columns)


def _changed_ballots(
    given: Mapping[str, pl.DataFrame], standing: Mapping[str, pl.DataFrame], ballots: pl.DataFrame
) -> pl.DataFrame:
    """The keys of the ballots that are new or differ, in themselves or in any of their stars."""
    stars = _changed("votes", given["votes"], standing["votes"])
    gone = (
        standing["votes"]
        .join(given["ballots"], on=_BALLOT, how="semi")
        .join(given["votes"], on=tables.key("votes"), how="anti")
    )
    return pl.concat([frame.select(_BALLOT) for frame in (ballots, stars, gone)]).unique()


def _require_fitting(
    cut: Cut, standing: Mapping[str, pl.DataFrame], new: Mapping[str, pl.DataFrame], ballots: pl.DataFrame
) -> None:
    """Make sure that the tables would still be a state; members who left are not named if they are not (P1)."""
    merged = {}
    for table in tables.TABLES:
        on = _BALLOT if table == "votes" else tables.key(table)
        replaced = ballots if table == "votes" else new[table]
        kept = standing[table].join(replaced, on=on, how="anti", nulls_equal=True)
        merged[table] = pl.concat([kept, new[table]]).drop("extra")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # told when the tables were read, and again when they are counted
        SystemState(quarantine=False, **cut.under_pseudonyms(merged))
