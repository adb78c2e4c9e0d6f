"""The notebook on which a decision is tried otherwise, run without a browser."""

from __future__ import annotations

import importlib.util
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.privacy import public_names

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "what_if.py"


@pytest.fixture(scope="module")
def app():
    spec = importlib.util.spec_from_file_location("what_if_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


@pytest.fixture(scope="module")
def demo():
    state = cv.SystemState.read(demo_folder())
    return {"state": state, "all_names": public_names(state), "notes": []}


@pytest.fixture
def show(app, demo):
    """What the page of a decision holds, as text."""

    def page_of(community: str, decision: str, **chosen) -> str:
        chosen = chosen | {
            "community": SimpleNamespace(value=community, selected_key=community, text=""),
            "decision": SimpleNamespace(value=decision, text=""),
        }
        outputs, _ = app.run(defs=demo | chosen)
        return unescape(" ".join(mo.as_html(output).text for output in outputs if output is not None))

    return page_of


def _chosen(vote=("", "kelly"), following=("follow", None, None, "")):
    """What stands in the controls."""
    names = ("voter", "vote", "follower", "followee", "follows", "on_tags")
    values = (vote[1], vote[0], following[1], following[2], following[0], following[3])
    controls = {
        name: SimpleNamespace(value=value, selected_key="Kelly", text="")
        for name, value in zip(names, values, strict=True)
    }
    stars = SimpleNamespace(value=dict(vote[2:]), elements={}, text="")
    rules = {
        "cycles": SimpleNamespace(value=None, selected_key="as the community counts them", text=""),
        "protocol": SimpleNamespace(value="starvote", selected_key="starvote (K4)", text=""),
    }
    return controls | rules | {"stars": stars, "tags": SimpleNamespace(value="", text="")}


def test_opens_as_it_is(show):
    """At first nothing is changed, and the page says who is pivotal."""
    page = show("riverside", "village-green")
    assert "Nothing is changed so far." in page
    assert "As it is: Wildflower meadow wins" in page
    assert "Ballots that change" not in page
    assert "the result would be another one without Kelly." in page


def test_without_a_voter_the_result_may_change(show):
    """Another winner is said, with the winner first."""
    page = show("riverside", "village-green", **_chosen(("withdraw", "kelly")))
    assert "If Kelly had not voted:" in page
    assert "The result changes: Car park wins instead of Wildflower meadow" in page
    assert "Now: Car park against Wildflower meadow in the runoff, 18 to 15 ballots." in page


def test_sliders_say_where_they_begin(show):
    """Another ballot is the member's own at first, and its tags are those of the decision."""
    page = show("riverside", "village-green", **_chosen(("cast", "kelly", ("bandstand", 5.0))))
    assert "It begins as the ballot of Kelly is" in page
    assert "ballots by hand have these: budget, environment, heritage" in page


def test_a_ballot_and_a_following_can_be_changed_together(show):
    """Another ballot and another following are counted at once."""
    chosen = _chosen(("cast", "kelly", ("bandstand", 5.0)), ("follow", "ivan", "kelly", ""))
    page = show("riverside", "village-green", **chosen)
    assert "If Kelly had cast this ballot with no tags, and Ivan followed Kelly on [ALL]:" in page
    assert "Ballots that change" in page


def test_what_cannot_be_is_said(show):
    """A change that no table could hold is refused in words, and the page goes on."""
    page = show("riverside", "village-green", **_chosen(following=("unfollow", "kelly", "ivan", "")))
    assert "does not follow the one to be unfollowed" in page
    assert "If one of them had not voted" in page


def test_anonymous_members_are_not_on_the_page(show, demo):
    """Neither name nor id of an anonymous member is in what the page is sent, lists to choose from included (P1)."""
    hidden = demo["state"].members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    page = show("riverside", "village-green").lower()
    assert "anonymous 1" in page
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret.lower())}\b", page), secret


def test_nobody_voted(app, tmp_path):
    """Without any ballot there is nothing to tally, before and after, and no error."""
    (tmp_path / "choices.csv").write_text("decision_id,choice_id\nd,a\nd,b\n")
    (tmp_path / "members.csv").write_text("member_id\nKelly\n")
    outputs, _ = app.run(defs={"folder": SimpleNamespace(value=str(tmp_path))})
    page = unescape(" ".join(mo.as_html(output).text for output in outputs if output is not None))
    assert "As it is: nothing to tally" in page
    assert "Traceback" not in page
