"""Snapshots on the screen: lists, one in full, what checks have found."""

from __future__ import annotations

from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from crowdvote_analysis.cli.console import out
from crowdvote_analysis.explanation.loops import rule_for_loops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from crowdvote_analysis.snapshots.verify import Verification

_WIDE = 120


def badge(row: Mapping[str, Any]) -> str:
    """The status of a snapshot as people know it (U1)."""
    if row["status"] == "completed":
        return "🔴 FINAL" if row["is_final"] else "🟢 Interim"
    failed = row["status"].startswith("failed") or row["status"] == "corrupted"
    return f"❌ {row['status']}" if failed else f"⏳ {row['status']}"


def participation(row: Mapping[str, Any]) -> str:
    """``16/34 (47.1%)``."""
    if row["total_members"] is None:
        return ""
    ballots = row["manual_ballots"] + row["calculated_ballots"]
    return f"{ballots:,}/{row['total_members']:,} ({row['participation']:.1%})"


def show_list(known: pl.DataFrame, most: int) -> None:
    """Print snapshots, newest first."""
    if known.is_empty():
        out.print("There is no snapshot. Take one: crowdvote snapshot take STORE -d DECISION")
        return
    # Where the screen is narrow, the id tells the time, and participation how many ballots there are.
    wide = out.width >= _WIDE
    headings = ("Snapshot", "Decision", "Status", "Winner", "Participation")
    table = _table(*(("Timestamp (UTC)", *headings, ">Manual", ">Calculated") if wide else headings))
    for row in known.head(most).iter_rows(named=True):
        state = badge(row) + (" [dim](superseded)[/]" if row["superseded_by"] else "")
        winner = escape(row["winner_title"] or row["outcome"] or "")
        cells = [row["snapshot_id"], escape(row["decision_id"]), state, winner, participation(row)]
        if wide:
            numbers = (row["manual_ballots"], row["calculated_ballots"])
            cells = [_time(row["timestamp"]), *cells, *("" if each is None else f"{each:,}" for each in numbers)]
        table.add_row(*cells)
    out.print(table)
    if len(known) > most:
        out.print(f"{most:,} of {len(known):,} snapshots; --rows for more.", style="dim")


def show_snapshot(
    row: Mapping[str, Any], log: Sequence[str], loops: Sequence[str] = (), trace: str | None = None
) -> None:
    """Print one snapshot in full; of one that failed where in the program, how often and how long it was tried."""
    out.rule(f"[bold]{escape(row['decision_id'])}[/]  {badge(row)}", align="left")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    counts = ("total_members", "manual_ballots", "calculated_ballots", "no_ballot", "lobbyists")
    said = {
        "Snapshot": row["snapshot_id"],
        "Instant (UTC)": _time(row["timestamp"]),
        "Trigger": row["trigger"],
        "Winner": row["winner_title"] or row["outcome"],
        "Participation": participation(row) or None,
        **{name.replace("_", " ").capitalize(): row[name] for name in counts},
        "Followings in loops": row["circular_prevented"],
        "Max delegation depth": row["max_delegation_depth"],
        "Rules": f"{row['cycle_rule']}, {row['protocol']}" if row["cycle_rule"] else row["protocol"],
        "Loops": rule_for_loops(row["cycle_rule"]).removeprefix("in loops ") if row["circular_prevented"] else None,
        "Superseded by": row["superseded_by"],
        "Supersedes": row["supersedes"],
        "Error": row["last_error"],
        "Tries": (row["retry_count"] or 0) + 1 if trace is not None else None,
        "Duration": f"{row['duration'] or 0:.1f} s" if trace is not None else None,
        "Engine": row["engine"],
    }
    for name, value in said.items():
        if value is not None:
            table.add_row(name, escape(f"{value:,}" if isinstance(value, int) else str(value)))
    out.print(table)
    for name, value in (("Public hash", row["public_hash"]), ("Result hash", row["public_result_hash"])):
        if value is not None:  # in one piece, however narrow the screen
            out.print(f"[dim]{name}[/]  {value}", soft_wrap=True)
    if trace is not None:
        out.print(trace.rstrip(), markup=False, style="dim")
    for line in log:
        out.print(f"  {line}", markup=False)
    for line in loops:
        out.print(line, markup=False, style="bold")


def show_checks(found: Verification) -> None:
    """Print what verifying has looked at: how much was right, and everything that was not."""
    wrong = found.checks.filter(~found.checks["ok"])
    if len(wrong):
        table = _table("Check", "What", "Problem")
        for row in wrong.iter_rows(named=True):
            table.add_row(row["check"], escape(row["what"]), escape(row["detail"]))
        out.print(table)
    counts = ", ".join(
        f"{number} {name}" for name, number in found.checks.group_by("check").len().sort("check").iter_rows()
    )
    if found.certified:
        out.print(
            f"[green]certified[/]  {found.snapshot_id}: files, hashes, history and recount are as they were ({counts})."
        )
    else:
        why = f"{len(wrong)} of {len(found.checks)} checks failed" if len(wrong) else "there is no result"
        out.print(f"[red]not certified[/]  {found.snapshot_id}: {why} ({counts}).")


def show_findings(found: pl.DataFrame) -> None:
    """Print what validating has found."""
    worth = found.filter(found["finding"] != "ok")
    if len(worth):
        table = _table("Snapshot", "Decision", "Finding", "Problem")
        for row in worth.iter_rows(named=True):
            cells = (row["snapshot_id"], escape(row["decision_id"] or ""), row["finding"], escape(row["problem"] or ""))
            table.add_row(*cells)
        out.print(table)
    good, known = len(found) - len(worth), found["snapshot_id"].count()
    out.print(f"{good:,} of {known:,} snapshots are as they were.")
    if known < len(found):
        out.print("Files of the store are not what was written; crowdvote check says what to do.")


def show_recovered(tried: pl.DataFrame) -> None:
    """Print what was tried again."""
    if tried.is_empty():
        out.print("There is nothing to try again now.")
        return
    table = _table("Snapshot", "Decision", "Was", "Is", "Error")
    for row in tried.iter_rows(named=True):
        name = " → ".join(each for each in (row["snapshot_id"], row["new_snapshot_id"]) if each)
        table.add_row(name, escape(row["decision_id"]), row["was"], row["status"], escape(row["error"] or ""))
    out.print(table)


def show_health(found: Mapping[str, Any]) -> None:
    """Print how the snapshots of a store are."""
    colour = "green" if found["status"] == "healthy" else "red"
    counts = ", ".join(f"{number:,} {status}" for status, number in found["statuses"].items()) or "no snapshots"
    out.print(f"[{colour}]{found['status']}[/]  {counts}")
    for row in found["unresolved"]:
        said = f": {row['last_error']}" if row["last_error"] else ""
        line = f"  {row['snapshot_id']} ({row['decision_id']}) {row['status']} since {_time(row['since'])}{said}"
        out.print(line, markup=False)
    for row in found["files"]:
        out.print(f"  {row['file']}: {row['meaning']}", markup=False)
    for name in found["without_events"]:
        out.print(f"  {name}: there are files of it, and no events", markup=False)
    for decision in found["without_final"]:
        out.print(
            f"  {decision}: closed, and without a final snapshot; crowdvote snapshot recover takes it", markup=False
        )

    for row in found["refused_by_path"]:
        command = f"crowdvote record cycle-rule STORE auto -c {quote(row['community_id'])} --published"
        line = (
            f"  {row['community_id']}: counts loops by the rule path, which takes too much work for "
            f"{', '.join(row['decisions'])}; with the rule auto it does not: {command}"
        )
        out.print(line, markup=False)


def show_report(found: pl.DataFrame) -> None:
    """Print what recounting has found: how many of each verdict, and everything that is not certified."""
    wrong = found.filter(found["verdict"].is_in(["differs", "cannot be recounted"]))
    if len(wrong):
        table = _table("Timestamp (UTC)", "Decision", "Verdict", "Where, or why", "Snapshot")
        for row in wrong.head(50).iter_rows(named=True):
            cells = (_time(row["timestamp"]), escape(row["decision_id"]), row["verdict"], escape(row["detail"] or ""))
            table.add_row(*cells, row["snapshot_id"] or "")
        out.print(table)
    counts = found.group_by("verdict").len().sort("verdict").iter_rows()
    out.print(", ".join(f"{number:,} {verdict}" for verdict, number in counts) or "There was nothing to recount.")


def _table(*headings: str) -> Table:
    """A table; a heading that begins with > is of numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(
            heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left", overflow="fold"
        )
    return table


def _time(at: datetime | str | None) -> str:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
