"""What pages offer to choose from."""

from __future__ import annotations

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis.pages import choosing


def test_latest_decision_comes_first(demo):
    """Decisions are listed by when they close, the latest first."""
    assert list(choosing.decision_labels(demo, "riverside").values()) == [
        "summer-festival",
        "bench-colour",
        "village-green",
        "library-hours",
    ]


def test_communities_are_listed_by_title(demo):
    """Communities stand in the order of their titles."""
    assert list(choosing.community_labels(demo)) == ["Eastgate District", "Hillcrest School", "Riverside"]


def _state(titles: list[str | None], **tables) -> cv.SystemState:
    ids = [f"d{number}" for number in range(len(titles))]
    return cv.SystemState(
        decisions=pl.DataFrame({"decision_id": ids, "title": titles}),
        votes=pl.DataFrame({"decision_id": ids, "member_id": "m", "choice_id": "x", "stars": "3"}),
        **tables,
    )


def test_decisions_of_the_same_title_stay_apart():
    """Labels that would be the same carry the id; titles that are missing are the id; long ones are cut."""
    labels = choosing.decision_labels(_state(["Park", "Park", None, "x" * 100]), "community")
    assert set(labels.values()) == {"d0", "d1", "d2", "d3"}
    assert {"Park (d0)", "Park (d1)", "d2"} <= set(labels)
    assert max(map(len, labels)) <= 60


def test_only_decisions_with_stars_are_offered():
    """The page shows tallies; yes/no decisions have none, nor has a community that has no others."""
    decisions = pl.DataFrame(
        {
            "decision_id": ["park", "roof", "well"],
            "community_id": ["k", "k", "l"],
            "method": ["star", *["unanimity"] * 2],
        }
    )
    state = cv.SystemState(decisions=decisions)
    assert list(choosing.community_labels(state).values()) == ["k"]
    assert list(choosing.decision_labels(state, "k").values()) == ["park"]


def test_what_is_not_here_is_said(demo):
    """An address that asks for something else is not answered with another decision without a word."""
    decisions = choosing.deciding(demo)
    assert choosing.not_here(decisions, {"decision": "village-green"}) == []
    assert choosing.not_here(decisions, {"community": "nowhere", "decision": "nope"}) == [
        "No decision of the community “nowhere” stands on this page, so another one is shown.",
        "No decision “nope” stands on this page, so another one is shown.",
    ]
    assert choosing.community_of(decisions, {"decision": "village-green"}) == "riverside"
