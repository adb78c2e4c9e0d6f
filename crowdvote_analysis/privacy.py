"""Anonymous members leave the system under a pseudonym only (P1).

A pseudonym is a number in an order that nobody can guess from names or ids: members are ordered by a digest that is
salted with the whole members table and, in a store, with a secret that never leaves it. Who re-runs the same tables
gets the same pseudonyms, whatever the order of rows; in a store, where the digest is of tokens, also after somebody of
them was forgotten. Without a secret, as for a folder of tables, somebody who knows
all names could try out which of them give the order that was published; a store is safe from that.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState


# Stands for somebody who is no member here, but an anonymous member somewhere else.
ELSEWHERE = "Anonymous (not a member here)"


def public_names(state: SystemState) -> pl.DataFrame:
    """Under which id and name each member may be shown.

    Returns:
        Columns community_id, member_id, public_id (the id; ``Anonymous 7`` for an anonymous member), name (the display
        name; the same pseudonym) and hides (list[str], not to be shown: what the pseudonym stands for, ``folded``;
        empty for everybody else). Sorted by community_id and member_id. Pseudonyms avoid every id and name in the
        tables: somebody may have copied one from a report.
    """
    members = state.members.sort("community_id", "member_id")
    salted = members
    if state.people is not None:
        salted = members.join(state.people, on="member_id", how="left", maintain_order="left")
        salted = salted.with_columns(member_id=pl.coalesce("person", "member_id")).drop("person", "display_name")
    salt = hashlib.sha256(state.secret.encode())
    for row in salted.sort("community_id", "member_id").iter_rows():
        salt.update(repr(row).encode())
    anonymous = members.filter("is_anonymous").select("community_id", "member_id")
    told = salted.filter("is_anonymous").select("community_id", "member_id")  # in the order of ``anonymous``
    digests = [hashlib.sha256(salt.digest() + repr(row).encode()).hexdigest() for row in told.iter_rows()]
    taken = _taken(state) if len(anonymous) else set()
    ordered = anonymous.with_columns(digest=pl.Series(digests, dtype=pl.String)).sort("community_id", "digest")
    pseudonyms: list[str] = []
    number, last = 0, None
    for community in ordered["community_id"]:
        number = number + 1 if community == last else 1
        last = community
        while f"anonymous {number}" in taken:
            number += 1
        pseudonyms.append(f"Anonymous {number}")
    ordered = ordered.select("community_id", "member_id", pseudonym=pl.Series(pseudonyms, dtype=pl.String))
    known = pl.concat_list(folded(pl.col("member_id")), folded(pl.col("display_name")))
    return members.join(ordered, on=["community_id", "member_id"], how="left", maintain_order="left").select(
        "community_id",
        "member_id",
        public_id=pl.coalesce("pseudonym", "member_id"),
        name=pl.coalesce("pseudonym", "display_name"),
        hides=pl.when("is_anonymous").then(known).otherwise(pl.lit([], dtype=pl.List(pl.String))),
    )


def _taken(state: SystemState) -> set[str]:
    """Every id and name of people in the tables, ``folded``; an id that is no member's may stand in any of them."""
    columns = [
        *(state.members[name] for name in ("member_id", "display_name")),
        *(state.followings[name] for name in ("follower_id", "followee_id")),
        *(table["member_id"] for table in (state.ballots, state.votes, state.required_voters, state.yes_no_votes)),
    ]
    return {text for column in columns for text in folded(column.unique())}


def public_ids(frame: pl.DataFrame, names: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Replace member ids by public ids.

    Args:
        frame: Any frame with ``community_id`` and columns of member ids.
        names: As ``public_names`` gives them.
        columns: The columns of member ids. Somebody who is no member of the community keeps the id, unless it is
            the id or the name of an anonymous member of any community, in whatever capitals.

    Returns:
        The frame, rows and columns in their order.
    """
    shown = names.select("community_id", "member_id", "public_id")
    secrets = names["hides"].explode(empty_as_null=False).unique()
    for column in columns:
        frame = frame.join(
            shown.rename({"member_id": column}), on=["community_id", column], how="left", maintain_order="left"
        )
        strangers = frame.filter(pl.col("public_id").is_null())[column].unique()
        hidden = strangers.filter(folded(strangers).is_in(secrets.implode()))
        stranger = pl.when(pl.col(column).is_in(hidden.implode())).then(pl.lit(ELSEWHERE)).otherwise(pl.col(column))
        frame = frame.with_columns(pl.coalesce("public_id", stranger).alias(column)).drop("public_id")
    return frame
