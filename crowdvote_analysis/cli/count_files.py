"""``crowdvote count FOLDER --out FOLDER``: a count from Parquet to Parquet, within a memory limit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from crowdvote_analysis.cli.console import err, noting, out, print_json
from crowdvote_analysis.cli.options import Cycles, read_tie_orders
from crowdvote_analysis.limits import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.out_of_core import Estimate, FilesCount

Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Count from Parquet files to Parquet files in this new folder, within --memory: for tables that are "
        "larger than memory. Goes on where an ended run was.",
        show_default=False,
    ),
]
Memory: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="With --out: memory to work with, pages of files apart, such as 500MB or 4GB; 2GB by default.",
        show_default=False,
    ),
]
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)i?B?\s*", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_LEAST = 200_000_000
_SHOWN = 20
_NUMBERS = ("margin", "tallied_ballots", "manual_ballots", "calculated_ballots", "no_ballot")


def count_to_files(
    folder: str,
    to: Path,
    *,
    memory: str | None,
    decisions: list[str] | None,
    cycles: Cycles | None,
    protocol: str,
    tie_orders: list[str] | None,
    work_limit: int,
    as_json: bool,
    others: Mapping[str, Any],
) -> bool:
    """Count into a folder and say what came out.

    Args:
        folder: The tables.
        to: Where results go.
        memory: As somebody wrote it.
        decisions: Those asked for.
        cycles: Rule for loops.
        protocol: Tie protocol.
        tie_orders: Orders of the community manager.
        work_limit: Steps the rule path may take.
        as_json: Whether the answer is for programs.
        others: Options that a count from files does not know, by name, with what was given.

    Returns:
        Whether a decision is an unresolved tie.
    """
    from crowdvote_analysis.out_of_core import count_files
    from crowdvote_analysis.store import is_store

    given = [name for name, value in others.items() if value]
    if given:
        raise typer.BadParameter(
            "does not go with --out, which counts Parquet files as they stand.", param_hint=given[0]
        )
    if "://" in folder or is_store(folder):
        raise typer.BadParameter(
            "reads a folder of Parquet files, not a store; write one with Python: "
            "Store.open(store).state().write(folder).",
            param_hint="--out",
        )
    with noting() as notes, _stages() as progress:
        counted = count_files(
            folder,
            to,
            decisions=decisions or None,
            cycles=cycles.value if cycles else None,
            protocol=protocol,
            tie_orders=read_tie_orders(tie_orders),
            work_limit=work_limit,
            memory=bytes_of(memory),
            anonymous=False,
            progress=progress,
            about_to_start=_tell,
        )
    if as_json:
        print_json(_document(folder, counted, notes))
    else:
        _show(counted)
    return bool((counted.tallies["status"] == "unresolved tie").any())


def bytes_of(size: str | None) -> int:
    """A size such as ``2GB`` in bytes."""
    if size is None:
        return MEMORY
    found = _SIZE.fullmatch(size)
    number = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if number < _LEAST:
        raise typer.BadParameter(f"{size!r} is no size of 200MB or more, such as 500MB or 4GB.", param_hint="--memory")
    return number


def _tell(estimate: Estimate) -> None:
    err.print(f"{estimate}.", markup=False, style="dim")


class _stages:  # noqa: N801 - used as a function
    """A bar for each stage, one after the other."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal)
        self._stage, self._task = "", self._bar.add_task("", total=None)

    def __enter__(self) -> _stages:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So much of a stage is done."""
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(self._task, description=stage)
        self._bar.update(self._task, completed=done, total=total)


def _document(folder: str, counted: FilesCount, notes: list[str]) -> dict[str, Any]:
    stats = {row["decision_id"]: row for row in counted.stats.iter_rows(named=True)}
    decisions = [
        {name: str(value) if hasattr(value, "as_tuple") else value for name, value in row.items()}
        | {"participation": stats[row["decision_id"]]}
        for row in counted.tallies.iter_rows(named=True)
    ]
    files = dict(sorted(counted.files.items()))
    return {"folder": folder, "out": str(counted.folder), "notes": notes, "decisions": decisions, "sha256": files}


def _show(counted: FilesCount) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Decision", "Winner", "Margin", "Ballots tallied", "By hand", "Calculated", "None"):
        # Folded, as a number that is cut off is another one.
        table.add_column(heading, justify="left" if heading in ("Decision", "Winner") else "right", overflow="fold")
    both = counted.tallies.join(counted.stats, on="decision_id").head(_SHOWN)
    for row in both.iter_rows(named=True):
        numbers = [row[name] for name in _NUMBERS]
        texts = [Text(row["decision_id"]), Text(row["winner_title"] or row["status"])]
        table.add_row(*texts, *("–" if number is None else f"{number:,}" for number in numbers))
    out.print(table)
    more = len(counted.tallies) - _SHOWN
    if more > 0:
        out.print(f"{more:,} more in tallies.parquet.", style="dim")
    said = f"{counted.folder}: {len(counted.files):,} files, their hashes in SHA256SUMS."
    out.print(said, markup=False, soft_wrap=True)
