"""Decisions: created as drafts, published, closed; one recording, one commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import RefusedRecordError
from crowdvote_analysis.store.closing import BY_CLOCK, BY_HAND, ends
from crowdvote_analysis.store.ids import as_recorded, require_plain_ids
from crowdvote_analysis.store.records import checked, found, record, require_community, require_decision
from crowdvote_analysis.text import plain
from crowdvote_analysis.yes_no import everybody

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import polars as pl

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store


def create_decision(
    store: Store,
    community_id: str,
    decision_id: str,
    *,
    choices: Iterable[str] | Mapping[str, str | None] = (),
    title: str | None = None,
    description: str = "",
    method: str = "star",
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    threshold: str | None = None,
    quorum: int | None = None,
    decisive_only: bool = False,
    delegated: bool = False,
    required_voters: Iterable[str] | None = None,
) -> Commit:
    """Record a decision as a draft, with its choices or its required voters.

    Args:
        store: The store.
        community_id: Who decides.
        decision_id: Its id.
        choices: What can be rated, in the order of display: ids, or titles by id. A yes/no decision has none.
        title: The name shown to people; the id by default.
        description: What it is about.
        method: ``star``, ``simple_majority``, ``supermajority`` or ``unanimity``.
        opens_at: Voting starts; when it is published by default. A time without a zone is UTC, here and below.
        closes_at: Voting ends; when it is closed by default.
        threshold: Part of the required voters who must say yes, for ``supermajority`` (C3).
        quorum: Votes that must be cast (C2, C4).
        decisive_only: Whether yes is measured against yes and no alone (C2).
        delegated: Whether yes/no votes pass along followings (C7).
        required_voters: Who is asked to vote yes or no (C1); all voters of the community at this moment by default.

    Raises:
        RefusedRecordError: ``unknown_community``, ``decision_exists``, ``not_a_member`` (a required voter),
            ``no_choices`` or ``yes_no_decision`` (choices of one, or required voters of a decision with stars).
        InvalidTableError: A value breaks the contract of its table, or an id is not plain.
    """
    community_id, decision_id = as_recorded(store, community_id=community_id, decision_id=decision_id)
    decision = {
        "community_id": community_id,
        "decision_id": decision_id,
        "title": title,
        "description": description,
        "method": method,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "status": "draft",
        "threshold": threshold,
        "quorum": quorum,
        "decisive_only": decisive_only,
        "delegated": delegated,
    }
    offered = _choices(decision_id, choices)
    required = None
    if required_voters is not None:
        required = list(dict.fromkeys(as_recorded(store, member_id=voter)[0] for voter in required_voters))
    require_plain_ids("decisions", community_id=community_id, decision_id=decision_id)
    require_plain_ids("choices", choice_id=[row["choice_id"] for row in offered])
    require_plain_ids("required_voters", member_id=required or ())

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_community(cut, community_id)
        if found(cut, "decisions", decision_id=decision_id) is not None:
            raise RefusedRecordError("decision_exists", f"There is a decision '{decision_id}' already.")
        rows = checked(cut, "decisions", [decision])
        _require_fitting(method, offered, required)
        if method == "star":
            return {"decisions": rows, "choices": checked(cut, "choices", offered)}
        return {"decisions": rows, "required_voters": _required_voters(cut, rows, required)}

    return record(store, "create", prepare)


def publish_decision(store: Store, decision_id: str) -> Commit:
    """Record that a draft can be voted on: at once, or from its ``opens_at`` on.

    Raises:
        RefusedRecordError: ``unknown_decision``, ``not_a_draft`` or ``decision_closed`` (its deadline has passed).
    """
    (decision_id,) = as_recorded(store, decision_id=decision_id)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        decision = require_decision(cut, decision_id)
        if decision["status"] != "draft":
            text = (
                f"The decision '{decision_id}' is no draft (status: {decision['status']}), so it is published already."
            )
            raise RefusedRecordError("not_a_draft", text)
        if decision["closes_at"] is not None and decision["closes_at"] <= at:
            text = f"The deadline of the decision '{decision_id}' has passed. Create it anew with a later one."
            raise RefusedRecordError("decision_closed", text)
        changes = {"status": "active", "opens_at": decision["opens_at"] or at}
        return {"decisions": checked(cut, "decisions", [decision | changes])}

    return record(store, "publish", prepare)


def close_decision(store: Store, decision_id: str) -> Commit:
    """Record that voting ends: at this moment, or, where the time of the decision is over, that it has ended then.

    Its final snapshot is not taken by that: ``snapshots.take_snapshot`` does it, and ``recover`` where nobody did.

    Raises:
        RefusedRecordError: ``unknown_decision``, ``decision_draft``, ``decision_not_active``, ``decision_not_open`` or
            ``decision_closed`` (by an earlier commit).
    """
    (decision_id,) = as_recorded(store, decision_id=decision_id)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        decision = require_decision(cut, decision_id)
        require_open(decision, at)
        require_no_closing(cut, decision_id, at)
        return {"decisions": checked(cut, "decisions", [decision | {"closes_at": at}])}

    try:
        return record(store, BY_HAND, prepare)
    except RefusedRecordError as refused:
        if refused.reason != "decision_closed":
            raise
    return close_by_clock(store, decision_id)


def close_by_clock(store: Store, decision_id: str) -> Commit:
    """Record that a decision whose time is over has ended, so that nothing lands before its end any more (S10).

    Raises:
        RefusedRecordError: ``unknown_decision``, ``decision_closed`` (by an earlier commit) or ``decision_still_open``.
    """

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        decision = require_decision(cut, decision_id)
        ended = ends(cut, at, decision_id)
        if ended.is_empty():
            raise RefusedRecordError("decision_still_open", f"The decision '{decision_id}' is not over yet.")
        if not ended["clock"].item():
            raise RefusedRecordError("decision_closed", _was_closed(ended))
        return {"decisions": checked(cut, "decisions", [decision])}

    return record(store, BY_CLOCK, prepare)


def require_no_closing(cut: Cut, decision_id: str, at: datetime) -> None:
    """Refuse a decision that a commit has closed, whatever the clocks say."""
    ended = ends(cut, at, decision_id)
    if len(ended) and not ended["clock"].item():
        raise RefusedRecordError("decision_closed", _was_closed(ended))


def _was_closed(ended: pl.DataFrame) -> str:
    row = ended.row(0, named=True)
    at = row["closes_at"] or row["committed_at"]
    return f"The decision '{row['decision_id']}' was closed at {at:%Y-%m-%d %H:%M:%S} UTC."


def require_open(decision: Mapping[str, Any], at: datetime) -> None:
    """Refuse a decision that cannot be voted on at an instant: it is open from opens_at on, and closed at closes_at."""
    name, opens, closes = f"The decision '{decision['decision_id']}'", decision["opens_at"], decision["closes_at"]
    if decision["status"] == "draft":
        raise RefusedRecordError("decision_draft", f"{name} is a draft. Publish it first.")
    if decision["status"] != "active":
        raise RefusedRecordError("decision_not_active", f"{name} is no longer active (status: {decision['status']}).")
    if opens is not None and at < opens:
        raise RefusedRecordError("decision_not_open", f"{name} opens later, at {opens:%Y-%m-%d %H:%M:%S} UTC.")
    if closes is not None and at >= closes:
        raise RefusedRecordError("decision_closed", f"{name} was closed at {closes:%Y-%m-%d %H:%M:%S} UTC.")


def _choices(decision_id: str, choices: Iterable[str] | Mapping[str, str | None]) -> list[dict[str, Any]]:
    named = choices.items() if isinstance(choices, Mapping) else [(choice, None) for choice in choices]
    return [
        {"decision_id": decision_id, "choice_id": plain(choice), "title": title, "position": position}
        for position, (choice, title) in enumerate(named)
    ]


def _require_fitting(method: str, choices: list[dict[str, Any]], required: list[str] | None) -> None:
    if method == "star":
        if not choices:
            raise RefusedRecordError("no_choices", "A decision with stars needs choices to rate (K9).")
        if required is not None:
            text = "A decision with stars has no required voters; they belong to yes/no decisions (C1)."
            raise RefusedRecordError("yes_no_decision", text)
    elif choices:
        text = f"A decision by {method} is answered with yes or no and has no choices."
        raise RefusedRecordError("yes_no_decision", text)


def _required_voters(cut: Cut, decision: pl.DataFrame, required: list[str] | None) -> pl.DataFrame:
    (community_id,) = decision["community_id"]
    members = cut.rows("members", community_id=community_id)
    if required is None:
        return everybody(decision, members)
    if set(required) - set(members["member_id"]):
        text = f"A required voter is not a member of the community '{community_id}'. Let them join first."
        raise RefusedRecordError("not_a_member", text)
    (decision_id,) = decision["decision_id"]
    return checked(cut, "required_voters", [{"decision_id": decision_id, "member_id": member} for member in required])
