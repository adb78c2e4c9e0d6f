"""Tests of the words and tables of the page about who decided."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.pages import influence as influence_page
from crowdvote_analysis.power import concentration, tag_power, voter_weights


def test_headline_of_concentration(counted, here):
    """How few decided is said in words, and who carries most."""
    weights = voter_weights(counted, "village-green")
    said = influence_page.headline(concentration(weights["weight"]), weights, here)
    assert said.title == "5 of 19 people carry more than half of the result"
    assert said.sentences[0] == "Kelly carries most, whatever the choice: 6.71 of 35 ballots (19.2%)."
    assert influence_page.headline(concentration([]), weights.clear(), here).title == "Nobody decided"


@pytest.mark.parametrize(
    ("weights", "title"),
    [([3], "One person carries the whole result"), ([3, 1], "One of 2 people carries more than half of the result")],
)
def test_headline_of_the_few(weights, title):
    """One voter is not spoken of as many."""
    frame = pl.DataFrame({"member_id": [f"m{place}" for place in range(len(weights))], "weight": weights})
    names = frame.select("member_id", public_id="member_id", name="member_id")
    assert influence_page.headline(concentration(weights), frame, names).title == title


def test_who_carries_weight_adds_up(counted):
    """Lobbyists and empty ballots are why the numbers of a page differ (M1, I3)."""
    ballots = counted.ballots.filter(decision_id="village-green")
    said = influence_page.who_carries(ballots, voter_weights(counted, "village-green"))
    assert said.startswith(
        "17 voters and 2 lobbyists carry weight. 1 further voter voted by hand and rated no choice. A lobbyist may"
    )
    voters = ballots.filter("is_voter")
    assert influence_page.who_carries(ballots, voters.filter(member_id="kelly")) == (
        "1 voter carries weight. 17 further voters voted by hand and rated no choice. Nobody inherited from 2 further "
        "lobbyists."
    )


def test_who_carried_the_winner(counted, here, tally):
    """The votes of the runoff for the winner, by whose ballots they are."""
    green = tally("village-green")
    shares = cv.runoff_shares(counted, green)
    said = influence_page.runoff_sentence(shares, green, here)
    assert said.startswith("Of the 25 ballots for Wildflower meadow in the runoff, 6.")
    assert " come down to Kelly, " in said
    assert said.count("come down") == 1
    first = shares.sort("for_winner", descending=True)["for_winner"].head(3).sum()
    assert f": together {float(first):.2f}. " in said
    assert influence_page.runoff_sentence(shares.clear(), green, here) == ""


def test_power_by_tag_in_words(counted):
    """How much passed through ALL, and the strongest tag."""
    assert influence_page.tag_sentence(tag_power(counted, "village-green")) == (
        "41% of what was inherited passed through followings on [ALL], whatever the tags. "
        "The strongest tag is “environment” with 40%."
    )
    assert "Nobody inherited" in influence_page.tag_sentence(tag_power(counted, "village-green").clear())


def test_tables_name_no_anonymous_member(counted, here, secrets):
    """Neither name nor id of an anonymous member is in a table or among those to choose from (P1)."""
    weights = voter_weights(counted, "village-green")
    for told in (
        str(influence_page.weight_table(counted, "village-green", weights, here).rows()),
        str(list(influence_page.member_labels(counted, "village-green", here))),
    ):
        assert not [secret for secret in secrets if f"'{secret}'" in told.lower()]
        assert "Anonymous 1" in told
