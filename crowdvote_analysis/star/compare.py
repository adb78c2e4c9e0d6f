"""One set of ballots under every tie protocol: whether they agree, and where they part (K3)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.outcome import decide
from crowdvote_analysis.star.protocols import PROTOCOLS
from crowdvote_analysis.star.units import units_of_stars

if TYPE_CHECKING:
    from crowdvote_analysis.star.result import StarTally

_COLUMNS = pl.Schema(
    {
        "protocol": pl.String(),
        "status": pl.String(),
        "winner": pl.String(),
        "finalists": pl.List(pl.String()),
        "possible_winners": pl.List(pl.String()),
        "decided_by": pl.String(),
        "rules": pl.List(pl.String()),
        "parts_at_step": pl.Int64(),
    }
)


def compare_protocols(tally: StarTally) -> pl.DataFrame:
    """Decide the same ballots by every tie protocol.

    Args:
        tally: A tally of the ballots, by any protocol; an order of the community manager is left out of account.

    Returns:
        One row a protocol, that of the tally first: ``protocol``, ``status``, ``winner``, ``finalists`` (better score
        first), ``possible_winners``, ``decided_by`` (as in ``Runoff``), ``rules`` (list: the rule of every step) and
        ``parts_at_step``: the first step that is not the same as under the protocol of the tally; null when none is.
    """
    counts = counts_of(tally)
    names = [tally.protocol, *(name for name in PROTOCOLS if name != tally.protocol)]
    outcomes = {name: decide(counts, name) for name in names}
    own = outcomes[tally.protocol].steps
    rows = []
    for name, outcome in outcomes.items():
        # One beyond the end as well: whoever has fewer steps parts where the other goes on.
        both = enumerate(zip_longest(own, outcome.steps), start=1)
        rows.append(
            {
                "protocol": name,
                "status": "unresolved tie" if outcome.tie else "decided",
                "winner": outcome.winner,
                "finalists": outcome.finalists,
                "possible_winners": outcome.possible_winners,
                "decided_by": outcome.runoff.decided_by if outcome.runoff else None,
                "rules": [step.rule for step in outcome.steps],
                "parts_at_step": next((step for step, (one, other) in both if one != other), None),
            }
        )
    return pl.DataFrame(rows, schema=_COLUMNS)


def counts_of(tally: StarTally) -> Counts:
    """The counts that a tally was decided by, from the tally alone."""
    rows = {row["choice_id"]: row for row in tally.scores.to_dicts()}
    choices = tally.steps[0].pool
    preferred: dict[str, dict[str, int]] = {choice: {} for choice in choices}
    for choice, over, ballots in tally.preferences.iter_rows():
        preferred[choice][over] = ballots
    return Counts(
        vote_count=tally.vote_count,
        totals={choice: units_of_stars(rows[choice]["total"]) for choice in choices},
        five_stars={choice: rows[choice]["five_star_count"] for choice in choices},
        preferred=preferred,
    )
