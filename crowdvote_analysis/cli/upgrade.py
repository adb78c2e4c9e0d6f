"""``crowdvote store upgrade``: a store of an older version becomes one of today."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.options import AsJson, StorageOptions, StorePlace, read_storage_options

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Look after a store as a whole.")


@app.callback()
def _store() -> None:
    pass


@app.command()
def upgrade(
    store: StorePlace,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Where the new one is made; by default in the place of the old.", show_default=False),
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Bring a store of an older version to the format of today: every commit sealed, names kept apart.

    Stop all programs that use it first. The old store is kept beside the new one as [bold]NAME.format-1[/]; remove it
    when you are content. Snapshots stay as they are, with their hashes.

    Examples:
      crowdvote store upgrade mystore

      crowdvote store upgrade s3://bucket/old --to s3://bucket/new
    """
    from crowdvote_analysis.store import upgrade_store

    with noting(), working("Copying tables") as advance:
        done = upgrade_store(store, read_storage_options(storage), to, advance)
    if as_json:
        where = {"store": str(done.store.location), "before": done.before}
        print_json({**where, "commits": done.commits, "people": done.people})
        return
    out.print(f"{done.store.location}: {done.commits:,} commits, {done.people:,} people.", markup=False)
    out.print(f"The store as it was lies in {done.before}.", markup=False)
