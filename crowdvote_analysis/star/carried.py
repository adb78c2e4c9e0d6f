"""Who carried the runoff: its votes, handed back to the manual voters whose ballots they are made of (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.resolution import gather_ballots, known_decision
from crowdvote_analysis.star.result import StarTally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crowdvote_analysis.star.ballots import Ballots
    from crowdvote_analysis.star.resolution import TracedResolution

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


def runoff_shares(resolution: TracedResolution, tallies: StarTally | Iterable[StarTally]) -> pl.DataFrame:
    """Take the runoff of decisions apart by manual voter.

    Each vote of the runoff is handed back to the ballots cast by hand that it is made of, in the parts in which it was
    inherited.

    Args:
        resolution: What was tallied.
        tallies: The tally of one of its decisions, or of several.

    Returns:
        One row a manual voter whose ballot has a part in the runoff: ``decision_id``, ``member_id``, then in ballots,
        Decimal(38, 18): ``for_winner``, ``for_runner_up``, ``no_preference``, and ``lead`` = for_winner -
        for_runner_up; ``carries`` Boolean: whether the voter is one of the fewest whose leads, the largest first, make
        up the margin; of voters whose leads are equal none is taken before the others. By decision, the largest lead
        first, then by member. Under the path rule the columns sum exactly to the numbers of the runoff, under
        equilibrium to the twelfth place. While a tie of the runoff is unresolved, the finalist with the better score
        stands in for the winner. No rows without a runoff.

    Raises:
        UnknownDecisionError: A decision is not in the resolution.
        InvalidElectionError: A tally is of other ballots.
    """
    wanted = [tallies] if isinstance(tallies, StarTally) else list(tallies)
    names = {known_decision(resolution, tally.decision_id): tally for tally in wanted if tally.runoff is not None}
    gathered = gather_ballots(resolution, next(iter(names)) if len(names) == 1 else None) if names else {}
    sides: dict[str, list[pl.DataFrame]] = {name: [] for name in _SIDES}
    for decision, tally in names.items():
        for name, whose in zip(_SIDES, _whose(decision, gathered[decision], tally), strict=True):
            sides[name].append(whose)
    if not names:
        return pl.DataFrame(schema=_COLUMNS)
    parts = [resolution.weights_of(pl.concat(whose)).rename({"weight": name}) for name, whose in sides.items()]
    shares = pl.concat(parts, how="diagonal").group_by("decision_id", "member_id").agg(pl.col(_SIDES).sum())
    lead = pl.col("for_winner") - pl.col("for_runner_up")
    shares = shares.with_columns(lead=lead.cast(WEIGHT)).sort(
        ["decision_id", "lead", "member_id"], descending=[False, True, False]
    )
    margins = pl.DataFrame(
        [(decision, tally.runoff.margin) for decision, tally in names.items() if tally.runoff],
        schema={"decision_id": pl.String, "margin": pl.Int64},
        orient="row",
    )
    # A lead carries as long as those before it fall short of the margin; equals are taken together.
    before = pl.col("lead").cum_sum().over("decision_id") - pl.col("lead")
    needed = (pl.col("lead") > 0) & (before < pl.col("margin") - pl.lit("0.000000001").cast(WEIGHT))
    return (
        shares.join(margins, on="decision_id", maintain_order="left")
        .with_columns(carries=needed)
        .with_columns(pl.col("carries").any().over("decision_id", "lead"))
        .select(_COLUMNS.names())
    )


def _whose(decision_id: str, ballots: Ballots, tally: StarTally) -> list[pl.DataFrame]:
    """Whose ballots prefer the winner, the other finalist, and neither."""
    assert tally.runoff is not None
    assert ballots.members is not None  # those of a resolution are known
    first = tally.winner or tally.finalists[0]
    second = next(choice for choice in tally.finalists if choice != first)
    if not {first, second} <= set(ballots.choices):
        raise _other_ballots(decision_id)
    ahead, behind = (ballots.stars[ballots.choices.index(choice)] for choice in (first, second))
    sides = [ahead > behind, ahead < behind, ahead == behind]
    expected = [tally.runoff.votes[first], tally.runoff.votes[second], tally.runoff.no_preference]
    if [int(side.sum()) for side in sides] != expected:
        raise _other_ballots(decision_id)
    return [
        pl.DataFrame({"member_id": ballots.members.filter(pl.Series(side))}).select(
            pl.lit(decision_id).alias("decision_id"), "member_id"
        )
        for side in sides
    ]


def _other_ballots(decision_id: str) -> InvalidElectionError:
    return InvalidElectionError(
        f"decision '{decision_id}': the tally is not of the ballots of this resolution. Tally the resolution itself."
    )
