"""What the count is measured against: the same answers, as somebody would write them for one purpose only.

Both start from the same frames with ids as texts, use floats, and stop at the stars: no sources, no reasons, no
influence, no exactness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import bicgstab

if TYPE_CHECKING:
    from benchmarks.networks import Frames

try:
    import networkx as nx
    from numba import njit
except ImportError as error:  # pragma: no cover - said once, in words
    raise SystemExit("The benchmarks need networkx and numba: pip install -e '.[dev,bench]'") from error

Array = NDArray[Any]
_EVERYTHING = 2**62 - 1


@dataclass
class _Arrays:
    ids: pl.Series
    choices: pl.Series
    first: Array
    dst: Array
    mask: Array
    everything: Array
    manual: Array
    tags: Array
    stars: Array

    def frame(self) -> pl.DataFrame:
        members, choices = self.stars.shape
        return pl.DataFrame(
            {
                "member_id": self.ids.gather(np.repeat(np.arange(members), choices)),
                "choice_id": self.choices.gather(np.tile(np.arange(choices), members)),
                "stars": self.stars.reshape(-1),
            }
        )


def compiled_sweep(frames: Frames) -> pl.DataFrame:
    """Stars of everybody where there are no loops: one compiled sweep, followees first."""
    arrays = _encode(frames)
    _sweep(arrays.first, arrays.dst, arrays.mask, arrays.everything, arrays.manual, arrays.tags, arrays.stars)
    return arrays.frame()


def raw_scipy(frames: Frames) -> pl.DataFrame:
    """Stars of everybody by the equilibrium rule: tags by reduceat until they settle, then BiCGSTAB for each choice."""
    arrays = _encode(frames)
    count, manual = len(arrays.ids), arrays.manual
    src = np.repeat(np.arange(count), np.diff(arrays.first))
    kept = ~manual[src]
    src, dst, mask, everything = src[kept], arrays.dst[kept], arrays.mask[kept], arrays.everything[kept]
    starts = np.flatnonzero(np.concatenate([[True], src[1:] != src[:-1]]))
    followers = src[starts]
    has, tags = manual.copy(), arrays.tags.copy()
    while True:
        brought = tags[dst] & mask
        match = has[dst] & (everything | (brought != 0))
        brought[~match] = 0
        tags_now, has_now = tags.copy(), has.copy()
        tags_now[followers] |= np.bitwise_or.reduceat(brought, starts)
        has_now[followers] |= np.logical_or.reduceat(match, starts)
        if (tags_now == tags).all() and (has_now == has).all():
            break
        tags, has = tags_now, has_now
    src, dst = src[match], dst[match]
    number = np.cumsum(has & ~manual) - 1
    unknown = np.flatnonzero(has & ~manual)
    sources = np.bincount(src, minlength=count)[unknown]
    inside = ~manual[dst]
    rows, columns = number[src[inside]], number[dst[inside]]
    averaging = csr_array((1 / sources[rows], (rows, columns)), shape=(len(unknown), len(unknown)))
    system = (eye_array(len(unknown), format="csr") - averaging).tocsr()
    for choice in range(arrays.stars.shape[1]):
        given = np.bincount(number[src[~inside]], arrays.stars[dst[~inside], choice], minlength=len(unknown)) / sources
        arrays.stars[unknown, choice], failed = bicgstab(system, given, rtol=1e-12, atol=0)
        assert not failed
    return arrays.frame()


def _encode(frames: Frames) -> _Arrays:
    ids = frames["members"].select(id=pl.col("member_id").sort()).with_row_index("code")
    followings = frames["followings"]

    def codes(frame: pl.DataFrame, column: str) -> Array:
        named = frame.select(id=column)
        return named.join(ids, on="id", how="left", maintain_order="left")["code"].to_numpy().astype(np.int64)

    src, dst = codes(followings, "follower_id"), codes(followings, "followee_id")
    order = np.argsort(src, kind="stable")
    src, dst = src[order], dst[order]
    vocabulary = sorted(set(frames["ballots"]["tags"].explode().drop_nulls()))
    bit = {tag: 1 << number for number, tag in enumerate(vocabulary)}
    text = followings.select(text=pl.col("tags").list.join(";"))
    sets = text.unique().with_row_index("set")
    which = text.join(sets, on="text", how="left", maintain_order="left")["set"].to_numpy()[order]
    masks = np.array([sum(bit.get(tag, 0) for tag in row.split(";")) if row else _EVERYTHING for row in sets["text"]])
    everything = np.array([not row for row in sets["text"]])
    count = len(ids)
    voters = codes(frames["ballots"], "member_id")
    manual, tags = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int64)
    manual[voters] = True
    tagged = frames["ballots"].select("member_id", tag="tags").explode("tag").drop_nulls()
    np.bitwise_or.at(tags, codes(tagged, "member_id"), np.array([bit[tag] for tag in tagged["tag"]]))
    choices = frames["votes"]["choice_id"].unique().sort()
    column = (
        frames["votes"]
        .select(id="choice_id")
        .join(choices.to_frame("id").with_row_index("code"), on="id", how="left", maintain_order="left")["code"]
    )
    stars = np.zeros((count, len(choices)))
    stars[codes(frames["votes"], "member_id"), column.to_numpy()] = frames["votes"]["stars"].to_numpy()
    return _Arrays(
        ids=ids["id"],
        choices=choices,
        first=np.searchsorted(src, np.arange(count + 1)),
        dst=dst,
        mask=masks[which],
        everything=everything[which],
        manual=manual,
        tags=tags,
        stars=stars,
    )


@njit(cache=True)
def _sweep(
    first: Array, dst: Array, mask: Array, everything: Array, manual: Array, tags: Array, stars: Array
) -> None:  # pragma: no cover - compiled
    count, choices = stars.shape
    has = manual.copy()
    waits_for = np.zeros(count, np.int64)
    begin = np.zeros(count + 1, np.int64)
    for member in range(count):
        if not manual[member]:
            for edge in range(first[member], first[member + 1]):
                waits_for[member] += 1
                begin[dst[edge] + 1] += 1
    for member in range(count):
        begin[member + 1] += begin[member]
    place, followers = begin.copy(), np.empty(begin[count], np.int32)
    for member in range(count):
        if not manual[member]:
            for edge in range(first[member], first[member + 1]):
                followers[place[dst[edge]]] = member
                place[dst[edge]] += 1
    queue = np.empty(count, np.int32)
    head = tail = 0
    for member in range(count):
        if waits_for[member] == 0:
            queue[tail] = member
            tail += 1
    while head < tail:
        member = queue[head]
        head += 1
        if not manual[member]:
            sources = 0
            for edge in range(first[member], first[member + 1]):
                followee = dst[edge]
                if has[followee] and (everything[edge] or tags[followee] & mask[edge]):
                    sources += 1
                    tags[member] |= tags[followee] & mask[edge]
                    for choice in range(choices):
                        stars[member, choice] += stars[followee, choice]
            if sources:
                has[member] = True
                for choice in range(choices):
                    stars[member, choice] /= sources
        for edge in range(begin[member], begin[member + 1]):
            follower = followers[edge]
            waits_for[follower] -= 1
            if waits_for[follower] == 0:
                queue[tail] = follower
                tail += 1


def networkx_loop(frames: Frames) -> str:
    """The winner of one small community, as a researcher would write it for one purpose: a graph, and a linear system.

    Followings on no tag are on all; stars are averages of the ballots that match, loops by the equilibrium.
    """
    ballots = {row["member_id"]: set(row["tags"]) for row in frames["ballots"].iter_rows(named=True)}
    choices = sorted(frames["votes"]["choice_id"].unique())
    given = {member: np.zeros(len(choices)) for member in ballots}
    for _, member, choice, stars in frames["votes"].iter_rows():
        given[member][choices.index(choice)] = stars
    graph = nx.DiGraph()
    graph.add_nodes_from(frames["members"]["member_id"])
    for row in frames["followings"].iter_rows(named=True):
        if row["follower_id"] not in ballots:
            graph.add_edge(row["follower_id"], row["followee_id"], tags=set(row["tags"]))
    tags = {member: set(own) for member, own in ballots.items()}
    waiting = list(ballots)
    while waiting:
        followee = waiting.pop()
        for follower in graph.predecessors(followee):
            on = graph.edges[follower, followee]["tags"]
            brought = tags[followee] & on if on else tags[followee]
            if (brought or not on) and (follower not in tags or not brought <= tags[follower]):
                tags[follower] = tags.get(follower, set()) | brought
                waiting.append(follower)
    unknown = sorted(member for member in tags if member not in ballots)
    number = {member: place for place, member in enumerate(unknown)}
    system, right = np.eye(len(unknown)), np.zeros((len(unknown), len(choices)))
    for member in unknown:
        inherited = [
            followee
            for followee in graph.successors(member)
            if followee in tags and (not (on := graph.edges[member, followee]["tags"]) or tags[followee] & on)
        ]
        for followee in inherited:
            if followee in ballots:
                right[number[member]] += given[followee] / len(inherited)
            else:
                system[number[member], number[followee]] -= 1 / len(inherited)
    stars = np.vstack([np.array([*given.values()]), np.linalg.solve(system, right)])
    first, second = np.argsort(-stars.sum(axis=0), kind="stable")[:2]
    ahead = np.sign(np.round(stars[:, first] - stars[:, second], 9)).sum()
    return str(choices[first if ahead >= 0 else second])
