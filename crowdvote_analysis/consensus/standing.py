"""The votes that stand at an instant, and which of them count (C1, M1, M3)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.delegation.encode import chosen
from crowdvote_analysis.yes_no import judged, with_roles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crowdvote_analysis.state import SystemState


def standing_votes(state: SystemState, at: datetime | None = None) -> pl.DataFrame:
    """Give the vote of everybody who voted in a yes/no decision, the latest that was cast in time.

    Args:
        state: The tables.
        at: Votes cast later are not looked at; a time without a zone is UTC. All votes by default.

    Returns:
        One row for each decision and member who voted, sorted by them: decision_id, member_id, vote, voted_at, tags,
        counted (Boolean), not_counted (text: why it is not, null where it is). Where somebody cast votes before and
        after the deadline, the last one before it stands.
    """
    columns = ["decision_id", "member_id", "vote", "voted_at", "tags", "counted", "not_counted"]
    return standing(state, at).with_columns(counted=pl.col("not_counted").is_null()).select(columns)


def standing(state: SystemState, at: datetime | None) -> pl.DataFrame:
    """The votes that stand, with what ``yes_no.judged`` says of them."""
    votes = state.yes_no_votes
    if at is not None:
        votes = votes.filter((pl.col("voted_at") <= in_utc(at)).fill_null(value=True))
    votes = judged(votes, state.decisions, state.members, state.required_voters)
    key = ["decision_id", "member_id"]
    # Late votes first, so that the last row is one in time if there is any; a vote without a time is the earliest.
    ordered = votes.sort(*key, "late", "voted_at", descending=[False, False, True, False], nulls_last=False)
    return ordered.unique(key, keep="last", maintain_order=True)


def asked_decisions(state: SystemState, decisions: Sequence[str] | None, delegated: bool | None) -> pl.DataFrame:
    """The yes/no decisions wanted, sorted by decision_id; ``delegated`` takes the place of their own column if given.

    Raises:
        UnknownDecisionError: A decision is not in the state, or is counted with stars.
    """
    otherwise = "is counted with stars, not with yes and no; it is tallied by crowdvote_analysis.tally_star (rules K)"
    wanted = chosen(state.decisions, decisions, pl.col("method") != "star", otherwise).sort("decision_id")
    return wanted if delegated is None else wanted.with_columns(delegated=pl.lit(delegated))


def asked_voters(state: SystemState) -> pl.DataFrame:
    """The required voters who count: decision_id, member_id of those who are voters of the community (M1, M3)."""
    required = with_roles(state.required_voters, state.decisions, state.members)
    return required.filter("is_voter").select("decision_id", "member_id")


def in_utc(at: datetime) -> datetime:
    """A time in UTC; one without a zone is taken as UTC, as in the tables."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
