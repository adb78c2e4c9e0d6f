"""A count from files to files gives what ``resolve`` gives, bit for bit, whatever the size of its chunks."""

from __future__ import annotations

import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crowdvote_analysis as cv
from crowdvote_analysis.out_of_core import averages, loops, results
from crowdvote_analysis.out_of_core import count as counting
from tests.delegation.networks import Network, joined, many, network, state_of, tangle

RULES = ["auto", "path", "equilibrium"]


@pytest.fixture(autouse=True)
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk holds a few followings, members are written a few at a time, and every wave but of two is wide."""
    monkeypatch.setattr(counting, "_LARGEST_CHUNK", 5)
    monkeypatch.setattr(counting, "_SMALLEST_CHUNK", 5)
    monkeypatch.setattr(results, "_CELLS", 6)
    monkeypatch.setattr(averages, "_NARROW", 2)
    monkeypatch.setattr(averages, "_RUN", 2)


def written(folder: Path, table: str) -> pl.DataFrame:
    """A result of all decisions."""
    return pl.read_parquet(folder / f"resolved_{table}" / "*.parquet")


def differences(state: cv.SystemState, folder: Path, cycles: str | None = None) -> list[str]:
    """Count a state both ways: which of the things that files hold are not the same."""
    state.write(folder / "tables")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        expected = cv.resolve(state, cycles=cycles)
        found = cv.count_files(folder / "tables", folder / "counted", cycles=cycles)
    ballots = written(folder / "counted", "ballots")
    same = {
        "ballots": ballots.equals(expected.ballots.select(ballots.columns)),
        "stars": written(folder / "counted", "stars").equals(expected.stars),
        "stats": found.stats.equals(expected.stats),
        "tallies": found.tallies.equals(cv.tally_all(expected)),
    }
    for decision, tally in cv.tally_each(expected).items():
        scores = found.scores.filter(decision_id=decision).drop("decision_id")
        same[f"scores of {decision}"] = scores.equals(tally.scores)
    return [name for name, alike in same.items() if not alike]


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.usefixtures("tiny_cores")
def test_random_communities_are_counted_alike(tmp_path: Path, cycles: str) -> None:
    """Loops, lobbyists, strangers, self-followings, odd tags, ballots without stars, several decisions."""
    assert differences(state_of([*many(cycles, 16, seed=7), *joined(cycles, 5, seed=7)]), tmp_path) == []


@st.composite
def networks(draw: st.DrawFn) -> list[Network]:
    rules = st.lists(st.sampled_from(RULES), min_size=1, max_size=2)
    return [network(lambda below: draw(st.integers(0, below - 1)), rule) for rule in draw(rules)]


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(networks())
def test_any_community_is_counted_alike(tmp_path_factory: pytest.TempPathFactory, nets: list[Network]) -> None:
    """Whatever network, under whatever rule."""
    assert differences(state_of(nets), tmp_path_factory.mktemp("any")) == []


@pytest.mark.parametrize("cycles", ["auto", "equilibrium"])
def test_a_giant_core_is_counted_alike(tmp_path: Path, cycles: str) -> None:
    """Most members share one core of loops, which is balanced in memory."""
    assert differences(state_of([tangle(120, 2)]), tmp_path, cycles) == []


def test_many_tags_and_choices_are_counted_alike(tmp_path: Path) -> None:
    """Sets of tags and choices that do not fit into one machine word."""
    order = np.random.default_rng(5)
    names = [f"m{number:03d}" for number in range(120)]
    tags = [f"tag {number:03d}" for number in range(90)]
    pairs = {(int(a), int(b)) for a, b in order.integers(0, 120, (300, 2)) if a != b}
    followings = [(names[a], names[b], [str(t) for t in order.choice(tags, 8)]) for a, b in sorted(pairs)]
    ballots = [(name, [str(t) for t in order.choice(tags, 20)]) for name in names[:40]]
    votes = [(name, f"choice {c:02d}", int(order.integers(0, 6))) for name in names[:39] for c in range(70)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        state = cv.SystemState(
            followings=pl.DataFrame(followings, schema=["follower_id", "followee_id", "tags"], orient="row"),
            ballots=pl.DataFrame(ballots, schema=["member_id", "tags"], orient="row"),
            votes=pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
        )
    assert differences(state, tmp_path) == []


def test_a_long_chain_is_counted_alike(tmp_path: Path) -> None:
    """Wave after wave of one member, and halves of the ninth place on the way."""
    ids = [f"m{number:04d}" for number in range(400)]
    followings = [(ids[n + 1], ids[n]) for n in range(399)] + [(ids[n], "voter") for n in range(5, 400, 7)]
    votes = [(ids[0], "pond", "4.00000001"), ("voter", "pond", "3.33333333"), ("voter", "swings", "0.00000001")]
    state = cv.SystemState(
        members=pl.DataFrame({"member_id": [*ids, "voter"]}),
        followings=pl.DataFrame(followings, schema=["follower_id", "followee_id"], orient="row"),
        ballots=pl.DataFrame({"member_id": [ids[0], "voter"]}),
        votes=pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
    )
    assert differences(state, tmp_path) == []


def test_a_value_beside_a_half_is_worked_out_exactly(tmp_path: Path) -> None:
    """(4/3 + 5/3) / 2 hundred-millionths are one and a half, whatever the thirds were rounded to: 2, half-even."""
    given = {"a": 2, "b": 1, "c": 1, "d": 2, "e": 2, "f": 1}
    followings = [("third", voter) for voter in "abc"] + [("other", voter) for voter in "def"]
    followings += [("half", "third"), ("half", "other")]
    votes = [(voter, "pond", f"0.0000000{stars}") for voter, stars in given.items()]
    state = cv.SystemState(
        members=pl.DataFrame({"member_id": [*given, "third", "other", "half"]}),
        followings=pl.DataFrame(followings, schema=["follower_id", "followee_id"], orient="row"),
        ballots=pl.DataFrame({"member_id": list(given)}),
        votes=pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
    )
    assert differences(state, tmp_path) == []
    assert written(tmp_path / "counted", "stars").filter(member_id="half")["stars"].item() == Decimal("0.00000002")


def test_ballots_out_of_time_are_left_out_alike(tmp_path: Path) -> None:
    """Whoever voted too late inherits (D12); a decision by yes and no and a draft are not counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        state = cv.SystemState(
            members=pl.DataFrame({"member_id": ["ada", "bea", "cleo"]}),
            followings=pl.DataFrame({"follower_id": ["bea", "cleo"], "followee_id": ["ada", "bea"]}),
            decisions=pl.DataFrame(
                {
                    "decision_id": ["lunch", "roof", "later"],
                    "method": ["star", "unanimity", "star"],
                    "status": ["active", "active", "draft"],
                    "closes_at": ["2026-05-01 18:00", None, None],
                }
            ),
            ballots=pl.DataFrame(
                {
                    "decision_id": ["lunch"] * 3 + ["later"],
                    "member_id": ["ada", "bea", "dora", "ada"],
                    "cast_at": ["2026-05-01 17:00", "2026-05-01 19:00", None, None],
                }
            ),
            votes=pl.DataFrame(
                {
                    "decision_id": ["lunch", "lunch", "later"],
                    "member_id": ["ada", "bea", "ada"],
                    "choice_id": ["soup", "soup", "soup"],
                    "stars": [5, 1, 2],
                }
            ),
        )
    assert differences(state, tmp_path) == []


def test_a_core_that_does_not_fit_is_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is solved in memory is held against the memory that was given."""
    monkeypatch.setattr(loops, "BYTES_BY_MEMBER", 10**10)
    state_of([tangle(60, 2)]).write(tmp_path / "tables")
    with pytest.raises(cv.CrowdVoteError, match=r"needs about .* GB; 2\.0 GB were given\. Give more: --memory"):
        cv.count_files(tmp_path / "tables", tmp_path / "counted")
    assert not (tmp_path / "counted" / "SHA256SUMS").exists()
