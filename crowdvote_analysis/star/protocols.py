"""The named ways to fill the two places of finalists (rule K3): one small pure function each.

A protocol looks at the counts only and answers with its steps. Adding one is writing such a function and naming it in
`PROTOCOLS`; the runoff, the log and the frames do not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.steps import Rule, Step, advance_best, drop_worst, take_step
from crowdvote_analysis.star.units import stars_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
    steps = [take_step("scoring", "sum", 2, _numbers("sum", counts, counts.choices))]
    rules: tuple[Rule, ...] = ("prefs", "max_count")
    for rule in rules:
        if steps[-1].remaining:
            steps.append(take_step("scoring", rule, _open(steps), _numbers(rule, counts, steps[-1].remaining)))
    return tuple(steps)


def fill_by_losses(counts: Counts) -> tuple[Step, ...]:
    """Fill the places by total score, then by dropping whoever loses most match-ups inside the tie (K5).

    The official text of 2023. Where nobody loses more match-ups than another, whoever has most five-star ballots
    advances, else whoever has fewest is dropped. After each step match-ups are counted again, among those still tied.
    """
    steps = [take_step("scoring", "sum", 2, _numbers("sum", counts, counts.choices))]
    while steps[-1].remaining:
        pool, places = steps[-1].remaining, _open(steps)
        steps.append(drop_worst("scoring", "losses", places, _numbers("losses", counts, pool)))
        if steps[-1].remaining == pool:
            steps.append(advance_best("scoring", "max_count", places, _numbers("max_count", counts, pool)))
            if steps[-1].remaining == pool:
                break
    return tuple(steps)


def fill_as_bettervoting(counts: Counts) -> tuple[Step, ...]:
    """Fill the places by total score; two tied by preference between them, then any by five-star ballots (K6)."""
    steps = [take_step("scoring", "sum", 2, _numbers("sum", counts, counts.choices))]
    rules: tuple[Rule, ...] = ("prefs", "max_count") if len(steps[0].remaining) == 2 else ("max_count",)
    for rule in rules:
        if steps[-1].remaining:
            steps.append(take_step("scoring", rule, _open(steps), _numbers(rule, counts, steps[-1].remaining)))
    return tuple(steps)


PROTOCOLS: Mapping[str, Protocol] = {
    "starvote": fill_as_starvote,
    "losses": fill_by_losses,
    "bettervoting": fill_as_bettervoting,
}


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


def _open(steps: Sequence[Step]) -> int:
    return steps[-1].places - len(steps[-1].advanced)


def _numbers(rule: Rule, counts: Counts, pool: tuple[str, ...]) -> dict[str, Decimal | int]:
    if rule == "sum":
        return {choice: stars_of(counts.totals[choice]) for choice in pool}
    if rule == "losses":
        lost = counts.preferred
        return {
            choice: sum(lost[other][choice] > lost[choice][other] for other in pool if other != choice)
            for choice in pool
        }
    if rule == "prefs":
        return {choice: sum(counts.preferred[choice][other] for other in pool if other != choice) for choice in pool}
    return {choice: counts.five_stars[choice] for choice in pool}
