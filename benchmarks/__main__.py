"""Print what is fast, side by side with what it is measured against, in one run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import changes, delegation, pages, small, snapshots, star

if TYPE_CHECKING:
    from benchmarks.comparison import Comparison, Result

GROUPS = {
    "delegation": delegation,
    "changes": changes,
    "small": small,
    "star": star,
    "snapshots": snapshots,
    "pages": pages,
}
COMPARISONS = [comparison for group in GROUPS.values() for comparison in group.COMPARISONS]


def main() -> None:
    """Measure what is asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [comparison.name for comparison in COMPARISONS]
    what = f"what to measure, all by default: a group ({', '.join(GROUPS)}) or one of {', '.join(names)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=what)
    parser.add_argument("--size", type=float, default=1.0, help="part of the full size, 1 by default")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side, of which the median counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    arguments = parser.parse_args()
    asked = {
        name
        for given in arguments.names
        for name in ([comparison.name for comparison in GROUPS[given].COMPARISONS] if given in GROUPS else [given])
    }
    unknown = sorted(asked - set(names))
    if unknown:
        parser.error(f"nothing is called {unknown[0]!r}; there are {', '.join([*GROUPS, *names])}")
    rows = []
    console = Console(stderr=True)
    for comparison in COMPARISONS:
        if not asked or comparison.name in asked:
            with console.status(f"{comparison.name}: {comparison.work}"):
                result = comparison.measure(arguments.size, arguments.runs)
            if arguments.json:
                print(json.dumps(_row(comparison, result, arguments.size), ensure_ascii=False), flush=True)
            rows.append((comparison, result))
    if not arguments.json:
        Console(width=None if sys.stdout.isatty() else 120).print(_table(rows, arguments.size, arguments.runs))


def _row(comparison: Comparison, result: Result, size: float) -> dict[str, object]:
    return {
        "name": comparison.name,
        "work": comparison.work,
        "against": comparison.against,
        "ours": result.ours,
        "peer": result.peer,
        "ratio": result.ratio,
        "unit": comparison.unit,
        "bar": comparison.bar[0],
        "goal": comparison.bar[1],
        "size": size,
        "reached": comparison.reached(result.ratio) if size == 1 else None,
    }


def _table(rows: list[tuple[Comparison, Result]], size: float, runs: int) -> Table:
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}, median of {runs} runs"
    table = Table(title=where if size == 1 else f"{where}, {size:g} of the full size", box=box.SIMPLE_HEAD)
    table.add_column("Work, and what it is measured against", min_width=28)
    for heading in ("Ours", "Peer", "Ratio", "Bar / goal", "Reached"):
        table.add_column(heading, justify="right", no_wrap=heading != "Ours")
    for comparison, result in rows:
        ratio = f"{result.ratio:,.0f}" if result.ratio >= 100 else f"{result.ratio:.2g}"
        bars = " / ".join(f"{wanted:,g}" for wanted in comparison.bar if wanted is not None)
        reached = comparison.reached(result.ratio) if size == 1 else "–"  # bars are for the full size
        work = f"{comparison.work}\n[dim]against {comparison.against}[/]"
        table.add_row(work, result.ours, result.peer, f"{ratio} {comparison.unit}", bars, reached)
    return table


if __name__ == "__main__":
    main()
