"""A calculation that somebody waits for at a page can be given up, and ends by itself when it takes too long."""

from __future__ import annotations

import time

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import patience
from crowdvote_analysis.serving.waiting import Waiting
from tests.command import COMMAND
from tests.servers import answering
from tests.serving.test_server import client, signed_in
from tests.test_notebook_browser import CHROMIUM, Visit, browser  # noqa: F401 - a fixture

CLIQUE = [f"friend {number:02}" for number in range(14)]


@pytest.fixture(scope="module")
def tangled() -> cv.SystemState:
    """Fourteen who all follow each other, and one of them also somebody who votes: minutes of walking by ``path``."""
    pairs = [(one, other) for one in CLIQUE for other in CLIQUE if one != other] + [(CLIQUE[0], "Kelly")]
    return cv.SystemState(
        members=pl.DataFrame({"member_id": ["Kelly", *CLIQUE]}),
        followings=pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row"),
        decisions=pl.DataFrame({"decision_id": ["pond"]}),
        ballots=pl.DataFrame({"decision_id": ["pond"], "member_id": ["Kelly"]}),
        votes=pl.DataFrame(
            {"decision_id": "pond", "member_id": "Kelly", "choice_id": ["Lilies", "Fish"], "stars": ["5", "3"]}
        ),
    )


def test_a_count_is_given_up_between_two_steps(tangled):
    """By whoever waits, and when it takes too long; nothing of it stays behind."""
    with pytest.raises(patience.CalculationGivenUp, match="as you asked"), patience.patience(60, lambda: True):
        cv.resolve(tangled, cycles="path")
    with pytest.raises(patience.CalculationGivenUp, match="after 0 seconds"), patience.patience(0):
        cv.resolve(tangled, cycles="path", on_refusal="report")
    assert cv.resolve(tangled).stars.equals(cv.resolve(tangled, cycles="equilibrium").stars)


def test_whoever_waits_is_told_once_that_it_takes_long(monkeypatch):
    monkeypatch.setattr(patience, "_NOTICED", 0.0)
    told: list[str] = []
    with patience.patience(60, notice=lambda: told.append("long")):
        time.sleep(0.001)
        patience.go_on()
        patience.go_on()
    assert told == ["long"]
    patience.go_on()  # nobody waits any more


def test_only_whoever_waits_gives_up(server):
    """The page alone knows where, whoever is signed in may go there, and it leads nowhere afterwards."""
    waiting = Waiting()
    with waiting.begin() as (one, mine), waiting.begin() as (other, _):
        assert one != other
        assert not mine.is_set()
    kofi = signed_in(server, "kofi")
    assert kofi.post(f"{one}").status_code == 204
    assert kofi.post(one, headers={"origin": "https://evil.example"}).status_code == 403
    assert client(server).post(one).status_code == 401


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium")
def test_a_page_gives_up_when_somebody_presses_the_button(browser, tangled, tmp_path):  # noqa: F811
    """The page says that it calculates, then that it was given up, and takes the next wish."""
    tangled.write(tmp_path / "tables")
    command = [*COMMAND, "dashboard", str(tmp_path / "tables"), "--page", "what_if", "--no-browser"]
    with answering(command, tmp_path / "out") as url:
        opened = Visit(browser.new_page())
        page = opened.page
        page.goto(f"{url}/what_if/")
        page.get_by_text("As it is: Lilies wins").wait_for()
        page.get_by_label("Loops").select_option(label="path (Y1)")
        page.get_by_role("button", name="Give up").click()
        page.get_by_text("It was given up, as you asked.").first.wait_for(timeout=15_000)
        assert not page.get_by_text("Still calculating").is_visible()
        page.get_by_label("Loops").select_option(label="equilibrium (Y4)")
        page.get_by_text("The result stays: Lilies wins").wait_for(timeout=15_000)
        assert opened.complaints == []
        page.close()
