"""``crowdvote snapshot``: freeze and count decisions of a store, and look after what was frozen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, public_row, working
from crowdvote_analysis.cli.options import (
    AsJson,
    CsvSafe,
    CyclesOption,
    FileFormat,
    Protocol,
    Protocols,
    SnapshotName,
    StorageOptions,
    StorePlace,
    TieOrders,
    WorkLimit,
    read_tie_orders,
)
from crowdvote_analysis.cli.reading import open_store
from crowdvote_analysis.cli.snapshot_upkeep import health, mark, recover, validate, verify
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from crowdvote_analysis.store.store import Store

app = typer.Typer(
    no_args_is_help=True,
    help="Freeze and count decisions of a store; prove that a result is right.\n\nA snapshot is everything that counts "
    "at one instant, frozen before anything is calculated, with the result and the hashes of both. "
    "Start with [bold]crowdvote snapshot take STORE -d DECISION[/].",
    epilog="Exit codes: 0 done, 1 error, 2 wrong use, 4 something is failed, corrupted or not what it was.",
)

DecisionId = Annotated[str, typer.Option("--decision", "-d", help="The decision.", show_default=False)]
OneDecision = Annotated[
    str | None, typer.Option("--decision", "-d", help="Snapshots of this decision only.", show_default=False)
]


@app.command()
def take(
    store: StorePlace,
    decision: DecisionId,
    cycles: CyclesOption = None,
    protocol: Protocol = Protocols.starvote,
    tie_orders: TieOrders = None,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="Put this in the place of the final snapshot of a closed decision.")
    ] = False,
    later: Annotated[
        str | None,
        typer.Option(
            "--with-later",
            metavar="REASON",
            help="Count what was recorded since the decision was closed as well, and say why; with --supersede.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait while somebody else calculates this decision.")
    ] = 60.0,
    work_limit: WorkLimit = WORK_LIMIT,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a decision and count it: as it is now while it is open, else as it was when it was closed.

    While the decision is open the result is interim, afterwards final. Others may go on voting meanwhile. A draft is
    not counted.

    Examples:
      crowdvote snapshot take mystore -d village-green

      crowdvote snapshot take mystore -d bench-colour --tie-order "bench-colour: green, blue" --supersede

      crowdvote snapshot take mystore -d village-green --supersede --with-later "two ballots handed in on paper"
    """
    from crowdvote_analysis.snapshots import take_snapshot

    orders = read_tie_orders(tie_orders)
    if set(orders) - {decision}:
        raise typer.BadParameter(f"the order is for another decision than {decision!r}.", param_hint="--tie-order")
    if later is not None and not (supersede and later.strip()):
        raise typer.BadParameter("needs a reason, and --supersede.", param_hint="--with-later")
    opened = open_store(store, storage)
    with noting(), working("Counting") as advance:
        row = take_snapshot(
            opened,
            decision,
            cycles=cycles.value if cycles else None,
            protocol=protocol.value,
            tie_order=orders.get(decision, ()),
            work_limit=work_limit,
            supersede=supersede,
            later=later,
            wait=wait,
            progress=advance,
        )
    if as_json:
        print_json(public_row(row))
    else:
        _show(opened, row)


@app.command(name="list")
def list_(
    store: StorePlace,
    decision: OneDecision = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Snapshots to print.")] = 25,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """List the snapshots of a store, newest first.

    Example:
      crowdvote snapshot list mystore -d village-green
    """
    from crowdvote_analysis.cli.show_snapshots import show_list
    from crowdvote_analysis.snapshots import list_snapshots

    known = list_snapshots(open_store(store, storage), decision)
    if as_json:
        print_json([public_row(row) for row in known.iter_rows(named=True)])
    else:
        show_list(known, rows)


@app.command()
def show(
    store: StorePlace,
    snapshot: SnapshotName = "latest",
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth", min=0, help="Levels of followings in the trees of the JSON document.", show_default=False
        ),
    ] = None,
    storage: StorageOptions = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the snapshot document: every ballot, every tree, the tally, for programs."),
    ] = False,
) -> None:
    """Show one snapshot: what it is of, who won, every step of the tally, and its hashes.

    Examples:
      crowdvote snapshot show mystore

      crowdvote snapshot show mystore 20260615T1200 --json > snapshot.json
    """
    from crowdvote_analysis.snapshots import find_snapshot

    opened = open_store(store, storage)
    row = find_snapshot(opened, snapshot)
    if not as_json:
        _show(opened, row)
        return
    from crowdvote_analysis.snapshots import snapshot_document

    with noting(), working("Counting") as advance:
        pieces = snapshot_document(opened, row["snapshot_id"], depth=depth, progress=advance)
    for piece in pieces:
        sys.stdout.write(piece)


@app.command()
def export(
    store: StorePlace,
    to: Annotated[Path, typer.Option("--out", help="Folder to write to.", show_default=False)],
    snapshot: Annotated[
        str | None,
        typer.Argument(metavar="SNAPSHOT", help="One snapshot, for an auditor; all of them by default."),
    ] = None,
    decision: OneDecision = None,
    format: Annotated[FileFormat, typer.Option("--format", help="Format of the files.")] = FileFormat.parquet,  # noqa: A002
    everything: Annotated[
        bool, typer.Option("--everything", help="Also every table that was frozen, inputs and results.")
    ] = False,
    storage: StorageOptions = None,
    csv_safe: CsvSafe = False,
) -> None:
    """Write one snapshot for an auditor, or all of them over time for analysis.

    One snapshot becomes CSV files with their SHA-256, so that anybody can check them against the published hashes
    and count them again. All of them become one file a table: snapshots, snapshot_events, and timeline, which has one
    row for every number about a snapshot, its choices and its voters. Anonymous members stand under pseudonyms.

    Examples:
      crowdvote snapshot export mystore latest --out audit

      crowdvote snapshot export mystore --out history --format csv
    """
    from crowdvote_analysis.snapshots import export_snapshot, export_snapshots

    opened = open_store(store, storage)
    with noting():
        if snapshot is not None:
            if csv_safe:
                raise typer.BadParameter(
                    "the files for an auditor are written as their hashes say.", param_hint="--csv-safe"
                )
            if everything or decision is not None:
                raise typer.BadParameter("one snapshot is written whole.", param_hint="--everything, --decision")
            for path in export_snapshot(opened, snapshot, to):
                out.print(str(path), markup=False, soft_wrap=True)
            return
        with working("Writing snapshots") as advance:
            written = export_snapshots(
                opened, to, format.value, decision, everything=everything, progress=advance, csv_safe=csv_safe
            )
    for path, number in written.items():
        out.print(f"{path} ({number:,})", markup=False, soft_wrap=True)


def _show(store: Store, row: dict[str, Any]) -> None:
    from crowdvote_analysis.cli.show_snapshots import show_snapshot
    from crowdvote_analysis.snapshots import read_events, read_result

    log, loops, trace = (), [], None
    if row["status"].startswith("failed"):
        traces: list[str] = read_events(store, row["snapshot_id"])["trace"].drop_nulls().to_list()
        trace = traces[-1] if traces else ""
    if row["status"] == "completed":
        log, loops = read_result(store, row["snapshot_id"]).tally.get("log", ()), _loops(store, row["snapshot_id"])
    show_snapshot(public_row(row), log, loops, trace)


def _loops(store: Store, snapshot_id: str) -> list[str]:
    """What a final snapshot says of its loops (Y6)."""
    from crowdvote_analysis.snapshots import loops_in_words, read_inputs, read_loops

    loops = read_loops(store, snapshot_id)
    if loops is None:
        return []
    choices = read_inputs(store, snapshot_id)[1].choices
    return loops_in_words(loops, dict(choices.select("choice_id", "title").drop_nulls().iter_rows()))


for command in (verify, validate, recover, mark, health):
    app.command()(command)
