"""Forgetting somebody who asks for it: their ids and names are erased, what they did stays as that of nobody.

Hashes and counts hold, since no hash is of a name (see ``people``): every snapshot that was taken since the store has
format 2 is verified and recounted as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crowdvote_analysis.errors import BusyError, RefusedRecordError
from crowdvote_analysis.store import delta, seal
from crowdvote_analysis.store.ids import as_recorded
from crowdvote_analysis.store.people import NAMES, PERSONS
from crowdvote_analysis.store.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

_TRIES = 20
FORGET = "forget"


class Forgotten(NamedTuple):
    """Somebody who was forgotten.

    Attributes:
        commit: The commit that says so.
        member_id: How they are called from now on.
        texts: How many ids, names and further texts were erased.
    """

    commit: Commit
    member_id: str
    texts: int


def forget_member(store: Store, member_id: str) -> Forgotten:
    """Erase the id, the names and the further columns (``extra``) of somebody, in all communities and for ever.

    They leave every community they are in (as ``leave``); their ballots and followings stay under ``Forgotten member
    1``. The files that held the texts are removed. What lies elsewhere is not: exports, reports, backups, accounts of
    ``crowdvote serve``, and what snapshots from before format 2 have frozen.

    Args:
        store: The store.
        member_id: Who asked for it.

    Raises:
        RefusedRecordError: ``unknown_person``: nobody of this id is, or was, in the store.
        BusyError: The texts are not erased yet, because others were writing all the time; ``crowdvote compact`` does.
    """
    (member_id,) = as_recorded(store, member_id=member_id)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        people = cut.people
        known = people.ids.filter(~pl.col("person").is_in(people.gone.implode()), member_id=member_id)
        if known.is_empty():
            raise RefusedRecordError("unknown_person", "There is nobody of this id in the store.")
        gone = known.select("person", commitment=pl.lit(None, dtype=pl.String), withdrawn=pl.lit(value=True))
        rows = cut.rows("members", member_id=member_id).with_columns(withdrawn=True, display_name=pl.lit(None))
        return {"members": rows.cast({"display_name": pl.String}), "persons": gone.cast(_PERSONS)}

    commit = record(store, FORGET, prepare)
    texts = erase(store)
    return Forgotten(commit, store.cut().people.ids["member_id"][-1], texts)


_PERSONS = pl.Schema({name: kind for name, kind in PERSONS.items() if name != "commit_id"})


def erase(store: Store) -> int:
    """Remove the texts about whoever was forgotten, and the files that held them; how many there were.

    Others may record at the same time.

    Raises:
        BusyError: They did all the time.
    """
    for _ in range(_TRIES):
        with store.location.turn("tidy"), store.writing():
            gone = store.cut().people.gone
            table = delta.open_table(store.location, "names")
            rows = delta.collected(store.location, "names", delta.scan(table, NAMES, store.location.options))
            kept = rows.filter(~pl.col("person").is_in(gone.implode()))
            before = table.version()
            if len(kept) < len(rows) and not delta.replace(table, kept):
                continue
            if len(gone) and (files := delta.former(store.location, "names")):
                seal.seal_upkeep(store.location, "names", before, table.version(), files)
                store.location.files.delete(files)
            return len(rows) - len(kept)
    raise BusyError(
        f"{store.location}: others were writing all the time, so the names are not erased yet. crowdvote compact does."
    )
