"""``crowdvote query``: SQL over the tables of a folder and their results."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.count import read_state, resolve_state
from crowdvote_analysis.cli.options import AsJson, CyclesOption

if TYPE_CHECKING:
    import polars as pl

    from crowdvote_analysis.state import SystemState


def query(
    sql: Annotated[
        str | None, typer.Argument(help="One SELECT statement; without it, the tables are listed.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", "-f", help="Folder with the tables; the demo communities by default."),
    ] = None,
    cycles: CyclesOption = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows to print.")] = 50,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write all rows to this .parquet or .csv file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the tables of a folder and their results in SQL (DuckDB), read-only.

    Anonymous members stand under pseudonyms. Results are counted when a query names one of their tables.

    Examples:
      crowdvote query "SELECT decision_id, winner, margin FROM tallies"

      crowdvote query "SELECT name, weight FROM resolved_ballots WHERE weight > 3 ORDER BY 2 DESC"
    """
    from crowdvote_analysis.bundled import demo_folder
    from crowdvote_analysis.store import export_tables
    from crowdvote_analysis.store import query as ask

    with noting():
        state = read_state(folder or demo_folder())
        if sql is None:
            _list_tables()
            return
        answer = ask(_frames(state, sql, cycles), sql)
    if to is not None:
        kind = to.suffix.lower().removeprefix(".")
        if kind not in ("parquet", "csv"):
            raise typer.BadParameter(f"{to.name} ends in neither .parquet nor .csv.", param_hint="--out")
        export_tables({to.stem: answer}, to.parent, "csv" if kind == "csv" else "parquet")
        out.print(f"{to}: {len(answer):,} rows", markup=False)
    elif as_json:
        print_json(_plain(answer))
    else:
        _print(answer, rows)


def _frames(state: SystemState, sql: str, cycles: CyclesOption) -> dict[str, pl.DataFrame]:
    from crowdvote_analysis.published import RESULT_TABLES, input_tables, result_tables

    frames = input_tables(state)
    # Counting is worth its time only if the question is about results; SHOW TABLES is about all of them.
    if re.search("|".join([*RESULT_TABLES, r"\bshow\b", "information_schema", "duckdb_"]), sql, flags=re.IGNORECASE):
        resolution = resolve_state(state, cycles=cycles)
        with working("Tallying") as advance:
            rule = cycles.value if cycles else None
            frames |= result_tables(state, resolution, progress=advance, cycles=rule)
    return frames


def _list_tables() -> None:
    from rich.table import Table

    from crowdvote_analysis.published import RESULT_TABLES
    from crowdvote_analysis.tables import TABLES, columns

    table = Table("Table", "What it holds", box=None, pad_edge=False)
    for name, contract in TABLES.items():
        table.add_row(f"[bold]{name}[/]", f"{(contract.__doc__ or '').strip()} [dim]{', '.join(columns(name))}[/]")
    for name, text in RESULT_TABLES.items():
        table.add_row(f"[bold]{name}[/]", text)
    out.print(table)
    out.print('Columns of one: crowdvote query "DESCRIBE resolved_ballots"', style="dim")


def _print(answer: pl.DataFrame, rows: int) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, kind in answer.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in answer.head(rows).iter_rows():
        table.add_row(*("" if value is None else _words(value) for value in row))
    out.print(table)
    if len(answer) > rows:
        out.print(f"{rows:,} of {len(answer):,} rows; --rows for more, --out for all.", style="dim")


def _words(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, list):
        return escape(", ".join(str(item) for item in value))
    if isinstance(value, Decimal):
        return f"{value:f}"  # str would write a zero of 18 places as 0E-18
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))


def _plain(answer: pl.DataFrame) -> list[dict[str, object]]:
    """Values that JSON knows; decimals and times as text (D10)."""
    import polars as pl

    texts = pl.selectors.decimal() | pl.selectors.temporal()
    return answer.with_columns(texts.cast(pl.String)).to_dicts()
