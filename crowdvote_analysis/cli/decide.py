"""``crowdvote decide``: yes/no decisions, from the vote to the outcome and the reminder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.count import read_state
from crowdvote_analysis.cli.options import AsJson
from crowdvote_analysis.cli.show_yes_no import sentences, show_decision, show_overview, show_rows

if TYPE_CHECKING:
    import polars as pl

    from crowdvote_analysis.state import SystemState

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Yes/no decisions: vote, see the outcome, who is missing, whom to remind.\n\n"
    "Without a folder, the demo communities answer, as of 15 June 2026. Start with [bold]crowdvote decide outcome[/].",
)

_FEW = 2
_COUNTS = ("required", "yes", "no", "abstain", "missing")

Tables: TypeAlias = Annotated[
    Path | None, typer.Argument(help="Folder with the tables; the demo communities by default.", show_default=False)
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", help="The instant, such as '2026-06-15 12:00' (UTC); now by default.", show_default=False),
]
Decision: TypeAlias = Annotated[
    str | None, typer.Option("--decision", "-d", help="This decision only.", show_default=False)
]
Several: TypeAlias = Annotated[
    list[str] | None, typer.Option("--decision", "-d", help="This decision only; may be repeated.", show_default=False)
]


@app.command()
def vote(
    folder: Annotated[Path, typer.Argument(help="Folder with the tables.", show_default=False)],
    vote: Annotated[str, typer.Argument(help="yes, no or abstain.", show_default=False)],
    decision: Annotated[str, typer.Option("--decision", "-d", help="The decision.", show_default=False)],
    member: Annotated[str, typer.Option("--member", "-m", help="Who votes: the id.", show_default=False)],
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="A tag of the vote, for delegated decisions; may be repeated.", show_default=False),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Cast a vote, or change it as long as the decision is open.

    One row is added to [bold]yes_no_votes[/] in the folder; earlier votes stay there as the history. Several programs
    may vote at the same time. A vote that is refused changes nothing.

    Examples:
      crowdvote decide vote mycommunity yes -d roof -m maya

      crowdvote decide vote mycommunity abstain -d lights -m jack --tag budget --tag environment
    """
    from crowdvote_analysis.consensus import decide, record_vote
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.store.append import append_row, locked

    with noting() as notes, locked(folder):
        state = read_state(folder)
        when = _instant(at)
        state = record_vote(state, decision, member, vote, when, tag or ())
        row = state.yes_no_votes.tail(1)
        path = append_row(folder, "yes_no_votes", row)
    outcome = decide(state, [decision], at=when)
    shown = public_names(state).filter(member_id=member, community_id=outcome["community_id"].item())
    if as_json:
        cast = {
            "member_id": shown["public_id"].item(),
            "vote": row["vote"].item(),
            "tags": row["tags"].item().to_list(),
        }
        print_json(_document(_Asked(folder, state, when, notes), outcome, file=str(path), cast=cast))
    else:
        out.print(f"{shown['name'].item()}: {row['vote'].item()}. {sentences(outcome.to_dicts()[0])}", markup=False)


@app.command()
def outcome(folder: Tables = None, decision: Several = None, at: At = None, as_json: AsJson = False) -> None:
    """Say what came out, or what is missing.

    A simple majority needs more yes than half of the votes cast, a supermajority a part of all required voters,
    unanimity nobody's no. Deadlocked is what cannot pass any more, whatever is still voted. Delegated decisions count
    the votes that pass along followings.

    Examples:
      crowdvote decide outcome

      crowdvote decide outcome mycommunity -d roof --at '2026-06-15 12:00'
    """
    from crowdvote_analysis.consensus import decide

    asked = _read(folder, at)
    with working("Counting votes"):
        rows = decide(asked.state, decision, at=asked.at)
    if as_json:
        print_json(_document(asked, rows))
    elif rows.is_empty():
        out.print("There is no yes/no decision here.")
    elif decision or len(rows) <= _FEW:
        for row in rows.iter_rows(named=True):
            show_decision(asked.state, row, asked.at)
    else:
        show_overview(asked.state, rows)
        out.print("One in full: --decision ID.", style="dim")


@app.command()
def missing(folder: Tables = None, decision: Decision = None, at: At = None, as_json: AsJson = False) -> None:
    """List the required voters who have not voted.

    Example:
      crowdvote decide missing mycommunity -d roof
    """
    from crowdvote_analysis.store.questions import missing_voters

    asked = _read(folder, at)
    headings = {"decision_id": "Decision", "name": "Not voted"}
    _answer(asked, missing_voters(asked.state, decision, asked.at), headings, "Nobody is missing.", as_json)


@app.command(name="open")
def open_(folder: Tables = None, at: At = None, as_json: AsJson = False) -> None:
    """List the decisions that can be voted on, the nearest deadline first.

    Example:
      crowdvote decide open mycommunity
    """
    from crowdvote_analysis.store.questions import open_decisions

    asked = _read(folder, at)
    headings = {"decision_id": "Decision", "title": "", "closes_at": "Deadline (UTC)", "cast": "Voted"}
    rows = open_decisions(asked.state, asked.at)
    _answer(asked, rows, headings | {"missing": "Missing"}, "Nothing can be voted on.", as_json)


@app.command()
def summary(folder: Tables = None, at: At = None, as_json: AsJson = False) -> None:
    """Count the votes cast by hand, decision by decision.

    Example:
      crowdvote decide summary mycommunity
    """
    from crowdvote_analysis.store.questions import vote_summary

    asked = _read(folder, at)
    headings = {"decision_id": "Decision"} | {name: name.capitalize() for name in _COUNTS}
    _answer(asked, vote_summary(asked.state, asked.at), headings, "There is no yes/no decision here.", as_json)


@app.command()
def eligible(
    member: Annotated[
        str,
        typer.Option("--member", "-m", help="The member: id, or pseudonym such as 'Anonymous 7'.", show_default=False),
    ],
    folder: Tables = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say where a member may vote, and where not and why.

    Example:
      crowdvote decide eligible mycommunity -m maya
    """
    from crowdvote_analysis.store.questions import eligibility

    asked = _read(folder, at)
    headings = {"decision_id": "Decision", "may_vote": "May vote", "vote": "Vote so far", "why_not": "Why not"}
    nothing = "There is no yes/no decision in their communities."
    _answer(asked, eligibility(asked.state, member, asked.at), headings, nothing, as_json)


@app.command()
def reminders(
    folder: Tables = None,
    within: Annotated[int, typer.Option("--within", min=0, help="Days ahead to look for deadlines.")] = 3,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say whom to remind of a deadline that is near or has passed, one sentence each.

    Example:
      crowdvote decide reminders mycommunity --within 7
    """
    from crowdvote_analysis.store.questions import reminders as due

    asked = _read(folder, at)
    rows = due(asked.state, asked.at, within)
    if as_json:
        print_json(_document(asked, rows))
    else:
        out.print("\n".join(rows["sentence"]) or "Nobody needs to be reminded.", markup=False, soft_wrap=True)


# --- reading and telling -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What a question is about: the tables, the instant, and what was noted while reading."""

    folder: Path
    state: SystemState
    at: datetime
    notes: list[str]


def _read(folder: Path | None, at: str | None) -> _Asked:
    from crowdvote_analysis.bundled import DEMO_DATE, demo_folder

    when = DEMO_DATE if folder is None and at is None else _instant(at)
    folder = folder or demo_folder()
    with noting() as notes:
        return _Asked(folder, read_state(folder), when, notes)


def _instant(at: str | None) -> datetime:
    """A time as the tables understand it; the only look at the clock."""
    if at is None:
        return datetime.now(UTC)
    import polars as pl

    from crowdvote_analysis import columns, tables

    given = pl.DataFrame({"at": [at]})
    time = tables.columns("yes_no_votes")["voted_at"]
    read: datetime | None = given.select(columns.parsed(time, "at", given.schema)).item()
    if read is None:
        raise typer.BadParameter(f"{at!r} is not a time such as '2026-06-15 12:00' (UTC).", param_hint="--at")
    return read


def _answer(asked: _Asked, rows: pl.DataFrame, headings: dict[str, str], nothing: str, as_json: bool) -> None:
    """Print rows: all their columns for programs, those with headings for people."""
    if as_json:
        print_json(_document(asked, rows))
    elif rows.is_empty():
        out.print(nothing)
    else:
        show_rows(rows, headings)


def _document(asked: _Asked, rows: pl.DataFrame, **more: object) -> dict[str, Any]:
    """Rows that JSON knows, decimals and times as text (D10), and what was asked."""
    import polars.selectors as cs

    from crowdvote_analysis.store.export import CSV_TIME

    texts = rows.with_columns(cs.decimal().cast(str), cs.datetime(time_zone="*").dt.strftime(CSV_TIME))
    where = {"folder": str(asked.folder), "at": asked.at.isoformat(), "notes": asked.notes}
    return where | more | {"rows": texts.to_dicts()}
