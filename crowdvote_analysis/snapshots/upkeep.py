"""Looking after snapshots: find what is stuck, corrupted or failed, and try again (S6, S7)."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import BusyError, CrowdVoteError, SnapshotError, StoreError, UnreadableFileError
from crowdvote_analysis.snapshots.check import FOLDER, check_store
from crowdvote_analysis.snapshots.events import FAILED, RUNNING, append_event, find_snapshot, list_snapshots
from crowdvote_analysis.snapshots.inputs import Options
from crowdvote_analysis.snapshots.lifecycle import (
    STOPPED,
    calculating,
    capture,
    is_calculating,
    mark_stopped,
    stage,
    take_snapshot,
    tally,
)
from crowdvote_analysis.snapshots.verify import Cache, open_snapshot
from crowdvote_analysis.store.closing import ends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from crowdvote_analysis.store.store import Store

MOST_RETRIES = 3
COOLING = timedelta(minutes=30)
SLOW = timedelta(hours=1)
STUCK = timedelta(hours=2)

_TOO_MUCH = r"\(rule Y3\b"  # as CyclicCoreTooLarge says it, and said it before there was auto
_BY_HAND = "marked by hand: "
_NO_EVENTS = "there are files of it, and no events: events were removed"

FINDINGS = pl.Schema(
    {
        "snapshot_id": pl.String(),
        "decision_id": pl.String(),
        "status": pl.String(),
        "finding": pl.String(),
        "problem": pl.String(),
    }
)
RECOVERED = pl.Schema(
    {
        "snapshot_id": pl.String(),
        "decision_id": pl.String(),
        "was": pl.String(),
        "status": pl.String(),
        "new_snapshot_id": pl.String(),
        "error": pl.String(),
    }
)


def validate(
    store: Store, snapshot_id: str | None = None, progress: Callable[[int, int], None] | None = None
) -> pl.DataFrame:
    """Check the files and hashes of all snapshots, and mark what is corrupted or stuck (S7).

    Args:
        store: The store.
        snapshot_id: One snapshot; all by default.
        progress: Called with (snapshots done, snapshots in all).

    Returns:
        One row a snapshot and finding, newest first: snapshot_id, decision_id, status (after validation), finding
        (``ok``, ``warning``, ``failed`` or ``corrupted``) and problem (null where there is none). Where all snapshots
        are checked, what is wrong with files of the store comes first, without a snapshot. A snapshot is
        corrupted where a file or hash is not what it was, where there are files of it and no events (these come first,
        without a decision). One whose process ended without a word is marked as failed, at once where one machine keeps
        the store; on object storage, where another machine may be at it, it is warned of after an hour and corrupted
        after two. What was put right again is completed again.
    """
    rows = _rows(store, snapshot_id)
    found: list[tuple[str | None, ...]] = []
    cache = Cache()
    if snapshot_id is None:
        found += [(None, None, None, "corrupted", f"{file}: {meaning}") for file, meaning in _wrong_files(store)]
        found += [(name, None, "corrupted", "corrupted", _NO_EVENTS) for name in without_events(store)]
    for done, row in enumerate(rows, start=1):
        found += [(row["snapshot_id"], row["decision_id"], *finding) for finding in _findings(store, row, cache)]
        if progress is not None:
            progress(done, len(rows))
    return pl.DataFrame(found, schema=FINDINGS, orient="row")


def mark_corrupted(store: Store, name: str, reason: str) -> dict[str, Any]:
    """Mark a snapshot as corrupted by hand (S4); it stays so, whatever its files say.

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.
        reason: Why, in a few words; it is kept, and shown to others.

    Returns:
        What there is to say about it; see ``list_snapshots``.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: There is no reason, or it is calculated at the moment.
    """
    row = find_snapshot(store, name)
    if not reason.strip():
        raise SnapshotError("A reason is needed: it is what others will read.")
    if row["status"] in RUNNING:
        raise SnapshotError(f"snapshot {row['snapshot_id']} is {row['status']}: wait until it is done.")
    append_event(store, row["snapshot_id"], "corrupted", store.clock(), error=f"{_BY_HAND}{reason.strip()}")
    return find_snapshot(store, row["snapshot_id"])


def recover(
    store: Store,
    snapshot: str | None = None,
    *,
    cooling: timedelta = COOLING,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Try again where a calculation failed, at the step that failed and on the same frozen tables (S6).

    A failed capture is captured anew; the failed one stays and is superseded. A calculation whose process ended
    without a word counts as failed at the step it was at. Decisions that are over and have no final snapshot get
    it now, of the instant at which they ended (S10).

    Args:
        store: The store.
        snapshot: This one only: its id, the first letters of it, or ``latest``.
        cooling: How long ago the last error has to be.
        progress: Called with (snapshots done, snapshots in all).

    Returns:
        One row for every snapshot that was tried again: snapshot_id, decision_id, was (its status before), status,
        new_snapshot_id (where the capture had failed, or there was no snapshot: ``was`` is closed then), and error
        (null where it went well).
    """
    waiting = [row for row in _rows(store, snapshot) if _may_be_recovered(store, row, cooling)]
    tried: list[tuple[str | None, ...]] = []
    for done, row in enumerate(waiting, start=1):
        outcome = _recovered(store, row, cooling)
        if outcome is not None:
            tried.append((row["snapshot_id"], row["decision_id"], row["status"], *outcome))
        if progress is not None:
            progress(done, len(waiting))
    lacking = without_final(store, list_snapshots(store)) if snapshot is None else []
    tried += [_final(store, decision_id) for decision_id in lacking]
    return pl.DataFrame(tried, schema=RECOVERED, orient="row")


def health(store: Store) -> dict[str, Any]:
    """How the snapshots of a store are (S7).

    Returns:
        status (``healthy`` where nothing unresolved is failed, corrupted or stuck, else ``degraded``), snapshots (how
        many), statuses (how many in each), stuck (how many were begun, and nobody calculates them), and unresolved:
        snapshot_id, decision_id, status, since, last_error of what is failed, corrupted or stuck and superseded by
        nothing. A later result of the same decision resolves what
        failed or is stuck, not a result that is corrupted. Beside them without_events (ids of snapshots that there are
        files of, and no events), without_final (decisions that were closed, or whose time is over, and that have no
        final snapshot), refused_by_path (community_id, decisions: whose newest snapshot failed because the rule
        ``path`` takes too much work, Y3; stores made before ``auto`` hold that rule though nobody may have chosen it)
        and files (of the store that are not what was written: file, meaning; of data files the size alone counts).
    """
    known, now = list_snapshots(store), store.clock()
    overtaken = _is_overtaken()
    failed = pl.col("status").is_in([*FAILED.values()])
    begun = known.filter(pl.col("status").is_in([*RUNNING, "ready"]))
    stopped = [row["snapshot_id"] for row in begun.iter_rows(named=True) if _is_stuck(store, row, now)]
    stuck = pl.col("snapshot_id").is_in(stopped)
    lost = (pl.col("status") == "corrupted") & (pl.col("result_hash").is_not_null() | ~overtaken)
    bad = known.filter(pl.col("superseded_by").is_null() & (lost | ((failed | stuck) & ~overtaken)))
    counts = known.group_by("status").len().sort("status")
    without, wrong = without_events(store), _wrong_files(store, deep=False)
    unfinished: list[str] = []
    with suppress(StoreError) if wrong else nullcontext():
        unfinished = without_final(store, known)
    return {
        "status": "degraded" if len(bad) or without or unfinished or wrong else "healthy",
        "snapshots": len(known),
        "statuses": dict(counts.iter_rows()),
        "stuck": len(stopped),
        "unresolved": bad.select("snapshot_id", "decision_id", "status", "last_error", since="status_at").to_dicts(),
        "without_events": without,
        "without_final": unfinished,
        "refused_by_path": _refused_by_path(known),
        "files": [{"file": file, "meaning": meaning} for file, meaning in wrong],
    }


def _on_one_machine(store: Store) -> bool:
    """Whether nobody but processes of this machine can be calculating."""
    return store.location.folder is not None


def _is_stuck(store: Store, row: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody calculates a snapshot that was begun; on object storage only time can tell."""
    if not _on_one_machine(store):
        return bool(row["status_at"] < now - SLOW)
    try:
        return not is_calculating(store, row["decision_id"])
    except UnreadableFileError:  # whoever may only read cannot take a turn
        return bool(row["status_at"] < now - SLOW)


def _wrong_files(store: Store, *, deep: bool = True) -> list[tuple[str, str]]:
    """Files of the store that are not what was written, but for those that ``open_snapshot`` looks at."""
    found = check_store(store, deep=deep).filter(pl.col("finding") != "note", ~pl.col("file").str.starts_with(FOLDER))
    return list(found.select("file", "meaning").iter_rows())


def without_events(store: Store) -> list[str]:
    """Ids of snapshots that there are files of, and no events: somebody has removed events."""
    folders = store.location.files.list_with_delimiter("snapshots")["common_prefixes"]
    names = {folder.rstrip("/").rpartition("/")[2] for folder in folders} - {"objects"}
    return sorted(names - set(list_snapshots(store)["snapshot_id"]))


def _refused_by_path(known: pl.DataFrame) -> list[dict[str, Any]]:
    """The decisions by community whose newest snapshot took too much work, as its error says."""
    newest = known.unique("decision_id", keep="first", maintain_order=True)
    refused = newest.filter(pl.col("status").is_in([*FAILED.values()]), pl.col("last_error").str.contains(_TOO_MUCH))
    return refused.group_by("community_id").agg(decisions=pl.col("decision_id").sort()).sort("community_id").to_dicts()


def _is_overtaken() -> pl.Expr:
    """Whether a result of the same decision was begun later, where the last one begun stands first."""
    before = (pl.col("status") == "completed").cum_sum().shift(1, fill_value=0)
    return before.over("decision_id") > 0


def without_final(store: Store, known: pl.DataFrame | None = None) -> list[str]:
    """Decisions with stars that are over and have no final snapshot, not even one that failed (S3, S10).

    Args:
        store: The store.
        known: Its snapshots; read by default.
    """
    known = list_snapshots(store) if known is None else known
    over = ends(store.cut(), store.clock()).filter(pl.col("status") != "cancelled", method="star")
    final = known.filter("is_final").select("decision_id")
    return over.join(final, on="decision_id", how="anti")["decision_id"].sort().to_list()


def _rows(store: Store, snapshot_id: str | None = None) -> list[dict[str, Any]]:
    return list_snapshots(store).to_dicts() if snapshot_id is None else [find_snapshot(store, snapshot_id)]


# --- validating ----------------------------------------------------------------------------------------------------


def _findings(store: Store, row: Mapping[str, Any], cache: Cache) -> list[tuple[str, str, str | None]]:
    """What there is to say about a snapshot: status, finding, problem."""
    status = row["status"]
    if status in (*RUNNING, "ready") and _on_one_machine(store):
        # Where events were removed nothing is recorded behind them: that is found with the files.
        with suppress(BusyError, StoreError), calculating(store, row["decision_id"]):
            mark_stopped(store, row["decision_id"])
        row = find_snapshot(store, row["snapshot_id"])
        status = row["status"]
    if status in FAILED.values():
        return [(status, "failed", row["last_error"])]
    if status == "corrupted":
        return [_restored(store, row, cache)]
    age = store.clock() - row["status_at"]
    if status in RUNNING and age > SLOW and not is_calculating(store, row["decision_id"]):
        hours = age / timedelta(hours=1)
        problem = f"has been {status} for {hours:.1f} hours, and no process calculates it"
        if age > STUCK:
            return [_mark(store, row, problem)]
        return [(status, "warning", f"{problem}; crowdvote snapshot recover tries again")]
    if status in RUNNING:
        return [(status, "ok", None)]
    found = open_snapshot(store, row, cache, public=False)
    if found.problems:
        return [_mark(store, row, "\n".join(found.problems))]
    strangers = _strangers(found)
    return [(status, "warning", strangers)] if strangers else [(status, "ok", None)]


def _restored(store: Store, row: Mapping[str, Any], cache: Cache) -> tuple[str, str, str | None]:
    """Whether somebody has put right what was corrupted; then it is completed again."""
    if (row["last_error"] or "").startswith(_BY_HAND):
        return "corrupted", "corrupted", row["last_error"]
    found = open_snapshot(store, {**row, "status": "completed"}, cache, public=False)
    if found.problems or found.result is None:
        return "corrupted", "corrupted", row["last_error"]
    append_event(store, row["snapshot_id"], "completed", store.clock())
    return "completed", "ok", None


def _mark(store: Store, row: Mapping[str, Any], problem: str) -> tuple[str, str, str]:
    append_event(store, row["snapshot_id"], "corrupted", store.clock(), error=problem)
    return "corrupted", "corrupted", problem


def _strangers(found: Any) -> str | None:
    """Say that somebody follows who is no member (S7); nobody is named."""
    state = found.state
    members = state.members.select("member_id")
    lost = sum(
        len(state.followings.join(members, left_on=role, right_on="member_id", how="anti"))
        for role in ("follower_id", "followee_id")
    )
    return f"{lost} followings are of somebody who is not a member (D6)" if lost else None


# --- recovering ----------------------------------------------------------------------------------------------------


def _may_be_recovered(store: Store, row: Mapping[str, Any], cooling: timedelta) -> bool:
    waiting = row["status"] in (*FAILED.values(), *RUNNING, "ready")
    if row["status"] in ("failed_snapshot", "creating") and _overtaken(store, row):
        return False  # captured anew it would be of now, and there is a later one
    tries_left = (row["retry_count"] or 0) < MOST_RETRIES
    cooled = store.clock() - row["status_at"] >= cooling
    return waiting and tries_left and cooled and row["superseded_by"] is None


def _final(store: Store, decision_id: str) -> tuple[str | None, ...]:
    """Take the final snapshot of a closed decision: a row of what was tried."""
    try:
        row = take_snapshot(store, decision_id, trigger="recover", wait=0)
    except CrowdVoteError as error:
        return None, decision_id, "closed", "closed", None, str(error)
    return None, decision_id, "closed", row["status"], row["snapshot_id"], None


def _overtaken(store: Store, row: Mapping[str, Any]) -> bool:
    """Whether there is a later result of the same decision."""
    known = list_snapshots(store, row["decision_id"]).with_columns(overtaken=_is_overtaken())
    return bool(known.filter(snapshot_id=row["snapshot_id"])["overtaken"].item())


def _recovered(store: Store, row: Mapping[str, Any], cooling: timedelta) -> tuple[str, str | None, str | None] | None:
    """Try one again: its status, the id of a new snapshot, the error; none where somebody else was faster."""
    snapshot_id, decision_id = row["snapshot_id"], row["decision_id"]
    new = None
    try:
        with calculating(store, decision_id):
            row = find_snapshot(store, snapshot_id)
            if not _may_be_recovered(store, row, cooling):
                return None
            status = row["status"]
            if status in RUNNING:
                append_event(store, snapshot_id, FAILED[status], store.clock(), error=STOPPED)
                status = FAILED[status]
            count = (row["retry_count"] or 0) + 1
            if status == "failed_snapshot":
                options = replace(Options.of(parse_json(row["options"])), voting_time=True)
                new = capture(store, decision_id, options, "recover", snapshot_id, count)
            name = new or snapshot_id
            if status != "failed_tallying":
                stage(store, name, retry_count=count)
            tally(store, name, count, begun=status != "failed_tallying")
    except BusyError:
        return None
    except CrowdVoteError as error:
        return find_snapshot(store, snapshot_id)["status"], new, str(error)
    return find_snapshot(store, name)["status"], new, None
