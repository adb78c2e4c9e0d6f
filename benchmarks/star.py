"""STAR: what is measured against what; each first makes sure that both sides give the same answer."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import polars as pl
import starvote

import crowdvote_analysis as cv
from benchmarks.comparison import Comparison, Result, faster, timed
from crowdvote_analysis.star import tally_all_votes

_SEED = 20260615
_CHOICES = ["Apple", "Banana", "Cherry", "Damson", "Elder"]


def elections(ballots: int) -> pl.DataFrame:
    """Wide ballots over five choices, whole stars 0 to 5, as Int64."""
    draw = np.random.default_rng(_SEED)
    return pl.DataFrame(
        {
            name: draw.choice(6, size=ballots, p=draw.dirichlet([2.0, 1.5, 1.0, 1.0, 1.0, 1.2 + place / 10]))
            for place, name in enumerate(_CHOICES)
        }
    )


def _long(wide: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
    """One row a star, ballot by ballot, stars as Decimal(9, 8)."""
    votes = wide.unpivot(index=ids, variable_name="choice_id", value_name="stars")
    return votes.sort(ids, maintain_order=True).with_columns(pl.col("stars").cast(pl.Decimal(9, 8)))


def _library(ballots: list[dict[str, int]]) -> str:
    (winner,) = starvote.star_voting(ballots, maximum_score=5, tiebreaker=None, verbosity=0)
    return str(winner)


def bare_select(wide: pl.DataFrame) -> pl.DataFrame:
    """The floor: totals, five-star ballots and all pairs in one select; no checks, no ties, no log."""
    return wide.select(
        *(pl.col(name).sum().alias(f"total {name}") for name in wide.columns),
        *((pl.col(name) == 5).sum().alias(f"five {name}") for name in wide.columns),
        *((pl.col(a) > pl.col(b)).sum().alias(f"{a} over {b}") for a, b in permutations(wide.columns, 2)),
    )


def _wide(size: float, runs: int) -> Result:
    wide = elections(int(1_000_000 * size))
    ballots = wide.to_dicts()
    assert cv.tally_star_ballots(wide).winner == _library(ballots)
    return faster(lambda: cv.tally_star_ballots(wide), lambda: _library(ballots), 5 * runs, 1)


def _floor(size: float, runs: int) -> Result:
    wide = elections(int(1_000_000 * size))
    tally, numbers = cv.tally_star_ballots(wide), bare_select(wide).row(0, named=True)
    assert all(numbers[f"{a} over {b}"] == ballots for a, b, ballots in tally.preferences.iter_rows())
    return timed(lambda: cv.tally_star_ballots(wide), lambda: bare_select(wide), 5 * runs)


def _votes(size: float, runs: int) -> Result:
    wide = elections(int(1_000_000 * size))
    ballots = wide.to_dicts()
    votes = _long(wide.with_columns(member_id=pl.format("m{}", pl.int_range(pl.len()))), ["member_id"])
    assert cv.tally_star_votes(votes).winner == _library(ballots)
    return faster(lambda: cv.tally_star_votes(votes), lambda: _library(ballots), runs, 1)


def _thousand(size: float) -> cv.Resolution:
    """A thousand decisions of one community in which everybody voted by hand; fewer of both at less than full size."""
    members = decisions = max(10, round(1_000 * size**0.5))
    wide = elections(decisions * members).with_columns(
        decision_id=pl.format("decision {}", (pl.int_range(pl.len()) // members).cast(pl.String).str.zfill(4)),
        member_id=pl.format("m{}", (pl.int_range(pl.len()) % members).cast(pl.String).str.zfill(4)),
    )
    return cv.resolve(cv.SystemState(votes=_long(wide, ["decision_id", "member_id"])))


def _one_pass(size: float, runs: int) -> Result:
    resolution = _thousand(size)
    names = resolution.decisions["decision_id"].to_list()
    ours = cv.tally_all(resolution)
    singly = [cv.tally_star(resolution, name, on_tie="return").winner for name in names]
    assert ours["winner"].to_list() == singly
    calls = faster(
        lambda: cv.tally_all(resolution),
        lambda: [cv.tally_star(resolution, name, on_tie="return") for name in names],
        runs,
        1,
    )
    return Result(calls.ours, calls.peer, 1 / calls.ratio)


def _cut_apart(size: float, runs: int) -> Result:
    resolution = _thousand(size)
    parts = resolution.stars.partition_by("decision_id", maintain_order=True)
    ours = tally_all_votes(resolution.stars)
    assert ours["winner"].to_list() == [cv.tally_star_votes(part, on_tie="return").winner for part in parts]
    return timed(
        lambda: tally_all_votes(resolution.stars),
        lambda: [cv.tally_star_votes(part, on_tie="return") for part in parts],
        runs,
    )


COMPARISONS = [
    Comparison(
        "star-wide",
        "STAR: 1,000,000 ballots × 5 choices, one row a ballot",
        "the starvote package",
        (100, None),
        "× faster",
        _wide,
    ),
    Comparison("star-floor", "the same", "a bare polars select of the same numbers", (2, None), "×", _floor),
    Comparison("star-votes", "the same, one row a star", "the starvote package", (5, None), "× faster", _votes),
    Comparison(
        "star-one-pass",
        "STAR: 1,000 decisions × 1,000 ballots in one call",
        "1,000 single calls",
        (0.1, None),
        "×",
        _one_pass,
    ),
    Comparison(
        "star-cut-apart",
        "the same from votes",
        "1,000 single calls on frames cut apart beforehand",
        (0.1, None),
        "×",
        _cut_apart,
    ),
]
