"""Small cores are settled together: each gives the bits that it gives alone, and the stars of the sparse solver."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.delegation import averages, equilibrium, settling, small_cores
from tests.delegation.networks import many, state_of, tangle


def units_of(resolution: cv.Resolution) -> dict[str, bytes]:
    """The unrounded stars, bounds of error and weights of each decision, to the bit."""
    found = {}
    for part in resolution._counted:
        names = resolution._encoded.decisions["decision_id"]
        for place, code in enumerate(part.block.decisions):
            here = slice(*part.block.offsets[place : place + 2].tolist())
            choices = part.block.choices[place]
            arrays = (part.calculation.units[:choices, here], part.calculation.error[here], part.weight[here])
            found[names[code]] = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return found


def large(seed: int):
    """A tangle of some ninety members, and one that is too large to be settled with others."""
    return [*(tangle(100 + 7 * number, 3, seed + number) for number in range(3)), tangle(200, 2, seed)]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_settled_beside_a_core_does_not_matter(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One decision alone, many together, or some at a time: the same bits."""
    nets = [*many("equilibrium", 12, 500 + seed), *large(seed)]
    state = state_of(nets)
    together = units_of(cv.resolve(state, cycles="equilibrium"))
    alone = {}
    for decision in together:
        alone |= units_of(cv.resolve(state, [decision], cycles="equilibrium"))
    assert alone == together
    monkeypatch.setattr(small_cores, "_AT_ONCE", 1)
    assert units_of(cv.resolve(state, cycles="equilibrium")) == together


@pytest.mark.parametrize("seed", range(3))
def test_stars_are_those_of_the_sparse_solver(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same loops one by one: every star, depth, tag and source."""
    state = state_of([*many("equilibrium", 12, 600 + seed), *large(seed)])
    together = cv.resolve(state, cycles="equilibrium")
    monkeypatch.setattr(settling, "LARGEST", 0)
    one_by_one = cv.resolve(state, cycles="equilibrium")
    for name in ("stars", "sources", "stats", "cores"):
        assert getattr(together, name).equals(getattr(one_by_one, name)), name
    assert together.ballots.drop("weight").equals(one_by_one.ballots.drop("weight"))
    assert (together.ballots["weight"] - one_by_one.ballots["weight"]).abs().max() < 1e-9


def clique(members: int, leaks: int) -> cv.SystemState:
    """Everybody follows everybody; some follow the only voter besides."""
    names = [f"m{number:03d}" for number in range(members)]
    inner = [(one, other) for one in names for other in names if one != other]
    pairs = [*inner, *((names[number], "voter") for number in range(leaks))]
    return cv.SystemState(
        members=pl.DataFrame({"member_id": [*names, "voter"]}),
        followings=pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row"),
        ballots=pl.DataFrame({"decision_id": ["d"], "member_id": ["voter"]}),
        votes=pl.DataFrame({"decision_id": "d", "member_id": "voter", "choice_id": ["A", "B"], "stars": ["3.3", "1"]}),
        communities=pl.DataFrame({"community_id": ["community"], "cycle_rule": ["equilibrium"]}),
    )


@pytest.mark.parametrize("members", [16, 17, 100, 128])
def test_everybody_in_a_clique_has_the_ballot_of_the_only_voter(members: int) -> None:
    """However long it holds on to what enters it, and whatever the matrix is filled up with."""
    stars = cv.resolve(clique(members, 1)).stars
    assert stars.height == 2 * (members + 1)
    assert set(stars.filter(choice_id="A")["stars"].cast(pl.String)) == {"3.30000000"}


def test_what_cannot_be_inverted_is_solved_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that floats take for singular, or that holds on for too long, goes to the solver for such cores."""
    state = clique(30, 1)
    expected = cv.resolve(state).stars

    def singular(_: object) -> None:
        raise np.linalg.LinAlgError

    solved: list[int] = []
    solve = small_cores.equilibrium.solve
    monkeypatch.setattr(small_cores.equilibrium, "solve", lambda *given: solved.append(1) or solve(*given))
    with monkeypatch.context() as patch:
        patch.setattr(np.linalg, "inv", singular)
        assert cv.resolve(state).stars.equals(expected)
    monkeypatch.setattr(small_cores.equilibrium, "HELD", 10)
    assert cv.resolve(state).stars.equals(expected)
    assert len(solved) == 2


def test_an_iteration_gives_a_row_what_it_gives_it_alone() -> None:
    """Whatever is solved beside it, and whenever that is done."""
    order = np.random.default_rng(3)
    rows, columns = order.integers(0, 700, (2, 3_500))
    kept = rows != columns
    inside = averages.matrix(rows[kept], columns[kept], 700).astype(np.float64)
    inside.data[:] = 1.0
    steps = (inside / (inside.sum(axis=1)[:, None] + 1.0)).tocsr()
    right = order.random((5, 700)) * np.array([[1.0], [1e-6], [1e9], [0.0], [3.0]])
    goal = 1e-10 * right.max(axis=1)
    together = equilibrium._iterated(steps, right, goal)
    for row in range(5):
        alone = equilibrium._iterated(steps, right[row : row + 1], goal[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])
    system = equilibrium._System(steps)
    assert system.absorb(right)[2].tobytes() == system.absorb(right[2]).tobytes()
