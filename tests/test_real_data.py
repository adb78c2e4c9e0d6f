"""Figures on a real poll and real networks, which lie beside the project; skipped where they are absent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.readers import make_scenario, read_network, read_poll
from tests.cases import shared_file

POLL = "data/starvote_ballots_libertarian_party_2020_presidential_nomination_may.csv"


def totals(tally: cv.StarTally) -> dict[str, Decimal]:
    return dict(tally.scores.select("choice_id", "total").iter_rows())


def test_the_poll_is_tallied_as_published() -> None:
    """2,909 ballots, 22 candidates: scores and runoff agree."""
    tally = cv.tally_star(cv.resolve(read_poll(shared_file(POLL))))
    assert tally.vote_count == 2909
    assert totals(tally)["Justin Amash"] == 8018
    assert totals(tally)["Vermin Supreme"] == 7200
    assert tally.runoff is not None
    assert tally.runoff.votes == {"Justin Amash": 1404, "Vermin Supreme": 1138}
    assert tally.runoff.no_preference == 367
    assert tally.winner == "Justin Amash"


def test_a_network_turns_the_poll_around(tmp_path: Path) -> None:
    """7,115 members, 1,005 of them manual, through the folder on disk: scores to 1e-6, runoff exactly."""
    state = make_scenario(
        read_network(shared_file("data/wiki-Vote.txt")), read_poll(shared_file(POLL)), cycle_rule="equilibrium"
    )
    state.write(tmp_path)
    resolution = cv.resolve(cv.SystemState.read(tmp_path))
    tally = cv.tally_star(resolution)
    assert resolution.stats["manual_ballots"].item() == 1005
    assert tally.vote_count == 7115
    assert float(totals(tally)["Vermin Supreme"]) == pytest.approx(17647.80292973, abs=1e-6)
    assert float(totals(tally)["Justin Amash"]) == pytest.approx(17485.95332975, abs=1e-6)
    assert tally.runoff is not None
    assert tally.runoff.votes == {"Vermin Supreme": 3625, "Justin Amash": 3226}
    assert tally.runoff.no_preference == 264


@pytest.mark.slow
def test_weights_in_a_network_of_trust() -> None:
    """5,573 members, 805 manual, 5,528 with a ballot; the largest weights to 1e-6, their sum is the tally."""
    network = read_network(shared_file("data/soc-sign-bitcoinotc.csv"), weight_above=0)
    resolution = cv.resolve(make_scenario(network, read_poll(shared_file(POLL)), cycle_rule="equilibrium"))
    stats = resolution.stats.row(0, named=True)
    assert (stats["total_members"], stats["manual_ballots"], stats["tallied_ballots"]) == (5573, 805, 5528)
    leading = dict(resolution.ballots.sort("weight", descending=True).head(4).select("member_id", "weight").iter_rows())
    assert leading == pytest.approx(
        {"25": 416.174968, "2198": 395.597072, "5775": 93.640266, "2455": 76.235841}, abs=1e-6
    )
    assert resolution.ballots["weight"].sum() == pytest.approx(5528, abs=1e-6)


@pytest.mark.slow
def test_a_large_network_is_counted_whole() -> None:
    """75,879 members: ballots and the largest weights agree to 1e-3."""
    network = read_network(shared_file("data/soc-Epinions1.txt"))
    poll = read_poll(shared_file(POLL))
    # One choice is enough for weights, and keeps the test quick.
    few = make_scenario(network, poll, cycle_rule="equilibrium")
    state = cv.SystemState(
        members=few.members,
        followings=few.followings,
        ballots=few.ballots,
        votes=few.votes.filter(pl.col("choice_id") == "Justin Amash"),
        communities=few.communities,
    )
    resolution = cv.resolve(state)
    weights = dict(resolution.ballots.select("member_id", "weight").iter_rows())
    expected = {"5250": 1812.2595, "548": 1760.5152, "4055": 1630.9668, "5273": 1070.3059}
    assert {member: weights[member] for member in expected} == pytest.approx(expected, abs=1e-3)
    assert resolution.stats["tallied_ballots"].item() == 74874
