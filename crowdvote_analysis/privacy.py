"""Anonymous members leave the system under a pseudonym only (P1).

A pseudonym is a number in an order that nobody can guess from names or ids: members are ordered by a digest that is
salted with the whole members table. Who does not hold the table cannot work it out, and who re-runs the same tables
gets the same pseudonyms, whatever the order of rows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState


# Stands for somebody who is no member here, but an anonymous member somewhere else.
ELSEWHERE = "Anonymous (not a member here)"


def public_names(state: SystemState) -> pl.DataFrame:
    """Under which id and name each member may be shown.

    Returns:
        Columns community_id, member_id, public_id (the id; ``Anonymous 7`` for an anonymous member), name (the display
        name; the same pseudonym). Sorted by community_id and member_id. Pseudonyms avoid ids and names that exist.
    """
    members = state.members.sort("community_id", "member_id")
    salt = hashlib.sha256()
    for row in members.iter_rows():
        salt.update(repr(row).encode())
    anonymous = members.filter("is_anonymous").select("community_id", "member_id")
    digests = [hashlib.sha256(salt.digest() + repr(row).encode()).hexdigest() for row in anonymous.iter_rows()]
    taken = {*members["member_id"], *members["display_name"]}
    ordered = anonymous.with_columns(digest=pl.Series(digests, dtype=pl.String)).sort("community_id", "digest")
    pseudonyms: list[str] = []
    number, last = 0, None
    for community in ordered["community_id"]:
        number = number + 1 if community == last else 1
        last = community
        while f"Anonymous {number}" in taken:
            number += 1
        pseudonyms.append(f"Anonymous {number}")
    ordered = ordered.select("community_id", "member_id", pseudonym=pl.Series(pseudonyms, dtype=pl.String))
    return members.join(ordered, on=["community_id", "member_id"], how="left", maintain_order="left").select(
        "community_id",
        "member_id",
        public_id=pl.coalesce("pseudonym", "member_id"),
        name=pl.coalesce("pseudonym", "display_name"),
    )


def public_ids(frame: pl.DataFrame, names: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Replace member ids by public ids.

    Args:
        frame: Any frame with ``community_id`` and columns of member ids.
        names: As ``public_names`` gives them.
        columns: The columns of member ids. Somebody who is no member of the community keeps the id, unless an anonymous
            member of another community has it.

    Returns:
        The frame, rows and columns in their order.
    """
    shown = names.select("community_id", "member_id", "public_id")
    hidden = names.filter(pl.col("public_id") != pl.col("member_id"))["member_id"].unique()
    for column in columns:
        frame = (
            frame.join(
                shown.rename({"member_id": column}), on=["community_id", column], how="left", maintain_order="left"
            )
            .with_columns(
                pl.coalesce(
                    "public_id",
                    pl.when(pl.col(column).is_in(hidden.implode())).then(pl.lit(ELSEWHERE)).otherwise(pl.col(column)),
                ).alias(column)
            )
            .drop("public_id")
        )
    return frame
