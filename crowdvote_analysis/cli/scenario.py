"""``crowdvote scenario``: a network and a poll in, a folder of tables to count out."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, working
from crowdvote_analysis.cli.options import Cycles
from crowdvote_analysis.cli.sheets import Sheets, about_sheets


@about_sheets
def scenario(
    network: Annotated[Path, typer.Option("--network", help="Edge list: who follows whom.", show_default=False)],
    poll: Annotated[Path, typer.Option("--poll", help="Poll export whose ballots are dealt out.", show_default=False)],
    to: Annotated[Path, typer.Option("--out", help="Folder to write the tables to.", show_default=False)],
    weight_above: Annotated[
        str | None,
        typer.Option("--weight-above", help="Keep edges whose third column is above this.", show_default=False),
    ] = None,
    cycles: Annotated[Cycles, typer.Option("--cycles", help="Rule for loops.")] = Cycles.auto,
    *,
    sheets: Sheets,
) -> None:
    """Make a delegation scenario from a real network and a real poll.

    Members who follow nobody vote by hand: in the order of their ids as text, the k-th gets the k-th ballot of the
    poll, starting over when it ends. Everybody else follows on ALL tags.

    Example:
      crowdvote scenario --network wiki-Vote.txt --poll poll.csv --out scenario && crowdvote count scenario
    """
    from crowdvote_analysis.readers import make_scenario, read_network, read_poll

    limit = _number(weight_above)
    with noting():
        with working("Reading network and poll"):
            state = make_scenario(
                read_network(network, weight_above=limit),
                read_poll(poll, **sheets.arguments()),
                cycle_rule=cycles.value,
            )
        with working("Writing tables"):
            state.write(to)
    out.print(
        f"{to}: {len(state.members):,} members, {len(state.followings):,} followings, "
        f"{len(state.ballots):,} ballots cast by hand. Next: crowdvote count {to}",
        markup=False,
    )


def _number(text: str | None) -> Decimal | None:
    """Weights are compared exactly, so the limit stays a decimal number."""
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a number.", param_hint="--weight-above") from None
    if not number.is_finite():
        raise typer.BadParameter(f"{text!r} is not a number.", param_hint="--weight-above")
    return number
