"""Why members' ballots are what they are: their own walks, followee by followee, down to the ballots cast by hand.

For one member only the followings that can be reached from them are looked at, and a ballot is worked out when it is
shown or when a shown one depends on it. For many members the work is shared, and taken from a count where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdvote_analysis.delegation.blocks import blocks
from crowdvote_analysis.delegation.encode import encode
from crowdvote_analysis.errors import UnknownDecisionError, UnknownMemberError
from crowdvote_analysis.explanation.graph import Graph, looked_at, reachable
from crowdvote_analysis.explanation.growth import DEEPEST, Ballots, Trees
from crowdvote_analysis.explanation.own_count import OwnCount
from crowdvote_analysis.explanation.own_walk import OwnWalk
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.loop_rules import check_rule, numbered
from crowdvote_analysis.privacy import public_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.explanation.tree import Lineage
    from crowdvote_analysis.state import SystemState


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

    Where loops are walked the tree is the member's own walk (Y1): a ballot in it is what its owner gives inside this
    walk, which can differ from the owner's own ballot. In a balanced core everybody stands with their own ballot, and
    a loop ends where it closes (Y4, Y7).

    Args:
        state: The tables.
        decision_id: The decision.
        member_id: The member: id, or the public pseudonym of an anonymous member (P1).
        cycles: ``"auto"`` (Y6), ``"path"`` (Y1) or ``"equilibrium"`` (Y4); the rule of the community by default.
        depth: Levels of followings to show, at most 200; 200 by default. It changes no number.
        max_followings: Followings to show at most, level by level. It changes no number.
        work_limit: Steps the rule ``path`` may take for all loops (Y3).

    Returns:
        The tree, with the shares of the ballots cast by hand (I3). Members stand under public ids and names.

    Raises:
        UnknownDecisionError: The decision is not in the state.
        UnknownMemberError: The member is not in the community of the decision.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps.
        ValueError: ``cycles`` names no rule, or a limit is negative.
    """
    _check(cycles, depth, max_followings)
    encoded = encode(state, [decision_id], cycles)
    names = public_names(state)
    root = _find(state, names.filter(community_id=encoded.decisions["community_id"].item()), member_id, decision_id)
    block = reachable(next(blocks(encoded)), root)
    ballots = _ballots(block, decision_id, work_limit)
    levels = DEEPEST if depth is None else depth
    graph = Graph(block, encoded, names)
    return Trees(graph, ballots, levels=levels, room=max_followings, shares=True).of(root)


def lineages(
    state: SystemState,
    decision_id: str,
    members: Iterable[str] | None = None,
    *,
    resolution: Resolution | None = None,
    cycles: str | None = None,
    depth: int | None = None,
    max_followings: int = 500,
    work_limit: int = WORK_LIMIT,
    shares: bool = True,
) -> Iterator[Lineage]:
    """The calculation trees of many members, each as ``lineage`` gives it, worked out together.

    Args:
        state: The tables.
        decision_id: The decision.
        members: Ids of members, or public pseudonyms (P1); by default everybody, in the order of their public ids.
        resolution: A count of this state: ballots are taken from it, and worked out only inside walks through loops.
            Where walks through a loop take more than ``work_limit`` steps, followings in it are left out of trees, and
            counted in ``not_shown``; no number depends on that. The rule for loops is that of the count.
        cycles: The rule for loops where there is no count; as for ``lineage``.
        depth: As for ``lineage``, for each tree.
        max_followings: As for ``lineage``, for each tree.
        work_limit: Steps the rule ``path`` may take for all loops, all members together (Y3).
        shares: Whether to trace ballots back (I3); without it ``shares`` of the trees is empty.

    Returns:
        The trees, one after the other, in the order of ``members``; each is made when it is asked for.

    Raises:
        UnknownDecisionError: The decision is not in the state, or not in the resolution.
        UnknownMemberError: A member is not in the community of the decision.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps, and there is no resolution or shares
            are asked for.
        ValueError: ``cycles`` names no rule or not that of the resolution, a limit is negative, or the resolution is of
            other members.
    """
    _check(cycles, depth, max_followings)
    if isinstance(members, str):
        raise TypeError(f"members is one text; give a list of member ids: members=[{members!r}]")
    cycles = cycles if resolution is None else _rule(resolution, decision_id, cycles)
    encoded = encode(state, [decision_id], cycles)
    names = public_names(state)
    here = names.filter(community_id=encoded.decisions["community_id"].item())
    roots = here["public_id"].arg_sort().to_list() if members is None else _all(state, here, members, decision_id)
    block = looked_at(next(blocks(encoded)))
    ballots = _ballots(block, decision_id, work_limit, resolution)
    levels = DEEPEST if depth is None else depth
    trees = Trees(Graph(block, encoded, names), ballots, levels=levels, room=max_followings, shares=shares)
    return map(trees.of, roots)


def _ballots(block: Block, decision_id: str, work_limit: int, resolution: Resolution | None = None) -> Ballots:
    """Where ballots come from: by the rule ``path`` a walk alone knows what can be had within the limit."""
    if resolution is None and block.rules[0] == "path":
        return OwnWalk(block, decision_id, work_limit)
    return OwnCount(block, decision_id, work_limit, resolution)


def _check(cycles: str | None, depth: int | None, max_followings: int) -> None:
    check_rule(cycles)
    if max_followings < 0 or (depth is not None and depth < 0):
        raise ValueError("depth and max_followings are numbers of levels and followings, 0 or more")


def _rule(resolution: Resolution, decision_id: str, cycles: str | None) -> str:
    """The rule a decision was counted by."""
    counted = resolution.decisions.filter(decision_id=decision_id)["cycle_rule"]
    if not len(counted):
        raise UnknownDecisionError(f"decision '{decision_id}' is not among those that were counted.")
    rule: str = counted.item()
    if cycles is not None and numbered(cycles) != rule:
        raise ValueError(f"cycles is {cycles!r}, but decision '{decision_id}' was counted by the rule {rule!r}")
    return rule


def _all(state: SystemState, here: pl.DataFrame, members: Iterable[str], decision_id: str) -> list[int]:
    """The nodes of some members."""
    node: dict[str, int] = {}
    for column in ("public_id", "member_id"):
        node |= {name: number for number, name in enumerate(here[column])}
    return [node[name] if name in node else _find(state, here, name, decision_id) for name in members]


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
