"""``crowdvote tally``: a poll export in, its STAR winner out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import noting, out, print_json, working
from crowdvote_analysis.cli.count import UNRESOLVED, resolve_state
from crowdvote_analysis.cli.options import (
    AsJson,
    Asked,
    Compare,
    Decisions,
    Protocol,
    Protocols,
    Quarantine,
    TieOrders,
    read_tie_orders,
)
from crowdvote_analysis.cli.reading import write_quarantine
from crowdvote_analysis.cli.sheets import Sheets, about_sheets

Poll = Annotated[
    Path, typer.Argument(help="CSV export of star.vote or BetterVoting, or the answers of a form.", show_default=False)
]


@about_sheets
def tally(
    poll: Poll,
    decision: Decisions = None,
    protocol: Protocol = Protocols.starvote,
    tie_orders: TieOrders = None,
    compare: Compare = False,
    quarantine: Quarantine = False,
    as_json: AsJson = False,
    *,
    sheets: Sheets,
) -> None:
    """Tally a poll by STAR, without members or delegation.

    Understands the CSV exports of star.vote (voterID,voteTime,pollID, then one column a candidate) and of BetterVoting
    (ballot_id,precinct, then one column a candidate; several races as Race!!Candidate). Any other file with one ballot
    a line is read as well, such as the answers of a form; a note says what was taken as what.

    Examples:
      crowdvote tally poll.csv

      crowdvote tally answers.csv --id "Email Address" --choices "Ann,Ben" --leave-out Average
    """
    from crowdvote_analysis.cli.bettervoting import bettervoting_words, is_from_bettervoting
    from crowdvote_analysis.cli.show import show_decision
    from crowdvote_analysis.cli.summary import summaries
    from crowdvote_analysis.readers import read_poll

    with noting() as notes:
        with working("Reading the poll"):
            state = read_poll(poll, quarantine=quarantine, **sheets.arguments())
        write_quarantine(state, poll.parent / "quarantine")
        asked = Asked(protocol.value, read_tie_orders(tie_orders), 0, compare)
        documents = summaries(state, resolve_state(state, decision), asked)
    compares = protocol is Protocols.bettervoting or is_from_bettervoting(poll)
    for document in documents:
        document["bettervoting"] = bettervoting_words(document) if compares else None
    if as_json:
        keys = ("decision_id", "title", "ballots", "tally", "ratings", "robustness", "protocols", "bettervoting")
        shown = [{key: document[key] for key in keys} for document in documents]
        print_json({"poll": str(poll), "notes": notes, "decisions": shown})
    else:
        for document in documents:
            show_decision(out, document, delegated=False)
    if any(document["tally"]["status"] == "unresolved tie" for document in documents):
        raise typer.Exit(UNRESOLVED)
