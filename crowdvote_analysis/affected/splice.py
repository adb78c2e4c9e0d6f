"""The frames of a new count, spliced from those of the count before and the rows of affected members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.resolution import ballots_of, frames, resolution, stars_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.affected.recount import Part
    from crowdvote_analysis.delegation.arrays import Bits, Ints
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.resolution import Resolution

_INFLUENCE = ["influence_direct", "influence_total", "weight"]


def spliced(encoded: Encoded, previous: Resolution, parts: Sequence[Part]) -> Resolution:
    """Put the rows of affected members among the rows of everybody else.

    Args:
        encoded: The state after the change.
        previous: The count before it.
        parts: The blocks counted again.
    """
    if not parts:
        return frames(encoded, [])
    first, height = first_rows(encoded)
    first_before, height_before = first_rows(previous._encoded)
    length_before = np.zeros(height_before, dtype=np.int64)
    for counted in previous._counted:
        length_before[rows(counted.block, first_before)] = set_sizes(counted.calculation.rated)
    begin_before = np.cumsum(length_before) - length_before
    small_ballots = [ballots_of(encoded, part.small) for part in parts]
    small_stars = [stars_of(encoded, part.small) for part in parts]
    source = np.zeros(height, dtype=np.int64)  # row of the ballot, rows of affected members after all those of before
    begin, length = np.zeros_like(source), np.zeros_like(source)
    next_ballot, next_star = height_before, previous.stars.height
    for part, ballots, stars in zip(parts, small_ballots, small_stars, strict=True):
        row = rows(part.counted.block, first)
        for piece in part.pieces:
            before = rows(piece.counted.block, first_before)[piece.old]
            now = row[piece.new]
            source[now], begin[now], length[now] = before, begin_before[before], length_before[before]
        sizes = set_sizes(part.small.calculation.rated)
        now = row[part.affected]
        source[now] = next_ballot + part.within
        begin[now] = next_star + (np.cumsum(sizes) - sizes)[part.within]
        length[now] = sizes[part.within]
        next_ballot, next_star = next_ballot + ballots.height, next_star + stars.height
    ballots = _gathered(previous.ballots.drop(_INFLUENCE), small_ballots, source, ["decision_id", "member_id"])
    each = np.repeat(begin - np.cumsum(length) + length, length) + np.arange(length.sum())
    stars = _gathered(previous.stars, small_stars, each, ["decision_id", "member_id", "choice_id"])
    return resolution(encoded, [part.counted for part in parts], _with_influence(ballots, parts, first), stars)


def _gathered(before: pl.DataFrame, small: Sequence[pl.DataFrame], source: Ints, keys: list[str]) -> pl.DataFrame:
    """Rows of before and, counted on from there, of the small frames, by their number.

    Where every row of before is still in its place, only what has changed is put in.
    """
    both = pl.concat([before, *(frame.select(before.columns) for frame in small)])
    wanted = pl.Series(source)
    if len(source) != len(before):
        return both[wanted]
    moved = pl.Series(np.flatnonzero(source != np.arange(len(source))))
    now, then = both[wanted.gather(moved)], before[moved]
    if not now.select(keys).equals(then.select(keys)):
        return both[wanted]
    changed = [name for name in before.columns if not now[name].equals(then[name])]
    return before.with_columns(
        both[name].gather(wanted) if before.schema[name].is_nested() else before[name].clone().scatter(moved, now[name])
        for name in changed
    )


def _with_influence(ballots: pl.DataFrame, parts: Sequence[Part], first: Ints) -> pl.DataFrame:
    """Influence and weight are everybody's new ones."""
    height = len(ballots)
    direct, total = np.zeros(height, dtype=np.int64), np.zeros(height, dtype=np.int64)
    weight, has = np.zeros(height), np.zeros(height, dtype=np.bool_)
    for part in parts:
        row = rows(part.counted.block, first)
        direct[row], total[row] = part.counted.direct, part.counted.total
        weight[row], has[row] = part.counted.weight, part.counted.calculation.has
    known = pl.Series(total)
    return ballots.with_columns(
        influence_direct=pl.Series(direct),
        influence_total=known.set(known < 0, None),
        weight=pl.Series(weight),
        with_stars=pl.Series(has),
    )


def first_rows(encoded: Encoded) -> tuple[Ints, int]:
    """The first row of each decision in the frame of ballots, and its height."""
    sizes = (encoded.decisions["last"] - encoded.decisions["first"]).to_numpy()
    return np.cumsum(sizes) - sizes, int(sizes.sum())


def rows(block: Block, first: Ints) -> Ints:
    """The row of each node in the frame of ballots."""
    shift = first[np.array(block.decisions, dtype=np.int64)] - block.offsets[:-1]
    return np.arange(len(block.member)) + np.repeat(shift, np.diff(block.offsets))


def set_sizes(rated: Bits) -> Ints:
    """Number of choices on each ballot."""
    sizes: Ints = np.bitwise_count(rated).sum(axis=1, dtype=np.int64)
    return sizes
