"""What a new count takes over from the one before: arrays, loops that were settled, outcomes.

Nodes and edges may have moved, and tags may stand for other bits; what is taken over is moved along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation.averages import Calculation
from crowdvote_analysis.delegation.encode import words_for
from crowdvote_analysis.delegation.participation import Order, came_along
from crowdvote_analysis.delegation.participation import order as order_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation.encode import Bits, Block, Flags, Ints
    from crowdvote_analysis.delegation.resolution import Counted


@dataclass(frozen=True)
class Piece:
    """What a block takes over from one block of before.

    Attributes:
        counted: The block of before.
        decisions: The decisions: place in the block of before, code after the change.
        place: Node after the change by node before; -1 for nodes that are gone or belong to another block.
        old, new: The nodes that are not affected, before and after, in order.
    """

    counted: Counted
    decisions: list[tuple[int, int]]
    place: Ints
    old: Ints
    new: Ints

    @cached_property
    def left(self) -> Flags:
        """The nodes of before that are not taken over."""
        flags = np.ones(len(self.place), dtype=np.bool_)
        flags[self.old] = False
        return flags


def lost_edges(piece: Piece) -> Ints:
    """The edges of before whose follower is not taken over."""
    return np.flatnonzero(piece.left[piece.counted.block.src])


def carried(pieces: Sequence[Piece], name: str, like: np.ndarray) -> Any:
    """An array by node of the shape and type of ``like``, with what is taken over; 0 elsewhere.

    Args:
        pieces: What is taken over.
        name: Attribute of ``Counted``, or of one of its parts after a dot.
        like: An array by node; where it has two axes and is not of bits, nodes are the second.
    """
    whole = np.zeros_like(like)
    for piece in pieces:
        source: Any = piece.counted
        for step in name.split("."):
            source = getattr(source, step)
        if whole.ndim == 1:
            whole[piece.new] = source[piece.old]
        elif whole.dtype == np.uint64:
            for word in range(min(whole.shape[1], source.shape[1])):
                whole[piece.new, word] = source[piece.old, word]
        else:
            for choice in range(min(len(whole), len(source))):
                whole[choice, piece.new] = source[choice, piece.old]
    return whole


def carried_calculation(block: Block, pieces: Sequence[Piece]) -> Calculation:
    """The ballots that are taken over; nothing for affected members."""
    numbers = np.zeros(len(block.member), dtype=np.int64)
    calculation = Calculation(
        has=carried(pieces, "calculation.has", block.manual),
        tags=np.zeros_like(block.tags),
        rated=carried(pieces, "calculation.rated", block.rated),
        units=carried(pieces, "calculation.units", block.units),
        depth=carried(pieces, "calculation.depth", numbers),
        sources=carried(pieces, "calculation.sources", numbers),
        error=carried(pieces, "calculation.error", numbers),
        approximate=carried(pieces, "calculation.approximate", block.manual),
        shares={},
        trees={},
        outcome={},
        balances=[],
    )
    for piece in pieces:
        before, place, left = piece.counted.calculation, piece.place, piece.left
        tags = before.tags[piece.old]
        calculation.tags[piece.new] = _respelled(tags, piece.counted.block.vocabulary, block.vocabulary)
        for node, shares in before.shares.items():
            if not left[node]:
                calculation.shares[int(place[node])] = {int(place[origin]): part for origin, part in shares.items()}
        for node, tree in before.trees.items():
            if not left[node]:
                calculation.trees[int(place[node])] = frozenset(place[list(tree)].tolist())
        balances = [balance for balance in before.balances if not left[balance.members[0]]]
        if balances:
            kept_before = np.flatnonzero(~left[piece.counted.block.src])
            kept = _kept_edges(block, piece)
            calculation.balances += [
                replace(
                    balance,
                    members=place[balance.members],
                    outside=kept[np.searchsorted(kept_before, balance.outside)],
                )
                for balance in balances
            ]
    return calculation


def with_fresh(calculation: Calculation, fresh: Calculation, nodes: Ints, mine: Flags, edges: Ints) -> Calculation:
    """Put the ballots of affected members into the whole.

    Args:
        calculation: The whole; changed in place.
        fresh: The small graph, settled.
        nodes: Its nodes in the whole.
        mine: Which of them are affected.
        edges: Its edges in the whole.
    """
    for name in ("has", "tags", "rated", "depth", "sources", "error", "approximate"):
        getattr(calculation, name)[nodes[mine]] = getattr(fresh, name)[mine]
    calculation.units[:, nodes[mine]] = fresh.units[:, mine]
    for node, shares in fresh.shares.items():
        calculation.shares[int(nodes[node])] = {int(nodes[origin]): part for origin, part in shares.items()}
    for node, tree in fresh.trees.items():
        calculation.trees[int(nodes[node])] = frozenset(nodes[list(tree)].tolist())
    calculation.balances.extend(
        replace(balance, members=nodes[balance.members], outside=edges[balance.outside]) for balance in fresh.balances
    )
    return calculation


def carried_outcomes(
    block: Block, pieces: Sequence[Piece], is_affected: Flags, fresh: Ints, fresh_brought: Bits
) -> tuple[Ints, Ints, Bits]:
    """What ``outcomes`` says of the whole, given what it says of the affected members."""
    looked_at = np.flatnonzero(~block.manual[block.src])
    outcome = np.zeros(len(looked_at), dtype=np.int64)
    brought = np.zeros((len(looked_at), block.tags.shape[1]), dtype=np.uint64)
    follower = block.src[looked_at]
    again = is_affected[follower]
    outcome[again], brought[again] = fresh, fresh_brought
    for piece in pieces:
        before = piece.counted
        kept_before = ~piece.left[before.block.src[before.looked_at]]
        kept = ~again if len(pieces) == 1 else _flags(block, piece)[follower]
        outcome[kept] = before.outcome[kept_before]
        brought[kept] = _respelled(before.brought[kept_before], before.block.vocabulary, block.vocabulary)
    return looked_at, outcome, brought


def order_after(
    block: Block, pieces: Sequence[Piece], graph: Block, small: Order, fresh: Calculation, nodes: Ints, mine: Flags
) -> Order:
    """Levels and loops of the whole, given those of the small graph; live edges are left out.

    Args:
        block: The whole.
        pieces: What is taken over.
        graph: The small graph.
        small: Its levels and loops.
        fresh: Its ballots, settled.
        nodes: Its nodes in the whole.
        mine: Which of them are affected.
    """
    numbers = np.zeros(len(block.member), dtype=np.int64)
    loops = {}
    for name in ("core", "raw_loop"):
        found = np.full(len(block.member), -1, dtype=np.int64)
        for piece in pieces:
            number = getattr(piece.counted.order, name)[piece.old]
            found[piece.new] = np.where(number < 0, -1, piece.place[number])
        number = getattr(small, name)[mine]
        found[nodes[mine]] = np.where(number < 0, -1, nodes[number])
        loops[name] = found
    # Without any loop in a block, levels are those of all followings; with one, of those that match.
    tangled = bool((loops["raw_loop"] >= 0).any())
    if any(bool((piece.counted.order.raw_loop >= 0).any()) != tangled for piece in pieces):
        return order_of(block)
    level = carried(pieces, "order.level", numbers)
    none = np.zeros(0, dtype=np.int64)
    for first, last in zip(small.starts[:-1].tolist(), small.starts[1:].tolist(), strict=True):
        edges = small.edges[first:last]
        if tangled:
            edges = edges[came_along(graph, edges, fresh.has, fresh.tags)[0]]
        src, dst = graph.src[edges], graph.dst[edges]
        outward = (small.core[src] < 0) | (small.core[src] != small.core[dst])
        np.maximum.at(level, nodes[src[outward]], level[nodes[dst[outward]]] + 1)
        cores = small.core[src]
        inner = np.unique(src[cores >= 0])
        if len(inner):
            highest = np.ones(len(graph.member), dtype=np.int64)
            np.maximum.at(highest, small.core[inner], level[nodes[inner]])
            level[nodes[inner]] = highest[small.core[inner]]
    return Order(level=level, core=loops["core"], raw_loop=loops["raw_loop"], edges=none, starts=none)


def _flags(block: Block, piece: Piece) -> Flags:
    flags = np.zeros(len(block.member), dtype=np.bool_)
    flags[piece.new] = True
    return flags


def _kept_edges(block: Block, piece: Piece) -> Ints:
    """The edges of the members taken over, in the whole; as many and in the same order as before."""
    return np.flatnonzero(_flags(block, piece)[block.src])


def _respelled(bits: Bits, before: list[str], after: list[str]) -> Bits:
    """Sets of tags in the bits of another vocabulary; tags it does not have are on nobody's ballot any more."""
    if before == after:
        return bits
    number = {tag: bit for bit, tag in enumerate(after)}
    respelled = np.zeros((len(bits), words_for(len(after))), dtype=np.uint64)
    for bit, tag in enumerate(before):
        if tag in number:
            to = number[tag]
            is_in = bits[:, bit // 64] >> np.uint64(bit % 64) & np.uint64(1)
            respelled[:, to // 64] |= is_in << np.uint64(to % 64)
    return respelled
