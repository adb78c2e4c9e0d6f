"""What the loops of a snapshot did to its ballots, in plain words (Y1, Y4, Y5)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.pages.snapshot import Looked

_TRIED = 50  # members among whose loops the shortest is looked for


def loops_in_words(looked: Looked) -> list[str]:
    """Say how many members are inside loops and what that means, with an example; nothing where nobody is."""
    inside = looked.people.filter("in_loop")
    if inside.is_empty():
        return []
    followings, loop = looked.stats["circular_prevented"], _example(looked)
    who = "1 member is" if len(inside) == 1 else f"{len(inside):,} members are"
    told = f"{who} inside loops, with {followings:,} {'following' if followings == 1 else 'followings'} between them."
    if inside.filter(origin="calculated").is_empty():
        return [f"{told} No ballot came into these loops, so they made no difference."]
    if looked.row["cycle_rule"] == "equilibrium":
        told += " Ballots inside a loop are averaged until nothing changes any more (the rule “equilibrium”)."
        return [told, *([f"For example, {_ring(loop)}: their ballots move each other."] if len(loop) > 1 else [])]
    told += (
        " Nobody's ballot can be made of itself. So for each of their ballots the followings are walked anew, and one "
        "that leads back to somebody already on the way is cut: it gives nothing there (the rule “path”)."
    )
    if len(loop) < 2:
        return [told]
    first, last = loop[0], loop[-1]
    return [
        told,
        f"For example, {_ring(loop)}: {first}'s ballot takes {last}'s as it is with {first} left out of it, and that "
        f"can have other stars than {last}'s own ballot.",
    ]


def shortest_loop(follows: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest of the loops that lead back to one of the first members.

    Args:
        follows: Whom each member follows.

    Returns:
        The members of it, each following the next, the last the first; none where there is no loop.
    """
    found = [loop for first in list(follows)[:_TRIED] if (loop := _back_to(first, follows))]
    return min(found, key=len, default=[])


def _back_to(first: str, follows: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a member back to the same."""
    came_from: dict[str, str] = {}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        for followee in follows.get(here, ()):
            if followee == first:
                way = [here]
                while way[-1] != first:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if followee not in came_from:
                came_from[followee] = here
                waiting.append(followee)
    return []


def _example(looked: Looked) -> list[str]:
    """The names in a short loop through which ballots came along."""
    names = dict(looked.people.filter("in_loop", origin="calculated").select("member_id", "name").iter_rows())
    inside = pl.col("follower_id", "followee_id").is_in(list(names))
    pairs = looked.sources.filter(inside, outcome="match").select("follower_id", "followee_id").rows()
    follows: dict[str, list[str]] = {member: [] for member in names}
    for follower, followee in sorted(pairs, key=lambda pair: (names[pair[1]], pair)):
        follows[follower].append(followee)
    return [names[member] for member in shortest_loop(follows)]


def _ring(loop: Sequence[str]) -> str:
    """Who follows whom, once around: ``Ann follows Bo and Bo follows Ann``."""
    told = [f"{follower} follows {followee}" for follower, followee in zip(loop, [*loop[1:], loop[0]], strict=True)]
    return f"{', '.join(told[:-1])} and {told[-1]}"
