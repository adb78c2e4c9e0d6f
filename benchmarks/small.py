"""Many small counts: scenarios a second, winner wanted, against a plain loop of networkx and numpy."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

import crowdvote_analysis as cv
from benchmarks.comparison import Comparison, Result
from benchmarks.measure import in_turns
from benchmarks.networks import Frames, community
from benchmarks.peers import networkx_loop


def _scenarios(number: int, members: int) -> list[Frames]:
    return [community(members, loops=True, seed=seed) for seed in range(number)]


def _together(scenarios: list[Frames]) -> Frames:
    """Scenarios as communities of one state, each with one decision."""
    many: dict[str, list[pl.DataFrame]] = {}
    for number, frames in enumerate(scenarios):
        names = {"community_id": f"town {number:05d}", "decision_id": f"decision {number:05d}"}
        for table, frame in frames.items():
            own = {column: pl.lit(name) for column, name in names.items() if column in frame.columns}
            many.setdefault(table, []).append(frame.with_columns(**own))
    return {table: pl.concat(parts) for table, parts in many.items()}


def _winners(together: Frames) -> list[str | None]:
    resolution = cv.resolve(cv.SystemState(**together), cycles="equilibrium")
    return cv.tally_all(resolution).sort("decision_id")["winner"].to_list()


def _throughput(size: float, runs: int, *, members: int, number: int) -> Result:
    """Both start from frames with ids as texts, and end at a winner each; ours get them all in one call."""
    scenarios = _scenarios(max(2, int(number * size)), members)
    together = _together(scenarios)
    same = [one == other for one, other in zip(_winners(together), map(networkx_loop, scenarios), strict=True)]
    assert np.mean(same) > 0.95, "ties apart, both elect the same"  # floats settle no tie
    timing = in_turns(lambda: _winners(together), lambda: [networkx_loop(frames) for frames in scenarios], runs)
    ours, peer = len(scenarios) / timing.ours, len(scenarios) / timing.peer
    return Result(f"{ours:,.0f} a second", f"{peer:,.0f} a second", ours / peer)


COMPARISONS = [
    Comparison(
        "scenarios-100",
        "scenarios of 100 members: 5 followings, loops, 10 % vote, 5 choices; winner wanted",
        "networkx and numpy, one after the other",
        (1, 2),
        "× faster",
        partial(_throughput, members=100, number=300),
    ),
    Comparison(
        "scenarios-1000",
        "the same of 1,000 members",
        "the same",
        (4, 10),
        "× faster",
        partial(_throughput, members=1_000, number=40),
    ),
]
