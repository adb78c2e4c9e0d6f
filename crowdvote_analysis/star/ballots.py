"""Frames of votes → the ballots of each decision as one block of whole numbers, choice by ballot.

Everything after this is cheap: a block is counted choice by choice, whether a decision has three ballots or a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.star.checks import refuse, text_ids, units_of
from crowdvote_analysis.star.shapes import distinct, grid_of
from crowdvote_analysis.star.units import FIVE_STARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crowdvote_analysis.star.shapes import Grid

    Ints = NDArray[np.integer[Any]]

_KEY = ["decision_id", "member_id"]
_PIECE = 1 << 16
_DENSE = 1 << 22  # pairs of decision and choice that a table may have


@dataclass(frozen=True, eq=False)
class Ballots:
    """The ballots of one decision.

    Attributes:
        choices: All choice ids, in display order.
        stars: Stars by choice and ballot, unsigned whole numbers; a missing choice is 0 (K1).
        five: The number that stands for five stars: 5 for whole stars, 500,000,000 for units of 1e-8 star (D10).
        members: Whose ballots they are, in the order of the columns of ``stars``; ``None`` where nobody said.
    """

    choices: tuple[str, ...]
    stars: NDArray[Any]
    five: int
    members: pl.Series | None

    @property
    def vote_count(self) -> int:
        """Number of ballots."""
        return int(self.stars.shape[1])


def gather(
    rows: pl.DataFrame, table: str, choices: pl.DataFrame | None, tallied: pl.DataFrame | None = None
) -> dict[str, Ballots]:
    """Gather the long form of votes, of one or many decisions.

    Args:
        rows: ``decision_id``, ``member_id``, ``choice_id``, ``stars``, one row a star, in any order. Without
            ``decision_id`` all belong to the one decision of ``choices``.
        table: What the rows are called in error texts.
        choices: ``decision_id`` and ``choice_id`` in display order; ``None`` for the sorted ids of the rows.
        tallied: ``decision_id`` and ``member_id`` of the ballots to gather; all by default.

    Returns:
        The ballots by decision id, for every decision that has choices, also when nobody voted.

    Raises:
        InvalidElectionError: As `checks.refuse`.
    """
    rows = text_ids(rows, table)
    units = units_of(rows, table)
    if units is None:
        refuse(rows, table, choices)
    if tallied is None and "decision_id" not in rows.columns and choices is not None:
        grid = grid_of(rows["member_id"], rows["choice_id"], units)
        if grid is not None and grid.choices.is_in(choices["choice_id"].implode()).all():
            return {choices["decision_id"][0]: _of_grid(grid, tuple(choices["choice_id"]))}
    key = [name for name in _KEY if name in rows.columns]
    ballot, keys = _numbered(rows.select(key))
    if choices is None:
        choices = rows.select("decision_id", "choice_id").unique().sort("decision_id", "choice_id")
    blocks = _blocks(choices, keys, tallied)
    if (blocks.decision < 0).any():
        refuse(rows, table, choices)
    stars = _placed(blocks, ballot, rows["choice_id"], units.to_numpy())
    if stars is None:
        refuse(rows, table, choices)
    return _cut(blocks, stars, keys["member_id"])


def _of_grid(grid: Grid, choices: tuple[str, ...]) -> Ballots:
    rows = {choice: row for row, choice in enumerate(grid.choices)}
    stars = np.zeros((len(choices), len(grid.members)), dtype=np.uint32)
    for place, choice in enumerate(choices):
        if choice in rows:
            stars[place] = grid.units[rows[choice]]
    return Ballots(choices, stars, FIVE_STARS, grid.members)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Where everything goes: one block a decision, one after the other, each choice by ballot.

    Attributes:
        choices: ``decision`` (number), ``decision_id`` and ``choice_id`` (list, in display order), one row a decision.
        ballots: Number of ballots that are gathered, by decision.
        decision: Number of the decision, by ballot; -1 for one without choices.
        place: Where the first choice of the ballot stands, by ballot; -1 for one that is not gathered.
        order: The ballots that are gathered, in the order in which they stand.
    """

    choices: pl.DataFrame
    ballots: Ints
    decision: Ints
    place: Ints
    order: Ints

    @property
    def cells(self) -> int:
        return int(self.ballots @ self.choices["choice_id"].list.len().to_numpy())


def _blocks(choices: pl.DataFrame, keys: pl.DataFrame, tallied: pl.DataFrame | None) -> _Blocks:
    named = choices.group_by("decision_id", maintain_order=True).agg("choice_id").with_row_index("decision")
    decision, wanted = np.zeros(len(keys), dtype=np.int64), np.ones(len(keys), dtype=np.bool_)
    if "decision_id" in keys.columns:
        own = keys.select("decision_id").join(named, on="decision_id", how="left", maintain_order="left")["decision"]
        decision = own.cast(pl.Int64).fill_null(-1).to_numpy()
    if tallied is not None:
        marked = tallied.select(_KEY).unique().with_columns(wanted=True)
        wanted = (
            wanted & keys.join(marked, on=_KEY, how="left", maintain_order="left")["wanted"].is_not_null().to_numpy()
        )
    order = np.flatnonzero(wanted & (decision >= 0))
    if (np.diff(decision[order]) < 0).any():
        order = order[np.argsort(decision[order], kind="stable")]
    ballots = np.bincount(decision[order], minlength=len(named))
    before, cells = np.cumsum(ballots) - ballots, ballots * named["choice_id"].list.len().to_numpy()
    place = np.full(len(keys), -1, dtype=np.int64)
    place[order] = np.arange(len(order)) + np.repeat(np.cumsum(cells) - cells - before, ballots)
    return _Blocks(named, ballots, decision, place, order)


def _placed(blocks: _Blocks, ballot: Ints, choice: pl.Series, units: Ints) -> NDArray[np.uint32] | None:
    """All cells with their units, 0 where a ballot has no row.

    Returns:
        The cells; ``None`` when a choice is none of its decision's, or a ballot has two rows for one.
    """
    inside, known = _inside(blocks)
    codes = choice.cast(pl.Enum(known), strict=False).to_physical()
    if codes.null_count():
        return None
    code, nothing = codes.to_numpy(), np.uint32(2**32 - 1)
    stars, gathered = np.full(blocks.cells, nothing, dtype=np.uint32), 0
    # In pieces that stay in the cache of a processor: fresh memory for millions of rows costs more than the work.
    for start in range(0, len(ballot), _PIECE):
        piece = slice(start, start + _PIECE)
        own = ballot[piece]
        decision, first = blocks.decision[own], blocks.place[own]
        own_choice = inside(decision, code[piece])
        if (own_choice < 0).any():
            return None
        there = first >= 0
        stars[(first + own_choice * blocks.ballots[decision])[there]] = units[piece][there]
        gathered += int(np.count_nonzero(there))
    empty = stars == nothing
    if blocks.cells - np.count_nonzero(empty) < gathered:
        return None
    stars[empty] = 0
    return stars


def _inside(blocks: _Blocks) -> tuple[Callable[[Ints, Ints], Ints], pl.Series]:
    """From the code of a choice among all choices to its place among those of a decision, or -1; and all choices."""
    pairs = blocks.choices.explode("choice_id").with_columns(inside=pl.int_range(pl.len()).over("decision"))
    known = pairs["choice_id"].unique(maintain_order=True)
    if len(blocks.choices) == 1:
        return (lambda _, code: code), known
    named = pl.col("choice_id").cast(pl.Enum(known)).to_physical()
    pairs = pairs.select("inside", pair=pl.col("decision").cast(pl.Int64) * len(known) + named).sort("pair")
    pair, place = pairs["pair"].to_numpy(), pairs["inside"].to_numpy()
    if len(blocks.choices) * len(known) <= _DENSE:
        table = np.full(len(blocks.choices) * len(known), -1, dtype=np.int64)
        table[pair] = place
        return (lambda decision, code: table[decision * len(known) + code]), known

    def found(decision: Ints, code: Ints) -> Ints:
        wanted = decision * len(known) + code
        at = np.minimum(np.searchsorted(pair, wanted), len(pair) - 1)
        return np.where(pair[at] == wanted, place[at], -1)

    return found, known


def _numbered(keys: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """Number distinct rows from 0: the number by row, and the distinct rows.

    The rows of a ballot mostly stand together; then only the first of each has to be looked at.
    """
    if keys.is_empty():
        return np.zeros(0, dtype=np.int32), keys
    first = keys.select(pl.any_horizontal(pl.all().ne_missing(pl.all().shift(1)))).to_series()
    first[0] = True
    run = np.cumsum(first.to_numpy(), dtype=np.int32)
    run -= 1
    starts = keys.filter(first)
    if distinct(starts):
        return run, starts
    once = starts.unique(maintain_order=True).with_row_index("number")
    number = starts.join(once, on=starts.columns, how="left", maintain_order="left")["number"]
    return number.cast(pl.Int32).to_numpy()[run], once.drop("number")


def _cut(blocks: _Blocks, stars: NDArray[np.uint32], members: pl.Series) -> dict[str, Ballots]:
    whose = members.gather(blocks.order)
    found, cell, ballot = {}, 0, 0
    for (name, choices), count in zip(
        blocks.choices.select("decision_id", "choice_id").iter_rows(), blocks.ballots.tolist(), strict=True
    ):
        block = stars[cell : cell + len(choices) * count].reshape(len(choices), count)
        found[name] = Ballots(tuple(choices), block, FIVE_STARS, whose.slice(ballot, count))
        cell, ballot = cell + len(choices) * count, ballot + count
    return found
