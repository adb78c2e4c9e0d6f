"""``crowdvote check``: is a store what was written?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.options import AsJson, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store

if TYPE_CHECKING:
    import polars as pl

NOT_AS_IT_WAS = 1


def check(
    store: StorePlace,
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="SEQ:HASH",
            help="A head that was kept elsewhere, as crowdvote history --head prints it: is it still in the store?",
            show_default=False,
        ),
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Compare every file of a store with what was written, and name what is missing, extra or altered.

    Nothing is written. Commits hold each other's hashes, so nothing in the middle can be changed unseen; whether
    the end was cut off, only a head can tell that was kept elsewhere. The exit code is 1 when something is wrong.

    Examples:
      crowdvote check mystore

      crowdvote check mystore --head 41:5f1c…
    """
    from crowdvote_analysis.snapshots.check import check_store, is_whole

    kept = None if head is None else _head(head)
    opened = open_store(store, storage)
    with noting(), working("Comparing files") as advance:
        found = check_store(opened, kept, advance)
    if as_json:
        print_json({"store": str(opened.location), "whole": is_whole(found), "findings": found.to_dicts()})
    else:
        _show(found, store)
    if not is_whole(found):
        raise typer.Exit(NOT_AS_IT_WAS)


def _head(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text.strip())
    if found is None:
        raise typer.BadParameter(
            f"'{text}' is no head. Give number and hash of a commit as crowdvote history STORE --head prints them.",
            param_hint="--head",
        )
    return int(found[1]), found[2].lower()


def _show(found: pl.DataFrame, store: str) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    wrong = found.filter(found["finding"] != "note")
    notes = found.filter(found["finding"] == "note").group_by("meaning", maintain_order=True).agg("file")
    for meaning, files in notes.iter_rows():
        out.print("note:", style="yellow", end=" ")
        more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        out.print(f"{files[0]}{more}: {meaning}", markup=False)
    if len(wrong):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for heading in ("File", "Finding", "What it means", "What to do"):
            table.add_column(heading, overflow="fold")
        for row in wrong.iter_rows(named=True):
            table.add_row(escape(row["file"]), row["finding"], escape(row["meaning"]), row["way_out"])
        out.print(table)
        number = wrong["file"].n_unique()
        out.print(
            f"[red]not what was written[/]  {escape(str(store))}: something is wrong with {number:,} files or tables."
        )
    else:
        out.print(f"[green]as written[/]  {escape(str(store))}: every file, row and commit is what was written.")
