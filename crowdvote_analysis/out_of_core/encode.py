"""Members and followings in Parquet → arrays of codes on disk.

Codes are dense and follow the sorted ids of each community, as in ``delegation.encode``. DuckDB sorts and joins within
its memory limit; what comes out is written as it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis import tags
from crowdvote_analysis.out_of_core.plain import (
    MISSING,
    ODD,
    STRANGER,
    coded,
    flag,
    id_text,
    is_odd,
    refuse,
    refuse_codes,
    tag_text,
)
from crowdvote_analysis.out_of_core.sources import WAY_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    """Write the members in the order of their codes: code, member_id, is_voter.

    Args:
        database: Where to ask.
        work: Where to write.
        source: The table members.
        communities: Ids of the communities, sorted.
        advance: Called with (rows done, rows in all).
        anonymous: Whether members may be anonymous; refused otherwise (P1).

    Returns:
        ``spans``: first and last code of each community, half open.
    """
    import pyarrow.parquet as pq

    text = id_text(source, "member_id")
    database.put("community", pl.DataFrame({"id": communities, "number": range(len(communities))}))
    on = _community(source, communities)
    odd = f"CASE WHEN {text} IS NULL OR {text} = '' THEN {MISSING} WHEN {is_odd(text)} THEN {ODD} ELSE 0 END"
    query = (
        f"SELECT coalesce(community.number, -1) AS community, {text} AS member_id, {odd} AS odd, "
        f"{flag(source, 'is_voter', True)} AS is_voter, {flag(source, 'is_anonymous', False)} AS is_anonymous "
        f"FROM {source.sql} AS given LEFT JOIN community ON {on} ORDER BY 1, 2"
    )
    spans = np.zeros((len(communities), 2), dtype=np.int64)
    counts = np.zeros(len(communities), dtype=np.int64)
    code, last, hidden, twice = 0, None, 0, 0
    wrong = {MISSING: 0, ODD: 0}
    lost = 0
    voter = work.append(["is_voter"])["is_voter"]
    writer = None
    with voter:
        for frame in database.stream(query, source.bound):
            lost += int((frame["community"] < 0).sum())
            for kind in wrong:
                wrong[kind] += int((frame["odd"] == kind).sum())
            hidden += int(frame["is_anonymous"].sum())
            keys = frame.select("community", "member_id")
            keys = keys if last is None else pl.concat([last, keys])
            twice += int((keys == keys.shift(1)).select(pl.all_horizontal(pl.all())).to_series().sum())
            last = keys.tail(1)
            counts += np.bincount(frame["community"].to_numpy().clip(0), minlength=len(counts))
            table = frame.select(pl.int_range(code, code + len(frame), dtype=pl.Int32).alias("code"), "community", "member_id")
            voter.write(frame["is_voter"].cast(pl.UInt8).to_numpy().tobytes())
            arrow = table.with_columns(pl.col("community").cast(pl.Int32)).to_arrow()
            writer = writer or pq.ParquetWriter(work.path(MEMBERS), arrow.schema, compression="zstd")
            writer.write_table(arrow, row_group_size=_ROW_GROUP)
            code += len(frame)
            advance(code, source.rows)
    if writer is None:
        refuse("members", "empty", "the table has no rows")
    writer.close()
    if lost:
        refuse("members", "unknown_community_id", "the community is missing, or not in the table communities", lost)
    for kind, number in wrong.items():
        if number:
            refuse_codes("members", "member_id", kind, number)
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
    spans[:, 1] = np.cumsum(counts)
    spans[1:, 0] = spans[:-1, 1]
    return {"spans": spans.tolist(), "members": code}


def _community(source: Source, communities: list[str]) -> str:
    """How a row finds its community: the condition of the join with ``community``, in SQL."""
    if "community_id" in source.columns:
        return f"community.id = {id_text(source, 'community_id', 'given')}"
    if len(communities) > 1:
        refuse(source.table, "community_id|missing", "the column community_id is missing, and there are several communities")
    return "true"


def tag_codes(database: Database, source: Source) -> tuple[list[list[str]], pl.DataFrame]:
    """The distinct sets of tags of a table in one form (T5), and which text of a row stands for which.

    Returns:
        The sets, the empty one first; and text, tag_set.
    """
    text = tag_text(source)
    if text == "''":
        return [[]], pl.DataFrame({"text": [""], "tag_set": [0]})
    # Parts of a text against entries of the lists: a null entry, or one that holds the separator, is one too few or many.
    found = database.rows(
        f"SELECT {text} AS text, count(*), coalesce(sum(len(tags)), 0) FROM {source.sql} GROUP BY text ORDER BY text",
        source.bound,
    )
    texts = [row[0] for row in found]
    given = [[] if each == "" else each.split("\x1f") for each in texts]
    mistaken = sum(
        abs(number * len(parts) - int(entries)) for (_, number, entries), parts in zip(found, given, strict=True)
    )
    if mistaken:
        refuse(source.table, "tags", "tags hold an empty entry, or one with a control character", mistaken)
    if any(mark in entry for parts in given for entry in parts for mark in ";\n\r"):
        refuse(source.table, "plain_tags", "a tag holds a semicolon or a line break, which separate tags in CSV files")
    formed = tags.in_one_form(pl.Series(given, dtype=pl.List(pl.String)), following=source.table == "followings").tags
    sets = [tuple(each) for each in formed.to_list()]
    distinct = [(), *sorted({each for each in sets if each})]
    number = {each: place for place, each in enumerate(distinct)}
    return [list(each) for each in distinct], pl.DataFrame(
        {"text": texts, "tag_set": [number[each] for each in sets]}, schema={"text": pl.String, "tag_set": pl.Int32}
    )


def encode_followings(
    database: Database,
    work: Work,
    source: Source | None,
    communities: list[str],
    spans: list[list[int]],
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write the followings of members, sorted: src, dst (codes within the community) and set.

    ``dst`` is -1 for somebody who is no member, ``SELF`` for a following of oneself.

    Returns:
        ``tag_sets``; ``spans``: first and last following of each community, half open; ``followings``: their number.
    """
    files = work.append(["src", "dst", "set"])
    if source is None:
        for file in files.values():
            file.close()
        return {"tag_sets": [[]], "spans": [[0, 0] for _ in communities], "followings": 0}
    tag_sets, texts = tag_codes(database, source)
    database.put("tag_set", texts)
    follower, followee = id_text(source, "follower_id", "given"), id_text(source, "followee_id", "given")
    on = _community(source, communities)
    members = f"read_parquet('{quoted(work.path(MEMBERS))}')"
    same = "" if len(communities) == 1 else "AND {}.community = community.number"
    query = (
        f"SELECT {coded('one.code', follower, 'community.number IS NULL')} AS follower, "
        f"{coded('other.code', followee)} AS followee, tag_set.tag_set "
        f"FROM {source.sql} AS given LEFT JOIN community ON {on} "
        f"LEFT JOIN {members} AS one ON one.member_id = {follower} {same.format('one')} "
        f"LEFT JOIN {members} AS other ON other.member_id = {followee} {same.format('other')} "
        f"JOIN tag_set ON tag_set.text = {tag_text(source, 'given')} ORDER BY 1, 2"
    )
    first_codes = np.array([first for first, _ in spans])
    ends = np.zeros(len(communities), dtype=np.int64)
    wrong: dict[tuple[str, int], int] = {}
    done = kept = twice = 0
    before = (-1, -1)
    try:
        for frame in database.stream(query, source.bound):
            src, dst, tag_set = (frame[name].to_numpy().astype(np.int64) for name in frame.columns)
            for column, codes in (("follower_id", src), ("followee_id", dst)):
                for code, number in zip(*np.unique(codes[codes < STRANGER], return_counts=True), strict=True):
                    wrong[column, int(code)] = wrong.get((column, int(code)), 0) + int(number)
            here = src >= 0
            src, dst, tag_set = src[here], dst[here], tag_set[here]
            done += len(frame)
            advance(done, source.rows)
            if not len(src):
                continue
            known = dst >= 0
            repeated = (src[1:] == src[:-1]) & (dst[1:] == dst[:-1]) & known[1:]
            twice += int(repeated.sum()) + int((src[0], dst[0]) == before and known[0])
            before = (int(src[-1]), int(dst[-1]))
            home = np.searchsorted(first_codes, src, side="right") - 1
            # Of communities without members several begin at one code; the last of them has it.
            own = src == dst
            shift = first_codes[home]
            dst = np.where(own, SELF, np.where(known, dst - shift, STRANGER))
            files["src"].write((src - shift).astype(np.int32).tobytes())
            files["dst"].write(dst.astype(np.int32).tobytes())
            files["set"].write(tag_set.astype(np.int32).tobytes())
            ends += np.bincount(home, minlength=len(ends))
            kept += len(src)
    finally:
        for file in files.values():
            file.close()
    for (column, code), number in sorted(wrong.items()):
        refuse_codes("followings", column, code, number)
    if twice:
        refuse(
            "followings",
            "primary_key",
            "the key (community_id, follower_id, followee_id) appears more than once; counted in memory, such rows are "
            "merged (D8)",
            twice,
        )
    bounds = np.concatenate([[0], np.cumsum(ends)])
    return {"tag_sets": tag_sets, "spans": [[int(a), int(b)] for a, b in zip(bounds[:-1], bounds[1:], strict=True)], "followings": kept}


def quoted(path: object) -> str:
    return str(path).replace("'", "''")


def bits_of(tag_sets: list[list[str]], vocabulary: Mapping[str, int], words: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Sets of tags as bits, one row a set; tags that are not in the vocabulary have none."""
    bits = np.zeros((len(tag_sets), words), dtype=np.uint64)
    for number, names in enumerate(tag_sets):
        for name in names:
            if name in vocabulary:
                bits[number, vocabulary[name] // 64] |= np.uint64(1) << np.uint64(vocabulary[name] % 64)
    return bits
