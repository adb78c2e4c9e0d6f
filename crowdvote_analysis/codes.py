"""Members and followings as whole numbers: given once to a state, and used by every count of it.

Numbers follow the sorted ids, never the order of rows, which is why no answer can depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

_FEW = 10_000  # texts that are looked up faster than they are compared with their neighbours


@dataclass(frozen=True)
class Codes:
    """The codes of some members and of their followings.

    Attributes:
        members: community_id, member_id, is_voter and code (Int64, the position), sorted by the first two.
        given: The followings as they stand in the table.
    """

    members: pl.DataFrame
    given: pl.DataFrame

    @classmethod
    def of(cls, members: pl.DataFrame, followings: pl.DataFrame) -> Codes:
        """Give codes to the rows of two tables."""
        in_order = members.select("community_id", "member_id", "is_voter").sort("community_id", "member_id")
        return cls(in_order.with_columns(code=pl.int_range(pl.len(), dtype=pl.Int64)), followings)

    @cached_property
    def lookup(self) -> Lookup:
        """Finds the codes of members."""
        return Lookup(self.members)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """Where the members and followings of each community lie, half open.

        Columns: community_id, first, last (codes), first_following, last_following (rows of ``followings``).
        """
        spans = self.members.group_by("community_id").agg(first=pl.col("code").min(), last=pl.col("code").max() + 1)
        follower = self.followings["follower"]
        return spans.with_columns(
            first_following=follower.search_sorted(spans["first"], side="left").cast(pl.Int64),
            last_following=follower.search_sorted(spans["last"], side="left").cast(pl.Int64),
        )

    @cached_property
    def _ends(self) -> tuple[pl.Series, pl.Series]:
        return self.lookup.of(self.given, "follower_id"), self.lookup.of(self.given, "followee_id")

    @property
    def follower(self) -> pl.Series:
        """Code of the follower by row of ``given``; null for somebody who is no member."""
        return self._ends[0]

    @property
    def followee(self) -> pl.Series:
        """Code of whom they follow by row of ``given``; null for somebody who is no member."""
        return self._ends[1]

    @cached_property
    def _tags(self) -> tuple[pl.Series, list[list[str]]]:
        return _tag_sets(self.given["tags"])

    @property
    def tag_sets(self) -> list[list[str]]:
        """Distinct sets of tags that are followed on; the code is the position, and 0 is the empty set (ALL, T3)."""
        return self._tags[1]

    @cached_property
    def followings(self) -> pl.DataFrame:
        """The followings of members, sorted by follower and followee.

        Columns: row (the position in ``given``), follower, followee (codes; followee is -1 for somebody who is no
            member), tag_set.
        """
        coded = pl.DataFrame(
            {"follower": self.follower, "followee": self.followee.fill_null(-1), "tag_set": self._tags[0]}
        ).with_row_index("row")
        if coded["follower"].null_count():
            coded = coded.filter(pl.col("follower").is_not_null())
        key = coded["follower"] * (len(self.members) + 1) + coded["followee"]
        return coded if key.is_sorted() else coded[key.arg_sort()]


class Lookup:
    """Finds the code of a member; long texts are compared once, whatever the number of communities.

    Args:
        members: community_id, member_id and code, sorted.
    """

    def __init__(self, members: pl.DataFrame) -> None:
        self._communities = members["community_id"].unique().sort()
        if len(self._communities) == 1:  # members are sorted by id
            self._ids = members.select(id="member_id", number="code")
            return
        self._ids = members["member_id"].unique().sort().to_frame("id").with_row_index("number")
        self._ids = self._ids.with_columns(pl.col("number").cast(pl.Int64))
        self._by_key = self._keys(members, "member_id").to_frame("key").with_columns(code=members["code"])

    def of(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """The codes of the members named in ``community_id`` and ``column``; null for somebody who is no member."""
        keys = self._keys(frame, column)
        if len(self._communities) == 1:
            return keys
        return keys.to_frame("key").join(self._by_key, on="key", how="left", maintain_order="left")["code"]

    def _keys(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """One number for community and id; null where either is unknown."""
        number = _looked_up(frame[column], self._ids, "id")
        if len(self._communities) == 1:
            elsewhere = frame["community_id"] != self._communities[0]
            return number.set(elsewhere, None) if elsewhere.any() else number
        community = number_of(frame["community_id"], self._communities).cast(pl.Int64)
        return community * len(self._ids) + number


def number_of(texts: pl.Series, there: pl.Series) -> pl.Series:
    """The position of each text among some distinct ones; null where it is not among them."""
    return _looked_up(texts, there.to_frame("text").with_row_index("number"), "text")


def _looked_up(texts: pl.Series, numbers: pl.DataFrame, on: str) -> pl.Series:
    """The number of each text; null where it has none. Neighbours that are alike are looked up once."""
    if len(texts) > _FEW and (run := texts.rle_id())[-1] < len(texts) // 2:
        first = run.search_sorted(pl.arange(0, run[-1] + 1, eager=True))
        return _looked_up(texts.gather(first), numbers, on).gather(run)
    return texts.to_frame(on).join(numbers, on=on, how="left", maintain_order="left")["number"]


def _tag_sets(tags: pl.Series) -> tuple[pl.Series, list[list[str]]]:
    """A code by row for its set of tags, and the set each code stands for; code 0 is the empty set (T3)."""
    lengths = tags.list.len()
    code = np.zeros(len(tags), dtype=np.int32)
    tag_sets: list[list[str]] = [[]]
    # Most sets are empty or of one tag: putting texts together only for the others is several times faster. No tag
    # holds a semicolon (tables.py), so such a text stands for the set.
    one, more = lengths == 1, lengths > 1
    for rows, texts in (one, tags.filter(one).explode(empty_as_null=False)), (more, tags.filter(more).list.join(";")):
        distinct = texts.unique().sort().to_frame("text").with_row_index("code", offset=len(tag_sets))
        coded = texts.to_frame("text").join(distinct, on="text", how="left", maintain_order="left")
        code[rows.arg_true().to_numpy()] = coded["code"].to_numpy()
        tag_sets += [joined.split(";") for joined in distinct["text"]]
    return pl.Series(code), tag_sets
