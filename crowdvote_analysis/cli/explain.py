"""``crowdvote explain``: why one member's ballot is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.options import AsJson, AsOf, CyclesOption, Folder, Quarantine, StorageOptions, WorkLimit
from crowdvote_analysis.cli.reading import read_state
from crowdvote_analysis.cli.sheets import Sheets, about_sheets
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from crowdvote_analysis.explanation import Lineage


@about_sheets
def explain(
    folder: Folder,
    decision: Annotated[str, typer.Option("--decision", "-d", help="The decision.", show_default=False)],
    member: Annotated[
        str,
        typer.Option("--member", "-m", help="The member: id, or pseudonym such as 'Anonymous 7'.", show_default=False),
    ],
    cycles: CyclesOption = None,
    depth: Annotated[
        int | None, typer.Option("--depth", min=0, help="Levels of followings to show.", show_default="all")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=0, help="Followings to show at most, level by level.")] = 200,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the voters behind the ballot to show.")] = 20,
    quarantine: Quarantine = False,
    work_limit: WorkLimit = WORK_LIMIT,
    as_of: AsOf = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Show why a member's ballot is what it is: whom they follow, what that gave, and whose stars it is made of.

    Where loops are walked, the ballots in the tree are those inside the member's own walk (rule Y1); where they are
    balanced, everybody's own (Y7). What is not shown is counted all the same. Anonymous members stand under pseudonyms.

    Examples:
      crowdvote explain data/demo --decision village-green --member maya

      crowdvote explain mycommunity -d playground -m Maya --depth 2
    """
    from crowdvote_analysis.explanation import lineage

    with noting() as notes:
        state = read_state(folder, quarantine, as_of, storage, sheets)
        with working("Following the followings"):
            rule = cycles.value if cycles else None
            tree = lineage(
                state, decision, member, cycles=rule, depth=depth, max_followings=most, work_limit=work_limit
            )
    if as_json:
        print_json({"folder": str(folder), "notes": notes, **tree.to_dict()})
        return
    title = state.decisions.filter(decision_id=decision)["title"].item() or decision
    _show(tree, title, top)


def _show(tree: Lineage, title: str, top: int) -> None:
    from rich.markup import escape

    from crowdvote_analysis.explanation.loops import rule_for_loops

    out.rule(f"[bold]{escape(tree.member.name)}[/]  [dim]{escape(title)}[/]", align="left")
    out.print(tree.text(), markup=False, emoji=False, soft_wrap=True)
    if tree.followings:
        rule = rule_for_loops(tree.cycle_rule)
        out.print(f"{rule[:1].upper()}{rule[1:]}.", style="dim", markup=False, soft_wrap=True)
    if tree.shares and tree.ballot and tree.ballot.origin == "calculated":
        out.print()
        _show_shares(tree, top)


def _show_shares(tree: Lineage, top: int) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Whose stars these are")
    table.add_column("Share", justify="right")
    table.add_column("", justify="right")
    for share in tree.shares[:top]:
        exact = "" if share.fraction is None else str(share.fraction)
        table.add_row(escape(share.voter.name), f"{share.value:.2%}", exact if len(exact) <= _LONGEST else "")
    rest = tree.shares[top:]
    if rest:
        together = sum(share.value for share in rest)
        table.add_row(f"[dim]… {len(rest):,} more[/]", f"[dim]{together:.2%}[/]", "")
    out.print(table)


_LONGEST = 20  # characters of an exact share that a person may care to read
