"""``crowdvote report``: a snapshot as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, working
from crowdvote_analysis.cli.options import SnapshotName, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store


def report(
    store: StorePlace,
    to: Annotated[Path, typer.Option("--out", help="The file to write.", show_default=False)],
    snapshot: SnapshotName = "latest",
    rows: Annotated[int, typer.Option("--rows", min=0, help="Members that each list of ballots names at most.")] = 300,
    storage: StorageOptions = None,
) -> None:
    """Write a snapshot as one page: who won, why, from whose ballots, and how to check it.

    The page needs nothing beside it: it opens offline, prints, and can be sent or published. Anonymous members stand
    under pseudonyms.

    Example:
      crowdvote report mystore latest --out result.html
    """
    from crowdvote_analysis.report import write_report

    opened = open_store(store, storage)
    with noting(), working("Writing the page"):
        size = write_report(opened, snapshot, to, rows=rows)
    out.print(f"{to} ({size / 1024:,.0f} KiB)", markup=False, soft_wrap=True)
