"""Ballots with stars and yes/no votes: cast, changed, withdrawn; one recording, one commit."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from crowdvote_analysis import tables
from crowdvote_analysis.consensus.voting import new_vote
from crowdvote_analysis.errors import InvalidTableError, Problem, RefusedRecordError, RefusedVoteError
from crowdvote_analysis.state import SystemState
from crowdvote_analysis.store.decisions import require_no_closing, require_open
from crowdvote_analysis.store.ids import as_recorded
from crowdvote_analysis.store.records import checked, found, listed, record, require_decision, require_member
from crowdvote_analysis.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import polars as pl

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

Stars: TypeAlias = str | int | Decimal

# How far the clock of whoever hands a vote in may be ahead of ours.
_AHEAD = timedelta(minutes=1)


def cast_ballot(
    store: Store, decision_id: str, member_id: str, stars: Mapping[str, Stars], tags: Iterable[str] = ()
) -> Commit:
    """Record a ballot with all its stars; it takes the place of an earlier one as a whole.

    Args:
        store: The store.
        decision_id: The decision, counted with stars and open.
        member_id: Who votes.
        stars: 0 to 5 by choice, exact: text, int or Decimal, at most 8 places, never float (D10). A ballot without
            stars is one, and gives nothing to anybody (D5).
        tags: The voter's tags on the decision (T1).

    Returns:
        The commit; its time is the ``cast_at`` of the ballot.

    Raises:
        RefusedRecordError: ``unknown_decision``, ``yes_no_decision``, ``not_a_member``, ``decision_draft``,
            ``decision_not_active``, ``decision_not_open``, ``decision_closed`` or ``unknown_choice``.
        InvalidTableError: Stars or tags break the contract of their table.
    """
    decision_id, member_id = as_recorded(store, decision_id=decision_id, member_id=member_id)
    written, wanted = _exact(stars), listed(tags)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        _require_voting(cut, decision_id, member_id, at)
        return _ballot(cut, decision_id, member_id, wanted, written, at)

    return record(store, "cast", prepare)


def change_ballot(
    store: Store,
    decision_id: str,
    member_id: str,
    *,
    stars: Mapping[str, Stars] | None = None,
    tags: Iterable[str] | None = None,
) -> Commit:
    """Record other stars or other tags of a ballot that is there.

    Args:
        store: The store.
        decision_id: The decision, open.
        member_id: Whose ballot it is.
        stars: New stars by choice, as for ``cast_ballot``; choices that are not named keep theirs.
        tags: The new tags, all of them; the old ones stay where none are given.

    Raises:
        RefusedRecordError: As ``cast_ballot``, and ``no_ballot`` or ``nothing_given``.
        InvalidTableError: Stars or tags break the contract of their table.
    """
    if stars is None and tags is None:
        raise RefusedRecordError("nothing_given", "Nothing to change was given. Give stars or tags.")
    decision_id, member_id = as_recorded(store, decision_id=decision_id, member_id=member_id)
    written = _exact(stars or {})
    wanted = None if tags is None else listed(tags)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        _require_voting(cut, decision_id, member_id, at)
        ballot = _require_ballot(cut, decision_id, member_id)
        votes = cut.rows("votes", decision_id=decision_id, member_id=member_id)
        before = {choice: f"{given:f}" for choice, given in votes.select("choice_id", "stars").iter_rows()}
        now = ballot["tags"].item().to_list() if wanted is None else wanted
        return _ballot(cut, decision_id, member_id, now, before | written, at)

    return record(store, "change", prepare)


def withdraw_ballot(store: Store, decision_id: str, member_id: str) -> Commit:
    """Record that a ballot is taken back, with its stars; its owner may inherit one again (D2).

    Raises:
        RefusedRecordError: As ``cast_ballot``, and ``no_ballot``.
    """
    decision_id, member_id = as_recorded(store, decision_id=decision_id, member_id=member_id)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        _require_voting(cut, decision_id, member_id, at)
        return {"ballots": _require_ballot(cut, decision_id, member_id).with_columns(withdrawn=True)}

    return record(store, "withdraw", prepare)


def vote(
    store: Store,
    decision_id: str,
    member_id: str,
    vote: str,
    tags: Iterable[str] = (),
    voted_at: datetime | None = None,
) -> Commit:
    """Record a vote in a yes/no decision (C1); an earlier one stays as history.

    Args:
        store: The store.
        decision_id: The decision.
        member_id: Who votes.
        vote: yes, no or abstain, in any case.
        tags: The voter's tags on the decision (T1), used where votes are delegated.
        voted_at: When it was cast, for votes handed in on paper; at the instant of the commit by default. A time
            without a zone is UTC.

    Raises:
        RefusedRecordError: The reasons of ``RefusedVoteError``, and ``decision_not_open`` or ``in_the_future``.
    """
    decision_id, member_id = as_recorded(store, decision_id=decision_id, member_id=member_id)
    wanted = listed(tags)
    if voted_at is not None and voted_at.tzinfo is None:
        voted_at = voted_at.replace(tzinfo=UTC)

    def prepare(cut: Cut, at: datetime) -> Mapping[str, pl.DataFrame]:
        when = voted_at or at
        if when > at + _AHEAD:
            text = "A vote is cast now, or was cast earlier on paper; this one would be cast in the future."
            raise RefusedRecordError("in_the_future", text)
        try:
            row = new_vote(_tables_of_vote(cut, decision_id, member_id), decision_id, member_id, vote, when, wanted)
        except RefusedVoteError as refused:
            raise RefusedRecordError(refused.reason, str(refused)) from None
        require_open(require_decision(cut, decision_id), when)
        return {"yes_no_votes": row}

    return record(store, "vote", prepare)


def _require_voting(cut: Cut, decision_id: str, member_id: str, at: datetime) -> None:
    """Refuse whoever cannot do anything with a ballot of a decision at an instant."""
    decision = require_decision(cut, decision_id)
    if decision["method"] != "star":
        text = f"The decision '{decision_id}' is answered with yes or no, not with stars. Cast a vote instead."
        raise RefusedRecordError("yes_no_decision", text)
    require_member(cut, decision["community_id"], member_id, "voter")
    require_open(decision, at)
    require_no_closing(cut, decision_id, at)


def _require_ballot(cut: Cut, decision_id: str, member_id: str) -> pl.DataFrame:
    rows = cut.rows("ballots", decision_id=decision_id, member_id=member_id)
    if rows.is_empty():
        text = f"There is no ballot of this member in the decision '{decision_id}'. Cast one first."
        raise RefusedRecordError("no_ballot", text)
    return rows


def _ballot(
    cut: Cut, decision_id: str, member_id: str, tags: list[str], stars: Mapping[str, str], at: datetime
) -> dict[str, pl.DataFrame]:
    offered = cut.rows("choices", decision_id=decision_id)["choice_id"].to_list() if stars else []
    stars = {choice if choice in offered else plain(choice): given for choice, given in stars.items()}
    unknown = [choice for choice in stars if choice not in offered]
    if unknown:
        text = f"The decision '{decision_id}' has no choice '{unknown[0]}'. Its choices: {', '.join(offered)}."
        raise RefusedRecordError("unknown_choice", text)
    own = {"decision_id": decision_id, "member_id": member_id}
    return {
        "ballots": checked(cut, "ballots", [own | {"tags": tags, "cast_at": at}]),
        "votes": checked(
            cut, "votes", [own | {"choice_id": choice, "stars": given} for choice, given in stars.items()]
        ),
    }


def _exact(stars: Mapping[str, Any]) -> dict[str, str]:
    """The stars as text, which is read exactly; nothing that passed through a binary float is taken (D10)."""
    for choice, given in stars.items():
        if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
            sentence = f"stars of choice '{choice}' are a {type(given).__name__}, and stars are exact (D10)"
            way_out = "Give them as text, int or Decimal, such as '4.5'."
            raise InvalidTableError([Problem("votes", "stars|type", sentence, 0, ())], way_out)
    return {choice: str(given) for choice, given in stars.items()}


def _tables_of_vote(cut: Cut, decision_id: str, member_id: str) -> SystemState:
    """Of all tables the few rows that say whether somebody may vote."""
    decision = found(cut, "decisions", decision_id=decision_id)
    if decision is None:
        return _nothing()
    mine = {"decision_id": decision_id, "member_id": member_id}
    return _nothing()._with(
        decisions=cut.rows("decisions", decision_id=decision_id),
        members=cut.rows("members", community_id=decision["community_id"], member_id=member_id),
        required_voters=cut.rows("required_voters", **mine),
        yes_no_votes=cut.rows("yes_no_votes", **mine),
    )


@cache
def _nothing() -> SystemState:
    """Tables without rows."""
    return SystemState.frozen({name: tables.empty(name) for name in tables.TABLES})
