"""Ballots cast before the opening or after the close are kept, not counted, not inherited (D12)."""

from __future__ import annotations

import warnings

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.affected import resolve_affected
from crowdvote_analysis.errors import TableWarning, UnknownDecisionError

OPENS, CLOSES = "2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z"


def state_of(cast_at: dict[str, str | None], **decision: str | None) -> cv.SystemState:
    """Everybody gives Yes five stars at their time; Dora follows Ben, who follows Ana, and Ana is anonymous."""
    opened = {"decision_id": "hall", "opens_at": OPENS, "closes_at": CLOSES} | decision
    return cv.SystemState(
        members=pl.DataFrame(
            {"member_id": ["Ana", "Ben", "Cleo", "Dora"], "is_anonymous": [True, False, False, False]}
        ),
        followings=pl.DataFrame({"follower_id": ["Ben", "Dora"], "followee_id": ["Ana", "Ben"]}),
        decisions=pl.DataFrame([opened]),
        choices=pl.DataFrame({"decision_id": ["hall"] * 2, "choice_id": ["Yes", "No"]}),
        ballots=pl.DataFrame({"decision_id": "hall", "member_id": [*cast_at], "cast_at": [*cast_at.values()]}),
        votes=pl.DataFrame(
            {
                "decision_id": "hall",
                "member_id": [*cast_at],
                "choice_id": "Yes",
                "stars": [str(number + 1) for number in range(len(cast_at))],
            }
        ),
    )


def resolved(state: cv.SystemState) -> tuple[cv.Resolution, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TableWarning)
        resolution = cv.resolve(state)
    return resolution, [str(warning.message) for warning in caught]


def origins(resolution: cv.Resolution) -> dict[str, str]:
    return dict(resolution.ballots.select("member_id", "origin").iter_rows())


@pytest.mark.parametrize(
    ("cast_at", "counts"),
    [
        (OPENS, True),
        ("2026-04-30T23:59:59.999999Z", False),
        (CLOSES, True),
        ("2026-05-08T00:00:00.000001Z", False),
        ("2026-05-08T01:30:00+02:00", True),
        (None, True),
    ],
)
@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_the_voting_time_includes_both_its_ends(cast_at: str | None, counts: bool) -> None:
    """To the microsecond, in any zone; a ballot without a time counts."""
    resolution = cv.resolve(state_of({"Ana": cast_at}))
    assert (origins(resolution)["Ana"] == "manual") is counts
    assert resolution.stats["untimely_ballots"].to_list() == [0 if counts else 1]


@pytest.mark.parametrize(("name", "expected"), [("opens_at", ["manual", "none"]), ("closes_at", ["none", "manual"])])
def test_a_time_that_is_not_given_ends_nothing(name: str, expected: list[str]) -> None:
    """Without an opening nothing is early, without a close nothing late."""
    early, late = "2026-04-01T00:00:00Z", "2026-06-01T00:00:00Z"
    resolution, _ = resolved(state_of({"Ben": early, "Cleo": late}, **{name: None}))
    assert [origins(resolution)[member] for member in ("Ben", "Cleo")] == expected
    assert resolution.stats["untimely_ballots"].item() == 1


def test_whoever_was_late_may_inherit_and_passes_that_on() -> None:
    """Ben's late ballot is not his; he has Ana's, and Dora has it from him."""
    resolution, (note,) = resolved(state_of({"Ana": OPENS, "Ben": "2026-05-09T00:00:00Z"}))
    assert origins(resolution) == {"Ana": "manual", "Ben": "calculated", "Cleo": "none", "Dora": "calculated"}
    assert set(resolution.stars["stars"].cast(pl.String)) == {"1.00000000"}
    assert "1 ballot was cast outside of the voting time and does not count (D12): 1 after 2026-05-08" in note
    assert note.endswith("late: Ben.")


def test_a_note_names_no_anonymous_member() -> None:
    """Whose ballot is lost is said by public id (P1)."""
    _, (note,) = resolved(state_of({"Ana": "2026-05-09T00:00:00Z"}))
    assert note.endswith("late: Anonymous 1.")
    assert "Ana" not in note


def test_ballots_without_a_time_are_counted_and_said_to_be() -> None:
    """Loudly, with their number, where the decision has a voting time; else times mean nothing."""
    cast_at = {"Ana": None, "Ben": OPENS, "Cleo": None}
    resolution, (note,) = resolved(state_of(cast_at))
    assert resolution.stats["manual_ballots"].item() == 3
    assert note.startswith("decision 'hall': 2 ballots without a time of casting, counted as if cast in time (D12).")
    assert resolved(state_of(cast_at, opens_at=None, closes_at=None))[1] == []


def test_drafts_are_left_out_and_refused_by_name() -> None:
    """A draft is never counted (S10)."""
    draft = state_of({"Ana": OPENS}, status="draft")
    resolution, notes = resolved(draft)
    assert resolution.stats.is_empty()
    assert notes == ["1 decision is a draft and is not counted (S10): hall."]
    with pytest.raises(UnknownDecisionError, match="is a draft"):
        cv.resolve(draft, ["hall"])


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_what_is_counted_again_after_a_change_knows_the_time_too() -> None:
    """A ballot that becomes late, in time or dated, and a close that moves, give what a full count gives (E2)."""
    late, in_time = "2026-05-09T00:00:00Z", "2026-05-03T00:00:00Z"
    states = [
        state_of({"Ana": in_time, "Ben": in_time}),
        state_of({"Ana": in_time, "Ben": late}),
        state_of({"Ana": in_time, "Ben": late, "Cleo": late}),
        state_of({"Ana": in_time, "Ben": late, "Cleo": late}, closes_at="2026-05-10T00:00:00Z"),
        state_of({"Ana": in_time, "Ben": late, "Cleo": late}, closes_at="2026-05-02T00:00:00Z"),
        state_of({"Ben": late, "Cleo": in_time}, closes_at="2026-05-02T00:00:00Z"),
        state_of({"Ben": in_time, "Cleo": in_time}),
    ]
    before = cv.resolve(states[0])
    for state in states[1:]:
        before, afresh = resolve_affected(state, before), cv.resolve(state)
        for name in ("ballots", "stars", "stats", "sources"):
            assert getattr(before, name).equals(getattr(afresh, name)), name
