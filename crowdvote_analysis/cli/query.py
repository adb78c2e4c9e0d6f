"""``crowdvote query``: SQL over the tables of a folder and their results."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.count import resolve_state
from crowdvote_analysis.cli.options import AsJson, AsOf, CsvSafe, CyclesOption, StorageOptions
from crowdvote_analysis.cli.reading import read_cut, read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.cli.times import instant

if TYPE_CHECKING:
    import polars as pl

    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.cut import Cut


@about_sheets
def query(
    sql: Annotated[
        str | None, typer.Argument(help="One SELECT statement; without it, the tables are listed.", show_default=False)
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option("--folder", "-f", help="Folder with the tables, or a store; the demo communities by default."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="NAME=VALUE",
            help="A text for $NAME in the statement, bound and never pasted; may be repeated. Numbers: $NAME::INT.",
            show_default=False,
        ),
    ] = None,
    as_of: AsOf = None,
    storage: StorageOptions = None,
    cycles: CyclesOption = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows to print.")] = 50,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write all rows to this .parquet or .csv file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    csv_safe: CsvSafe = False,
    *,
    sheets: Sheets,
) -> None:
    """Ask the tables of a folder and their results in SQL (DuckDB), read-only.

    Anonymous members stand under pseudonyms. Results are counted when a query names one of their tables. A store also
    has the tables commits, members_history, followings_history, decisions_history, ballots_history, votes_history and
    yes_no_votes_history: all that was ever recorded, up to [bold]--as-of[/]; and of its snapshots the tables
    snapshots, snapshot_events and timeline.

    Examples:
      crowdvote query "SELECT decision_id, winner, margin FROM tallies"

      crowdvote query "SELECT name, weight FROM resolved_ballots WHERE weight > 3 ORDER BY 2 DESC"

      crowdvote query -f mystore 'SELECT * FROM votes WHERE choice_id = $choice' --param choice=Pond

      crowdvote query -f mystore "SELECT seq, action, tags FROM ballots_history ORDER BY seq" --as-of '2026-06-15 12:00'
    """
    from crowdvote_analysis.bundled import demo_folder
    from crowdvote_analysis.store import export_tables
    from crowdvote_analysis.store import query as ask
    from crowdvote_analysis.store.past import past_tables
    from crowdvote_analysis.store.query import require_flat

    with noting():
        folder = folder or str(demo_folder())
        cut = read_cut(folder, as_of, storage)
        if sql is None:
            _list_tables(in_store=cut is not None)
            return
        state = read_state(folder, sheets=sheets) if cut is None else cut.state()
        frames = _frames(state, sql, cycles)
        if cut is not None and re.search(rf"_history\b|\bcommits\b|{_ABOUT_TABLES}", sql, flags=re.IGNORECASE):
            frames |= past_tables(cut, state)
        if cut is not None:
            frames |= _snapshots(cut, sql, as_of)
        answer = ask(frames, sql, _parameters(param))
    if to is not None:
        kind = to.suffix.lower().removeprefix(".")
        if kind not in ("parquet", "csv"):
            raise typer.BadParameter(f"{to.name} ends in neither .parquet nor .csv.", param_hint="--out")
        if kind == "csv":
            require_flat(answer)
        export_tables({to.stem: answer}, to.parent, "csv" if kind == "csv" else "parquet", csv_safe=csv_safe)
        out.print(f"{to}: {len(answer):,} rows", markup=False)
    elif as_json:
        print_json(_plain(answer))
    else:
        _print(answer, rows)


# A question about the tables there are.
_ABOUT_TABLES = r"\bshow\b|information_schema|duckdb_"


def _parameters(written: list[str] | None) -> dict[str, str]:
    parameters = {}
    for text in written or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise typer.BadParameter(f"{text!r} is not written NAME=VALUE.", param_hint="--param")
        parameters[name.strip()] = value
    return parameters


def _frames(state: SystemState, sql: str, cycles: CyclesOption) -> dict[str, pl.DataFrame]:
    from crowdvote_analysis.published import RESULT_TABLES, input_tables, result_tables

    frames = input_tables(state)
    # Counting is worth its time only if the question is about results; SHOW TABLES is about all of them.
    if re.search("|".join([*RESULT_TABLES, _ABOUT_TABLES]), sql, flags=re.IGNORECASE):
        resolution = resolve_state(state, cycles=cycles)
        with working("Tallying") as advance:
            rule = cycles.value if cycles else None
            frames |= result_tables(state, resolution, progress=advance, cycles=rule)
    return frames


def _snapshots(cut: Cut, sql: str, as_of: str | None) -> dict[str, pl.DataFrame]:
    """The tables of snapshots that a question names; all of them where it is about the tables there are."""
    if not re.search(rf"snapshot|timeline|{_ABOUT_TABLES}", sql, flags=re.IGNORECASE):
        return {}
    from crowdvote_analysis.snapshots import SNAPSHOT_TABLES, snapshot_tables
    from crowdvote_analysis.store import Store

    about_all = re.search(_ABOUT_TABLES, sql, flags=re.IGNORECASE)
    named = [name for name in SNAPSHOT_TABLES if about_all or re.search(rf"\b{name}\b", sql, flags=re.IGNORECASE)]
    return snapshot_tables(Store(cut.location), named, instant(as_of, "--as-of") if as_of else None)


def _list_tables(*, in_store: bool) -> None:
    from rich.table import Table

    from crowdvote_analysis.published import RESULT_TABLES
    from crowdvote_analysis.snapshots import SNAPSHOT_TABLES
    from crowdvote_analysis.store.past import PAST_TABLES
    from crowdvote_analysis.tables import TABLES, columns

    table = Table("Table", "What it holds", box=None, pad_edge=False)
    for name, contract in TABLES.items():
        table.add_row(f"[bold]{name}[/]", f"{(contract.__doc__ or '').strip()} [dim]{', '.join(columns(name))}[/]")
    for name, text in (RESULT_TABLES | (PAST_TABLES | SNAPSHOT_TABLES if in_store else {})).items():
        table.add_row(f"[bold]{name}[/]", text)
    out.print(table)
    out.print('Columns of one: crowdvote query "DESCRIBE resolved_ballots"', style="dim")


def _print(answer: pl.DataFrame, rows: int) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, kind in answer.schema.items():
        table.add_column(escape(name), justify="right" if kind.is_numeric() else "left", overflow="fold")
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
