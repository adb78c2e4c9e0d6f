"""How the cost of stores and snapshots grows: ``python -m benchmarks.history`` prints a table, some minutes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

import crowdvote_analysis as cv
from benchmarks.comparison import seconds
from benchmarks.measure import once
from benchmarks.networks import community
from crowdvote_analysis.snapshots import take_snapshot, verify_snapshot
from crowdvote_analysis.store import Store, import_state, recording

_DECISION = "decision 0000"


def by_members() -> list[tuple[str, ...]]:
    """One snapshot of communities of several sizes: members, import, capture, all of it, verify, one ballot."""
    rows = []
    for members in (1_000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            store = Store.create(Path(folder) / "town")
            state = cv.SystemState(**community(members))
            imported = once(lambda: import_state(store, state))  # noqa: B023 - called at once
            take_snapshot(store, _DECISION)
            spent = [
                min(once(call) for _ in range(3))
                for call in (
                    lambda: store.cut().state(_DECISION),  # noqa: B023
                    lambda: take_snapshot(store, _DECISION),  # noqa: B023
                    lambda: verify_snapshot(store, "latest"),  # noqa: B023
                    lambda: _cast(store, 1),  # noqa: B023
                )
            ]
            rows.append((f"{members:,}", *(seconds(value) for value in (imported, *spent))))
    return rows


def by_commits() -> list[tuple[str, ...]]:
    """A store of 1,000 members that many commits were made in: commits, state, one ballot more, an old instant."""
    rows = []
    folder = Path(tempfile.mkdtemp(prefix="crowdvote-"))
    try:
        store = Store.create(folder / "town")
        import_state(store, cv.SystemState(**community(1_000)))
        made = 0
        for commits in (10, 100, 1_000):
            for number in range(made, commits):
                _cast(store, number)
            made = commits
            early = store.cut().commits["committed_at"][0]
            calls = (store.state, lambda: _cast(store, 1), lambda: store.state(early))  # noqa: B023 - called at once
            rows.append((f"{commits:,}", *(seconds(min(once(call) for _ in range(5))) for call in calls)))
    finally:
        shutil.rmtree(folder)
    return rows


def _cast(store: Store, number: int) -> None:
    member = store.cut().rows("members")["member_id"][number % 10]
    recording.cast_ballot(store, _DECISION, member, {"choice 00": number % 6, "choice 01": 3}, ["budget"])


def main() -> None:
    """Measure and print."""
    console = Console(width=110)
    for title, headings, rows in (
        ("By members", ("Members", "Import", "Capture", "Snapshot", "Verify", "One ballot"), by_members()),
        ("By commits", ("Commits", "State", "One ballot", "State at the first commit"), by_commits()),
    ):
        table = Table(title=title, box=box.SIMPLE_HEAD)
        for heading in headings:
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    main()
