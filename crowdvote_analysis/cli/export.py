"""``crowdvote export``: the results of a folder as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import err, noting, out, working
from crowdvote_analysis.cli.count import resolve_state, tell_refused
from crowdvote_analysis.cli.options import (
    AsOf,
    CsvSafe,
    CyclesOption,
    Decisions,
    FileFormat,
    Folder,
    Protocol,
    Protocols,
    Quarantine,
    StorageOptions,
    TieOrders,
    WorkLimit,
    read_tie_orders,
)
from crowdvote_analysis.cli.reading import holds_store, read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.limits import WORK_LIMIT


@about_sheets
def export(
    folder: Folder,
    format: Annotated[FileFormat, typer.Option("--format", help="Format of the files.")] = FileFormat.parquet,  # noqa: A002
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder to write to; FOLDER/results by default, needed for a store.", show_default=False
        ),
    ] = None,
    decision: Decisions = None,
    cycles: CyclesOption = None,
    protocol: Protocol = Protocols.starvote,
    tie_orders: TieOrders = None,
    quarantine: Quarantine = False,
    work_limit: WorkLimit = WORK_LIMIT,
    as_of: AsOf = None,
    storage: StorageOptions = None,
    csv_safe: CsvSafe = False,
    *,
    sheets: Sheets,
) -> None:
    """Count a folder and write the results as Parquet or CSV files.

    Written are communities, members, decisions and choices as they were counted, and resolved_ballots, resolved_stars,
    sources, score_shares, stats, tallies, scores, histogram, preferences, steps, runoff_shares and yes_no_outcomes
    (docs/tables.md). Anonymous members stand under pseudonyms. Files of an earlier export in the other format are
    removed. A decision whose loops take too much work for the rule path is left out, and a table refused says why; the
    exit code is then 1.
    """
    from crowdvote_analysis.published import input_tables, result_tables
    from crowdvote_analysis.store import export_tables
    from crowdvote_analysis.store.export import in_other_format

    if to is None and holds_store(folder, storage):
        raise typer.BadParameter("is needed: a store holds nothing but itself.", param_hint="--out")
    to = to or Path(folder) / "results"
    if to.resolve() == Path(folder).resolve():
        raise typer.BadParameter("the results would replace the tables they are made from.", param_hint="--out")
    _refuse_tables(to)
    with noting():
        state = read_state(folder, quarantine, as_of, storage, sheets)
        resolution = resolve_state(state, decision, cycles, work_limit, on_refusal="report")
        with working("Tallying") as advance:
            frames = {name: frame for name, frame in input_tables(state).items() if name in _ALONG}
            rule = cycles.value if cycles else None
            orders = read_tie_orders(tie_orders)
            frames |= result_tables(state, resolution, protocol.value, orders, advance, rule, work_limit)
            frames |= {"refused": resolution.refused} if len(resolution.refused) else {}
        for earlier in FileFormat:  # or what was refused before would seem to be so still
            (to / f"refused.{earlier.value}").unlink(missing_ok=True)
        others = [path for name in frames for path in [in_other_format(to / f"{name}.{format.value}")] if path.exists()]
        with working("Writing files") as advance:
            paths = export_tables(frames, to, format.value, advance, csv_safe=csv_safe, instead=True)
    for path in paths:
        out.print(f"{path} ({len(frames[path.stem]):,})", markup=False)
    if others:
        err.print(f"Removed: {len(others):,} files of an earlier export as {others[0].suffix[1:]}.", markup=False)
    tell_refused(resolution)


def _refuse_tables(to: Path) -> None:
    """Results are not written among tables of somebody, some of which they would replace and some not."""
    from crowdvote_analysis.tables import TABLES

    for table in TABLES:
        for path in (to / f"{table}.csv", to / f"{table}.parquet") if table not in _ALONG else ():
            if path.exists():
                raise typer.BadParameter(f"{to} holds tables ({path.name}). Take another folder.", param_hint="--out")


_ALONG = ("communities", "members", "decisions", "choices")
