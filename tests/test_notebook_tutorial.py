"""The tutorial, run without a browser: what it says of its examples is true, however they are changed."""

from __future__ import annotations

import importlib.util
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.pages.tutorial import (
    EXAMPLE,
    TIED_BALLOTS,
    by_every_rule,
    example,
    example_table,
    tangle_of,
    why,
)

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "tutorial.py"


@pytest.fixture(scope="module")
def app():
    spec = importlib.util.spec_from_file_location("tutorial_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


@pytest.fixture
def show(app):
    """What the page holds, as text, with some of its controls moved."""

    def page_of(**values) -> str:
        outputs, _ = app.run(defs={name: _control(value) for name, value in values.items()})
        return unescape(" ".join(mo.as_html(output).text for output in outputs if output is not None))

    return page_of


def _control(value: object) -> SimpleNamespace:
    return SimpleNamespace(value=value, start=0, stop=9, text="", _mime_=lambda: ("text/html", ""))


def test_every_example_is_there(show):
    """Seven examples, counted as they open."""
    page = show()
    for number in range(1, 8):
        assert f">{number}. " in page
    assert "Meadow wins." in page
    assert "these tags come along: budget." in page
    assert "budget does not get through, and Dan has no ballot." in page
    assert "Circular reference prevented (Ann → Ben → Ann)" in page
    assert "Ben, as met on this walk (without Ann): ballot calculated" in page
    assert "bettervoting: Meadow; losses: Swings; starvote: Pond." in page
    assert "Ben's ballot is 0.15 stars. Binary fractions would say 0.15000000000000002." in page


def test_examples_can_be_changed(show):
    """Other tags, another way through, no loop, no tie: the page says what comes of it."""
    page = show(
        tags_of_ann=["trees"],
        followed_on=["roads"],
        cay_on="ALL",
        loop_closed=False,
        stars_of_eve=5,
        protocol="losses (K5)",
    )
    assert "no tag of Ann's ballot is among those that Ben follows her on" in page
    assert "budget gets through to Dan." in page
    assert "the three rules agree." in page
    assert len(set(re.findall(r"(?:bettervoting|losses|starvote): (\w+)", page))) == 1


@pytest.mark.parametrize(("friends", "like"), [(7, "path"), (8, "equilibrium")])
def test_a_tangle_is_small_up_to_seven_friends(show, friends, like):
    """Up to the bound auto gives what path gives, beyond it what equilibrium gives, and the page says so (Y6)."""
    table = by_every_rule(tangle_of(friends))
    other = {"path": "equilibrium", "equilibrium": "path"}[like]
    assert table["★ by “auto”"].to_list() == table[f"★ by “{like}”"].to_list() != table[f"★ by “{other}”"].to_list()
    assert f"it gives what “{like}” gives" in show(friends=friends)


@pytest.mark.parametrize("pond", range(6))
def test_the_tie_is_one_only_as_it_opens(pond):
    """With the stars it opens with, all three have 15, and every protocol names another winner (K4 to K6)."""
    tally = cv.tally_star(
        cv.resolve(example(TIED_BALLOTS | {"Eve": TIED_BALLOTS["Eve"] | {"Pond": pond}})), EXAMPLE, on_tie="return"
    )
    level = tally.scores["total"].n_unique() == 1
    assert level == (pond == 4)
    if level:
        assert set(cv.compare_protocols(tally)["winner"]) == {"Pond", "Swings", "Meadow"}


def test_an_example_is_counted_exactly():
    """Stars are written with all their places; who has none is told why (D7, D10)."""
    state = example(
        {"Ann": {"Pond": 1}, "Ben": {"Pond": 0}, "Cay": {"Pond": 0}},
        [("Dan", "Ann", []), ("Dan", "Ben", []), ("Dan", "Cay", []), ("Eve", "Ann", ["roads"])],
    )
    table = example_table(state)
    assert table["★ Pond"].to_list() == ["1", "0", "0", "0.33333333", "–"]
    assert table["Why none"].to_list()[-1] == "Following others but no tag matches"
    assert "Dan ballot calculated without tags: Pond 0.33<" in why(state, "Dan")
