"""All decisions at a glance: one row each, whether they could be decided or not."""

from __future__ import annotations

from typing import Any

import polars as pl

from crowdvote_analysis.star.outcome import Outcome, decide
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.resolution import CountedDecision, Resolution, count_decisions, decision_ids
from crowdvote_analysis.star.units import PLACES, average

_COLUMNS = pl.Schema(
    {
        "decision_id": pl.String(),
        "status": pl.String(),
        "winner": pl.String(),
        "winner_title": pl.String(),
        "winner_average": pl.Decimal(9, PLACES),
        "runner_up": pl.String(),
        "finalists": pl.List(pl.String()),
        "choice_count": pl.Int64(),
        "vote_count": pl.Int64(),
        "winner_votes": pl.Int64(),
        "runner_up_votes": pl.Int64(),
        "no_preference": pl.Int64(),
        "margin": pl.Int64(),
        "decided_by": pl.String(),
        "tie_stage": pl.String(),
        "tied": pl.List(pl.String()),
        "places": pl.Int64(),
        "possible_winners": pl.List(pl.String()),
        "protocol": pl.String(),
    }
)


def tally_all(resolution: Resolution, protocol: str = "starvote") -> pl.DataFrame:
    """Tally every decision of a resolution.

    Args:
        resolution: Everyone's ballot; its frames ``ballots``, ``stars`` and ``choices`` are used.
        protocol: Name of the tie protocol (K3).

    Returns:
        One row a decision, sorted by ``decision_id``. ``status`` is ``"decided"``, ``"unresolved tie"`` or
        ``"no ballots"`` (no voter has one, or there are no choices). Then:

        - who: ``winner``, ``winner_title``, ``winner_average`` (stars, Decimal, for display), ``runner_up``,
          ``finalists`` (better score first; empty without a runoff);
        - how many: ``choice_count``, ``vote_count``;
        - the runoff, in ballots: ``winner_votes``, ``runner_up_votes``, ``no_preference``, ``margin``, and
          ``decided_by``: ``"runoff"``, or ``"sum"`` or ``"max_count"`` when it was tied, or ``"only choice"``;
        - the unresolved tie (K7): ``tie_stage``, ``tied``, ``places`` open among them, and ``possible_winners``
          (the winner alone when there is one);
        - ``protocol``.

        What does not apply is null; lists are empty instead.

    Raises:
        InvalidElectionError: When stars cannot be counted, or there is no such protocol.
    """
    protocol_named(protocol)
    counted = count_decisions(resolution)
    rows = [_row(decision_id, counted.get(decision_id), protocol) for decision_id in decision_ids(resolution)]
    return pl.DataFrame(rows, schema=_COLUMNS)


def _row(decision_id: str, counted: CountedDecision | None, protocol: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {
        "decision_id": decision_id,
        "status": "no ballots",
        "finalists": [],
        "choice_count": 0 if counted is None else len(counted.counts.choices),
        "vote_count": 0 if counted is None else counted.counts.vote_count,
        "tied": [],
        "possible_winners": [],
        "protocol": protocol,
    }
    if counted is None or not counted.counts.vote_count:
        return row
    outcome = decide(counted.counts, protocol)
    row |= {"finalists": outcome.finalists, "possible_winners": outcome.possible_winners}
    return row | _winner(outcome, counted) | _runoff(outcome) | _tie(outcome)


def _winner(outcome: Outcome, counted: CountedDecision) -> dict[str, Any]:
    if outcome.winner is None:
        return {}
    counts = counted.counts
    return {
        "status": "decided",
        "winner": outcome.winner,
        "winner_title": counted.titles[outcome.winner],
        "winner_average": average(counts.totals[outcome.winner], counts.vote_count, PLACES),
        "runner_up": outcome.runner_up,
        "decided_by": "only choice" if outcome.runoff is None else outcome.runoff.decided_by,
    }


def _runoff(outcome: Outcome) -> dict[str, Any]:
    if outcome.runoff is None:
        return {}
    numbers: dict[str, Any] = {"no_preference": outcome.runoff.no_preference, "margin": outcome.runoff.margin}
    if outcome.winner is not None and outcome.runner_up is not None:
        numbers["winner_votes"] = outcome.runoff.votes[outcome.winner]
        numbers["runner_up_votes"] = outcome.runoff.votes[outcome.runner_up]
    return numbers


def _tie(outcome: Outcome) -> dict[str, Any]:
    if outcome.tie is None:
        return {}
    return {
        "status": "unresolved tie",
        "tie_stage": outcome.tie.stage,
        "tied": outcome.tie.tied,
        "places": outcome.tie.places,
    }
