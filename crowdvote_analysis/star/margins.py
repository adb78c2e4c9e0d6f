"""How many ballots would have to change before somebody else wins.

A changed ballot may say anything at all. The answer for the runoff is exact. For the whole count there is a proven
lower bound, and an upper bound that is a count with that many ballots changed, made and decided; where they meet, that
is exact too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.counts import Counts, count
from crowdvote_analysis.star.outcome import decide
from crowdvote_analysis.star.resolution import gather_ballots, known_decision
from crowdvote_analysis.star.units import FIVE_STARS
from crowdvote_analysis.star.votes import read_votes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import polars as pl
    from numpy.typing import NDArray

    from crowdvote_analysis.star.ballots import Ballots
    from crowdvote_analysis.star.resolution import Resolution

    Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Robustness:
    """The fewest tallied ballots that would have to change for another choice to win.

    Attributes:
        decision_id: The decision, if the votes belong to one.
        protocol: Name of the tie protocol (K3).
        winner: Who won.
        runner_up: The other finalist; ``None`` for a lone choice.
        vote_count: Number of ballots tallied.
        runoff: Fewest ballots whose change makes the runner-up win the runoff against the winner, exactly, tie rules
            included (K4); ``None`` for a lone choice.
        at_least: No fewer changed ballots can make another choice win, by whatever route: proven. ``None`` for a lone
            choice, which nothing can beat.
        at_most: So many changed ballots are enough: such a count was made, and ``rival`` won it. ``None`` when none
            was found.
        rival: Who won that count.
    """

    decision_id: str | None
    protocol: str
    winner: str
    runner_up: str | None
    vote_count: int
    runoff: int | None
    at_least: int | None
    at_most: int | None
    rival: str | None

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.at_least == self.at_most

    @property
    def sentence(self) -> str:
        """All of it in words; empty for a lone choice."""
        if self.runoff is None:
            return ""
        ballots = "1 ballot" if self.runoff == 1 else f"{self.runoff:,} ballots"
        turn = f"{ballots} would have to change to turn the runoff"
        if self.exact and self.at_least == self.runoff:
            return f"How safe: {turn} around; no other way needs fewer."
        least = f"{self.at_least:,}"
        bounds = (
            f"between {least} and {self.at_most:,} (proven bounds)" if self.at_most else f"at least {least} (proven)"
        )
        ways = f"{least} (exact)" if self.exact else bounds
        return f"How safe: {turn} around; to make any other choice win in any way, {ways}."


def robustness(resolution: Resolution, decision_id: str | None = None, protocol: str = "starvote") -> Robustness:
    """Say how many tallied ballots would have to change before another choice wins a decision.

    Ballots are those tallied, calculated ones too: a voter who is followed changes several at once.

    Args:
        resolution: Everyone's ballot.
        decision_id: The decision; may be left out when there is only one.
        protocol: Name of the tie protocol (K3).

    Raises:
        UnknownDecisionError: When the decision is not there.
        InvalidElectionError: As `tally_star`, and when the protocol leaves a tie: nobody has won yet.
    """
    decision = known_decision(resolution, decision_id)
    ballots = gather_ballots(resolution, decision).get(decision)
    if ballots is None or not ballots.vote_count:
        raise InvalidElectionError(f"decision '{decision}': no voter has a ballot with stars to tally (rules K9, M1).")
    return _robustness(decision, ballots, protocol)


def robustness_votes(
    votes: pl.DataFrame, choices: Sequence[str] | None = None, *, protocol: str = "starvote"
) -> Robustness:
    """As `robustness`, for votes as they stand; ``votes`` and ``choices`` are those of `tally_star_votes`."""
    election = read_votes(votes, choices)
    return _robustness(election.decision_id, election.ballots, protocol)


def _robustness(decision_id: str | None, ballots: Ballots, protocol: str) -> Robustness:
    counts = count(ballots)
    outcome = decide(counts, protocol)
    if outcome.winner is None:
        raise InvalidElectionError("the tie is not resolved, so there is no winner that could change (rule K7).")
    winner, runner_up = outcome.winner, outcome.runner_up
    if runner_up is None:
        return Robustness(decision_id, protocol, winner, None, counts.vote_count, None, None, None, None)
    place = {choice: row for row, choice in enumerate(ballots.choices)}
    units = ballots.stars.astype(np.int64) * (FIVE_STARS // ballots.five)
    first = place[winner]
    least = {rival: _least(units, first, rival) for rival in range(len(units)) if rival != first}
    beside = _without_winner(units, first)
    at_most, rival = _found(ballots, counts, protocol, _ways(ballots, first, least, beside))
    return Robustness(
        decision_id=decision_id,
        protocol=protocol,
        winner=winner,
        runner_up=runner_up,
        vote_count=counts.vote_count,
        runoff=_runoff(units[first], units[place[runner_up]]),
        at_least=min([*least.values(), *beside.values()]),
        at_most=at_most,
        rival=rival,
    )


def _runoff(ahead: Ints, behind: Ints) -> int:
    """Fewest ballots to change before one finalist beats the other; the best change is five stars to none."""
    prefer = ahead > behind
    margin = int(np.count_nonzero(prefer)) - int(np.count_nonzero(behind > ahead))
    if margin < 0:
        return 0
    half = margin // 2
    if margin % 2:
        return half + 1
    # Half the margin makes the votes level, and then stars decide: best to change the ballots that differ most.
    difference, five = (ahead - behind)[prefer], ahead[prefer] == FIVE_STARS
    chosen = np.lexsort((five, difference))[len(difference) - half :]
    stars = int(behind.sum() - ahead.sum() + difference[chosen].sum()) + half * FIVE_STARS
    fives = int(np.count_nonzero(behind == FIVE_STARS) - np.count_nonzero(ahead == FIVE_STARS))
    fives += half + int(np.count_nonzero(five[chosen]))
    return half if (stars, fives) > (0, 0) else half + 1


def _overtake(ahead: Ints, behind: Ints) -> int:
    """Fewest ballots to change before a total is as high as another: at best each gives it five stars, the other 0."""
    lead = int(ahead.sum() - behind.sum())
    if lead <= 0:
        return 0
    gains = np.sort(ahead - behind)[::-1] + FIVE_STARS
    return int(np.searchsorted(np.cumsum(gains), lead)) + 1


def _least(units: Ints, winner: int, rival: int) -> int:
    """A lower bound for a rival that meets and beats the winner in the runoff.

    It has to win that runoff, and to be among the two best: at most one of the others may stay ahead of it.
    """
    ahead = sorted(_overtake(own, units[rival]) for row, own in enumerate(units) if row != rival)
    # At least one in any case: as they are, the ballots have another winner.
    return max(1, _runoff(units[winner], units[rival]), ahead[-2] if len(ahead) > 1 else 0)


def _without_winner(units: Ints, winner: int) -> dict[tuple[int, int], int]:
    """A lower bound for a runoff without the winner, by the two that have to reach its total; the easiest two only."""
    needed = sorted((_overtake(units[winner], own), row) for row, own in enumerate(units) if row != winner)
    if len(needed) < 2:
        return {}
    (_, first), (changes, second) = needed[:2]
    return {(first, second): max(1, changes)}


@dataclass(frozen=True)
class _Way:
    """A way to change ballots: how many it takes at least, which ones first, and what they then give to choices."""

    at_least: int
    order: Ints
    gives: dict[int, int]

    def changed(self, ballots: Ballots, number: int) -> tuple[Ballots, Ballots]:
        """The first so many ballots, as they are and as they would be."""
        before = ballots.stars[:, self.order[:number]]
        after = before.copy()
        for row, stars in self.gives.items():
            after[row] = stars
        return replace(ballots, stars=before, members=None), replace(ballots, stars=after, members=None)


def _ways(ballots: Ballots, winner: int, least: dict[int, int], beside: dict[tuple[int, int], int]) -> list[_Way]:
    """Ways worth trying, the most promising first: ballots that differ most, changed as far as they can be."""
    stars = ballots.stars.astype(np.int64)
    ways = []
    for rival, bound in least.items():
        ahead = stars[winner] - stars[rival]
        orders = [np.lexsort((ahead, np.sign(ahead)))[::-1]]
        orders += [np.argsort(own - stars[rival], kind="stable")[::-1] for own in stars]
        alone = dict.fromkeys(range(len(stars)), 0) | {rival: ballots.five}
        ways += [_Way(bound, order, gives) for order in orders for gives in ({winner: 0, rival: ballots.five}, alone)]
    for pair, bound in beside.items():
        order = np.argsort(stars[winner], kind="stable")[::-1]
        for one, other in (pair, pair[::-1]):
            ways.append(_Way(bound, order, {winner: 0, one: ballots.five, other: ballots.five - 1}))
    return sorted(ways, key=lambda way: way.at_least)


def _found(ballots: Ballots, counts: Counts, protocol: str, ways: list[_Way]) -> tuple[int | None, str | None]:
    """Find the fewest changed ballots with which somebody else wins, as far as the ways go; proven by deciding it."""
    winner = decide(counts, protocol).winner

    def rival_of(way: _Way, number: int) -> str | None:
        before, after = way.changed(ballots, number)
        other = decide(counts.plus(count(before), -1).plus(count(after), 1), protocol).winner
        return None if other == winner else other

    best, rival = counts.vote_count + 1, None
    for way in ways:
        number, other = _fewest(partial(rival_of, way), way.at_least, best)
        if other is not None:
            best, rival = number, other
    return (None, None) if rival is None else (best, rival)


def _fewest(rival_of: Callable[[int], str | None], at_least: int, limit: int) -> tuple[int, str | None]:
    """Fewer changes than a limit that are enough, and who wins then: by doubling, then by halving the last gap."""
    failed, number, rival = at_least - 1, at_least, None
    while number < limit and (rival := rival_of(number)) is None:
        failed, number = number, min(2 * number, limit - 1) if number < limit - 1 else limit
    while rival is not None and failed + 1 < number:
        middle = (failed + number) // 2
        other = rival_of(middle)
        failed, number, rival = (middle, number, rival) if other is None else (failed, middle, other)
    return number, rival
