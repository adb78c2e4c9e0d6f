"""How few or many voters a result rests on: measures of concentration over the weights of manual voters (I3).

All four are known from elsewhere, and worked out here as fractions, so that equal weights give round numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnknownDecisionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from crowdvote_analysis.delegation import Resolution


@dataclass(frozen=True)
class Concentration:
    """How concentrated some weights are.

    Attributes:
        voters: How many have a weight above 0.
        total: The sum of their weights; of a count, the number of ballots tallied (I3).
        effective_number: 1 / the sum of the squared shares: so many voters of equal weight would be as concentrated
            (Laakso and Taagepera, "Effective" Number of Parties, 1979; the inverse of the Herfindahl-Hirschman index).
        gini: 0 where all weights are equal, towards 1 where one voter holds everything (Gini, Variabilità e mutabilità,
            1912; over those with a weight, without a correction for small numbers).
        largest_share: The part of the largest weight in the total.
        smallest_majority: The smallest number of voters whose weights together are more than half of the total (known
            as the Nakamoto coefficient: Srinivasan and Lee, Quantifying Decentralization, 2017).
    """

    voters: int
    total: Fraction
    effective_number: Fraction
    gini: Fraction
    largest_share: Fraction
    smallest_majority: int


def concentration(weights: Iterable[Decimal | Fraction | int]) -> Concentration:
    """Measure how concentrated some weights are, exactly.

    >>> even = concentration([2, 2, 2, 2])
    >>> int(even.effective_number), int(even.gini), even.smallest_majority
    (4, 0, 3)

    Args:
        weights: The weights in any order, exact numbers (D10); those of 0 are left out.

    Returns:
        The measures; all are 0 where no weight is above 0.

    Raises:
        TypeError: A weight is a binary float.
        ValueError: A weight is below 0.
    """
    given = list(weights)
    if any(isinstance(weight, float) for weight in given):
        raise TypeError("weights are exact (D10): give them as Decimal, Fraction or int, not as float")
    held = sorted((Fraction(weight) for weight in given if weight), reverse=True)
    if held and held[-1] < 0:
        raise ValueError(f"a weight is {held[-1]}; weights are 0 or more")
    total = sum(held, Fraction(0))
    if not total:
        return Concentration(0, Fraction(0), Fraction(0), Fraction(0), Fraction(0), 0)
    # The mean difference of all pairs, from the ranks: the r-th largest is behind r - 1 and before n - r others.
    number = len(held)
    ranked = sum(((number + 1 - 2 * rank) * weight for rank, weight in enumerate(held, start=1)), Fraction(0))
    together, majority = Fraction(0), 0
    while 2 * together <= total:
        together += held[majority]
        majority += 1
    return Concentration(
        voters=number,
        total=total,
        effective_number=total**2 / sum(weight**2 for weight in held),
        gini=ranked / (number * total),
        largest_share=held[0] / total,
        smallest_majority=majority,
    )


def voter_weights(resolution: Resolution, decision_id: str) -> pl.DataFrame:
    """Give the exact weight of every manual voter in one decision (I3).

    Args:
        resolution: Everyone's ballot.
        decision_id: The decision.

    Returns:
        member_id, weight (DECIMAL(38,18), ballots, above 0), share (Float64, of all ballots tallied), cumulative
        (Float64, the share of this voter and all before), the heaviest first, then by id. Under the path rule the
        weights sum exactly to the number of ballots tallied.

    Raises:
        UnknownDecisionError: The decision was not counted.
    """
    require_counted(resolution, decision_id)
    weights = resolution.weights_of(decision_id=decision_id).select("member_id", "weight")
    ordered = weights.sort(["weight", "member_id"], descending=[True, False])
    total = ordered["weight"].sum()
    return ordered.with_columns(
        share=pl.col("weight").cast(pl.Float64) / float(total or 1),
        cumulative=pl.col("weight").cum_sum().cast(pl.Float64) / float(total or 1),
    )


def require_counted(resolution: Resolution, decision_id: str) -> None:
    """Refuse a decision that the resolution does not hold."""
    if decision_id not in resolution.decisions["decision_id"]:
        raise UnknownDecisionError(f"decision '{decision_id}' is not among those that were counted.")
