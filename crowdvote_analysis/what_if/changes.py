"""Changes to try out, and the state after them. Nothing is recorded anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from crowdvote_analysis.checking import admit, check
from crowdvote_analysis.errors import InvalidTableError, Problem, UnknownDecisionError, UnknownMemberError
from crowdvote_analysis.faults import describe
from crowdvote_analysis.tables import UTC
from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from crowdvote_analysis.state import SystemState

Stars: TypeAlias = str | int | Decimal


@dataclass(frozen=True)
class CastBallot:
    """A member casts a ballot, or another one than theirs: the stars by choice, all of them, and its tags (D1, T1)."""

    member_id: str
    stars: Mapping[str, Stars]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class WithdrawBallot:
    """A member had not voted; they may inherit a ballot instead (D2)."""

    member_id: str


@dataclass(frozen=True)
class TagBallot:
    """A ballot that was cast has other tags (T1)."""

    member_id: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Follow:
    """A member follows another one on some tags, on ALL without any (T2, T3); also in place of what they did."""

    follower_id: str
    followee_id: str
    tags: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Unfollow:
    """A member does not follow another one."""

    follower_id: str
    followee_id: str


Change: TypeAlias = CastBallot | WithdrawBallot | TagBallot | Follow | Unfollow


def changed_state(state: SystemState, decision_id: str, changes: Iterable[Change]) -> SystemState:
    """Give the tables as they would be after some changes, one after the other.

    >>> import polars as pl, crowdvote_analysis as cv
    >>> votes = pl.DataFrame({"member_id": ["Ann"], "choice_id": ["Pond"], "stars": [5]})
    >>> follows = pl.DataFrame({"follower_id": ["Ben"], "followee_id": ["Ann"]})
    >>> state = cv.SystemState(votes=votes, followings=follows)
    >>> changed = changed_state(state, state.decisions["decision_id"].item(), [Unfollow("Ben", "Ann")])
    >>> len(state.followings), len(changed.followings)
    (1, 0)

    Args:
        state: The tables.
        decision_id: The decision whose ballots change; followings hold for all decisions of its community.
        changes: What is different.

    Returns:
        Another state; the one given stays as it is.

    Raises:
        UnknownDecisionError: The decision is not in the state, or is voted on with yes and no.
        UnknownMemberError: Somebody is not a member of its community, has no ballot to withdraw or to tag, or does not
            follow the one they are to unfollow.
        InvalidTableError: Stars, choices or tags break the contract of their table, or somebody would follow themselves
            (D8).
    """
    row = state.decisions.filter(decision_id=decision_id, method="star")
    if row.is_empty():
        raise UnknownDecisionError(f"decision '{decision_id}' is not among those that are counted with stars.")
    community = row["community_id"].item()
    for change in changes:
        _require_members(state, community, change)
        match change:
            case CastBallot(member, stars, tags):
                state = _cast(_withdrawn(state, decision_id, member), decision_id, member, stars, tags)
            case WithdrawBallot(member):
                _require(_has_ballot(state, decision_id, member), "has no ballot to withdraw")
                state = _withdrawn(state, decision_id, member)
            case TagBallot(member, tags):
                _require(_has_ballot(state, decision_id, member), "has no ballot to tag")
                here = _of(decision_id=decision_id, member_id=member)
                at = state.ballots.filter(here)["cast_at"].item()
                ballot = _rows(state, "ballots", [_ballot(decision_id, member, tags, at)])
                state = state._with(ballots=pl.concat([state.ballots.filter(~here), ballot]))
            case Follow(follower, followee, tags):
                state = _unfollowed(state, community, follower, followee)
                pair = {"community_id": community, "follower_id": follower, "followee_id": followee}
                following = _rows(state, "followings", [pair | {"tags": list(tags)}])
                state = state._with(followings=pl.concat([state.followings, following]))
            case Unfollow(follower, followee):
                fewer = _unfollowed(state, community, follower, followee)
                _require(len(fewer.followings) < len(state.followings), "does not follow the one to be unfollowed")
                state = fewer
    return state


def members_of(changes: Iterable[Change]) -> set[str]:
    """The members whose ballot or followings some changes touch."""
    return {change.follower_id if isinstance(change, Follow | Unfollow) else change.member_id for change in changes}


def _cast(
    state: SystemState, decision_id: str, member: str, stars: Mapping[str, Stars], tags: Iterable[str]
) -> SystemState:
    for given in stars.values():
        if isinstance(given, float):
            raise TypeError("stars are exact (D10): give them as text, int or Decimal, not as float")
    own = {"decision_id": decision_id, "member_id": member}
    choices = set(state.choices.filter(decision_id=decision_id)["choice_id"])
    unknown = sorted(set(stars) - choices)
    if unknown:
        there = f"Its choices: {', '.join(sorted(choices))}."
        raise _refused("votes", "unknown_choice_id", f"the decision has no choice '{unknown[0]}'", there)
    votes = [own | {"choice_id": choice, "stars": str(given)} for choice, given in stars.items()]
    decision = state.decisions.filter(decision_id=decision_id)
    in_time = decision.select(pl.coalesce("opens_at", "closes_at")).item()  # it would have been cast within it (D12)
    ballots = pl.concat([state.ballots, _rows(state, "ballots", [_ballot(decision_id, member, tags, in_time)])])
    if not votes:
        return state._with(ballots=ballots)
    return state._with(ballots=ballots, votes=pl.concat([state.votes, _rows(state, "votes", votes)]))


def _ballot(decision_id: str, member: str, tags: Iterable[str], at: datetime | None) -> dict[str, Any]:
    return {"decision_id": decision_id, "member_id": member, "tags": list(tags), "cast_at": at}


def _rows(state: SystemState, table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the types of a table, checked by its contract."""
    kinds = {"tags": pl.List(pl.String), "cast_at": UTC}
    frame = pl.DataFrame(rows, schema_overrides={name: kind for name, kind in kinds.items() if name in rows[0]})
    checked = check(table, admit(table, frame), known_ids=True)
    if checked.bad:
        hidden = state.members.filter("is_anonymous")
        secrets = {text for name in ("member_id", "display_name") for text in folded(hidden[name])}
        raise InvalidTableError([describe(checked, bad, secrets) for bad in checked.bad], "Change something else.")
    return checked.good.drop("row")


def _withdrawn(state: SystemState, decision_id: str, member: str) -> SystemState:
    other = ~_of(decision_id=decision_id, member_id=member)
    return state._with(ballots=state.ballots.filter(other), votes=state.votes.filter(other))


def _unfollowed(state: SystemState, community: str, follower: str, followee: str) -> SystemState:
    pair = _of(community_id=community, follower_id=follower, followee_id=followee)
    return state._with(followings=state.followings.filter(~pair))


def _has_ballot(state: SystemState, decision_id: str, member: str) -> bool:
    return not state.ballots.filter(_of(decision_id=decision_id, member_id=member)).is_empty()


def _of(**values: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == value for name, value in values.items())


def _require_members(state: SystemState, community: str, change: Change) -> None:
    here = state.members.filter(community_id=community)["member_id"]
    named = [getattr(change, name) for name in ("member_id", "follower_id", "followee_id") if hasattr(change, name)]
    _require(all(member in here for member in named), "is not a member of the community of the decision")
    if isinstance(change, Follow) and change.follower_id == change.followee_id:
        raise _refused("followings", "self", "a member cannot follow themselves (D8)", "Follow somebody else.")


def _require(fine: bool, sentence: str) -> None:
    # Whoever it is stays unnamed: it may be an anonymous member (P1).
    if not fine:
        raise UnknownMemberError(f"a member to be changed {sentence}.")


def _refused(table: str, rule: str, sentence: str, way_out: str) -> InvalidTableError:
    return InvalidTableError([Problem(table, rule, sentence, 1, ())], way_out)
