"""Cores: members who inherit from each other, settled by the rule of their community (Y1, Y4).

This module carries the arrays of the graph to the two rules and their answers back.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation import equilibrium, path_rule
from crowdvote_analysis.delegation.arrays import not_empty
from crowdvote_analysis.delegation.averages import Balance
from crowdvote_analysis.delegation.participation import came_along
from crowdvote_analysis.errors import CyclicCoreTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.delegation.arrays import Bits, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.participation import Order


class Budget:
    """The steps the path rule may take for one core (Y3); ``advance`` is told of each member settled."""

    def __init__(self, limit: int, decision_id: str, advance: Callable[[int], None] | None = None) -> None:
        self.core_size = 0
        self.advance = advance or (lambda _: None)
        self._limit, self._decision_id = limit, decision_id
        self._spent = 0

    def spend(self, steps: int) -> None:
        """Count the steps about to be taken.

        Raises:
            CyclicCoreTooLarge: They exceed the limit.
        """
        if self._spent + steps > self._limit:
            raise CyclicCoreTooLarge(self._decision_id, self.core_size, self._spent, self._limit)
        self._spent += steps


def settle_core(block: Block, order: Order, calculation: Calculation, edges: Ints, rule: str, budget: Budget) -> None:
    """Give the members of one core their ballots.

    Args:
        block: The graph.
        order: Its levels and cores.
        calculation: The ballots so far; whoever the core inherits from outside is settled.
        edges: The live edges of the core's members, sorted by follower.
        rule: ``"path"`` or ``"equilibrium"``.
        budget: What the path rule may spend on this core.
    """
    follower = block.src[edges]
    members = follower[np.concatenate([[True], follower[1:] != follower[:-1]])]
    within = order.core[block.dst[edges]] == order.core[members[0]]
    match, brought = came_along(block, edges[~within], calculation.has, calculation.tags)
    outside = edges[~within][match]
    calculation.inherited[outside] = True
    if rule == "path":
        _walk(block, calculation, members, edges[within], outside, brought[match], budget)
    else:
        _balance(block, calculation, members, edges[within], outside, brought[match])
        budget.advance(len(members))


def _walk(
    block: Block, calculation: Calculation, members: Ints, within: Ints, outside: Ints, brought: Bits, budget: Budget
) -> None:
    """The path rule (Y1)."""
    budget.core_size = len(members)
    position = {int(node): place for place, node in enumerate(members)}
    inside: list[list[path_rule.Inside]] = [[] for _ in members]
    for edge in within.tolist():
        followed = path_rule.EVERYTHING if block.everything[edge] else to_int(block.mask[edge])
        inside[position[int(block.src[edge])]].append(path_rule.Inside(position[int(block.dst[edge])], followed))
    given: list[list[path_rule.Outside]] = [[] for _ in members]
    for edge, tags in zip(outside.tolist(), brought, strict=True):
        followee = int(block.dst[edge])
        depth = int(calculation.depth[followee])
        given[position[int(block.src[edge])]].append(path_rule.Outside(followee, to_int(tags), depth))
    walks = path_rule.Walks(inside, given, budget.spend, budget.advance)
    for place, node in enumerate(members.tolist()):
        answer = walks.ballots[place]
        assert answer is not None, "a live core reaches a manual ballot (Y2 a)"
        _settle(calculation, node, answer)
        calculation.trees[node] = frozenset(int(members[bit]) for bit in range(len(members)) if answer.tree >> bit & 1)
        calculation.sources[node] = len(given[place])
    for edge in within.tolist():
        follower, followee = int(block.src[edge]), int(block.dst[edge])
        answer = walks.gives[position[follower], position[followee]]
        followed = path_rule.EVERYTHING if block.everything[edge] else to_int(block.mask[edge])
        outcome = path_rule.outcome(followed, answer)
        calculation.outcome[edge] = (outcome, answer.tags & followed if answer and outcome == path_rule.MATCH else 0)
        calculation.sources[follower] += outcome == path_rule.MATCH
        calculation.inherited[edge] = outcome == path_rule.MATCH


def _settle(calculation: Calculation, node: int, answer: path_rule.Answer) -> None:
    """Turn shares of outside ballots into stars."""
    nodes, parts = list(answer.shares), list(answer.shares.values())
    calculation.has[node] = True
    calculation.tags[node] = from_int(answer.tags, calculation.tags.shape[1])
    calculation.rated[node] = np.bitwise_or.reduce(calculation.rated[nodes], axis=0)
    calculation.depth[node] = answer.depth
    calculation.shares[node] = {origin: Fraction(share, answer.divisor) for origin, share in answer.shares.items()}
    calculation.approximate[node] = bool(calculation.approximate[nodes].any())
    left_over = False
    for choice, units in enumerate(calculation.units[:, nodes].tolist()):
        quotient, remainder = divmod(sum(part * unit for part, unit in zip(parts, units, strict=True)), answer.divisor)
        calculation.units[choice, node] = quotient
        left_over |= remainder != 0
    calculation.error[node] = int(calculation.error[nodes].max()) + left_over


def _balance(block: Block, calculation: Calculation, members: Ints, within: Ints, outside: Ints, brought: Bits) -> None:
    """The equilibrium rule (Y4)."""
    from scipy.sparse import csr_array

    size = len(members)
    place = _places(members, len(within), len(block.member))
    rows, columns = place(block.src[within]), place(block.dst[within])
    inside = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    receiver, source = place(block.src[outside]), block.dst[outside]
    sources = np.bincount(rows, minlength=size) + np.bincount(receiver, minlength=size)
    total, rough = np.zeros((len(calculation.units), size), dtype=np.int64), np.zeros((len(calculation.units), size))
    for choice, units in enumerate(calculation.units):
        given = units[source]
        np.add.at(total[choice], receiver, given)
        rough[choice] = np.bincount(receiver, given, minlength=size)
    units, error = equilibrium.solve(inside, sources, total, rough)
    calculation.units[:, members] = units
    calculation.error[members] = error + int(calculation.error[source].max())
    calculation.approximate[members] = size > equilibrium.LARGEST_EXACT or bool(calculation.approximate[source].any())
    calculation.has[members] = True
    calculation.inherited[within] = True
    calculation.sources[members] = sources
    calculation.rated[members] = np.bitwise_or.reduce(calculation.rated[source], axis=0)
    # In a loop everybody inherits from everybody: the core counts as one step above the deepest ballot it inherits
    # (D11).
    calculation.depth[members] = 1 + calculation.depth[source].max()
    np.bitwise_or.at(calculation.tags, block.src[outside], brought)
    waiting = within
    while len(waiting):
        news = calculation.tags[block.dst[waiting]] & block.mask[waiting]
        grows = not_empty(news & ~calculation.tags[block.src[waiting]])
        np.bitwise_or.at(calculation.tags, block.src[waiting][grows], news[grows])
        waiting = within[np.isin(block.dst[within], block.src[waiting][grows])]
    calculation.balances.append(Balance(members, inside, sources, outside))


def _places(members: Ints, wanted: int, count: int) -> Callable[[Ints], Ints]:
    """A function from nodes to their places among ``members``: a table for large cores, a search for small ones."""
    if wanted < count // 16:
        return lambda nodes: np.searchsorted(members, nodes)
    table = np.empty(count, dtype=np.int64)
    table[members] = np.arange(len(members))
    return lambda nodes: table[nodes]


def to_int(words: Bits) -> int:
    """A set of bits as one Python integer."""
    return int.from_bytes(words.astype("<u8").tobytes(), "little")


def from_int(bits: int, words: int) -> Bits:
    """The reverse of ``to_int``."""
    return np.frombuffer(bits.to_bytes(words * 8, "little"), dtype="<u8").astype(np.uint64)
