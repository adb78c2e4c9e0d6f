"""How many ballots would have to change before somebody else wins.

A changed ballot may say anything that ballots of its kind can: whole stars, where every ballot has whole stars. The
answer for the runoff is exact. For the whole count there is a proven lower bound, and an upper bound that is a count
with that many ballots changed, made and decided; where they meet, that is exact too.
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
from crowdvote_analysis.star.single import try_single_ballots
from crowdvote_analysis.star.units import MOST_STARS
from crowdvote_analysis.star.votes import read_votes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    import polars as pl
    from numpy.typing import NDArray

    from crowdvote_analysis.star.ballots import Ballots
    from crowdvote_analysis.star.resolution import Resolution
    from crowdvote_analysis.star.steps import Rule

    Ints = NDArray[np.integer[Any]]


_SMALL = 2**14  # five stars below this number fit into 16 bits, and so do differences
# Ways to another winner that are tried out, the most promising first; choices that ballots are ordered by for them.
_TRIED, _FEW = 80, 6


@dataclass(frozen=True)
class Robustness:
    """The fewest tallied ballots that would have to change for another choice to win.

    Attributes:
        decision_id: The decision, if the votes belong to one.
        protocol: Name of the tie protocol (K3).
        winner: Who won.
        runner_up: The other finalist; ``None`` for a lone choice.
        vote_count: Number of ballots tallied.
        whole_stars: Whether every ballot tallied has whole stars, and so has every changed one; otherwise a changed
            ballot may have any stars that calculated ones can have, with 8 places (D10).
        runoff: Fewest ballots whose change makes the runner-up win the runoff against the winner, exactly, tie rules
            included (K4); ``None`` for a lone choice.
        runoff_decided_by: The rule by which the runner-up wins it then, as `Runoff.decided_by`: ``"runoff"``, or with
            as many ballots for each ``"sum"`` or ``"max_count"``; ``None`` for a lone choice.
        runoff_tie: Ballots whose change can leave that runoff tied in everything, for the community manager to decide
            (K7): one fewer than ``runoff``; ``None`` where that cannot be.
        at_least: No fewer changed ballots can make another choice win by ballots, by whatever route: proven. ``None``
            for a lone choice, which nothing can beat. Ties that the community manager would have to decide are no wins.
        at_most: So many changed ballots are enough: such a count was made, and ``rival`` won it. ``None`` when none
            was found.
        rival: Who won that count.
    """

    decision_id: str | None
    protocol: str
    winner: str
    runner_up: str | None
    vote_count: int
    whole_stars: bool
    runoff: int | None
    runoff_decided_by: Rule | None
    runoff_tie: int | None
    at_least: int | None
    at_most: int | None
    rival: str | None

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.at_least == self.at_most

    @property
    def sentence(self) -> str:
        """All of it in words, with ids for the choices; empty for a lone choice."""
        return self.told({})

    def told(self, titles: Mapping[str, str]) -> str:
        """As ``sentence``, for people.

        Args:
            titles: Title by choice id.
        """
        if self.runoff is None:
            return ""
        unit = (
            "have whole stars, as every ballot here has"
            if self.whole_stars
            else "may have parts of stars, as some have"
        )
        return f"{self._numbers(titles)} Changed ballots {unit}."

    def _numbers(self, titles: Mapping[str, str]) -> str:
        assert self.runoff is not None
        more = {"sum": "stars in all", "max_count": "five-star ballots"}.get(self.runoff_decided_by or "")
        other = titles.get(self.runner_up or "", self.runner_up)
        then = f" (then both have as many, and {other} has more {more})" if more else ""
        if self.runoff_tie:
            then = f" ({self.runoff_tie:,} to leave a tie for the manager to decide)"
        if self.exact and self.at_least == self.runoff:
            return (
                f"How safe: {_ballots(self.runoff)} would have to change for {other} to win the runoff{then}; no other "
                "result takes fewer."
            )
        least = f"{_ballots(self.at_least or 0)} would have to change for another result"
        turn = f"For {other} to win this runoff takes {_ballots(self.runoff)}{then}."
        way = "win" if self.rival == self.runner_up else "reach the runoff and win it"
        rival = f"{titles.get(self.rival or '', self.rival)} could then {way}"
        if self.exact:
            return f"How safe: {least}: {rival}. {turn}"
        most = f", and {self.at_most:,} are enough: {rival}" if self.at_most else ""
        return f"How safe: at least {least}{most} (proven bounds). {turn}"


def _ballots(number: int) -> str:
    return "1 ballot" if number == 1 else f"{number:,} ballots"


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
    # Ballots in an order that follows from what they say: no answer may depend on whose they are or how rows stand.
    ballots = _in_whole_stars(ballots)
    whole = ballots.five == MOST_STARS
    ballots = replace(ballots, stars=ballots.stars[:, np.lexsort(ballots.stars[::-1])], members=None)
    counts = count(ballots)
    outcome = decide(counts, protocol)
    if outcome.winner is None:
        raise InvalidElectionError("the tie is not resolved, so there is no winner that could change (rule K7).")
    winner, runner_up = outcome.winner, outcome.runner_up
    if runner_up is None:
        return Robustness(decision_id, protocol, winner, None, counts.vote_count, whole, *[None] * 6)
    place = {choice: row for row, choice in enumerate(ballots.choices)}
    # Small numbers are sorted several times as fast.
    stars: Ints = ballots.stars.astype(np.int16 if ballots.five < _SMALL else np.int64)
    runoff, rule, level = _runoff(stars[place[winner]], stars[place[runner_up]], ballots.five)
    best = [place[choice] for choice in sorted(counts.choices, key=counts.totals.__getitem__, reverse=True)]
    elected = _Elected(stars, ballots.five, place[winner], best)
    ways = sorted([*_ways_to_the_runoff(elected), *_ways_around_the_winner(elected)], key=lambda way: way.at_least)
    at_least, (at_most, rival) = ways[0].at_least, _found(ballots, counts, protocol, ways[:_TRIED])
    if whole and at_least == 1 != at_most and (tried := try_single_ballots(ballots, counts, protocol, winner)):
        at_least, at_most, rival = (2, at_most, rival) if tried.rival is None else (1, 1, tried.rival)
    return Robustness(
        decision_id=decision_id,
        protocol=protocol,
        winner=winner,
        runner_up=runner_up,
        vote_count=counts.vote_count,
        whole_stars=whole,
        runoff=runoff,
        runoff_decided_by=rule,
        runoff_tie=runoff - 1 if level else None,
        at_least=at_least,
        at_most=at_most,
        rival=rival,
    )


def _in_whole_stars(ballots: Ballots) -> Ballots:
    """The same ballots in whole stars, where every one of them knows nothing else; otherwise as they are."""
    unit = ballots.five // MOST_STARS
    if unit == 1 or (ballots.stars % unit).any():
        return ballots
    return replace(ballots, stars=(ballots.stars // unit).astype(np.uint8), five=MOST_STARS)


@dataclass(frozen=True, eq=False)
class _Elected:
    """An election with a winner: stars by choice and ballot, what five stars are, who won, and all choices by score."""

    stars: Ints
    five: int
    winner: int
    best: list[int]

    def overtake(self, ahead: int, behind: int) -> int:
        """Fewest ballots to change before a total is as high as another; the best change is five stars to none."""
        difference = self.stars[ahead] - self.stars[behind]
        lead = int(difference.sum(dtype=np.int64))
        if lead <= 0:
            return 0
        gains = np.sort(difference)[::-1].astype(np.int64) + self.five
        return int(np.searchsorted(np.cumsum(gains), lead)) + 1


@dataclass(frozen=True, eq=False)
class _Way:
    """A way to another winner: a proven least number of ballots, which to change first, and what they then give."""

    at_least: int
    order: Callable[[], Ints]
    gives: dict[int, int]


def _runoff(ahead: Ints, behind: Ints, most: int) -> tuple[int, Rule, bool]:
    """Fewest ballots to change before one finalist beats the other; the best change is five stars to none.

    Returns:
        The number, the rule that decides then, and whether one fewer can leave the two level in everything, a tie that
        people would have to decide.
    """
    prefer = ahead > behind
    margin = int(np.count_nonzero(prefer)) - int(np.count_nonzero(behind > ahead))
    if margin < 0:
        return 0, "runoff", False
    half = margin // 2
    if margin % 2:
        return half + 1, "runoff", False
    # Half the margin makes the votes level, and then stars decide: best to change the ballots that differ most.
    difference, five = (ahead - behind)[prefer], ahead[prefer] == most
    chosen = np.lexsort((five, difference))[len(difference) - half :]
    stars = int(difference[chosen].sum(dtype=np.int64)) - int((ahead - behind).sum(dtype=np.int64)) + half * most
    fives = int(np.count_nonzero(behind == most) - np.count_nonzero(ahead == most))
    fives += half + int(np.count_nonzero(five[chosen]))
    if (stars, fives) > (0, 0):
        return half, "sum" if stars else "max_count", False
    return half + 1, "runoff", (stars, fives) == (0, 0)


def _ways_to_the_runoff(elected: _Elected) -> Iterator[_Way]:
    """Ways in which a rival meets the winner in the runoff, and beats it.

    It has to win that runoff, and at most one of the others may stay ahead of it: of the two best others it has to
    reach the one that takes fewer changes. At least one ballot has to change in any case.
    """
    stars, winner = elected.stars, elected.winner
    for rival in elected.best:
        if rival == winner:
            continue
        others = [choice for choice in elected.best if choice != rival][:2]
        reach = min(elected.overtake(other, rival) for other in others) if len(others) > 1 else 0
        bound = max(1, reach, _runoff(stars[winner], stars[rival], elected.five)[0])
        orders = [partial(_by_preference, stars[winner], stars[rival])]
        lead = stars[winner] - stars[rival]
        orders += [partial(_by_both, stars[other] - stars[rival], lead) for other in elected.best[:_FEW]]
        alone = dict.fromkeys(range(len(stars)), 0) | {rival: elected.five}
        for order in orders:
            yield from (_Way(bound, order, gives) for gives in ({winner: 0, rival: elected.five}, alone))


def _ways_around_the_winner(elected: _Elected) -> Iterator[_Way]:
    """Ways to a runoff without the winner: two others have to reach its total; the easiest two."""
    others = [choice for choice in elected.best if choice != elected.winner]
    needed = sorted((elected.overtake(elected.winner, other), other) for other in others)[:2]
    if len(needed) == 2:
        first, second = (choice for _, choice in needed)
        own = elected.stars[elected.winner]
        order = partial(_by_both, own, own - elected.stars[first])
        for one, other in ((first, second), (second, first)):
            gives = {elected.winner: 0, one: elected.five, other: elected.five - 1}
            yield _Way(max(1, needed[1][0]), order, gives)


def _by_preference(ahead: Ints, behind: Ints) -> Ints:
    """Those who prefer the first come first, with the largest difference; then those without a preference."""
    difference = ahead - behind
    return np.lexsort((difference, np.sign(difference)))[::-1]


def _by_both(first: Ints, then: Ints) -> Ints:
    """The largest numbers first, among equals those with the largest others."""
    return np.lexsort((then, first))[::-1]


def _found(ballots: Ballots, counts: Counts, protocol: str, ways: list[_Way]) -> tuple[int | None, str | None]:
    """Find the fewest changed ballots with which somebody else wins, as far as the ways go; proven by deciding it."""
    winner = decide(counts, protocol).winner

    def rival_of(order: Ints, gives: dict[int, int], number: int) -> str | None:
        before = ballots.stars[:, order[:number]]
        after = before.copy()
        for row, stars in gives.items():
            after[row] = stars
        out, put = (count(replace(ballots, stars=stars, members=None)) for stars in (before, after))
        other = decide(counts.plus(out, -1).plus(put, 1), protocol).winner
        return None if other == winner else other

    best, rival = counts.vote_count + 1, None
    for way in ways:
        if way.at_least < best:
            number, other = _fewest(partial(rival_of, way.order(), way.gives), way.at_least, best)
            best, rival = (number, other) if other is not None else (best, rival)
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
