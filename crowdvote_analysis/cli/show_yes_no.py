"""Yes/no decisions as a person reads them on a screen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.cli.console import out

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from crowdvote_analysis.state import SystemState

# How many names of the missing are told, and how long the bars are.
_NAMES, _BAR = 12, 40
_PARTS = (("yes", "green"), ("no", "red"), ("abstain", "yellow"))


def show_overview(state: SystemState, rows: pl.DataFrame) -> None:
    """One row a decision, by community; missing is who has not voted by hand, in delegated decisions too."""
    import polars as pl
    from rich.markup import escape

    from crowdvote_analysis.consensus.words import in_short

    table = _table("Decision", ">Yes", ">No", ">Abstain", ">Missing", "Outcome")
    table.columns[0].no_wrap = True
    shown = (
        rows.join(state.communities.select("community_id", community="title"), on="community_id")
        .sort("community", "community_id", "closes_at", "decision_id", nulls_last=True)
        .with_columns(outcome=pl.format("{}: {}", in_short(pl.col("status")), "reason"))
    )
    community = None
    for row in shown.iter_rows(named=True):
        if row["community_id"] != community:
            community = row["community_id"]
            table.add_row(f"[bold cyan]{escape(row['community'])}[/]")
        votes = [_number(row[part]) for part in ("yes", "no", "abstain")]
        table.add_row(f"  {escape(row['decision_id'])}", *votes, f"{row['remaining']:,}", escape(row["outcome"]))
    out.print(table)


def show_decision(state: SystemState, row: dict[str, Any], at: datetime) -> None:
    """Everything about one decision: votes, outcome, what is missing and who."""
    from rich.markup import escape

    from crowdvote_analysis.store.questions import missing_voters

    out.print()
    out.rule(f"[bold]{escape(row['title'])}[/]  [dim]{escape(row['decision_id'])}[/]", align="left")
    deadline = f"closes {row['closes_at']:%Y-%m-%d %H:%M} UTC" if row["closes_at"] else "no deadline"
    how = "delegated " * row["delegated"] + row["method"].replace("_", " ")
    out.print(f"{how} · {deadline} · {row['status']}", style="dim", markup=False)
    out.print()
    # In a delegated decision somebody who has not voted by hand may have a ballot all the same.
    silent = "no ballot" if row["delegated"] else "not voted"
    for part, style in (*_PARTS, (silent, "dim")):
        votes = _silent(row) if part == silent else row[part]
        length = round(_BAR * votes / max(row["required"], row["cast"], 1))
        out.print(f"{part:>9} {_number(votes):>8} [{style}]{'█' * length}[/]")
    out.print()
    out.print(f"[bold]{escape(sentences(row))}[/]")
    if row["delegated"]:
        _show_by_hand(state, row["decision_id"], at)
    names = missing_voters(state, row["decision_id"], at)["name"].to_list()
    if names:
        more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
        out.print(f"Not voted by hand: {', '.join(names[:_NAMES])}{more}.", style="dim", markup=False)


def sentences(row: dict[str, Any]) -> str:
    """Where a decision stands, in sentences."""
    status = "Passes so far" if row["passed"] else "Does not pass so far"
    status = status if row["status"] == "active" else row["status"].capitalize()
    further = [row["deadlock_reason"] and f"Deadlocked: {row['deadlock_reason']}", row["missing"]]
    more = [sentence for sentence in further if sentence] if row["status"] == "active" and not row["passed"] else []
    return ". ".join([f"{status}: {row['reason']}", *more]) + "."


def show_rows(rows: pl.DataFrame, headings: dict[str, str]) -> None:
    """Show some columns of a frame under these headings."""
    from rich.markup import escape

    numbers = {name: ">" if rows.schema[name].is_numeric() else "" for name in headings}
    table = _table(*(numbers[name] + heading for name, heading in headings.items()))
    table.columns[0].no_wrap = True
    for row in rows.select(list(headings)).iter_rows():
        table.add_row(*(escape(_cell(value)) for value in row))
    out.print(table)


def said_so_far() -> pl.Expr:
    """The vote of a member, and why it does not count where it does not."""
    import polars as pl

    why = pl.format("{} (does not count: {})", "vote", "not_counted")
    return pl.coalesce(why, "vote")


def _show_by_hand(state: SystemState, decision_id: str, at: datetime) -> None:
    from crowdvote_analysis.consensus import decide

    alone = decide(state, [decision_id], at=at, delegated=False).to_dicts()[0]
    out.print(f"By hand alone: {alone['reason']}.", markup=False)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left")
    return table


def _silent(row: dict[str, Any]) -> int:
    return int(max(0, row["required"] - row["cast"]))


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _number(votes: Any) -> str:
    return f"{votes:,.2f}".rstrip("0").rstrip(".") if votes % 1 else f"{votes:,.0f}"
