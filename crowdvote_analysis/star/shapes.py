"""Votes in one of the two shapes that most tables have: a full grid, ballot by ballot or choice by choice.

Where ids repeat in a regular way, millions of them need only be compared with their neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class Grid(NamedTuple):
    """Ballots that all rate the same choices: members by column, choices by row, and the units of each cell."""

    members: pl.Series
    choices: pl.Series
    units: NDArray[np.uint32]


def grid_of(members: pl.Series, choices: pl.Series, units: pl.Series) -> Grid | None:
    """Find the grid in the rows of one election.

    Args:
        members: Member id by row, no nulls.
        choices: Choice id by row, no nulls.
        units: Units of 1e-8 star by row, checked.

    Returns:
        The grid; ``None`` when rows stand in another order, or a ballot lacks a choice or has one twice.
    """
    size = period_of(choices)
    if size is not None:  # ballot by ballot
        starts = members.ne_missing(members.shift(1)).to_numpy().reshape(-1, size)
        if starts[1:, 0].all() and not starts[:, 1:].any():
            return _checked(Grid(members.gather_every(size), choices.head(size), _cells(units, size).T))
        return None
    size = period_of(members)
    if size is not None:  # choice by choice
        firsts = choices.gather_every(size)
        if all((choices.slice(row * size, size) == choice).all() for row, choice in enumerate(firsts)):
            return _checked(Grid(members.head(size), firsts, _cells(units, size)))
    return None


def period_of(ids: pl.Series) -> int | None:
    """After how many rows ids repeat, in the same order, to the end; ``None`` when they do not, or at once."""
    again = ids.slice(1).index_of(ids[0]) if len(ids) else None
    if not again or len(ids) % (again + 1):
        return None
    return again + 1 if ids.slice(again + 1).equals(ids.head(len(ids) - again - 1)) else None


def distinct(keys: pl.DataFrame) -> bool:
    """Whether no two rows are the same."""
    if len(keys.columns) == 1 and _increasing(keys.to_series()):
        return True
    # Equal rows have equal hashes: as many hashes as rows are proof, in a third of the time of looking at the rows.
    return keys.hash_rows().n_unique() == len(keys) or keys.n_unique() == len(keys)


def _increasing(ids: pl.Series) -> bool:
    return bool((ids.slice(1) > ids.head(max(len(ids) - 1, 0))).all())


def _cells(units: pl.Series, width: int) -> NDArray[np.uint32]:
    return units.to_numpy().reshape(-1, width).astype(np.uint32)


def _checked(grid: Grid) -> Grid | None:
    return grid if distinct(grid.members.to_frame()) and distinct(grid.choices.to_frame()) else None
