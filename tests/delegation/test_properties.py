"""The count equals the literal reading of the rules, on whatever network, and nothing but the tables changes it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import crowdvote_analysis as cv
from crowdvote_analysis.delegation import equilibrium
from crowdvote_analysis.delegation.elimination import Chain, Elimination
from crowdvote_analysis.delegation.thinning import Thinned
from tests.delegation.networks import PLACES, Network, departures, many, network, state_of, tangle

RULES = ["auto", "path", "equilibrium"]
FRAMES = ["ballots", "stars", "sources", "score_shares", "stats", "choices", "decisions", "cores", "core_members"]


@st.composite
def networks(draw: st.DrawFn, cycles: str) -> Network:
    return network(lambda below: draw(st.integers(0, below - 1)), cycles)


def voters(stars: dict[str, dict[str, Fraction]], tags: Sequence[str] = ()) -> dict:
    return {name: (list(tags), given) for name, given in stars.items()}


def community(
    followings: Sequence[tuple[str, str]], ballots: dict[str, dict[str, Fraction]], cycles: str = "path"
) -> Network:
    """Everybody is a voter and follows on ALL."""
    names = dict.fromkeys([name for pair in followings for name in pair] + list(ballots), True)
    return Network(cycles, names, [(*pair, []) for pair in followings], [voters(ballots)])


def stars_of(net: Network, member: str, choice: str = "X") -> Decimal:
    stars = cv.resolve(state_of([net])).stars
    return stars.filter(member_id=member, choice_id=choice)["stars"].item()


def star(hundred_millionths: int) -> Fraction:
    return Fraction(hundred_millionths, PLACES)


# --- the literal reading --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
@settings(max_examples=25)
@given(data=st.data())
def test_networks_are_counted_as_the_rules_say(cycles: str, data: st.DataObject) -> None:
    """Ballots, stars, sources and statistics of any small networks equal the literal reading (D, T, Y, I, M)."""
    # Several at once, as one state costs more than what is in it; what fails is cut down to one.
    nets = data.draw(st.lists(networks(cycles), min_size=1, max_size=12))
    assert departures(nets, cv.resolve(state_of(nets))) == []


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_communities_are_counted_at_once_as_the_rules_say(
    cycles: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand communities, a thousand in each state, do not disturb each other; levels as frames or by member."""
    monkeypatch.setattr("crowdvote_analysis.delegation.settling._NARROW", [0, 128, 10**9][seed % 3])
    nets = many(cycles, 1000, seed)
    resolution = cv.resolve(state_of(nets))
    assert (resolution.ballots["in_loop"] & (resolution.ballots["origin"] == "calculated")).sum() > 500
    assert departures(nets, resolution) == []


@pytest.mark.slow
def test_each_community_is_counted_by_its_own_rule() -> None:
    """Communities of both rules stand in one state (Y)."""
    nets = [net for pair in zip(many("path", 200, 7), many("equilibrium", 200, 7), strict=True) for net in pair]
    assert departures(nets, cv.resolve(state_of(nets))) == []


def test_the_argument_cycles_goes_before_the_rule_of_the_community() -> None:
    """``cycles`` counts every community by one rule, and the decisions frame says which."""
    nets = many("path", 100, 3)
    resolution = cv.resolve(state_of(nets), cycles="equilibrium")
    assert resolution.decisions["cycle_rule"].unique().to_list() == ["equilibrium"]
    assert departures([Network("equilibrium", *_parts(net)) for net in nets], resolution) == []


def _parts(net: Network) -> tuple:
    return net.members, net.followings, net.decisions


# --- rounding (D10) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sum_", "expected"), [(3, "0E-8"), (9, "0.00000002"), (15, "0.00000002"), (21, "0.00000004")])
def test_an_exact_half_goes_to_the_even_place_whatever_the_other_choices_do(sum_: int, expected: str) -> None:
    """X averages to exactly half a place while Y leaves thirds: X is still rounded half-even."""
    hands = [f"v{number}" for number in range(6)]
    ballots = {hand: {"X": Fraction(0)} for hand in hands} | {"v0": {"X": star(sum_), "Y": star(1)}}
    net = community([("A", hand) for hand in hands], ballots)
    assert stars_of(net, "A") == Decimal(expected)
    assert stars_of(net, "A", "Y") == 0


def test_halvings_that_close_in_on_a_half_from_both_sides_are_told_apart() -> None:
    """Stars nearer to half a place than 1e-18 are rounded by the side they are on, forever."""
    # Each member averages the two before: 3/2, 0, 3/4, 3/8, … hundred-millionths, towards 1/2, above and below in turn.
    steps = 150
    names = ["s0", "s1", *(f"s{number}" for number in range(2, steps))]
    pairs = [("s0", "v3"), ("s0", "v0"), ("s1", "v0")]
    pairs += [(names[n], names[n - back]) for n in range(2, steps) for back in (1, 2)]
    net = community(pairs, {"v3": {"X": star(3)}, "v0": {"X": star(0)}})
    got = cv.resolve(state_of([net])).stars
    seen = dict(zip(got["member_id"], got["stars"], strict=True))
    exact = [Fraction(3, 2), Fraction(0)]
    for number in range(2, steps):
        exact.append((exact[number - 1] + exact[number - 2]) / 2)
        assert seen[names[number]] == Decimal(int(exact[number] > Fraction(1, 2))).scaleb(-8), names[number]


@pytest.mark.parametrize("odd", [1, 3, 1234567, 499999999])
def test_thirds_that_add_up_to_a_half_are_an_exact_half(odd: int) -> None:
    """A third, two thirds and halvings that end exactly on a half leave no trace of the thirds."""
    # t = 1/3 odd, u = 2/3 odd, so (t + u) / 2 = odd / 2; rounding t and u down by 1e-18 would miss the half.
    pairs = [("t", "one"), ("t", "zero"), ("t", "nil"), ("u", "one"), ("u", "also"), ("u", "nil")]
    pairs += [("A", "t"), ("A", "u")]
    stars = {"one": star(odd), "also": star(odd), "zero": star(0), "nil": star(0)}
    net = community(pairs, {name: {"X": value} for name, value in stars.items()})
    assert stars_of(net, "A") == Decimal(round(Fraction(odd, 2))).scaleb(-8)
    assert departures([net], cv.resolve(state_of([net]))) == []


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("base", range(8))
def test_a_half_that_comes_out_of_a_loop_goes_to_the_even_place(cycles: str, base: int) -> None:
    """Two members who follow each other and two voters each meet eighths and sixths exactly."""
    pairs = [("A", "B"), ("A", "v"), ("A", "w"), ("B", "A"), ("B", "x"), ("B", "y"), ("C", "A"), ("C", "v")]
    ballots = {name: {"X": star(400_000_000 + base * k)} for k, name in enumerate(["v", "w", "x", "y"])}
    net = community(pairs, ballots, cycles)
    assert departures([net], cv.resolve(state_of([net]))) == []


@pytest.mark.slow
@pytest.mark.parametrize("odd", [229065165, 400000001, 400000003, 412345675, 412345679])
def test_thirds_out_of_a_balanced_loop_that_add_up_to_a_half_are_an_exact_half(odd: int) -> None:
    """Y4 rounds as D10 does: A has (2v + w) / 3, D has (v + 2w) / 3, so C has exactly (v + w) / 2."""
    pairs = [("A", "B"), ("A", "v"), ("B", "A"), ("B", "w"), ("D", "w"), ("D", "A"), ("C", "A"), ("C", "D")]
    for low in range(20_000_000, 20_000_012):
        net = community(pairs, {"v": {"X": star(odd - low)}, "w": {"X": star(low)}}, "equilibrium")
        assert stars_of(net, "C") == Decimal(round(Fraction(odd, 2))).scaleb(-8), low


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "even"), [(2, 450494834), (3, 490126090), (3, 490126091)])
def test_a_large_core_that_balances_on_a_half_goes_to_the_even_place(seed: int, even: int) -> None:
    """Everybody in a core with one way out has the stars of that way out, to the last place (Y4, D10)."""
    order = random.Random(seed)
    names = [f"m{number:04d}" for number in range(3000)]
    pairs = set(zip(names, [*names[1:], names[0]], strict=True))
    for name in names:
        other = names[order.randrange(len(names))]
        if other != name:
            pairs.add((name, other))
    pairs |= {(order.choice(names), "U"), ("U", "v"), ("U", "w")}
    net = community(sorted(pairs), {"v": {"X": star(even)}, "w": {"X": star(even + 1)}}, "equilibrium")
    stars = cv.resolve(state_of([net])).stars.filter(~pl.col("member_id").is_in(["v", "w"]))
    assert stars["stars"].unique().to_list() == [Decimal(round(even + Fraction(1, 2))).scaleb(-8)]


# --- larger and wider networks --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
def test_a_ring_of_two_hundred_is_counted_as_the_rules_say(cycles: str) -> None:
    """Long loops are walked whole; a few members have ways out of different stars."""
    names = [f"r{number:03d}" for number in range(200 if cycles == "path" else 60)]
    pairs = list(zip(names, [*names[1:], names[0]], strict=True))
    pairs += [(names[0], "v"), (names[7], "w"), (names[50], "v"), (names[50], "w")]
    net = community(pairs, {"v": {"X": star(1)}, "w": {"X": Fraction(5), "Y": star(333_333_333)}}, cycles)
    assert departures([net], cv.resolve(state_of([net]))) == []


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("size", [6, 7])
def test_a_core_in_which_everybody_follows_everybody_is_counted_as_the_rules_say(cycles: str, size: int) -> None:
    """Dense cores, with tags that some walks lose on the way."""
    names = [f"d{number}" for number in range(size)]
    tags = [[], ["a"], ["b"], ["a", "b"]]
    followings = [(f, g, tags[(i * 3 + j) % 4]) for i, f in enumerate(names) for j, g in enumerate(names) if f != g]
    followings += [(names[0], "v", []), (names[1], "w", ["b"]), (names[2], "u", ["a"])]
    ballots = {
        "v": (["a"], {"X": star(7), "Y": Fraction(5)}),
        "w": (["b", "c"], {"X": Fraction(4)}),
        "u": (["a"], {"Z": star(1)}),
    }
    net = Network(cycles, dict.fromkeys([*names, "u", "v", "w"], True), followings, [ballots])
    assert departures([net], cv.resolve(state_of([net]))) == []


def test_a_core_beyond_the_work_limit_is_refused_with_the_way_out() -> None:
    """Y3: the error names the decision, the size of the core, the work, and what to do; no other rule steps in."""
    names = [f"d{number}" for number in range(7)]
    pairs = [(f, g) for f in names for g in names if f != g] + [("d0", "v")]
    state = state_of([community([("A", "v")], {"v": {"X": star(1)}}), community(pairs, {"v": {"X": star(1)}})])
    with pytest.raises(cv.CyclicCoreTooLarge) as caught:
        cv.resolve(state, work_limit=100)
    error = caught.value
    assert (error.decision_id, error.core_size, error.work_limit) == ("c1/0", 7, 100)
    assert isinstance(error, cv.CrowdVoteError)
    for part in ("'c1/0'", "7 members", "100 steps", "Y3", "auto", "--cycles"):
        assert part in str(error)
    assert cv.resolve(state, decisions=["c0/0"], work_limit=100).stars.height == 2
    assert cv.resolve(state, cycles="equilibrium", work_limit=0).stars.height == 10


def test_the_work_limit_counts_each_decision_by_itself() -> None:
    """What one decision needs does not depend on how many others there are (Y3)."""
    ring = [("A", "B"), ("B", "C"), ("C", "A"), ("A", "v")]
    one, hundred = community(ring, {"v": {"X": star(1)}}), [community(ring, {"v": {"X": star(1)}})] * 100
    enough = next(n for n in range(1, 1000) if not _too_much([one], n))
    assert not _too_much(hundred, enough)
    assert _too_much(hundred, enough - 1)


def _too_much(nets: list[Network], limit: int) -> bool:
    try:
        cv.resolve(state_of(nets), work_limit=limit)
    except cv.CyclicCoreTooLarge:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
def test_more_than_64_tags_and_choices_are_kept_apart(cycles: str) -> None:
    """The 65th tag and choice, and the 129th, are not confused with the first."""
    tags, choices = [f"tag {n:03d}" for n in range(200)], [f"choice {n:03d}" for n in range(150)]
    ballots = {
        f"v{n:03d}": (
            [tags[n], tags[(n + 64) % 200]],
            {choices[n % 150]: star(n + 1), choices[(n + 64) % 150]: star(3)},
        )
        for n in range(200)
    }
    followings = [(f"f{n:03d}", f"v{m:03d}", [tags[n]]) for n in range(0, 200, 3) for m in (n, (n + 136) % 200, n ^ 64)
                  if m < 200]  # fmt: skip
    followings += [(f"f{n:03d}", f"f{(n + 3) % 198:03d}", [tags[n], tags[(n + 67) % 200]]) for n in range(0, 198, 3)]
    followings += [("all", f"f{n:03d}", []) for n in range(0, 200, 3)]
    names = dict.fromkeys([f for f, _, _ in followings] + list(ballots), True)
    net = Network(cycles, names, followings, [ballots])
    assert departures([net], cv.resolve(state_of([net]))) == []


def test_a_chain_of_two_thousand_is_inherited_to_its_end() -> None:
    """Depth grows by one a step (D11), stars stay as they are, and everybody before is in the tree (I2)."""
    names = [f"n{number:04d}" for number in range(2001)]
    net = community(list(pairwise(names)), {names[-1]: {"X": star(123456789)}})
    resolution = cv.resolve(state_of([net]))
    assert resolution.ballots["depth"].to_list() == list(range(2000, -1, -1))
    assert resolution.ballots["influence_total"].to_list() == list(range(2001))
    assert resolution.ballots["weight"].to_list() == [0.0] * 2000 + [2001.0]
    assert resolution.stars["stars"].unique().to_list() == [Decimal("1.23456789")]
    assert resolution.stars.height == 2001
    assert resolution.stats["max_delegation_depth"].item() == 2000


def test_a_loop_that_nobody_feeds_gives_nothing() -> None:
    """Members who only follow each other have no ballot under either rule, however many they are."""
    names = [f"n{number:03d}" for number in range(300)]
    net = community(list(zip(names, [*names[1:], names[0]], strict=True)), {"v": {"X": star(1)}})
    for cycles in RULES:
        ballots = cv.resolve(state_of([net]), cycles=cycles).ballots.filter(pl.col("member_id") != "v")
        assert ballots["origin"].unique().to_list() == ["none"]
        assert ballots["reason_detail"].unique().to_list() == ["no_ballot"]
        assert ballots["in_loop"].all()


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (["a"], ["b"], "match"),
        (["a"], ["c"], "no_match"),
        (["a"], [], "match"),
        ([], [], "match"),
        (["B "], ["a"], "match"),
    ],
)
def test_two_followings_of_a_pair_count_as_one(first: list[str], second: list[str], outcome: str, cycles: str) -> None:
    """D8: union of tags, ALL wins, one source in the divisor, not two."""
    followings = [("A", "v", first), ("A", "v", second), ("A", "w", [])]
    ballots = {"v": (["b"], {"X": Fraction(5)}), "w": ([], {"X": Fraction(0)})}
    net = Network(cycles, dict.fromkeys("Avw", True), followings, [ballots])
    resolution = cv.resolve(state_of([net]))
    assert departures([net], resolution) == []
    assert resolution.sources.filter(followee_id="v")["outcome"].to_list() == [outcome]
    expected = Decimal("2.5") if outcome == "match" else Decimal(0)
    assert resolution.stars.filter(member_id="A")["stars"].to_list() == [expected]


# --- the same bits (D10) --------------------------------------------------------------------------------------------


def test_the_order_of_rows_changes_nothing() -> None:
    """Shuffled tables give identical frames."""
    nets = [*many("path", 150, 5), *many("equilibrium", 150, 6), tangle(900, 3)]
    one, other = (cv.resolve(state_of(nets, seed)) for seed in (0, 1))
    for name in FRAMES:
        assert getattr(one, name).equals(getattr(other, name)), name


@pytest.mark.slow
def test_a_decision_is_counted_alone_as_among_all() -> None:
    """The batch a decision is computed in changes no bit, weights included."""
    state = state_of([*many("path", 25, 8), *many("equilibrium", 25, 9), tangle(700, 4), tangle(300, 3, 1)])
    together = cv.resolve(state)
    for decision in together.decisions["decision_id"]:
        alone = cv.resolve(state, decisions=[decision])
        for name in FRAMES:
            among = getattr(together, name).filter(decision_id=decision)
            assert getattr(alone, name).equals(among), (decision, name)


def test_the_order_of_followings_is_display_only() -> None:
    """D9: the column ``order`` changes no number."""
    state = state_of(many("path", 50, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        turned = cv.SystemState(
            **{name: getattr(state, name) for name in ("communities", "members", "decisions", "choices", "ballots")},
            votes=state.votes,
            followings=state.followings.with_columns(order=-pl.int_range(pl.len())),
        )
    for name in FRAMES:
        assert getattr(cv.resolve(state), name).equals(getattr(cv.resolve(turned), name)), name


FINGERPRINT = """
import hashlib, io
import crowdvote_analysis as cv
from tests.delegation.networks import many, state_of, tangle
resolution = cv.resolve(state_of([*many("path", 100, 11), *many("equilibrium", 100, 12), tangle(3000, 3, 13)]))
written = hashlib.sha256()
for name in ("ballots", "stars", "sources", "score_shares", "stats", "choices", "decisions"):
    file = io.BytesIO()
    getattr(resolution, name).rechunk().write_parquet(file)
    written.update(file.getvalue())
print(written.hexdigest(), resolution.ballots["in_loop"].sum())
"""


@pytest.mark.slow
@pytest.mark.usefixtures("all_cores")
def test_threads_and_hash_seeds_change_no_bit() -> None:
    """One or two threads and any hash seed write the same bytes, a core of thousands included."""
    prints = set()
    for threads, hash_seed in (("1", "0"), ("2", "1"), ("2", "2")):
        environment = {
            **os.environ,
            "POLARS_MAX_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": str(Path(cv.__file__).parents[1]),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FINGERPRINT],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        prints.add(done.stdout)
    assert len(prints) == 1
    assert int(prints.pop().split()[1]) > 2000


@pytest.mark.parametrize("size", [501, 700, 1000])
def test_a_long_ring_under_the_equilibrium_rule_gives_no_warnings(size: int) -> None:
    """A ring with one way out settles on that way out, without a word from the libraries underneath."""
    names = [f"n{number:04d}" for number in range(size)]
    pairs = list(zip(names, [*names[1:], names[0]], strict=True))
    for place in (0, 1, 2):
        net = community([*pairs, (names[place], "v")], {"v": {"X": star(456789123 + place)}}, "equilibrium")
        stars = cv.resolve(state_of([net])).stars
        assert stars["stars"].unique().to_list() == [Decimal(456789123 + place).scaleb(-8)]
        assert stars.height == size + 1


def ladders(one: int, other: int) -> Network:
    """In the middle a member, on either side a ladder: each rung follows the next one and the middle; v and w end them.

    A walk from the middle climbs a ladder of n rungs to its end with a chance of one in 2**n, so it takes about 2**n
    steps to leave, and leaves by v in 2**other of 2**one + 2**other times.
    """
    pairs = [("middle", "a001"), ("middle", "b001")]
    for side, rungs, end in (("a", one, "v"), ("b", other, "w")):
        for rung in range(1, rungs + 1):
            pairs.append((f"{side}{rung:03d}", f"{side}{rung + 1:03d}" if rung < rungs else end))
            pairs.append((f"{side}{rung:03d}", "middle"))
    return community(pairs, {"v": {"X": Fraction(5)}, "w": {"X": Fraction(0)}}, "equilibrium")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other", "thinned"),
    [
        *((one, other, False) for one, other in [(10, 11), (20, 21), (30, 31), (31, 29), (60, 59), (900, 899)]),
        *((one, other, True) for one, other in [(30, 31), (31, 29), (60, 59), (300, 290), (900, 899)]),
    ],
)
def test_a_core_that_holds_on_to_what_enters_it_is_balanced_all_the_same(
    one: int, other: int, thinned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where millions of millions of steps lead out of a loop, stars, weights and parts of the score are still right."""
    if thinned:
        no_core_is_small(monkeypatch)
    resolution = cv.resolve(state_of([ladders(one, other)]))
    exact = Fraction(5 * 2**other, 2**one + 2**other)
    middle = resolution.stars.filter(member_id="middle")["stars"].item()
    assert middle == Decimal(round(exact * 10**8)).scaleb(-8)
    assert resolution.ballots["weight"].sum() == pytest.approx(resolution.stats["tallied_ballots"].item(), rel=1e-12)
    part = resolution.score_shares.filter(member_id="v")
    weight = resolution.ballots.filter(member_id="v")["weight"].item()
    assert [float(row) for row in part["weight"]] == pytest.approx([weight] if weight else [], rel=1e-12)
    total = sum(resolution.stars["stars"], Decimal(0))
    assert sum(resolution.score_shares["score"], Decimal(0)) == total


def no_core_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds on is thinned out whatever its size."""
    for module in ("equilibrium", "thinning"):
        monkeypatch.setattr(f"crowdvote_analysis.delegation.{module}.LARGEST", 0)


@pytest.mark.parametrize(("members", "rungs"), [(12, 3), (25, 10), (25, 45), (40, 60)])
def test_a_few_accounts_that_hold_on_to_everything_change_no_digit(members: int, rungs: int) -> None:
    """Some accounts join a tangle, each following the next and the first: thinned out, it has the exact stars (Y4)."""
    order, size = random.Random(members), members + rungs
    pairs = {
        (one, (one + step) % members) for one in range(members) for step in (1, 1 + order.randrange(1, members - 1))
    }
    pairs |= {(members + rung, members + rung + 1 if rung < rungs - 1 else 0) for rung in range(rungs)}
    pairs |= {(members + rung, members) for rung in range(1, rungs)} | {(one, members) for one in range(0, members, 3)}
    rows, columns = zip(*sorted(pairs), strict=True)
    inside = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    outside = [Fraction(order.randrange(6)) if one % 4 == 0 and one < members else Fraction(0) for one in range(size)]
    sources = np.diff(inside.indptr) + [one % 4 == 0 and one < members for one in range(size)]
    chain = Chain(equilibrium._averaging(inside, sources), (sources - np.diff(inside.indptr)) / sources)
    thinned = Thinned(chain, equilibrium._refined)
    assert 0 < thinned.gone <= size
    given_stars = np.array([float(value) for value in outside]) / sources
    exact = [float(value) for value in equilibrium.solve_exactly(inside, sources, outside)]
    assert thinned.stars(given_stars).tolist() == pytest.approx(exact, rel=1e-12)
    entered = np.eye(size)[members]
    assert thinned.passed(entered) @ given_stars == pytest.approx(exact[members], rel=1e-12)


@pytest.mark.parametrize("thinned", [False, True])
def test_numbers_that_are_too_small_for_floats_are_no_stars(thinned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a walk has a chance of one in 2**1100 to leave, an error says so; wrong stars never do."""
    if thinned:
        no_core_is_small(monkeypatch)
    with pytest.raises(cv.CrowdVoteError, match="cannot be told to 8 places"):
        cv.resolve(state_of([ladders(1100, 1100)]))


def test_a_core_that_is_too_much_for_elimination_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather an error than stars that are not right."""
    no_core_is_small(monkeypatch)
    monkeypatch.setattr("crowdvote_analysis.delegation.thinning._WORK", 0)
    with pytest.raises(cv.CrowdVoteError, match=r"a loop of 81 members .* take some of their followings out"):
        cv.resolve(state_of([ladders(40, 40)]))


@pytest.mark.parametrize("cycles", RULES)
def test_progress_counts_every_member_once(cycles: str) -> None:
    """The number of ballots done never falls nor goes beyond all, and the last call says that all are done."""
    loop = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"), ("a", "v")]
    state = state_of([community(loop, {"v": {"X": Fraction(5)}}, cycles) for _ in range(2)])
    seen: list[tuple[int, int]] = []
    everybody = cv.resolve(state, progress=lambda done, of: seen.append((done, of))).ballots.height
    assert seen[-1] == (everybody, everybody)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert max(done for done, _ in seen[:-1]) == 6, "everybody but the two voters"


def test_how_many_ballots_come_from_outside_is_no_work_for_loops() -> None:
    """Whoever follows hundreds of voters makes no loop harder to walk: they come and go together (Y3, Y6)."""
    inside = [(f"m{one}", f"m{other}") for one in range(7) for other in range(7) if one != other]
    spent = []
    for each in (1, 300):
        pairs = [*inside, *((f"m{one}", f"v{one} {voter}") for one in range(7) for voter in range(each))]
        voters_ = {name: {"X": Fraction(1)} for _, name in pairs if name.startswith("v")}
        state = state_of([community(pairs, voters_)])
        spent.append(next(limit for limit in range(9_000, 40_000, 500) if _can_be_walked(state, limit)))
    assert spent[0] == spent[1]


def _can_be_walked(state: cv.SystemState, limit: int) -> bool:
    return cv.resolve(state, work_limit=limit, on_refusal="report").refused.is_empty()


def test_decisions_are_a_list_and_not_one_text() -> None:
    """A text is refused rather than taken apart; anything that can be gone through once will do."""
    state = state_of(many("path", 2, 1))
    with pytest.raises(TypeError, match="give a list"):
        cv.resolve(state, decisions="c0/0")  # type: ignore[arg-type]
    assert cv.resolve(state, decisions=(name for name in ["c0/0"])).stats.height == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("followed", [2, 29])
def test_elimination_gives_the_exact_stars_and_weights(followed: int) -> None:
    """Cores of few and of many followings, with and without the zeros left out, equal elimination with fractions."""
    size, order = 30, random.Random(followed)
    others = [order.sample([other for other in range(size) if other != member], followed) for member in range(size)]
    rows = [member for member in range(size) for _ in range(followed)]
    inside = csr_array((np.ones(len(rows)), (rows, [other for row in others for other in row])), shape=(size, size))
    outside = [Fraction(order.randrange(6)) if member % 5 == 0 else Fraction(0) for member in range(size)]
    sources = np.array([followed + (member % 5 == 0) for member in range(size)])
    averaging = (csr_array(inside.toarray() / sources[:, None]), (sources - np.diff(inside.indptr)) / sources)
    held = Elimination(Chain(*averaging))
    given_stars = np.array([float(value) for value in outside]) / sources
    exact = [float(value) for value in equilibrium.solve_exactly(inside, sources, outside)]
    assert held.stars(given_stars).tolist() == pytest.approx(exact, rel=1e-12)
    # What passes through a member, times what is taken from outside there, is the same stars seen from the other end.
    for member in (0, 7):
        entered = np.zeros(size)
        entered[member] = 1
        assert held.passed(entered) @ given_stars == pytest.approx(exact[member], rel=1e-12)
