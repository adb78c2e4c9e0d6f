"""Tables from elsewhere into a store: what is new or has changed since the last import, in one commit."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import RefusedRecordError, TableWarning
from crowdvote_analysis.state import SystemState
from crowdvote_analysis.store.closing import ends
from crowdvote_analysis.store.cut import IMPORT
from crowdvote_analysis.store.ids import require_plain_rows
from crowdvote_analysis.store.records import anonymous_texts
from crowdvote_analysis.yes_no import everybody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

_BALLOT = ["decision_id", "member_id"]
# So many ids of decisions an error names.
_NAMED = 10


def import_state(store: Store, state: SystemState, progress: Callable[[int, int], None] | None = None) -> Commit | None:
    """Record all rows of a state that are new or have changed since they were last imported, in one commit.

    A row that equals what the last import of its key brought has not been changed by whoever hands in the tables: what
    was recorded since stands, withdrawals too. A row that is written is written whole. Rows that the state lacks stay
    as they are: nothing is withdrawn. A ballot is taken as a whole: its tags, its time and its stars are compared
    together, and it is written with all the stars it has in the state. Columns that the tables do not have
    (``SystemState.unknown``) stand as JSON text in the column ``extra`` of the store.

    Args:
        store: The store.
        state: The tables.
        progress: Called with (tables looked at, tables in all).

    Returns:
        The commit; none where nothing is new.

    Raises:
        RefusedRecordError: ``decision_closed``: what is over in the store would change; nothing was recorded.
        InvalidTableError: The tables of the store would not fit together any more, or an id of a row to be written is
            not plain (has control characters, or blanks at its ends); nothing was recorded.
    """
    given = {table: _with_extra(state, table) for table in tables.TABLES}

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        standing = {}
        for done, table in enumerate(tables.TABLES, start=1):
            standing[table] = cut.standing(table).select(given[table].columns).collect()
            if progress is not None:
                progress(done, len(tables.TABLES))
        new = _differing(given, standing)
        if any(map(len, new.values())):
            new = _differing(new, _last_imported(cut, new))
        over = ends(cut, at)["decision_id"]
        new["required_voters"] = _without_late_voters(state, over, new["required_voters"])
        _require_untouched(over, new)
        if any(map(len, new.values())):
            require_plain_rows(new, _secrets(cut, state))
            _require_fitting(cut, standing, new)
        return new

    return store.commit(IMPORT, prepare)


def _last_imported(cut: Cut, like: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """What the last import of each key brought, the stars of a ballot with their ballot, in the columns of ``like``."""
    rows = {}
    for table in tables.TABLES:
        imported = cut.history(table).filter(action=IMPORT)
        rows[table] = imported.sort("seq").unique(tables.key(table), keep="last", maintain_order=True)
    ballot = [*_BALLOT, "seq"]
    rows["votes"] = (
        cut.history("votes").filter(action=IMPORT).join(rows["ballots"].select(ballot), on=ballot, how="semi")
    )
    return {table: rows[table].select(like[table].columns).collect() for table in tables.TABLES}


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


def _differing(given: Mapping[str, pl.DataFrame], before: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The rows that are new or differ from those before; ballots with all their stars, or not at all."""
    new = {table: _changed(table, given[table], before[table]) for table in tables.TABLES if table != "votes"}
    ballots = _changed_ballots(given, before, new["ballots"])
    for table in ("ballots", "votes"):
        new[table] = given[table].join(ballots, on=_BALLOT, how="semi", maintain_order="left")
    return new


def _changed(table: str, given: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """The rows that are new or differ in any column."""
    key = tables.key(table)
    others = [name for name in given.columns if name not in key]
    same = pl.all_horizontal(
        pl.lit(value=True), *(pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in others)
    )
    beside = given.join(
        before.with_columns(there=pl.lit(value=True)),
        on=key,
        how="left",
        nulls_equal=True,
        maintain_order="left",
        suffix="_before",
    )
    return beside.filter(pl.col("there").is_null() | ~same).select(given.columns)


def _changed_ballots(
    given: Mapping[str, pl.DataFrame], before: Mapping[str, pl.DataFrame], ballots: pl.DataFrame
) -> pl.DataFrame:
    """The keys of the ballots that are new or differ, in themselves or in any of their stars."""
    stars = _changed("votes", given["votes"], before["votes"])
    gone = (
        before["votes"]
        .join(given["ballots"], on=_BALLOT, how="semi")
        .join(given["votes"], on=tables.key("votes"), how="anti")
    )
    return pl.concat([frame.select(_BALLOT) for frame in (ballots, stars, gone)]).unique()


def _without_late_voters(state: SystemState, over: pl.Series, voters: pl.DataFrame) -> pl.DataFrame:
    """Without those who would be required in a decision that is over, only because they are voters of its community.

    Tables that do not say who is required mean all voters (C1), and those who came after a decision was over are not
    asked to vote in it: they can be imported all the same.
    """
    all_voters = everybody(state.decisions.filter(pl.col("decision_id").is_in(over.implode())), state.members)
    return voters.join(all_voters, on=all_voters.columns, how="anti", maintain_order="left")


def _require_untouched(over: pl.Series, new: Mapping[str, pl.DataFrame]) -> None:
    """Refuse to change decisions that are over."""
    about = {table: rows["decision_id"] for table, rows in new.items() if "decision_id" in rows.columns}
    touched = {table: ids.filter(ids.is_in(over.implode())) for table, ids in about.items()}
    decisions = pl.concat(touched.values()).unique().sort()
    if decisions.is_empty():
        return
    named = ", ".join(f"'{decision}'" for decision in decisions.head(_NAMED))
    more = f" and {len(decisions) - _NAMED:,} more" if len(decisions) > _NAMED else ""
    where = ", ".join(table for table, ids in touched.items() if len(ids))
    raise RefusedRecordError(
        "decision_closed",
        f"The tables would change decisions that are over in this store: {named}{more} (in {where}). Nothing was "
        "imported. Leave their rows out of the tables, or make them as they stand in the store or were last imported. "
        "To vote anew, create a new decision.",
    )


def _secrets(cut: Cut, state: SystemState) -> set[str]:
    """Ids and names of whoever was anonymous in the store at any time, or is in the tables; not to be said (P1)."""
    given = state.members.filter("is_anonymous").select("member_id", "display_name")
    return anonymous_texts(cut) | {text for column in given for text in column.drop_nulls()}


def _require_fitting(cut: Cut, standing: Mapping[str, pl.DataFrame], new: Mapping[str, pl.DataFrame]) -> None:
    """Make sure that the tables would still be a state; members who left are not named if they are not (P1)."""
    merged = {}
    for table in tables.TABLES:
        on = _BALLOT if table == "votes" else tables.key(table)
        replaced = new["ballots"] if table == "votes" else new[table]
        kept = standing[table].join(replaced, on=on, how="anti", nulls_equal=True)
        merged[table] = pl.concat([kept, new[table]]).drop("extra")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # told when the tables were read, and again when they are counted
        SystemState.frozen(cut.under_pseudonyms(merged))
