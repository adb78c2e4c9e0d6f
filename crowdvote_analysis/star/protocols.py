"""The named ways to fill the two places of finalists (rule K3): one small pure function each.

A protocol looks at the counts only and answers with its steps. Adding one is writing such a function and naming it in
`PROTOCOLS`; the runoff, the log and the frames do not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.steps import Rule, Step, take_step
from crowdvote_analysis.star.units import stars_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from crowdvote_analysis.star.counts import Counts

Protocol: TypeAlias = "Callable[[Counts], tuple[Step, ...]]"


def fill_as_starvote(counts: Counts) -> tuple[Step, ...]:
    """Fill the places by total score, then preferences inside the tie, then five-star ballots, each once (K4).

    Args:
        counts: The counts of the election, with at least one choice.

    Returns:
        The steps taken; the last one has a rest if and only if the tie is left unresolved.
    """
    steps: list[Step] = []
    pool, places = counts.choices, 2
    rules: tuple[Rule, ...] = ("sum", "prefs", "max_count")
    for rule in rules:
        step = take_step("scoring", rule, places, _numbers(rule, counts, pool))
        steps.append(step)
        pool, places = step.remaining, places - len(step.advanced)
        if not pool:
            break
    return tuple(steps)


PROTOCOLS: Mapping[str, Protocol] = {"starvote": fill_as_starvote}


def protocol_named(name: str) -> Protocol:
    """Find a tie protocol by its name.

    Args:
        name: One of `PROTOCOLS`.

    Returns:
        The function that fills the places of finalists.

    Raises:
        InvalidElectionError: When there is no such protocol.
    """
    if name not in PROTOCOLS:
        known = ", ".join(f"'{known}'" for known in PROTOCOLS)
        raise InvalidElectionError(f"protocol: there is no tie protocol {name!r} (rule K3). Use one of: {known}.")
    return PROTOCOLS[name]


def _numbers(rule: Rule, counts: Counts, pool: tuple[str, ...]) -> dict[str, Decimal | int]:
    if rule == "sum":
        return {choice: stars_of(counts.totals[choice]) for choice in pool}
    if rule == "prefs":
        return {choice: sum(counts.preferred[choice][other] for other in pool if other != choice) for choice in pool}
    return {choice: counts.five_stars[choice] for choice in pool}
