"""Averages over files, wave after wave: whoever is in one comes after all those they inherit from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation.averages import average
from crowdvote_analysis.delegation.narrow import average_one_by_one
from crowdvote_analysis.patience import go_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.graph import Graph

    Array = NDArray[Any]

# Members that are calculated one by one faster than as frames.
_NARROW = 32
_RUN = 4096


class Averages:
    """Averages wave after wave: wide ones as frames, runs of narrow ones member by member.

    Args:
        graph: The decision.
        advance: Called with the number of members settled since the last call.
    """

    def __init__(self, graph: Graph, advance: Callable[[int], None]) -> None:
        self._graph, self._advance = graph, advance
        self._waiting: list[Array] = []

    def wave(self, nodes: Array) -> None:
        """Give some members their ballots; whoever they inherit from came before."""
        go_on()
        if len(nodes) <= _NARROW:
            self._waiting.append(nodes)
            if len(self._waiting) >= _RUN:
                self.flush()
            return
        self.flush()
        for some in self._graph.home.rows.chunks(nodes, self._graph.size):
            chunk = self._graph.chunk(some)
            average(chunk.block, chunk.calculation, chunk.edges)
            chunk.keep(self._graph.calculation)
        self._advance(len(nodes))

    def flush(self) -> None:
        """Calculate the narrow waves that were put off."""
        if self._waiting:
            nodes = np.concatenate(self._waiting)
            self._waiting = []
            chunk = self._graph.chunk(nodes)
            average_one_by_one(chunk.block, chunk.calculation, chunk.edges)
            chunk.keep(self._graph.calculation)
            self._advance(len(nodes))
