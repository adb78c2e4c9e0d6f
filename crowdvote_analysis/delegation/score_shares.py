"""What every choice's score is made of: weight times stars of each manual voter, in whole numbers (I3).

Weights are traced as integers of 1e-18 ballot. What a division leaves over goes to the first of the sources, so that
under the path rule no part of a ballot is ever lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation import equilibrium
from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE, UNITS_PER_STAR
from crowdvote_analysis.delegation.influence import inherited_by_level
from crowdvote_analysis.delegation.rounding import in_stars
from crowdvote_analysis.tables import STARS

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Flags, Ints
    from crowdvote_analysis.delegation.averages import Balance, Shares
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.counted import Counted
    from crowdvote_analysis.delegation.encode import Encoded

EXACT = pl.Decimal(38, 18)
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "decision_id": pl.String,
    "choice_id": pl.String,
    "member_id": pl.String,
    "weight": EXACT,
    "stars": STARS,
    "score": EXACT,
    "share": pl.Float64,
}
WEIGHTS = pl.Schema({"decision_id": pl.String(), "member_id": pl.String(), "weight": EXACT})

_SHIFT = 32
_LOW = (1 << _SHIFT) - 1


class _Held:
    """Parts of ballots by node, each as ``high * 2**32 + low`` units of 1e-18 ballot.

    An Int64 would hold nine ballots; low parts may grow beyond 32 bits between two readings.
    """

    def __init__(self, tallied: Flags) -> None:
        self._high = np.where(tallied, UNITS_PER_STAR >> _SHIFT, 0)
        self._low = np.where(tallied, UNITS_PER_STAR & _LOW, 0)

    def of(self, nodes: Ints) -> tuple[Ints, Ints]:
        low = self._low[nodes]
        return self._high[nodes] + (low >> _SHIFT), low & _LOW

    def number(self, node: int) -> int:
        return (int(self._high[node]) << _SHIFT) + int(self._low[node])

    def add(self, nodes: Ints, high: Ints, low: Ints) -> None:
        np.add.at(self._high, nodes, high)
        np.add.at(self._low, nodes, low)

    def give(self, node: int, part: int) -> None:
        self._high[node] += part >> _SHIFT
        self._low[node] += part & _LOW


def score_shares(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """The scores of the decisions of a block, taken apart; columns as in ``Resolution.score_shares``."""
    block, calculation = counted.block, counted.calculation
    tallied = calculation.has & counted.is_voter
    held = _traced(counted, tallied)
    voters = np.flatnonzero(block.manual & calculation.has)
    decision = np.repeat(np.array(block.decisions, dtype=np.int64), np.diff(block.offsets))
    voter = pl.DataFrame(
        {
            "decision": decision[voters],
            "member_id": encoded.members["member_id"].gather(block.member[voters]),
            "weight": _whole(*held.of(voters)),
        }
    )
    parts = []
    for choice, places in enumerate(counted.places):
        own = voter.with_columns(choice=pl.lit(choice, dtype=pl.Int64), places=places[voters])
        own = own.filter(pl.col("places") > 0, pl.col("weight") > 0)
        # 1e-18 ballot times 1e-8 star; what rounding does is told in a row of its own.
        product = pl.col("weight") * pl.col("places").cast(pl.Int128)
        own = own.with_columns(units=(product + pl.lit(5 * 10**7, dtype=pl.Int128)) // pl.lit(10**8, dtype=pl.Int128))
        score = pl.DataFrame({"decision": decision[tallied], "total": places[tallied]}).group_by("decision").sum()
        given = own.group_by("decision").agg(given=pl.col("units").sum())
        left = score.join(given, on="decision", how="left").with_columns(
            units=pl.col("total").cast(pl.Int128) * pl.lit(UNITS_PER_PLACE, dtype=pl.Int128)
            - pl.col("given").fill_null(pl.lit(0, dtype=pl.Int128)),
            choice=pl.lit(choice, dtype=pl.Int64),
        )
        both = pl.concat([own, left.filter(pl.col("units") != 0).drop("total", "given")], how="diagonal")
        parts.append(both.join(score, on="decision"))
    return _named(encoded, parts)


def weights_of(encoded: Encoded, counted: Counted, wanted: pl.DataFrame | None) -> pl.DataFrame:
    """Some ballots of a block handed back to the manual voters they are made of; see ``Resolution.weights_of``.

    Args:
        encoded: The tables.
        counted: The block.
        wanted: decision_id, member_id: each ballot once; all that are tallied without it.
    """
    block, calculation = counted.block, counted.calculation
    decision = np.repeat(np.array(block.decisions, dtype=np.int64), np.diff(block.offsets))
    nodes = pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(decision),
            "member_id": encoded.members["member_id"].gather(block.member),
        }
    )
    chosen = counted.is_voter
    if wanted is not None:
        marked = wanted.with_columns(chosen=True)
        found = nodes.join(marked, on=["decision_id", "member_id"], how="left", maintain_order="left")["chosen"]
        chosen = found.fill_null(value=False).to_numpy()
    held = _traced(counted, chosen & calculation.has)
    voters = np.flatnonzero(block.manual & calculation.has)
    weight = nodes[voters].with_columns(weight=_whole(*held.of(voters)))
    return weight.filter(pl.col("weight") > 0).with_columns(weight=_exact("weight"))


def _whole(high: Ints, low: Ints) -> pl.Series:
    """Units of 1e-18 as one number each."""
    return pl.Series(high).cast(pl.Int128) * pl.Series([2**_SHIFT], dtype=pl.Int128) + pl.Series(low).cast(pl.Int128)


def _exact(units: str) -> pl.Expr:
    """Units of 1e-18 as decimals."""
    return pl.col(units).cast(pl.Decimal(38, 0)) * pl.lit("0.000000000000000001").cast(EXACT)


def _named(encoded: Encoded, parts: list[pl.DataFrame]) -> pl.DataFrame:
    if not parts:
        return pl.DataFrame(schema=COLUMNS)
    names = encoded.choices.join(encoded.decisions.select("decision_id", "decision"), on="decision_id")
    names = names.select("decision_id", "decision", "choice_id", "choice")
    frame = pl.concat(parts).join(names, on=["decision", "choice"])
    frame = frame.with_columns(
        weight=_exact("weight"),
        stars=in_stars(frame["places"]),
        score=_exact("units"),
    )
    # Divided here and not by polars, whose last bit depends on the number of rows.
    units, total = (frame[name].cast(pl.Float64).to_numpy() for name in ("units", "total"))
    share = np.divide(units, total * UNITS_PER_PLACE, out=np.full(len(units), np.nan), where=total > 0)
    return frame.with_columns(share=pl.Series(share, nan_to_null=True)).select(*COLUMNS)


def _traced(counted: Counted, tallied: Flags) -> _Held:
    """Every tallied ballot handed back to the ballots cast by hand it is made of (I3)."""
    block, order, calculation = counted.block, counted.order, counted.calculation
    held = _Held(tallied)
    balanced = {int(balance.members[0]): balance for balance in calculation.balances}
    for edges in reversed(inherited_by_level(order, calculation)):
        follower = block.src[edges]
        in_core = order.core[follower] >= 0
        _hand_on(held, follower[~in_core], block.dst[edges[~in_core]])
        for node in np.unique(follower[in_core]).tolist():
            if node in calculation.shares:
                _hand_out(held, held.number(node), calculation.shares[node])
            elif node in balanced:
                _hand_through(held, block, balanced[node])
    return held


def _hand_on(held: _Held, follower: Ints, source: Ints) -> None:
    """Each follower's part to their sources in equal parts, units that are left over to the first ones."""
    if not len(follower):
        return
    starts = np.flatnonzero(np.diff(follower, prepend=-1))
    sources = np.diff(starts, append=len(follower))
    high, low = held.of(follower[starts])
    each_high, rest = np.divmod(high, sources)
    each_low, rest = np.divmod((rest << _SHIFT) + low, sources)
    rank = np.arange(len(follower)) - np.repeat(starts, sources)
    held.add(source, np.repeat(each_high, sources), np.repeat(each_low, sources) + (rank < np.repeat(rest, sources)))


def _hand_out(held: _Held, whole: int, shares: Shares) -> None:
    parts = {node: whole * part // shares.divisor for node, part in sorted(shares.parts.items())}
    left_over = whole - sum(parts.values())
    for place, (node, part) in enumerate(parts.items()):
        held.give(node, part + (place < left_over))


def _hand_through(held: _Held, block: Block, balance: Balance) -> None:
    """Through a core of the equilibrium rule, as floats; the row of what rounding does holds their error too."""
    high, low = held.of(balance.members)
    entered = high.astype(np.float64) * (1 << _SHIFT) + low
    passed = equilibrium.trace(balance, entered, left_over=1e-14)
    receiver = np.searchsorted(balance.members, block.src[balance.outside])
    part = passed[receiver] / balance.sources[receiver]
    whole = np.floor(part / (1 << _SHIFT))
    held.add(block.dst[balance.outside], whole.astype(np.int64), (part - whole * (1 << _SHIFT)).astype(np.int64))
