"""Calculated ballots level by level: the plain average of the ballots that match (D2 to D4).

Stars are integers of 1e-18 star. A division rounds down and says so, so the true value of a ballot of depth d lies
less than d units above what is kept. Rounding to 8 places can only go wrong within that distance below a half; those
few values are worked out again with exact fractions (``rounded``), so every stored star is the exact average,
rounded half-even (D10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.encode import UNITS_PER_PLACE
from crowdvote_analysis.delegation.participation import came_along

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.encode import Bits, Block, Flags, Ints

_HALF = UNITS_PER_PLACE // 2


@dataclass(frozen=True)
class Balance:
    """A core that was settled by the equilibrium rule, kept to trace weights through it.

    Attributes:
        members: Its nodes.
        inside: 1 where the member of the row inherits from the member of the column.
        sources: Number of inherited ballots by member.
        outside: The edges along which they inherit from outside.
    """

    members: Ints
    inside: csr_array
    sources: Ints
    outside: Ints


@dataclass
class Calculation:
    """The ballots of a block while they are being worked out; one entry a node.

    Attributes:
        has: Whether there is a ballot that others can inherit and that can be tallied (D5).
        tags: Bits of its tags.
        rated: Bits of the choices on it.
        units: Stars in units of 1e-18, choice by node.
        depth: Depth (D11).
        sources: Number of inherited ballots, the divisor (D3).
        inexact: Whether a division left a remainder somewhere on the way.
        shares: For members of a core under the path rule: which share of their ballot comes from which node outside
            the core.
        trees: For the same members: who else of the core is in their tree of sources.
        outcome: For edges inside such a core: the outcome in the follower's own walk and the bits that came along.
        balances: The cores settled by the equilibrium rule.
    """

    has: Flags
    tags: Bits
    rated: Bits
    units: Ints
    depth: Ints
    sources: Ints
    inexact: Flags
    shares: dict[int, Mapping[int, Fraction]]
    trees: dict[int, frozenset[int]]
    outcome: dict[int, tuple[int, int]]
    balances: list[Balance]


def start(block: Block) -> Calculation:
    """The manual ballots (D1); those without stars give nothing (D5)."""
    count = len(block.member)
    has = (block.rated != 0).any(axis=1)
    return Calculation(
        has=has,
        tags=np.where(has[:, None], block.tags, np.uint64(0)),
        rated=block.rated.copy(),
        units=block.units.copy(),
        depth=np.zeros(count, dtype=np.int64),
        sources=np.zeros(count, dtype=np.int64),
        inexact=np.zeros(count, dtype=np.bool_),
        shares={},
        trees={},
        outcome={},
        balances=[],
    )


def average(block: Block, calculation: Calculation, edges: Ints) -> None:
    """Give each follower of ``edges`` the average of what they inherit; all followees must be settled."""
    match, brought = came_along(block, edges, calculation.has, calculation.tags)
    edges, brought = edges[match], brought[match]
    if not len(edges):
        return
    followee = block.dst[edges]
    choices = range(len(calculation.units))
    frame = pl.DataFrame(
        {
            "follower": block.src[edges],
            "depth": calculation.depth[followee],
            "inexact": calculation.inexact[followee],
            **{f"tags{w}": brought[:, w] for w in range(brought.shape[1])},
            **{f"rated{w}": calculation.rated[followee, w] for w in range(calculation.rated.shape[1])},
            **{f"units{c}": calculation.units[c, followee] for c in choices},
        }
    )
    total = [pl.col(f"units{c}").cast(pl.Int128).sum() for c in choices]
    divisor = pl.len().cast(pl.Int128)
    ballots = (
        frame.lazy()
        .group_by("follower")
        .agg(
            pl.col("^(tags|rated)[0-9]+$").bitwise_or(),
            *((sum_ // divisor).cast(pl.Int64).alias(f"units{c}") for c, sum_ in zip(choices, total, strict=True)),
            depth=pl.col("depth").max() + 1,
            sources=pl.len().cast(pl.Int64),
            inexact=pl.col("inexact").any()
            | pl.any_horizontal(pl.lit(False), *(sum_ % divisor != 0 for sum_ in total)),
        )
        .collect()
    )
    node = ballots["follower"].to_numpy()
    calculation.has[node] = True
    for name in ("depth", "sources", "inexact"):
        getattr(calculation, name)[node] = ballots[name].to_numpy()
    for name in ("tags", "rated"):
        bits = getattr(calculation, name)
        for w in range(bits.shape[1]):
            bits[node, w] = ballots[f"{name}{w}"].to_numpy()
    for c in choices:
        calculation.units[c, node] = ballots[f"units{c}"].to_numpy()


def rounded(block: Block, calculation: Calculation, edges: Ints) -> Ints:
    """The stars in the eighth place (units of 1e-8), rounded half-even from the exact averages (D10).

    Args:
        block: The graph.
        calculation: The finished calculation.
        edges: The edges that matched, sorted by follower.
    """
    units = calculation.units
    places, rest = units // UNITS_PER_PLACE, units % UNITS_PER_PLACE
    places += (rest > _HALF) | ((rest == _HALF) & (calculation.inexact | (places % 2 == 1)))
    near = calculation.inexact & (rest > _HALF - calculation.depth) & (rest < _HALF)
    for choice in np.flatnonzero(near.any(axis=1)):
        known: dict[int, Fraction] = {}
        for node in np.flatnonzero(near[choice]):
            exact = _exact(block, calculation, edges, int(node), int(choice), known)
            places[choice, node] = round(exact / UNITS_PER_PLACE)  # Python rounds a Fraction half-even
    return places


def _exact(
    block: Block, calculation: Calculation, edges: Ints, node: int, choice: int, known: dict[int, Fraction]
) -> Fraction:
    """The average as a fraction, from the manual ballots up."""
    waiting = [node]
    while waiting:
        current = waiting[-1]
        if current in known:
            waiting.pop()
            continue
        if not calculation.inexact[current]:
            known[current] = Fraction(int(calculation.units[choice, current]))
            continue
        shares = calculation.shares.get(current)
        if shares is None:
            span = slice(*np.searchsorted(block.src[edges], [current, current + 1]))
            followees = [int(followee) for followee in block.dst[edges[span]]]
            shares = {followee: Fraction(1, len(followees)) for followee in followees}
        unknown = [source for source in shares if source not in known]
        if unknown:
            waiting += unknown
        else:
            known[current] = _sum([share * known[source] for source, share in shares.items()])
    return known[node]


def _sum(parts: list[Fraction]) -> Fraction:
    """The sum over one common denominator: cancelling once is much cheaper than after each addition."""
    common = math.lcm(*(part.denominator for part in parts))
    return Fraction(sum(part.numerator * (common // part.denominator) for part in parts), common)
