"""What is in loops or behind them: who gets a ballot at all, the cores, and levels around them (Y1, Y2, Y4, Y6).

Members who are *tangled* are numbered anew, so that what is made for them is no larger than they are many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crowdvote_analysis.delegation.arrays import not_empty
from crowdvote_analysis.delegation.budget import Budget
from crowdvote_analysis.delegation.cores import Core, settle_core
from crowdvote_analysis.delegation.equilibrium import LARGEST_EXACT
from crowdvote_analysis.delegation.participation import Order, came_along
from crowdvote_analysis.errors import CrowdVoteError
from crowdvote_analysis.loop_rules import rule_of_core
from crowdvote_analysis.out_of_core.rows import Rows, ranges, turned, waves
from crowdvote_analysis.patience import go_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.averages import Averages
    from crowdvote_analysis.out_of_core.graph import Chunk, Graph

    Array = NDArray[Any]

# Bytes that a core takes while it is balanced: its equations are held in memory (docs/performance.md).
BYTES_BY_FOLLOWING, BYTES_BY_MEMBER = 120, 400


class _Tangle(NamedTuple):
    """The members in or behind loops.

    Attributes:
        nodes: Who they are, ascending; the place is their own number.
        place: Own number by node; meant for those of ``nodes`` alone.
    """

    nodes: Array
    place: Array


def settle_loops(
    graph: Graph, averages: Averages, decision_id: str, work_limit: int, advance: Callable[[int], None]
) -> None:
    """Give their ballots to all whom waves have not reached.

    Args:
        graph: The decision, everybody else settled; ``waits`` is above 0 for those who are left.
        averages: What works plain averages out.
        decision_id: Its id, for errors.
        work_limit: Steps the rule ``path`` may take (Y3).
        advance: Called with the number of members settled since the last call.
    """
    found = [np.flatnonzero(graph.waits[first:last] > 0) + first for first, last in ranges(graph.home.size, graph.size)]
    nodes = np.concatenate([np.zeros(0, dtype=np.int64), *found]).astype(np.int32)
    if not len(nodes):
        return
    place = graph.work.create("place", graph.home.size, np.int32)
    place[nodes] = np.arange(len(nodes), dtype=np.int32)
    tangle = _Tangle(nodes, place)
    _mark_loops(graph, tangle)
    _participate(graph, tangle)
    matching = _inner(graph, tangle, "matching", only_matching=True)
    core = _components(matching)
    _Cores(graph, tangle, matching, core, decision_id, work_limit, advance).settle(averages)
    graph.work.drop(["place", "matching.columns", "matching.bounds", "back.bounds", "back.columns", "waits by unit"])


def _tangled(graph: Graph, nodes: Array) -> Array:
    tangled: Array = graph.waits[nodes] > 0
    return tangled


def _inner(graph: Graph, tangle: _Tangle, name: str, *, only_matching: bool) -> Rows:
    """The followings among the tangled, by their own numbers."""
    bounds = graph.work.create(f"{name}.bounds", len(tangle.nodes) + 1, np.int64)
    first = total = 0
    with graph.work.filling(f"{name}.columns") as (file,):
        for some in graph.home.rows.chunks(tangle.nodes, graph.size):
            chunk = graph.chunk(some)
            inner = _tangled(graph, chunk.block.dst)
            if only_matching:
                inner &= _matches(graph, chunk)[0]
            src = np.searchsorted(some, chunk.block.src[inner])
            file.write(tangle.place[chunk.block.dst[inner]].tobytes())
            ends = np.cumsum(np.bincount(src, minlength=len(some)))
            bounds[first + 1 : first + len(some) + 1] = total + ends
            first, total = first + len(some), total + int(ends[-1])
    return Rows(bounds, graph.work.open(f"{name}.columns", total, np.int32))


def _components(rows: Rows) -> Array:
    """The first member of the core by member; -1 for whoever is alone."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    count, followings = len(rows.bounds) - 1, len(rows.columns)
    kind = np.int32 if followings < 2**31 else np.int64
    matrix = (np.ones(followings, dtype=np.int8), rows.columns.astype(kind, copy=False), rows.bounds.astype(kind))
    _, label = connected_components(csr_array(matrix, shape=(count, count)), directed=True, connection="strong")
    del matrix
    shared = np.bincount(label)[label] > 1
    first = np.full(int(label.max()) + 1, count, dtype=np.int64)
    np.minimum.at(first, label, np.arange(count))
    return np.where(shared, first[label], -1).astype(np.int32)


def _mark_loops(graph: Graph, tangle: _Tangle) -> None:
    """Note who follows somebody inside a loop of the followings as recorded, matching or not (Y5)."""
    rows = _inner(graph, tangle, "recorded", only_matching=False)
    loop = _components(rows)
    for first, last in ranges(len(tangle.nodes), graph.size):
        lengths = np.diff(rows.bounds[first : last + 1])
        own = np.repeat(loop[first:last], lengths)
        inside = (own >= 0) & (own == loop[rows.columns[rows.bounds[first] : rows.bounds[last]]])
        graph.circular += int(inside.sum())
        graph.in_loop[np.repeat(tangle.nodes[first:last], lengths)[inside]] = True
    graph.work.drop(["recorded.bounds", "recorded.columns"])


def _matches(graph: Graph, chunk: Chunk) -> tuple[Array, Array]:
    calculation = graph.calculation
    return came_along(chunk.block, chunk.edges, calculation.has, calculation.tags)


def _participate(graph: Graph, tangle: _Tangle) -> None:
    """Who of the tangled gets a ballot, and with which tags: the least fixed point (Y2 a)."""
    has, tags, followers = graph.calculation.has, graph.calculation.tags, graph.home.followers
    waiting = tangle.nodes
    while len(waiting):
        go_on()
        found = []
        for some in graph.home.rows.chunks(waiting, graph.size):
            chunk = graph.chunk(some)
            match, brought = _matches(graph, chunk)
            follower, brought = chunk.block.src[match], brought[match]
            news = ~has[follower] | not_empty(brought & ~tags[follower])
            has[follower] = True
            np.bitwise_or.at(tags, follower, brought)
            found.append(np.unique(follower[news]))
        changed = np.unique(np.concatenate(found))
        reached = [np.zeros(0, dtype=np.int64)]
        for some in followers.chunks(changed, graph.size):
            nodes = followers.columns[followers.places(some)[0]]
            reached.append(np.unique(nodes[_tangled(graph, nodes)]))
        waiting = np.unique(np.concatenate(reached))


class _Cores:
    """The cores of the tangled, and everybody around them in waves."""

    def __init__(
        self,
        graph: Graph,
        tangle: _Tangle,
        matching: Rows,
        core: Array,
        decision_id: str,
        work_limit: int,
        advance: Callable[[int], None],
    ) -> None:
        self._graph, self._tangle, self._matching, self._core = graph, tangle, matching, core
        self._advance = advance
        cored = np.flatnonzero(core >= 0)
        self._members = cored[np.argsort(core[cored], kind="stable")]
        self._numbers, starts, sizes = np.unique(core[self._members], return_index=True, return_counts=True)
        self._starts = np.append(starts, len(self._members))
        followings = self._followings(sizes)
        self._cores = [
            Core(int(tangle.nodes[number]), 0, size, inside, rule_of_core(graph.rule, size, inside))
            for number, size, inside in zip(self._numbers.tolist(), sizes.tolist(), followings, strict=True)
        ]
        for each in self._cores:
            if each.rule == "equilibrium":
                _require_room(graph, each, decision_id)
        # Small cores are walked whatever it takes (Y6).
        self._budget = Budget(work_limit if graph.rule == "path" else None, decision_id)
        walked = [(each.members, each.followings) for each in self._cores if each.rule == "path"]
        self._budget.foresee(walked)
        # By node, as ``delegation`` looks them up: the core's number is its first node.
        self._by_node = graph.work.create("core", graph.home.size, np.int32)
        for first, last in ranges(graph.home.size, graph.size):
            self._by_node[first:last] = -1
        for number, nodes in self._each():
            self._by_node[nodes] = tangle.nodes[number]
        none = np.zeros(0, dtype=np.int64)
        self._order = Order(level=none, core=self._by_node, raw_loop=none, edges=none, starts=none)

    def settle(self, averages: Averages) -> None:
        """Everybody in waves; a core is one unit of them."""
        graph, matching, core = self._graph, self._matching, self._core
        unit = np.where(core >= 0, core, np.arange(len(core), dtype=np.int32))
        waits = graph.work.create("waits by unit", len(unit), np.int32)
        for first, last in ranges(len(unit), graph.size):
            own = np.repeat(unit[first:last], np.diff(matching.bounds[first : last + 1]))
            other = unit[matching.columns[matching.bounds[first] : matching.bounds[last]]]
            np.add.at(waits, own[own != other], 1)
        back = turned(graph.work, "back", matching, graph.size)

        def reached_from(units: Array) -> Iterator[Array]:
            for some in self._expanded(units):
                for piece in back.chunks(some, graph.size):
                    places, lengths = back.places(piece)
                    own, reached = np.repeat(unit[piece], lengths), unit[back.columns[places]]
                    yield reached[own != reached]

        # Those who wait for nobody among the tangled come first, and they are not told in a wave.
        for first, last in ranges(len(unit), graph.size):
            own = np.arange(first, last)
            self._wave(averages, own[(unit[first:last] == own) & (waits[first:last] == 0)])
        for wave in waves(waits, graph.size, reached_from):
            self._wave(averages, wave)
        averages.flush()
        graph.work.drop(["core"])

    def _wave(self, averages: Averages, units: Array) -> None:
        is_core = self._core[units] >= 0
        averages.wave(self._tangle.nodes[units[~is_core]])
        if is_core.any():
            averages.flush()
        for number in units[is_core].tolist():
            go_on()
            self._settle(int(np.searchsorted(self._numbers, number)))

    def _settle(self, at: int) -> None:
        core, calculation = self._cores[at], self._graph.calculation
        nodes = self._tangle.nodes[self._members[self._starts[at] : self._starts[at + 1]]]
        chunk = self._graph.chunk(nodes)
        chunk = chunk.only(_matches(self._graph, chunk)[0])
        settle_core(chunk.block, self._order, chunk.calculation, chunk.edges, core, self._budget, self._advance)
        chunk.keep(calculation)
        calculation.trees.clear()  # influence is not counted here
        calculation.outcome.clear()
        if core.rule == "equilibrium" and core.members > LARGEST_EXACT:
            calculation.balances.pop()  # kept for rounding, which works out small ones alone as fractions

    def _expanded(self, units: Array) -> Iterator[Array]:
        """The members of some units."""
        plain = self._core[units] < 0
        yield units[plain]
        for number in units[~plain & (self._core[units] == units)].tolist():
            at = int(np.searchsorted(self._numbers, number))
            yield self._members[self._starts[at] : self._starts[at + 1]]

    def _each(self) -> Iterator[tuple[int, Array]]:
        for at, number in enumerate(self._numbers.tolist()):
            yield number, self._tangle.nodes[self._members[self._starts[at] : self._starts[at + 1]]]

    def _followings(self, sizes: Array) -> list[int]:
        """How many followings that match lie inside each core."""
        inside = np.zeros(len(sizes), dtype=np.int64)
        rows, core = self._matching, self._core
        for first, last in ranges(len(core), self._graph.size):
            own = np.repeat(core[first:last], np.diff(rows.bounds[first : last + 1]))
            same = own[(own >= 0) & (own == core[rows.columns[rows.bounds[first] : rows.bounds[last]]])]
            numbers, counts = np.unique(same, return_counts=True)
            inside[np.searchsorted(self._numbers, numbers)] += counts
        found: list[int] = inside.tolist()
        return found


def _require_room(graph: Graph, core: Core, decision_id: str) -> None:
    """Refuse to balance a core whose equations do not fit into the memory.

    Raises:
        CrowdVoteError: They do not.
    """
    needed = core.followings * BYTES_BY_FOLLOWING + core.members * BYTES_BY_MEMBER
    if needed > graph.work.memory:
        raise CrowdVoteError(
            f"decision '{decision_id}': {core.members:,} members follow each other in one core of loops, with "
            f"{core.followings:,} followings inside it. Its equilibrium (rule Y4) is solved in memory and needs about "
            f"{needed / 1e9:.1f} GB; {graph.work.memory / 1e9:.1f} GB were given. Give more: --memory "
            f"{-(-needed // 10**9)}GB. What is encoded is kept, so that the next run goes on from here."
        )
