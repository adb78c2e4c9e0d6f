"""Summaries as tables that a person reads."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from crowdvote_analysis.explanation.loops import loops_in_short
from crowdvote_analysis.star.steps import RULE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    Document = dict[str, Any]

_BAR = 14  # characters of the longest bar

_WHY = {
    "no_match": "no tag matches",
    "no_ballot": "they have no ballot",
    "circular": "only themselves",
    "not_a_member": "not a member",
}


def show_overview(console: Console, documents: list[Document], refused: Sequence[Document] = ()) -> None:
    """One row a decision: participation and outcome, or that it takes too much work to count, by community."""
    table = _table("Decision", ">By hand", ">Calculated", ">None", "Winner", ">Margin")
    table.columns[0].no_wrap = True
    community = None
    for document in sorted([*documents, *refused], key=lambda each: (each["community_id"], each["decision_id"])):
        if document["community_id"] != community:
            community = document["community_id"]
            table.add_row(f"[bold cyan]{escape(document['community'] or community)}[/]")
        if "error" in document:
            table.add_row(f"  {escape(document['decision_id'])}", "", "", "", "[red]refused[/]", "")
            continue
        numbers, tally = document["participation"], document["tally"]
        table.add_row(
            f"  {escape(document['decision_id'])}",
            f"{numbers['manual_ballots']:,}",
            f"{numbers['calculated_ballots']:,}",
            f"{numbers['no_ballot']:,}",
            _winner(tally),
            f"{tally['runoff']['margin']:,}" if tally.get("runoff") else "",
        )
    console.print(table)


def show_decision(console: Console, document: Document, *, delegated: bool = True) -> None:
    """Everything about one decision: participation, scores, runoff, winner, most influential voters."""
    console.print()
    heading = escape(document["title"] or document["decision_id"])
    where = document["community"] or document["community_id"]
    console.rule(f"[bold]{heading}[/]" + (f"  [dim]{escape(where)}[/]" if delegated else ""), align="left")
    if delegated:
        _show_participation(console, document)
    else:
        console.print(" · ".join(_ballots(document)), style="dim")
        console.print()
    tally = document["tally"]
    if tally["status"] == "no ballots":
        console.print("Nobody has a ballot, so there is nothing to tally.", style="yellow")
        return
    _show_scores(console, tally, document["ratings"])
    _show_runoff(console, tally)
    console.print(f"[bold]{outcome(document)}[/]")
    if document["too_many"]:
        console.print(document["too_many"], style="dim")
    for sentence in (
        tally["why_leader_lost"],
        (document["robustness"] or {}).get("sentence"),
        _carried(document),
        document.get("bettervoting"),
    ):
        if sentence:
            console.print(escape(sentence))
    if document["protocols"]:
        _show_protocols(console, document)
    if document["loop_rules"]:
        _show_loop_rules(console, document)
    if delegated:
        _show_influential(console, document)


def outcome(document: Document) -> str:
    """The outcome in a few words, with markup escaped."""
    tally = document["tally"]
    if tally["status"] == "no ballots":
        return "no ballots"
    titles = _titles(tally)
    if tally["winner"] is None:
        tied = ", ".join(titles[choice] for choice in tally["tie"]["tied"])
        possible = tally["possible_winners"]
        if len(possible) == 1:
            return escape(f"Unresolved tie between {tied}; whatever is decided, {titles[possible[0]]} wins")
        return escape(f"Unresolved tie between {tied}; the community manager must decide")
    winner = titles[tally["winner"]]
    runoff = tally["runoff"]
    if runoff is None:
        return escape(f"Winner: {winner} (the only choice)")
    how = {
        "sum": "; tied runoff, higher total score",
        "max_count": "; tied runoff, more five-star ballots",
        "manager": "; tied runoff, decided by the community manager",
    }
    place = tally["decided_by_manager"] and runoff["decided_by"] != "manager"
    manager = "; a place in the runoff was decided by the community manager" if place else ""
    margin = _counted(runoff["margin"], "ballot")
    return escape(f"Winner: {winner} (margin: {margin}{how.get(runoff['decided_by'], '')}{manager})")


def _carried(document: Document) -> str:
    """Whose leads make up the margin."""
    carried = document["carried_by"]
    if not carried or not carried["first"]:
        return ""
    first = ", ".join(f"{voter['name']} ({Decimal(voter['lead']):.2f})" for voter in carried["first"])
    more = carried["voters"] - len(carried["first"])
    others = f" and {more:,} more" if more else ""
    return f"The margin rests on {first}{others}: their ballots for the winner, less those against."


def _show_protocols(console: Console, document: Document) -> None:
    titles = _titles(document["tally"])
    table = _table("Tie protocol", "Winner", "Finalists", "Steps", "Parts at")
    for row in document["protocols"]:
        winner = titles.get(row["winner"], "unresolved: " + " or ".join(titles[one] for one in row["possible_winners"]))
        table.add_row(
            row["protocol"],
            escape(winner),
            escape(", ".join(titles[one] for one in row["finalists"])),
            ", ".join(RULE_NAMES[rule] for rule in row["rules"]),
            "same steps" if row["parts_at_step"] is None else f"step {row['parts_at_step']}",
        )
    console.print(table)
    if document["tally"]["tie_order"]:
        console.print("The protocols are compared without the order of the community manager.", style="dim")


def _show_loop_rules(console: Console, document: Document) -> None:
    compared, titles = document["loop_rules"], _titles(document["tally"])
    if document["cores"]:
        table = _table("Rule for loops", "Winner", "Finalists", ">Margin", ">Ballots that differ")
        for row in compared["rules"]:
            table.add_row(*_loop_rule(row, titles))
        console.print(table)
    console.print(escape(compared["sentence"]))


def _loop_rule(row: Document, titles: Mapping[str, str]) -> tuple[str, ...]:
    if row["status"] == "refused":
        return row["rule"], "[dim]takes too much work to say[/]", "", "", ""
    finalists, possible = ([titles[one] for one in row[name] or ()] for name in ("finalists", "possible_winners"))
    winner = titles.get(row["winner"], f"unresolved: {' or '.join(possible)}")
    margin = "" if row["margin"] is None else f"{row['margin']:,}"
    return row["rule"], escape(winner), escape(", ".join(finalists)), margin, f"{row['ballots_that_differ']:,}"


def _winner(tally: Document) -> str:
    if tally["status"] == "no ballots":
        return "[dim]no ballots[/]"
    titles = _titles(tally)
    if tally["winner"] is None:
        return "[yellow]unresolved tie[/]: " + escape(" = ".join(titles[choice] for choice in tally["tie"]["tied"]))
    return escape(titles[tally["winner"]]) + (" [dim](by the manager)[/]" if tally["decided_by_manager"] else "")


def _show_participation(console: Console, document: Document) -> None:
    numbers = document["participation"]
    table = _table("Participation", ">Voters", ">Share")
    everyone = max(1, numbers["total_members"])
    for label, key in (("voted by hand", "manual_ballots"), ("calculated from followings", "calculated_ballots")):
        table.add_row(label, f"{numbers[key]:,}", f"{numbers[key] / everyone:.1%}")
    table.add_row("without ballot", f"{numbers['no_ballot']:,}", f"{numbers['no_ballot'] / everyone:.1%}")
    for reason, count in document["reasons"].items():
        gave_nothing = ", ".join(_WHY.get(part, "") for part in reason.split("+"))
        words = "follow nobody" if reason == "no_followings" else f"follow others: {gave_nothing}"
        table.add_row(f"[dim]  {words}[/]", f"[dim]{count:,}[/]", "")
    console.print(table)
    parts = _ballots(document)
    parts.append(f"deepest delegation {numbers['max_delegation_depth']}")
    if numbers["lobbyists"]:
        parts.append(f"{_counted(numbers['lobbyists'], 'lobbyist')} (never tallied)")
    if numbers["circular_prevented"]:
        parts.append(loops_in_short(numbers["circular_prevented"], document["cores"], document["cycle_rule"]))
    if numbers["non_member_ballots"]:
        parts.append(f"{numbers['non_member_ballots']:,} ballots of non-members not counted")
    if numbers["untimely_ballots"]:
        parts.append(f"{_counted(numbers['untimely_ballots'], 'ballot')} outside of the voting time not counted")
    console.print(" · ".join(parts), style="dim")
    console.print()


def _ballots(document: Document) -> list[str]:
    """How many ballots are tallied, and how many of them say nothing (D5)."""
    ballots = document["ballots"]
    parts = [f"{_counted(ballots['tallied'], 'ballot')} tallied"]
    if ballots["blank"]:
        parts.append(f"{_counted(ballots['blank'], 'ballot')} blank as a whole, not tallied")
    if ballots["level"]:
        parts.append(f"{_counted(ballots['level'], 'ballot')} with the same stars for every choice")
    return parts


def _show_scores(console: Console, tally: Document, ratings: list[Document]) -> None:
    rated = {row["choice_id"]: row for row in ratings}
    some_blank = any(row["blank"] for row in ratings)
    finalists = tally["finalists"]
    totals = [Decimal(row["total"]) for row in tally["scores"]]
    highest, places = max(totals), 0 if all(total == int(total) for total in totals) else 8
    more = (">Left blank", ">Average of who rated it") if some_blank else ()
    table = _table("Score phase", ">Stars", ">Average", "", ">Five stars", *more)
    for row in tally["scores"]:
        length = round(_BAR * Decimal(row["total"]) / highest) if highest else 0
        style = "bold" if row["choice_id"] in finalists else ""
        table.add_row(
            escape(row["title"]),
            f"{Decimal(row['total']):,.{places}f}",
            f"{Decimal(row['average']):.2f}",
            f"[{'cyan' if style else 'dim'}]{'█' * length}[/]",
            f"{row['five_star_count']:,}",
            *(_rated(rated[row["choice_id"]]) if some_blank else ()),
            style=style,
        )
    console.print(table)
    if some_blank:
        console.print("Where a choice was left blank it counts 0 stars, in its average as well.", style="dim")
    for line in tally["log"]:
        if line.startswith(("Score Tie", "Runoff Tie", "Order of the Community Manager")):
            console.print(f"[yellow]{escape(line)}[/]")
    console.print()


def _rated(row: Document) -> tuple[str, str]:
    average = row["average_rated"]
    return f"{row['blank']:,}", "–" if average is None else f"{Decimal(average):.2f}"


def _show_runoff(console: Console, tally: Document) -> None:
    runoff = tally["runoff"]
    if runoff is None:
        return
    titles, ballots = _titles(tally), max(1, tally["vote_count"])
    table = _table("Runoff", ">Ballots", ">Share")
    for choice, votes in runoff["votes"].items():
        style = "bold" if choice == tally["winner"] else ""
        table.add_row(escape(titles[choice]), f"{votes:,}", f"{votes / ballots:.1%}", style=style)
    table.add_row(
        "no preference", f"{runoff['no_preference']:,}", f"{runoff['no_preference'] / ballots:.1%}", style="dim"
    )
    console.print(table)
    console.print()


def _show_influential(console: Console, document: Document) -> None:
    if not document["most_influential"]:
        return
    table = _table("Most influential", ">Weight", ">Followed directly", ">In all")
    for row in document["most_influential"]:
        total = row["influence_total"]
        trophy = " 🏆" if row["trophy"] else ""
        lobbyist = "" if row["is_voter"] else " [dim](lobbyist)[/]"
        table.add_row(
            escape(row["name"]) + lobbyist + trophy,
            f"{row['weight']:,.3f}",
            f"{row['influence_direct']:,}",
            "–" if total is None else f"{total:,}",
        )
    console.print()
    console.print(table)
    console.print("Weight: how many of the tallied ballots are theirs, traced back to the source.", style="dim")
    if any(row["trophy"] for row in document["most_influential"]):
        console.print("🏆: in the most members' trees of sources.", style="dim")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _titles(tally: Document) -> dict[str, str]:
    return {row["choice_id"]: row["title"] for row in tally["scores"]}


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left")
    return table
