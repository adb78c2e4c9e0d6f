"""SystemState → dense integer codes, so that the count works on arrays instead of on strings.

A *node* is a member in a decision. Codes follow the sorted ids, never the order of rows, which is why no answer can
depend on it. Decisions are counted together in blocks of bounded size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdvote_analysis.errors import UnknownDecisionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scipy.sparse import csr_array

    from crowdvote_analysis.state import SystemState

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
# Sets as bits, one row a set, 64 members a word; as many words as the vocabulary needs.
Bits: TypeAlias = NDArray[np.uint64]

# Stars inside the engine are integers of 1e-18 star (D10); 5 stars are 5e18, which an Int64 holds.
UNITS_PER_STAR = 10**18
UNITS_PER_PLACE = 10**10  # 1e-18 in the eighth place

# What one block may hold, in array cells; keeps memory bounded however many decisions there are.
_BLOCK_CELLS = 60_000_000

_FEW = 10_000  # texts that are looked up faster than they are compared with their neighbours


@dataclass(frozen=True)
class Encoded:
    """The tables as codes.

    Attributes:
        decisions: decision_id, community_id, cycle_rule, first and last (rows of ``members`` of the community, half
            open), first_following and last_following, choices (number); sorted by decision_id.
        members: The members table sorted by (community_id, member_id), with ``code``.
        followings: The followings of members, sorted by follower and followee: follower, followee (codes; followee is
            -1 for somebody who is no member), tag_set, and row, the position in ``given``.
        given: The followings as they stand in the state, or in an earlier one with the same.
        tag_sets: Distinct sets of tags that are followed on; the code is the position.
        choices: decision_id, choice_id, title, position and ``choice``, the code within the decision.
        ballots: Ballots of members: decision (code), member (code), tags.
        votes: Stars of those ballots: decision, member, choice (codes) and units (Int64, 1e-18 star).
        outsiders: Number of ballots by decision code that belong to nobody who is a member (M3).
        state: The tables that were encoded.
    """

    decisions: pl.DataFrame
    members: pl.DataFrame
    followings: pl.DataFrame
    given: pl.DataFrame
    tag_sets: list[list[str]]
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    outsiders: Ints
    state: SystemState


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


def encode(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    alike: Encoded | None = None,
) -> Encoded:
    """Give every id a dense code.

    Args:
        state: The tables.
        decisions: Decisions to count; all by default.
        cycles: A cycle rule that overrides the one of the communities.
        alike: A state with the same members and followings, whose codes are taken over.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    wanted = wanted_decisions(state, decisions)
    members = _coded_members(state) if alike is None else alike.members
    codes = _Codes(members)
    if alike is None:
        followings, tag_sets = _followings(state.followings, codes)
        given = state.followings
    else:
        followings, tag_sets, given = alike.followings, alike.tag_sets, alike.given
    choices = coded_choices(state)
    table = _decision_table(state, wanted, members, followings, choices, cycles)
    ballots, votes, outsiders = cast(
        state.ballots, state.votes, table, choices, lambda frame: codes.of(frame, "member_id")
    )
    return Encoded(
        decisions=table,
        members=members,
        followings=followings,
        given=given,
        tag_sets=tag_sets,
        choices=choices,
        ballots=ballots,
        votes=votes,
        outsiders=outsiders,
        state=state,
    )


def wanted_decisions(state: SystemState, decisions: Sequence[str] | None) -> pl.DataFrame:
    """The decisions asked for, as they stand in the state.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    wanted = state.decisions
    if decisions is not None:
        missing = sorted(set(decisions) - set(wanted["decision_id"]))
        if missing:
            present = ", ".join(sorted(wanted["decision_id"])[:10]) or "none"
            raise UnknownDecisionError(
                f"decision '{missing[0]}' is not in the table decisions (decisions there: {present})."
            )
        wanted = wanted.filter(pl.col("decision_id").is_in(list(decisions)))
    return wanted


def _coded_members(state: SystemState) -> pl.DataFrame:
    """The members in the order of their codes."""
    return (
        state.members.sort("community_id", "member_id")
        .with_row_index("code")
        .with_columns(pl.col("code").cast(pl.Int64))
    )


def coded_choices(state: SystemState) -> pl.DataFrame:
    """The choices with their codes inside each decision."""
    return state.choices.sort("decision_id", "choice_id").with_columns(
        choice=pl.int_range(pl.len()).over("decision_id").cast(pl.Int64)
    )


def _decision_table(
    state: SystemState,
    wanted: pl.DataFrame,
    members: pl.DataFrame,
    followings: pl.DataFrame,
    choices: pl.DataFrame,
    cycles: str | None,
) -> pl.DataFrame:
    """The decisions with their codes, their rule, and where their members and followings lie."""
    spans = members.group_by("community_id").agg(first=pl.col("code").min(), last=pl.col("code").max() + 1)
    spans = spans.with_columns(
        first_following=followings["follower"].search_sorted(spans["first"], side="left").cast(pl.Int64),
        last_following=followings["follower"].search_sorted(spans["last"], side="left").cast(pl.Int64),
    )
    table = (
        wanted.select("decision_id", "community_id")
        .join(state.communities.select("community_id", "cycle_rule"), on="community_id", how="left")
        .join(spans, on="community_id", how="left")
        .join(choices.group_by("decision_id").agg(choices=pl.len().cast(pl.Int64)), on="decision_id", how="left")
        .with_columns(pl.col("first", "last", "first_following", "last_following", "choices").fill_null(0))
        .sort("decision_id")
        .with_row_index("decision")
        .with_columns(pl.col("decision").cast(pl.Int64))
    )
    if cycles is not None:
        table = table.with_columns(cycle_rule=pl.lit(cycles))
    return table


def cast(
    ballots: pl.DataFrame,
    votes: pl.DataFrame,
    table: pl.DataFrame,
    choices: pl.DataFrame,
    code_of: Callable[[pl.DataFrame], pl.Series],
) -> tuple[pl.DataFrame, pl.DataFrame, Ints]:
    """Ballots and their stars as codes, and the number of ballots of non-members by decision (M3).

    Args:
        ballots: Rows of the table ballots.
        votes: Rows of the table votes.
        table: The decisions to count, with codes.
        choices: The choices, with codes.
        code_of: The codes of the members named in ``community_id`` and ``member_id``; null for somebody who is none.
    """
    ballots = ballots.join(table.select("decision_id", "decision", "community_id"), on="decision_id")
    ballots = ballots.with_columns(member=code_of(ballots))
    known = ballots.filter(pl.col("member").is_not_null())
    # The physical integers of DECIMAL(9, 8) are units of 1e-8 star.
    units = pl.col("stars").to_physical().cast(pl.Int64) * UNITS_PER_PLACE
    stars = (
        votes.join(known.select("decision_id", "member_id", "decision", "member"), on=["decision_id", "member_id"])
        .join(choices.select("decision_id", "choice_id", "choice"), on=["decision_id", "choice_id"])
        .select("decision", "member", "choice", units=units)
    )
    outsiders = np.zeros(len(table), dtype=np.int64)
    np.add.at(outsiders, ballots.filter(pl.col("member").is_null())["decision"].to_numpy(), 1)
    return known.select("decision", "member", "tags"), stars, outsiders


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


def words_for(bits: int) -> int:
    """Number of 64-bit words that hold ``bits`` bits; at least one."""
    return max(1, -(-bits // 64))


def not_empty(sets: Bits) -> Flags:
    """Which of the sets hold anything; word by word, many times faster than along the short axis."""
    found: Flags = sets[:, 0] != 0
    for word in range(1, sets.shape[1]):
        found |= sets[:, word] != 0
    return found


class _Codes:
    """Looks up the code of a member; long texts are compared once, whatever the number of communities."""

    def __init__(self, members: pl.DataFrame) -> None:
        self.count = len(members)
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
        communities = self._communities.to_frame("community_id").with_row_index("number")
        return _looked_up(frame["community_id"], communities, "community_id").cast(pl.Int64) * len(self._ids) + number


def _looked_up(texts: pl.Series, numbers: pl.DataFrame, on: str) -> pl.Series:
    """The number of each text; null where it has none. Neighbours that are alike are looked up once."""
    if len(texts) > _FEW and (run := texts.rle_id())[-1] < len(texts) // 2:
        first = run.search_sorted(pl.arange(0, run[-1] + 1, eager=True))
        return _looked_up(texts.gather(first), numbers, on).gather(run)
    return texts.to_frame(on).join(numbers, on=on, how="left", maintain_order="left")["number"]


def _followings(given: pl.DataFrame, codes: _Codes) -> tuple[pl.DataFrame, list[list[str]]]:
    tag_set, tag_sets = _tag_sets(given["tags"])
    coded = pl.DataFrame(
        {
            "follower": codes.of(given, "follower_id"),
            "followee": codes.of(given, "followee_id").fill_null(-1),
            "tag_set": tag_set,
        }
    ).with_row_index("row")
    coded = coded.filter(pl.col("follower").is_not_null())
    key = coded["follower"] * (codes.count + 1) + coded["followee"]
    return coded if key.is_sorted() else coded[key.arg_sort()], tag_sets


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
    set_mask = np.zeros((len(encoded.tag_sets), words), dtype=np.uint64)
    for number, names in enumerate(encoded.tag_sets):
        for name in names:
            if name in bit:
                set_mask[number, bit[name] // 64] |= np.uint64(1) << np.uint64(bit[name] % 64)
    set_all = np.array([not names for names in encoded.tag_sets], dtype=np.bool_)
    set_mask[set_all] = ~np.uint64(0)
    sets = encoded.followings["tag_set"].to_numpy().take(following)
    return set_mask.take(sets, axis=0), set_all.take(sets)


def set_bits(bits: Bits, rows: Ints, numbers: Ints) -> None:
    """Put each number into the set of its row."""
    numbers = numbers.astype(np.uint64)
    np.bitwise_or.at(
        bits, (rows, (numbers // np.uint64(64)).astype(np.int64)), np.uint64(1) << (numbers % np.uint64(64))
    )
