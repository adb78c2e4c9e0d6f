"""Loops by the founding rule (Y1): a member already on the path gives nothing there.

Each member's ballot is found by their own walk. What a member gives inside somebody else's walk depends only on the
members of the path they can still reach (Y2 b). Answers are remembered by (member, those blocked members), so a walk
never does the same work twice. An answer is not a number but the exact share of each ballot outside the core, with the
tags: it serves every choice at once and says whose stars they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Outcomes of a following inside a walk.
MATCH, NO_MATCH, NO_BALLOT = 0, 1, 2

EVERYTHING = -1  # as a set of bits: all of them


class Inside(NamedTuple):
    """A following that stays inside the core: position of the followee, tags followed on as bits (-1 is ALL)."""

    followee: int
    tags: int


class Outside(NamedTuple):
    """A ballot inherited from outside the core: its node, the tags that come along, its depth."""

    node: int
    tags: int
    depth: int


@dataclass(frozen=True)
class Answer:
    """What a member gives in a walk.

    Attributes:
        shares: The share of each outside ballot; they sum to 1.
        tags: Bits of the tags that came along.
        depth: 1 + the depth of the deepest source actually inherited from (D11).
        tree: Bits of the members of the core in the tree of sources.
    """

    shares: Mapping[int, Fraction]
    tags: int
    depth: int
    tree: int


class Walks:
    """The walks of one core.

    Args:
        inside: Followings that stay in the core, by position of the follower.
        outside: Ballots inherited from outside, by position of the follower.
        spend: Called with the number of steps before they are taken; raises when there are too many.
    """

    def __init__(self, inside: list[list[Inside]], outside: list[list[Outside]], spend: Callable[[int], None]) -> None:
        self._inside = inside
        self._outside = outside
        self._spend = spend
        self._next = [_bits(following.followee for following in followings) for followings in inside]
        self._known: dict[tuple[int, int], Answer | None] = {}

    def ballot(self, member: int) -> Answer | None:
        """The member's own ballot."""
        return self._answer(member, 0)

    def gives(self, follower: int, followee: int) -> Answer | None:
        """What the followee gives in the follower's own walk."""
        return self._answer(followee, self._reachable(followee, 1 << follower))

    def _answer(self, member: int, blocked: int) -> Answer | None:
        """Walk without recursion: a path may be longer than Python's stack."""
        waiting = [(member, blocked)]
        while waiting:
            state = waiting[-1]
            if state in self._known:
                waiting.pop()
                continue
            needed = self._needed(*state)
            missing = [key for _, key in needed if key not in self._known]
            if missing:
                waiting += missing
            else:
                self._known[state] = self._combine(state[0], needed)
                waiting.pop()
        return self._known[(member, blocked)]

    def _needed(self, member: int, blocked: int) -> list[tuple[Inside, tuple[int, int]]]:
        """The followings that are not blocked, with the answer each of them needs."""
        path = blocked | 1 << member
        self._spend(1 + len(self._inside[member]))
        return [
            (following, (following.followee, self._reachable(following.followee, path)))
            for following in self._inside[member]
            if not path >> following.followee & 1
        ]

    def _combine(self, member: int, needed: list[tuple[Inside, tuple[int, int]]]) -> Answer | None:
        shares: dict[int, Fraction] = {}
        tags = tree = sources = 0
        depth = 0
        for source in self._outside[member]:
            shares[source.node] = shares.get(source.node, Fraction(0)) + 1
            tags |= source.tags
            depth = max(depth, source.depth)
            sources += 1
        for following, key in needed:
            answer = self._known[key]
            if answer is None or outcome(following.tags, answer) != MATCH:
                continue
            for node, share in answer.shares.items():
                shares[node] = shares.get(node, Fraction(0)) + share
            tags |= answer.tags & following.tags
            depth = max(depth, answer.depth)
            tree |= answer.tree | 1 << following.followee
            sources += 1
        if not sources:
            return None
        return Answer({node: share / sources for node, share in shares.items()}, tags, depth + 1, tree)

    def _reachable(self, member: int, blocked: int) -> int:
        """The blocked members that can be reached from ``member`` without passing another one of them."""
        seen = frontier = 1 << member
        met = 0
        while frontier:
            node = frontier.bit_length() - 1
            frontier &= ~(1 << node)
            followees = self._next[node]
            met |= followees & blocked
            new = followees & ~blocked & ~seen
            seen |= new
            frontier |= new
        return met


def outcome(followed: int, answer: Answer | None) -> int:
    """What a following on the tags ``followed`` gets from an answer (T2, T3, D5)."""
    if answer is None:
        return NO_BALLOT
    return MATCH if followed == EVERYTHING or followed & answer.tags else NO_MATCH


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits
