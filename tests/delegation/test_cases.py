"""Every worked delegation case gives the answer written down for it, to the last of the 8 places."""

from __future__ import annotations

import warnings
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.cases import delegation_cases, state_of

CASES = {case["id"]: case for case in delegation_cases()}

pytestmark = pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")


@cache
def resolve_case(name: str, cycles: str | None = None) -> cv.Resolution:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # some cases are about self-followings and non-members
        return cv.resolve(state_of(CASES[name]), cycles=cycles)


@pytest.mark.parametrize("name", CASES)
def test_ballots_are_those_written_down(name: str) -> None:
    """Origin, tags, depth, reason, loops and influence of every member agree."""
    expected = CASES[name]["expected"]
    got = {row["member_id"]: row for row in resolve_case(name).ballots.iter_rows(named=True)}
    in_loop = {follower for follower, _ in expected["circular_edges"]}
    assert got.keys() == {ballot["member"] for ballot in expected["ballots"]}
    for ballot in expected["ballots"]:
        row = got[ballot["member"]]
        assert row["origin"] == {"no_ballot": "none"}.get(ballot["kind"], ballot["kind"])
        assert row["tags"] == normalised(ballot.get("tags", []))
        assert row["depth"] == ballot.get("depth")
        assert (row["reason"], row["reason_detail"]) == (ballot.get("reason"), ballot.get("reason_detail"))
        assert row["in_loop"] == (ballot["member"] in in_loop)
        assert row["influence_direct"] == ballot["influence_direct"]
        assert row["influence_total"] == ballot["influence_transitive"]


@pytest.mark.parametrize("name", CASES)
def test_stars_are_those_written_down(name: str) -> None:
    """Stars agree in all 8 places, and no choice is added or lost."""
    stars = resolve_case(name).stars
    got = {(row["member_id"], row["choice_id"]): row["stars"] for row in stars.iter_rows(named=True)}
    assert got == {
        (ballot["member"], choice): Decimal(value)
        for ballot in CASES[name]["expected"]["ballots"]
        for choice, value in ballot.get("stars_8dp", {}).items()
    }


@pytest.mark.parametrize("name", CASES)
def test_sources_are_those_written_down(name: str) -> None:
    """Every following looked at has the outcome and the tags that came along."""
    got = {
        (row["follower_id"], row["followee_id"]): (row["outcome"], row["inherited_tags"])
        for row in resolve_case(name).sources.iter_rows(named=True)
    }
    members = {member["name"] for member in CASES[name]["members"]}
    expected = {}
    for ballot in CASES[name]["expected"]["ballots"]:
        for edge in ballot.get("edges", []):
            outcome = edge["result"].lower().replace(" ", "_")
            if edge["followee"] not in members:  # older than D6, which gives this its own outcome
                outcome = "not_a_member"
            expected[ballot["member"], edge["followee"]] = (outcome, normalised(edge.get("inherited_tags", [])))
    assert got == expected


@pytest.mark.parametrize("name", CASES)
def test_statistics_are_those_written_down(name: str) -> None:
    """Counts agree; total, manual, calculated and no ballot count voters only (M2)."""
    case, stats = CASES[name], resolve_case(name).stats.row(0, named=True)
    expected = case["expected"]["stats"]
    kinds = [ballot["kind"] for ballot in case["expected"]["ballots"] if ballot["member"] in voters(case)]
    assert stats["total_members"] == expected["voting_members"]
    assert stats["lobbyists"] == expected["lobbyists"]
    assert stats["manual_ballots"] == kinds.count("manual")
    assert stats["calculated_ballots"] == kinds.count("calculated")
    assert stats["no_ballot"] == kinds.count("no_ballot")
    assert stats["tallied_ballots"] == sum(ballot["counts_in_tally"] for ballot in case["expected"]["ballots"])
    assert stats["circular_prevented"] == expected["circular_edges"]
    assert stats["max_delegation_depth"] == expected["max_depth"]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cycles", ["path", "equilibrium"])
def test_weights_sum_to_the_tallied_ballots(name: str, cycles: str) -> None:
    """Every tallied ballot is traced back to manual ballots, whole (I3)."""
    resolution = resolve_case(name, cycles)
    assert resolution.ballots["weight"].sum() == pytest.approx(resolution.stats["tallied_ballots"].item(), abs=1e-9)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case["expected"]["circular_edges"]])
def test_both_rules_agree_without_loops(name: str) -> None:
    """Where there is no loop, the equilibrium is the founding rule (Y4)."""
    path, equilibrium = resolve_case(name, "path"), resolve_case(name, "equilibrium")
    assert path.ballots.equals(equilibrium.ballots)
    assert path.stars.equals(equilibrium.stars)
    assert path.sources.equals(equilibrium.sources)


def normalised(tags: list[str]) -> list[str]:
    """Tags as they enter the system (T5); one case is written with capital letters."""
    return sorted(tag.lower() for tag in tags)


def voters(case: dict[str, Any]) -> set[str]:
    return {member["name"] for member in case["members"] if member["voting"]}


def test_the_cases_are_all_there() -> None:
    """The file still holds the forty cases this suite was written against."""
    assert len(CASES) == 40
    assert isinstance(state_of(CASES["deep_14"]).members, pl.DataFrame)
