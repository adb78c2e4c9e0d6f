"""Ranks among stars: 1 is the best of them, and the worst but one of stars.

A ranking gives 1, 2, 3 … once each. Where places are shared it depends on the program: 1, 2, 2, 4 (``min`` in pandas,
``RANK`` in spreadsheets), 1, 3, 3, 4 (``max``), 1, 2, 2, 3 (``dense``) or 1, 2.5, 2.5, 4 (``average``). All of them
begin low and end at the number of choices or below it, while whoever gives stars gives a 5 to the favourite.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

_TWO = 3  # ballots from which even two choices look ranked
_SOME, _CHOICES = 4, 3  # ballots and choices from which it tells something that most are ranks
_FULL = 5  # choices: whoever tells five apart by stars gives 1 to 5 as well
_MOST = 0.9  # of the ballots; the others are slips, or are no rankings
_HIGHEST = 10  # rank that is looked at
_ONCE = "1, 2 and so on, once each"
_SHARED = "low numbers, none above the number of choices that it rates, as rankings with shared places do"

# How many choices of a ballot have each number, in halves and ascending, with the ballots that are so.
_Numbers = tuple[tuple[int, int], ...]


def note_ranks(votes: pl.DataFrame, place: str) -> None:
    """Note loudly every decision whose stars look like ranks: places are given once each, or shared as rankings do.

    A 0 is no rank. Where there are some, they may stand for choices that were not ranked.

    Args:
        votes: Columns member_id, stars (text), and decision_id where there are several.
        place: The file.
    """
    if "decision_id" not in votes.columns:
        votes = votes.with_columns(decision_id=pl.lit(""))
    rank = pl.col("stars").cast(pl.String).cast(pl.Decimal(20, 2), strict=False)
    halves = votes.select("decision_id", "member_id", halves=(rank * 2).cast(pl.Decimal(20, 2)))
    columns = range(2 * _HIGHEST + 1)
    ballots = halves.group_by("decision_id", "member_id").agg(
        *((pl.col("halves") == half).sum().alias(str(half)) for half in columns), rated=pl.len()
    )
    kinds = ballots.drop("member_id").group_by(pl.all()).len("ballots").sort(pl.all())
    decisions: dict[str, list[tuple[_Numbers, int, int]]] = {}
    for decision, *counts, rated, number in kinds.iter_rows():
        numbers = tuple((half, count) for half, count in enumerate(counts) if count)
        decisions.setdefault(decision, []).append((numbers, rated, number))
    for decision, found in decisions.items():
        judged = _judged(found)
        if judged is None:
            continue
        ranked, of, what = judged
        where = f" in the decision {decision!r}" if len(decisions) > 1 else ""
        who = f"every ballot{where} gives" if ranked == of else f"{ranked} of {of} ballots{where} give"
        warnings.warn(
            f"{place}: {who} {what}; these look like ranks. Stars count the other way round: 5 is best. If 1 was meant "
            "as the best, the result is wrong: turn ranks into stars first.",
            DoubtWarning,
            stacklevel=3,
        )


def _judged(kinds: Sequence[tuple[_Numbers, int, int]]) -> tuple[int, int, str] | None:
    """How many ballots of how many look like ranks, and what they give; none if nothing is to be said."""
    if any(numbers[:1] and numbers[0][0] == 0 for numbers, _, _ in kinds):
        return _beside_zeros(kinds)
    return _once_each(kinds) or _shared(kinds)


def _once_each(kinds: Sequence[tuple[_Numbers, int, int]]) -> tuple[int, int, str] | None:
    """Whether every ballot ranks without sharing places, or most do."""
    ballots = sum(number for _, _, number in kinds)
    ranked = sum(number for numbers, rated, number in kinds if _is_ranked(numbers, rated))
    choices = max((rated for _, rated, _ in kinds), default=0)
    every = ranked == ballots and choices >= _CHOICES - (ballots >= _TWO)
    # Ranks that share their places with others by averages, as 2.5 and 2.5, add up as if they did not.
    sums = all(sum(half * count for half, count in numbers) == rated * (rated + 1) for numbers, rated, _ in kinds)
    share = ranked >= ballots * (_MOST if choices == _FULL else 0.5)
    most = ballots >= _SOME and choices >= _CHOICES and (share or (sums and ranked))
    return (ranked, ballots, _ONCE) if every or most else None


def _beside_zeros(kinds: Sequence[tuple[_Numbers, int, int]]) -> tuple[int, int, str] | None:
    """Whether the numbers of most ballots would be ranks if a 0 were a blank.

    Whoever rates many choices by stars may well give 1 to 5 once each, so ballots have to end before that.
    """
    blank = [
        (tuple(each for each in numbers if each[0]), rated - sum(count for half, count in numbers if not half), number)
        for numbers, rated, number in kinds
    ]
    blank = [each for each in blank if each[1]]
    ballots = sum(number for _, _, number in blank)
    ranked = sum(number for numbers, rated, number in blank if _is_ranked(numbers, rated))
    telling = sum(number for _, rated, number in blank if rated >= _CHOICES)
    short = max((rated for _, rated, _ in blank), default=0) < _FULL
    look = short and ballots >= _SOME and telling * 2 >= ballots and ranked >= ballots * _MOST
    return (ranked, ballots, f"{_ONCE}, beside 0") if look else None


def _shared(kinds: Sequence[tuple[_Numbers, int, int]]) -> tuple[int, int, str] | None:
    """Whether nearly every ballot that tells choices apart gives ranks, of which some may be shared.

    Up to four choices, a ballot with a 1 and nothing above the number of its choices is enough: stars would go to 5.
    From five choices on, the numbers have to be those that a program gives.
    """
    few = max((rated for _, rated, _ in kinds), default=0) < _FULL
    apart = [(numbers, rated, number) for numbers, rated, number in kinds if len(numbers) > 1]
    # One choice told from all others is what stars look like, too: 5, 1, 1, 1, 1.
    apart = [each for each in apart if each[1] < _FULL or [half for half, _ in each[0]] != [2, 2 * _FULL]]
    ballots = sum(number for _, _, number in apart)
    good = sum(
        number
        for numbers, rated, number in apart
        if _is_of_program(numbers, rated) or (few and _is_low(numbers, rated))
    )
    return (good, ballots, _SHARED) if ballots >= _SOME and good >= ballots * _MOST else None


def _is_ranked(numbers: _Numbers, rated: int) -> bool:
    """Whether these are 1, 2, 3 … once each."""
    return numbers == tuple((2 * place, 1) for place in range(1, rated + 1))


def _is_low(numbers: _Numbers, rated: int) -> bool:
    """Whether the lowest is 1 and none is above the number of choices."""
    return numbers[0][0] == 2 and numbers[-1][0] <= 2 * rated and sum(count for _, count in numbers) == rated


def _is_of_program(numbers: _Numbers, rated: int) -> bool:
    """Whether a program gives these numbers where places are shared."""
    below, lowest, highest, average = 0, True, True, True
    for half, count in numbers:
        lowest &= half == 2 * (below + 1)
        highest &= half == 2 * (below + count)
        average &= half == 2 * below + count + 1
        below += count
    dense = [half for half, _ in numbers] == [2 * (place + 1) for place in range(len(numbers))]
    # With more choices than stars, 1 to 5 are given by stars as well.
    return below == rated and (lowest or (rated <= _FULL and (highest or average or dense)))
