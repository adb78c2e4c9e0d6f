"""What the path rule may spend on the cores of a decision (Y3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.patience import go_on

if TYPE_CHECKING:
    from collections.abc import Sequence

_CERTAIN = 60  # members who all follow each other: more than any limit allows


class Budget:
    """The steps that the path rule may take for all cores of a decision together (Y3).

    Args:
        limit: The steps; ``None`` where small cores alone are walked (Y6), which needs none.
        decision_id: The decision, for the error.
    """

    def __init__(self, limit: int | None, decision_id: str) -> None:
        self._limit, self._decision_id = limit, decision_id
        self._spent = self._core_size = 0
        self._weight = 1

    def enter(self, core_size: int) -> None:
        """Say which core is walked from now on."""
        self._core_size = core_size
        # Sets of members are numbers of so many bits: in a very large core each step takes longer.
        self._weight = 1 + (core_size >> 11)

    def spend(self, steps: int) -> None:
        """Count the steps about to be taken.

        Raises:
            CyclicCoreTooLarge: They exceed the limit.
            CalculationGivenUp: Nobody waits for them any more.
        """
        go_on()
        self._spent += steps * self._weight
        if self._limit is not None and self._spent > self._limit:
            raise CyclicCoreTooLarge(self._decision_id, self._core_size, self._limit)

    def foresee(self, cores: Sequence[tuple[int, int]]) -> None:
        """Refuse at once what is certain to exceed the limit.

        Args:
            cores: Members and followings of each.

        Raises:
            CyclicCoreTooLarge: It is.
        """
        if self._limit is not None and sum(least_steps(*core) for core in cores) > self._limit:
            raise CyclicCoreTooLarge(self._decision_id, max(members for members, _ in cores), self._limit)


def least_steps(members: int, followings: int) -> int:
    """A number of steps that walking a core takes at the least.

    Each member's own walk looks at all of the core once. Where everybody follows everybody, every part of the core is
    left over in some walk, each with other members blocked, and is walked from each of its members.
    """
    if followings == members * (members - 1):
        if members > _CERTAIN:
            return 1 << _CERTAIN
        return sum(math.comb(members, part) * part**3 for part in range(2, members + 1))
    return members * (members + followings) * (1 + (members >> 11))
