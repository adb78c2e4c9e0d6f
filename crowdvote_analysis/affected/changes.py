"""What changed between two states, and the codes of the state before brought up to date.

Giving codes to a million ids costs more than counting them, so the codes of before are kept wherever nothing changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation import encode as codes
from crowdvote_analysis.delegation.encode import Encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.delegation.encode import Flags, Ints
    from crowdvote_analysis.state import SystemState

_CHUNKS = 16  # pieces in which a table may lie before it is put together


@dataclass(frozen=True)
class Update:
    """A state as codes, and where everything was before.

    Attributes:
        encoded: The state after the change.
        member: Code after the change by code before; -1 for members who left.
        changed: Whether the member changed or joined, by code after the change.
        decisions: Code before by code after, of decisions whose ballots can be kept: same community, choices and rule.
    """

    encoded: Encoded
    member: Ints
    changed: Flags
    decisions: dict[int, int]


def update(
    before: Encoded,
    state: SystemState,
    found: Mapping[str, set[str]],
    named: set[str] | None,
    decisions: Sequence[str] | None,
    cycles: str | None,
) -> Update:
    """Encode a state, starting from the codes of the state before.

    Args:
        before: The state before the change.
        state: The state after it.
        found: The members who changed, by table.
        named: The members who were said to have changed; those found by default.
        decisions: Decisions to count; all by default.
        cycles: A cycle rule that overrides the one of the communities.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    everybody = set().union(*found.values())
    ids = pl.Series(sorted(everybody if named is None else named), dtype=pl.String).implode()
    wanted = codes.wanted_decisions(state, decisions)
    members, member = _members(before, state)
    is_changed = members["member_id"].is_in(ids)
    if found["followings"] or members is not before.members:
        followings, given, tag_sets = _followings(before, state, member, members, ids)
    else:
        followings, given, tag_sets = before.followings, before.given, before.tag_sets
    choices = codes.coded_choices(state)
    table = codes.decision_table(state, wanted, members, followings, choices, cycles)
    kept = _kept(before, table, choices)
    ballots, votes, outsiders = _cast(before, state, table, choices, members, member, ids, kept)
    encoded = Encoded(
        decisions=table,
        members=members,
        followings=followings,
        given=given,
        tag_sets=tag_sets,
        choices=choices,
        ballots=ballots,
        votes=votes,
        outsiders=outsiders,
        state=state,
    )
    return Update(encoded, member, is_changed.to_numpy(), kept)


def _members(before: Encoded, state: SystemState) -> tuple[pl.DataFrame, Ints]:
    """The members with their codes, and the code by code before."""
    old = before.state.members
    same = state.members is old or (
        len(old) == len(state.members) and not any(old[n].ne_missing(state.members[n]).any() for n in old.columns)
    )
    if same:
        return before.members, np.arange(len(before.members))
    members = codes.coded_members(state)
    keys = ["community_id", "member_id"]
    joined = before.members.select(keys).join(members.select(*keys, "code"), on=keys, how="left", maintain_order="left")
    return members, joined["code"].fill_null(-1).to_numpy()


def _followings(
    before: Encoded, state: SystemState, member: Ints, members: pl.DataFrame, ids: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame, list[list[str]]]:
    """The followings as codes: rows that name a changed member are read anew, all others are kept."""
    fresh = state.followings
    fresh = fresh.filter(fresh["follower_id"].is_in(ids) | fresh["followee_id"].is_in(ids))
    given = before.given
    touched = (given["follower_id"].is_in(ids) | given["followee_id"].is_in(ids)).to_numpy()
    kept = before.followings.filter(~pl.Series(touched[before.followings["row"].to_numpy()]))
    place = pl.Series(member)
    kept = kept.with_columns(
        follower=place.gather(kept["follower"]),
        # Nobody who was no member has joined among the rows kept, nor has anybody left.
        followee=pl.select(
            pl.when(kept["followee"] >= 0).then(place.gather(kept["followee"].clip(0))).otherwise(-1)
        ).to_series()
        if len(place)
        else kept["followee"],
    )
    tag_sets = {";".join(tags): number for number, tags in enumerate(before.tag_sets)}
    text = fresh["tags"].list.join(";")
    for new in text.unique().sort():
        tag_sets.setdefault(new, len(tag_sets))
    coded = pl.DataFrame(
        {
            "row": pl.Series(np.arange(len(given), len(given) + len(fresh)), dtype=kept["row"].dtype),
            "follower": _codes(members, fresh.select("community_id", member_id="follower_id")),
            "followee": _codes(members, fresh.select("community_id", member_id="followee_id")).fill_null(-1),
            "tag_set": text.replace_strict(tag_sets).cast(kept["tag_set"].dtype),
        }
    ).filter(pl.col("follower").is_not_null())
    coded = pl.concat([kept, coded.select(kept.columns)])
    key = coded["follower"].to_numpy() * (len(members) + 1) + coded["followee"].to_numpy()
    given = pl.concat([given, fresh])
    return (
        coded[np.argsort(key, kind="stable")],
        given.rechunk() if given.n_chunks() > _CHUNKS else given,
        [names.split(";") if names else [] for names in tag_sets],
    )


def _codes(members: pl.DataFrame, named: pl.DataFrame) -> pl.Series:
    """The codes of a few members; null for somebody who is none."""
    few = members.filter(members["member_id"].is_in(named["member_id"].unique().implode()))
    keys = ["community_id", "member_id"]
    return named.select(keys).join(few.select(*keys, "code"), on=keys, how="left", maintain_order="left")["code"]


def _kept(before: Encoded, table: pl.DataFrame, choices: pl.DataFrame) -> dict[int, int]:
    """The decisions whose ballots of before still hold."""
    keys = ["decision_id", "community_id", "cycle_rule"]
    both = table.select(*keys, new="decision").join(before.decisions.select(*keys, old="decision"), on=keys)
    pair = ["decision_id", "choice_id"]
    unlike = set(choices.join(before.choices, on=pair, how="anti")["decision_id"])
    unlike |= set(before.choices.join(choices, on=pair, how="anti")["decision_id"])
    return {
        new: old
        for decision, new, old in both.select("decision_id", "new", "old").iter_rows()
        if decision not in unlike
    }


def _cast(
    before: Encoded,
    state: SystemState,
    table: pl.DataFrame,
    choices: pl.DataFrame,
    members: pl.DataFrame,
    member: Ints,
    ids: pl.Series,
    kept: dict[int, int],
) -> tuple[pl.DataFrame, pl.DataFrame, Ints]:
    """Ballots and stars as codes: those of changed members and of new decisions are read anew."""
    new_decisions = table.filter(~pl.col("decision").is_in(list(kept)))["decision_id"]
    again = pl.col("member_id").is_in(ids) | pl.col("decision_id").is_in(new_decisions.implode())
    ballots, votes, _ = codes.cast(
        state.ballots.filter(again), state.votes.filter(again), table, choices, lambda frame: _codes(members, frame)
    )
    decision = np.full(len(before.decisions), -1, dtype=np.int64)
    decision[list(kept.values())] = list(kept)
    stays = ~before.members["member_id"].is_in(ids).to_numpy()

    def carried(frame: pl.DataFrame) -> pl.DataFrame:
        whose, where = frame["member"].to_numpy(), decision[frame["decision"].to_numpy()]
        keep = stays[whose] & (where >= 0)
        frame = frame.with_columns(decision=pl.Series(where), member=pl.Series(member[whose]))
        return frame.filter(pl.Series(keep))

    ballots = pl.concat([carried(before.ballots), ballots])
    votes = pl.concat([carried(before.votes), votes])
    number = state.ballots.group_by("decision_id").len()
    all_cast = table.select("decision_id").join(number, on="decision_id", how="left", maintain_order="left")["len"]
    known = np.bincount(ballots["decision"].to_numpy(), minlength=len(table))
    return ballots, votes, all_cast.fill_null(0).cast(pl.Int64).to_numpy() - known
