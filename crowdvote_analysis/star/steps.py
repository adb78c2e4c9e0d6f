"""One step of a STAR count: a pool of choices, a number for each, and who goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

Stage: TypeAlias = Literal["scoring", "runoff"]
Rule: TypeAlias = Literal["sum", "prefs", "losses", "max_count", "runoff", "manager"]

# What the numbers of a rule are, in the words of logs, tables and charts.
RULE_NAMES: Mapping[Rule, str] = {
    "sum": "total score",
    "prefs": "preferences",
    "losses": "lost match-ups",
    "max_count": "five-star ballots",
    "runoff": "ballots that prefer it",
    "manager": "place in the manager's order",
}
# Rules whose lowest number is the best.
LOWEST_FIRST: frozenset[Rule] = frozenset({"losses", "manager"})


@dataclass(frozen=True)
class Step:
    """A step of the count, as data (K8).

    Attributes:
        stage: ``"scoring"`` fills the two places of finalists, ``"runoff"`` the one of the winner.
        rule: What the numbers are: ``"sum"`` total stars, ``"prefs"`` ballots that prefer the choice, summed over all
            others in the pool, ``"losses"`` others in the pool that more ballots prefer, ``"max_count"`` five-star
            ballots, ``"runoff"`` ballots that prefer this finalist, ``"manager"`` place in the order that the community
            manager set (K7).
        places: Places open when the step began.
        numbers: The number of every choice of the pool, in display order (finalists: best first). Stars are Decimal,
            ballots are int.
        advanced: Who got a place in this step: best first, except where those advance who were not dropped.
        remaining: Who is tied for the places still open: the pool of the next step; empty when the places are filled.
            Whoever is in neither is out.
    """

    stage: Stage
    rule: Rule
    places: int
    numbers: Mapping[str, Decimal | int]
    advanced: tuple[str, ...]
    remaining: tuple[str, ...]

    @property
    def best_first(self) -> tuple[str, ...]:
        """The pool, whoever does best under the rule first; equals in their order."""
        return tuple(sorted(self.numbers, key=self.numbers.__getitem__, reverse=self.rule not in LOWEST_FIRST))

    @property
    def pool(self) -> tuple[str, ...]:
        """The choices that this step decides between."""
        return tuple(self.numbers)


def take_step(stage: Stage, rule: Rule, places: int, numbers: Mapping[str, Decimal | int]) -> Step:
    """Fill places from the highest number down, until they are filled or a tied group is too large (K4).

    Args:
        stage: Stage of the count.
        rule: What the numbers are.
        places: Places open, 1 or 2.
        numbers: The number of every choice of the pool.

    Returns:
        The step. A group that fits into the open places advances whole; the first that does not is what remains.
    """
    advanced: list[str] = []
    for number in sorted(set(numbers.values()), reverse=True):
        group = tuple(choice for choice in numbers if numbers[choice] == number)
        if len(advanced) + len(group) > places:
            return Step(stage, rule, places, numbers, tuple(advanced), group)
        advanced.extend(group)
        if len(advanced) == places:
            break
    return Step(stage, rule, places, numbers, tuple(advanced), ())


def drop_worst(stage: Stage, rule: Rule, places: int, numbers: Mapping[str, Decimal | int]) -> Step:
    """Drop whoever has the worst number (K5).

    Args:
        stage: Stage of the count.
        rule: What the numbers are.
        places: Places open, fewer than there are choices.
        numbers: The number of every choice of the pool.

    Returns:
        The step. If those who are left fit into the open places they advance, and the dropped compete for the rest; all
        remain where nobody is worse than another.
    """
    worst = (max if rule in LOWEST_FIRST else min)(numbers.values())
    better = tuple(choice for choice in numbers if numbers[choice] != worst)
    if not better:
        return Step(stage, rule, places, numbers, (), tuple(numbers))
    if len(better) > places:
        return Step(stage, rule, places, numbers, (), better)
    dropped = tuple(choice for choice in numbers if choice not in better)
    return Step(stage, rule, places, numbers, better, dropped if len(better) < places else ())


def advance_best(stage: Stage, rule: Rule, places: int, numbers: Mapping[str, Decimal | int]) -> Step:
    """Advance whoever has the highest number; where those do not fit, drop whoever has the lowest instead (K5).

    Args:
        stage: Stage of the count.
        rule: What the numbers are.
        places: Places open, fewer than there are choices.
        numbers: The number of every choice of the pool.

    Returns:
        The step; all others compete for the places that are left.
    """
    highest = max(numbers.values())
    best = tuple(choice for choice in numbers if numbers[choice] == highest)
    if len(best) > places:
        return drop_worst(stage, rule, places, numbers)
    others = tuple(choice for choice in numbers if choice not in best)
    return Step(stage, rule, places, numbers, best, others if len(best) < places else ())


def take_order(stage: Stage, places: int, tied: Sequence[str], order: Sequence[str]) -> Step:
    """Fill the open places as the community manager decided (K7).

    Args:
        stage: Stage of the count.
        places: Places open.
        tied: The choices that are tied.
        order: Their order, best first; it may hold others.
    """
    ranked = [choice for choice in order if choice in tied]
    numbers: dict[str, Decimal | int] = {choice: 1 + ranked.index(choice) for choice in tied}
    return Step(stage, "manager", places, numbers, tuple(ranked[:places]), ())
