"""Calculated ballots level by level: the plain average of the ballots that match (D2 to D4).

Stars are integers of 1e-18 star. A division rounds down, and each ballot carries a bound of how far its stars can be
from the truth; ``rounding`` needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.arrays import not_empty
from crowdvote_analysis.delegation.participation import came_along

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.elimination import Elimination
    from crowdvote_analysis.delegation.thinning import Thinned


class Shares(NamedTuple):
    """Of which ballots outside its core a walked ballot is made.

    Attributes:
        parts: The part of each node, as a numerator over ``divisor``; they sum to the divisor.
        divisor: The common denominator.
    """

    parts: Mapping[int, int]
    divisor: int


@dataclass(frozen=True)
class Balance:
    """A core that was settled by the equilibrium rule, kept to trace weights through it.

    Attributes:
        members: Its nodes.
        rows, columns: Who inherits from whom inside, as places among the members.
        sources: Number of inherited ballots by member.
        outside: The edges along which they inherit from outside.
        held: What the core was solved by if it holds on to what enters it.
        error: Bound of how far the solver can be from the truth, in units, apart from what enters.
        digest: Of all that the stars of the core depend on, where it is so large that they are kept for later counts.
    """

    members: Ints
    rows: Ints
    columns: Ints
    sources: Ints
    outside: Ints
    held: Elimination | Thinned | None
    error: int
    digest: bytes = b""

    @cached_property
    def inside(self) -> csr_array:
        """1 where the member of the row inherits from the member of the column."""
        return matrix(self.rows, self.columns, len(self.members))


def matrix(rows: Ints, columns: Ints, size: int) -> csr_array:
    """1 where the member of the row inherits from the member of the column."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))


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
        error: Bound of the distance between the kept stars and the true averages, in units; 0 is exact.
        approximate: Whether the ballot depends on a loop that was too large to be worked out exactly.
        shares: For members of a core under the path rule: which share of their ballot comes from which node outside
            the core.
        trees: For the same members: who else of the core is in their tree of sources.
        inherited: By edge: whether the follower inherits the followee's ballot, for path cores in the own walk.
        outcome: For edges inside a core under the path rule: the outcome in the follower's own walk and the bits that
            came along.
        balances: The cores settled by the equilibrium rule.
        kept: Cores of earlier counts by their digest, and the ballots they belong to: what is as it was is not solved
            again.
    """

    has: Flags
    tags: Bits
    rated: Bits
    units: Ints
    depth: Ints
    sources: Ints
    error: Ints
    approximate: Flags
    inherited: Flags
    shares: dict[int, Shares]
    trees: dict[int, frozenset[int]]
    outcome: dict[int, tuple[int, int]]
    balances: list[Balance]
    kept: Mapping[bytes, tuple[Calculation, Balance]]


def start(block: Block, kept: Mapping[bytes, tuple[Calculation, Balance]] | None = None) -> Calculation:
    """The manual ballots (D1); those without stars give nothing (D5)."""
    count = len(block.member)
    has = not_empty(block.rated)
    return Calculation(
        has=has,
        tags=np.where(has[:, None], block.tags, np.uint64(0)),
        rated=block.rated.copy(),
        units=block.units.copy(),
        depth=np.zeros(count, dtype=np.int64),
        sources=np.zeros(count, dtype=np.int64),
        error=np.zeros(count, dtype=np.int64),
        approximate=np.zeros(count, dtype=np.bool_),
        inherited=np.zeros(len(block.src), dtype=np.bool_),
        shares={},
        trees={},
        outcome={},
        balances=[],
        kept=kept or {},
    )


def average(block: Block, calculation: Calculation, edges: Ints) -> None:
    """Give each follower of ``edges`` the average of what they inherit; all followees must be settled."""
    match, brought = came_along(block, edges, calculation.has, calculation.tags)
    edges, brought = edges[match], brought[match]
    if not len(edges):
        return
    calculation.inherited[edges] = True
    followee = block.dst[edges]
    choices = range(len(calculation.units))
    frame = pl.DataFrame(
        {
            "follower": block.src[edges],
            "depth": calculation.depth[followee],
            "error": calculation.error[followee],
            "approximate": calculation.approximate[followee],
            **{f"tags{w}": brought[:, w] for w in range(brought.shape[1])},
            **{f"rated{w}": calculation.rated[:, w].take(followee) for w in range(calculation.rated.shape[1])},
            **{f"units{c}": calculation.units[c].take(followee) for c in choices},
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
            approximate=pl.col("approximate").any(),
            error=pl.col("error").max() + pl.any_horizontal(pl.lit(False), *(sum_ % divisor != 0 for sum_ in total)),
        )
        .collect()
    )
    node = ballots["follower"].to_numpy()
    calculation.has[node] = True
    for name in ("depth", "sources", "error", "approximate"):
        getattr(calculation, name)[node] = ballots[name].to_numpy()
    for name in ("tags", "rated"):
        bits = getattr(calculation, name)
        for w in range(bits.shape[1]):
            bits[node, w] = ballots[f"{name}{w}"].to_numpy()
    for c in choices:
        calculation.units[c, node] = ballots[f"units{c}"].to_numpy()
