"""How ballots are spread over the stars of each choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.star.resolution import gather_ballots, known_decision
from crowdvote_analysis.star.units import MOST_STARS

if TYPE_CHECKING:
    from crowdvote_analysis.star.resolution import Resolution


def score_histogram(resolution: Resolution, decision_id: str | None = None) -> pl.DataFrame:
    """Count the tallied ballots of each choice by their whole stars.

    Args:
        resolution: Everyone's ballot.
        decision_id: This decision only.

    Returns:
        Six rows a choice, in display order: ``decision_id``, ``choice_id``, ``stars`` (0 to 5) and ``ballots`` Int64.
        A calculated ballot of 3.5 stars stands at 3; at 5 only those of exactly five stars do, so that this row is the
        five-star count (K9). A choice that a ballot leaves out stands at 0 (K1).

    Raises:
        UnknownDecisionError: When the decision is not there.
        InvalidElectionError: When stars cannot be counted.
    """
    if decision_id is not None:
        known_decision(resolution, decision_id)
    rows = []
    for decision, ballots in sorted(gather_ballots(resolution, decision_id).items()):
        for choice, own in zip(ballots.choices, ballots.stars, strict=True):
            counts = np.bincount(own // (ballots.five // MOST_STARS), minlength=MOST_STARS + 1)
            rows += [(decision, choice, stars, int(number)) for stars, number in enumerate(counts)]
    schema = {"decision_id": pl.String, "choice_id": pl.String, "stars": pl.Int64, "ballots": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
