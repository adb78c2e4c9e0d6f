"""Whether one changed ballot is enough for another winner, where it is known for certain: by trying all of them.

Ballots of whole stars on few choices are few; most of them plainly leave the winner where it is, and what is left is
decided one by one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.outcome import decide
from crowdvote_analysis.star.units import MOST_STARS

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from crowdvote_analysis.star.ballots import Ballots
    from crowdvote_analysis.star.counts import Counts

    Ints = NDArray[np.integer[Any]]
    Bools = NDArray[np.bool_]

# Changes that are looked at, and those of them that are decided one by one: a second, at the most.
_LOOKED_AT, _DECIDED = 1 << 18, 1 << 12


class Tried(NamedTuple):
    """That every change of one ballot was tried, and who else wins by one of them; ``None`` for nobody."""

    rival: str | None


def try_single_ballots(ballots: Ballots, counts: Counts, protocol: str, winner: str) -> Tried | None:
    """Change each ballot into every other of whole stars.

    Args:
        ballots: Ballots in whole stars (``five`` is 5).
        counts: Their counts.
        protocol: Name of the tie protocol (K3).
        winner: Who won.

    Returns:
        What came of it; ``None`` where there is too much to try.
    """
    ballot_kinds = (MOST_STARS + 1) ** len(ballots.choices)
    if ballot_kinds > _LOOKED_AT:
        return None
    cast = np.unique(ballots.stars, axis=1).astype(np.int64)
    if cast.shape[1] * ballot_kinds > _LOOKED_AT:
        return None
    given = np.indices([MOST_STARS + 1] * len(ballots.choices)).reshape(len(ballots.choices), -1)
    open_changes = [(own, given[:, ~_stays(ballots, winner, own, given)]) for own in cast.T]
    if sum(others.shape[1] for _, others in open_changes) > _DECIDED:
        return None
    for own, others in open_changes:
        without = counts.plus(_counts_of(ballots, own), -1)
        for other in others.T:
            rival = decide(without.plus(_counts_of(ballots, other), 1), protocol).winner
            if rival not in (None, winner):
                return Tried(rival)
    return Tried(None)


def _counts_of(ballots: Ballots, own: Ints) -> Counts:
    return count(replace(ballots, stars=own[:, None], members=None))


def _stays(ballots: Ballots, winner: str, own: Ints, given: Ints) -> Bools:
    """For each ballot that may be given in the place of one, whether the winner surely stays, whatever is tied.

    It does where at most one other choice has as many stars, so that it is in the runoff, and where it is preferred to
    everybody whom it may meet there: all with at most one choice ahead of them.
    """
    stars, place = ballots.stars.astype(np.int64), ballots.choices.index(winner)
    totals = stars.sum(axis=1)[:, None] - own[:, None] + given
    lead = np.sign(stars[place] - stars).sum(axis=1) - np.sign(own[place] - own)
    beaten = lead[:, None] + np.sign(given[place] - given) > 0
    in_reach = (totals[None] > totals[:, None]).sum(axis=1) <= 1
    beaten[place] = True
    level = (totals >= totals[place]).sum(axis=0) <= 2
    stays: Bools = level & (beaten | ~in_reach).all(axis=0)
    return stays
