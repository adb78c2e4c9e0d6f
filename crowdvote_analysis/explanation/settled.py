"""Everybody's own ballot among those who can be reached from one member, and where it comes from (Y4, Y6)."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation import averages, equilibrium
from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE
from crowdvote_analysis.delegation.cores import to_int
from crowdvote_analysis.delegation.participation import order as order_of
from crowdvote_analysis.delegation.rounding import Exactly, rounded
from crowdvote_analysis.delegation.settling import settle
from crowdvote_analysis.explanation.given import Given

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.averages import Balance, Calculation
    from crowdvote_analysis.delegation.blocks import Block


class Settled:
    """Everybody's ballot on a graph, settled as in a count, and the shares of ballots cast by hand in one of them.

    Args:
        block: One decision, with the followings that can be reached; not by the rule ``path`` (Y1), under which ballots
            can take more work than there is.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        self._order = order_of(block)

    @cached_property
    def _calculation(self) -> Calculation:
        calculation = averages.start(self._block)
        settle(self._block, self._order, calculation, [""], 0)
        return calculation

    @cached_property
    def _places(self) -> Ints:
        return rounded(self._block, self._calculation)

    def ballot(self, node: int) -> Given | None:
        """A member's own ballot, rounded; outside walked loops it is the same wherever it is met."""
        calculation = self._calculation
        if not calculation.has[node]:
            return None
        tags, rated = to_int(calculation.tags[node]), to_int(calculation.rated[node])
        return Given(node, (), 1, tuple(self._places[:, node].tolist()), rated, tags, int(calculation.depth[node]))

    def unrounded(self, node: int) -> Given | None:
        """A member's own ballot as others inherit it."""
        ballot, calculation = self.ballot(node), self._calculation
        if ballot is None:
            return None
        if calculation.approximate[node]:
            return replace(ballot, stars=tuple(calculation.units[:, node].tolist()), divisor=UNITS_PER_PLACE)
        exactly = Exactly(self._block, calculation)
        stars = [exactly.stars(node, choice, {}) / UNITS_PER_PLACE for choice in range(len(calculation.units))]
        common = math.lcm(*(value.denominator for value in stars))
        return replace(ballot, stars=tuple(int(value * common) for value in stars), divisor=common)

    def shares(self, node: int) -> tuple[dict[int, Any], bool]:
        """Which share of a ballot comes from each ballot cast by hand (I3).

        Returns:
            The shares by node, and whether they are exact: fractions, or floats where the ballot depends on a loop
            that is too large to be worked out exactly.
        """
        if not self._calculation.has[node]:
            return {}, True
        exact = self._traced(node, Fraction(1))
        return (exact, True) if exact is not None else (self._traced(node, 1.0) or {}, False)

    def _traced(self, node: int, whole: Any) -> dict[int, Any] | None:
        """Hand a ballot down to its sources, followers first, in numbers like ``whole``; ``None`` where those fail."""
        block, calculation, level = self._block, self._calculation, self._order.level
        nothing = whole - whole
        arrived = {node: whole}
        balance_of = {int(member): balance for balance in calculation.balances for member in balance.members}
        waiting: dict[int, set[int]] = {int(level[node]): {node}}
        shares: dict[int, Any] = {}

        def hand(source: int, part: Any) -> None:
            arrived[source] = arrived.get(source, nothing) + part
            waiting.setdefault(int(level[source]), set()).add(source)

        while waiting:
            members = waiting.pop(max(waiting))
            balances: dict[int, Balance] = {}
            for member in sorted(members):
                if block.manual[member]:
                    shares[member] = arrived[member]
                elif member in calculation.shares:
                    parts, divisor = calculation.shares[member]
                    for source, part in sorted(parts.items()):
                        hand(source, arrived[member] * type(whole)(Fraction(part, divisor)))
                elif member in balance_of:
                    balances[int(balance_of[member].members[0])] = balance_of[member]
                else:
                    sources = self._sources_of(member)
                    for source in sources:
                        hand(source, arrived[member] / len(sources))
            for balance in balances.values():
                held = [arrived.get(member, nothing) for member in balance.members.tolist()]
                passed = _passed(balance, held, exact=isinstance(whole, Fraction))
                if passed is None:
                    return None
                for edge in balance.outside.tolist():
                    hand(int(block.dst[edge]), passed[int(np.searchsorted(balance.members, block.src[edge]))])
        return shares

    def _sources_of(self, node: int) -> list[int]:
        edges = slice(*np.searchsorted(self._block.src, [node, node + 1]))
        sources: list[int] = self._block.dst[edges][self._calculation.inherited[edges]].tolist()
        return sources


def _passed(balance: Balance, held: list[Any], *, exact: bool) -> list[Any] | None:
    """What each member of a core hands to each of their sources when ``held`` enters the core."""
    if not exact:
        entered = np.array(held, dtype=np.float64)
        passed = equilibrium.trace(balance, entered, left_over=1e-14)
        each: list[Any] = (passed / balance.sources).tolist()
        return each
    if len(held) > equilibrium.LARGEST_EXACT:
        return None
    # What passes through a member is what enters plus what the core hands to them; per source of theirs, it solves
    # the transposed system of Y4.
    return equilibrium.solve_exactly(balance.inside.T.tocsr(), balance.sources, held)
