"""The same ballots with other stars: what a changed vote most often is, and the cheapest to count again.

As long as nobody's ballot appears, disappears or changes its tags, everybody inherits from the same members as before:
sources, tags, depths, influence and weights stay. Only the stars of affected members are averaged again (E2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.affected.walk import steps_to_followers
from crowdvote_analysis.delegation import encode as codes
from crowdvote_analysis.delegation.arrays import set_bits
from crowdvote_analysis.delegation.counted import Counted
from crowdvote_analysis.delegation.counting import Told, decision_ids
from crowdvote_analysis.delegation.frames import unpacked
from crowdvote_analysis.delegation.participation import by_level, came_along
from crowdvote_analysis.delegation.resolution import Resolution
from crowdvote_analysis.delegation.rounding import in_stars, rounded
from crowdvote_analysis.delegation.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.delegation.arrays import Bits, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.participation import Order
    from crowdvote_analysis.state import SystemState


_STAYING = ("ballots", "stats", "choices", "decisions")


def with_other_stars(
    before: Encoded,
    state: SystemState,
    found: Mapping[str, set[str]],
    decisions: Sequence[str] | None,
    cycles: str | None,
) -> Encoded | None:
    """The state as codes if nothing but stars has changed that a count depends on; ``None`` otherwise.

    Args:
        before: The state before the change.
        state: The state after it.
        found: The members who changed, by table.
        decisions: As for ``resolve``.
        cycles: As for ``resolve``.
    """
    if any(members for table, members in found.items() if table != "votes"):
        return None
    table = codes.with_rules(codes.wanted_decisions(state, decisions), state, cycles)
    same_decisions = table.sort("decision_id").equals(before.decisions.select(table.columns))
    if not (same_decisions and codes.coded_choices(state).equals(before.choices)):
        return None
    changed = pl.Series(sorted(found["votes"]), dtype=pl.String).implode()
    members = before.members.filter(pl.col("member_id").is_in(changed)).select("community_id", "member_id", "code")
    keys = ["community_id", "member_id"]
    _, fresh, _, _ = codes.cast(
        state.ballots.filter(pl.col("member_id").is_in(changed)),
        state.votes.filter(pl.col("member_id").is_in(changed)),
        before.decisions,
        before.choices,
        lambda frame: frame.select(keys).join(members, on=keys, how="left", maintain_order="left")["code"],
    )
    kept = before.votes.filter(~pl.col("member").is_in(members["code"].implode()))
    return replace(before, votes=pl.concat([kept, fresh]), state=state)


def recounted(
    encoded: Encoded,
    previous: Resolution,
    changed: set[str],
    work_limit: int,
    progress: Callable[[int, int], None] | None,
) -> Resolution | None:
    """Average the stars of affected members again; ``None`` if ballots begin or cease to rate a choice.

    Args:
        encoded: The state after the change.
        previous: The count before it.
        changed: The members whose votes changed.
        work_limit: As for ``resolve``.
        progress: As for ``resolve``.
    """
    ids = pl.Series(sorted(changed), dtype=pl.String).implode()
    is_changed = encoded.members["member_id"].is_in(ids).to_numpy()
    changes = []
    for before in previous._counted:
        nodes = np.flatnonzero(is_changed[before.block.member])
        block = _with_stars(encoded, before.block, nodes)
        if (block.rated[nodes] != before.block.rated[nodes]).any():
            return None
        changes.append((before, block, nodes[(block.units[:, nodes] != before.block.units[:, nodes]).any(axis=0)]))
    told = Told(progress, encoded)
    news = []
    for before, block, starts in changes:
        news.append(_counted(encoded, before, block, starts, work_limit, told) if len(starts) else (before, starts))
        told.done(block)
    frames = {name: frame for name in _STAYING if (frame := previous.made(name)) is not None}
    if previous.made("stars") is not None:
        frames["stars"] = _patched(previous, news)
    return Resolution.of(encoded, (counted for counted, _ in news), **frames)


def _with_stars(encoded: Encoded, block: Block, nodes: Ints) -> Block:
    """A block with the stars that some of its manual voters give now."""
    rows = encoded.decisions[block.decisions]
    shift = pl.Series(block.offsets[:-1]) - rows["first"]
    votes = encoded.votes.filter(pl.col("member").is_in(pl.Series(np.unique(block.member[nodes])).implode()))
    votes = votes.join(pl.DataFrame({"decision": block.decisions, "shift": shift}), on="decision")
    node, choice = (votes["member"] + votes["shift"]).to_numpy(), votes["choice"].to_numpy()
    units, rated = block.units.copy(), block.rated.copy()
    units[:, nodes], rated[nodes] = 0, 0
    units[choice, node] = votes["units"].to_numpy()
    set_bits(rated, node, choice)
    return replace(block, units=units, rated=rated)


def _counted(
    encoded: Encoded, before: Counted, block: Block, starts: Ints, work_limit: int, told: Told
) -> tuple[Counted, Ints]:
    """A block counted again, and the nodes whose stars may have changed."""
    is_start = np.zeros(len(block.member), dtype=np.bool_)
    is_start[starts] = True
    again = np.flatnonzero(steps_to_followers(before.block.followers, block.manual, [is_start]) >= 0)
    calculation = _copied(before.calculation)
    calculation.units[:, starts] = block.units[:, starts]
    affected = again[~block.manual[again]]
    core_of = before.order.core[affected]
    redone = set(core_of[core_of >= 0].tolist())
    calculation.balances[:] = [
        balance for balance in calculation.balances if int(before.order.core[balance.members[0]]) not in redone
    ]
    order = _order_of(block, before, affected)
    settle(block, order, calculation, decision_ids(encoded, block), work_limit, told.advance)
    counted = Counted(block, before.order, calculation, before.is_voter)
    counted.knowing(**{name: value for name, value in vars(before).items() if name not in vars(counted)})
    if before.knows("places"):
        places = before.places.copy()
        places[:, again] = rounded(block, calculation, again)
        counted.knowing(places=places)
    return counted, again


def _copied(calculation: Calculation) -> Calculation:
    return replace(calculation, **{name: value.copy() for name, value in vars(calculation).items()})


def _order_of(block: Block, before: Counted, affected: Ints) -> Order:
    """The levels of before, with no other edges than those of affected members."""
    first, last = np.searchsorted(block.src, affected), np.searchsorted(block.src, affected, side="right")
    lengths = last - first
    edges = np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    # Who has a ballot, and with which tags, stands: only what matches can be inherited (Y2 a).
    match, _ = came_along(block, edges, before.calculation.has, before.calculation.tags)
    edges = edges[match & (block.dst[edges] >= 0) & (block.dst[edges] != block.src[edges])]
    level = before.order.level[block.src[edges]]
    edges = edges[by_level(level)]
    starts = np.searchsorted(before.order.level[block.src[edges]], np.arange(1, level.max(initial=0) + 2))
    return replace(before.order, edges=edges, starts=starts)


def _patched(previous: Resolution, news: Sequence[tuple[Counted, Ints]]) -> pl.DataFrame:
    """The stars of before, with those of affected members put in their place."""
    first_ballot, height = _first_rows(previous._encoded)
    length = np.zeros(height, dtype=np.int64)
    for counted in previous._counted:
        length[_rows(counted.block, first_ballot)] = _set_sizes(counted.calculation.rated)
    begin = np.cumsum(length) - length
    where, places = [], []
    for counted, again in news:
        row = _rows(counted.block, first_ballot)[again]
        rated = unpacked(counted.calculation.rated[again], len(counted.places))
        where.append(np.repeat(begin[row] - np.cumsum(length[row]) + length[row], length[row]) + np.arange(rated.sum()))
        places.append(counted.places[:, again].T[rated])
    if not where:
        return previous.stars
    stars = previous.stars["stars"].clone().scatter(np.concatenate(where), in_stars(pl.Series(np.concatenate(places))))
    return previous.stars.with_columns(stars)


def _first_rows(encoded: Encoded) -> tuple[Ints, int]:
    """The first row of each decision in the frame of ballots, and its height."""
    sizes = (encoded.decisions["last"] - encoded.decisions["first"]).to_numpy()
    return np.cumsum(sizes) - sizes, int(sizes.sum())


def _rows(block: Block, first: Ints) -> Ints:
    """The row of each node in the frame of ballots."""
    shift = first[np.array(block.decisions, dtype=np.int64)] - block.offsets[:-1]
    return np.arange(len(block.member)) + np.repeat(shift, np.diff(block.offsets))


def _set_sizes(rated: Bits) -> Ints:
    """Number of choices on each ballot."""
    sizes: Ints = np.bitwise_count(rated).sum(axis=1, dtype=np.int64)
    return sizes
