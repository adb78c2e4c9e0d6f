"""How many ballots would have to change: exact for the runoff, proven bounds for the whole count."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star import robustness, robustness_votes, tally_star_votes

from .elections import resolution_of, votes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Ballot = dict[str, int]


def winner_of(ballots: list[Ballot], protocol: str = "starvote") -> str | None:
    return tally_star_votes(votes_of(ballots), list(ballots[0]), protocol=protocol, on_tie="return").winner


def fewest(ballots: list[Ballot], kinds: list[Ballot], up_to: int, protocol: str) -> int | None:
    """By trying everything: the fewest ballots that, changed to any of some kinds, make somebody else win."""
    winner = winner_of(ballots, protocol)
    for number in range(1, up_to + 1):
        if any(winner_of(other, protocol) not in (None, winner) for other in changed(ballots, kinds, number)):
            return number
    return None


def changed(ballots: list[Ballot], kinds: list[Ballot], number: int) -> Iterator[list[Ballot]]:
    """All that ballots can become when so many of them are changed to any of some kinds."""
    for chosen in itertools.combinations(range(len(ballots)), number):
        for given in itertools.combinations_with_replacement(kinds, number):
            yield [ballot for place, ballot in enumerate(ballots) if place not in chosen] + list(given)


def small_election(draw: random.Random, names: str, most: int) -> list[Ballot]:
    levels = draw.choice([[0, 5], [0, 1, 5], [0, 2, 3, 5]])
    return [{name: draw.choice(levels) for name in names} for _ in range(draw.randint(1, most))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_the_runoff_is_exact(seed: int) -> None:
    """With two choices, which always meet, it is the number that trying everything finds, ties by stars included."""
    draw = random.Random(seed)
    while winner_of(ballots := small_election(draw, "ab", 6)) is None:
        pass
    kinds = [{"a": one, "b": other} for one, other in itertools.product((0, 1, 4, 5), repeat=2)]
    found = robustness_votes(votes_of(ballots), ["a", "b"])
    assert found.runoff == fewest(ballots, kinds, 4, "starvote") == found.at_most == found.at_least
    assert found.exact
    rival = "b" if found.winner == "a" else "a"
    for_it = [kind for kind in kinds if kind[rival] - kind[found.winner] >= 4]
    tried = (
        tally_star_votes(votes_of(other), ["a", "b"], on_tie="return")
        for other in changed(ballots, for_it, found.runoff or 0)
    )
    rules = {tally.runoff.decided_by for tally in tried if tally.runoff and tally.winner == rival}
    assert found.runoff_decided_by == next(rule for rule in ("runoff", "sum", "max_count") if rule in rules)


@pytest.mark.parametrize("protocol", ["starvote", "losses", "bettervoting"])
@pytest.mark.parametrize("seed", range(8))
def test_the_bounds_hold(seed: int, protocol: str) -> None:
    """With three choices what trying everything finds lies between the bounds, and they mostly meet there."""
    draw = random.Random(100 + seed)
    while winner_of(ballots := small_election(draw, "abc", 4), protocol) is None:
        pass
    kinds = [dict(zip("abc", stars, strict=True)) for stars in itertools.product((0, 4, 5), repeat=3)]
    found = robustness_votes(votes_of(ballots), ["a", "b", "c"], protocol=protocol)
    tried = fewest(ballots, kinds, 2, protocol)
    assert found.at_least is not None
    assert found.at_most is not None
    if tried is None:
        assert found.at_most > 2
    else:
        assert 1 <= found.at_least <= tried <= found.at_most


def test_other_finalists_may_be_the_easier_way() -> None:
    """The runoff is safer than the places in it: fewer changed ballots send somebody else there, who wins."""
    ballots = [{"a": 5, "b": 3, "c": 0}] * 20 + [{"a": 3, "b": 5, "c": 0}] * 4 + [{"a": 0, "b": 4, "c": 5}] * 22
    found = robustness_votes(votes_of(ballots))
    assert (found.winner, found.runner_up) == ("b", "a")
    assert found.at_most is not None
    assert found.runoff is not None
    assert found.at_most < found.runoff


def test_a_lone_choice_cannot_lose() -> None:
    """There is no number of ballots that would help another choice."""
    found = robustness_votes(votes_of([{"a": 1}]))
    assert (found.runoff, found.at_least, found.at_most, found.rival) == (None, None, None, None)


def test_without_a_winner_there_is_nothing_to_lose() -> None:
    """An unresolved tie has no winner yet."""
    with pytest.raises(InvalidElectionError, match="no winner that could change"):
        robustness_votes(votes_of([{"a": 1}, {"b": 1}]))


def test_a_decision_of_a_resolution_is_asked_the_same_way() -> None:
    """Lobbyists are not tallied, so a ballot of theirs does not make it safer (M1)."""
    choices = [("park", "x", None, 0), ("park", "y", None, 1)]
    ballots = [{"x": "5"}, {"x": "5"}, {"x": "5"}, {"y": "5"}]
    assert robustness(resolution_of({"park": ballots}, choices)).runoff == 2
    assert robustness(resolution_of({"park": ballots}, choices, lobbyists=["m0"])).runoff == 1
    with pytest.raises(InvalidElectionError, match="no voter has a ballot with stars"):
        robustness(resolution_of({"park": [{}]}, choices))


@pytest.mark.slow
def test_the_order_of_rows_changes_no_bound() -> None:
    """Whoever cast a ballot and wherever it stands, the bounds are the same."""
    draw = random.Random(5)
    compared = 0
    while compared < 150:
        ballots = small_election(draw, "abcd", 7)
        if winner_of(ballots) is None:
            continue
        found = robustness_votes(votes_of(ballots), list("abcd"))
        draw.shuffle(ballots)
        assert robustness_votes(votes_of(ballots), list("abcd")) == found
        compared += 1


def test_a_tie_on_the_way_is_told() -> None:
    """Two against none: two have to change for the other to win, and one leaves a tie that people decide (K7)."""
    found = robustness_votes(votes_of([{"a": 5, "b": 0}] * 2))
    assert (found.runoff, found.runoff_tie) == (2, 1)
    assert found.sentence == (
        "How safe: 2 ballots would have to change for b to win the runoff (1 to leave a tie for the manager to "
        "decide); no other result takes fewer."
    )
    changed = votes_of([{"a": 5, "b": 0}, {"a": 0, "b": 5}])
    assert tally_star_votes(changed, tie_order=["b", "a"]).winner == "b"
    assert robustness_votes(votes_of([{"a": 5, "b": 0}] * 3)).runoff_tie is None


def test_a_choice_that_only_just_missed_the_runoff_is_told_of() -> None:
    """Choice b leads c by 3 stars and loses to a by far; c would beat a, so one ballot that lets c in is enough."""
    ballots = [{"a": 4, "b": 3, "c": 5}] * 4 + [{"a": 5, "b": 4, "c": 0}] * 3 + [{"a": 4, "b": 0, "c": 1}]
    assert winner_of(ballots) == "a"
    found = robustness_votes(votes_of(ballots), list("abc"))
    assert (found.runoff, found.at_least, found.at_most, found.rival) == (4, 1, 1, "c")
    assert found.sentence == (
        "How safe: 1 ballot would have to change for another result: c could then reach the runoff and win it. For b "
        "to win this runoff takes 4 ballots (then both have as many, and b has more stars in all)."
    )
