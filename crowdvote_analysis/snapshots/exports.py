"""Snapshots as files for other programs: one of them for an auditor, or all of them over time for analysts.

Everything stands under public ids and names (P1).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import SnapshotError, TableWarning, UnreadableFileError, reason
from crowdvote_analysis.snapshots.calculation import RESULTS, Result, Staged, public_result
from crowdvote_analysis.snapshots.events import (
    find_snapshot,
    list_snapshots,
    overview,
    public_events,
    read_events,
    redacted,
)
from crowdvote_analysis.snapshots.inputs import HEAD, TABLES, public_inputs
from crowdvote_analysis.snapshots.objects import csv_bytes, json_bytes, sha256
from crowdvote_analysis.snapshots.reading import read_document, read_inputs
from crowdvote_analysis.snapshots.verify import open_snapshot
from crowdvote_analysis.star import ratings
from crowdvote_analysis.star.ratings import RATED
from crowdvote_analysis.store.export import in_other_format
from crowdvote_analysis.tables import UTC

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.export import Format
    from crowdvote_analysis.store.store import Store

_HEAD = pl.Schema(
    {
        "snapshot_id": pl.String(),
        "community_id": pl.String(),
        "decision_id": pl.String(),
        "timestamp": UTC,
        "is_final": pl.Boolean(),
        "is_current": pl.Boolean(),
    }
)
TIMELINE = pl.Schema(
    {
        **_HEAD,
        "kind": pl.String(),
        "subject": pl.String(),
        "measure": pl.String(),
        "value": pl.Decimal(38, 9),
        "text": pl.String(),
    }
)
_COUNTS = ("margin", "total_members", "manual_ballots", "calculated_ballots", "no_ballot", "lobbyists")
_OF_DECISION = (*_COUNTS, "circular_prevented", "max_delegation_depth", "participation", "duration")
_OF_CHOICE = ("total", "average", "five_star_count", "rank")
_OF_MEMBER = ("weight", "influence_direct", "influence_total")


SNAPSHOT_TABLES = {
    "snapshots": "every snapshot: status, winner, participation, public hashes, what supersedes it",
    "snapshot_events": "what happened to snapshots, one row whenever a status changed",
    "timeline": "every number about a completed snapshot, its choices and its manual voters, one row each",
}


def snapshot_tables(store: Store, names: Collection[str], at: datetime | None = None) -> dict[str, pl.DataFrame]:
    """The snapshots of a store as tables that may be shown.

    Args:
        store: The store.
        names: Which of ``SNAPSHOT_TABLES``; the timeline reads every completed snapshot.
        at: What happened later is left out; nothing by default.
    """
    events = read_events(store)
    if at is not None:
        events = events.filter(pl.col("at") <= at)
    known = overview(events).reverse()
    frames = {"snapshots": public_events(known), "snapshot_events": public_events(events)}
    if "timeline" in names:
        rows = known.iter_rows(named=True)
        parts = [frame for row in rows for name, frame in _parts(store, row, False) if name == "timeline"]
        frames["timeline"] = pl.concat([pl.DataFrame(schema=TIMELINE), *parts])
    return {name: frames[name] for name in names}


def export_snapshot(store: Store, name: str, folder: str | Path) -> list[Path]:
    """Write one snapshot as an auditor needs it: CSV files, the tally, and the list of their SHA-256.

    In ``inputs/`` stand the frozen tables, which ``crowdvote count`` counts again, in ``result/`` what came out, in
    both ``snapshot.json``, which says what they are of and how they were counted. In each of them
    ``sha256sum -c SHA256SUMS`` checks the files, and ``sha256sum SHA256SUMS`` gives the hash that was published with
    the snapshot: public_hash and public_result_hash.

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.
        folder: Made if it is not there.

    Returns:
        The files.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: It cannot be read, or is not what it was.
        UnreadableFileError: The folder cannot be written to.
    """
    row = find_snapshot(store, name)
    _, state, result = read_public(store, row)
    head = {HEAD: json_bytes(read_inputs(store, row["snapshot_id"])[0].head())}
    parts = {"inputs": head | {f"{table}.csv": csv_bytes(frame) for table, frame in public_inputs(state).items()}}
    if result is not None:
        tables = {f"{table}.csv": csv_bytes(frame) for table, frame in result.tables.items()}
        parts["result"] = {**head, **tables, "tally.json": json_bytes(result.tally)}
    written = []
    try:
        for part, files in parts.items():
            beside = Path(folder) / row["snapshot_id"] / part
            beside.mkdir(parents=True, exist_ok=True)
            listing = "".join(f"{sha256(files[file])}  {file}\n" for file in sorted(files))
            for file, data in {**files, "SHA256SUMS": listing.encode()}.items():
                (beside / file).write_bytes(data)
                written.append(beside / file)
    except OSError as error:
        raise UnreadableFileError(f"{folder}: cannot be written ({reason(error)}).") from error
    return written


def export_snapshots(
    store: Store,
    folder: str | Path,
    format: Format,  # noqa: A002 - the word people know from the command line
    decision_id: str | None = None,
    *,
    everything: bool = False,
    progress: Callable[[int, int], None] | None = None,
    csv_safe: bool = False,
) -> dict[Path, int]:
    """Write all snapshots, one file a table, snapshot after snapshot.

    Written are ``snapshots`` (one row each), ``snapshot_events``, and ``timeline``: one row for every number that
    there is about a snapshot, its choices and its manual voters, ready to be drawn over time.

    Args:
        store: The store.
        folder: Made if it is not there; files of the same names are replaced, and removed in the other format.
        format: ``"parquet"`` or ``"csv"``.
        decision_id: Snapshots of one decision only.
        everything: Also write every table that was frozen, inputs and results, with the id of its snapshot.
        progress: Called with (snapshots done, snapshots in all).
        csv_safe: Guard texts in CSV files that a spreadsheet would run as formulas.

    Returns:
        How many rows were written, by file.

    Raises:
        UnreadableFileError: The folder cannot be written to.

    Warns:
        TableWarning: A completed snapshot is not what it was; only its row is written.
    """
    from crowdvote_analysis.snapshots.long_file import LongFile

    known = list_snapshots(store, decision_id).reverse()
    events = read_events(store).join(known.select("snapshot_id"), on="snapshot_id", how="semi")
    files: dict[str, LongFile] = {}

    def write(name: str, frame: pl.DataFrame) -> None:
        if name not in files:
            files[name] = LongFile(Path(folder) / f"{name}.{format}", csv_safe=csv_safe)
        files[name].append(frame)

    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        write("snapshots", public_events(known))
        write("snapshot_events", public_events(events))
        write("timeline", pl.DataFrame(schema=TIMELINE))
        for done, row in enumerate(known.iter_rows(named=True), start=1):
            for name, frame in _parts(store, row, everything):
                write(name, frame)
            if progress is not None:
                progress(done, len(known))
        written = {file.path: file.finish() for file in files.values()}
        for path in written:
            in_other_format(path).unlink(missing_ok=True)
        return written
    except OSError as error:
        raise UnreadableFileError(f"{folder}: cannot be written ({reason(error)}).") from error
    finally:
        for file in files.values():
            file.discard()


def read_public(store: Store, row: Mapping[str, Any]) -> tuple[Mapping[str, Any], SystemState, Result | None]:
    """A snapshot as it may be shown: its row, the frozen tables (under real ids), the result under public ids.

    Raises:
        SnapshotError: It is not what it was, or nothing was frozen.
    """
    found = open_snapshot(store, row, public=False)
    if found.state is None or found.problems:
        said = [f"snapshot {row['snapshot_id']} cannot be read:", *(found.problems or ["nothing was frozen"])]
        raise SnapshotError(redacted("\n".join(said)))
    return row, found.shown, None if found.result is None else public_result(found.shown, found.shown_result)


def timeline(row: Mapping[str, Any], result: Result) -> pl.DataFrame:
    """What there is to say about one snapshot over time, in the long form.

    Args:
        row: The snapshot; see ``list_snapshots``.
        result: Its result under public ids.

    Returns:
        snapshot_id, community_id, decision_id, timestamp, is_final, is_current (superseded by none), kind
        (``decision``, ``choice`` or ``member``), subject (an id), measure, value (DECIMAL(38,9)) or text. Members are
        those with a ballot by hand.
    """
    manual = result.tables["resolved_ballots"].filter(origin="manual").sort("member_id")
    of_member = manual.select("member_id", pl.col(_OF_MEMBER).cast(TIMELINE["value"])).unpivot(
        _OF_MEMBER, index="member_id", variable_name="measure", value_name="value"
    )
    members = of_member.select(
        pl.lit("member").alias("kind"), pl.col("member_id").alias("subject"), "measure", "value", text=pl.lit(None)
    )
    choices = _of_ratings(result).select(*_head(row), pl.all()).cast(TIMELINE)
    return pl.concat([_of_tally(row, result.tally), choices, members.select(*_head(row), pl.all()).cast(TIMELINE)])


def _of_ratings(result: Result) -> pl.DataFrame:
    """How many ballots rate each choice or leave it blank (K10)."""
    scores, decision_id = result.tally.get("scores", ()), result.tally["decision_id"]
    choices = pl.DataFrame(
        [(decision_id, score["choice_id"], place) for place, score in enumerate(scores)],
        schema={"decision_id": pl.String, "choice_id": pl.String, "position": pl.Int64},
        orient="row",
    )
    rated = ratings(Staged(result.tables["resolved_ballots"], result.tables["resolved_stars"], choices))
    rows = rated.with_columns(pl.col("average_rated").cast(pl.String)).to_dicts()
    numbers = [(row["choice_id"], name, row[name], None) for row in rows for name in RATED if row[name] is not None]
    return _long("choice", numbers)


def decision_timeline(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """What there is to say about some snapshots over time, without their members: no table of theirs is read.

    Args:
        store: The store.
        rows: Rows of ``list_snapshots``; those that are not completed are passed over.

    Returns:
        The rows of ``timeline`` whose kind is ``decision`` or ``choice``, and a column ``title``: that of a choice.

    Raises:
        SnapshotError: A result is missing, or is not what it was.
    """
    parts = [pl.DataFrame(schema={**TIMELINE, "title": pl.String()})]
    for row in rows.filter(status="completed").iter_rows(named=True):
        tally = read_document(store, row["snapshot_id"], "result", row["result_file"])["tally"]
        scores = tally.get("scores", ())
        titles = {score["choice_id"]: score["title"] for score in scores}
        title = pl.when(kind="choice").then(pl.col("subject").replace_strict(titles, default=None))
        parts.append(_of_tally(row, tally).with_columns(title=title.cast(pl.String)))
    return pl.concat(parts)


def _of_tally(row: Mapping[str, Any], tally: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of the timeline about a decision and its choices."""
    of_decision = [(row["decision_id"], name, row[name], None) for name in _OF_DECISION]
    of_decision += [(row["decision_id"], name, None, row[name]) for name in ("outcome", "winner")]
    of_choice = [
        (score["choice_id"], name, score[name], None) for score in tally.get("scores", ()) for name in _OF_CHOICE
    ]
    votes = (tally.get("runoff") or {}).get("votes") or {}
    of_choice += [(choice, "runoff_votes", number, None) for choice, number in votes.items()]
    frames = [_long("decision", of_decision), _long("choice", of_choice)]
    return pl.concat(frames).select(*_head(row), pl.all()).cast(TIMELINE)


def _parts(store: Store, row: Mapping[str, Any], everything: bool) -> Iterator[tuple[str, pl.DataFrame]]:
    """What is written of one snapshot; nothing of one that has no result."""
    if row["status"] != "completed":
        return
    try:
        row, state, result = read_public(store, row)
    except SnapshotError as error:
        warnings.warn(f"left out: {error}", TableWarning, stacklevel=3)
        return
    if result is None:
        return
    yield "timeline", timeline(row, result)
    if everything:
        frames = {**public_inputs(state), **result.tables}
        for name in (*TABLES, *RESULTS):
            yield name, frames[name].select(pl.lit(row["snapshot_id"]).alias("snapshot_id"), pl.all())


def _head(row: Mapping[str, Any]) -> list[pl.Expr]:
    known = {**row, "is_current": row["superseded_by"] is None}
    return [pl.lit(known[name], dtype=kind).alias(name) for name, kind in _HEAD.items()]


def _long(kind: str, rows: Sequence[tuple[str, str, Any, str | None]]) -> pl.DataFrame:
    """Rows of subject, measure, value and text; numbers are exact, as they came as text or whole numbers (D10)."""
    subject, measure, values, texts = zip(*rows, strict=True) if rows else ((), (), (), ())
    written = ["" if value is None else f"{value:.9f}" if isinstance(value, float) else str(value) for value in values]
    return pl.DataFrame(
        {
            "kind": pl.Series([kind] * len(rows), dtype=pl.String),
            "subject": pl.Series(subject, dtype=pl.String),
            "measure": pl.Series(measure, dtype=pl.String),
            "value": pl.Series(written, dtype=pl.String).replace("", None).cast(TIMELINE["value"]),
            "text": pl.Series(texts, dtype=pl.String),
        }
    )
