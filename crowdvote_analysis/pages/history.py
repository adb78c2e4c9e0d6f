"""The words and tables of a page about the history of one decision (U1, U3); the notebook only lays them out."""

from __future__ import annotations

import threading
from html import escape
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import polars as pl

from crowdvote_analysis.errors import CrowdVoteError
from crowdvote_analysis.pages import html_rows
from crowdvote_analysis.pages.choosing import require_any
from crowdvote_analysis.pages.superseded import counted_again, predecessor, successor
from crowdvote_analysis.pages.words import Headline
from crowdvote_analysis.snapshots.events import RUNNING, of_communities, redacted
from crowdvote_analysis.snapshots.inputs import is_closed
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.snapshots.recalculation import started, why_refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from crowdvote_analysis.store.store import Store

PAGE_SIZES = (10, 25, 50, 100)
CALCULATION = "recalculation"  # name of the thread of one
CHARTED = 100  # the newest snapshots, in charts over time
ABOUT = (
    "A snapshot is everything that counts at one instant, frozen, and then counted. Interim: voting went on, so its "
    "winner only led at that time. FINAL: voting was over. Superseded: counted again later, and that result stands "
    "instead. View Details leads to the ballots behind a result.",
    "Participation: voters with a ballot, of all voters. Manual ballots were cast by the voters themselves; calculated "
    "ones are the average of the ballots of those whom a voter follows.",
)
NO_RESULT = Headline(
    "info",
    "No result yet",
    ("No count of this decision has been frozen so far. The page “The count” shows how its ballots stand now.",),
)
_FAILED = "This count did not come to an end. No ballot is lost:"
_AGAIN = "the count can be made again."

_BADGES = {"final": "🔴 FINAL", "interim": "🟢 Interim", "error": "❌ Error", "processing": "⏳ Processing"}
# The same as drawings: not every system has a font with pictures.
_MARKS = {
    "final": html_rows.disc("#e53935"),
    "interim": html_rows.disc("#4caf50"),
    "error": '<span aria-hidden="true" style="color:#e53935;font-weight:700">×</span>',
    "processing": html_rows.disc("#ff9800", ring=True),
}
# Orders of the history: by which columns, and whether downwards; the newest first among equals.
ORDERS = {
    "newest first": ([], []),
    "oldest first": (["timestamp"], [False]),
    "most participation first": (["participation"], [True]),
    "by winner": (["winner_title", "winner"], [False, False]),
}


def decisions_of(store: Store, communities: Collection[str] | None = None) -> pl.DataFrame:
    """The decisions with stars of a store, those with the newest snapshot first.

    Args:
        store: The store.
        communities: Those of some communities only.

    Raises:
        NothingToSeeError: Of none.

    Returns:
        community_id, community (title), decision_id, title, description, status, opens_at, closes_at, newest (time of
        the newest snapshot, null without one).
    """
    from crowdvote_analysis.snapshots import list_snapshots

    require_any(communities)
    cut = store.cut()
    newest = list_snapshots(store).group_by("decision_id").agg(pl.col("timestamp").max().alias("newest"))
    titles = cut.rows("communities").select("community_id", pl.coalesce("title", "community_id").alias("community"))
    decisions = of_communities(cut.rows("decisions").filter(method="star"), communities)
    found = decisions.join(titles, on="community_id", how="left")
    found = found.join(newest, on="decision_id", how="left")
    found = found.with_columns(pl.coalesce("title", "decision_id").alias("title"))
    return found.sort(["newest", "closes_at", "decision_id"], descending=[True, True, False], nulls_last=True).select(
        "community_id", "community", "decision_id", "title", "description", "status", "opens_at", "closes_at", "newest"
    )


def kind_of(row: Mapping[str, Any]) -> Literal["final", "interim", "error", "processing"]:
    """What a snapshot is to people (U1).

    Args:
        row: Its row of ``list_snapshots``.
    """
    if row["status"] == "completed":
        return "final" if row["is_final"] else "interim"
    failed = row["status"].startswith("failed") or row["status"] == "corrupted"
    return "error" if failed else "processing"


def badge(row: Mapping[str, Any]) -> str:
    """🔴 FINAL, 🟢 Interim, ❌ Error or ⏳ Processing, and whether another one has taken its place (U1, S3)."""
    return _BADGES[kind_of(row)] + (" (superseded)" if row["superseded_by"] else "")


def participation(row: Mapping[str, Any]) -> str:
    """``16/34 (47.1%)``, nothing where it is not known."""
    if row["total_members"] is None:
        return ""
    ballots = row["manual_ballots"] + row["calculated_ballots"]
    return f"{ballots:,}/{row['total_members']:,} ({row['participation']:.1%})"


def winner(row: Mapping[str, Any]) -> str:
    """The winner of a snapshot, or what came out instead."""
    instead = {"unresolved tie": "Unresolved tie", "no ballots": "No ballots"}
    return str(row["winner_title"] or row["winner"] or instead.get(row["outcome"] or "", ""))


def history_table(known: pl.DataFrame, search: str = "", order: str = "newest first") -> pl.DataFrame:
    """List snapshots as people read them (U1).

    Args:
        known: Rows of ``list_snapshots`` of one decision, newest first.
        search: Only those whose time or winner holds this text, as it stands, in whatever capitals.
        order: One of ``ORDERS``.

    Returns:
        snapshot_id, Timestamp (UTC), Status, Winner, Participation, Manual Ballots, Calculated (all text), kind (see
        ``kind_of``), note (what became of it, null where it stands), error (what the program said).
    """
    columns = ("Timestamp (UTC)", "Status", "Winner", "Participation", "Manual Ballots", "Calculated")
    schema = dict.fromkeys(("snapshot_id", *columns, "kind", "note", "error"), pl.String())
    wanted = search.strip().casefold()
    by, down = ORDERS[order]
    ordered = known.sort(by, descending=down, nulls_last=True, maintain_order=True) if by else known
    rows = [
        (
            row["snapshot_id"],
            time,
            badge(row),
            winner(row),
            participation(row),
            _number(row["manual_ballots"]),
            _number(row["calculated_ballots"]),
            kind_of(row),
            _note(known, row),
            redacted(row["last_error"] or "") if kind_of(row) == "error" else None,
        )
        for row in ordered.iter_rows(named=True)
        if wanted in (time := when(row["timestamp"])).casefold() or wanted in winner(row).casefold()
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def history_html(
    table: pl.DataFrame, page: int, size: int, link: Mapping[str, str], order: str = "newest first"
) -> str:
    """Write one page of the history as HTML; it stays as it is when it is written again.

    Args:
        table: As from ``history_table``.
        page: Which page, from 1; the last one where there are fewer.
        size: Rows a page.
        link: What the links to snapshots say beside the snapshot; see ``snapshot_link``.
        order: The order of the table.
    """
    if table.is_empty():
        return '<p style="opacity:0.8">No snapshot matches.</p>'
    first, pages = html_rows.paged(len(table), page, size)
    shown = table.slice(first, size)
    names = [name for name in table.columns if name not in ("snapshot_id", "kind", "note", "error")]
    rows, notes = [], []
    for row in shown.iter_rows(named=True):
        address = snapshot_link(row["snapshot_id"], link)
        marked = {
            "Timestamp (UTC)": html_rows.Cell(html_rows.link(address, row["Timestamp (UTC)"])),
            "Status": html_rows.Cell(f"{_MARKS[row['kind']]} {escape(row['Status'].partition(' ')[2])}"),
        }
        details = html_rows.Cell(html_rows.link(address, "View Details"))
        rows.append([*({**row, **marked}[name] for name in names), details])
        said = html_rows.folded("What the program said", row["error"].splitlines()[0]) if row["error"] else ""
        notes.append(html_rows.Cell(escape(row["note"]) + said) if row["note"] else None)
    written = html_rows.table(
        [*names, "Details"],
        rows,
        right=("Participation", "Manual Ballots", "Calculated"),
        whole=("Timestamp (UTC)", "Status", "Details"),
        notes=notes,
    )
    return written + html_rows.counted(first, len(shown), len(table), pages, size, order)


def failed_html(known: pl.DataFrame, row: Mapping[str, Any]) -> str:
    """Say of a snapshot without a result why, and what the program said of it where that is known.

    Args:
        known: Rows of ``list_snapshots`` of its decision, newest first.
        row: One of them.
    """
    note = escape(_note(known, row) or "It is being calculated; look again in a while.")
    said = redacted(row["last_error"] or "") if kind_of(row) == "error" else ""
    return f"<div>{note}{html_rows.folded('What the program said', said) if said else ''}</div>"


def snapshot_link(snapshot_id: str, link: Mapping[str, str], member: str | None = None, page: str = "snapshot") -> str:
    """The relative address of a snapshot on its page, or of one member in it.

    Args:
        snapshot_id: The snapshot.
        link: ``store``, where the address of this page names one too.
        member: Public id of a member (P1).
        page: Name of the page beside this one; empty for the page itself.
    """
    asked = {**link, "snapshot": snapshot_id, **({} if member is None else {"member": member})}
    return f"{f'../{page}/' if page else ''}?{urlencode(asked)}"


def newest_link(link: Mapping[str, str]) -> str:
    """The relative address of the page of snapshots itself; see ``snapshot_link``."""
    return f"../snapshot/{f'?{urlencode(link)}' if link else ''}"


def decision_link(decision_id: str, link: Mapping[str, str]) -> str:
    """The relative address of the history of a decision; see ``snapshot_link``."""
    return f"../decision/?{urlencode({**link, 'decision': decision_id})}"


def standing(decision: Mapping[str, Any], now: datetime) -> str:
    """Whether a decision is open, in words: a draft, opens in …, open, closes in …, closed since.

    Args:
        decision: Its row, as from ``decisions_of``.
        now: The instant.
    """
    opens, closes = decision["opens_at"], decision["closes_at"]
    if decision["status"] == "draft":
        return "Draft: voting has not begun"
    if is_closed(decision, now):
        return (
            f"Closed {when(closes)} UTC" if closes is not None and closes <= now else f"Closed ({decision['status']})"
        )
    if opens is not None and opens > now:
        return f"Opens in {spell(opens - now)} ({when(opens)} UTC)"
    return "Open" if closes is None else f"Open: closes in {spell(closes - now)} ({when(closes)} UTC)"


def spell(span: timedelta) -> str:
    """A span of time in its two largest units: ``15 days 4 hours``."""
    minutes = max(0, int(span.total_seconds() // 60))
    parts = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    first = next((at for at, (number, _) in enumerate(parts) if number), None)
    if first is None:
        return "less than a minute"
    told = [f"{number:,} {unit}{'' if number == 1 else 's'}" for number, unit in parts[first : first + 2] if number]
    return " ".join(told)


def progress(known: pl.DataFrame, decision: Mapping[str, Any], now: datetime) -> str:
    """How far the calculation of a decision is: under way since when, else when it was last done (U3).

    Where voting is over and there is no final result, it says who takes it: nobody can ask for it on a page (E4).

    Args:
        known: Rows of ``list_snapshots`` of one decision, newest first.
        decision: Its row, as from ``decisions_of``.
        now: The instant.
    """
    told = []
    newest = known.row(0, named=True) if len(known) else None
    if newest is not None and newest["status"] in (*RUNNING, "ready"):
        words = {"creating": "freezing the tables", "tallying": "counting stars"}
        doing = words.get(newest["status"], "calculating ballots")
        told.append(f"A calculation is under way: {doing}, for {spell(now - newest['status_at'])}.")
    elif newest is not None and kind_of(newest) == "error" and newest["superseded_by"] is None:
        told.append("The latest calculation failed; the result before it stands.")
    done = known.filter(status="completed").head(1)
    if len(done):
        row = done.row(0, named=True)
        which = "FINAL" if row["is_final"] else "interim"
        told.append(f"Last calculated {when(row['timestamp'])} UTC, {spell(now - row['timestamp'])} ago: {which}.")
    told = told or ["Not calculated yet."]
    under_way = newest is not None and kind_of(newest) == "processing"
    is_over = decision["status"] != "draft" and is_closed(decision, now)
    if is_over and not under_way and known.filter("is_final", status="completed").is_empty():
        take = f"crowdvote snapshot take STORE -d {quote(decision['decision_id'])}"
        told.append(
            f"Voting is over, so nothing more is waited for: whoever runs the store takes the result with {take}"
        )
    return " ".join(told)


def current_result(known: pl.DataFrame) -> dict[str, Any] | None:
    """The snapshot whose result stands: the newest completed one that is not superseded."""
    found = known.filter(pl.col("superseded_by").is_null(), status="completed").head(1)
    return found.row(0, named=True) if len(found) else None


def headline(known: pl.DataFrame) -> Headline:
    """Say what stands (K2, K7).

    Args:
        known: Rows of ``list_snapshots`` of one decision, newest first.
    """
    row = current_result(known)
    if row is None:
        return NO_RESULT
    so_far = "" if row["is_final"] else " so far"
    before = predecessor(known, row)
    told = [f"{participation(row)} of the voters have a ballot.", *([counted_again(before, row)] if before else [])]
    if row["outcome"] == "decided":
        kind: Literal["success", "info"] = "success" if row["is_final"] else "info"
        verb = "wins" if row["is_final"] else "leads"
        return Headline(kind, f"{winner(row)} {verb}{so_far}", (_margin(row["margin"]), *told))
    if row["outcome"] == "unresolved tie":
        words = (
            "The ballots leave a tie, which the community manager must decide. The details show who could win, and how."
        )
        return Headline("warn", f"No winner{so_far or ' yet'}: an unresolved tie", (words, *told))
    return Headline("warn", f"No winner{so_far}: no ballots", ("No voter has a ballot with stars.",))


def over_time(timeline: pl.DataFrame) -> str:
    """Say who led when, and how to read the charts.

    Args:
        timeline: As ``snapshots.decision_timeline``.
    """
    rows = timeline.filter(pl.col("measure") == "winner", pl.col("is_current")).sort("timestamp", "snapshot_id")
    titles = dict(timeline.filter(kind="choice").select("subject", "title").iter_rows())
    leads: list[str] = []
    for choice in rows["text"].drop_nulls():
        if not leads or leads[-1] != titles[choice]:
            leads.append(titles[choice])
    told = f"In the lead, one after the other: {', '.join(leads)}. " if len(leads) > 1 else ""
    if len(leads) == 1:
        told = f"{leads[0]} was in the lead all the time. "
    faded = (
        ""
        if timeline["is_current"].all()
        else (
            " Faded marks without a line are of a result that was counted again and does not stand any more; bars show "
            "only what stands."
        )
    )
    return told + (
        "Each mark is a snapshot; the ring is around whoever won it. Stars alone do not decide: the two choices with "
        f"the most meet in a runoff.{faded}"
    )


def recalculate(store: Store, decision_id: str, *, is_manager: bool) -> tuple[bool, str]:
    """Start a calculation that somebody asks for, and do not wait for it (E4).

    Args:
        store: The store.
        decision_id: The decision.
        is_manager: Whether whoever asks manages the community.

    Returns:
        Whether it was started, and what to tell them.
    """
    refused = why_refused(store, decision_id, is_manager=is_manager)
    if refused is not None:
        return False, refused
    threading.Thread(target=_take, args=(store, decision_id), daemon=True, name=CALCULATION).start()
    return True, started(store, decision_id)


def _margin(margin: int | None) -> str:
    if margin is None:
        return "It is the only choice, so there was no runoff."
    if not margin:
        return "The runoff was level; a further step broke the tie, as the details show."
    more = "1 more ballot prefers" if margin == 1 else f"{margin:,} more ballots prefer"
    return f"In the runoff between the two choices with the most stars, {more} it: that is the margin."


def when(at: datetime) -> str:
    """An instant as the history writes it."""
    return f"{at:%Y-%m-%d %H:%M}"


def _take(store: Store, decision_id: str) -> None:
    try:
        take_snapshot(store, decision_id, trigger="manual", wait=0.0)
    except CrowdVoteError:
        return  # the snapshot keeps its error, and the page shows it


def _note(known: pl.DataFrame, row: Mapping[str, Any]) -> str | None:
    """What became of a snapshot that failed or does not stand any more; none of one that stands."""
    if kind_of(row) == "error":
        later = known.filter(pl.col("timestamp") > row["timestamp"], status="completed").tail(1)["timestamp"]
        return f"{_FAILED} the count was made again on {when(later[0])} UTC." if len(later) else f"{_FAILED} {_AGAIN}"
    if not row["superseded_by"]:
        return None
    after = successor(known, row)
    return counted_again(row, after) if after else "Counted again; another snapshot stands in its place."


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
