"""One vote, checked as C1 says, and put behind those that were cast before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.checking import check
from crowdvote_analysis.consensus.standing import in_utc
from crowdvote_analysis.errors import RefusedVoteError
from crowdvote_analysis.tables import UTC
from crowdvote_analysis.yes_no import with_roles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crowdvote_analysis.state import SystemState


def record_vote(
    state: SystemState, decision_id: str, member_id: str, vote: str, at: datetime, tags: Iterable[str] = ()
) -> SystemState:
    """Cast a vote in a yes/no decision (C1).

    Args:
        state: The tables; they are not changed.
        decision_id: The decision.
        member_id: Who votes.
        vote: yes, no or abstain, in any case.
        at: When it is cast; a time without a zone is UTC.
        tags: The voter's tags on the decision (T1), used where votes are delegated.

    Returns:
        The state with one more row in the table yes_no_votes. An earlier vote of the same member stays: the latest one
        stands, the others are the history.

    Raises:
        RefusedVoteError: The vote may not be cast, or is none.
    """
    row = new_vote(state, decision_id, member_id, vote, at, tags)
    return state._with(yes_no_votes=pl.concat([state.yes_no_votes, row]))


def new_vote(
    state: SystemState, decision_id: str, member_id: str, vote: str, at: datetime, tags: Iterable[str] = ()
) -> pl.DataFrame:
    """The row that ``record_vote`` adds to the table yes_no_votes, after the same checks."""
    refusal = why_refused(state, decision_id, member_id, at)
    if refusal is not None:
        raise RefusedVoteError(decision_id, member_id, *refusal)
    row = pl.DataFrame(
        {
            "decision_id": decision_id,
            "member_id": member_id,
            "voted_at": in_utc(at),
            "vote": vote,
            "tags": [list(tags)],
        },
        schema_overrides={"voted_at": UTC, "tags": pl.List(pl.String)},
    )
    checked = check("yes_no_votes", row, known_ids=True)
    for bad in checked.bad:
        reason = "tags" if "tags" in bad.columns else "vote"
        raise RefusedVoteError(decision_id, member_id, reason, f"This vote cannot be cast: {bad.sentence}.")
    mine = state.yes_no_votes.filter(decision_id=decision_id, member_id=member_id)["voted_at"]
    not_before = mine.filter(mine >= in_utc(at)).to_list()
    if not_before:
        text = f"There is a vote of {_said(max(not_before))} already. A vote that takes its place has to be later."
        raise RefusedVoteError(decision_id, member_id, "not_later", text)
    return checked.good.drop("row")


def why_refused(state: SystemState, decision_id: str, member_id: str, at: datetime) -> tuple[str, str] | None:
    """Why a member may not vote in a decision at an instant, the first reason in the order of C1.

    Returns:
        A reason as ``RefusedVoteError`` knows them, and the sentence; ``None`` for somebody who may vote.
    """
    found = state.decisions.filter(decision_id=decision_id)
    if found.is_empty():
        return "unknown_decision", "Decision not found."
    decision = found.row(0, named=True)
    if decision["method"] == "star":
        return "counted_with_stars", "This decision is counted with stars, not with yes and no. Cast a ballot instead."
    me = state.required_voters.filter(decision_id=decision_id, member_id=member_id)
    roles = with_roles(me, state.decisions, state.members)["is_voter"].drop_nulls()
    # A lobbyist is never counted (M1), so that only in a delegated decision does their vote mean something.
    if roles.is_empty() or not (roles.all() or decision["delegated"]):
        text = "You are not eligible to vote on this decision. Only required voters can cast votes."
        return "not_required", text
    if decision["status"] != "active":
        return (
            "not_active",
            f"This decision is no longer active (status: {decision['status']}). Votes cannot be changed.",
        )
    if decision["closes_at"] is not None and decision["closes_at"] <= in_utc(at):
        text = f"The deadline for this decision has passed ({_said(decision['closes_at'])}). Votes cannot be changed."
        return "deadline", text
    return None


def _said(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC" if at.second else "%Y-%m-%d %H:%M UTC")
