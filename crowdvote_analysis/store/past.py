"""The past of a store as tables that may be shown: every commit, and every row there ever was.

Whoever was anonymous at any time up to the cut stands under a pseudonym in every row, those from before too (P1).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.privacy import public_ids, public_names
from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.cut import Cut

_TABLES = ("members", "followings", "decisions", "ballots", "votes", "yes_no_votes")
PAST_TABLES = {
    "commits": "every commit: seq, time, action, and how many rows in which table",
    **{
        f"{table}_history": f"all rows of {table} ever recorded, with the commit that each came with"
        for table in _TABLES
    },
}
_MEMBER = ["community_id", "member_id"]
_RECORD = ["seq", "committed_at", "action", "withdrawn"]


def past_tables(cut: Cut, state: SystemState) -> dict[str, pl.DataFrame]:
    """The commits and all rows up to a cut, under public ids and names.

    Args:
        cut: The cut.
        state: Its state; pseudonyms of those who are anonymous in it are the same here.

    Returns:
        ``commits`` (seq, committed_at, action, tables, rows) by seq, and the others of ``PAST_TABLES``: the columns of
        their table, seq, committed_at, action and withdrawn (whether the row takes its key back), by seq and key.
    """
    names = _names(cut, state)
    commits = told_commits(cut.commits)
    frames = {"commits": commits.select("seq", "committed_at", "action", "tables", "rows")}
    # An id means the same decision for ever, so the last row says whose it is.
    where = cut.history("decisions").sort("seq").unique("decision_id", keep="last").collect()
    for table in _TABLES:
        people = list(tables.people(table))
        frame = cut.history(table).select(*tables.columns(table), *_RECORD).collect()
        own = frame.columns
        if table == "members":
            frame = frame.join(names, on=_MEMBER, how="left", maintain_order="left")
            secret = pl.col("hides").list.len() > 0
            name = pl.when(secret).then("public_id").otherwise("display_name")
            frame = frame.with_columns(display_name=name, member_id="public_id")
        elif people:
            if "community_id" not in own:
                frame = frame.join(where.select("decision_id", "community_id"), on="decision_id", how="left")
            frame = public_ids(frame, names, people)
        frames[f"{table}_history"] = frame.select(own).sort("seq", *tables.key(table))
    return frames


def told_commits(commits: pl.DataFrame) -> pl.DataFrame:
    """Commits with the tables that people know: how the store keeps ids of people is a matter of its own."""
    each = commits.select("seq", "tables", "rows").explode("tables", "rows", empty_as_null=False)
    told = each.filter(pl.col("tables").is_in(list(tables.TABLES))).group_by("seq", maintain_order=True)
    lists = told.agg("tables", "rows")
    told_of = commits.drop("tables", "rows").join(lists, on="seq", how="left", maintain_order="left")
    none = {name: pl.lit([], dtype=commits.schema[name]) for name in ("tables", "rows")}
    return told_of.with_columns(pl.col(name).fill_null(none[name]) for name in none).select(commits.columns)


def _names(cut: Cut, state: SystemState) -> pl.DataFrame:
    """As ``public_names``, for everybody who ever was a member."""
    members = cut.history("members").select(*_MEMBER, "display_name", "is_anonymous", "seq").collect()
    known = members.group_by(_MEMBER, maintain_order=True).agg(
        pl.col("is_anonymous").any(),
        pl.concat([folded(pl.col("member_id")), folded(pl.col("display_name").drop_nulls())]).unique().alias("hides"),
    )
    now = public_names(state).filter(pl.col("hides").list.len() > 0).select(*_MEMBER, "public_id")
    shown = pl.concat([now, cut.former.rename({"pseudonym": "public_id"})])
    once = known.filter("is_anonymous").join(shown, on=_MEMBER, how="anti").select(_MEMBER)
    shown = pl.concat([shown, _once(once, members, cut.location.secret)])
    return known.join(shown, on=_MEMBER, how="left").select(
        *_MEMBER,
        public_id=pl.coalesce("public_id", "member_id"),
        hides=pl.when("is_anonymous").then("hides").otherwise(pl.lit([], dtype=pl.List(pl.String))),
    )


def _once(once: pl.DataFrame, members: pl.DataFrame, secret: str) -> pl.DataFrame:
    """Pseudonyms for members who are anonymous no longer, in an order that nobody can guess from names or ids."""
    salt = hashlib.sha256((secret + repr(sorted(members.select(*_MEMBER, "seq").iter_rows()))).encode()).digest()
    digests = [hashlib.sha256(salt + repr(row).encode()).hexdigest() for row in once.iter_rows()]
    ordered = once.with_columns(digest=pl.Series(digests, dtype=pl.String)).sort("digest").drop("digest")
    taken = {text for name in ("member_id", "display_name") for text in folded(members[name].drop_nulls())}
    pseudonyms: list[str] = []
    number = 0
    for _ in range(len(ordered)):
        number += 1
        while f"once anonymous member {number}" in taken:
            number += 1
        pseudonyms.append(f"Once anonymous member {number}")
    return ordered.with_columns(public_id=pl.Series(pseudonyms, dtype=pl.String))
