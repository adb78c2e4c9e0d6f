"""Ballots and votes in Parquet → arrays of codes on disk, sorted by decision and member."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.out_of_core.encode import members_of
from crowdvote_analysis.out_of_core.plain import (
    NOWHERE,
    STRANGER,
    coded,
    id_text,
    places,
    refuse,
    refuse_codes,
    tag_text,
)
from crowdvote_analysis.out_of_core.tag_sets import tag_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.out_of_core.catalogue import Catalogue
    from crowdvote_analysis.out_of_core.database import Database
    from crowdvote_analysis.out_of_core.sources import Source
    from crowdvote_analysis.out_of_core.work import Work

_SKIPPED = -1  # a decision that is not counted
_TIMES = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")


def _decision(source: Source, only: str | None) -> str:
    """The decision of a row, in SQL."""
    if "decision_id" in source.columns:
        return id_text(source, "decision_id", "given")
    if only is None:
        refuse(
            source.table,
            "decision_id|missing",
            "the column decision_id is missing, and there is not one decision alone",
        )
    return "(SELECT min(id) FROM decision)"


def _untimely(source: Source) -> str:
    """Whether a ballot was cast outside of the voting time (D12), in SQL."""
    kind = source.columns.get("cast_at")
    if kind in (None, '"NULL"'):
        return "false"
    if kind not in _TIMES:
        refuse("ballots", "cast_at|type", f"cast_at is {kind}; a timestamp in UTC is needed")
    cast = "CAST(given.cast_at AS TIMESTAMPTZ)"
    return f"coalesce({cast} < decision.opens_at, false) OR coalesce({cast} > decision.closes_at, false)"


def encode_ballots(
    database: Database,
    work: Work,
    source: Source,
    catalogue: Catalogue,
    members: int,
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write the ballots of members: ballot.key (decision × members + code), ballot.set and ballot.timely.

    Returns:
        ``tag_sets``; ``outsiders`` and ``untimely``: ballots by decision that do not count (M3, D12); ``ballots``.
    """
    decision, member = _decision(source, catalogue.only), id_text(source, "member_id", "given")
    twice = database.rows(
        f"SELECT count(*) FROM (SELECT 1 FROM {source.sql} AS given GROUP BY {decision}, {member} HAVING count(*) > 1)",
        source.bound,
    )[0][0]
    if twice:
        refuse("ballots", "primary_key", "the key (decision_id, member_id) appears more than once", twice)
    tag_sets, texts = tag_codes(database, source)
    database.put("tag_set", texts)
    query = (
        f"SELECT coalesce(decision.number, {NOWHERE}) AS decision, {coded('one.code', member)} AS member, "
        f"tag_set.tag_set, {_untimely(source)} AS untimely FROM {source.sql} AS given "
        f"LEFT JOIN decision ON decision.id = {decision} "
        f"LEFT JOIN {members_of(work)} AS one "
        f"ON one.member_id = {member} AND one.community = decision.community "
        f"JOIN tag_set ON tag_set.text = {tag_text(source, 'given')} ORDER BY 1, 2"
    )
    number = len(catalogue.decisions)
    outsiders, untimely = np.zeros(number, dtype=np.int64), np.zeros(number, dtype=np.int64)
    done = kept = 0
    with work.filling("ballot.key", "ballot.set", "ballot.timely") as (keys, sets, timely):
        for frame in database.stream(query, source.bound):
            done += len(frame)
            advance(done, source.rows)
            _refuse_lost("ballots", frame)
            frame = frame.filter(pl.col("decision") != _SKIPPED)
            stranger = frame["member"] == STRANGER
            outsiders += np.bincount(frame.filter(stranger)["decision"].to_numpy(), minlength=number)
            frame = frame.filter(~stranger)
            untimely += np.bincount(frame.filter("untimely")["decision"].to_numpy(), minlength=number)
            key = frame["decision"].to_numpy().astype(np.int64) * members + frame["member"].to_numpy()
            keys.write(key.tobytes())
            sets.write(frame["tag_set"].cast(pl.Int32).to_numpy().tobytes())
            timely.write((~frame["untimely"].to_numpy()).tobytes())
            kept += len(frame)
    for name, late in zip(catalogue.decisions["decision_id"], untimely.tolist(), strict=True):
        if late:
            were = "1 ballot was" if late == 1 else f"{late:,} ballots were"
            warnings.warn(
                f"decision '{name}': {were} cast outside of the voting time and do not count (D12).",
                TableWarning,
                stacklevel=4,
            )
    return {"tag_sets": tag_sets, "outsiders": outsiders.tolist(), "untimely": untimely.tolist(), "ballots": kept}


def encode_votes(
    database: Database,
    work: Work,
    source: Source,
    catalogue: Catalogue,
    members: int,
    ballots: int,
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write the stars of timely ballots of members: vote.key, vote.choice and vote.places (units of 1e-8 star).

    Returns:
        ``votes``: their number.
    """
    decision, member = _decision(source, catalogue.only), id_text(source, "member_id", "given")
    choice = id_text(source, "choice_id", "given")
    database.put("choice", catalogue.choices.select("number", "choice", "choice_id"))
    query = (
        f"SELECT coalesce(decision.number, {NOWHERE}) AS decision, {coded('one.code', member)} AS member, "
        f"coalesce(choice.choice, {STRANGER}) AS choice, {places(source)} AS places FROM {source.sql} AS given "
        f"LEFT JOIN decision ON decision.id = {decision} "
        f"LEFT JOIN {members_of(work)} AS one "
        f"ON one.member_id = {member} AND one.community = decision.community "
        f"LEFT JOIN choice ON choice.number = decision.number AND choice.choice_id = {choice} ORDER BY 1, 2, 3"
    )
    cast, timely = work.open("ballot.key", ballots, np.int64), work.open("ballot.timely", ballots, np.bool_)
    done = kept = twice = lost = 0
    wrong = {-1: 0, -2: 0, -3: 0}
    before = (-1, -1)
    unknown = 0
    with work.filling("vote.key", "vote.choice", "vote.places") as files:
        for frame in database.stream(query, source.bound):
            done += len(frame)
            advance(done, source.rows)
            _refuse_lost("votes", frame)
            for code in wrong:
                wrong[code] += int((frame["places"] == code).sum())
            frame = frame.filter(pl.col("decision") != _SKIPPED)
            unknown += int((frame["choice"] == STRANGER).sum())
            frame = frame.filter(pl.col("member") != STRANGER)
            if not len(frame):
                continue
            key = frame["decision"].to_numpy().astype(np.int64) * members + frame["member"].to_numpy()
            rated, stars = frame["choice"].to_numpy(), frame["places"].to_numpy()
            twice += int(((key[1:] == key[:-1]) & (rated[1:] == rated[:-1])).sum())
            twice += (int(key[0]), int(rated[0])) == before
            before = (int(key[-1]), int(rated[-1]))
            at = np.searchsorted(cast, key).clip(max=max(ballots - 1, 0))
            there = cast[at] == key if ballots else np.zeros(len(key), dtype=np.bool_)
            lost += int((~there).sum())
            counts = there.copy()
            counts[there] = timely[at[there]]
            files[0].write(key[counts].tobytes())
            files[1].write(rated[counts].astype(np.int32).tobytes())
            files[2].write(stars[counts].astype(np.int32).tobytes())
            kept += int(counts.sum())
    sentences = {
        -1: "stars outside 0 to 5 (K9)",
        -2: "stars have more than 8 places (D10)",
        -3: "stars is missing",
    }
    for code, rows in wrong.items():
        if rows:
            refuse("votes", "stars", sentences[code], rows)
    if unknown:
        refuse("votes", "unknown_choice_id", "the choice is not in the table choices of this decision", unknown)
    if twice:
        refuse("votes", "primary_key", "the key (decision_id, member_id, choice_id) appears more than once", twice)
    if lost:
        refuse("votes", "unknown_member_id", "the member has no row in the table ballots for this decision", lost)
    return {"votes": kept}


def _refuse_lost(table: str, frame: pl.DataFrame) -> None:
    for column in ("decision", "member"):
        codes = frame[column].filter(frame[column] < STRANGER)
        if len(codes):
            code = int(codes[0])
            refuse_codes(table, f"{column}_id", code, int((codes == code).sum()))
