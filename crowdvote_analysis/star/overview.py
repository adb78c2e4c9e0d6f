"""All decisions at a glance: one row each, whether they could be decided or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.ballots import Ballots, gather
from crowdvote_analysis.star.checks import quoted, require_frame
from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.outcome import Outcome, decide
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.resolution import (
    CountedDecision,
    Resolution,
    check_orders,
    count_decisions,
    decision_ids,
    listed_choices,
)
from crowdvote_analysis.star.units import PLACES, average, percentage
from crowdvote_analysis.star.wide import read_blocks, sheet_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLUMNS = pl.Schema(
    {
        "decision_id": pl.String(),
        "status": pl.String(),
        "winner": pl.String(),
        "winner_title": pl.String(),
        "winner_average": pl.Decimal(9, PLACES),
        "runner_up": pl.String(),
        "finalists": pl.List(pl.String()),
        "score_leader": pl.String(),
        "choice_count": pl.Int64(),
        "vote_count": pl.Int64(),
        "winner_votes": pl.Int64(),
        "runner_up_votes": pl.Int64(),
        "no_preference": pl.Int64(),
        "margin": pl.Int64(),
        "margin_percentage": pl.Decimal(11, PLACES),
        "decided_by": pl.String(),
        "tie_stage": pl.String(),
        "tied": pl.List(pl.String()),
        "places": pl.Int64(),
        "possible_winners": pl.List(pl.String()),
        "protocol": pl.String(),
        "decided_by_manager": pl.Boolean(),
    }
)


def tally_all(
    resolution: Resolution, protocol: str = "starvote", *, tie_orders: Mapping[str, Sequence[str]] | None = None
) -> pl.DataFrame:
    """Tally every decision of a resolution.

    Args:
        resolution: Everyone's ballot; its frames ``ballots``, ``stars`` and ``choices`` are used.
        protocol: Name of the tie protocol (K3).
        tie_orders: The order that the community manager gave for ties, by decision id (K7).

    Returns:
        One row a decision, sorted by ``decision_id``. ``status`` is ``"decided"``, ``"unresolved tie"`` or
        ``"no ballots"`` (no voter has one, or there are no choices). Then:

        - who: ``winner``, ``winner_title``, ``winner_average`` (stars, Decimal, for display), ``runner_up``,
          ``finalists`` (better score first; empty without a runoff), ``score_leader`` (the highest total; null when
          several are level);
        - how many: ``choice_count``, ``vote_count``;
        - the runoff, in ballots: ``winner_votes``, ``runner_up_votes``, ``no_preference``, ``margin``,
          ``margin_percentage`` (of all ballots tallied, Decimal), and ``decided_by``: ``"runoff"``, or ``"sum"``,
          ``"max_count"`` or ``"manager"`` when it was tied, or ``"only choice"``;
        - the unresolved tie (K7): ``tie_stage``, ``tied``, ``places`` open among them, and ``possible_winners``
          (the winner alone when there is one);
        - ``protocol``, and ``decided_by_manager``: whether the community manager decided some tie.

        What does not apply is null; lists are empty instead.

    Raises:
        InvalidElectionError: When stars cannot be counted, there is no such protocol, or an order does not rank all who
            are tied.
    """
    protocol_named(protocol)
    check_orders(tie_orders, decision_ids(resolution))
    counted = count_decisions(resolution)
    return _overview({decision: counted.get(decision) for decision in decision_ids(resolution)}, protocol, tie_orders)


def tally_all_counts(
    counted: Mapping[str, CountedDecision | None],
    protocol: str = "starvote",
    *,
    tie_orders: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Tally decisions whose ballots somebody has counted already.

    Args:
        counted: The counts by decision id, in the order of the rows; none for a decision without choices.
        protocol: Name of the tie protocol (K3).
        tie_orders: As for `tally_all`.

    Returns:
        As `tally_all`.

    Raises:
        InvalidElectionError: There is no such protocol, or an order does not rank all who are tied.
    """
    protocol_named(protocol)
    check_orders(tie_orders, list(counted))
    return _overview(counted, protocol, tie_orders)


def tally_all_votes(
    votes: pl.DataFrame,
    choices: pl.DataFrame | None = None,
    protocol: str = "starvote",
    *,
    tie_orders: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Tally every decision of a frame of votes in the long form, in one pass.

    Args:
        votes: ``decision_id`` and the columns of `tally_star_votes`, one row a star.
        choices: ``decision_id`` and ``choice_id`` in display order, those nobody rated too; by default the sorted ids
            of the votes.
        protocol: Name of the tie protocol (K3).
        tie_orders: As for `tally_all`.

    Returns:
        As `tally_all`.

    Raises:
        InvalidElectionError: As `tally_star_votes`.
    """
    protocol_named(protocol)
    require_frame(votes, "votes")
    columns = ["decision_id", "member_id", "choice_id", "stars"]
    missing = [name for name in columns if name not in votes.columns]
    if missing:
        raise InvalidElectionError(f"votes: no column {quoted(missing)} (columns found: {quoted(votes.columns)}).")
    if choices is not None:
        choices = listed_choices(choices)
    gathered = gather(votes.select(columns), "votes", choices)
    check_orders(tie_orders, list(gathered))
    return _overview(_counted(gathered), protocol, tie_orders)


def tally_all_ballots(
    ballots: pl.DataFrame,
    choices: Sequence[str] | None = None,
    protocol: str = "starvote",
    *,
    tie_orders: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Tally every decision of a frame of ballots in the wide form, in one pass.

    Args:
        ballots: ``decision_id`` and the columns of `tally_star_ballots`, one row a ballot.
        choices: The columns that are choices of every decision; by default a column is a choice of the decisions in
            which somebody rated it.
        protocol: Name of the tie protocol (K3).
        tie_orders: As for `tally_all`.

    Returns:
        As `tally_all`.

    Raises:
        InvalidElectionError: As `tally_star_ballots`.
    """
    protocol_named(protocol)
    gathered = read_blocks(sheet_of(ballots, choices), all_choices=choices is not None)
    check_orders(tie_orders, list(gathered))
    return _overview(_counted(gathered), protocol, tie_orders)


def _counted(gathered: Mapping[str, Ballots]) -> dict[str, CountedDecision | None]:
    return {
        decision: CountedDecision(count(ballots), {choice: choice for choice in ballots.choices})
        for decision, ballots in sorted(gathered.items())
    }


def _overview(
    counted: Mapping[str, CountedDecision | None], protocol: str, tie_orders: Mapping[str, Sequence[str]] | None
) -> pl.DataFrame:
    orders = tie_orders or {}
    rows = [_row(decision, found, protocol, orders.get(decision, ())) for decision, found in counted.items()]
    return pl.DataFrame(rows, schema=_COLUMNS)


def _row(decision_id: str, counted: CountedDecision | None, protocol: str, tie_order: Sequence[str]) -> dict[str, Any]:
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
        "decided_by_manager": False,
    }
    if counted is None or not counted.counts.vote_count:
        return row
    outcome = decide(counted.counts, protocol, tie_order, decision_id)
    leaders = outcome.steps[0].best_first[:2]
    highest = [outcome.steps[0].numbers[choice] for choice in leaders]
    row |= {
        "finalists": outcome.finalists,
        "possible_winners": outcome.possible_winners,
        "score_leader": leaders[0] if len(highest) == 1 or highest[0] > highest[1] else None,
        "decided_by_manager": outcome.decided_by_manager,
    }
    return row | _winner(outcome, counted) | _runoff(outcome, counted.counts.vote_count) | _tie(outcome)


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


def _runoff(outcome: Outcome, vote_count: int) -> dict[str, Any]:
    if outcome.runoff is None:
        return {}
    margin = outcome.runoff.margin
    numbers: dict[str, Any] = {
        "no_preference": outcome.runoff.no_preference,
        "margin": margin,
        "margin_percentage": percentage(margin, vote_count),
    }
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
