"""Ranks counted as stars elect the last of them: they are warned of in every shape, and stars are no ranks."""

from __future__ import annotations

import random
import warnings

import polars as pl
import pytest

from crowdvote_analysis.errors import DoubtWarning
from crowdvote_analysis.readers.ranks import note_ranks


def doubts(rows: list[list[object]]) -> list[str]:
    cells = [(f"m{n}", str(cell)) for n, row in enumerate(rows) for cell in row if cell is not None]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        note_ranks(pl.DataFrame(cells, schema=["member_id", "stars"], orient="row"), "p.csv")
    assert all(warning.category is DoubtWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def places(method: str, choices: int, ballots: int) -> list[list[object]]:
    """Rankings with shared places, as pandas gives them by its method of that name."""
    chance = random.Random(choices * ballots)
    rows = []
    for _ in range(ballots):
        liked = [chance.randint(1, choices) for _ in range(choices)]
        liked[:2] = [1, 2]
        ranks = pl.Series(liked).rank(method)  # type: ignore[arg-type]
        rows.append([int(rank) if rank == int(rank) else rank for rank in ranks])
    return rows


@pytest.mark.parametrize("choices", [3, 4, 5])
@pytest.mark.parametrize("method", ["min", "max", "dense", "average"])
def test_ranks_with_shared_places_are_doubted(method: str, choices: int) -> None:
    """Whatever the program calls two in the second place."""
    assert len(doubts(places(method, choices, 12))) == 1


def test_no_ballot_has_to_be_without_shared_places() -> None:
    """Where everybody shares places, each ballot still begins with a 1 and ends with the number of choices."""
    said = doubts([[1, 1, 3, 4], [1, 2, 2, 4], [4, 2, 1, 2], [1, 3, 1, 4], [1, 1, 3, 3]])
    assert "every ballot gives low numbers, none above the number of choices" in said[0]
    assert "Stars count the other way round" in said[0]


def test_few_slips_do_not_hide_ranks() -> None:
    """One ballot of twenty that was filled in with stars makes no stars of the others; the warning has the number."""
    said = doubts([*places("dense", 4, 19), [5, 5, 1, 5]])
    assert "19 of 20 ballots give low numbers" in said[0]


def test_ranks_beside_zeros_for_choices_that_were_not_ranked_are_doubted() -> None:
    """Some programs write a 0 where others leave a blank."""
    rows: list[list[object]] = [[1, 2, 3, 0, 0], [0, 3, 1, 2, 0], [2, 1, 0, 0, 3], [1, 0, 2, 3, 4], [0, 0, 1, 2, 0]]
    assert "every ballot gives 1, 2 and so on, once each, beside 0" in doubts(rows)[0]
    assert doubts([*rows, [5, 0, 0, 0, 3]]) == []


@pytest.mark.parametrize("choices", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("kind", ["to the full", "for one", "from 1 to 5", "0 to 5 once each", "a single scale"])
def test_stars_are_not_doubted(kind: str, choices: int) -> None:
    """Whoever gives a 5 to the favourite ranks nothing, nor does who gives the same to all."""
    chance = random.Random(choices)
    for _ in range(20):
        rows: list[list[object]] = []
        for _ in range(8):
            row: list[object] = [chance.randint(0 if kind == "to the full" else 1, 5) for _ in range(choices)]
            row[chance.randrange(choices)] = 5
            if kind == "for one":
                row = [1] * choices
                row[chance.randrange(choices)] = 5
            elif kind == "0 to 5 once each":
                row = chance.sample(range(6), min(choices, 6))
                row[0], row[row.index(max(row))] = max(row), row[0]  # type: ignore[type-var]
                row[0] = 5
                row[1] = 0
            elif kind == "a single scale":
                row = [chance.choice([1, 3])] * choices
            rows.append(row)
        assert doubts(rows) == []


def test_every_decision_is_judged_by_itself() -> None:
    """A decision with stars beside one with ranks hides nothing, and is not named."""
    ranks = [("plans", f"m{n}", str(cell)) for n, row in enumerate(places("min", 4, 6)) for cell in row]
    stars = [("parks", f"m{n}", str(cell)) for n in range(6) for cell in (5, 0, 3)]
    with pytest.warns(DoubtWarning, match="every ballot in the decision 'plans' gives") as said:
        note_ranks(pl.DataFrame(ranks + stars, schema=["decision_id", "member_id", "stars"], orient="row"), "p.csv")
    assert len(said) == 1
