"""If this voter had not voted: the same decision once without each ballot that was cast by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.star import tally_each
from crowdvote_analysis.what_if.changes import WithdrawBallot, changed_state
from crowdvote_analysis.what_if.comparison import tallied, who_could_win

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

# Ballots counted in one go: many decisions at once are far quicker than one after the other, but take memory.
_AT_ONCE = 200_000
_SCHEMA = pl.Schema(
    {"member_id": pl.String(), "status": pl.String(), "winner": pl.String(), "changes_winner": pl.Boolean()}
)


def without_each(
    state: SystemState,
    before: Resolution,
    decision_id: str,
    members: Sequence[str] | None = None,
    *,
    cycles: str | None = None,
    protocol: str = "starvote",
    work_limit: int = WORK_LIMIT,
) -> pl.DataFrame:
    """Count one decision without the ballot of each voter in turn: who is pivotal.

    Whoever did not vote may inherit a ballot (D2), and so may those who inherited theirs; all of that is counted. The
    decision is copied once for each voter, without their ballot, and all copies are counted together.

    Args:
        state: What was counted.
        before: Its count, which holds the decision.
        decision_id: The decision.
        members: Ids of members who cast a ballot by hand; all of them by default.
        cycles: The rule for loops of ``before``, if it is not that of the community.
        protocol: The tie protocol (K3), for both.
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3).

    Returns:
        member_id, status (``decided``, ``unresolved tie`` or ``nothing to tally``), winner (choice id; null where there
        is none), changes_winner (Boolean, whether another choice wins than in ``before``, or others could under a tie;
        K7); sorted by member_id.

    Raises:
        UnknownDecisionError: The decision is not there.
        UnknownMemberError: Somebody has no ballot by hand, or is no member.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps.
    """
    ballots = before.ballots.filter(decision_id=decision_id)
    wanted = sorted(set(ballots.filter(origin="manual")["member_id"] if members is None else members))
    changed_state(state, decision_id, [WithdrawBallot(member) for member in wanted])  # refuses who has none
    own = tallied(before, decision_id, protocol)
    batch = max(1, _AT_ONCE // max(1, len(ballots)))
    rows = []
    for first in range(0, len(wanted), batch):
        copies = _copies(state, decision_id, wanted[first : first + batch])
        tallies = tally_each(resolve(copies, cycles=cycles, work_limit=work_limit), protocol)
        for place, member in enumerate(wanted[first : first + batch]):
            tally = tallies.get(_copy(decision_id, place))
            status, winner = (tally.status, tally.winner) if tally else ("nothing to tally", None)
            rows.append((member, status, winner, who_could_win(tally) != who_could_win(own)))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _copy(decision_id: str, place: int) -> str:
    return f"{decision_id} without ballot {place:06}"


def _copies(state: SystemState, decision_id: str, members: Sequence[str]) -> SystemState:
    """A state with the decision once for each member, without the member's ballot."""
    names = [_copy(decision_id, place) for place in range(len(members))]
    copies = pl.DataFrame({"copy": names, "absent": members})

    def copied(frame: pl.DataFrame) -> pl.DataFrame:
        many = frame.filter(decision_id=decision_id).join(copies, how="cross")
        if "member_id" in frame.columns:
            many = many.filter(pl.col("member_id") != pl.col("absent"))
        return many.with_columns(decision_id="copy").select(frame.columns)

    return state._with(**{name: copied(getattr(state, name)) for name in ("decisions", "choices", "ballots", "votes")})
