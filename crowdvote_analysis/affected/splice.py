"""The frames of a new count, spliced from those of the count before and the rows of affected members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.frames import ballots_of, stars_of
from crowdvote_analysis.delegation.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.affected.recount import Part
    from crowdvote_analysis.delegation.arrays import Bits, Ints
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded

_INFLUENCE = ["influence_direct", "influence_total", "weight"]


def spliced(encoded: Encoded, previous: Resolution, parts: Sequence[Part]) -> Resolution:
    """Put the rows of affected members among the rows of everybody else, in frames that were made of the count before.

    Args:
        encoded: The state after the change.
        previous: The count before it.
        parts: The blocks counted again.
    """
    counted = [part.counted for part in parts]
    if not parts:
        return Resolution.of(encoded, counted)
    first, height = first_rows(encoded)
    first_before, height_before = first_rows(previous._encoded)
    frames = {}
    ballots_before, stars_before = previous.made("ballots"), previous.made("stars")
    if ballots_before is not None:
        small = [ballots_of(encoded, part.small) for part in parts]
        source = np.zeros(height, dtype=np.int64)  # rows of affected members come after all those of before
        following = height_before
        for part, fresh in zip(parts, small, strict=True):
            row = rows(part.counted.block, first)
            for piece in part.pieces:
                source[row[piece.new]] = rows(piece.counted.block, first_before)[piece.old]
            source[row[part.affected]] = following + part.within
            following += fresh.height
        ballots = _gathered(ballots_before.drop(_INFLUENCE), small, source, ["decision_id", "member_id"])
        frames["ballots"] = _with_influence(ballots, parts, first)
    if stars_before is not None:
        small = [stars_of(encoded, part.small.knowing(places=part.counted.places[:, part.nodes])) for part in parts]
        length_before = np.zeros(height_before, dtype=np.int64)
        for before in previous._counted:
            length_before[rows(before.block, first_before)] = set_sizes(before.calculation.rated)
        begin_before = np.cumsum(length_before) - length_before
        begin, length = np.zeros(height, dtype=np.int64), np.zeros(height, dtype=np.int64)
        following = stars_before.height
        for part, fresh in zip(parts, small, strict=True):
            row = rows(part.counted.block, first)
            for piece in part.pieces:
                old, new = rows(piece.counted.block, first_before)[piece.old], row[piece.new]
                begin[new], length[new] = begin_before[old], length_before[old]
            sizes = set_sizes(part.small.calculation.rated)
            now = row[part.affected]
            begin[now] = following + (np.cumsum(sizes) - sizes)[part.within]
            length[now] = sizes[part.within]
            following += fresh.height
        each = np.repeat(begin - np.cumsum(length) + length, length) + np.arange(length.sum())
        frames["stars"] = _gathered(stars_before, small, each, ["decision_id", "member_id", "choice_id"])
    return Resolution.of(encoded, counted, **frames)


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
    direct, total, weight = np.zeros(height, dtype=np.int64), np.zeros(height, dtype=np.int64), np.zeros(height)
    for part in parts:
        row = rows(part.counted.block, first)
        direct[row], total[row], weight[row] = part.counted.direct, part.counted.total, part.counted.weight
    known = pl.Series(total)
    return ballots.with_columns(
        influence_direct=pl.Series(direct), influence_total=known.set(known < 0, None), weight=pl.Series(weight)
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
