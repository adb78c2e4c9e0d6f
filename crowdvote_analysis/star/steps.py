"""One step of a STAR count: a pool of choices, a number for each, and who goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Stage: TypeAlias = Literal["scoring", "runoff"]
Rule: TypeAlias = Literal["sum", "prefs", "max_count", "runoff"]


@dataclass(frozen=True)
class Step:
    """A step of the count, as data (K8).

    Attributes:
        stage: ``"scoring"`` fills the two places of finalists, ``"runoff"`` the one of the winner.
        rule: What the numbers are: ``"sum"`` total stars, ``"prefs"`` ballots that prefer the choice, summed over all
            others in the pool, ``"max_count"`` five-star ballots, ``"runoff"`` ballots that prefer this finalist.
        places: Places open when the step began.
        numbers: The number of every choice of the pool, in display order (finalists: best first). Stars are Decimal,
            ballots are int.
        advanced: Who got a place in this step, best first.
        remaining: Who is tied for the places still open: the pool of the next step; empty when the places are filled.
    """

    stage: Stage
    rule: Rule
    places: int
    numbers: Mapping[str, Decimal | int]
    advanced: tuple[str, ...]
    remaining: tuple[str, ...]

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
