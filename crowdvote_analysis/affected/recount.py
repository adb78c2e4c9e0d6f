"""One block counted again: affected members by the rules, everybody else as before (E2).

Affected members and those they follow make up a small graph of their own, in which whoever is not affected stands like
a manual voter with the ballot of before, unrounded. It is settled like any other graph and put back into the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.affected.carry import (
    Piece,
    carried,
    carried_by_edge,
    carried_calculation,
    order_after,
    with_fresh,
)
from crowdvote_analysis.affected.walk import steps_to_followers
from crowdvote_analysis.delegation import averages, trees
from crowdvote_analysis.delegation.blocks import Block
from crowdvote_analysis.delegation.counted import Counted, loops
from crowdvote_analysis.delegation.counting import decision_ids, is_voter
from crowdvote_analysis.delegation.outcomes import NOT_LOOKED_AT
from crowdvote_analysis.delegation.participation import order as order_of
from crowdvote_analysis.delegation.rounding import rounded
from crowdvote_analysis.delegation.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.affected.changes import Update
    from crowdvote_analysis.delegation.arrays import Flags, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.participation import Order


@dataclass(frozen=True)
class Part:
    """A block counted again.

    Attributes:
        counted: The whole block.
        pieces: What was taken over.
        affected: The nodes that were not.
        small: The affected nodes and those they follow, counted by themselves.
        nodes: The nodes of ``small`` in the whole.
        within: The affected nodes in ``small``.
    """

    counted: Counted
    pieces: list[Piece]
    affected: Ints
    small: Counted
    nodes: Ints
    within: Ints


def recount(
    news: Update, previous: Sequence[Counted], block: Block, work_limit: int, advance: Callable[[int], None]
) -> Part:
    """Count a block, taking over what cannot have changed."""
    pieces, affected = _split(news, previous, block)
    is_affected = np.zeros(len(block.member), dtype=np.bool_)
    is_affected[affected] = True
    calculation = carried_calculation(block, pieces)
    edges = np.flatnonzero(is_affected[block.src] & ~block.manual[block.src])
    nodes = np.union1d(affected, block.dst[edges][block.dst[edges] >= 0])
    graph = _subgraph(block, calculation, nodes, edges, is_affected)
    fresh = averages.start(graph)
    beside = ~is_affected[nodes]
    for name in ("depth", "error", "approximate"):
        getattr(fresh, name)[beside] = getattr(calculation, name)[nodes[beside]]
    small_order = order_of(graph)
    settle(graph, small_order, fresh, decision_ids(news.encoded, block), work_limit, advance)
    order = order_after(block, pieces, graph, small_order, fresh, nodes, ~beside, edges)
    small = Counted(graph, small_order, fresh, is_voter(news.encoded, graph))
    calculation = with_fresh(calculation, fresh, nodes, ~beside, edges)
    counted = Counted(block, order, calculation, is_voter(news.encoded, block))
    if _known(pieces, "outcome"):
        outcome = carried_by_edge(block, pieces, "outcome", np.full(len(block.src), NOT_LOOKED_AT, dtype=np.int8))
        outcome[edges] = small.outcome
        counted.knowing(outcome=outcome)
    if _known(pieces, "places"):
        places = carried(pieces, "places", calculation.units)
        places[:, affected] = rounded(block, calculation, affected)
        counted.knowing(places=places)
    if _known(pieces, "in_loop") and _known(pieces, "circular"):
        in_loop = carried(pieces, "in_loop", calculation.has)
        in_loop[affected] = small.in_loop[~beside]
        counted.knowing(in_loop=in_loop, circular=_circular(block, pieces, small.circular))
    if _known(pieces, "total"):
        counted.knowing(total=_total(block, pieces, order, calculation, affected))
    return Part(counted, pieces, affected, small, nodes, np.flatnonzero(~beside))


def _known(pieces: Sequence[Piece], name: str) -> bool:
    """Whether something can be taken over, rather than be worked out when somebody asks for it."""
    return bool(pieces) and all(piece.counted.knows(name) for piece in pieces)


def _split(news: Update, previous: Sequence[Counted], block: Block) -> tuple[list[Piece], Ints]:
    """What can be taken over, and the nodes that are affected."""
    where = {code: (number, at) for number, part in enumerate(previous) for at, code in enumerate(part.block.decisions)}
    count = len(block.member)
    starts = news.changed[block.member]
    behind = np.zeros(count, dtype=np.bool_)
    places: dict[int, Ints] = {}
    decisions: dict[int, list[tuple[int, int]]] = {}
    for at, code in enumerate(block.decisions):
        nodes = slice(block.offsets[at], block.offsets[at + 1])
        if code not in news.decisions:
            starts[nodes] = True
            continue
        number, at_before = where[news.decisions[code]]
        old = previous[number].block
        place = places.setdefault(number, np.full(len(old.member), -1, dtype=np.int64))
        decisions.setdefault(number, []).append((at_before, code))
        before = slice(old.offsets[at_before], old.offsets[at_before + 1])
        member = news.member[old.member[before]]
        if nodes.start < nodes.stop:
            place[before] = np.where(member >= 0, member - block.member[nodes.start] + nodes.start, -1)
    for number, place in places.items():
        # Followers of somebody who left lead nowhere in the graph of now.
        old = previous[number].block
        if (place < 0).any():
            lost = (old.dst >= 0) & (place[old.dst] < 0) & (place[old.src] >= 0)
            behind[place[old.src[lost]]] = True
    behind &= ~block.manual
    affected = steps_to_followers(block.followers, block.manual, [starts, behind]) >= 0
    pieces = []
    for number, place in places.items():
        kept = np.flatnonzero(place >= 0)
        kept = kept[~affected[place[kept]]]
        pieces.append(Piece(previous[number], decisions[number], place, kept, place[kept]))
    assert sum(len(piece.new) for piece in pieces) == count - np.count_nonzero(affected), "everybody is found once"
    return pieces, np.flatnonzero(affected)


def _subgraph(block: Block, calculation: Calculation, nodes: Ints, edges: Ints, is_affected: Flags) -> Block:
    """Some nodes and edges of a block; whoever is not affected stands there as if their ballot were manual."""
    mine = is_affected[nodes]
    return Block(
        decisions=block.decisions,
        offsets=np.searchsorted(nodes, block.offsets),
        member=block.member[nodes],
        rules=block.rules,
        choices=block.choices,
        src=np.searchsorted(nodes, block.src[edges]),
        dst=np.where(block.dst[edges] < 0, -1, np.searchsorted(nodes, block.dst[edges])),
        following=block.following[edges],
        mask=block.mask[edges],
        everything=block.everything[edges],
        manual=block.manual[nodes] | ~mine,
        tags=np.where(mine[:, None], block.tags[nodes], calculation.tags[nodes]),
        rated=np.where(mine[:, None], block.rated[nodes], calculation.rated[nodes]),
        units=np.where(mine, block.units[:, nodes], calculation.units[:, nodes]),
        vocabulary=block.vocabulary,
    )


def _circular(block: Block, pieces: Sequence[Piece], fresh: Ints) -> Ints:
    """Followings inside loops by decision: those of before, less those of members not taken over, and the new ones."""
    number = fresh.copy()
    at = {code: place for place, code in enumerate(block.decisions)}
    for piece in pieces:
        old = piece.counted
        lost = np.flatnonzero(piece.left[old.block.src])
        less = old.circular - loops(old.block, old.order, lost)[1]
        for before, code in piece.decisions:
            number[at[code]] += less[before]
    return number


def _total(block: Block, pieces: Sequence[Piece], order: Order, calculation: Calculation, affected: Ints) -> Ints:
    """In how many trees of sources each node appears (I2): only the trees of affected members have changed."""
    is_affected = np.zeros(len(block.member), dtype=np.bool_)
    is_affected[affected] = True
    total = trees.totals(block, order, calculation, is_affected)
    for piece in pieces:
        before = piece.counted
        if (total[piece.new] < 0).all():
            continue
        open_before = before.total[piece.old] < 0
        if (open_before & (total[piece.new] >= 0)).any():  # small enough to be counted only now
            return trees.totals(block, order, calculation)
        less = trees.totals(before.block, before.order, before.calculation, piece.left)
        more = (before.total - less)[piece.old]
        total[piece.new] = np.where(total[piece.new] < 0, -1, total[piece.new] + more)
    return total
