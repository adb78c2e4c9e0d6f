"""From counts to a winner: finalists by a tie protocol, then the runoff, or a tie that people must decide (K7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.checks import quoted
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.steps import Rule, Stage, Step, take_order, take_step
from crowdvote_analysis.star.units import stars_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from crowdvote_analysis.star.counts import Counts


@dataclass(frozen=True)
class Runoff:
    """The finalists head to head (K2).

    Attributes:
        votes: Number of ballots that score this finalist higher, by choice id; better finalist of the scoring first.
        no_preference: Number of ballots that score both the same.
        margin: Difference of the two numbers of votes.
        decided_by: The rule that named the winner: ``"runoff"``, or on equal votes ``"sum"`` or ``"max_count"``, or
            ``"manager"`` (K7); ``None`` when the tie is unresolved.
    """

    votes: Mapping[str, int]
    no_preference: int
    margin: int
    decided_by: Rule | None


@dataclass(frozen=True)
class UnresolvedTie:
    """What is left when the protocol is exhausted (K7).

    Attributes:
        tied: The choices that are still tied, in display order.
        places: Number of places open among them.
        advanced: The finalists already decided, best first.
        stage: Where the tie is: ``"scoring"`` or ``"runoff"``.
        possible_winners: Who could win under any decision of the tie, in display order; one name means that it does
            not matter.
    """

    tied: tuple[str, ...]
    places: int
    advanced: tuple[str, ...]
    stage: Stage
    possible_winners: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What the counts of one election come to.

    Attributes:
        protocol: Name of the tie protocol.
        steps: All steps, in order.
        finalists: The two that met in the runoff, better score first; empty when it did not come to one.
        runoff: The runoff; ``None`` for a lone choice and for a tie while scoring.
        winner: Who won; ``None`` when the tie is unresolved.
        tie: The unresolved tie, if there is one.
    """

    protocol: str
    steps: tuple[Step, ...]
    finalists: tuple[str, ...]
    runoff: Runoff | None
    winner: str | None
    tie: UnresolvedTie | None

    @property
    def runner_up(self) -> str | None:
        """The finalist who did not win; ``None`` when nobody won or there was no runoff."""
        if self.winner is None:
            return None
        return next((choice for choice in self.finalists if choice != self.winner), None)

    @property
    def decided_by_manager(self) -> bool:
        """Whether the community manager decided some tie (K7)."""
        return any(step.rule == "manager" for step in self.steps)

    @property
    def possible_winners(self) -> tuple[str, ...]:
        """The winner alone, or who could still win."""
        if self.tie is not None:
            return self.tie.possible_winners
        return () if self.winner is None else (self.winner,)


def decide(
    counts: Counts, protocol: str, tie_order: Sequence[str] | None = None, decision_id: str | None = None
) -> Outcome:
    """Find the winner of one election.

    Args:
        counts: Its counts, with at least one choice and one ballot.
        protocol: Name of a tie protocol (K3).
        tie_order: How the community manager decided a tie that the protocol leaves: the tied choices, best first (K7).
        decision_id: The decision, for error texts.

    Returns:
        The outcome; an unresolved tie is part of it, not an error.

    Raises:
        InvalidElectionError: There is no such protocol, or the order does not rank everybody who is tied.
    """
    order = _checked_order(counts, tie_order, decision_id)
    steps = protocol_named(protocol)(counts)
    tied, places = steps[-1].remaining, steps[-1].places - len(steps[-1].advanced)
    if tied and order:
        _refuse_partial(tied, order, decision_id)
        steps += (take_order("scoring", places, tied, order),)
        tied = ()
    finalists = tuple(choice for step in steps for choice in step.advanced)
    if tied:
        winners = _possible_winners(counts, finalists, tied)
        scoring_tie = UnresolvedTie(tied, places, finalists, "scoring", winners)
        return Outcome(protocol, steps, (), None, None, scoring_tie)
    if len(finalists) == 1:
        return Outcome(protocol, steps, (), None, finalists[0], None)
    runoff_steps = _runoff_steps(counts, finalists)
    # An order made for the places of finalists need not say which of them comes before an earlier finalist.
    if not runoff_steps[-1].advanced and set(finalists) <= set(order):
        runoff_steps += (take_order("runoff", 1, finalists, order),)
    runoff = _runoff(counts, finalists, runoff_steps[-1])
    winner = next(iter(runoff_steps[-1].advanced), None)
    both = tuple(choice for choice in counts.choices if choice in finalists)
    tie = UnresolvedTie(both, 1, (), "runoff", both) if winner is None else None
    if tie is not None and order and steps[-1].rule != "manager":
        _refuse_partial(both, order, decision_id)
    return Outcome(protocol, steps + runoff_steps, finalists, runoff, winner, tie)


def _checked_order(counts: Counts, tie_order: Sequence[str] | None, decision_id: str | None) -> tuple[str, ...]:
    if tie_order is None:
        return ()
    what = _order_of(decision_id)
    if isinstance(tie_order, str):
        raise InvalidElectionError(f"{what}: expected choice ids, best first, got the one text {tie_order!r}.")
    unknown = [choice for choice in tie_order if choice not in counts.totals]
    if unknown:
        raise InvalidElectionError(
            f"{what}: {quoted(unknown)} is not among the choices, which are {quoted(counts.choices)}. Use their ids."
        )
    if len(set(tie_order)) < len(tie_order):
        raise InvalidElectionError(f"{what}: a choice stands there more than once. Name every choice once, best first.")
    return tuple(tie_order)


def _refuse_partial(tied: Sequence[str], order: Sequence[str], decision_id: str | None) -> None:
    left_out = [choice for choice in tied if choice not in order]
    if left_out:
        raise InvalidElectionError(
            f"{_order_of(decision_id)}: leaves out {quoted(left_out)}. The tie is between {quoted(tied)}; "
            "rank all of them (rule K7)."
        )


def _order_of(decision_id: str | None) -> str:
    return "tie_order" if decision_id is None else f"tie_order of decision '{decision_id}'"


def _runoff_steps(counts: Counts, finalists: tuple[str, ...]) -> tuple[Step, ...]:
    first, second = finalists
    measures: dict[Rule, dict[str, Decimal | int]] = {
        "runoff": {first: counts.preferred[first][second], second: counts.preferred[second][first]},
        "sum": {choice: stars_of(counts.totals[choice]) for choice in finalists},
        "max_count": {choice: counts.five_stars[choice] for choice in finalists},
    }
    steps: list[Step] = []
    for rule, numbers in measures.items():
        steps.append(take_step("runoff", rule, 1, numbers))
        if steps[-1].advanced:
            break
    return tuple(steps)


def _runoff(counts: Counts, finalists: tuple[str, ...], last: Step) -> Runoff:
    first, second = finalists
    for_first, for_second = counts.preferred[first][second], counts.preferred[second][first]
    return Runoff(
        votes={first: for_first, second: for_second},
        no_preference=counts.vote_count - for_first - for_second,
        margin=abs(for_first - for_second),
        decided_by=last.rule if last.advanced else None,
    )


def _possible_winners(counts: Counts, advanced: tuple[str, ...], tied: tuple[str, ...]) -> tuple[str, ...]:
    """Play the runoff of every pair that a decision of the tie could bring about."""
    possible: set[str] = set()
    for chosen in combinations(tied, 2 - len(advanced)):
        last = _runoff_steps(counts, advanced + chosen)[-1]
        # A runoff that is tied in its turn would be decided by people as well: either may win.
        possible.update(last.advanced or last.remaining)
    return tuple(choice for choice in counts.choices if choice in possible)
