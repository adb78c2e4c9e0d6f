"""``crowdvote import``, ``crowdvote history`` and ``crowdvote compact``: stores as a whole."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.finals import waiting_sentence
from crowdvote_analysis.cli.options import (
    AsJson,
    Folder,
    Quarantine,
    StorageOptions,
    StorePlace,
    read_storage_options,
)
from crowdvote_analysis.cli.reading import note_choices, open_store, read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.errors import TableWarning

if TYPE_CHECKING:
    from crowdvote_analysis.store.cut import Cut


@about_sheets
def import_(
    folder: Folder,
    store: StorePlace,
    quarantine: Quarantine = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Bring the tables of a folder into a store, made if it is not there: what is new or has changed, in one commit.

    Rows that the folder lacks stay in the store, and so does what was recorded since the folder was last imported and
    is not changed in it. Imported twice, the same tables change nothing. Nobody is named who is or was
    anonymous in the store. Final snapshots of decisions that are over are taken by [bold]crowdvote snapshot recover[/].

    Examples:
      crowdvote import data/demo mystore

      crowdvote import mycommunity s3://bucket/mystore --storage-option aws_region=eu-north-1
    """
    from crowdvote_analysis.cli.hiding import errors_hidden, hide_anonymous
    from crowdvote_analysis.snapshots.upkeep import without_final
    from crowdvote_analysis.store import Store, import_state

    options = read_storage_options(storage)
    with errors_hidden(store, options), noting(lambda texts: hide_anonymous(texts, store, options)) as notes:
        state = read_state(folder, quarantine, sheets=sheets)
        note_choices(folder, state, sheets)
        opened = Store.create(store, options)
        with working("Importing") as advance:
            commit = import_state(opened, state, advance)
        if waiting := without_final(opened):
            warnings.warn(waiting_sentence(waiting, store), TableWarning, stacklevel=1)
    rows = dict(commit.rows) if commit else {}
    if as_json:
        done = {"seq": commit.seq, "committed_at": commit.at.isoformat()} if commit else {}
        print_json({"store": str(opened.location), "notes": notes, **done, "rows": rows})
    elif commit is None:
        out.print(f"{opened.location}: nothing is new in these tables; nothing was recorded.", markup=False)
    else:
        out.print(f"{opened.location}: commit {commit.seq}", markup=False)
        for table, number in rows.items():
            out.print(f"  {table}: {number:,} rows", markup=False)


def history(
    store: StorePlace,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Commits to print.")] = 20,
    head: Annotated[
        bool,
        typer.Option("--head", help="Print number and hash of the last commit alone, to publish or keep elsewhere."),
    ] = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """List the commits of a store, newest first: number, time, what was done, how many rows in which table.

    What the rows were: [bold]crowdvote query[/] and its tables of history. The hash of a commit follows from all
    commits up to it: whoever keeps a head can tell later whether anything of them was changed or removed, with
    [bold]crowdvote check --head[/].

    Examples:
      crowdvote history mystore --rows 5

      crowdvote history mystore --head
    """
    from crowdvote_analysis.store.past import told_commits

    cut = open_store(store, storage).cut()
    cut.require_chain()
    if head:
        _print_head(cut, as_json)
        return
    commits = told_commits(cut.commits)
    shown = commits.reverse().head(rows)
    if as_json:
        print_json([_document(row) for row in shown.iter_rows(named=True)])
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Commit", justify="right")
    for heading in ("Time (UTC)", "Action", "Rows"):
        table.add_column(heading, overflow="fold")
    for row in shown.iter_rows(named=True):
        told = ", ".join(f"{name} {number:,}" for name, number in zip(row["tables"], row["rows"], strict=True))
        time = f"{row['committed_at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(row["seq"]), time, escape(row["action"]), told)
    out.print(table)
    if len(commits) > rows:
        out.print(f"{rows:,} of {len(commits):,} commits; --rows for more.", style="dim")


def _print_head(cut: Cut, as_json: bool) -> None:
    if as_json:
        print_json({"seq": cut.seq, "hash": cut.head})
    elif cut.head is None:
        out.print("There is no commit yet.")
    else:
        typer.echo(f"{cut.seq}:{cut.head}")


def _document(row: dict[str, object]) -> dict[str, object]:
    numbers = dict(zip(row["tables"], row["rows"], strict=True))  # type: ignore[call-overload]
    time = row["committed_at"].isoformat()  # type: ignore[attr-defined]
    return {"seq": row["seq"], "committed_at": time, "action": row["action"], "rows": numbers}


def compact(store: StorePlace, storage: StorageOptions = None, as_json: AsJson = False) -> None:
    """Put the small files of a store together, and remove those that nothing of the last seven days needs.

    No row is lost, and every instant of the past can still be read. Others may go on writing meanwhile.

    Example:
      crowdvote compact mystore
    """
    opened = open_store(store, storage)
    with working("Putting files together"):
        removed = opened.compact()
    if as_json:
        print_json({"store": str(opened.location), "files_removed": removed})
    else:
        out.print(f"{opened.location}: put together; {sum(removed.values()):,} old files removed.", markup=False)
