"""Who carried the runoff: its votes, handed back to the manual voters whose ballots they are made of (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.star.resolution import gather_ballots, known_decision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from crowdvote_analysis.star.ballots import Ballots
    from crowdvote_analysis.star.resolution import TracedResolution
    from crowdvote_analysis.star.result import StarTally

WEIGHT = pl.Decimal(38, 18)
_SIDES = ("for_winner", "for_runner_up", "no_preference")
_COLUMNS = pl.Schema(
    {
        "decision_id": pl.String(),
        "member_id": pl.String(),
        **dict.fromkeys((*_SIDES, "lead"), WEIGHT),
        "carries": pl.Boolean(),
    }
)


def runoff_shares(resolution: TracedResolution, tally: StarTally) -> pl.DataFrame:
    """Take the runoff of a decision apart by manual voter.

    Each vote of the runoff is handed back to the ballots cast by hand that it is made of, in the parts in which it was
    inherited.

    Args:
        resolution: What was tallied.
        tally: The tally of one of its decisions.

    Returns:
        One row a manual voter whose ballot has a part in the runoff: ``decision_id``, ``member_id``, then in ballots,
        Decimal(38, 18): ``for_winner``, ``for_runner_up``, ``no_preference``, and ``lead`` = for_winner -
        for_runner_up; ``carries`` Boolean: whether the voter is one of the fewest whose leads make up the margin. The
        largest lead first, then by member. Under the path rule the columns sum exactly to the numbers of the runoff.
        While a tie of the runoff is unresolved, the finalist with the better score stands in for the winner. No rows
        without a runoff.
    """
    decision = known_decision(resolution, tally.decision_id)
    if tally.runoff is None:
        return pl.DataFrame(schema=_COLUMNS)
    ballots = gather_ballots(resolution, decision)[decision]
    first = tally.winner or tally.finalists[0]
    second = next(choice for choice in tally.finalists if choice != first)
    ahead, behind = (ballots.stars[ballots.choices.index(choice)] for choice in (first, second))
    sides = zip(_SIDES, (ahead > behind, ahead < behind, ahead == behind), strict=True)
    parts = [resolution.weights_of(_whose(ballots, side, decision)).rename({"weight": name}) for name, side in sides]
    shares = pl.concat(parts, how="diagonal").group_by("decision_id", "member_id").agg(pl.col(_SIDES).sum())
    lead = pl.col("for_winner") - pl.col("for_runner_up")
    shares = shares.with_columns(lead=lead.cast(WEIGHT)).sort(["lead", "member_id"], descending=[True, False])
    # Those before whom the margin was not yet reached.
    before = pl.col("lead").cum_sum() - pl.col("lead")
    shares = shares.with_columns(carries=(pl.col("lead") > 0) & (before < tally.runoff.margin))
    return shares.select(_COLUMNS.names())


def _whose(ballots: Ballots, side: NDArray[np.bool_], decision_id: str) -> pl.DataFrame:
    assert ballots.members is not None  # those of a resolution are known
    return pl.DataFrame({"member_id": ballots.members.filter(pl.Series(side))}).select(
        pl.lit(decision_id).alias("decision_id"), "member_id"
    )
