"""SystemState → Resolution: everyone's ballot in every decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crowdvote_analysis.delegation import averages
from crowdvote_analysis.delegation.blocks import blocks
from crowdvote_analysis.delegation.core_tables import refusals
from crowdvote_analysis.delegation.counted import Counted
from crowdvote_analysis.delegation.encode import drafts, encode
from crowdvote_analysis.delegation.participation import order as order_of
from crowdvote_analysis.delegation.resolution import Resolution
from crowdvote_analysis.delegation.settling import settle
from crowdvote_analysis.delegation.voting_time import note_left_out
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.loop_rules import check_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.arrays import Flags
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.participation import Order
    from crowdvote_analysis.errors import CyclicCoreTooLarge
    from crowdvote_analysis.state import SystemState


def resolve(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    *,
    work_limit: int = WORK_LIMIT,
    on_refusal: str = "raise",
    progress: Callable[[int, int], None] | None = None,
) -> Resolution:
    """Give every member their ballot: manual, calculated from those they follow, or none and why (D, T, Y, M).

    Args:
        state: The tables.
        decisions: Decisions to count; all with stars by default. The answer for a decision does not depend on which
            others are asked for.
        cycles: ``"auto"`` (Y6), ``"path"`` (Y1) or ``"equilibrium"`` (Y4) for all; by default the rule of each
            community.
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3); other rules need no limit.
        on_refusal: What becomes of a decision that needs more: ``"raise"``, or ``"report"`` to count the others and
            name it in ``Resolution.refused``.
        progress: Called with (ballots done, ballots in all): members of the decisions asked for, decision by decision.

    Returns:
        The ballots, stars, sources and statistics as frames; see ``Resolution``.

    Raises:
        UnknownDecisionError: A decision is not in the state, is a draft, or is voted on with yes and no.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps for one decision, and ``on_refusal``
            is ``"raise"``.
        ValueError: ``cycles`` or ``on_refusal`` names nothing that is known.
    """
    check_rule(cycles)
    if on_refusal not in ("raise", "report"):
        raise ValueError(f"on_refusal is {on_refusal!r}; it is 'raise' or 'report'")
    encoded = encode(state, decisions, cycles)
    note_left_out(state, encoded.decisions, drafts(state) if decisions is None else [])
    resolution, refused = count(encoded, work_limit, progress, report=on_refusal == "report")
    if not refused:
        return resolution
    # A block counts its decisions together, so those that can be counted are counted anew, by themselves.
    rest = encoded.decisions["decision_id"].filter(~encoded.decisions["decision_id"].is_in(list(refused))).to_list()
    resolution, _ = count(encode(state, rest, cycles), work_limit, progress)
    return replace(resolution, refused=refusals(refused.values()))


def count(
    encoded: Encoded,
    work_limit: int,
    progress: Callable[[int, int], None] | None,
    before: Resolution | None = None,
    *,
    same_graph: bool = False,
    report: bool = False,
) -> tuple[Resolution, dict[str, CyclicCoreTooLarge]]:
    """Count tables that have codes.

    Args:
        encoded: The tables.
        work_limit: As for ``resolve``.
        progress: As for ``resolve``.
        before: An earlier count, of which large loops are taken over that have not changed.
        same_graph: Whether it is of the very same members and followings.
        report: Whether decisions that take too much work are told of instead of raised.

    Returns:
        The count, and the decisions that took too much work; with any, the count means nothing.
    """
    told = Told(progress, encoded)
    refused: dict[str, CyclicCoreTooLarge] = {}
    counted = []
    earlier = before._counted if before is not None else ()
    kept = {
        balance.digest: (part.calculation, balance)
        for part in earlier
        for balance in part.calculation.balances
        if balance.digest
    }
    for block in blocks(encoded, [part.block for part in earlier] if same_graph else ()):
        order, calculation = order_of(block), averages.start(block, kept)
        beyond = _settle(encoded, block, order, calculation, work_limit, told.advance, report=report)
        refused |= beyond
        if not refused:
            counted.append(Counted(block, order, calculation, is_voter(encoded, block)))
        told.done(block)
    return Resolution.of(encoded, [] if refused else counted), refused


class Told:
    """Tells a caller how many ballots are done."""

    def __init__(self, progress: Callable[[int, int], None] | None, encoded: Encoded) -> None:
        self._progress = progress
        self._of = int((encoded.decisions["last"] - encoded.decisions["first"]).sum())
        self._before = self._now = 0

    def advance(self, members: int) -> None:
        """So many more of the block."""
        self._now += members
        if self._progress is not None:
            self._progress(self._now, self._of)

    def done(self, block: Block) -> None:
        """All of the block, those with nothing to calculate too."""
        self._before = self._now = self._before + len(block.member)
        self.advance(0)


def _settle(
    encoded: Encoded,
    block: Block,
    order: Order,
    calculation: Calculation,
    work_limit: int,
    advance: Callable[[int], None],
    *,
    report: bool,
) -> dict[str, CyclicCoreTooLarge]:
    """Work out everybody's ballot in a block; the decisions that took too much work."""
    refused: dict[int, CyclicCoreTooLarge] = {}
    settle(block, order, calculation, decision_ids(encoded, block), work_limit, advance, refused if report else None)
    calculation.kept = {}  # else every count would hold on to the one before
    return {error.decision_id: error for error in refused.values()}


def decision_ids(encoded: Encoded, block: Block) -> list[str]:
    """The decisions of a block by name."""
    return encoded.decisions["decision_id"].gather(block.decisions).to_list()


def is_voter(encoded: Encoded, block: Block) -> Flags:
    """Whether the node is tallied (M1), by node."""
    flags: Flags = encoded.members["is_voter"].to_numpy()[block.member]
    return flags
