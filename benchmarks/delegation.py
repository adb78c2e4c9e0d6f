"""Delegation: what is measured against what; each first makes sure that both sides give the same answer."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

import crowdvote_analysis as cv
from benchmarks import memory
from benchmarks.comparison import Comparison, Result, faster, seconds, timed
from benchmarks.measure import once
from benchmarks.networks import cliques, community, frames_of, random_community, small_networks
from benchmarks.peers import compiled_sweep, raw_scipy
from tests.delegation.literal import Community, Literal

if TYPE_CHECKING:
    from benchmarks.networks import Frames


def _agree(frames: pl.DataFrame, resolution: cv.Resolution) -> None:
    """Floats of the peer and exact stars are the same to the eighth place."""
    ours = resolution.stars.select("member_id", "choice_id", ours=pl.col("stars").cast(pl.Float64))
    both = frames.join(ours, on=["member_id", "choice_id"], how="left").fill_null(0)
    assert (both["stars"] - both["ours"]).abs().max() < 6e-9, "the peer does not give the same stars"  # type: ignore[operator]


def asked(resolution: cv.Resolution) -> cv.Resolution:
    """A count of which everything is asked for: stars, ballots with reasons and influence, statistics."""
    assert resolution.stars.height + resolution.ballots.height + resolution.stats.height > 0
    return resolution


def _stars_and_weights(frames: Frames, cycles: str | None = None) -> cv.Resolution:
    """From the same frames as the peer: tables checked, everybody's stars, and the weight of every voter."""
    resolution = cv.resolve(cv.SystemState(**frames), cycles=cycles)
    assert resolution.stars.height > resolution.weights_of().height > 0
    return resolution


def _no_loops(size: float, runs: int) -> Result:
    frames = community(int(1_000_000 * size))
    compiled_sweep(community(1000))  # compiles
    _agree(compiled_sweep(frames), _stars_and_weights(frames))
    return timed(lambda: _stars_and_weights(frames), lambda: compiled_sweep(frames), runs)


def _giant_core(size: float, runs: int) -> Result:
    frames = community(int(1_000_000 * size), loops=True)
    _agree(raw_scipy(frames), _stars_and_weights(frames, "equilibrium"))
    return timed(lambda: _stars_and_weights(frames, "equilibrium"), lambda: raw_scipy(frames), runs)


def _literal_walks(size: float, runs: int) -> Result:
    networks = small_networks(max(1, int(20 * size)))
    state = cv.SystemState(**frames_of(networks))
    communities = [
        Community(
            {f"m{member:03d}": True for member in range(50)},
            [(f"m{one:03d}", f"m{other:03d}", tags) for (one, other), tags in followings.items()],
            {
                f"m{voter:03d}": (tags, {choice: Fraction(given) for choice, given in stars.items()})
                for voter, (tags, stars) in ballots.items()
            },
        )
        for followings, ballots in networks
    ]
    read = [Literal(own, "path") for own in communities]
    given = {row[:3]: Fraction(row[3]) for row in cv.resolve(state, cycles="path").stars.iter_rows()}
    for number, literal in enumerate(read):
        for member, ballot in literal.ballot.items():
            for choice, stars in ballot.stars.items() if ballot else ():
                ours = given[f"decision {number:03d}", member, choice]
                assert abs(ours - stars) <= Fraction(1, 2 * 10**8), "the literal reading does not give the same stars"
    return faster(
        lambda: cv.resolve(state, cycles="path"),
        lambda: [Literal(own, "path") for own in communities],
        runs=5 * runs,
        peer_runs=1,
    )


def _auto_at_random(size: float, runs: int) -> Result:
    """Each member follows 1 to 5 others, 20 % vote, 60 % of followings are on ALL."""
    state = cv.SystemState(**random_community(int(5_000 * size)))
    assert cv.resolve(state).refused.is_empty()
    return timed(lambda: cv.resolve(state), lambda: cv.resolve(state, cycles="equilibrium"), runs)


def _auto_tangles(size: float, runs: int) -> Result:
    """Everybody in a clique follows everybody else in it; one voter is followed by all."""
    sizes = [12] * int(500 * size) + [40]
    state = cv.SystemState(**cliques(sizes, int(10_000 * size) - sum(sizes)))
    assert set(cv.resolve(state).cores["rule"]) == {"equilibrium"}
    return timed(lambda: cv.resolve(state), lambda: cv.resolve(state, cycles="equilibrium"), runs)


def _auto_worst(size: float, runs: int) -> Result:
    """The costliest small cores there are, and nothing else."""
    state = cv.SystemState(**cliques([7] * max(1, int(10_000 / 7 * size)), 0))
    assert set(cv.resolve(state).cores["rule"]) == {"path"}
    took = min(once(lambda: cv.resolve(state)) for _ in range(runs))
    return Result(seconds(took), "–", took)


def _one_pass(size: float, runs: int) -> Result:
    frames = community(int(10_000 * size), decisions=100)
    names = frames["decisions"]["decision_id"].to_list()
    state = cv.SystemState(**frames)
    assert asked(cv.resolve(state)).stars.filter(decision_id=names[-1]).equals(cv.resolve(state, names[-1:]).stars)
    return timed(
        lambda: asked(cv.resolve(state)), lambda: [asked(cv.resolve(state, [name])) for name in names], max(1, runs - 1)
    )


def _memory(size: float, runs: int) -> Result:  # noqa: ARG001
    took, gigabytes = memory.peak(int(10_000_000 * size))
    return Result(f"{gigabytes:.1f} GB, {took:.0f} s", "–", gigabytes)


COMPARISONS = [
    Comparison(
        "no-loops",
        "no loops: 1,000,000 members, 5,000,000 followings, frames with ids as texts → checked, stars and weights",
        "a compiled (numba) sweep from the same frames, stars alone",
        (1.2, 0.8),
        "×",
        _no_loops,
    ),
    Comparison(
        "giant-core",
        "one giant core of loops, the same size, rule equilibrium",
        "raw scipy from the same frames: reduceat for tags, BiCGSTAB for each choice",
        (1.0, 0.5),
        "×",
        _giant_core,
    ),
    Comparison(
        "path-rule",
        "rule path: 20 networks of 50 members who follow 1 to 3",
        "the rule walked literally in Python",
        (1_000, 10_000),
        "× faster",
        _literal_walks,
    ),
    Comparison(
        "auto-random",
        "rule auto: 5,000 members who follow 1 to 5 others, 20 % vote",
        "rule equilibrium",
        (5, 1.5),
        "×",
        _auto_at_random,
    ),
    Comparison(
        "auto-tangles",
        "rule auto: 10,000 members, among them 500 cliques of 12 and one of 40",
        "rule equilibrium",
        (5, 1.5),
        "×",
        _auto_tangles,
    ),
    Comparison(
        "auto-worst",
        "rule auto: 10,000 members in the costliest cores that are walked",
        "a minute",
        (60, 30),
        "s",
        _auto_worst,
    ),
    Comparison(
        "one-pass", "100 decisions × 10,000 members in one call", "100 single calls", (0.15, 0.08), "×", _one_pass
    ),
    Comparison(
        "memory",
        "10,000,000 members, 50,000,000 followings, no loops",
        "the memory of the machine",
        (7, 5),
        "GB",
        _memory,
    ),
]
