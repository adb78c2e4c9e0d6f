"""Cores: members who inherit from each other, each settled by the rule of the decision (Y1, Y4, Y6).

This module carries the arrays of the graph to the two rules and their answers back.
"""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crowdvote_analysis.delegation import equilibrium, path_rule
from crowdvote_analysis.delegation.averages import Balance, Shares, matrix
from crowdvote_analysis.delegation.participation import came_along
from crowdvote_analysis.delegation.small_cores import hand_round_tags
from crowdvote_analysis.loop_rules import rule_of_core

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.budget import Budget
    from crowdvote_analysis.delegation.participation import Order


class Core(NamedTuple):
    """Members who inherit from each other, and the rule that settles them.

    Attributes:
        number: Its number in the order: its first node.
        decision: Place of the decision in the block.
        members: How many they are.
        followings: How many followings inside it can match (Y2).
        rule: ``"path"`` or ``"equilibrium"``.
    """

    number: int
    decision: int
    members: int
    followings: int
    rule: str


def cores_of(block: Block, order: Order) -> list[Core]:
    """The cores of a block, by number."""
    within = order.edges[order.core[block.src[order.edges]] >= 0]
    core = order.core[block.src[within]]
    numbers, followings = np.unique(core[core == order.core[block.dst[within]]], return_counts=True)
    if not len(numbers):
        return []
    members = np.bincount(order.core[order.core >= 0])[numbers]
    decisions = np.searchsorted(block.offsets, numbers, side="right") - 1
    return [
        Core(number, decision, size, edges, rule_of_core(block.rules[decision], size, edges))
        for number, decision, size, edges in zip(
            numbers.tolist(), decisions.tolist(), members.tolist(), followings.tolist(), strict=True
        )
    ]


def walked_nodes(block: Block, order: Order) -> Flags:
    """Which nodes may give one ballot in one walk and another in another: all but those of balanced cores (Y7)."""
    walked = np.array([rule != "equilibrium" for rule in block.rules], dtype=np.bool_)
    flags: Flags = np.repeat(walked, np.diff(block.offsets)) & (balanced_sizes(block, order) == 0)
    return flags


def balanced_sizes(block: Block, order: Order) -> Ints:
    """Number of members of the balanced core of each node; 0 outside of balanced cores."""
    size = np.zeros(len(order.core) + 1, dtype=np.int64)  # the last one is that of no core
    for core in cores_of(block, order):
        if core.rule == "equilibrium":
            size[core.number] = core.members
    return size[order.core]


def settle_core(
    block: Block,
    order: Order,
    calculation: Calculation,
    edges: Ints,
    core: Core,
    budget: Budget,
    advance: Callable[[int], None],
) -> None:
    """Give the members of one core their ballots.

    Args:
        block: The graph.
        order: Its levels and cores.
        calculation: The ballots so far; whoever the core inherits from outside is settled.
        edges: The live edges of the core's members, sorted by follower.
        core: The core.
        budget: What the path rule may spend.
        advance: Called with the number of members settled since the last call.
    """
    follower = block.src[edges]
    members = follower[np.concatenate([[True], follower[1:] != follower[:-1]])]
    within = order.core[block.dst[edges]] == core.number
    match, brought = came_along(block, edges[~within], calculation.has, calculation.tags)
    outside = edges[~within][match]
    calculation.inherited[outside] = True
    if core.rule == "path":
        budget.enter(core.members)
        _walk(block, calculation, members, edges[within], outside, brought[match], budget.spend, advance)
    else:
        _balance(block, calculation, members, edges[within], outside, brought[match])
        advance(core.members)


def _walk(
    block: Block,
    calculation: Calculation,
    members: Ints,
    within: Ints,
    outside: Ints,
    brought: Bits,
    spend: Callable[[int], None],
    advance: Callable[[int], None],
) -> None:
    """The path rule (Y1)."""
    position = {int(node): place for place, node in enumerate(members)}
    inside: list[list[path_rule.Inside]] = [[] for _ in members]
    for edge in within.tolist():
        inside[position[int(block.src[edge])]].append(
            path_rule.Inside(position[int(block.dst[edge])], _followed(block, edge))
        )
    outer = _Outer(block, calculation, members, outside, brought)
    walks = path_rule.Walks(inside, outer.given, spend, advance)
    for place, node in enumerate(members.tolist()):
        answer = walks.ballots[place]
        assert answer is not None, "a live core reaches a manual ballot (Y2 a)"
        outer.settle(calculation, node, answer)
        calculation.trees[node] = frozenset(int(members[bit]) for bit in range(len(members)) if answer.tree >> bit & 1)
        calculation.sources[node] = outer.given[place].ballots
    for edge in within.tolist():
        follower, followee = int(block.src[edge]), int(block.dst[edge])
        answer = walks.gives[position[follower], position[followee]]
        followed = _followed(block, edge)
        outcome = path_rule.outcome(followed, answer)
        calculation.outcome[edge] = (outcome, answer.tags & followed if answer and outcome == path_rule.MATCH else 0)
        calculation.sources[follower] += outcome == path_rule.MATCH
        calculation.inherited[edge] = outcome == path_rule.MATCH


def _followed(block: Block, edge: int) -> int:
    """The tags followed on, as bits."""
    return path_rule.EVERYTHING if block.everything[edge] else to_int(block.mask[edge])


class _Outer:
    """What the members of a core inherit from outside of it, by position.

    Attributes:
        given: How many ballots, with which tags, how deep.
    """

    def __init__(self, block: Block, calculation: Calculation, members: Ints, outside: Ints, brought: Bits) -> None:
        bounds = [*np.searchsorted(block.src[outside], members).tolist(), len(outside)]
        self._nodes = [block.dst[outside[first:last]].tolist() for first, last in pairwise(bounds)]
        self.given = [
            path_rule.Outside(
                len(nodes),
                to_int(np.bitwise_or.reduce(brought[first:last], axis=0)) if nodes else 0,
                max((int(calculation.depth[node]) for node in nodes), default=0),
            )
            for nodes, (first, last) in zip(self._nodes, pairwise(bounds), strict=True)
        ]
        self._units = [
            [sum(units) for units in calculation.units[:, nodes].tolist()] if nodes else [] for nodes in self._nodes
        ]

    def settle(self, calculation: Calculation, node: int, answer: path_rule.Answer) -> None:
        """Turn the shares of an answer into stars and into shares of ballots."""
        # A member's share is that of all they inherit from outside, in equal parts.
        ballots = math.lcm(*(self.given[giver].ballots for giver in answer.shares))
        divisor = answer.divisor * ballots
        parts: dict[int, int] = {}
        stars = [0] * len(calculation.units)
        for giver, share in answer.shares.items():
            part = share * (ballots // self.given[giver].ballots)
            for source in self._nodes[giver]:
                parts[source] = parts.get(source, 0) + part
            for choice, units in enumerate(self._units[giver]):
                stars[choice] += part * units
        nodes = list(parts)
        calculation.has[node] = True
        calculation.tags[node] = from_int(answer.tags, calculation.tags.shape[1])
        calculation.rated[node] = np.bitwise_or.reduce(calculation.rated[nodes], axis=0)
        calculation.depth[node] = answer.depth
        calculation.shares[node] = Shares(parts, divisor)
        calculation.approximate[node] = bool(calculation.approximate[nodes].any())
        calculation.units[:, node] = [total // divisor for total in stars]
        left_over = any(total % divisor for total in stars)
        calculation.error[node] = int(calculation.error[nodes].max()) + left_over


def _balance(block: Block, calculation: Calculation, members: Ints, within: Ints, outside: Ints, brought: Bits) -> None:
    """The equilibrium rule (Y4)."""
    size = len(members)
    place = _places(members, len(within), len(block.member))
    rows, columns = place(block.src[within]), place(block.dst[within])
    receiver, source = place(block.src[outside]), block.dst[outside]
    sources = np.bincount(rows, minlength=size) + np.bincount(receiver, minlength=size)
    total, rough = np.zeros((len(calculation.units), size), dtype=np.int64), np.zeros((len(calculation.units), size))
    for choice, units in enumerate(calculation.units):
        given = units[source]
        np.add.at(total[choice], receiver, given)
        rough[choice] = np.bincount(receiver, given, minlength=size)
    inside = matrix(rows, columns, size)
    digest = hashlib.sha256()
    for array in (np.array(total.shape), inside.indptr, inside.indices, sources, total, rough):
        digest.update(np.ascontiguousarray(array).data)
    known = calculation.kept.get(digest.digest())
    if known is None:
        units, error, held = equilibrium.solve(inside, sources, total, rough)
    else:
        before, same = known
        units, error, held = before.units[: len(total), same.members], same.error, same.held
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
    hand_round_tags(block, calculation, within, outside, brought)
    calculation.balances.append(Balance(members, rows, columns, sources, outside, held, error, digest.digest()))


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
