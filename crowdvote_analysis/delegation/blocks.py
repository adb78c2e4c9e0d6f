"""Codes → graphs: some decisions at a time, cut into blocks of bounded size.

A *node* is a member in a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.arrays import set_bits, words_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.encode import Encoded

# What one block may hold, in array cells; keeps memory bounded however many decisions there are.
_BLOCK_CELLS = 60_000_000


@dataclass(frozen=True)
class Block:
    """Some decisions as one graph. Nodes of a decision are consecutive, in the order of member ids.

    Attributes:
        decisions: Codes of the decisions, ascending.
        offsets: First node of each decision, and the number of nodes at the end.
        member: Member code by node.
        rules: Cycle rule by decision of the block.
        choices: Number of choices by decision of the block.
        src, dst: Follower and followee of each edge, as nodes; dst is -1 for somebody who is no member. Sorted by src.
        following: Row of ``Encoded.followings`` by edge.
        mask: Tags followed on, as bits, by edge.
        everything: Whether the edge follows on ALL (T3).
        manual: Whether the node has a ballot cast by hand (D1).
        tags: Bits of the tags of manual ballots, by node.
        rated: Bits of the choices they rate, by node.
        units: Stars in units of 1e-18, choice by node.
        vocabulary: The tag each bit stands for.
    """

    decisions: list[int]
    offsets: Ints
    member: Ints
    rules: list[str]
    choices: list[int]
    src: Ints
    dst: Ints
    following: Ints
    mask: Bits
    everything: Flags
    manual: Flags
    tags: Bits
    rated: Bits
    units: Ints
    vocabulary: list[str]

    @cached_property
    def followers(self) -> csr_array:
        """Who follows whom, backwards: a row for each followee, its followers in order."""
        from scipy.sparse import csr_array

        inside = np.flatnonzero((self.dst >= 0) & (self.src != self.dst))
        ones = np.ones(len(inside), dtype=np.int8)
        size = len(self.member)
        return csr_array((ones, (self.dst[inside], self.src[inside])), shape=(size, size))


def blocks(encoded: Encoded, alike: Sequence[Block] = ()) -> Iterator[Block]:
    """Cut the decisions into blocks of bounded size, alike in their number of choices.

    Args:
        encoded: The tables as codes.
        alike: Blocks of a state with the very same members and followings; what depends on nothing else is shared.
    """
    decisions = encoded.decisions.sort("choices", "decision")
    batch: list[int] = []
    cells = 0
    for row in decisions.iter_rows(named=True):
        size = (row["last"] - row["first"]) * (row["choices"] + 8) + (
            row["last_following"] - row["first_following"]
        ) * 8
        if batch and cells + size > _BLOCK_CELLS:
            yield _block(encoded, sorted(batch), alike)
            batch, cells = [], 0
        batch.append(row["decision"])
        cells += size
    if batch:
        yield _block(encoded, sorted(batch), alike)


def _block(encoded: Encoded, decisions: list[int], alike: Sequence[Block]) -> Block:
    rows = encoded.decisions[decisions]
    offsets = np.concatenate([[0], np.cumsum((rows["last"] - rows["first"]).to_numpy())]).astype(np.int64)
    firsts = rows["first"].to_numpy()
    count = int(offsets[-1])
    known = next((block for block in alike if _stand_alike(block, offsets, firsts)), None)
    member, src, dst, following = (
        _graph(encoded, rows, offsets) if known is None else (known.member, known.src, known.dst, known.following)
    )
    place = pl.DataFrame({"decision": decisions, "shift": offsets[:-1] - firsts})
    ballots = encoded.ballots.join(place, on="decision").with_columns(node=pl.col("member") + pl.col("shift"))
    votes = encoded.votes.join(place, on="decision").with_columns(node=pl.col("member") + pl.col("shift"))
    manual = np.zeros(count, dtype=np.bool_)
    manual[ballots["node"].to_numpy()] = True
    choices = rows["choices"].to_list()
    width = max(choices, default=0)
    units = np.zeros((width, count), dtype=np.int64)
    units[votes["choice"].to_numpy(), votes["node"].to_numpy()] = votes["units"].to_numpy()
    rated = np.zeros((count, words_for(width)), dtype=np.uint64)
    set_bits(rated, votes["node"].to_numpy(), votes["choice"].to_numpy())
    # Tags enter with manual ballots only (T1), so theirs are the whole vocabulary.
    tagged = ballots.select("node", tag="tags").explode("tag", empty_as_null=False)
    vocabulary = tagged["tag"].unique().sort().to_list()
    bit = {tag: number for number, tag in enumerate(vocabulary)}
    tags = np.zeros((count, words_for(len(vocabulary))), dtype=np.uint64)
    set_bits(tags, tagged["node"].to_numpy(), tagged["tag"].replace_strict(bit, return_dtype=pl.Int64).to_numpy())
    if known is not None and known.vocabulary == vocabulary:
        mask, everything = known.mask, known.everything
    else:
        mask, everything = _followed_on(encoded, following, bit, tags.shape[1])
    block = Block(
        decisions=decisions,
        offsets=offsets,
        member=member,
        rules=rows["cycle_rule"].to_list(),
        choices=choices,
        src=src,
        dst=dst,
        following=following,
        mask=mask,
        everything=everything,
        manual=manual,
        tags=tags,
        rated=rated,
        units=units,
        vocabulary=vocabulary,
    )
    if known is not None:
        vars(block)["followers"] = known.followers
    return block


def _stand_alike(block: Block, offsets: Ints, firsts: Ints) -> bool:
    """Whether the decisions of a block have the members that begin at ``firsts``, as many of them each."""
    if not np.array_equal(block.offsets, offsets):
        return False
    peopled = np.flatnonzero(np.diff(offsets))
    return np.array_equal(block.member[offsets[peopled]], firsts[peopled])


def _graph(encoded: Encoded, rows: pl.DataFrame, offsets: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Member by node; follower, followee and following by edge."""
    follower, followee = encoded.followings["follower"].to_numpy(), encoded.followings["followee"].to_numpy()
    if len(rows) == 1 and not rows["first"].item():  # the first community by itself: codes are nodes already
        given = slice(rows["first_following"].item(), rows["last_following"].item())
        return np.arange(offsets[-1]), follower[given], followee[given], np.arange(given.start, given.stop)
    edge_count = int((rows["last_following"] - rows["first_following"]).sum())
    # Filled piece by piece: at tens of millions of followings, fresh memory costs more than what is written into it.
    member = np.empty(int(offsets[-1]), dtype=np.int64)
    src, dst, following = (np.empty(edge_count, dtype=np.int64) for _ in range(3))
    end = 0
    for offset, row in zip(offsets.tolist(), rows.iter_rows(named=True), strict=False):
        shift = offset - row["first"]
        member[offset : offset + row["last"] - row["first"]] = np.arange(row["first"], row["last"])
        given = slice(row["first_following"], row["last_following"])
        here = slice(end, end := end + given.stop - given.start)
        following[here] = np.arange(given.start, given.stop)
        np.add(follower[given], shift, out=src[here])
        np.add(followee[given], shift, out=dst[here])
        dst[here][followee[given] < 0] = -1
    return member, src, dst, following


def _followed_on(encoded: Encoded, following: Ints, bit: dict[str, int], words: int) -> tuple[Bits, Flags]:
    """Tags followed on as bits, and whether on ALL, by edge; tags that are on nobody's ballot have no bit."""
    set_mask = bits_of(encoded.codes.tag_sets, bit, words)
    set_all = np.array([not names for names in encoded.codes.tag_sets], dtype=np.bool_)
    set_mask[set_all] = ~np.uint64(0)
    sets = encoded.followings["tag_set"].to_numpy().take(following)
    return set_mask.take(sets, axis=0), set_all.take(sets)


def bits_of(tag_sets: Sequence[Sequence[str]], bit: Mapping[str, int], words: int) -> Bits:
    """Sets of tags as bits, one row a set; tags that have none are passed over."""
    bits: Bits = np.zeros((len(tag_sets), words), dtype=np.uint64)
    for number, names in enumerate(tag_sets):
        for name in names:
            if name in bit:
                bits[number, bit[name] // 64] |= np.uint64(1) << np.uint64(bit[name] % 64)
    return bits
