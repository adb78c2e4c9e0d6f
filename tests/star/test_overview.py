"""All decisions at a glance."""

from __future__ import annotations

import random
from decimal import Decimal

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star import tally_all, tally_all_ballots, tally_all_votes, tally_each, tally_star

from .elections import FakeResolution, resolution_of

CHOICES = [
    *[("decided", choice, choice.upper(), 0) for choice in "abc"],
    *[("runoff-tie", choice, None, 0) for choice in "ab"],
    *[("score-tie", choice, None, 0) for choice in "abc"],
    ("single", "a", "A", 0),
    ("unvoted", "a", "A", 0),
    ("broken", "a", "A", 0),
    ("broken", "b", "B", 0),
]
MANY = resolution_of(
    {
        "decided": [{"a": "5", "b": "4"}, {"a": "1", "b": "2"}, {"b": "0.5"}, {"c": "1"}],
        "runoff-tie": [{"a": "1"}, {"b": "1"}],
        "score-tie": [{"a": "5", "b": "1", "c": "2"}, {"a": "5", "b": "2", "c": "1"}],
        "single": [{"a": "3"}],
        "unvoted": [{}],
        "broken": [{"a": "5", "b": "1"}, {"a": "3", "b": "4"}],
        "no-choices": [{}],
    },
    CHOICES,
)


def row_of(decision_id: str) -> dict[str, object]:
    return tally_all(MANY).row(by_predicate=pl.col("decision_id") == decision_id, named=True)


def test_every_decision_has_one_row() -> None:
    """Decided or not, voted on or not, sorted by id."""
    assert tally_all(MANY).select("decision_id", "status").rows() == [
        ("broken", "decided"),
        ("decided", "decided"),
        ("no-choices", "no ballots"),
        ("runoff-tie", "unresolved tie"),
        ("score-tie", "unresolved tie"),
        ("single", "decided"),
        ("unvoted", "no ballots"),
    ]


def test_a_decided_row_says_who_won_and_by_how_much() -> None:
    """Winner, numbers of the runoff, and what decided it."""
    assert row_of("decided") == {
        "decision_id": "decided",
        "status": "decided",
        "winner": "b",
        "winner_title": "B",
        "winner_average": Decimal("1.62500000"),
        "runner_up": "a",
        "finalists": ["b", "a"],
        "score_leader": "b",
        "choice_count": 3,
        "vote_count": 4,
        "winner_votes": 2,
        "runner_up_votes": 1,
        "no_preference": 1,
        "margin": 1,
        "margin_percentage": Decimal(25),
        "decided_by": "runoff",
        "tie_stage": None,
        "tied": [],
        "places": None,
        "possible_winners": ["b"],
        "protocol": "starvote",
        "decided_by_manager": False,
    }


def test_a_broken_tie_says_which_rule_broke_it() -> None:
    """The margin is 0 and the total score decided."""
    row = row_of("broken")
    assert (row["winner"], row["margin"], row["decided_by"]) == ("a", 0, "sum")


def test_a_lone_choice_has_no_runoff() -> None:
    """There is no margin, rather than one of 0."""
    row = row_of("single")
    assert (row["winner"], row["runner_up"], row["margin"], row["decided_by"]) == ("a", None, None, "only choice")


def test_a_tie_while_scoring_says_who_is_tied_and_who_could_win() -> None:
    """One possible winner tells the manager that the choice does not matter."""
    row = row_of("score-tie")
    assert (row["winner"], row["finalists"], row["margin"], row["decided_by"]) == (None, [], None, None)
    assert (row["tie_stage"], row["tied"], row["places"]) == ("scoring", ["b", "c"], 1)
    assert row["possible_winners"] == ["a"]


def test_a_tied_runoff_still_has_its_finalists() -> None:
    """The runoff took place; nobody won it."""
    row = row_of("runoff-tie")
    assert (row["finalists"], row["no_preference"], row["margin"]) == (["a", "b"], 0, 0)
    assert (row["winner_votes"], row["tied"], row["possible_winners"]) == (None, ["a", "b"], ["a", "b"])


def test_a_decision_without_ballots_has_counts_and_nothing_else() -> None:
    """Zero votes, and nothing about a winner."""
    row = row_of("unvoted")
    assert (row["choice_count"], row["vote_count"], row["winner"], row["possible_winners"]) == (1, 0, None, [])


def test_the_rows_agree_with_the_single_tallies() -> None:
    """Counting all decisions in one go changes no answer."""
    for row in tally_all(MANY).filter(pl.col("status") != "no ballots").iter_rows(named=True):
        tally = tally_star(MANY, row["decision_id"], on_tie="return")
        assert (row["winner"], row["runner_up"], tuple(row["finalists"])) == (
            tally.winner,
            tally.runner_up,
            tally.finalists,
        )
        assert (row["vote_count"], row["status"]) == (tally.vote_count, tally.status)
        assert tuple(row["possible_winners"]) == tally.possible_winners


def test_the_order_of_rows_does_not_matter() -> None:
    """The same resolution upside down gives the same table."""
    upside_down = FakeResolution(MANY.ballots.reverse(), MANY.stars.reverse(), MANY.choices.reverse())
    assert tally_all(upside_down).equals(tally_all(MANY))


def test_columns_have_their_types_even_without_decisions() -> None:
    """An empty resolution gives an empty table of the same columns."""
    empty = tally_all(resolution_of({}, []))
    assert empty.is_empty()
    assert empty.schema == tally_all(MANY).schema


def test_an_unknown_protocol_is_refused() -> None:
    """Also when there is nothing to tally."""
    with pytest.raises(InvalidElectionError, match="Use one of: 'starvote'"):
        tally_all(resolution_of({}, []), "lots")


def test_a_decision_of_the_manager_is_recorded_in_its_row() -> None:
    """The order given for one decision decides that one, and the row says so (K7)."""
    ballots = {"tied": [{"a": "1"}, {"b": "1"}], "other": [{"a": "1"}, {"b": "1"}]}
    choices = [(decision, choice, None, 0) for decision in ballots for choice in "ab"]
    rows = tally_all(resolution_of(ballots, choices), tie_orders={"tied": ["b", "a"]}).to_dicts()
    assert [(row["decision_id"], row["winner"], row["decided_by"], row["decided_by_manager"]) for row in rows] == [
        ("other", None, None, False),
        ("tied", "b", "manager", True),
    ]


def test_three_doors_lead_to_the_same_rows() -> None:
    """Many decisions of unlike sizes give the same rows from a resolution, from long votes and from wide ballots."""
    draw = random.Random(7)
    names = ["a", "b", "c", "d"]
    decisions = {
        f"d{number:02d}": [
            {choice: str(draw.choice([0, 1, 5])) for choice in names[: 1 + number % 4]}
            for _ in range(draw.randint(1, 6))
        ]
        for number in range(40)
    }
    choices = [(decision, choice, None, 0) for decision, ballots in decisions.items() for choice in ballots[0]]
    resolution = resolution_of(decisions, choices)
    expected = tally_all(resolution)
    assert expected["status"].unique().sort().to_list() == ["decided", "unresolved tie"]
    order = list(range(resolution.stars.height))
    draw.shuffle(order)
    assert tally_all_votes(resolution.stars[order]).equals(expected)
    wide = resolution.stars.with_columns(pl.col("stars").cast(pl.Int64)).pivot(
        "choice_id", index=["decision_id", "member_id"], values="stars"
    )
    assert tally_all_ballots(wide.sample(fraction=1, shuffle=True, seed=3)).equals(expected)


def test_each_tally_is_the_one_of_its_decision() -> None:
    """All tallies made in one go are those made one by one; decisions without ballots are left out."""
    resolution = resolution_of(
        {"one": [{"x": "1", "y": "2"}], "two": [{"y": "3"}], "none": [{}]},
        [("one", "x", "X", 0), ("one", "y", None, 1), ("two", "y", "Y", 0), ("none", "y", "Y", 0)],
    )
    told: list[tuple[int, int]] = []
    tallies = tally_each(resolution, "losses", progress=lambda done, total: told.append((done, total)))
    assert {name: tally.to_dict() for name, tally in tallies.items()} == {
        name: tally_star(resolution, name, "losses").to_dict() for name in ("one", "two")
    }
    assert told == [(1, 2), (2, 2)]


VOTES = pl.DataFrame(
    [("d1", "m", "A", 5), ("d1", "m", "B", 3), ("d2", "m", "A", 4), ("d2", "n", "B", 2)],
    schema=["decision_id", "member_id", "choice_id", "stars"],
    orient="row",
)


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({"decision_id": ["d1"] * 3, "choice_id": ["A", "A", "B"]}, "choices: 'A' listed more than once"),
        ({"decision_id": ["d1", "d1"], "choice_id": ["A", "B"]}, "2 rows with a choice that is not among the choices"),
        ({"decision_id": ["d1", None], "choice_id": ["A", "B"]}, "choices: some rows have no decision_id"),
        ({"choice_id": ["A", "B"]}, "choices: no column 'decision_id'"),
    ],
)
def test_listed_choices_have_to_fit_the_votes(choices: dict[str, list[str]], text: str) -> None:
    """A choice listed twice, a decision left out, a missing id: nothing is counted wrongly or silently dropped."""
    with pytest.raises(InvalidElectionError, match=text):
        tally_all_votes(VOTES, pl.DataFrame(choices))


def test_an_order_for_a_decision_that_is_not_there_is_refused() -> None:
    """A misspelt decision would leave its tie open without a word; a bad order names its decision."""
    tied = resolution_of({"bench": [{"a": "1"}, {"b": "1"}]}, [("bench", choice, None, 0) for choice in "ab"])
    for tally in (tally_all, tally_each):
        with pytest.raises(InvalidElectionError, match="decision 'bensh' is not among those that are tallied"):
            tally(tied, tie_orders={"bensh": ["a", "b"]})  # type: ignore[operator]
        with pytest.raises(InvalidElectionError, match="tie_order of decision 'bench': leaves out 'b'"):
            tally(tied, tie_orders={"bench": ["a"]})  # type: ignore[operator]
