"""The followings that are looked at, in the order and under the names in which they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.cores import to_int
from crowdvote_analysis.delegation.path_rule import EVERYTHING
from crowdvote_analysis.explanation.tree import Person
from crowdvote_analysis.privacy import public_ids

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Flags
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded


def looked_at(block: Block) -> Block:
    """The same nodes, without the followings of manual voters, which are not looked at (D1)."""
    return _kept(block, ~block.manual[block.src])


def reachable(block: Block, root: int) -> Block:
    """The same nodes, with the followings that are looked at and can be reached from one of them."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    asked = ~block.manual[block.src]
    edges = np.flatnonzero(asked & (block.dst >= 0))
    size = len(block.member)
    graph = csr_array((np.ones(len(edges), dtype=np.int8), (block.src[edges], block.dst[edges])), shape=(size, size))
    reached = np.zeros(size, dtype=np.bool_)
    reached[breadth_first_order(graph, root, return_predecessors=False)] = True
    return _kept(block, asked & reached[block.src])


def _kept(block: Block, kept: Flags) -> Block:
    return replace(
        block,
        src=block.src[kept],
        dst=block.dst[kept],
        following=block.following[kept],
        mask=block.mask[kept],
        everything=block.everything[kept],
    )


class Graph:
    """Followings in display order, and how members, tags and choices are shown.

    Args:
        block: One decision, with the followings that are looked at.
        encoded: The tables it was made from.
        names: As ``public_names`` gives them.

    Attributes:
        block: The same block.
        decision_id: The decision.
        choices: choice_id and bit of each choice, in display order.
        titles: Title by choice_id.
    """

    def __init__(self, block: Block, encoded: Encoded, names: pl.DataFrame) -> None:
        self.block = block
        decision = encoded.decisions.row(0, named=True)
        self.decision_id: str = decision["decision_id"]
        choices = encoded.choices.filter(decision_id=self.decision_id).sort("position", "choice_id")
        self.choices: list[tuple[str, int]] = choices.select("choice_id", "choice").rows()
        self.titles: dict[str, str] = dict(choices.select("choice_id", pl.coalesce("title", "choice_id")).rows())
        # Nodes follow the sorted ids, and so do the names.
        here = names.filter(community_id=decision["community_id"])
        self._people = here.select("public_id", pl.coalesce("name", "public_id")).rows()
        row = encoded.followings["row"].gather(block.following)
        followings = public_ids(encoded.codes.given[row].drop("tags"), names, ["followee_id"]).select(
            "followee_id", "order", src=pl.Series(block.src), edge=pl.int_range(pl.len())
        )
        self._followee = followings["followee_id"]
        # Few sets of tags are followed on, many times each.
        self._tag_sets: list[tuple[str, ...]] = [tuple(tags) for tags in encoded.codes.tag_sets]
        self._tag_set = encoded.followings["tag_set"].gather(block.following).to_numpy()
        self._first = np.searchsorted(block.src, np.arange(len(block.member) + 1))
        # By what is shown, never by ids that are not: their order would tell something about them (P1).
        self._order = followings.sort("src", "order", "followee_id", "edge")["edge"].to_numpy()

    def person(self, node: int) -> Person:
        """A member as they may be shown."""
        return Person(*self._people[node])

    def followings(self, node: int) -> list[int]:
        """The edges of a member in display order (D9)."""
        edges: list[int] = self._order[self._first[node] : self._first[node + 1]].tolist()
        return edges

    def followee(self, edge: int) -> Person:
        """Who is followed; somebody who is no member has no other name than the id."""
        node = int(self.block.dst[edge])
        if node >= 0:
            return self.person(node)
        stranger = self._followee[edge]
        return Person(stranger, stranger)

    def following_tags(self, edge: int) -> tuple[str, ...]:
        """The tags followed on, as they stand in the state."""
        return self._tag_sets[int(self._tag_set[edge])]

    def followed(self, edge: int) -> int:
        """The tags followed on, as bits of those that are on ballots; all bits for ALL."""
        return EVERYTHING if self.block.everything[edge] else to_int(self.block.mask[edge])

    def tags(self, bits: int) -> tuple[str, ...]:
        """Tags by name, sorted."""
        return tuple(tag for number, tag in enumerate(self.block.vocabulary) if bits >> number & 1)
