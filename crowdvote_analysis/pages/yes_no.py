"""The words and tables of a page about one yes/no decision, beside its charts; the notebook only lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.consensus import outcomes, standing_votes
from crowdvote_analysis.consensus.delegated import counted_ballots
from crowdvote_analysis.consensus.standing import asked_voters, in_utc, standing
from crowdvote_analysis.pages.words import Headline
from crowdvote_analysis.privacy import public_ids, public_names
from crowdvote_analysis.thresholds import DEFAULT
from crowdvote_analysis.yes_no import judged

if TYPE_CHECKING:
    from datetime import datetime

    from crowdvote_analysis.state import SystemState

_OVER = {
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Expired: nobody voted",
    "cancelled": "Cancelled",
    "draft": "A draft: voting has not begun",
}
# The order in which people are listed.
_ORDER = {"yes": 0, "no": 1, "abstain": 2, "by followings": 3, "not voted": 4}


def headline(row: dict[str, Any], by_hand: dict[str, Any] | None = None) -> Headline:
    """Say where a decision stands (C2 to C6).

    Args:
        row: Its row of ``consensus.decide``.
        by_hand: The same with ``delegated=False``, for a decision that is delegated.
    """
    reasons = [row["reason"]]
    if row["status"] != "active":
        title = _OVER[row["status"]]
    elif row["passed"]:
        title = "Passes so far"
    elif row["deadlocked"]:
        title = "Deadlocked: it cannot pass any more"
        reasons.append(row["deadlock_reason"])
    else:
        title = row["missing"] or "Does not pass so far"
    if by_hand is not None:
        reasons.append(f"By hand alone: {by_hand['reason']}")
    sentences = tuple(f"{reason}." for reason in reasons)
    if row["status"] == "approved" or title == "Passes so far":
        return Headline("success", title, sentences)
    can_still = row["status"] in ("active", "draft") and not row["deadlocked"]
    return Headline("info" if can_still else "warn", title, sentences)


def criterion(row: dict[str, Any]) -> str:
    """How a decision is decided, in a few words.

    Args:
        row: Its row of ``consensus.decide``.
    """
    words = {
        "simple_majority": "simple majority of the " + ("decisive votes" if row["decisive_only"] else "votes cast"),
        "supermajority": f"supermajority: {row['threshold'] or DEFAULT} of the required voters",
        "unanimity": "unanimity",
    }[row["method"]]
    quorum = row["required"] if row["quorum"] is None and row["method"] == "unanimity" else row["quorum"]
    met = "" if quorum is None else f", quorum {quorum:,} ({'met' if row['cast'] >= quorum else 'not met'})"
    return words + met + (", votes pass along followings" if row["delegated"] else "")


def what_if(outcome: pl.DataFrame, yes: int, no: int) -> pl.DataFrame:
    """Say what would come out if so many of those who have not voted did (C5); the others stay silent.

    Args:
        outcome: One row of ``consensus.decide``, of a decision that is not delegated.
        yes: How many more say yes, at most as many as remain.
        no: How many more say no, at most as many as remain beside them.

    Returns:
        The row, counted anew.
    """
    remaining = outcome["remaining"].item()
    yes = min(yes, remaining)
    no = min(no, remaining - yes)
    return outcomes(outcome.with_columns(pl.col("yes") + yes, pl.col("no") + no))


def in_that_case(row: dict[str, Any], then: dict[str, Any]) -> str:
    """Say what would come out in a sentence.

    Args:
        row: The decision's row of ``consensus.decide``.
        then: The same after ``what_if``.
    """
    further = " and ".join(
        f"{number:,.0f} more {vote} {'vote' if number == 1 else 'votes'}"
        for vote in ("yes", "no")
        if (number := then[vote] - row[vote])
    )
    if then["passed"]:
        verdict = "it passes"
    else:
        verdict = "it cannot pass any more" if then["deadlocked"] else "it does not pass yet"
    return f"With {further or 'no further votes'} {verdict}: {then['reason']}."


def vote_table(state: SystemState, row: dict[str, Any], at: datetime | None = None) -> pl.DataFrame:
    """List who voted what and who is missing, under public names (P1).

    Args:
        state: The tables.
        row: The decision's row of ``consensus.decide``.
        at: The instant; all votes by default.

    Returns:
        Member, Vote (yes, no, abstain, by followings, not voted), Counts as yes (0 to 1; only where votes pass along
        followings), Cast (UTC), Tags and Not counted (why; both only where there are any). By vote, then by name.
    """
    here = pl.col("decision_id") == row["decision_id"]
    asked = asked_voters(state).filter(here)
    table = asked.join(
        standing_votes(state, at).filter(here), on=["decision_id", "member_id"], how="full", coalesce=True
    )
    if row["delegated"]:
        parts = counted_ballots(state, standing(state, at), asked, [row["decision_id"]], None)
        table = table.join(parts.select("member_id", "yes"), on="member_id", how="left")
    else:
        table = table.with_columns(yes=pl.lit(None, dtype=pl.Float64))
    silent = pl.when(pl.col("yes").is_null()).then(pl.lit("not voted")).otherwise(pl.lit("by followings"))
    named = _named(state, table.with_columns(vote=pl.coalesce("vote", silent)))
    shown = named.sort(pl.col("vote").replace_strict(_ORDER), "name").select(
        pl.col("name").alias("Member"),
        pl.col("vote").alias("Vote"),
        *([pl.col("yes").cast(pl.Float64).round(2).alias("Counts as yes")] if row["delegated"] else []),
        pl.col("voted_at").dt.strftime("%Y-%m-%d %H:%M").alias("Cast (UTC)"),
        pl.col("tags").list.join(", ").alias("Tags"),
        pl.col("not_counted").alias("Not counted"),
    )
    return shown.drop(name for name in ("Tags", "Not counted") if not shown[name].fill_null("").ne("").any())


def change_table(state: SystemState, decision_id: str, at: datetime | None = None) -> pl.DataFrame:
    """List the votes that replaced another one, the latest first, under public names (C1, P1).

    Returns:
        Member, From, To, When (UTC). Votes that changed nothing are left out: those that say the same again, those cast
        after the deadline, and those of people who are not required to vote.
    """
    votes = state.yes_no_votes.filter(pl.col("decision_id") == decision_id)
    if at is not None:
        votes = votes.filter((pl.col("voted_at") <= in_utc(at)).fill_null(value=True))
    votes = judged(votes, state.decisions, state.members, state.required_voters)
    votes = votes.filter("entitled", ~pl.col("late")).drop("community_id")
    changed = votes.sort("voted_at", nulls_last=False).with_columns(before=pl.col("vote").shift().over("member_id"))
    shown = _named(state, changed.filter(pl.col("before") != pl.col("vote")))
    return shown.sort("voted_at", "name", descending=[True, False]).select(
        pl.col("name").alias("Member"),
        pl.col("before").alias("From"),
        pl.col("vote").alias("To"),
        pl.col("voted_at").dt.strftime("%Y-%m-%d %H:%M").alias("When (UTC)"),
    )


def _named(state: SystemState, votes: pl.DataFrame) -> pl.DataFrame:
    """Votes with the public name of each voter; somebody who is no member here keeps the public id."""
    names = public_names(state)
    where = state.decisions.select("decision_id", "community_id")
    shown = public_ids(votes.join(where, on="decision_id"), names, ["member_id"])
    named = shown.join(
        names.select("community_id", "name", member_id="public_id"), on=["community_id", "member_id"], how="left"
    )
    return named.with_columns(pl.coalesce("name", "member_id").alias("name"))
