"""Who has to be recalculated after a change, and a count of the change that takes over what it can (E2).

A ballot depends on nothing but what its member's walk along followings can reach: the followings, tags and manual
ballots there. The walk goes on through members without a manual ballot and ends at manual voters. So a change matters
to exactly the members from whom a changed member can be reached, in loops too, under both rules: whoever reaches
nobody that changed reaches the same members, followings and ballots as before. A loop is affected as a whole, since
everybody in it reaches everybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.affected.differences import differences
from crowdvote_analysis.affected.other_stars import recounted, with_other_stars
from crowdvote_analysis.affected.walk import steps_to_followers
from crowdvote_analysis.delegation.counting import count
from crowdvote_analysis.delegation.encode import encode
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.loop_rules import check_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crowdvote_analysis.delegation.resolution import Resolution
    from crowdvote_analysis.state import SystemState


def affected_members(state: SystemState, decision_id: str, changed: Iterable[str]) -> pl.DataFrame:
    """Whose ballot in a decision has to be calculated again when some members changed (E2).

    Args:
        state: The tables after the change.
        decision_id: The decision.
        changed: Ids of the members whose ballot, ballot tags, followings or role changed, and of those who joined or
            left. Ids of nobody in the community affect nobody but those who follow them.

    Returns:
        member_id and steps (Int64: how many followings lie between the member and the nearest changed one, 0 for a
        changed member), sorted by member_id. Members with a manual ballot are not among them, changed or not: there is
        nothing to calculate.

    Raises:
        UnknownDecisionError: The decision is not in the state.
        TypeError: ``changed`` is one text instead of a list of them.
    """
    from scipy.sparse import csr_array

    ids = pl.Series(sorted(_ids(changed)), dtype=pl.String)
    encoded = encode(state, [decision_id])
    row = encoded.decisions.row(0, named=True)
    members = encoded.members.slice(row["first"], row["last"] - row["first"])
    manual = np.zeros(len(members), dtype=np.bool_)
    manual[encoded.ballots["member"].to_numpy() - row["first"]] = True
    lines = encoded.followings.slice(row["first_following"], row["last_following"] - row["first_following"])
    follower = lines["follower"].to_numpy() - row["first"]
    followee = np.where(lines["followee"].to_numpy() < 0, -1, lines["followee"].to_numpy() - row["first"])
    is_changed = members["member_id"].is_in(ids.implode()).to_numpy()
    # Who left has no code any more, but is still followed by id.
    strangers = np.flatnonzero(followee < 0)
    left = encoded.codes.given["followee_id"].gather(lines["row"].gather(strangers)).is_in(ids.implode()).to_numpy()
    behind = np.zeros(len(members), dtype=np.bool_)
    behind[follower[strangers[left]]] = True
    behind &= ~manual
    open_ = followee >= 0
    ones = np.ones(np.count_nonzero(open_), dtype=np.int8)
    followers = csr_array((ones, (followee[open_], follower[open_])), shape=(len(members), len(members)))
    steps = steps_to_followers(followers, manual, [is_changed, behind])
    found = np.flatnonzero((steps >= 0) & ~manual)
    return pl.DataFrame({"member_id": members["member_id"].gather(found), "steps": steps[found]})


def resolve_affected(
    state: SystemState,
    previous: Resolution,
    changed: Iterable[str] | None = None,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    *,
    work_limit: int = WORK_LIMIT,
    progress: Callable[[int, int], None] | None = None,
) -> Resolution:
    """Count again after a change (E2): the result is that of ``resolve(state, decisions, cycles)``.

    Where stars have changed and nothing else, only the ballots of affected members are averaged again, and frames that
    were asked for of ``previous`` are patched. Any other change is a new count over the codes of before, of which large
    loops under the rule ``equilibrium`` are taken over that nothing has changed for: to find all that a change leaves
    as it was, and to put that together with what is new, takes longer than to count.

    Args:
        state: The tables after the change.
        previous: The count of the state before the change.
        changed: Ids of the members whose ballot, ballot tags, followings or role changed, and of those who joined or
            left; more may be named. Found by comparing the two states if not given, which takes longer.
        decisions: Decisions to count; all of the state with stars by default.
        cycles: As for ``resolve``.
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3).
        progress: Called with (ballots done, ballots in all): members of the decisions asked for, decision by decision.

    Returns:
        The ballots, stars, sources and statistics of all members; see ``Resolution``.

    Raises:
        ValueError: Members changed who are not in ``changed``; ``cycles`` names no rule.
        TypeError: ``changed`` is one text instead of a list of them.
        UnknownDecisionError: A decision is not in the state, or is voted on with yes and no.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps for one decision.
    """
    check_rule(cycles)
    before, named = previous._encoded, None if changed is None else _ids(changed)
    found = differences(before.state, state, named)
    encoded = with_other_stars(before, state, found, decisions, cycles)
    if encoded is not None:
        resolution = recounted(encoded, previous, found["votes"], work_limit, progress)
        if resolution is not None:
            return resolution
    same_graph = not found["members"] and not found["followings"]
    encoded = encode(state, decisions, cycles, before.codes if same_graph else None)
    return count(encoded, work_limit, progress, previous, same_graph=same_graph)[0]


def _ids(changed: Iterable[str]) -> set[str]:
    if isinstance(changed, str):
        raise TypeError("changed is one text; give a list of member ids: changed=['ada']")
    return set(changed)
