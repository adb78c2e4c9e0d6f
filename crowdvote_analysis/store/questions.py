"""What people ask about yes/no decisions (C6), answered in SQL: what is open, who is missing, who is reminded.

Which votes stand and what comes out of them is worked out in ``consensus``; here that is joined with the tables of the
state. Tables meet on the ids there are; members stand under public ids and names in every answer (P1).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from crowdvote_analysis.consensus import decide, standing_votes, why_refused
from crowdvote_analysis.consensus.standing import in_utc
from crowdvote_analysis.delegation.encode import chosen
from crowdvote_analysis.errors import CyclicCoreTooLarge, UnknownMemberError
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.store.query import query

if TYPE_CHECKING:
    from datetime import datetime

    from crowdvote_analysis.state import SystemState


def open_decisions(state: SystemState, at: datetime) -> pl.DataFrame:
    """List the yes/no decisions that can be voted on (C1), by deadline, those without one last.

    Args:
        state: The tables.
        at: The instant that is asked about; a time without a zone is UTC.

    Returns:
        decision_id, community_id, title, method, opens_at, closes_at, required, cast (by hand), missing.
    """
    question = """
        SELECT decision_id, community_id, title, method, opens_at, closes_at, required, "cast", missing
        FROM decisions JOIN counted USING (decision_id)
        WHERE status = 'active' AND coalesce(closes_at > $at, true)
        ORDER BY closes_at NULLS LAST, decision_id"""
    return _ask(state, question, at=at, parameters={"at": in_utc(at)})


def missing_voters(state: SystemState, decision_id: str | None = None, at: datetime | None = None) -> pl.DataFrame:
    """List the required voters who have not voted.

    Args:
        state: The tables.
        decision_id: One decision; all yes/no decisions by default.
        at: Votes up to here; all by default.

    Returns:
        decision_id, title, member_id, name; by decision and name.

    Raises:
        UnknownDecisionError: There is no such yes/no decision.
    """
    question = """
        SELECT decision_id, title, public_id AS member_id, name FROM decisions JOIN missing USING (decision_id)
        ORDER BY decision_id, name, member_id"""
    return _ask(state, question, decision_id, at)


def vote_summary(state: SystemState, at: datetime | None = None) -> pl.DataFrame:
    """Count the votes cast by hand, decision by decision: zeros, not nulls.

    Args:
        state: The tables.
        at: Votes up to here; all by default.

    Returns:
        decision_id, title, status (as ``decide`` says, C6), required, yes, no, abstain, cast, missing; by decision. The
        status is the stored one where a delegated decision is over and its loops cannot be counted (Y3).
    """
    question = """
        SELECT decision_id, title, coalesce(outcome.status, decisions.status) AS status, required, yes, no, abstain,
            "cast", missing
        FROM decisions JOIN counted USING (decision_id) LEFT JOIN outcome USING (decision_id)
        ORDER BY decision_id"""
    return _ask(state, question, at=at, more={"outcome": _ended(state, at)})


def _ended(state: SystemState, at: datetime | None) -> pl.DataFrame:
    """decision_id and status of the decisions that are stored as active and whose deadline has passed (C6)."""
    yes_no = state.decisions.filter(pl.col("method") != "star", status="active")
    over = [] if at is None else yes_no.filter(pl.col("closes_at") <= in_utc(at))["decision_id"].to_list()
    found = [pl.DataFrame(schema={"decision_id": pl.String, "status": pl.String})]
    for decision in over:
        with suppress(CyclicCoreTooLarge):
            found.append(decide(state, [decision], at=at).select("decision_id", "status"))
    return pl.concat(found)


def eligibility(state: SystemState, member_id: str, at: datetime) -> pl.DataFrame:
    """Say where a member may vote, and where not and why (C1).

    Args:
        state: The tables.
        member_id: The member: id, or the public pseudonym of an anonymous member.
        at: The instant that is asked about.

    Returns:
        One row a yes/no decision of the communities with such a member, by deadline: decision_id, community_id, title,
        closes_at, member_id, name, may_vote, why_not (null where they may), vote and voted_at (the vote that stands).

    Raises:
        UnknownMemberError: There is no such member.
    """
    names = public_names(state)
    asked = names.filter((pl.col("member_id") == member_id) | (pl.col("public_id") == member_id))
    if asked.is_empty():
        raise UnknownMemberError(
            "the member asked for is in no community. Give an id of the table members, or the pseudonym of an "
            "anonymous member."
        )
    here = asked.join(state.decisions.filter(pl.col("method") != "star"), on="community_id")
    keys = zip(here["decision_id"], here["member_id"], strict=True)
    refused = [why_refused(state, decision_id, member, at) for decision_id, member in keys]
    checked = here.select("decision_id", "community_id", "member_id").with_columns(
        why_not=pl.Series([refusal and refusal[1] for refusal in refused], dtype=pl.String)
    )
    question = """
        SELECT decision_id, community_id, title, closes_at, public_id AS member_id, name, why_not IS NULL AS may_vote,
            why_not, vote, voted_at
        FROM checked JOIN decisions USING (decision_id, community_id) JOIN members USING (community_id, member_id)
            LEFT JOIN standing USING (decision_id, member_id)
        ORDER BY closes_at NULLS LAST, decision_id, member_id"""
    return _ask(state, question, at=at, more={"checked": checked})


def decision_with_stats(state: SystemState, decision_id: str, at: datetime | None = None) -> pl.DataFrame:
    """Give one decision with its outcome, its community and who is missing.

    Args:
        state: The tables.
        decision_id: The decision.
        at: The instant, as for ``consensus.decide``: votes up to here, deadlines that have passed.

    Returns:
        One row: community (its title), description, opens_at, missing_names (list[str]: required voters who have not
        voted by hand), and the columns of ``consensus.decide``.

    Raises:
        UnknownDecisionError: There is no such yes/no decision.
    """
    question = """
        SELECT communities.title AS community, description, opens_at, outcome.*,
            (SELECT coalesce(list(name ORDER BY name), []) FROM missing) AS missing_names
        FROM outcome JOIN decisions USING (decision_id)
            JOIN communities ON communities.community_id = decisions.community_id"""
    return _ask(state, question, decision_id, at, more={"outcome": decide(state, [decision_id], at=at)})


def reminders(state: SystemState, at: datetime, within_days: int = 3) -> pl.DataFrame:
    """Say who is to be reminded of which deadline: one row for each decision and required voter who has not voted.

    Args:
        state: The tables.
        at: The instant of the reminder. Days are days of the calendar, in UTC.
        within_days: Deadlines further ahead are left out; those that have passed are not, as long as the decision is
            stored as active.

    Returns:
        decision_id, title, member_id, name, closes_at, days (until the deadline; negative after it), due (``deadline
        passed``, ``deadline today``, ``deadline tomorrow``, ``2 days left``) and sentence; by deadline, decision, name.
    """
    question = """
        SELECT decision_id, title, public_id AS member_id, name, closes_at, days, due,
            CASE WHEN closes_at <= $at THEN name || ' has not voted on “' ELSE name || ', please vote on “' END
                || title || '”: ' || due
                || strftime(closes_at AT TIME ZONE 'UTC', ' (%-d %B %Y, %H:%M UTC).') AS sentence
        FROM due JOIN missing USING (decision_id)
        WHERE days <= $within_days
        ORDER BY closes_at, decision_id, name, member_id"""
    parameters = {"at": in_utc(at), "within_days": within_days}
    return _ask(state, _DUE + question, at=at, parameters=parameters)


# --- pieces --------------------------------------------------------------------------------------------------------

# Who has to vote: required voters who are voters of the community (M1, M3).
_REQUIRED = """
    WITH required AS (
        SELECT decision_id, member_id, public_id, name
        FROM required_voters JOIN decisions USING (decision_id) JOIN members USING (community_id, member_id)
        WHERE is_voter)"""

# Who of them has not voted.
_MISSING = """,
    missing AS (
        SELECT * FROM required
        ANTI JOIN (SELECT * FROM standing WHERE counted) USING (decision_id, member_id))"""

# How many of their votes stand, decision by decision.
_COUNTED = """,
    counted AS (
        SELECT decision_id,
            count(member_id)::BIGINT AS required,
            count(vote) FILTER (vote = 'yes')::BIGINT AS yes,
            count(vote) FILTER (vote = 'no')::BIGINT AS no,
            count(vote) FILTER (vote = 'abstain')::BIGINT AS abstain,
            count(vote)::BIGINT AS "cast",
            (count(member_id) - count(vote))::BIGINT AS missing
        FROM decisions LEFT JOIN required USING (decision_id)
            LEFT JOIN (SELECT * FROM standing WHERE counted) USING (decision_id, member_id)
        GROUP BY decision_id)"""

# How far away the deadlines of active decisions are, in days of the calendar and in words.
_DUE = """,
    due AS (
        SELECT decision_id, title, closes_at,
            date_diff('day', $at AT TIME ZONE 'UTC', closes_at AT TIME ZONE 'UTC') AS days,
            CASE WHEN closes_at <= $at THEN 'deadline passed' WHEN days = 0 THEN 'deadline today'
                WHEN days = 1 THEN 'deadline tomorrow' ELSE days || ' days left' END AS due
        FROM decisions WHERE status = 'active' AND closes_at IS NOT NULL)"""


def _ask(
    state: SystemState,
    question: str,
    decision_id: str | None = None,
    at: datetime | None = None,
    *,
    more: dict[str, pl.DataFrame] | None = None,
    parameters: dict[str, object] | None = None,
) -> pl.DataFrame:
    """Ask about the yes/no decisions of a state, or one of them, and what belongs to them; times come back in UTC."""
    otherwise = "is counted with stars, not with yes and no; crowdvote count shows it"
    decisions = chosen(state.decisions, decision_id and [decision_id], pl.col("method") != "star", otherwise)
    names = public_names(state)
    members = state.members.select("community_id", "member_id", "is_voter")
    frames = {
        "communities": state.communities,
        "decisions": decisions,
        "members": members.join(
            names.select("community_id", "member_id", "public_id", "name"), on=["community_id", "member_id"]
        ),
        "required_voters": state.required_voters.select("decision_id", "member_id"),
        "standing": standing_votes(state, at),
    }
    answer = query(frames | (more or {}), _REQUIRED + _MISSING + _COUNTED + question, parameters)
    return answer.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC"))
