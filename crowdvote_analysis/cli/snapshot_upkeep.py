"""``crowdvote snapshot verify``, ``validate``, ``recover`` and ``health``: looking after what was frozen."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, plain, print_json, public_row, working
from crowdvote_analysis.cli.options import AsJson, SnapshotName, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store

NOT_AS_IT_WAS = 4


def verify(
    store: StorePlace,
    snapshot: SnapshotName = "latest",
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Prove a snapshot: check every byte, hold it against the history of the store, count it again.

    Nothing is written. Whatever is not as it was is named; the exit code is then 4.

    Example:
      crowdvote snapshot verify mystore 20260615T1200
    """
    from crowdvote_analysis.cli.show_snapshots import show_checks
    from crowdvote_analysis.snapshots import verify_snapshot

    with noting(), working("Counting again") as advance:
        found = verify_snapshot(open_store(store, storage), snapshot, advance)
    if as_json:
        document = {"snapshot_id": found.snapshot_id, "certified": found.certified, "checks": found.checks.to_dicts()}
        print_json(document)
    else:
        show_checks(found)
    if not found.certified:
        raise typer.Exit(NOT_AS_IT_WAS)


def validate(
    store: StorePlace,
    snapshot: Annotated[
        str | None, typer.Argument(metavar="SNAPSHOT", help="One snapshot; all by default.", show_default=False)
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Check the files and hashes of all snapshots; mark what is corrupted, warn of what is stuck.

    It does not count again: [bold]crowdvote recompute[/] does.

    Example:
      crowdvote snapshot validate mystore
    """
    from crowdvote_analysis.cli.show_snapshots import show_findings
    from crowdvote_analysis.snapshots import validate as validate_all

    with noting(), working("Checking files") as advance:
        found = validate_all(open_store(store, storage), snapshot, advance)
    if as_json:
        print_json(found.to_dicts())
    else:
        show_findings(found)
    if not found["finding"].is_in(["ok", "warning"]).all():
        raise typer.Exit(NOT_AS_IT_WAS)


def recover(
    store: StorePlace,
    snapshot: Annotated[
        str | None,
        typer.Argument(metavar="SNAPSHOT", help="One snapshot; all, and finals, by default.", show_default=False),
    ] = None,
    cooling: Annotated[
        float, typer.Option("--cooling", min=0, help="Minutes that must have passed since the last error.")
    ] = 30.0,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Try again what failed, at the step that failed and on the same frozen tables; three times at most.

    Examples:
      crowdvote snapshot recover mystore

      crowdvote snapshot recover mystore 20260615T1200 --cooling 0
    """
    from datetime import timedelta

    from crowdvote_analysis.cli.show_snapshots import show_recovered
    from crowdvote_analysis.snapshots import recover as recover_all

    with noting(), working("Trying again") as advance:
        tried = recover_all(open_store(store, storage), snapshot, cooling=timedelta(minutes=cooling), progress=advance)
    if as_json:
        print_json(tried.to_dicts())
    else:
        show_recovered(tried)
    if not (tried["status"] == "completed").all():
        raise typer.Exit(NOT_AS_IT_WAS)


def mark(
    store: StorePlace,
    snapshot: SnapshotName,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a few words: others read it.", show_default=False)],
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Mark a snapshot as corrupted by hand; nothing takes that back, and no file is touched.

    Example:
      crowdvote snapshot mark mystore 20260615T1200 --reason "taken from a copy of the store"
    """
    from crowdvote_analysis.snapshots import mark_corrupted

    row = mark_corrupted(open_store(store, storage), snapshot, reason)
    if as_json:
        print_json(public_row(row))
    else:
        out.print(f"Snapshot {row['snapshot_id']} is marked as corrupted.", markup=False)


def health(store: StorePlace, storage: StorageOptions = None, as_json: AsJson = False) -> None:
    """Say whether something is failed, corrupted or stuck; the exit code is then 4.

    Example:
      crowdvote snapshot health mystore
    """
    from crowdvote_analysis.cli.show_snapshots import show_health
    from crowdvote_analysis.snapshots import health as health_of

    found = health_of(open_store(store, storage))
    if as_json:
        print_json(plain(found))
    else:
        show_health(found)
    if found["status"] != "healthy":
        raise typer.Exit(NOT_AS_IT_WAS)
