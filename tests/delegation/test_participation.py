"""In which order ballots are calculated."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.delegation.blocks import blocks
from crowdvote_analysis.delegation.encode import encode
from crowdvote_analysis.delegation.participation import order


def levels(state: cv.SystemState, decisions: list[str]) -> dict[tuple[str, str], int]:
    encoded = encode(state, decisions)
    (block,) = blocks(encoded)
    names = encoded.members["member_id"].gather(block.member).to_list()
    communities = encoded.members["community_id"].gather(block.member).to_list()
    return dict(zip(zip(communities, names, strict=True), order(block).level.tolist(), strict=True))


def test_levels_of_a_decision_do_not_depend_on_loops_in_another() -> None:
    """Weights are added level by level, so their last bit would otherwise depend on the company (D10)."""
    # In `plain`, Maya's following of Jack can never match: where followings that cannot match are dropped, she would
    # move down a level.
    followings = [
        ("plain", "Jack", "Kelly", []),
        ("plain", "Maya", "Jack", ["trees"]),
        ("plain", "Maya", "Kelly", []),
        ("looped", "Ben", "Olivia", []),
        ("looped", "Olivia", "Ben", []),
        ("looped", "Olivia", "Kelly", []),
    ]
    columns = ["community_id", "follower_id", "followee_id", "tags"]
    communities = ["plain", "looped"]
    with pytest.warns(cv.TableWarning, match="'trees'"):
        state = cv.SystemState(
            followings=pl.DataFrame(followings, schema=columns, orient="row"),
            decisions=pl.DataFrame({"community_id": communities, "decision_id": communities}),
            ballots=pl.DataFrame({"decision_id": communities, "member_id": "Kelly", "tags": "budget"}),
            votes=pl.DataFrame({"decision_id": communities, "member_id": "Kelly", "choice_id": "Swings", "stars": 4}),
        )
    alone = levels(state, ["plain"])
    together = levels(state, communities)
    assert alone["plain", "Maya"] == 2
    assert {key: level for key, level in together.items() if key[0] == "plain"} == alone
