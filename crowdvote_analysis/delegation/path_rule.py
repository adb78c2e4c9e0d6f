"""Loops by the founding rule (Y1): a member already on the path gives nothing there.

Each member's ballot is found by their own walk. Once the walk has left from a member, that member is blocked, and
what is left of the core mostly falls apart: members outside smaller cores are plain averages, and the smaller cores
are settled in the same way, again and again. What a core gives depends only on the blocked members it can still reach
(Y2 b), so answers are remembered by (core, those members) and no work is done twice.

An answer is not a number but the exact share of each member whose ballots from outside it is made of, with the tags: it
serves every choice at once and says whose stars they are. How many ballots somebody inherits from outside makes no
difference to the work: they come and go together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from crowdvote_analysis.delegation.components import components

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

# Outcomes of a following inside a walk.
MATCH, NO_MATCH, NO_BALLOT = 0, 1, 2

EVERYTHING = -1  # as a set of bits: all of them


class Inside(NamedTuple):
    """A following that stays inside the core: position of the followee, tags followed on as bits (-1 is ALL)."""

    followee: int
    tags: int


class Outside(NamedTuple):
    """What a member inherits from outside the core: how many ballots, the tags that come along, the greatest depth."""

    ballots: int
    tags: int
    depth: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member gives in a walk.

    Attributes:
        shares: The share of what each member inherits from outside, by position, as a numerator over ``divisor``; they
            sum to the divisor.
        divisor: The common denominator.
        tags: Bits of the tags that came along.
        depth: 1 + the depth of the deepest source actually inherited from (D11).
        tree: Bits of the members of the core in the tree of sources.
    """

    shares: Mapping[int, int]
    divisor: int
    tags: int
    depth: int
    tree: int


class _Given(NamedTuple):
    """What somebody gives at some point of a walk, and the blocked members they can reach from there, as bits."""

    answer: Answer | None
    met: int


# What a core is asked: its members, the blocked members it can reach, the members whose answers are wanted (all as
# bits), and what its other followees give.
_Task: TypeAlias = "tuple[int, int, int, Mapping[int, _Given]]"
_Answers: TypeAlias = "dict[int, Answer | None]"


class Walks:
    """The walks of one core.

    Args:
        inside: Followings that stay in the core, by position of the follower.
        outside: What is inherited from outside, by position of the follower.
        spend: Called with the number of steps before they are taken; raises when there are too many.
        advance: Called with the number of members whose own walk is done.

    Attributes:
        ballots: Each member's own ballot, by position; ``None`` for no ballot.
        gives: What each followee gives in the follower's own walk, by (follower, followee).
    """

    def __init__(
        self,
        inside: Sequence[Sequence[Inside]],
        outside: Sequence[Outside],
        spend: Callable[[int], None],
        advance: Callable[[int], None],
    ) -> None:
        self._inside = inside
        self._outside = outside
        self._spend, self._advance = spend, advance
        self._next = [[following.followee for following in followings] for followings in inside]
        self._known: dict[tuple[int, int], _Answers] = {}
        self.gives: dict[tuple[int, int], Answer | None] = {}
        everybody = (1 << len(inside)) - 1
        self.ballots = self._run((everybody, 0, everybody, {}))

    def _run(self, task: _Task) -> _Answers:
        """Settle a core and the cores inside it. A stack of our own: cores may lie deeper than Python's stack."""
        stack = [self._settle(*task)]
        answers: _Answers | None = None
        while stack:
            try:
                smaller = stack[-1].send(answers)  # type: ignore[arg-type]
            except StopIteration as settled:
                stack.pop()
                answers = settled.value
            else:
                stack.append(self._settle(*smaller))
                answers = None
        assert answers is not None
        return answers

    def _settle(
        self, core: int, blocked: int, wanted: int, beyond: Mapping[int, _Given]
    ) -> Generator[_Task, _Answers, _Answers]:
        """Give the wanted answers of a core; yields the smaller cores that have to be settled first."""
        answers: _Answers = {}
        members = _members(core)
        steps = sum(len(self._next[member]) for member in members) + len(members)
        for walker in _members(wanted):
            self._spend(steps)
            path = blocked | 1 << walker
            given: dict[int, _Given] = {}
            for part, asked in self._parts(walker, members):
                if len(part) == 1:
                    given[part[0]] = self._combine(part[0], given, beyond, path)
                    continue
                inner = sum(1 << member for member in part)
                others = self._others(part, inner, given, beyond)
                met = self._met(part, others, path)
                known = self._known.setdefault((inner, met), {})
                unknown = sum(1 << member for member in asked if member not in known)
                if unknown:
                    known |= yield inner, met, unknown, others
                given |= {member: _Given(known[member], met) for member in asked}
            answers[walker] = self._combine(walker, given, beyond, path).answer
            if not blocked and not beyond:
                self._note(walker, given)
                self._advance(1)
        return answers

    def _parts(self, walker: int, members: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        """What is left of a core once a walk has left, followees first, with who is asked in each part."""
        parts = components([member for member in members if member != walker], self._next)
        wanted = set(self._next[walker])
        asked: list[tuple[list[int], list[int]]] = []
        for part in reversed(parts):
            here = [member for member in part if member in wanted]
            if here:
                asked.append((part, here))
                for member in part:
                    wanted.update(self._next[member])
        return asked[::-1]

    def _others(
        self, part: Sequence[int], inner: int, given: Mapping[int, _Given], beyond: Mapping[int, _Given]
    ) -> dict[int, _Given]:
        """What the followees outside a smaller core give to it; blocked ones are left out."""
        found = {}
        for member in part:
            for followee in self._next[member]:
                gift = None if inner >> followee & 1 else given.get(followee) or beyond.get(followee)
                if gift is not None:
                    found[followee] = gift
        return found

    def _met(self, part: Sequence[int], others: Mapping[int, _Given], path: int) -> int:
        met = 0
        for member in part:
            for followee in self._next[member]:
                met |= path & 1 << followee
        for gift in others.values():
            met |= gift.met
        return met

    def _combine(self, member: int, given: Mapping[int, _Given], beyond: Mapping[int, _Given], path: int) -> _Given:
        """The average of what a member inherits, from outside and from the members who are not on the path (D3)."""
        sources: list[Answer] = []
        tags = tree = met = 0
        for following in self._inside[member]:
            if path >> following.followee & 1:
                met |= 1 << following.followee
                continue
            gift = given.get(following.followee) or beyond[following.followee]
            met |= gift.met
            if gift.answer is not None and outcome(following.tags, gift.answer) == MATCH:
                sources.append(gift.answer)
                tags |= gift.answer.tags & following.tags
                tree |= gift.answer.tree | 1 << following.followee
        outside = self._outside[member]
        if not sources and not outside.ballots:
            return _Given(None, met)
        # Adding up shares is work too: eight of them take as long as a step.
        self._spend(sum(len(source.shares) for source in sources) // 8)
        common = math.lcm(*(source.divisor for source in sources))
        shares = {member: common * outside.ballots} if outside.ballots else {}
        tags |= outside.tags
        depth = outside.depth
        for source in sources:
            factor = common // source.divisor
            depth = max(depth, source.depth)
            for giver, share in source.shares.items():
                shares[giver] = shares.get(giver, 0) + share * factor
        divisor = common * (len(sources) + outside.ballots)
        shrink = math.gcd(divisor, *shares.values())
        if shrink > 1:
            shares = {giver: share // shrink for giver, share in shares.items()}
        return _Given(Answer(shares, divisor // shrink, tags, depth + 1, tree), met)

    def _note(self, walker: int, given: Mapping[int, _Given]) -> None:
        for followee in self._next[walker]:
            self.gives[walker, followee] = given[followee].answer


def outcome(followed: int, answer: Answer | None) -> int:
    """What a following on the tags ``followed`` gets from an answer (T2, T3, D5)."""
    if answer is None:
        return NO_BALLOT
    return MATCH if followed == EVERYTHING or followed & answer.tags else NO_MATCH


def _members(bits: int) -> list[int]:
    members = []
    while bits:
        lowest = bits & -bits
        members.append(lowest.bit_length() - 1)
        bits ^= lowest
    return members
