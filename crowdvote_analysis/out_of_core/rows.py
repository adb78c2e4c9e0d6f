"""Followings in compressed rows on disk, read by chunks of bounded size, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.work import Work

    Array = NDArray[Any]

# What marks a node that waits for nobody: so low that it never comes up to 0 or is taken for another.
_READY = -(1 << 30)


class Rows(NamedTuple):
    """Compressed rows.

    Attributes:
        bounds: Position of the first entry of each row, and the number of entries at the end.
        columns: The entries.
    """

    bounds: Array
    columns: Array

    def places(self, rows: Array) -> tuple[Array, Array]:
        """Positions of the entries of some rows, in their order, and how many each row has."""
        first = self.bounds[rows]
        lengths = self.bounds[rows + 1] - first
        places = np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
        return places, lengths

    def chunks(self, rows: Array, entries: int) -> Iterator[Array]:
        """Cut rows into chunks of so many entries, and of so many rows; a longer row is a chunk by itself."""
        for first in range(0, len(rows), entries):
            piece = rows[first : first + entries]
            before = np.cumsum(self.bounds[piece + 1] - self.bounds[piece])
            start = 0
            while start < len(piece):
                passed = before[start - 1] if start else 0
                stop = max(start + 1, int(np.searchsorted(before, passed + entries, side="right")))
                yield piece[start:stop]
                start = stop


def ranges(count: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``range(count)`` into pieces, as first and last, half open."""
    for first in range(0, count, size):
        yield first, min(count, first + size)


def bounds_of(work: Work, name: str, sources: Array, count: int, size: int) -> Array:
    """The bounds of rows whose numbers are listed, row by row, in ``sources``; those below 0 count for none."""
    bounds = work.create(name, count + 1, np.int64)
    for first, last in ranges(len(sources), size):
        piece = sources[first:last]
        numbers, counts = np.unique(piece[piece >= 0], return_counts=True)
        bounds[numbers + 1] += counts
    _add_up(bounds, size)
    return bounds


def _add_up(bounds: Array, size: int) -> None:
    """Turn lengths into bounds, in place."""
    before = 0
    for first, last in ranges(len(bounds), size):
        piece = bounds[first:last]
        np.cumsum(piece, out=piece)
        piece += before
        before = int(piece[-1])


def turned(work: Work, name: str, rows: Rows, size: int) -> Rows:
    """The same followings backwards: for each column the rows it stands in, ascending. Columns below 0 are left out."""
    count = len(rows.bounds) - 1
    bounds = bounds_of(work, f"{name}.bounds", rows.columns, count, size)
    columns = work.create(f"{name}.columns", int(bounds[-1]), np.int32)
    free = work.create(f"{name}.free", count, np.int64)
    for first, last in ranges(count, size):
        free[first:last] = bounds[first:last]
    for begin, end in row_chunks(rows.bounds, size):
        entries = rows.columns[rows.bounds[begin] : rows.bounds[end]]
        row = np.repeat(np.arange(begin, end, dtype=np.int32), np.diff(rows.bounds[begin : end + 1]))
        order = np.argsort(entries, kind="stable")
        order = order[np.searchsorted(entries[order], 0) :]
        entries = entries[order]
        starts = np.flatnonzero(np.concatenate([[True], entries[1:] != entries[:-1]])) if len(entries) else order
        lengths = np.diff(np.append(starts, len(entries)))
        target = entries[starts]
        columns[np.repeat(free[target] - starts, lengths) + np.arange(len(entries))] = row[order]
        free[target] += lengths
    work.drop([f"{name}.free"])
    return Rows(bounds, columns)


def row_chunks(bounds: Array, entries: int) -> Iterator[tuple[int, int]]:
    """Cut all rows into ranges of so many entries or so."""
    first, count = 0, len(bounds) - 1
    while first < count:
        last = int(np.searchsorted(bounds, bounds[first] + entries, side="right")) - 1
        last = min(max(last, first + 1), first + entries)
        yield first, last
        first = last


def waves(
    waits: Array,
    size: int,
    reached_from: Callable[[Array], Iterator[Array]],
) -> Iterator[Array]:
    """Nodes in the order in which they can be calculated, all that can be at a time.

    The first wave, nodes that wait for nobody, is not told: there is nothing to calculate. A wave is let go before the
    next is looked for.

    Args:
        waits: For how many others each node waits; counted down here. What never comes up has more than 0 left.
        size: Nodes looked at together.
        reached_from: Gives, chunk by chunk, who waited for some nodes; as often as they waited for them.

    Yields:
        The nodes of a wave, ascending.
    """
    for first, last in ranges(len(waits), size):
        piece = waits[first:last]
        piece[piece == 0] = _READY

    def released(nodes: Array) -> list[Array]:
        found = []
        for reached in reached_from(nodes):
            np.subtract.at(waits, reached, 1)
            found.append(np.unique(reached[waits[reached] == 0]))
        return found

    ready: list[Array] = []
    for first, last in ranges(len(waits), size):
        at_once = np.flatnonzero(waits[first:last] <= _READY // 2)
        if len(at_once):
            ready += released(at_once + first)
    while sum(map(len, ready)):
        wave = np.concatenate(ready)
        wave.sort()
        yield wave
        ready = released(wave)
