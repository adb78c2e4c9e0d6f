"""``crowdvote recompute``: count history again, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import err, noting, out, print_json, working
from crowdvote_analysis.cli.options import AsJson, CsvSafe, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store
from crowdvote_analysis.cli.times import instant

if TYPE_CHECKING:
    import polars as pl

NOT_CERTIFIED = 4


def recompute(
    store: StorePlace,
    everything: Annotated[bool, typer.Option("--all", help="Every snapshot of the store.")] = False,
    community: Annotated[
        str | None, typer.Option("--community", help="Snapshots of this community only.", show_default=False)
    ] = None,
    decision: Annotated[
        str | None, typer.Option("--decision", "-d", help="Snapshots of this decision only.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Snapshots of this time (UTC) and later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Snapshots of this time (UTC) and earlier.")
    ] = None,
    as_of: Annotated[
        list[str] | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="Count the decisions as they stood then (UTC), though no snapshot was taken; may be repeated.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path, typer.Option("--out", help="The report, .parquet or .csv. An interrupted run goes on where it was.")
    ] = Path("recompute.parquet"),
    full: Annotated[bool, typer.Option("--full", help="Share no work between snapshots.")] = False,
    with_history: Annotated[
        bool, typer.Option("--history", help="Also hold frozen tables against the commits of the store.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; one a core by default.", show_default=False)
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
    csv_safe: CsvSafe = False,
) -> None:
    """Count stored snapshots again on their frozen tables, and compare bit for bit.

    The report has one row a snapshot: certified, differs (and where), or cannot be recounted (and why). The exit
    code is 4 unless all are certified.

    Examples:
      crowdvote recompute mystore --all

      crowdvote recompute mystore -d village-green --since 2026-06-01 --out june.csv

      crowdvote recompute mystore --as-of "2026-06-15 12:00"
    """
    from crowdvote_analysis.snapshots import recompute as recompute_all
    from crowdvote_analysis.snapshots.report import Report

    if not (everything or community or decision or since or until or as_of):
        raise typer.BadParameter("say which snapshots: --all, --community, --decision, --since, --until or --as-of.")
    if to.suffix not in (".parquet", ".csv"):
        raise typer.BadParameter(f"{to.name} ends in neither .parquet nor .csv.", param_hint="--out")
    opened = open_store(store, storage)
    question = (str(opened.location), community, decision, since, until, as_of, full, with_history)
    with noting(), Report(to, question, csv_safe=csv_safe) as report:
        if len(report.done):
            err.print(f"{len(report.done):,} snapshots are in {report.unfinished} already.", markup=False)
        with working("Counting again") as advance:
            parts = recompute_all(
                opened,
                community_id=community,
                decision_id=decision,
                since=instant(since, "--since") if since else None,
                until=instant(until, "--until") if until else None,
                as_of=[instant(each, "--as-of") for each in as_of or ()],
                done=report.done,
                full=full,
                with_history=with_history,
                workers=workers,
                progress=advance,
            )
            for part in parts:
                report.add(part)
        found = report.finish()
    if as_json:
        print_json(_plain(found))
    else:
        from crowdvote_analysis.cli.show_snapshots import show_report

        show_report(found)
        out.print(f"{to}: {len(found):,} rows", markup=False)
    if not found["verdict"].is_in(["certified", "counted"]).all():
        raise typer.Exit(NOT_CERTIFIED)


def _plain(found: pl.DataFrame) -> list[dict[str, object]]:
    import polars.selectors as cs

    from crowdvote_analysis.store.export import CSV_TIME

    rows: list[dict[str, object]] = found.with_columns(cs.datetime(time_zone="*").dt.strftime(CSV_TIME)).to_dicts()
    return rows
