"""The ballots inside one member's walk by the path rule (Y1), worked out only where somebody looks.

What a member gives depends only on the blocked members that
can still be reached from there (Y2 b), so ballots are remembered by (member, those members).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE
from crowdvote_analysis.delegation.budget import Budget
from crowdvote_analysis.delegation.components import components
from crowdvote_analysis.delegation.cores import to_int
from crowdvote_analysis.delegation.participation import matching, strong_components
from crowdvote_analysis.delegation.path_rule import EVERYTHING
from crowdvote_analysis.explanation.given import Given, traced_back

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Set
    from fractions import Fraction

    from crowdvote_analysis.delegation.arrays import Flags
    from crowdvote_analysis.delegation.blocks import Block


# A ballot or none, and the blocked members that can be reached from there, as bits.
_Known: TypeAlias = "tuple[Given | None, int]"
# What is asked: whose ballots, with which members blocked (bits), inside which members, and what the others give.
_Question: TypeAlias = "tuple[Iterable[int], int, Set[int] | range, Mapping[int, _Known]]"
_Answers: TypeAlias = "dict[int, _Known]"


class OwnWalk:
    """Ballots inside walks, each worked out when it is first asked for.

    Args:
        block: The graph, with the followings that can be reached.
        decision_id: The decision, for the error.
        work_limit: Steps that may be taken for all cores (Y3); ``None`` where small ones alone are walked (Y6).
        balanced: Which nodes are in a balanced core: in every walk they give their own ballot (Y7).
        own: Their ballots.

    Attributes:
        loop: Number of the loop by node, in the followings as recorded, matching or not; -1 outside loops.
        core: Number of the core by node, in the followings that can match (Y2); -1 outside cores.
        next: Whom a node can inherit from, by node.
        walked: Whether the node's ballot can be another inside a walk.
    """

    def __init__(
        self,
        block: Block,
        decision_id: str,
        work_limit: int | None,
        balanced: Flags | None = None,
        own: Callable[[int], Given | None] | None = None,
    ) -> None:
        self._block, self._own = block, own
        self._budget = Budget(work_limit, decision_id)
        count = len(block.member)
        self.walked = np.ones(count, dtype=np.bool_) if balanced is None else ~balanced
        edges = np.flatnonzero(~block.manual[block.src] & (block.dst >= 0) & (block.src != block.dst))
        self.loop = strong_components(count, block.src[edges], block.dst[edges])
        edges = edges[matching(block, edges)]  # others never match, in no walk (Y2 a)
        edges = edges[self.walked[block.src[edges]]]
        self.core = strong_components(count, block.src[edges], block.dst[edges])
        self._follows: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self.next: list[list[int]] = [[] for _ in range(count)]
        for edge, follower, followee in zip(
            edges.tolist(), block.src[edges].tolist(), block.dst[edges].tolist(), strict=True
        ):
            tags = EVERYTHING if block.everything[edge] else to_int(block.mask[edge])
            self._follows[follower].append((followee, tags))
            self.next[follower].append(followee)
        self._cores: list[int] = self.core.tolist()  # looked up one by one much faster
        self._size: list[int] = np.bincount(self.core[self.core >= 0], minlength=1).tolist()
        self._manual: list[bool] = block.manual.tolist()
        self._everybody = range(count)
        self._known: dict[tuple[int, int], Given | None] = {}
        self._bit: dict[int, int] = {}
        self._loops: dict[int, set[int]] = {}

    def ballot(self, node: int, path: Sequence[int] = ()) -> Given | None:
        """What a member gives at the end of ``path``; their own ballot without one.

        Raises:
            CyclicCoreTooLarge: It takes more than the work limit (Y3).
        """
        loop = self.loop[node]
        blocked = self.same_loop(node, path)
        if not blocked:
            return self._run(([node], 0, self._everybody, {}))[node][0]
        return self._run(([node], self._bits(blocked), self._members_of(int(loop)), {}))[node][0]

    def same_loop(self, node: int, path: Sequence[int]) -> list[int]:
        """Those on a path who share a loop with a member; nobody else can be met again from there."""
        loop = self.loop[node]
        if loop < 0 or not self.walked[node]:
            return []
        return [member for member in path if self.loop[member] == loop and self.walked[member]]

    def forget(self, most: int) -> None:
        """Let go of what was worked out, if it is more than so many ballots: it can be worked out again."""
        if len(self._known) > most:
            self._known.clear()
            self._bit.clear()

    def shares(self, node: int) -> tuple[dict[int, Fraction], bool]:
        """Which share of a member's own ballot comes from each ballot cast by hand (I3); always exact."""
        ballot = self.ballot(node)
        return (traced_back(ballot) if ballot else {}), True

    def _members_of(self, loop: int) -> set[int]:
        if loop not in self._loops:
            self._loops[loop] = set(np.flatnonzero(self.loop == loop).tolist())
        return self._loops[loop]

    def _run(self, question: _Question) -> _Answers:
        """Answer a question and those it raises. A stack of our own: cores may lie deeper than Python's stack."""
        stack = [self._answer(*question)]
        answers: _Answers | None = None
        while True:
            try:
                raised = stack[-1].send(answers)  # type: ignore[arg-type]
            except StopIteration as done:
                stack.pop()
                if not stack:
                    result: _Answers = done.value
                    return result
                answers = done.value
            else:
                stack.append(self._answer(*raised))
                answers = None

    def _answer(
        self, asked: Iterable[int], path: int, scope: Set[int] | range, beyond: Mapping[int, _Known]
    ) -> Generator[_Question, _Answers, _Answers]:
        """Give the ballots of ``asked`` and of whom they inherit from inside ``scope``, followees first."""
        inside, outside = self._reached(asked, path, scope, beyond)
        given: _Answers = {member: (self._known[member, 0], 0) for member in outside if (member, 0) in self._known}
        unknown = [member for member in outside if member not in given]
        if unknown:
            own = yield unknown, 0, self._everybody, {}
            given |= {member: own[member] for member in unknown}
        others = {**beyond, **given}
        wanted = set(asked)
        parts = components(inside, self.next)
        called = []
        for part in reversed(parts):
            called.append([member for member in part if member in wanted])
            if called[-1]:
                for member in part:
                    wanted.update(self.next[member])
        for part, here in zip(parts, reversed(called), strict=True):
            if not here:
                continue
            met = self._met(part, path, others)
            for member in here:
                if (member, met) not in self._known:
                    if len(part) > 1:
                        self._spend(member, part)
                        core = set(part)
                        gifts = {f: others[f] for m in part for f in self.next[m] if f not in core and f in others}
                        followees = [followee for followee in self.next[member] if followee in core]
                        walked = yield followees, path | self._bits([member]), core, gifts
                    self._known[member, met] = self._average(member, path, walked if len(part) > 1 else others)
                others[member] = (self._known[member, met], met)
        return others

    def _reached(
        self, asked: Iterable[int], path: int, scope: Set[int] | range, beyond: Mapping[int, _Known]
    ) -> tuple[list[int], list[int]]:
        """Who can be reached inside the scope, and who of those outside of it is inherited from."""
        inside, outside, cores = dict.fromkeys(asked), dict[int, None](), self._cores
        if not path:
            for member in [member for member in inside if (member, 0) in self._known]:
                del inside[member]
                outside[member] = None
        waiting = list(inside)
        while waiting:
            member = waiting.pop()
            for followee in self.next[member]:
                if followee in inside or path & self._bit.get(followee, 0):
                    continue
                # Within a core nobody gives their own ballot, known or not: a walk goes through all of it.
                together = cores[member] == cores[followee] >= 0
                if followee in scope and (path or together or (followee, 0) not in self._known):
                    inside[followee] = None
                    waiting.append(followee)
                elif followee not in beyond:
                    outside[followee] = None
        return list(inside), list(outside)

    def _met(self, part: Sequence[int], path: int, others: Mapping[int, _Known]) -> int:
        met, here = 0, set(part)
        for member in part:
            for followee in self.next[member]:
                if followee in here:
                    continue
                blocked = path & self._bit.get(followee, 0)
                met |= blocked or others[followee][1]
        return met

    def _average(self, member: int, path: int, others: Mapping[int, _Known]) -> Given | None:
        """The average of what a member inherits from those who are not on the path (D3), or the ballot by hand."""
        if self._manual[member]:
            return self._by_hand(member)
        if self._own is not None and not self.walked[member]:
            return self._own(member)
        sources: list[Given] = []
        tags = rated = 0
        for followee, followed in self._follows[member]:
            if path & self._bit.get(followee, 0):
                continue
            ballot = others[followee][0]
            if ballot is not None and (followed == EVERYTHING or followed & ballot.tags):
                sources.append(ballot)
                tags |= ballot.tags & followed
                rated |= ballot.rated
        if not sources:
            return None
        common = math.lcm(*(source.divisor for source in sources))
        stars = [0] * len(sources[0].stars)
        for source in sources:
            factor = common // source.divisor
            for choice, value in enumerate(source.stars):
                stars[choice] += value * factor
        depth = 1 + max(source.depth for source in sources)
        return Given(member, tuple(sources), common * len(sources), tuple(stars), rated, tags, depth)

    def _by_hand(self, member: int) -> Given | None:
        """Without stars it gives nothing (D5)."""
        block = self._block
        rated = to_int(block.rated[member])
        stars = tuple((block.units[:, member] // UNITS_PER_PLACE).tolist())
        return Given(member, (), 1, stars, rated, to_int(block.tags[member]), 0) if rated else None

    def _bits(self, members: Iterable[int]) -> int:
        bits = 0
        for member in members:
            bits |= self._bit.setdefault(member, 1 << len(self._bit))
        return bits

    def _spend(self, member: int, part: Sequence[int]) -> None:
        self._budget.enter(self._size[self._cores[member]])
        self._budget.spend(sum(len(self.next[other]) for other in part) + len(part))
