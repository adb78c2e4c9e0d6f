"""Tables for every command: a folder of files, or a store."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdvote_analysis.cli.console import err, working
from crowdvote_analysis.cli.options import read_storage_options
from crowdvote_analysis.cli.sheets import NOTHING, Sheets
from crowdvote_analysis.cli.times import instant
from crowdvote_analysis.errors import TableWarning

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store import Store
    from crowdvote_analysis.store.cut import Cut

_NAMED = 20  # columns


def read_state(
    folder: str | Path,
    quarantine: bool = False,
    as_of: str | None = None,
    storage: list[str] | None = None,
    sheets: Sheets = NOTHING,
) -> SystemState:
    """Read a store, or a folder, and write what had to be set aside to ``quarantine`` in it."""
    from crowdvote_analysis.readers import read_folder

    cut = read_cut(folder, as_of, storage)
    if cut is not None and sheets != NOTHING:
        options = "--separator, --id, --choices, --leave-out"
        raise typer.BadParameter("are about CSV files; a store has none.", param_hint=options)
    with working("Reading tables"):
        state = read_folder(folder, quarantine=quarantine, **sheets.arguments()) if cut is None else cut.state()
    write_quarantine(state, Path(folder) / "quarantine")
    return state


def note_choices(folder: str | Path, state: SystemState, sheets: Sheets) -> None:
    """Note which columns of a folder's ballots were taken as choices, where nobody has named the choices."""
    from crowdvote_analysis.readers.folder import choices_are_columns

    if sheets.choices or state.choices.is_empty() or not choices_are_columns(Path(folder)):
        return
    names = state.choices["choice_id"].unique(maintain_order=True).to_list()
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    warnings.warn(f"ballots: choices are the columns {', '.join(names[:_NAMED])}{more}.", TableWarning, stacklevel=2)


def read_cut(folder: str | Path, as_of: str | None = None, storage: list[str] | None = None) -> Cut | None:
    """The commits of a store up to an instant; none for a folder of files, which knows no past."""
    store = open_store(folder, storage) if holds_store(folder, storage) else None
    if store is not None:
        return store.cut(None if as_of is None else instant(as_of, "--as-of"))
    if as_of is not None:
        raise typer.BadParameter(
            f"{folder} is no store, so it knows no past. Make one with: crowdvote import {folder} STORE",
            param_hint="--as-of",
        )
    return None


def open_store(place: str | Path, storage: list[str] | None = None) -> Store:
    """Open a store by its folder or URL."""
    from crowdvote_analysis.store import Store

    return Store.open(place, read_storage_options(storage))


def holds_store(place: str | Path, storage: list[str] | None = None) -> bool:
    """Whether a store lies there; a URL can be nothing else."""
    from crowdvote_analysis.store import is_store

    return "://" in str(place) or is_store(place, read_storage_options(storage))


def write_quarantine(state: SystemState, folder: Path) -> None:
    """Write what a state has set aside, as it was given, with row numbers and reasons.

    People look at it in spreadsheets, and strangers may have written it: formulas are guarded.
    """
    if state.quarantined:
        from crowdvote_analysis.store import export_tables

        paths = export_tables(state.quarantined, folder, "csv", csv_safe=True)
        err.print("Set aside: " + ", ".join(str(path) for path in paths), markup=False)
