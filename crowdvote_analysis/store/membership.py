"""Communities, who belongs to them in which role, and who follows whom: one recording, one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdvote_analysis.errors import RefusedRecordError
from crowdvote_analysis.loop_rules import DEFAULT_RULE
from crowdvote_analysis.store.ids import as_recorded, require_plain_ids
from crowdvote_analysis.store.records import (
    checked,
    found,
    listed,
    record,
    require_community,
    require_member,
    require_no_pseudonym,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import polars as pl

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store


def create_community(
    store: Store, community_id: str, title: str | None = None, cycle_rule: str = DEFAULT_RULE
) -> Commit:
    """Record a community.

    Args:
        store: The store.
        community_id: Its id.
        title: Its name; the id by default.
        cycle_rule: How it counts loops: ``auto`` (Y6), ``path`` (Y1) or ``equilibrium`` (Y4).

    Raises:
        RefusedRecordError: ``community_exists``.
        InvalidTableError: A value breaks the contract of the table, or the id is not plain.
    """
    (community_id,) = as_recorded(store, community_id=community_id)
    require_plain_ids("communities", community_id=community_id)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        if found(cut, "communities", community_id=community_id) is not None:
            raise RefusedRecordError("community_exists", f"There is a community '{community_id}' already.")
        row = {"community_id": community_id, "title": title, "cycle_rule": cycle_rule}
        return {"communities": checked(cut, "communities", [row])}

    return record(store, "community", prepare)


def join(
    store: Store,
    community_id: str,
    member_id: str,
    *,
    display_name: str | None = None,
    is_voter: bool = True,
    is_manager: bool = False,
    is_anonymous: bool = False,
) -> Commit:
    """Record that somebody joins a community; who was there before has their followings and ballots back.

    Args:
        store: The store.
        community_id: The community.
        member_id: Who joins.
        display_name: The name shown to people; the id by default.
        is_voter: Tallied; a lobbyist is not (M1).
        is_manager: May settle ties and trigger recounts.
        is_anonymous: Shown under a pseudonym only (P1).

    Raises:
        RefusedRecordError: ``unknown_community``, ``already_a_member`` or ``looks_like_pseudonym``.
        InvalidTableError: A value breaks the contract of the table, or an id is not plain.
    """
    community_id, member_id = as_recorded(store, community_id=community_id, member_id=member_id)
    require_plain_ids("members", community_id=community_id, member_id=member_id)
    require_no_pseudonym(member_id=member_id, display_name=display_name)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_community(cut, community_id)
        if found(cut, "members", community_id=community_id, member_id=member_id) is not None:
            text = f"There is a member of this id in the community '{community_id}' already. Change their role instead."
            raise RefusedRecordError("already_a_member", text)
        row = {
            "community_id": community_id,
            "member_id": member_id,
            "display_name": display_name,
            "is_voter": is_voter,
            "is_manager": is_manager,
            "is_anonymous": is_anonymous,
        }
        return {"members": checked(cut, "members", [row])}

    return record(store, "join", prepare)


def leave(store: Store, community_id: str, member_id: str) -> Commit:
    """Record that a member leaves; their ballots stay and are not counted (M3), nor do their followings count (D6).

    Raises:
        RefusedRecordError: ``unknown_community`` or ``not_a_member``.
    """
    community_id, member_id = as_recorded(store, community_id=community_id, member_id=member_id)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        row = require_member(cut, community_id, member_id)
        return {"members": checked(cut, "members", [row]).with_columns(withdrawn=True)}

    return record(store, "leave", prepare)


def change_role(
    store: Store,
    community_id: str,
    member_id: str,
    *,
    is_voter: bool | None = None,
    is_manager: bool | None = None,
    is_anonymous: bool | None = None,
    display_name: str | None = None,
) -> Commit:
    """Record another role or name of a member; what is not given stays.

    Raises:
        RefusedRecordError: ``unknown_community``, ``not_a_member``, ``looks_like_pseudonym`` or ``nothing_given``.
        InvalidTableError: A value breaks the contract of the table.
    """
    community_id, member_id = as_recorded(store, community_id=community_id, member_id=member_id)
    require_no_pseudonym(display_name=display_name)
    given = {
        "is_voter": is_voter,
        "is_manager": is_manager,
        "is_anonymous": is_anonymous,
        "display_name": display_name,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise RefusedRecordError("nothing_given", f"Nothing to change was given. Give one of {', '.join(given)}.")

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        row = require_member(cut, community_id, member_id)
        return {"members": checked(cut, "members", [row | changes])}

    return record(store, "role", prepare)


def follow(
    store: Store,
    community_id: str,
    follower_id: str,
    followee_id: str,
    tags: Iterable[str] = (),
    order: int | None = None,
) -> Commit:
    """Record that a member follows another.

    Args:
        store: The store.
        community_id: The community of both.
        follower_id: Who follows.
        followee_id: Who is followed.
        tags: Followed on these tags (T2); none means ALL (T3).
        order: Place in the list of the follower; changes no number (D9). Behind all others by default.

    Raises:
        RefusedRecordError: ``follows_itself`` (D8), ``unknown_community``, ``not_a_member`` or ``already_following``.
        InvalidTableError: A value breaks the contract of the table.
    """
    community_id, follower_id, followee_id = as_recorded(
        store, community_id=community_id, follower_id=follower_id, followee_id=followee_id
    )
    if follower_id == followee_id:
        raise RefusedRecordError("follows_itself", "Nobody can follow themselves (D8).")
    wanted = listed(tags)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_member(cut, community_id, follower_id, "follower")
        require_member(cut, community_id, followee_id, "one who is to be followed")
        others = cut.rows("followings", community_id=community_id, follower_id=follower_id)
        if followee_id in others["followee_id"]:
            text = "This member follows that one already. Change the tags of the following instead."
            raise RefusedRecordError("already_following", text)
        last = others["order"].max()
        row = {
            "community_id": community_id,
            "follower_id": follower_id,
            "followee_id": followee_id,
            "tags": wanted,
            "order": order if order is not None else last + 1 if isinstance(last, int) else 0,
        }
        return {"followings": checked(cut, "followings", [row])}

    return record(store, "follow", prepare)


def unfollow(store: Store, community_id: str, follower_id: str, followee_id: str) -> Commit:
    """Record that a member follows another no longer; either of them may have left.

    Raises:
        RefusedRecordError: ``unknown_community`` or ``not_following``.
    """
    community_id, follower_id, followee_id = as_recorded(
        store, community_id=community_id, follower_id=follower_id, followee_id=followee_id
    )

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        rows = _require_following(cut, community_id, follower_id, followee_id)
        return {"followings": rows.with_columns(withdrawn=True)}

    return record(store, "unfollow", prepare)


def change_tags(store: Store, community_id: str, follower_id: str, followee_id: str, tags: Iterable[str]) -> Commit:
    """Record other tags of a following (T2); none means ALL (T3).

    Raises:
        RefusedRecordError: ``unknown_community``, ``not_a_member`` or ``not_following``.
        InvalidTableError: A tag breaks the contract of the table.
    """
    community_id, follower_id, followee_id = as_recorded(
        store, community_id=community_id, follower_id=follower_id, followee_id=followee_id
    )
    wanted = listed(tags)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_member(cut, community_id, follower_id, "follower")
        row = _require_following(cut, community_id, follower_id, followee_id).row(0, named=True)
        return {"followings": checked(cut, "followings", [row | {"tags": wanted}])}

    return record(store, "tags", prepare)


def _require_following(cut: Cut, community_id: str, follower_id: str, followee_id: str) -> pl.DataFrame:
    require_community(cut, community_id)
    rows = cut.rows("followings", community_id=community_id, follower_id=follower_id, followee_id=followee_id)
    if rows.is_empty():
        text = f"There is no such following in the community '{community_id}'."
        raise RefusedRecordError("not_following", text)
    return rows
