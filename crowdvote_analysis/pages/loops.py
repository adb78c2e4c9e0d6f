"""What the loops of a snapshot did to its ballots, in plain words (Y1, Y4, Y5)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.pages.stages import lineage_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.pages.snapshot import Looked

_TRIED = 50  # members among whose loops the shortest is looked for


def loops_in_words(looked: Looked) -> list[str]:
    """Say how many members are inside loops and what that means, with an example; nothing where nobody is."""
    inside = looked.people.filter("in_loop")
    if inside.is_empty():
        return []
    followings, example = looked.stats["circular_prevented"], _example(looked)
    loop = [member["name"] for member in example]
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
    first, followed = loop[0], loop[1]
    return [
        told,
        f"For example, {_ring(loop)}: {first}'s ballot takes {followed}'s as it is with {first} left out of it. "
        + _what_it_changed(looked, *example[:2]),
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


def _what_it_changed(looked: Looked, first: Mapping[str, Any], followed: Mapping[str, Any]) -> str:
    """Hold the ballot that somebody gives inside a loop against their own, by the choice that differs most."""
    try:
        found = lineage_in(looked, first["public_id"]).followings
    except CyclicCoreTooLarge:
        found = ()
    met = next((step.ballot for step in found if step.followee.member_id == followed["public_id"]), None)
    name, own = followed["name"], followed["stars"]
    if met is None or not met.stars:
        return f"That can have other stars than {name}'s own ballot."
    both = [
        (title, float(met.stars[choice]), own[title]) for choice, title in looked.titles.items() if choice in met.stars
    ]
    title, there, alone = max(both, key=lambda row: abs(row[1] - (row[2] or 0.0)))
    if there == alone:
        return f"Here that has the same stars as {name}'s own ballot."
    taken = f"There it gives {title} {_plain(there)} stars; {name}'s own ballot gives {_plain(alone or 0.0)}."
    follows_nobody_else = sum(step.outcome == "match" for step in found) == 1
    makes = "That is" if follows_nobody_else else f"Averaged with the others whom {first['name']} follows, that makes"
    return f"{taken} {makes} {_plain(first['stars'][title] or 0.0)} in {first['name']}'s ballot."


def _plain(stars: float) -> str:
    return f"{stars:.2f}".rstrip("0").rstrip(".")


def _example(looked: Looked) -> list[dict[str, Any]]:
    """The rows of the members in a short loop through which ballots came along."""
    people = {
        row["member_id"]: row for row in looked.people.filter("in_loop", origin="calculated").iter_rows(named=True)
    }
    names = {member: row["name"] for member, row in people.items()}
    inside = pl.col("follower_id", "followee_id").is_in(list(names))
    pairs = looked.sources.filter(inside, outcome="match").select("follower_id", "followee_id").rows()
    follows: dict[str, list[str]] = {member: [] for member in names}
    for follower, followee in sorted(pairs, key=lambda pair: (names[pair[1]], pair)):
        follows[follower].append(followee)
    return [people[member] for member in shortest_loop(follows)]


def _ring(loop: Sequence[str]) -> str:
    """Who follows whom, once around: ``Ann follows Bo and Bo follows Ann``."""
    told = [f"{follower} follows {followee}" for follower, followee in zip(loop, [*loop[1:], loop[0]], strict=True)]
    return f"{', '.join(told[:-1])} and {told[-1]}"
