"""``crowdvote decide``: yes/no decisions, from the vote to the outcome and the reminder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.options import AsJson, Cycles, CyclesOption, Quarantine, WorkLimit
from crowdvote_analysis.cli.reading import holds_store, open_store, read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.cli.show_yes_no import said_so_far, sentences, show_decision, show_overview, show_rows
from crowdvote_analysis.cli.times import instant, now
from crowdvote_analysis.errors import CyclicCoreTooLarge, InvalidTableError
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crowdvote_analysis.state import SystemState

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Yes/no decisions: vote, see the outcome, who is missing, whom to remind.\n\n"
    "Without a folder, the demo communities answer, as of 15 June 2026. Start with [bold]crowdvote decide outcome[/].",
)

_FEW = 2
# How far the clock of whoever hands a vote in may be ahead of ours.
_AHEAD = timedelta(minutes=1)
_COUNTS = ("required", "yes", "no", "abstain", "missing")

Tables: TypeAlias = Annotated[
    str | None,
    typer.Argument(help="Folder with the tables, or a store; the demo communities by default.", show_default=False),
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", help="The instant, such as '2026-06-15 12:00' (UTC); now by default.", show_default=False),
]
CastAt: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="When the vote was cast, for votes handed in on paper, such as '2026-06-15 12:00' (UTC); now by default, "
        "and never later.",
        show_default=False,
    ),
]
Decision: TypeAlias = Annotated[
    str | None, typer.Option("--decision", "-d", help="This decision only.", show_default=False)
]
Several: TypeAlias = Annotated[
    list[str] | None, typer.Option("--decision", "-d", help="This decision only; may be repeated.", show_default=False)
]


@app.command()
def vote(
    folder: Annotated[str, typer.Argument(help="Folder with the tables, or a store.", show_default=False)],
    vote: Annotated[str, typer.Argument(help="yes, no or abstain.", show_default=False)],
    decision: Annotated[str, typer.Option("--decision", "-d", help="The decision.", show_default=False)],
    member: Annotated[str, typer.Option("--member", "-m", help="Who votes: the id.", show_default=False)],
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="A tag of the vote, for delegated decisions; may be repeated.", show_default=False),
    ] = None,
    at: CastAt = None,
    cycles: CyclesOption = None,
    work_limit: WorkLimit = WORK_LIMIT,
    as_json: AsJson = False,
) -> None:
    """Cast a vote, or change it as long as the decision is open.

    One row is added to [bold]yes_no_votes[/]; earlier votes stay there as the history. Several programs
    may vote at the same time. A vote that is refused changes nothing. [bold]--cycles[/] and [bold]--work-limit[/] are
    for the outcome that is told afterwards, where votes pass along followings.

    Examples:
      crowdvote decide vote mycommunity yes -d roof -m maya

      crowdvote decide vote mycommunity abstain -d lights -m jack --tag budget --tag environment

      crowdvote decide vote mycommunity no -d roof -m kelly --at '2026-06-15 12:00'
    """
    from crowdvote_analysis.consensus import decide
    from crowdvote_analysis.privacy import public_names

    cast_at = _cast_at(at)
    with noting() as notes:
        record = _in_store if holds_store(folder) else _in_folder
        state, row, path, when = record(folder, decision, member, vote, cast_at, tag or [])
    try:
        outcome = decide(state, [decision], at=when, cycles=_rule(cycles), work_limit=work_limit)
        said = sentences(outcome.to_dicts()[0])
    except CyclicCoreTooLarge as error:  # the vote is there all the same
        outcome, said = state.yes_no_votes.clear(), f"The vote is recorded; the outcome cannot be worked out: {error}"
        notes.append(said)
    community = state.decisions.filter(decision_id=decision)["community_id"].item()
    shown = public_names(state).filter(member_id=member, community_id=community)
    if as_json:
        cast = {
            "member_id": shown["public_id"].item(),
            "vote": row["vote"].item(),
            "tags": row["tags"].item().to_list(),
        }
        document = _document(_Asked(folder, state, when, notes), outcome, file=str(path), cast=cast)
        print_json(document | {"outcome": next(iter(document["rows"]), None)})
    else:
        out.print(f"{shown['name'].item()}: {row['vote'].item()}. {said}", markup=False)


@app.command()
@about_sheets
def outcome(
    folder: Tables = None,
    decision: Several = None,
    at: At = None,
    cycles: CyclesOption = None,
    quarantine: Quarantine = False,
    work_limit: WorkLimit = WORK_LIMIT,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Say what came out, or what is missing.

    A simple majority needs more yes than half of the votes cast, a supermajority a part of all required voters,
    unanimity nobody's no. Deadlocked is what cannot pass any more, whatever is still voted. Delegated decisions count
    the votes that pass along followings; one of them that cannot be counted is named, and the others are told.

    Examples:
      crowdvote decide outcome

      crowdvote decide outcome mycommunity -d roof --at '2026-06-15 12:00'
    """
    asked = _read(folder, at, quarantine, sheets)
    with working("Counting votes"):
        rows, uncounted = _decided(asked, decision, cycles, work_limit)
    if as_json:
        print_json(
            _document(asked, rows, uncounted=[{"decision_id": each, "why": why} for each, why in uncounted.items()])
        )
        return
    if rows.is_empty() and not uncounted:
        out.print("There is no yes/no decision here.")
    elif decision or len(rows) <= _FEW:
        for row in rows.iter_rows(named=True):
            show_decision(asked.state, row, asked.at)
    else:
        show_overview(asked.state, rows)
        out.print("One in full: --decision ID.", style="dim")
    for why in uncounted.values():
        out.print(f"Cannot be counted: {why}", style="yellow", markup=False)


@app.command()
@about_sheets
def missing(
    folder: Tables = None,
    decision: Decision = None,
    at: At = None,
    quarantine: Quarantine = False,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """List the required voters who have not voted by hand, or only after the deadline.

    Example:
      crowdvote decide missing mycommunity -d roof
    """
    from crowdvote_analysis.store.questions import missing_voters

    asked = _read(folder, at, quarantine, sheets)
    headings = {"decision_id": "Decision", "name": "Not voted"}
    _answer(asked, missing_voters(asked.state, decision, asked.at), headings, "Nobody is missing.", as_json)


@app.command(name="open")
@about_sheets
def open_(
    folder: Tables = None, at: At = None, quarantine: Quarantine = False, as_json: AsJson = False, *, sheets: Sheets
) -> None:
    """List the decisions that can be voted on, the nearest deadline first.

    Example:
      crowdvote decide open mycommunity
    """
    from crowdvote_analysis.store.questions import open_decisions

    asked = _read(folder, at, quarantine, sheets)
    headings = {"decision_id": "Decision", "title": "", "closes_at": "Deadline (UTC)", "cast": "Voted"}
    rows = open_decisions(asked.state, asked.at)
    _answer(asked, rows, headings | {"missing": "Missing"}, "Nothing can be voted on.", as_json)


@app.command()
@about_sheets
def summary(
    folder: Tables = None, at: At = None, quarantine: Quarantine = False, as_json: AsJson = False, *, sheets: Sheets
) -> None:
    """Count the votes cast by hand, decision by decision.

    Example:
      crowdvote decide summary mycommunity
    """
    from crowdvote_analysis.store.questions import vote_summary

    asked = _read(folder, at, quarantine, sheets)
    headings = {"decision_id": "Decision"} | {name: name.capitalize() for name in _COUNTS}
    _answer(asked, vote_summary(asked.state, asked.at), headings, "There is no yes/no decision here.", as_json)


@app.command()
@about_sheets
def eligible(
    member: Annotated[
        str,
        typer.Option("--member", "-m", help="The member: id, or pseudonym such as 'Anonymous 7'.", show_default=False),
    ],
    folder: Tables = None,
    at: At = None,
    quarantine: Quarantine = False,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Say where a member may vote, and where not and why.

    Example:
      crowdvote decide eligible mycommunity -m maya
    """
    from crowdvote_analysis.store.questions import eligibility

    asked = _read(folder, at, quarantine, sheets)
    rows = _with_what_counts(asked, eligibility(asked.state, member, asked.at))
    headings = {"decision_id": "Decision", "may_vote": "May vote", "vote": "Vote so far", "why_not": "Why not"}
    if not as_json:
        rows = rows.with_columns(vote=said_so_far())
    _answer(asked, rows, headings, "There is no yes/no decision in their communities.", as_json)


@app.command()
@about_sheets
def reminders(
    folder: Tables = None,
    within: Annotated[int, typer.Option("--within", min=0, help="Days ahead to look for deadlines.")] = 3,
    at: At = None,
    quarantine: Quarantine = False,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Say whom to remind of a deadline that is near or has passed, one sentence each.

    Example:
      crowdvote decide reminders mycommunity --within 7
    """
    from crowdvote_analysis.store.questions import reminders as due

    asked = _read(folder, at, quarantine, sheets)
    rows = due(asked.state, asked.at, within)
    if as_json:
        print_json(_document(asked, rows))
    else:
        out.print("\n".join(rows["sentence"]) or "Nobody needs to be reminded.", markup=False, soft_wrap=True)


# --- reading and telling -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What a question is about: the tables, the instant, and what was noted while reading."""

    folder: str
    state: SystemState
    at: datetime
    notes: list[str]


def _read(folder: str | None, at: str | None, quarantine: bool, sheets: Sheets) -> _Asked:
    from crowdvote_analysis.bundled import DEMO_DATE, demo_folder

    when = instant(at) if at is not None else DEMO_DATE if folder is None else now()
    folder = folder or str(demo_folder())
    with noting() as notes:
        return _Asked(folder, read_state(folder, quarantine, sheets=sheets), when, notes)


def _in_folder(
    folder: str, decision: str, member: str, vote: str, cast_at: datetime | None, tags: list[str]
) -> tuple[SystemState, pl.DataFrame, str, datetime]:
    """Add a vote to the files of a folder; gives the tables with it, its row, the file and the instant."""
    from crowdvote_analysis.consensus import record_vote
    from crowdvote_analysis.store.append import append_row
    from crowdvote_analysis.store.locking import locked

    with locked(folder):
        state = _read_to_vote(folder)
        when = cast_at or now()
        state = record_vote(state, decision, member, vote, when, tags)
        row = state.yes_no_votes.tail(1)
        path = append_row(folder, "yes_no_votes", row, {"decision_id": state.decisions["decision_id"].to_list()})
    return state, row, str(path), when


def _in_store(
    folder: str, decision: str, member: str, vote: str, cast_at: datetime | None, tags: list[str]
) -> tuple[SystemState, pl.DataFrame, str, datetime]:
    """Record a vote in a store; gives the tables with it, its row, the store and the instant."""
    from crowdvote_analysis.store import recording

    store = open_store(folder)
    commit = recording.vote(store, decision, member, vote, tags, cast_at)
    when = cast_at or commit.at
    state = store.cut(seq=commit.seq).state()
    row = state.yes_no_votes.filter(decision_id=decision, member_id=member, voted_at=when)
    return state, row, str(store.location), when


def _read_to_vote(folder: str) -> SystemState:
    """Read a folder; nothing may be set aside, since a vote could be among it."""
    try:
        return read_state(folder)
    except InvalidTableError as error:
        if "quarantine" not in str(error):
            raise
        raise InvalidTableError(error.problems, "Mend the rows first, then vote.") from None


def _decided(
    asked: _Asked, decisions: Sequence[str] | None, cycles: Cycles | None, work_limit: int
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The outcomes, and why there is none, by decision; who asks for one by its id gets the error."""
    import polars as pl

    from crowdvote_analysis.consensus import decide

    def outcomes(ids: Sequence[str] | None) -> pl.DataFrame:
        return decide(asked.state, ids, at=asked.at, cycles=_rule(cycles), work_limit=work_limit)

    try:
        return outcomes(decisions), {}
    except CyclicCoreTooLarge:
        here = asked.state.decisions.filter(pl.col("method") != "star")
        if decisions or len(here) == 1:
            raise
    rows: list[pl.DataFrame] = []
    uncounted: dict[str, str] = {}
    alone = pl.when("delegated").then("decision_id")  # those that are not delegated are counted together
    for _, group in here.group_by(alone.alias("alone"), maintain_order=True):
        ids = group["decision_id"].to_list()
        try:
            rows.append(outcomes(ids))
        except CyclicCoreTooLarge as error:
            uncounted |= dict.fromkeys(ids, str(error))
    return pl.concat(rows).sort("decision_id") if rows else here.clear(), dict(sorted(uncounted.items()))


def _rule(cycles: Cycles | None) -> str | None:
    return cycles.value if cycles else None


def _cast_at(at: str | None) -> datetime | None:
    """The time of a vote that was cast earlier; none for one that is cast now."""
    if at is None:
        return None
    when = instant(at)
    if when > now() + _AHEAD:
        raise typer.BadParameter(
            f"{at!r} lies in the future. A vote is cast now, or was cast earlier on paper.", param_hint="--at"
        )
    return when


def _with_what_counts(asked: _Asked, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a member with a column not_counted: why the vote that stands there does not count."""
    from crowdvote_analysis.consensus import standing_votes
    from crowdvote_analysis.privacy import public_ids, public_names

    where = asked.state.decisions.select("decision_id", "community_id")
    votes = standing_votes(asked.state, asked.at).join(where, on="decision_id")
    key = ["decision_id", "community_id", "member_id"]
    why = public_ids(votes, public_names(asked.state), ["member_id"]).select(*key, "not_counted")
    return rows.join(why, on=key, how="left", maintain_order="left")


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
