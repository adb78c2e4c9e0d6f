"""From units of 1e-18 to the 8 places that are stored, correctly rounded half-even (D10).

Rounding what is kept gives the right answer unless the truth may lie on the other side of a half, that is, unless a
half lies within the ballot's bound of error. Those few values are worked out again with exact fractions, from the
manual ballots up. Only behind loops that are too large for that, a value within the bound of a half is taken to be
the half.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE
from crowdvote_analysis.delegation.equilibrium import LARGEST_EXACT, solve_exactly
from crowdvote_analysis.tables import STARS

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.averages import Balance, Calculation
    from crowdvote_analysis.delegation.blocks import Block

_HALF = UNITS_PER_PLACE // 2


def rounded(block: Block, calculation: Calculation, nodes: Ints | None = None) -> Ints:
    """The stars in the eighth place (units of 1e-8), choice by node.

    Args:
        block: The graph.
        calculation: The finished calculation.
        nodes: The nodes asked for; all by default.
    """
    error, approximate = calculation.error, calculation.approximate
    if nodes is not None:
        error, approximate = error[nodes], approximate[nodes]
    inexact, exactly = error > 0, Exactly(block, calculation)
    result = np.empty((len(calculation.units), len(error)), dtype=np.int64)
    for choice, all_units in enumerate(calculation.units):
        units = all_units if nodes is None else all_units[nodes]
        places = units // UNITS_PER_PLACE
        above = units - places * UNITS_PER_PLACE - _HALF  # how far above the half
        near = np.abs(above) <= error
        near &= inexact
        on_half = (above == 0) | (near & approximate)
        places += np.where(on_half, places & 1, above > 0)
        known: dict[int, Fraction] = {}
        for node in np.flatnonzero(near & ~approximate).tolist():
            of = node if nodes is None else int(nodes[node])
            # Python rounds a Fraction half-even.
            places[node] = round(exactly.stars(of, choice, known) / UNITS_PER_PLACE)
        result[choice] = places
    return result


def in_stars(places: pl.Series) -> pl.Series:
    """Whole numbers of 1e-8 star as DECIMAL(9,8); the division is exact."""
    hundred_million = pl.lit(10**8, dtype=pl.Decimal(38, 8))
    return pl.select(stars=(places.cast(pl.Decimal(38, 8)) / hundred_million).cast(STARS))["stars"]


class Exactly:
    """Works out averages as fractions, from what is exact up."""

    def __init__(self, block: Block, calculation: Calculation) -> None:
        self._block, self._calculation = block, calculation
        small = [balance for balance in calculation.balances if len(balance.members) <= LARGEST_EXACT]
        self._balance = {node: balance for balance in small for node in balance.members.tolist()}

    def stars(self, node: int, choice: int, known: dict[int, Fraction]) -> Fraction:
        """The stars of a node for a choice, in units; ``known`` holds what was worked out for this choice before."""
        waiting = [node]
        while waiting:
            current = waiting[-1]
            if current in known:
                waiting.pop()
            elif not self._calculation.error[current]:
                known[current] = Fraction(int(self._calculation.units[choice, current]))
            else:
                balance = self._balance.get(current)
                shares = self._shares(current) if balance is None else {}
                sources = list(shares) if balance is None else self._given_to(balance)
                unknown = [source for source in sources if source not in known]
                if unknown:
                    waiting += unknown
                elif balance is None:
                    known[current] = _sum([share * known[source] for source, share in shares.items()])
                else:
                    known |= self._balanced(balance, known)
        return known[node]

    def _shares(self, node: int) -> dict[int, Fraction]:
        walked = self._calculation.shares.get(node)
        if walked is not None:
            return {node: Fraction(part, walked.divisor) for node, part in walked.parts.items()}
        followees = self._sources_of(node)
        return dict.fromkeys(followees, Fraction(1, len(followees)))

    def _sources_of(self, node: int) -> list[int]:
        edges = slice(*np.searchsorted(self._block.src, [node, node + 1]))
        sources: list[int] = self._block.dst[edges][self._calculation.inherited[edges]].tolist()
        return sources

    def _given_to(self, balance: Balance) -> list[int]:
        members = set(balance.members.tolist())
        sources = {source for member in members for source in self._sources_of(member)}
        return sorted(sources - members)

    def _balanced(self, balance: Balance, known: dict[int, Fraction]) -> dict[int, Fraction]:
        members = balance.members.tolist()
        inner = set(members)
        outside = [
            _sum([known[source] for source in self._sources_of(member) if source not in inner]) for member in members
        ]
        return dict(zip(members, solve_exactly(balance.inside, balance.sources, outside), strict=True))


def _sum(parts: list[Fraction]) -> Fraction:
    """The sum over one common denominator: cancelling once is much cheaper than after each addition."""
    common = math.lcm(*(part.denominator for part in parts))
    return Fraction(sum(part.numerator * (common // part.denominator) for part in parts), common)
