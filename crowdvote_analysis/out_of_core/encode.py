"""Members and followings in Parquet → arrays of codes on disk.

Codes are dense and follow the sorted ids of each community, as in ``delegation.encode``. DuckDB sorts and joins within
its memory limit; what comes out is written as it comes.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.out_of_core.plain import (
    NOWHERE,
    STRANGER,
    coded,
    flag,
    form,
    id_text,
    refuse,
    refuse_codes,
    tag_text,
)
from crowdvote_analysis.out_of_core.sources import WAY_OUT, one_file, parquet
from crowdvote_analysis.out_of_core.tag_sets import tag_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdvote_analysis.out_of_core.database import Database
    from crowdvote_analysis.out_of_core.sources import Source
    from crowdvote_analysis.out_of_core.work import Work

SELF = -2  # a following of oneself, as followee (D8)
MEMBERS = "members.parquet"
_ROW_GROUP = 1 << 17


def encode_members(
    database: Database,
    work: Work,
    source: Source,
    communities: list[str],
    advance: Callable[[int, int], None],
    *,
    anonymous: bool,
) -> dict[str, Any]:
    """Write the members in the order of their codes: ``MEMBERS`` (code, community, member_id) and is_voter.

    Args:
        database: Where to ask; it has the table ``community`` (id, number).
        work: Where to write.
        source: The table members.
        communities: Ids of the communities, sorted.
        advance: Called with (rows done, rows in all).
        anonymous: Whether members may be anonymous; refused otherwise (P1).

    Returns:
        ``spans``: first and last code of each community, half open; ``members``: their number.
    """
    import pyarrow.parquet as pq

    text = id_text(source, "member_id", "given")
    query = (
        f"SELECT coalesce(community.number, {NOWHERE}) AS community, {text} AS member_id, {form(text)} AS form, "
        f"{flag(source, 'is_voter', True)} AS is_voter, {flag(source, 'is_anonymous', False)} AS is_anonymous "
        f"FROM {source.sql} AS given LEFT JOIN community ON {_community(source, communities)} ORDER BY 1, 2"
    )
    schema = pl.DataFrame(schema={"code": pl.Int32, "community": pl.Int32, "member_id": pl.String}).to_arrow().schema
    counts = np.zeros(len(communities), dtype=np.int64)
    wrong: Counter[tuple[str, int]] = Counter()
    hidden = twice = code = 0
    last = pl.DataFrame(schema={"community": pl.Int32, "member_id": pl.String})
    with work.filling("is_voter") as (voter,), pq.ParquetWriter(work.path(MEMBERS), schema, compression="zstd") as file:
        for frame in database.stream(query, source.bound):
            frame = frame.with_columns(pl.col("community").cast(pl.Int32))
            _note(wrong, frame, {"community": "community_id", "form": "member_id"})
            hidden += int(frame["is_anonymous"].sum())
            keys = pl.concat([last, frame.select(last.columns)])
            twice += int(keys.select(pl.all_horizontal(pl.all() == pl.all().shift(1)).sum()).item())
            last = keys.tail(1)
            counts += np.bincount(frame["community"].to_numpy().clip(0), minlength=len(counts))
            voter.write(frame["is_voter"].to_numpy().tobytes())
            codes = pl.Series("code", np.arange(code, code + len(frame), dtype=np.int32))
            table = frame.select(codes, "community", "member_id").to_arrow().cast(schema)
            file.write_table(table, row_group_size=_ROW_GROUP)
            code += len(frame)
            advance(code, source.rows)
    _refuse("members", wrong)
    if not code:
        refuse("members", "empty", "the table has no rows")
    if twice:
        refuse("members", "primary_key", "the key (community_id, member_id) appears more than once", twice)
    if hidden and not anonymous:
        refuse(
            "members",
            "is_anonymous",
            "members are anonymous, and a count from files to files writes ids as they are, which the command line "
            "never does with theirs (P1)",
            hidden,
            f"Write pseudonyms: crowdvote export FOLDER. {WAY_OUT} In Python, count_files gives ids as resolve does.",
        )
    return {"spans": _spans(counts), "members": code}


def encode_followings(
    database: Database,
    work: Work,
    source: Source | None,
    communities: list[str],
    spans: list[list[int]],
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write the followings of members, sorted: src and dst (codes within the community), set (of tags).

    ``dst`` is -1 for somebody who is no member, ``SELF`` for a following of oneself.

    Returns:
        ``tag_sets``; ``spans``: first and last following of each community, half open; ``followings``: their number.
    """
    if source is None:
        with work.filling("src", "dst", "set"):
            return {"tag_sets": [[]], "spans": [[0, 0] for _ in communities], "followings": 0}
    tag_sets, texts = tag_codes(database, source)
    database.put("tag_set", texts)
    home = np.array([first for first, _ in spans])
    ends = np.zeros(len(communities), dtype=np.int64)
    wrong: Counter[tuple[str, int]] = Counter()
    done = twice = 0
    before = (STRANGER, STRANGER)
    with work.filling("src", "dst", "set") as files:
        for frame in database.stream(_followings(work, source, communities), source.bound):
            advance(done := done + len(frame), source.rows)
            _note(wrong, frame, {"follower": "follower_id", "followee": "followee_id"})
            frame = frame.filter(pl.col("follower") >= 0)  # of whoever is no member, nothing is asked
            if frame.is_empty():
                continue
            src, dst, tag_set = (frame[name].to_numpy().astype(np.int64) for name in frame.columns)
            known = dst >= 0
            twice += int(((src[1:] == src[:-1]) & (dst[1:] == dst[:-1]) & known[1:]).sum())
            twice += bool(known[0]) and (int(src[0]), int(dst[0])) == before
            before = (int(src[-1]), int(dst[-1]))
            # Communities without members begin where the next one does; the last of those has the code.
            community = np.searchsorted(home, src, side="right") - 1
            first = home[community]
            dst = np.where(src == dst, SELF, np.where(known, dst - first, STRANGER))
            for file, numbers in zip(files, (src - first, dst, tag_set), strict=True):
                file.write(numbers.astype(np.int32).tobytes())
            ends += np.bincount(community, minlength=len(ends))
    _refuse("followings", wrong)
    if twice:
        sentence = "the key (community_id, follower_id, followee_id) appears more than once"
        refuse("followings", "primary_key", f"{sentence}; counted in memory, such rows are merged (D8)", twice)
    return {"tag_sets": tag_sets, "spans": _spans(ends), "followings": int(ends.sum())}


def _followings(work: Work, source: Source, communities: list[str]) -> str:
    """The query for follower, followee and tag_set, sorted."""
    follower, followee = id_text(source, "follower_id", "given"), id_text(source, "followee_id", "given")
    same = "" if len(communities) == 1 else "AND {}.community = community.number"
    return (
        f"SELECT {coded('one.code', follower, 'community.number IS NULL')} AS follower, "
        f"{coded('other.code', followee)} AS followee, tag_set.tag_set FROM {source.sql} AS given "
        f"LEFT JOIN community ON {_community(source, communities)} "
        f"LEFT JOIN {members_of(work)} AS one ON one.member_id = {follower} {same.format('one')} "
        f"LEFT JOIN {members_of(work)} AS other ON other.member_id = {followee} {same.format('other')} "
        f"JOIN tag_set ON tag_set.text = {tag_text(source, 'given')} ORDER BY 1, 2"
    )


def members_of(work: Work) -> str:
    """The members with their codes, in SQL."""
    path = one_file(work.path(MEMBERS)).replace("'", "''")
    return parquet(f"'{path}'")


def _community(source: Source, communities: list[str]) -> str:
    """How a row finds its community: the condition of the join with ``community``, in SQL."""
    if "community_id" in source.columns:
        return f"community.id = {id_text(source, 'community_id', 'given')}"
    if len(communities) > 1:
        sentence = "the column community_id is missing, and there are several communities"
        refuse(source.table, "community_id|missing", sentence)
    return "true"


def _spans(counts: np.ndarray[Any, Any]) -> list[list[int]]:
    """First and last of each, half open, where they lie one after the other."""
    return [[first, last] for first, last in pairwise([0, *np.cumsum(counts).tolist()])]


def _note(wrong: Counter[tuple[str, int]], frame: pl.DataFrame, columns: dict[str, str]) -> None:
    """Count the codes that say what is wrong with a row, by the column that it is about."""
    for name, column in columns.items():
        for code, rows in frame[name].filter(frame[name] < STRANGER).value_counts().iter_rows():
            wrong[column, code] += rows


def _refuse(table: str, wrong: Counter[tuple[str, int]]) -> None:
    for (column, code), rows in sorted(wrong.items()):
        refuse_codes(table, column, code, rows)
