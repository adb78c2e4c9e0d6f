"""However votes are laid out, the ballots that are gathered from them are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis.star import star_units
from crowdvote_analysis.star.ballots import gather
from crowdvote_analysis.star.shapes import grid_of

from .elections import votes_of

if TYPE_CHECKING:
    import random


def grid(votes: pl.DataFrame) -> bool:
    return grid_of(votes["member_id"], votes["choice_id"], votes["stars"].cast(pl.Int64)) is not None


FULL = votes_of([{"y": 1, "x": 2}, {"y": 3, "x": 4}, {"y": 5, "x": 0}])
EXPECTED = [("m0", 200_000_000, 100_000_000), ("m1", 400_000_000, 300_000_000), ("m2", 0, 500_000_000)]


@pytest.mark.parametrize("by", [["member_id", "choice_id"], ["choice_id", "member_id"]])
def test_a_full_grid_is_recognised_in_either_direction(by: list[str]) -> None:
    """Ballot by ballot and choice by choice, the cells are where they belong."""
    votes = FULL.sort(by)
    assert grid(votes)
    assert star_units(votes).rows() == EXPECTED


@pytest.mark.parametrize(
    "votes",
    [
        FULL[[0, 1, 3, 2, 4, 5]],  # the second ballot lists its choices the other way round
        FULL[[0, 3, 2, 1, 4, 5]],  # ballots interleaved
        FULL[:5],  # the last ballot lacks a choice
        FULL[[0, 2, 4, 1, 5, 3]],  # choice by choice, members in another order the second time
    ],
)
def test_anything_else_is_gathered_row_by_row(votes: pl.DataFrame) -> None:
    """Where the grid is broken nothing is taken for one, and the ballots are right all the same."""
    assert not grid(votes)
    rows = {row[0]: dict(zip(["x", "y"], row[1:], strict=True)) for row in star_units(votes, ["x", "y"]).rows()}
    for member, choice, stars in votes.iter_rows():
        assert rows[member].pop(choice) == stars * 10**8
    assert not any(units for row in rows.values() for units in row.values())


def test_a_member_who_stands_twice_is_no_grid() -> None:
    """Two full ballots of one member look like a grid, and are refused as two."""
    votes = pl.DataFrame(
        {"member_id": ["a", "a", "b", "b", "a", "a"], "choice_id": ["x", "y"] * 3, "stars": [1, 2, 3, 4, 5, 0]}
    )
    assert not grid(votes)
    with pytest.raises(Exception, match="4 rows with stars for the same member and choice more than once"):
        star_units(votes)


ballots_of = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([0, 1, 5]), min_size=1), min_size=1, max_size=5
)


@settings(max_examples=60)
@given(st.lists(ballots_of, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_many_decisions_are_gathered_from_rows_in_any_order(
    decisions: list[list[dict[str, int]]], order: random.Random
) -> None:
    """Each decision gets its ballots, each ballot its stars, whatever stands between them."""
    votes = pl.concat(
        [
            votes_of(ballots, kind=pl.Int64).with_columns(decision_id=pl.lit(f"d{number}"))
            for number, ballots in enumerate(decisions)
        ]
    )
    rows = list(range(votes.height))
    order.shuffle(rows)
    found = gather(votes[rows], "votes", None)
    assert sorted(found) == [f"d{number}" for number in range(len(decisions))]
    for number, ballots in enumerate(decisions):
        block = found[f"d{number}"]
        assert block.choices == tuple(sorted({choice for ballot in ballots for choice in ballot}))
        assert block.members is not None
        cells = {
            (member, choice): int(stars)
            for choice, own in zip(block.choices, block.stars, strict=True)
            for member, stars in zip(block.members, own, strict=True)
        }
        assert cells == {
            (f"m{place}", choice): ballot.get(choice, 0) * 10**8
            for place, ballot in enumerate(ballots)
            for choice in block.choices
        }
