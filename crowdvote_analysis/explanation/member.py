"""Why one member's ballot is what it is: their own walk, followee by followee, down to the ballots cast by hand.

Only the followings that can be reached from the member are looked at, and a ballot is worked out when it is shown or
when a shown one depends on it. The tree is shown level by level until the limits are met; the numbers it shows are
those of the whole walk all the same.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from crowdvote_analysis.delegation.blocks import blocks
from crowdvote_analysis.delegation.cores import to_int
from crowdvote_analysis.delegation.encode import encode
from crowdvote_analysis.delegation.path_rule import EVERYTHING
from crowdvote_analysis.delegation.resolution import NOT_FOLLOWING, NOTHING_MATCHES
from crowdvote_analysis.errors import UnknownMemberError
from crowdvote_analysis.explanation.graph import Graph, reachable
from crowdvote_analysis.explanation.own_balance import OwnBalance
from crowdvote_analysis.explanation.own_walk import OwnWalk
from crowdvote_analysis.explanation.tree import NO_STARS, Ballot, Followed, Lineage, Share
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.privacy import public_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crowdvote_analysis.explanation.given import Given
    from crowdvote_analysis.state import SystemState

DEEPEST = 200  # levels shown at most, so that programs can walk the tree by recursion

_DETAILS = ("no_match", "no_ballot", "circular", "not_a_member")  # the order in which reasons are joined (D7)


def lineage(
    state: SystemState,
    decision_id: str,
    member_id: str,
    *,
    cycles: str | None = None,
    depth: int | None = None,
    max_followings: int = 500,
    work_limit: int = WORK_LIMIT,
) -> Lineage:
    """The calculation tree of one member in one decision.

    Under the path rule the tree is the member's own walk (Y1): a ballot in it is what its owner gives inside this
    walk, which can differ from the owner's own ballot. Under the equilibrium rule everybody stands with their own
    ballot, and a loop ends where it closes (Y4).

    Args:
        state: The tables.
        decision_id: The decision.
        member_id: The member: id, or the public pseudonym of an anonymous member (P1).
        cycles: ``"path"`` (Y1) or ``"equilibrium"`` (Y4); the rule of the community by default.
        depth: Levels of followings to show, at most 200; 200 by default. It changes no number.
        max_followings: Followings to show at most, level by level. It changes no number.
        work_limit: Steps the path rule may take for one core of loops (Y3).

    Returns:
        The tree, with the shares of the ballots cast by hand (I3). Members stand under public ids and names.

    Raises:
        UnknownDecisionError: The decision is not in the state.
        UnknownMemberError: The member is not in the community of the decision.
        CyclicCoreTooLarge: The path rule needs more than ``work_limit`` steps for one core.
        ValueError: ``cycles`` names no rule, or a limit is negative.
    """
    if cycles not in (None, "path", "equilibrium"):
        raise ValueError(f"cycles is {cycles!r}; the rules for loops are 'path' (Y1) and 'equilibrium' (Y4)")
    if max_followings < 0 or (depth is not None and depth < 0):
        raise ValueError("depth and max_followings are numbers of levels and followings, 0 or more")
    encoded = encode(state, [decision_id], cycles)
    names = public_names(state)
    root = _find(state, names.filter(community_id=encoded.decisions["community_id"].item()), member_id, decision_id)
    block = reachable(next(blocks(encoded)), root)
    walked = block.rules[0] == "path"
    ballots = OwnWalk(block, decision_id, work_limit) if walked else OwnBalance(block)
    graph = Graph(block, encoded, names)
    levels = DEEPEST if depth is None else min(depth, DEEPEST)
    return _Tree(graph, ballots, walked=walked).finished(_grow(graph, root, levels, max_followings))


def _find(state: SystemState, here: pl.DataFrame, member_id: str, decision_id: str) -> int:
    """The node of a member; nodes follow the sorted ids, and so do the names."""
    for column in ("member_id", "public_id"):
        found = here[column].index_of(member_id)
        if found is not None:
            return found
    hidden = state.members.filter("is_anonymous").select("member_id", "display_name").rows()
    asked = "the member asked for" if any(member_id in row for row in hidden) else f"member '{member_id}'"
    present = [*sorted(here["public_id"])[:10], *(["…"] if len(here) > 10 else [])]
    raise UnknownMemberError(
        f"{asked} is not in the community of decision '{decision_id}' (members there: {', '.join(present) or 'none'}). "
        "Give an id of the table members, or the pseudonym of an anonymous member."
    )


@dataclass(eq=False)
class _Draft:
    """A place in the tree: the walk that leads there, the following it came along, and what is shown below."""

    path: tuple[int, ...]
    edge: int
    below: list[_Draft] = field(default_factory=list)
    not_shown: int = 0


def _grow(graph: Graph, root: int, levels: int, room: int) -> list[_Draft]:
    """The places that are shown, level by level, the member first."""
    drafts = [_Draft((root,), -1)]
    waiting = deque(drafts)
    while waiting:
        draft = waiting.popleft()
        edges = graph.followings(draft.path[-1])
        shown = edges[:room] if len(draft.path) <= levels else []
        draft.not_shown = len(edges) - len(shown)
        room -= len(shown)
        for edge in shown:
            followee = int(graph.block.dst[edge])
            draft.below.append(_Draft((*draft.path, followee), edge))
            if followee >= 0 and followee not in draft.path:
                waiting.append(draft.below[-1])
        drafts += draft.below
    return drafts


class _Tree:
    """Fills in outcomes and ballots."""

    def __init__(self, graph: Graph, ballots: OwnWalk | OwnBalance, *, walked: bool) -> None:
        self._graph, self._ballots, self._walked = graph, ballots, walked

    def finished(self, drafts: list[_Draft]) -> Lineage:
        """The tree from its places, the member first."""
        graph, top = self._graph, drafts[0]
        root = top.path[0]
        ballot = self._ballot(root)
        done: dict[int, Followed] = {}
        for draft in reversed(drafts[1:]):
            done[id(draft)] = self._followed(draft, tuple(done[id(below)] for below in draft.below))
        return Lineage(
            decision_id=graph.decision_id,
            cycle_rule=graph.block.rules[0],
            member=graph.person(root),
            ballot=ballot,
            reason=None if ballot else self._reason(root),
            reason_detail=None if ballot else self._detail(root),
            followings=tuple(done[id(below)] for below in top.below),
            not_shown=top.not_shown,
            shares=self._shares(root),
            titles=graph.titles,
        )

    def _followed(self, draft: _Draft, below: tuple[Followed, ...]) -> Followed:
        graph, (*before, followee) = self._graph, draft.path
        outcome, given = self._outcome(draft.path, draft.edge)
        came = graph.followed(draft.edge) & given.tags if given and outcome == "match" else 0
        closed: Sequence[int] = ()
        if outcome == "circular":
            closed = draft.path if self._walked else draft.path[-2:]
        elif followee >= 0 and followee in before:
            closed = draft.path[before.index(followee) :]
        without = given is None and outcome == "no_ballot"
        return Followed(
            followee=graph.followee(draft.edge),
            following_tags=graph.following_tags(draft.edge),
            outcome=outcome,
            inherited_tags=graph.tags(came),
            path=tuple(graph.person(node) for node in closed),
            ballot=self._shown(given) if given else None,
            reason=self._reason(followee) if without else None,
            followings=below,
            not_shown=draft.not_shown,
        )

    def _outcome(self, path: tuple[int, ...], edge: int) -> tuple[str, Given | None]:
        """What the last following of a walk gives (D6, T2, T3, Y1), and the ballot it was looked for on."""
        *before, followee = path
        if followee < 0:
            return "not_a_member", None
        if followee in before if self._walked else followee == before[-1]:
            return "circular", None
        given = self._ballots.ballot(followee, before)
        if given is None:
            return "no_ballot", None
        followed = self._graph.followed(edge)
        return "match" if followed == EVERYTHING or followed & given.tags else "no_match", given

    def _ballot(self, root: int) -> Ballot | None:
        """The member's own ballot; one cast by hand without stars is still theirs (D5)."""
        given, block = self._ballots.ballot(root), self._graph.block
        if given is None and block.manual[root]:
            return Ballot("manual", self._graph.tags(to_int(block.tags[root])), {}, 0)
        return self._shown(given) if given else None

    def _shown(self, given: Given) -> Ballot:
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

    def _detail(self, root: int) -> str:
        dst = self._graph.block.dst
        kinds = {self._outcome((root, int(dst[edge])), edge)[0] for edge in self._graph.followings(root)}
        return "+".join(kind for kind in _DETAILS if kind in kinds) or "no_followings"

    def _shares(self, root: int) -> tuple[Share, ...]:
        shares, exact = self._ballots.shares(root)
        found = [
            Share(self._graph.person(node), share if exact else None, float(share)) for node, share in shares.items()
        ]
        return tuple(sorted(found, key=lambda share: (-share.value, share.voter.name, share.voter.member_id)))
