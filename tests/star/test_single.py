"""Whether one changed ballot is enough, by trying all: as trying them without any thought finds."""

from __future__ import annotations

import random

import numpy as np
import pytest

from crowdvote_analysis.star.ballots import Ballots
from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.single import try_single_ballots

from .every_change import STAR, Election, kinds


def ballots_of(rows: list[list[int]]) -> Ballots:
    return Ballots(tuple("abcdefgh"[: len(rows[0])]), np.array(rows, dtype=np.uint8).T, 5, None)


@pytest.mark.parametrize("protocol", ["starvote", "losses", "bettervoting"])
@pytest.mark.parametrize(("choices", "number"), [(2, 30), (3, 120), (4, 25)])
def test_it_is_what_trying_everything_finds(choices: int, number: int, protocol: str) -> None:
    """Leaving out what plainly changes nothing leaves out nothing else."""
    draw, found = random.Random(f"{choices} {protocol}"), []
    while len(found) < number:
        favour = draw.choice([0, 0, 2, 5])
        rows = [
            [min(5, draw.choice([0, 0, 1, 4, 5]) + favour * (choice == 0)) for choice in range(choices)]
            for _ in range(draw.randint(2, 9))
        ]
        election = Election([[STAR * star for star in row] for row in rows], protocol)
        if election.winner is None:
            continue
        ballots = ballots_of(rows)
        tried = try_single_ballots(ballots, count(ballots), protocol, election.winner)
        if tried is None:  # so much is tied that too many would have to be decided
            continue
        found.append(tried.rival is None)
        assert found[-1] == (election.fewest(kinds(choices), 1) is None)
    assert set(found) == {True, False}


def test_what_is_too_much_to_try_is_left() -> None:
    """Eight choices have more than a million ballots."""
    ballots = ballots_of([[5, 0, 0, 0, 0, 0, 0, 0]])
    assert try_single_ballots(ballots, count(ballots), "starvote", "a") is None
