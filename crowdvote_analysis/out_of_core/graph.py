"""One decision as a graph on disk, handed chunk by chunk to the functions of ``delegation``.

The arrays of a ``Block`` and a ``Calculation`` that go by node are memory-mapped whole; those that go by following are
made for the followings of a chunk. So a chunk is averaged by the very code that averages everything at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE, not_empty, set_bits, words_for
from crowdvote_analysis.delegation.averages import Calculation
from crowdvote_analysis.delegation.blocks import Block, bits_of
from crowdvote_analysis.out_of_core.encode import SELF
from crowdvote_analysis.out_of_core.rows import Rows, bounds_of, ranges, row_chunks, turned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.work import Work

    Array = NDArray[Any]


@dataclass(frozen=True)
class Community:
    """The followings of one community, both ways.

    Attributes:
        first, last: Codes of its members, half open; nodes are counted from the first.
        rows: Whom each member follows; -1 for strangers, -2 for themself.
        src: The follower of each entry of ``rows``.
        tag_set: The set of tags of each entry.
        followers: ``rows`` backwards.
    """

    first: int
    last: int
    rows: Rows
    src: Array
    tag_set: Array
    followers: Rows

    @property
    def size(self) -> int:
        """Number of members."""
        return self.last - self.first


def community(work: Work, number: int, members: list[int], span: list[int], followings: int, size: int) -> Community:
    """Open the followings of one community; its rows and their reverse are made where another's lie, or none.

    Args:
        work: Where the arrays lie.
        number: Number of the community.
        members: First and last code of its members, half open.
        span: First and last of its followings, half open.
        followings: Number of followings of all communities.
        size: Entries of a chunk.
    """
    first, last = members
    whole = {name: work.open(name, followings, np.int32)[span[0] : span[1]] for name in ("src", "dst", "set")}
    count = last - first
    names = ["rows.bounds", "followers.bounds", "followers.columns"]
    known = work.finished("rows")
    if known is None or known["community"] != number:
        work.forget("rows")
        work.drop(names)
        bounds = bounds_of(work, names[0], whole["src"], count, size)
        rows = Rows(bounds, whole["dst"])
        followers = turned(work, "followers", rows, size)
        work.finish("rows", community=number, followers=len(followers.columns))
    else:
        rows = Rows(work.open(names[0], count + 1, np.int64), whole["dst"])
        followers = Rows(work.open(names[1], count + 1, np.int64), work.open(names[2], known["followers"], np.int32))
    return Community(first, last, rows, whole["src"], whole["set"], followers)


class _Followers:
    """The follower of each following, for whoever looks up where those of a member begin.

    Searching through the file itself would turn all of its numbers of 32 bits into some of 64, time and again.
    """

    def __init__(self, rows: Rows) -> None:
        self._bounds = rows.bounds

    def searchsorted(self, nodes: list[int], side: str, sorter: None) -> Array:
        """Where the followings of some members begin, as ``numpy.searchsorted`` asks."""
        assert side == "left"
        assert sorter is None
        begins: Array = self._bounds[nodes]
        return begins


@dataclass(frozen=True)
class Ballots:
    """The ballots of one decision cast by hand: slices of the arrays that ``cast`` wrote.

    Attributes:
        base: The key of the first node.
        member: Key of each ballot, ascending.
        tag_set: Its set of tags.
        timely: Whether it counts (D12).
        voter: Key of each star, ascending.
        choice: Its choice.
        places: The stars in units of 1e-8.
    """

    base: int
    member: Array
    tag_set: Array
    timely: Array
    voter: Array
    choice: Array
    places: Array

    def pieces(self, size: int) -> Iterator[tuple[Array, Array]]:
        """Node and set of tags of each ballot that counts, piece by piece."""
        for first, last in ranges(len(self.member), size):
            yield self._those(slice(first, last))

    def between(self, first: int, last: int) -> tuple[Array, Array]:
        """The same for some nodes, half open."""
        return self._those(slice(*np.searchsorted(self.member, [self.base + first, self.base + last])))

    def stars(self, size: int) -> Iterator[tuple[Array, Array, Array]]:
        """Node, choice and stars, piece by piece."""
        for first, last in ranges(len(self.voter), size):
            yield self.voter[first:last] - self.base, self.choice[first:last], self.places[first:last]

    def _those(self, which: slice) -> tuple[Array, Array]:
        counts = self.timely[which]
        return (self.member[which] - self.base)[counts], self.tag_set[which][counts]


class Graph:
    """A decision on disk.

    Args:
        work: Where the arrays lie.
        home: The community.
        ballots: What was cast by hand.
        choices: Number of choices.
        rule: The rule for loops.
        cast_sets: The sets of tags of ballots, by code.
        followed_sets: The sets of tags followed on, by code.
        size: Entries of a chunk.

    Attributes:
        waits: By node: for how many followees they wait; 0 for whoever has a ballot by hand.
        in_loop: By node: whether they follow somebody inside a loop (Y5).
        circular: Number of followings inside loops.
    """

    def __init__(
        self,
        work: Work,
        home: Community,
        ballots: Ballots,
        choices: int,
        rule: str,
        cast_sets: list[list[str]],
        followed_sets: list[list[str]],
        size: int,
    ) -> None:
        self.work, self.home, self.size = work, home, size
        count, followings = home.size, len(home.src)
        codes = {code for _, tag_set in ballots.pieces(size) for code in np.unique(tag_set).tolist()}
        used = sorted({tag for code in codes for tag in cast_sets[code]})
        self.vocabulary = used
        bit = {tag: number for number, tag in enumerate(used)}
        words = words_for(len(used))
        self.cast_bits = bits_of(cast_sets, bit, words)
        self._followed = bits_of(followed_sets, bit, words)
        self._everything = np.array([not names for names in followed_sets], dtype=np.bool_)
        self._followed[self._everything] = ~np.uint64(0)
        make = work.create
        manual = make("manual", count, np.bool_)
        rated = make("rated", (count, words_for(choices)), np.uint64)
        units = make("units", (choices, count), np.int64)
        tags = make("tags", (count, words), np.uint64)
        has = make("has", count, np.bool_)
        self.in_loop = make("in_loop", count, np.bool_)
        self.waits = make("waits", count, np.int32)
        for member, _ in ballots.pieces(size):
            manual[member] = True
        for voter, choice, places in ballots.stars(size):
            units[choice, voter] = places.astype(np.int64) * UNITS_PER_PLACE
            set_bits(rated, voter, choice)
        for first, last in ranges(count, size):
            has[first:last] = not_empty(rated[first:last])
        for member, tag_set in ballots.pieces(size):  # those without stars hand no tags on (D5)
            there = has[member]
            tags[member[there]] = self.cast_bits[tag_set[there]]
        none = np.zeros(0, dtype=np.int64)
        self._block = Block(
            decisions=[0],
            offsets=np.array([0, count]),
            member=np.broadcast_to(np.int64(0), count),  # only its length is looked at
            rules=[rule],
            choices=[choices],
            src=cast("Array", _Followers(home.rows)),
            dst=home.rows.columns,
            following=none,
            mask=np.zeros((0, words), dtype=np.uint64),
            everything=np.zeros(0, dtype=np.bool_),
            manual=manual,
            tags=tags,
            rated=rated,
            units=units,
            vocabulary=used,
        )
        self.calculation = Calculation(
            has=has,
            tags=tags,
            rated=rated,
            units=units,
            depth=make("depth", count, np.int32),
            sources=make("sources", count, np.int32),
            error=make("error", count, np.int64),
            approximate=make("approximate", count, np.bool_),
            inherited=make("inherited", followings, np.bool_),
            shares={},
            trees={},
            outcome={},
            balances=[],
            kept={},
        )
        self.circular = 0
        self._count_waits()

    @property
    def manual(self) -> Array:
        """Whether a node has a ballot cast by hand (D1)."""
        return self._block.manual

    @property
    def rule(self) -> str:
        """The rule for loops of the decision."""
        return self._block.rules[0]

    def whole(self) -> tuple[Block, Calculation]:
        """Everything, for what looks at single nodes."""
        return self._block, self.calculation

    def chunk(self, nodes: Array) -> Chunk:
        """The followings of some nodes that can match at all: of members, of others than themselves."""
        places, lengths = self.home.rows.places(nodes)
        src, dst = np.repeat(nodes.astype(np.int64), lengths), self.home.rows.columns[places]
        live = dst >= 0
        return self._chunk(src[live], dst[live].astype(np.int64), places[live])

    def _chunk(self, src: Array, dst: Array, places: Array) -> Chunk:
        sets = self.home.tag_set[places]
        block = replace(
            self._block,
            src=src,
            dst=dst,
            mask=self._followed.take(sets, axis=0),
            everything=self._everything.take(sets),
        )
        calculation = replace(self.calculation, inherited=np.zeros(len(src), dtype=np.bool_))
        return Chunk(block, calculation, places)

    def drop(self) -> None:
        """Remove the arrays of the decision."""
        names = ["manual", "rated", "units", "tags", "has", "in_loop", "waits"]
        self.work.drop([*names, "depth", "sources", "error", "approximate", "inherited"])

    def _count_waits(self) -> None:
        """Count for whom everybody without a ballot waits; a following of oneself is a loop of one (D8)."""
        rows = self.home.rows
        for first, last in row_chunks(rows.bounds, self.size):
            begin, end = rows.bounds[first], rows.bounds[last]
            src, dst = self.home.src[begin:end] - first, rows.columns[begin:end]
            looking = ~self.manual[first:last][src]
            self.waits[first:last] = np.bincount(src[looking & (dst >= 0)], minlength=last - first)
            own = src[looking & (dst == SELF)]
            self.in_loop[first + own] = True
            self.circular += len(own)


@dataclass(frozen=True)
class Chunk:
    """Some followings, as ``delegation`` takes them.

    Attributes:
        block: All nodes, these followings.
        calculation: All ballots, whether these followings are inherited along.
        places: Where the followings stand among all of the community.
    """

    block: Block
    calculation: Calculation
    places: Array

    def only(self, which: Array) -> Chunk:
        """Some of the followings."""
        block = self.block
        return Chunk(
            replace(
                block,
                src=block.src[which],
                dst=block.dst[which],
                mask=block.mask[which],
                everything=block.everything[which],
            ),
            replace(self.calculation, inherited=self.calculation.inherited[which]),
            self.places[which],
        )

    @property
    def edges(self) -> Array:
        """The followings by number."""
        return np.arange(len(self.places))

    def keep(self, whole: Calculation) -> None:
        """Note in the whole calculation along which followings ballots were inherited."""
        whole.inherited[self.places] = self.calculation.inherited
