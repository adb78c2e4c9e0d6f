"""Counted arrays as frames, with names: for all of a block, or for some nodes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.outcomes import CIRCULAR, NAMES, NOT_A_MEMBER, NOT_LOOKED_AT, tags_along
from crowdvote_analysis.delegation.path_rule import NO_BALLOT, NO_MATCH
from crowdvote_analysis.delegation.rounding import in_stars
from crowdvote_analysis.tables import STARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.counted import Counted
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.outcomes import Outcomes

_TEXTS = dict.fromkeys(["decision_id", "member_id"], pl.String())
BALLOTS = pl.Schema(
    {
        **_TEXTS,
        "origin": pl.String(),
        "tags": pl.List(pl.String()),
        "depth": pl.Int64(),
        "reason": pl.String(),
        "reason_detail": pl.String(),
        "in_loop": pl.Boolean(),
        "is_voter": pl.Boolean(),
        "influence_direct": pl.Int64(),
        "influence_total": pl.Int64(),
        "weight": pl.Float64(),
    }
)
ELECTORATE = pl.Schema({**_TEXTS, "is_voter": pl.Boolean()})
STARS_GIVEN = pl.Schema({**_TEXTS, "choice_id": pl.String(), "stars": STARS})
SOURCES = pl.Schema(
    {
        "decision_id": pl.String(),
        "follower_id": pl.String(),
        "followee_id": pl.String(),
        "following_tags": pl.List(pl.String()),
        "outcome": pl.String(),
        "inherited_tags": pl.List(pl.String()),
    }
)
_COUNTED = (
    "total_members",
    "manual_ballots",
    "calculated_ballots",
    "no_ballot",
    "lobbyists",
    "tallied_ballots",
    "circular_prevented",
    "max_delegation_depth",
)
STATS = pl.Schema(
    {
        "decision_id": pl.String(),
        **dict.fromkeys(_COUNTED, pl.Int64()),
        "participation": pl.Float64(),
        "non_member_ballots": pl.Int64(),
        "untimely_ballots": pl.Int64(),
    }
)

NOT_FOLLOWING = "Not following anyone"
NOTHING_MATCHES = "Following others but no tag matches"


def in_order(parts: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    """Blocks as one frame; inside a block rows are in order already, so that one block need not be sorted."""
    if not parts:
        return pl.DataFrame(schema=schema)
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("decision_id", maintain_order=True)


def electorate_of(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """Members and their role, one row a node."""
    block = counted.block
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(_decision_codes(block)),
            "member_id": encoded.members["member_id"].gather(block.member),
            "is_voter": counted.is_voter,
        }
    )


def ballots_of(encoded: Encoded, counted: Counted, nodes: Ints | None = None) -> pl.DataFrame:
    """One row a node, without influence; of all nodes by default."""
    block, calculation = counted.block, counted.calculation
    nodes = np.arange(len(block.member)) if nodes is None else nodes
    has = calculation.has[nodes]
    manual = block.manual[nodes]
    origin = np.where(manual, 0, np.where(has, 1, 2))
    none = origin == 2
    kinds = np.zeros(len(block.member), dtype=np.int64)
    of_none = np.flatnonzero(~(block.manual | calculation.has)[block.src])
    np.bitwise_or.at(kinds, block.src[of_none], 1 << counted.outcome[of_none].astype(np.int64))
    kinds = kinds[nodes]
    tags = np.where(manual[:, None], block.tags[nodes], calculation.tags[nodes])
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(_decision_codes(block)[nodes]),
            "member_id": encoded.members["member_id"].gather(block.member[nodes]),
            "origin": _named(["manual", "calculated", "none"], origin),
            "tags": spelled(tags, block.vocabulary),
            "depth": pl.Series(calculation.depth[nodes]).set(pl.Series(none), None),
            "reason": _named([None, NOT_FOLLOWING, NOTHING_MATCHES], np.where(none, np.where(kinds == 0, 1, 2), 0)),
            "reason_detail": _named([None, *_details()], np.where(none, kinds + 1, 0)),
            "in_loop": counted.in_loop[nodes],
            "is_voter": counted.is_voter[nodes],
        }
    )


def influence_of(counted: Counted, ballots: pl.DataFrame, nodes: Ints | None = None) -> pl.DataFrame:
    """The same rows with influence and weight (I1 to I3)."""
    chosen = slice(None) if nodes is None else nodes
    total = pl.Series(counted.total[chosen])
    return ballots.with_columns(
        influence_direct=pl.Series(counted.direct[chosen]),
        influence_total=total.set(total < 0, None),
        weight=pl.Series(counted.weight[chosen]),
    )


def _details() -> list[str]:
    """Why a member has no ballot, by the kinds of outcome their followings had as bits; joined with + (D7)."""
    order = (NO_MATCH, NO_BALLOT, CIRCULAR, NOT_A_MEMBER)
    kinds = range(1 << len(NAMES))
    return ["+".join(NAMES[code] for code in order if kind >> code & 1) or "no_followings" for kind in kinds]


def _named(names: Sequence[str | None], codes: Ints | Outcomes) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(codes)


def stars_of(encoded: Encoded, counted: Counted, nodes: Ints | None = None) -> pl.DataFrame:
    """The stars of every node, or of some, choices in the order of their codes."""
    block, places, sets = counted.block, counted.places, counted.calculation.rated
    codes, member = _decision_codes(block), block.member
    if nodes is not None:
        places, sets, codes, member = places[:, nodes], sets[nodes], codes[nodes], member[nodes]
    rated = unpacked(sets, len(places))
    choice = np.broadcast_to(np.arange(rated.shape[1]), rated.shape)[rated]
    sizes = rated.sum(axis=1, dtype=np.int64)
    codes = np.repeat(codes, sizes)
    names = encoded.choices.join(encoded.decisions.select("decision_id", "decision"), on="decision_id").sort(
        "decision", "choice"
    )
    first = names["decision"].search_sorted(pl.Series(np.arange(len(encoded.decisions), dtype=np.int64))).to_numpy()
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(codes),
            "member_id": encoded.members["member_id"].gather(np.repeat(member, sizes)),
            "choice_id": names["choice_id"].gather(first[codes] + choice)
            if len(choice)
            else pl.Series([], dtype=pl.String),
            "stars": in_stars(pl.Series(places.T[rated])),
        }
    )


def sources_of(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """Every following looked at, and what it gave."""
    block = counted.block
    edges = np.flatnonzero(counted.outcome != NOT_LOOKED_AT)
    following = encoded.codes.given[encoded.followings["row"].gather(block.following[edges])]
    codes = _decision_codes(block)[block.src[edges]]
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(codes),
            "follower_id": following["follower_id"],
            "followee_id": following["followee_id"],
            "following_tags": following["tags"],
            "outcome": _named(list(NAMES.values()), counted.outcome[edges]),
            "inherited_tags": spelled(tags_along(block, counted.calculation, edges), block.vocabulary),
        }
    )


def stats_of(encoded: Encoded, counted: Iterable[Counted]) -> pl.DataFrame:
    """Participation by decision, from the arrays; columns as in ``Resolution.stats``."""
    numbers = np.zeros((len(_COUNTED), len(encoded.decisions)), dtype=np.int64)
    for part in counted:
        block, has, voter = part.block, part.calculation.has, part.is_voter
        calculated = has & ~block.manual
        kinds = (voter, voter & block.manual, voter & calculated, voter & ~block.manual & ~has, ~voter, voter & has)
        codes = np.array(block.decisions, dtype=np.int64)
        place = np.repeat(np.arange(len(codes)), np.diff(block.offsets))
        for row, kind in enumerate(kinds):
            numbers[row, codes] = np.bincount(place[kind], minlength=len(codes))
        numbers[len(kinds), codes] = part.circular
        deepest = np.zeros(len(codes), dtype=np.int64)
        np.maximum.at(deepest, place, part.calculation.depth)
        numbers[len(kinds) + 1, codes] = deepest
    with_ballot, everyone = numbers[1] + numbers[2], numbers[0]
    share = np.divide(with_ballot, everyone, out=np.zeros(len(everyone)), where=everyone > 0)
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"],
            **dict(zip(_COUNTED, numbers, strict=True)),
            "participation": share,
            "non_member_ballots": encoded.outsiders,
            "untimely_ballots": encoded.untimely,
        }
    )


def _decision_codes(block: Block) -> Ints:
    """The code of the decision by node."""
    return np.repeat(np.array(block.decisions, dtype=np.int64), np.diff(block.offsets))


def unpacked(sets: Bits, width: int) -> Flags:
    """Sets of choices as flags, node by choice."""
    flags = np.empty((len(sets), width), dtype=np.bool_)
    for choice in range(width):
        flags[:, choice] = sets[:, choice // 64] >> np.uint64(choice % 64) & np.uint64(1)
    return flags


def spelled(bits: Bits, vocabulary: Sequence[str]) -> pl.Series:
    """Sets of bits as lists of tags; each distinct set is spelled out once."""
    # Sets of one word are sorted as numbers, many times faster than as rows.
    axis = 0 if bits.shape[1] > 1 else None
    distinct, which = np.unique(bits, axis=axis, return_inverse=True)
    distinct = distinct.reshape(-1, bits.shape[1])
    spelled = [
        [tag for number, tag in enumerate(vocabulary) if int(row[number // 64]) >> number % 64 & 1] for row in distinct
    ]
    return pl.Series(spelled, dtype=pl.List(pl.String)).gather(which.reshape(-1))
