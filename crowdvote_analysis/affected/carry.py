"""What a new count takes over from the one before: arrays, loops that were settled, outcomes.

Nodes and edges may have moved, and tags may stand for other bits; what is taken over is moved along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation.arrays import words_for
from crowdvote_analysis.delegation.averages import Calculation, Shares
from crowdvote_analysis.delegation.cores import from_int, to_int
from crowdvote_analysis.delegation.participation import Order, by_level, came_along
from crowdvote_analysis.delegation.participation import order as order_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.counted import Counted


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

    @cached_property
    def whole(self) -> bool:
        """Whether every node of before is still there, in its place."""
        return len(self.place) > 0 and np.array_equal(self.place, np.arange(len(self.place)))

    @cached_property
    def left_edges(self) -> Ints:
        """The edges of before whose followers are not taken over."""
        src, left = self.counted.block.src, np.flatnonzero(self.left)
        first, last = np.searchsorted(src, left), np.searchsorted(src, left, side="right")
        lengths = last - first
        return np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())

    @cached_property
    def old_edges(self) -> Ints:
        """The edges of before whose followers are taken over."""
        return np.flatnonzero(~self.left[self.counted.block.src])

    def new_edges(self, block: Block) -> Ints:
        """The same edges in the block after the change, in the same order."""
        flags = np.zeros(len(block.member), dtype=np.bool_)
        flags[self.new] = True
        return np.flatnonzero(flags[block.src])


def carried(pieces: Sequence[Piece], name: str, like: np.ndarray) -> Any:
    """An array by node of the shape and type of ``like``, with what is taken over; 0 elsewhere.

    Args:
        pieces: What is taken over.
        name: Attribute of ``Counted``, or of one of its parts after a dot.
        like: An array by node; where it has two axes and is not of bits, nodes are the second.
    """
    if len(pieces) == 1 and pieces[0].whole and _attribute(pieces[0], name).shape == like.shape:
        copied = _attribute(pieces[0], name).copy()
        (copied if copied.dtype == np.uint64 else copied.T)[pieces[0].left] = 0
        return copied
    whole = np.zeros_like(like)
    for piece in pieces:
        source = _attribute(piece, name)
        if whole.ndim == 1:
            whole[piece.new] = source[piece.old]
        elif whole.dtype == np.uint64:
            for word in range(min(whole.shape[1], source.shape[1])):
                whole[piece.new, word] = source[piece.old, word]
        else:
            for choice in range(min(len(whole), len(source))):
                whole[choice, piece.new] = source[choice, piece.old]
    return whole


def carried_by_edge(block: Block, pieces: Sequence[Piece], name: str, whole: NDArray[Any]) -> Any:
    """Put what is taken over into ``whole``, an array by edge; ``name`` as for ``carried``."""
    if len(pieces) == 1 and pieces[0].whole and pieces[0].counted.block.src is block.src:
        copied = _attribute(pieces[0], name).copy()
        copied[pieces[0].left_edges] = whole[pieces[0].left_edges]
        return copied
    for piece in pieces:
        whole[piece.new_edges(block)] = _attribute(piece, name)[piece.old_edges]
    return whole


def _attribute(piece: Piece, name: str) -> Any:
    source: Any = piece.counted
    for step in name.split("."):
        source = getattr(source, step)
    return source


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
        inherited=carried_by_edge(block, pieces, "calculation.inherited", np.zeros(len(block.src), dtype=np.bool_)),
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
                calculation.shares[int(place[node])] = _moved(shares, place)
        for node, tree in before.trees.items():
            if not left[node]:
                calculation.trees[int(place[node])] = frozenset(place[list(tree)].tolist())
        balances = [balance for balance in before.balances if not left[balance.members[0]]]
        if balances or before.outcome:
            old_edges, new_edges = piece.old_edges, piece.new_edges(block)
            asked = np.flatnonzero(np.isin(old_edges, list(before.outcome)))
            for edge, now in zip(old_edges[asked].tolist(), new_edges[asked].tolist(), strict=True):
                code, brought = before.outcome[edge]
                calculation.outcome[now] = (code, _respelled_int(brought, piece.counted.block.vocabulary, block))
            calculation.balances += [
                replace(
                    balance,
                    members=place[balance.members],
                    outside=new_edges[np.searchsorted(old_edges, balance.outside)],
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
        calculation.shares[int(nodes[node])] = _moved(shares, nodes)
    for node, tree in fresh.trees.items():
        calculation.trees[int(nodes[node])] = frozenset(nodes[list(tree)].tolist())
    calculation.inherited[edges] = fresh.inherited
    calculation.outcome.update((int(edges[edge]), outcome) for edge, outcome in fresh.outcome.items())
    calculation.balances.extend(
        replace(balance, members=nodes[balance.members], outside=edges[balance.outside]) for balance in fresh.balances
    )
    return calculation


def _moved(shares: Shares, place: Ints) -> Shares:
    return Shares({int(place[origin]): part for origin, part in shares.parts.items()}, shares.divisor)


def order_after(
    block: Block,
    pieces: Sequence[Piece],
    graph: Block,
    small: Order,
    fresh: Calculation,
    nodes: Ints,
    mine: Flags,
    edges: Ints,
) -> Order:
    """Levels, loops and live edges of the whole, given those of the small graph.

    Args:
        block: The whole.
        pieces: What is taken over.
        graph: The small graph.
        small: Its levels and loops.
        fresh: Its ballots, settled.
        nodes: Its nodes in the whole.
        mine: Which of them are affected.
        edges: Its edges in the whole.
    """
    loops = {}
    for name in ("core", "raw_loop"):
        found = np.full(len(block.member), -1, dtype=np.int64)
        for piece in pieces:
            number = getattr(piece.counted.order, name)[piece.old]
            found[piece.new] = np.where(number < 0, -1, piece.place[number])
        number = getattr(small, name)[mine]
        found[nodes[mine]] = np.where(number < 0, -1, nodes[number])
        loops[name] = found
    # In a decision without any loop, levels are those of all followings; with one, of those that match.
    tangled = _tangled(block, loops["raw_loop"])
    at = {code: place for place, code in enumerate(block.decisions)}
    for piece in pieces:
        tangled_before = _tangled(piece.counted.block, piece.counted.order.raw_loop)
        if any(tangled_before[before] != tangled[at[code]] for before, code in piece.decisions):
            return order_of(block)
    level = carried(pieces, "order.level", np.zeros(len(block.member), dtype=np.int64))
    strict = np.repeat(tangled, np.diff(graph.offsets))[graph.src[small.edges]]
    kept = ~strict | came_along(graph, small.edges, fresh.has, fresh.tags)[0]
    for first, last in pairwise(np.concatenate([[0], np.cumsum(kept)])[small.starts].tolist()):
        _raise(level, graph, small, nodes, small.edges[kept][first:last])
    fresh_live = np.zeros(len(block.src), dtype=np.bool_)
    fresh_live[edges[small.edges[kept]]] = True
    if len(pieces) == 1 and pieces[0].whole and pieces[0].counted.block.src is block.src:
        before, left_edges = pieces[0].counted, pieces[0].left_edges
        same_edges = np.array_equal(before.live[left_edges], fresh_live[left_edges])
        if same_edges and np.array_equal(level, before.order.level):
            return replace(before.order, core=loops["core"], raw_loop=loops["raw_loop"])
    is_live = carried_by_edge(block, pieces, "live", fresh_live)
    live = np.flatnonzero(is_live)
    live = live[by_level(level[block.src[live]])]
    starts = np.searchsorted(level[block.src[live]], np.arange(1, int(level.max(initial=0)) + 2))
    return Order(level=level, core=loops["core"], raw_loop=loops["raw_loop"], edges=live, starts=starts)


def _tangled(block: Block, raw_loop: Ints) -> Flags:
    """Whether there is a loop, by decision of the block."""
    before = np.concatenate([[0], np.cumsum(raw_loop >= 0)])[block.offsets]
    flags: Flags = before[1:] > before[:-1]
    return flags


def _raise(level: Ints, graph: Block, small: Order, nodes: Ints, edges: Ints) -> None:
    """Put the followers of one level of the small graph above all they inherit from."""
    src, dst = graph.src[edges], graph.dst[edges]
    outward = (small.core[src] < 0) | (small.core[src] != small.core[dst])
    np.maximum.at(level, nodes[src[outward]], level[nodes[dst[outward]]] + 1)
    inner = np.unique(src[small.core[src] >= 0])
    if len(inner):
        highest = np.ones(len(graph.member), dtype=np.int64)
        np.maximum.at(highest, small.core[inner], level[nodes[inner]])
        level[nodes[inner]] = highest[small.core[inner]]


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


def _respelled_int(bits: int, before: list[str], block: Block) -> int:
    words = from_int(bits, words_for(len(before)))[None, :]
    return to_int(_respelled(words, before, block.vocabulary)[0])
