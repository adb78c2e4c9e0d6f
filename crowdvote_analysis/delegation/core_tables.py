"""The cores of a count as tables, and the decisions that were left out for theirs (Y3, Y6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.cores import cores_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crowdvote_analysis.delegation.counted import Counted
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.errors import CyclicCoreTooLarge

CORES: dict[str, type[pl.DataType]] = {
    "decision_id": pl.String,
    "core": pl.Int64,
    "members": pl.Int64,
    "followings": pl.Int64,
    "rule": pl.String,
}
CORE_MEMBERS: dict[str, type[pl.DataType]] = {"decision_id": pl.String, "core": pl.Int64, "member_id": pl.String}


def refusals(errors: Iterable[CyclicCoreTooLarge]) -> pl.DataFrame:
    """The decisions that were left out, and why."""
    rows = [(error.decision_id, str(error)) for error in errors]
    return pl.DataFrame(rows, schema={"decision_id": pl.String, "error": pl.String}, orient="row").sort("decision_id")


def cores(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """The cores of a block, numbered within each decision; columns as in ``Resolution.cores``."""
    found = cores_of(counted.block, counted.order)
    codes = [counted.block.decisions[core.decision] for core in found]
    frame = pl.DataFrame(
        [(core.members, core.followings, core.rule) for core in found], schema=list(CORES)[2:], orient="row"
    )
    frame = frame.with_columns(decision_id=encoded.decisions["decision_id"].gather(codes))
    return frame.with_columns(core=pl.int_range(1, pl.len() + 1).over("decision_id")).select(
        pl.col(name).cast(kind) for name, kind in CORES.items()
    )


def core_members(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """Who is in which core of a block; columns as in ``Resolution.core_members``."""
    block, nodes = counted.block, np.flatnonzero(counted.order.core >= 0)
    codes = np.repeat(np.array(block.decisions, dtype=np.int64), np.diff(block.offsets))[nodes]
    frame = pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(codes),
            "number": counted.order.core[nodes],
            "member_id": encoded.members["member_id"].gather(block.member[nodes]),
        }
    )
    return frame.select(
        "decision_id", "member_id", core=pl.col("number").rank("dense").over("decision_id").cast(pl.Int64)
    ).select("decision_id", "core", "member_id")
