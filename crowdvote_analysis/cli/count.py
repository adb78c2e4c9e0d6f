"""``crowdvote count`` and ``crowdvote demo``: tables in, everyone's ballot and the winners out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.count_files import Memory, Out, count_to_files
from crowdvote_analysis.cli.finals import note_finals
from crowdvote_analysis.cli.options import (
    AsJson,
    Asked,
    AsOf,
    CompareRules,
    Cycles,
    CyclesOption,
    Decisions,
    Folder,
    Protocol,
    Protocols,
    Quarantine,
    StorageOptions,
    TieOrders,
    Top,
    WorkLimit,
    read_tie_orders,
)
from crowdvote_analysis.cli.reading import note_choices, read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.errors import CrowdVoteError, UnreadableFileError
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

UNRESOLVED = 3
_FEW = 3
_TOP = 5
_NAMED = 20  # decisions that an error names
_SHOWCASE = "village-green"

All = Annotated[bool, typer.Option("--all", "-a", help="Show every decision in full, however many there are.")]


@about_sheets
def count(
    folder: Folder,
    decision: Decisions = None,
    cycles: CyclesOption = None,
    protocol: Protocol = Protocols.starvote,
    tie_orders: TieOrders = None,
    compare: CompareRules = False,
    quarantine: Quarantine = False,
    top: Top = _TOP,
    show_all: All = False,
    work_limit: WorkLimit = WORK_LIMIT,
    as_of: AsOf = None,
    storage: StorageOptions = None,
    to: Out = None,
    memory: Memory = None,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Count the decisions of a folder: participation, scores, runoff, winner, most influential voters.

    The folder holds Parquet or CSV files named after the tables: [bold]ballots[/], [bold]votes[/] and
    [bold]followings[/] are enough to start with; members, decisions, choices and communities are optional.
    Without a table votes, every further column of ballots is taken as a choice.

    With [bold]--out[/], tables that are larger than memory are counted from Parquet to Parquet: everyone's ballot and
    stars as files, with hashes. What it will take on disk and in time is said before it starts; an ended run goes on.

    Examples:
      crowdvote count data/demo

      crowdvote count mycommunity --decision playground --cycles equilibrium

      crowdvote count mycommunity --quarantine --json > result.json

      crowdvote count data/demo -d bench-colour --tie-order "bench-colour: green, blue"

      crowdvote count mystore --as-of '2026-06-15 12:00'

      crowdvote count bigtown --out bigtown-counted --memory 4GB
    """
    if to is not None:
        others = {
            "--compare": compare,
            "--quarantine": quarantine,
            "--top": top != _TOP,
            "--all": show_all,
            "--as-of": as_of,
            "--storage-option": storage,
            "--separator": sheets.separator,
            "--id": sheets.id_column,
            "--choices": sheets.choices,
            "--leave-out": sheets.leave_out,
        }
        tied = count_to_files(
            folder,
            to,
            memory=memory,
            decisions=decision,
            cycles=cycles,
            protocol=protocol.value,
            tie_orders=tie_orders,
            work_limit=work_limit,
            as_json=as_json,
            others=others,
        )
        if decision and tied:
            raise typer.Exit(UNRESOLVED)
        return
    if memory is not None:
        raise typer.BadParameter("goes with --out, which counts from files to files.", param_hint="--memory")
    with noting() as notes:
        state = read_state(folder, quarantine, as_of, storage, sheets)
        note_choices(folder, state, sheets)
        yes_no = len(state.decisions) - len(state.decisions.filter(method="star"))
        if yes_no == len(state.decisions):
            what = f"{folder}: there is no decision to count with stars; ballots or votes are missing."
            raise UnreadableFileError(f"{what} Yes/no decisions: crowdvote decide outcome {folder}" if yes_no else what)
        resolution = resolve_state(state, decision, cycles, work_limit, on_refusal="report")
        asked = Asked(protocol.value, read_tie_orders(tie_orders), top, compare, compare)
        documents, refused = _documents(state, resolution, asked)
        if as_of is None:
            note_finals(folder, storage, documents)
    if as_json:
        print_json({"folder": str(folder), "notes": notes, "decisions": documents, "refused": refused})
    else:
        _show(documents, refused, in_full=show_all or bool(decision))
        if yes_no and not decision:
            out.print(
                f"Yes/no decisions, {yes_no:,} of them: crowdvote decide outcome {folder}", style="dim", markup=False
            )
    tell_refused(resolution)
    if decision and any(document["tally"]["status"] == "unresolved tie" for document in documents):
        raise typer.Exit(UNRESOLVED)


def demo(
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="FOLDER", help="Make a store of them, with a history.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the demo communities: three communities, twelve decisions, one of them shown in full.

    With --store they become a store instead, with ballots that came in over weeks and snapshots taken meanwhile; its
    times are moved so that what is open in the demo is open today.

    Examples:
      crowdvote demo

      crowdvote demo --store demo-store
    """
    from crowdvote_analysis.bundled import demo_folder

    if store is not None:
        _make_store(store, as_json)
        return
    with noting() as notes:
        state = read_state(demo_folder())
        documents, _ = _documents(state, resolve_state(state), Asked())
    if as_json:
        print_json({"folder": str(demo_folder()), "notes": notes, "decisions": documents})
        return
    from crowdvote_analysis.cli.show import show_decision, show_overview

    show_overview(out, documents)
    show_decision(out, next(document for document in documents if document["decision_id"] == _SHOWCASE))
    out.print()
    out.print(
        "Next: [bold]crowdvote dashboard[/] for the pictures, [bold]crowdvote count FOLDER[/] for your own tables."
    )
    out.print("There are yes/no decisions too: [bold]crowdvote decide outcome[/].")


def _make_store(folder: str, as_json: bool) -> None:
    from crowdvote_analysis.cli.times import now
    from crowdvote_analysis.snapshots import list_snapshots, make_demo_store

    with working("Making the demo store"):
        made = make_demo_store(folder, now())
    known = len(list_snapshots(made))
    if as_json:
        print_json({"store": str(made.location), "snapshots": known})
        return
    out.print(f"{made.location}: the demo communities, with {known} snapshots.", markup=False, soft_wrap=True)
    out.print(f"Next: crowdvote dashboard {folder} --page decision", markup=False, soft_wrap=True)


def resolve_state(
    state: SystemState,
    decisions: list[str] | None = None,
    cycles: Cycles | None = None,
    work_limit: int = WORK_LIMIT,
    on_refusal: str = "raise",
) -> Resolution:
    """Resolve, with a bar."""
    from crowdvote_analysis.delegation import resolve

    with working("Calculating ballots") as advance:
        rule = cycles.value if cycles else None
        return resolve(state, decisions or None, rule, work_limit=work_limit, on_refusal=on_refusal, progress=advance)


def tell_refused(resolution: Resolution) -> None:
    """End with code 1 where a decision was left out because it takes too much work (Y3), once all else is written.

    Raises:
        CrowdVoteError: There is one; the text says why the first was refused, and names the others.
    """
    first, *others = resolution.refused["error"].to_list() or [None]
    if first is not None:
        names = resolution.refused["decision_id"].to_list()[1:]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        same = f" Refused as well, for the same reason: {', '.join(names[:_NAMED])}{more}." if others else ""
        raise CrowdVoteError(f"{first}{same}")


def _documents(
    state: SystemState, resolution: Resolution, asked: Asked
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was counted, and what was refused."""
    from crowdvote_analysis.cli.summary import refusals, summaries

    with working("Tallying") as advance:
        return summaries(state, resolution, asked, advance), refusals(state, resolution)


def _show(documents: list[dict[str, Any]], refused: list[dict[str, Any]], *, in_full: bool) -> None:
    from crowdvote_analysis.cli.show import show_decision, show_overview

    if len(documents) + len(refused) > 1:
        show_overview(out, documents, refused)
    if in_full or len(documents) + len(refused) <= _FEW:
        for document in documents:
            show_decision(out, document)
    elif documents:
        out.print("One in full: --decision ID. All of them: --all.", style="dim")
