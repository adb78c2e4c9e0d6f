"""Calculated ballots member by member, for runs of levels with a few members each.

A chain of a hundred thousand members has as many levels; a frame for each would take minutes. The arithmetic is that
of ``averages``, in Python's integers.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter, or_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block


class _Ballot(NamedTuple):
    """One entry of each array of a ``Calculation``."""

    has: bool
    tags: Sequence[int]
    rated: Sequence[int]
    units: Sequence[int]
    depth: int
    sources: int
    error: int
    approximate: bool


def average_one_by_one(block: Block, calculation: Calculation, edges: Ints) -> None:
    """Give each follower of ``edges`` the average of what they inherit.

    Args:
        block: The graph.
        calculation: The ballots so far.
        edges: Edges of one or more levels, levels in order, sorted by follower inside each. Followees are settled, or
            stand as followers in front.
    """
    followees = np.unique(block.dst[edges])
    ballots = dict(zip(followees.tolist(), _taken(calculation, followees), strict=True))
    fresh: dict[int, _Ballot] = {}
    inherited: list[int] = []
    lines = zip(
        block.src[edges].tolist(),
        block.dst[edges].tolist(),
        edges.tolist(),
        block.everything[edges].tolist(),
        block.mask[edges].tolist(),
        strict=True,
    )
    for follower, followings in groupby(lines, key=itemgetter(0)):
        sources = []
        tags = [0] * calculation.tags.shape[1]
        for _, followee, edge, everything, mask in followings:
            source = ballots[followee]
            brought = [carried & followed for carried, followed in zip(source.tags, mask, strict=True)]
            if source.has and (everything or any(brought)):
                inherited.append(edge)
                sources.append(source)
                tags = list(map(or_, tags, brought))
        if sources:
            fresh[follower] = ballots[follower] = _average(sources, tags)
    calculation.inherited[inherited] = True
    _put(calculation, fresh)


def _average(sources: Sequence[_Ballot], tags: Sequence[int]) -> _Ballot:
    """The plain average: one divisor for every choice (D3)."""
    number = len(sources)
    rated, units = sources[0].rated, sources[0].units
    for source in sources[1:]:
        rated, units = [*map(or_, rated, source.rated)], [*map(sum, zip(units, source.units, strict=True))]
    return _Ballot(
        has=True,
        tags=tags,
        rated=rated,
        units=[unit // number for unit in units],
        depth=1 + max(source.depth for source in sources),
        sources=number,
        error=max(source.error for source in sources) + any(unit % number for unit in units),
        approximate=any(source.approximate for source in sources),
    )


def _taken(calculation: Calculation, nodes: Ints) -> list[_Ballot]:
    columns = [_by_node(calculation, name)[nodes].tolist() for name in _Ballot._fields]
    return [_Ballot(*entries) for entries in zip(*columns, strict=True)]


def _put(calculation: Calculation, ballots: dict[int, _Ballot]) -> None:
    nodes = list(ballots)
    for name, column in zip(_Ballot._fields, zip(*ballots.values(), strict=True), strict=False):
        _by_node(calculation, name)[nodes] = np.array(column, dtype=_by_node(calculation, name).dtype)


def _by_node(calculation: Calculation, name: str) -> NDArray[Any]:
    """One of the arrays, nodes first."""
    array: NDArray[Any] = getattr(calculation, name)
    return array.T if name == "units" else array
