"""A tree, place by place: which followings are shown, and what each of them gave.

The tree grows level by level until the limits are met; the numbers it shows are those of the whole walk all the same.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from crowdvote_analysis.delegation.cores import to_int
from crowdvote_analysis.delegation.frames import NOT_FOLLOWING, NOTHING_MATCHES
from crowdvote_analysis.delegation.path_rule import EVERYTHING
from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.explanation.own_count import OwnCount
from crowdvote_analysis.explanation.tree import NO_STARS, Ballot, Followed, Lineage, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.explanation.given import Given
    from crowdvote_analysis.explanation.graph import Graph
    from crowdvote_analysis.explanation.own_walk import OwnWalk

Ballots: TypeAlias = "OwnWalk | OwnCount"

DEEPEST = 200  # levels shown at most, so that programs can walk the tree by recursion

_DETAILS = ("no_match", "no_ballot", "circular", "not_a_member")  # the order in which reasons are joined (D7)
_KEPT = 20_000  # spelled-out ballots kept at hand


@dataclass(eq=False, slots=True)
class _Draft:
    """A place in the tree: the walk that leads there, the following it came along, and what is shown below."""

    path: tuple[int, ...]
    edge: int
    below: list[_Draft] = field(default_factory=list)
    not_shown: int = 0
    outcome: str = ""
    given: Given | None = None


class Trees:
    """Grows the trees of the members of one decision.

    Args:
        graph: The followings.
        ballots: What everybody gives.
        levels: Levels of followings to show.
        room: Followings to show at most, level by level.
        shares: Whether ballots are traced back to those cast by hand.
    """

    def __init__(self, graph: Graph, ballots: Ballots, *, levels: int, room: int, shares: bool) -> None:
        self._graph, self._ballots = graph, ballots
        self._levels, self._room, self._with_shares = min(levels, DEEPEST), room, shares
        self._shown = lru_cache(_KEPT)(self._spelled)

    def of(self, root: int) -> Lineage:
        """The tree of one member.

        Raises:
            CyclicCoreTooLarge: It takes more than the work limit, and no finished count is at hand.
        """
        if isinstance(self._ballots, OwnCount):
            self._ballots.forget()
        drafts = [self._grown(root)]
        drafts[0].given = self._ballots.ballot(root)
        for draft in drafts:
            self._look_below(draft)
            drafts += draft.below
        below: dict[int, tuple[Followed, ...]] = {}
        for draft in reversed(drafts):
            below[id(draft)] = tuple(self._followed(each, below[id(each)]) for each in draft.below)
        top = drafts[0]
        ballot = self._own_ballot(root, top.given)
        return Lineage(
            decision_id=self._graph.decision_id,
            cycle_rule=self._graph.block.rules[0],
            member=self._graph.person(root),
            ballot=ballot,
            reason=None if ballot else self._reason(root),
            reason_detail=None if ballot else self._detail(top),
            followings=below[id(top)],
            not_shown=top.not_shown,
            shares=self._shares(root) if self._with_shares else (),
            titles=self._graph.titles,
        )

    def _grown(self, root: int) -> _Draft:
        """The places that are shown, level by level, below that of the member."""
        graph, room = self._graph, self._room
        top = _Draft((root,), -1)
        waiting = deque([top])
        while waiting:
            draft = waiting.popleft()
            edges = graph.followings(draft.path[-1])
            shown = edges[:room] if len(draft.path) <= self._levels else []
            draft.not_shown = len(edges) - len(shown)
            room -= len(shown)
            for edge in shown:
                followee = int(graph.block.dst[edge])
                draft.below.append(_Draft((*draft.path, followee), edge))
                if followee >= 0 and followee not in draft.path:
                    waiting.append(draft.below[-1])
        return top

    def _look_below(self, above: _Draft) -> None:
        """Find out what the followings below a place gave.

        Where a finished count is at hand, a place that takes more than the work limit is left out, and counted.
        """
        kept = []
        for draft in above.below:
            try:
                draft.outcome, draft.given = self._outcome(draft.path, draft.edge, above.given)
            except CyclicCoreTooLarge:
                if not (isinstance(self._ballots, OwnCount) and self._ballots.is_finished):
                    raise
                above.not_shown += 1
            else:
                kept.append(draft)
        above.below = kept

    def _outcome(self, path: tuple[int, ...], edge: int, of: Given | None) -> tuple[str, Given | None]:
        """What the last following of a walk gives (D6, T2, T3, Y1), and the ballot it was looked for on.

        ``of`` is what the follower gives there: the ballot they inherit is known from it.
        """
        *before, followee = path
        if followee < 0:
            return "not_a_member", None
        if followee in before if self._ballots.walked[before[-1]] else followee == before[-1]:
            return "circular", None
        given = next((source for source in of.sources if source.node == followee), None) if of else None
        given = given or self._ballots.ballot(followee, before)
        if given is None:
            return "no_ballot", None
        followed = self._graph.followed(edge)
        return "match" if followed == EVERYTHING or followed & given.tags else "no_match", given

    def _followed(self, draft: _Draft, below: tuple[Followed, ...]) -> Followed:
        graph, given, (*before, followee) = self._graph, draft.given, draft.path
        came = graph.followed(draft.edge) & given.tags if given and draft.outcome == "match" else 0
        closed: Sequence[int] = ()
        if draft.outcome == "circular":
            closed = draft.path if self._ballots.walked[before[-1]] else draft.path[-2:]
        elif followee >= 0 and followee in before:
            closed = draft.path[before.index(followee) :]
        without = given is None and draft.outcome == "no_ballot"
        return Followed(
            followee=graph.followee(draft.edge),
            following_tags=graph.following_tags(draft.edge),
            outcome=draft.outcome,
            inherited_tags=graph.tags(came),
            path=tuple(graph.person(node) for node in closed),
            balanced=self._balanced(closed),
            ballot=self._shown(given) if given else None,
            reason=self._reason(followee) if without else None,
            followings=below,
            not_shown=draft.not_shown,
        )

    def _balanced(self, closed: Sequence[int]) -> int:
        """Number of members of the balanced core in which a loop closes; 0 where another one does, or none."""
        if not isinstance(self._ballots, OwnCount) or not closed:
            return 0
        sizes = self._ballots.balanced[list(closed)]
        return int(sizes[0]) if sizes.all() else 0

    def _own_ballot(self, root: int, given: Given | None) -> Ballot | None:
        """The member's own ballot; one cast by hand without stars is still theirs (D5)."""
        block = self._graph.block
        if given is None and block.manual[root]:
            return Ballot("manual", self._graph.tags(to_int(block.tags[root])), {}, 0)
        return self._shown(given) if given else None

    def _spelled(self, given: Given) -> Ballot:
        origin = "manual" if self._graph.block.manual[given.node] else "calculated"
        stars = {
            # Python rounds a Fraction half-even (D10).
            name: Decimal(round(Fraction(given.stars[choice], given.divisor))).scaleb(-8)
            for name, choice in self._graph.choices
            if given.rated >> choice & 1
        }
        return Ballot(origin, self._graph.tags(given.tags), stars, given.depth)

    def _reason(self, node: int) -> str:
        """Why somebody has no ballot (D5, D7)."""
        if self._graph.block.manual[node]:
            return NO_STARS
        return NOTHING_MATCHES if self._graph.followings(node) else NOT_FOLLOWING

    def _detail(self, top: _Draft) -> str:
        root, dst = top.path[0], self._graph.block.dst
        known = self._ballots.reason_detail(root) if isinstance(self._ballots, OwnCount) else None
        if known:
            return known
        kinds = {self._outcome((root, int(dst[edge])), edge, top.given)[0] for edge in self._graph.followings(root)}
        return "+".join(kind for kind in _DETAILS if kind in kinds) or "no_followings"

    def _shares(self, root: int) -> tuple[Share, ...]:
        shares, exact = self._ballots.shares(root)
        found = [
            Share(self._graph.person(node), share if exact else None, float(share)) for node, share in shares.items()
        ]
        return tuple(sorted(found, key=lambda share: (-share.value, share.voter.name, share.voter.member_id)))
