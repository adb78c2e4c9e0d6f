"""Which votes of yes/no decisions count, and why the others do not (C1, M1, M3)."""

from __future__ import annotations

import polars as pl

# In the order in which they are looked for; the rule stands in brackets.
NOT_A_MEMBER = "cast by somebody who is not a member (M3)"
LOBBYIST = "cast by a lobbyist (M1)"
NOT_REQUIRED = "cast by somebody who is not a required voter (C1)"
LATE = "cast after the deadline (C1)"


def with_roles(rows: pl.DataFrame, decisions: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Put beside each row who its member is in the community of its decision.

    Args:
        rows: Any frame with decision_id and member_id.
        decisions: The table decisions.
        members: The table members.

    Returns:
        The rows in their order, with community_id, closes_at and is_voter (null for somebody who is no member, M3).
    """
    where = decisions.select("decision_id", "community_id", "closes_at")
    roles = members.select("community_id", "member_id", "is_voter")
    return rows.join(where, on="decision_id", how="left", maintain_order="left").join(
        roles, on=["community_id", "member_id"], how="left", maintain_order="left"
    )


def judged(
    votes: pl.DataFrame, decisions: pl.DataFrame, members: pl.DataFrame, required_voters: pl.DataFrame
) -> pl.DataFrame:
    """Say of every vote whether it counts.

    A decision is open until its deadline; at ``closes_at`` itself it is closed, so that an outcome stated then stands.

    Args:
        votes: Rows of the table yes_no_votes.
        decisions: The table decisions.
        members: The table members.
        required_voters: The table required_voters.

    Returns:
        The rows in their order, with community_id, late (Boolean), entitled (Boolean: a member and a required voter; a
        lobbyist may be one) and not_counted (why, in words; null for a vote that counts).
    """
    key = ["decision_id", "member_id"]
    required = required_voters.select(key).unique().with_columns(required=pl.lit(value=True))
    judged = (
        with_roles(votes, decisions, members)
        .join(required, on=key, how="left", maintain_order="left")
        .with_columns(
            late=(pl.col("voted_at") >= pl.col("closes_at")).fill_null(value=False),
            entitled=pl.col("is_voter").is_not_null() & pl.col("required").is_not_null(),
        )
    )
    why = (
        pl.when(pl.col("is_voter").is_null())
        .then(pl.lit(NOT_A_MEMBER))
        .when(~pl.col("is_voter"))
        .then(pl.lit(LOBBYIST))
        .when(~pl.col("entitled"))
        .then(pl.lit(NOT_REQUIRED))
        .when("late")
        .then(pl.lit(LATE))
    )
    return judged.with_columns(not_counted=why).drop("closes_at", "is_voter", "required")


def everybody(decisions: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The required voters where no table says who they are: the voters of the community of each yes/no decision."""
    return (
        decisions.filter(pl.col("method") != "star")
        .select("decision_id", "community_id")
        .join(members.filter("is_voter").select("community_id", "member_id"), on="community_id")
        .select("decision_id", "member_id")
        .sort("decision_id", "member_id")
    )
