"""A ballot as it is given at some point of a walk, and whose ballots cast by hand it is made of.

It keeps which ballots it averages, so that it can be traced back. Stars are whole numbers over a common divisor:
nothing is rounded (D10).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Given:
    """A ballot as it is given at some point of a walk.

    Attributes:
        node: Whose it is.
        sources: The ballots it averages; none for a ballot cast by hand.
        divisor: Common denominator of the stars and of the shares of the ballots cast by hand.
        stars: Stars by choice, in units of 1e-8 star, over ``divisor``.
        rated: Bits of the choices on it.
        tags: Bits of its tags.
        depth: Depth (D11).
    """

    node: int
    sources: tuple[Given, ...]
    divisor: int
    stars: tuple[int, ...]
    rated: int
    tags: int
    depth: int


def traced_back(ballot: Given) -> dict[int, Fraction]:
    """Which share of a ballot comes from each ballot cast by hand, exactly; the shares sum to 1 (I3)."""
    followees_first: list[Given] = []
    seen: set[int] = set()
    waiting = [(ballot, False)]
    while waiting:
        current, done = waiting.pop()
        if done:
            followees_first.append(current)
        elif id(current) not in seen:
            seen.add(id(current))
            waiting.append((current, True))
            waiting += [(source, False) for source in current.sources]
    # What arrives at a ballot is always a multiple of its divisor, so nothing is lost in a division.
    arrived = dict.fromkeys(seen, 0)
    arrived[id(ballot)] = ballot.divisor
    shares: dict[int, Fraction] = {}
    for current in reversed(followees_first):
        if current.sources:
            part = arrived[id(current)] // len(current.sources)
            for source in current.sources:
                arrived[id(source)] += part
        else:
            shares[current.node] = shares.get(current.node, Fraction(0)) + Fraction(
                arrived[id(current)], ballot.divisor
            )
    return shares
