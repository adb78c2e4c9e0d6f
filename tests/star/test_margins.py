"""How many ballots would have to change: exact for the runoff, proven bounds for the whole count."""

from __future__ import annotations

import random
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star import Robustness, robustness, robustness_votes, tally_star_votes

from .elections import STARS, resolution_of, votes_of
from .every_change import STAR, WHOLE, Election, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOLS = ["starvote", "losses", "bettervoting"]
FINE = (0, 1, 2 * STAR + 1, 3 * STAR, 5 * STAR - 1, 5 * STAR)
Ballot = dict[str, int]
Ballots = list[list[int]]


def draw_ballots(draw: random.Random, choices: int, most: int, stars: tuple[int, ...] = WHOLE) -> Ballots:
    """Any ballots, of all stars or of few, so that much is tied; some of them cast by several."""
    levels = draw.choice([stars, stars[:1] + stars[-1:], stars[::2], draw.sample(stars, 3)])
    drawn = [[draw.choice(levels) for _ in range(choices)] for _ in range(draw.randint(1, most))]
    return drawn + draw.choices(drawn, k=draw.choice([0, 0, most]))


def safety_of(ballots: Ballots, protocol: str = "starvote") -> Robustness:
    """How safe it is, with choices a, b, c and so on."""
    names = "abcdefgh"[: len(ballots[0])]
    written = [{name: f"{stars}E-8" for name, stars in zip(names, own, strict=True)} for own in ballots]
    return robustness_votes(votes_of(written, kind=STARS), list(names), protocol=protocol)


def check(draw: random.Random, protocol: str, choices: int, most: int, up_to: int, stars: tuple[int, ...]) -> bool:
    """Hold the bounds of an election against every change of so many ballots; whether they are exact."""
    while (election := Election(ballots := draw_ballots(draw, choices, most, stars), protocol)).winner is None:
        pass
    found = safety_of(ballots, protocol)
    whole = all(star % STAR == 0 for own in ballots for star in own)
    truth = election.fewest(kinds(choices, WHOLE if whole else stars), up_to)
    assert (found.winner, found.whole_stars) == (election.winner, whole)
    assert found.at_least is not None
    assert found.at_most is not None
    if truth is None:
        assert found.at_most > up_to, (ballots, found)
    else:
        assert found.at_least <= truth <= found.at_most, (ballots, found)
    return found.exact


def winner_of(ballots: list[Ballot], protocol: str = "starvote") -> str | None:
    return tally_star_votes(votes_of(ballots), list(ballots[0]), protocol=protocol, on_tie="return").winner


def changed(ballots: list[Ballot], for_it: list[Ballot], number: int) -> Iterator[list[Ballot]]:
    """All that ballots can become when so many of them are changed to any of some."""
    for chosen in combinations(range(len(ballots)), number):
        for given in combinations_with_replacement(for_it, number):
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
    found = robustness_votes(votes_of(ballots), ["a", "b"])
    tried = Election([[STAR * ballot["a"], STAR * ballot["b"]] for ballot in ballots]).fewest(kinds(2), 4)
    assert found.runoff == tried == found.at_most == found.at_least
    assert found.exact
    rival = "b" if found.winner == "a" else "a"
    for_it = [{rival: 5, found.winner: 0}, {rival: 5, found.winner: 1}, {rival: 4, found.winner: 0}]
    tallies = (
        tally_star_votes(votes_of(other), ["a", "b"], on_tie="return")
        for other in changed(ballots, for_it, found.runoff or 0)
    )
    rules = {tally.runoff.decided_by for tally in tallies if tally.runoff and tally.winner == rival}
    assert found.runoff_decided_by == next(rule for rule in ("runoff", "sum", "max_count") if rule in rules)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("choices", "number", "most", "up_to"), [(3, 250, 7, 1), (3, 25, 5, 2), (4, 60, 6, 1)])
def test_whole_stars_are_reckoned_with_as_trying_everything_does(
    choices: int, number: int, most: int, up_to: int, protocol: str
) -> None:
    """Where every ballot has whole stars, no change to other ballots of whole stars is outside of the bounds."""
    draw = random.Random(f"{choices} {most} {protocol}")
    exact = [check(draw, protocol, choices, most, up_to, WHOLE) for _ in range(number)]
    assert sum(exact) >= 0.95 * number


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_parts_of_stars_are_reckoned_with_as_trying_many_does(protocol: str) -> None:
    """Where a ballot has parts of a star, so may those that are changed."""
    draw = random.Random(protocol)
    for _ in range(100):
        check(draw, protocol, 3, 6, 1, FINE)


@pytest.mark.soak
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("choices", "number", "most", "up_to", "stars"),
    [(3, 5_000, 9, 1, WHOLE), (3, 300, 6, 2, WHOLE), (4, 1_000, 7, 1, WHOLE), (3, 2_000, 7, 1, FINE)],
)
def test_the_bounds_hold_in_thousands_of_elections(
    choices: int, number: int, most: int, up_to: int, stars: tuple[int, ...], protocol: str
) -> None:
    """As above, on many times as many."""
    draw = random.Random(f"thousands {choices} {most} {protocol}")
    for _ in range(number):
        check(draw, protocol, choices, most, up_to, stars)


def test_one_part_of_a_star_may_be_worth_a_ballot() -> None:
    """Ballots that know only whole stars are safer: none that gives 5 and 4.99999999 can be among them."""
    whole = [[2, 4, 1], [0, 4, 3], [2, 4, 3]]
    found = safety_of([[star * STAR for star in own] for own in whole])
    assert (found.whole_stars, found.at_least, found.at_most) == (True, 2, 2)
    assert found.sentence.endswith(" Changed ballots have whole stars, as every ballot here has.")
    parts = safety_of([[star * STAR for star in own] for own in whole[:2]] + [[2 * STAR, 4 * STAR, 3 * STAR - 1]])
    assert (parts.whole_stars, parts.at_least, parts.at_most, parts.rival) == (False, 1, 1, "a")
    assert parts.sentence.endswith(" Changed ballots may have parts of stars, as some have.")


def test_decimals_that_are_whole_are_whole_stars() -> None:
    """What counts is what the ballots say, not how it is written."""
    for kind in (None, STARS):
        assert robustness_votes(votes_of([{"a": 5, "b": 3}, {"a": 4}], kind=kind)).whole_stars


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
    while compared < 60:
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
        "decide); no other result takes fewer. Changed ballots have whole stars, as every ballot here has."
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
        "to win this runoff takes 4 ballots (then both have as many, and b has more stars in all). Changed ballots "
        "have whole stars, as every ballot here has."
    )
