"""What loops did to the ballots of a count or a snapshot, in plain words (Y1, Y4 to Y7)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.explanation.loops import cores_in_words, rule_for_loops
from crowdvote_analysis.pages.stages import lineage_in
from crowdvote_analysis.snapshots.calculation import as_asked, resolve_snapshot
from crowdvote_analysis.snapshots.loop_winners import loops_in_words as recorded_in_words
from crowdvote_analysis.what_if import compare_loop_rules, loop_rules_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.pages.snapshot import Looked
    from crowdvote_analysis.snapshots.inputs import Inputs
    from crowdvote_analysis.state import SystemState

_TRIED = 50  # members among whose loops the shortest is looked for
# Steps that a page spends on what the rule path would give, and members up to which it asks: half a second in all.
_STEPS, _MOST_MEMBERS = 100_000, 20_000
_NO_DIFFERENCE = "No ballot came around in these loops, so they made no difference."


def about_loops(
    state: SystemState,
    resolution: Resolution,
    decision_id: str,
    protocol: str = "starvote",
    tie_order: Sequence[str] = (),
    recorded: Mapping[str, Any] | None = None,
) -> list[str]:
    """Say what became of the loops of a decision, and whether the rule for loops matters for the winner (Y6).

    Args:
        state: What was counted.
        resolution: Its count, which holds the decision.
        decision_id: The decision.
        protocol: The tie protocol (K3).
        tie_order: The order of the community manager, if there is one (K7).
        recorded: What a final snapshot recorded of its loops, as ``snapshots.read_loops``: told instead of counting by
            other rules again.

    Returns:
        A sentence or more; none where nobody is inside a loop.
    """
    here = pl.col("decision_id") == decision_id
    inside = resolution.ballots.filter(here, "in_loop")
    if inside.is_empty():
        return []
    followings = resolution.stats.filter(here)["circular_prevented"].item()
    rule = resolution.decisions.filter(here)["cycle_rule"].item()
    cores = resolution.cores.filter(here).to_dicts()
    told = [" ".join([_inside(len(inside), followings), *(cores_in_words(cores, rule) or [_NO_DIFFERENCE])])]
    if not cores:
        return told
    titles = dict(resolution.choices.filter(here).select("choice_id", "title").iter_rows())
    if recorded:
        told += recorded_in_words(recorded, titles)
    elif len(resolution.ballots.filter(here)) <= _MOST_MEMBERS:
        compared = compare_loop_rules(
            state, decision_id, protocol, resolution=resolution, tie_order=tie_order, work_limit=_STEPS
        )
        told.append(loop_rules_in_words(compared, titles))
    return told


def loops_of_snapshot(
    state: SystemState, inputs: Inputs, recorded: Mapping[str, Any] | None
) -> tuple[list[str], Resolution | None]:
    """The same of a snapshot, whose frozen tables are resolved anew: tangles are not stored.

    Args:
        state: The frozen tables.
        inputs: What they are, and how they are counted.
        recorded: As for ``about_loops``.

    Returns:
        The sentences, and the count; no count, and only what is recorded, where that takes too much work, or there are
        too many members.
    """
    titles = dict(state.choices.select("choice_id", "title").iter_rows())
    short = recorded_in_words(recorded, titles) if recorded else []
    if len(state.members) > _MOST_MEMBERS:
        return short, None
    try:
        resolution = resolve_snapshot(state, inputs.options)
    except CyclicCoreTooLarge:  # counted when walks were measured in other steps
        return short, None
    asked, options = as_asked(state, inputs.options), inputs.options
    told = about_loops(asked, resolution, inputs.decision_id, options.protocol, options.tie_order, recorded)
    return told, resolution


def loops_in_words(looked: Looked) -> list[str]:
    """Say how many members are inside loops and what that means, with an example; nothing where nobody is."""
    inside = looked.people.filter("in_loop")
    if inside.is_empty():
        return []
    told, resolution = loops_of_snapshot(looked.state, looked.inputs, looked.loops)
    if resolution is None:
        rule = rule_for_loops(looked.row["cycle_rule"])
        return [f"{_inside(len(inside), looked.stats['circular_prevented'])} {rule[:1].upper()}{rule[1:]}.", *told]
    return [*told, *_for_example(looked, resolution)]


def _inside(members: int, followings: int) -> str:
    who = "1 member is" if members == 1 else f"{members:,} members are"
    return f"{who} inside loops, with {followings:,} {'following' if followings == 1 else 'followings'} between them."


def _for_example(looked: Looked, resolution: Resolution) -> list[str]:
    """One short loop, and what it did: a walked one where there is one."""
    for rule in ("path", "equilibrium"):
        settled = resolution.cores.filter(rule=rule)
        members = resolution.core_members.join(settled, on=["decision_id", "core"], how="semi")["member_id"]
        example = _example(looked, members)
        ring = _ring([member["name"] for member in example]) if len(example) > 1 else ""
        if ring and rule == "equilibrium":
            return [f"For example, {ring}: their ballots move each other."]
        if ring:
            first, followed = example[:2]
            taken = f"{first['name']}'s ballot takes {followed['name']}'s as it is with {first['name']} left out of it."
            return [f"For example, {ring}: {taken} {_what_it_changed(looked, first, followed)}"]
    return []


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


def _example(looked: Looked, members: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of the members in a short loop among some, through which ballots came along."""
    people = {
        row["member_id"]: row
        for row in looked.people.filter(pl.col("member_id").is_in(list(members))).iter_rows(named=True)
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
