"""Tests of the words and tables of the what-if page."""

from __future__ import annotations

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis import charts
from crowdvote_analysis.pages import what_if as what_if_page
from crowdvote_analysis.power import voter_weights
from crowdvote_analysis.what_if import Follow, TagBallot, what_if, without_each


def test_the_winner_stands_first(demo, counted):
    """Whoever has the better score, the sentence about a runoff begins with its winner."""
    for decision in counted.decisions["decision_id"]:
        tallied = what_if(demo, counted, decision)
        if tallied.before and tallied.before.runoff and tallied.before.winner:
            title = dict(tallied.before.scores.select("choice_id", "title").iter_rows())[tallied.before.winner]
            assert what_if_page.verdict(tallied).sentences[0].startswith(f"Before: {title} against ")


def test_a_change_in_words(green):
    """Whether the result changes, by which numbers."""
    said = what_if_page.verdict(green)
    assert said.title == "The result changes: Car park wins instead of Wildflower meadow"
    assert said.sentences == (
        "Before: Wildflower meadow against Playground in the runoff, 25 to 7 ballots.",
        "Now: Car park against Wildflower meadow in the runoff, 18 to 15 ballots.",
        "13 ballots change, followers included.",
    )


def test_nobody_wins_what_is_still_open(demo, counted, here, green):
    """While people can vote somebody leads, in every sentence and table (S3)."""
    said = what_if_page.verdict(green, is_open=True)
    assert said.title == "The result changes: Car park leads instead of Wildflower meadow"
    absent = without_each(demo, counted, "village-green", ["kelly"])
    weights = voter_weights(counted, "village-green")
    table = what_if_page.absence_table(absent, weights, here, green.scores, is_open=True)
    assert table["Without this ballot"].to_list() == ["Car park leads"]
    drawn = str(charts.change_chart(charts.change_rows(green), is_open=True).to_dict())
    assert "led before" in drawn
    assert "in the lead now" in drawn
    assert "winner now" not in drawn


def test_no_change_in_words(demo, counted):
    """Where nothing changes the result stays, ties included."""
    assert what_if_page.verdict(what_if(demo, counted, "village-green")).title == (
        "The result stays: Wildflower meadow wins"
    )
    tie = what_if_page.verdict(what_if(demo, counted, "bench-colour"))
    assert tie.title == "The result stays: a tie between Bottle green and River blue"
    assert tie.sentences[-1] == "No ballot changes."


def test_ballots_that_change_are_listed(green, here):
    """Before and now stand in one cell; what stays is left empty."""
    row = what_if_page.change_table(green, here).filter(Member="Kelly").row(0, named=True)
    assert row["Ballot"] == "by hand → calculated"
    assert row["★ Car park"] == "0.00 → 5.00"
    assert row["Tags"] == "budget, environment → budget"


def test_who_is_pivotal_in_words(demo, counted, here):
    """The one whose absence changes the result is named and stands first."""
    found = without_each(demo, counted, "village-green")
    assert what_if_page.absence_sentence(found, here) == (
        "20 people tried, one at a time: the result would be another one without Kelly."
    )
    nobody = what_if_page.absence_sentence(found.filter(~pl.col("changes_winner")).head(1), here)
    assert nobody == "1 person tried, one at a time: no single one of them changes the result by not voting."
    table = what_if_page.absence_table(
        found, voter_weights(counted, "village-green"), here, cv.tally_star(counted, "village-green").scores
    )
    assert table.row(0) == ("Kelly", 6.7083, "Car park wins", "yes")
    assert table["Weight"].to_list()[1:] == sorted(table["Weight"].to_list()[1:], reverse=True)


def test_what_was_chosen_becomes_changes(here):
    """The controls of the page as changes; a following needs both of its members."""
    nothing = {"vote": ("", "kelly", {}, ""), "following": ("follow", None, "jack", "")}
    assert what_if_page.wanted(**nothing) == []
    wanted = what_if_page.wanted(
        vote=("tag", "kelly", {}, "trees; roads,"), following=("follow", "ben", "jack", "budget")
    )
    assert wanted == [TagBallot("kelly", ("trees", "roads")), Follow("ben", "jack", ("budget",))]
    assert what_if_page.in_words(wanted, here, "path (Y1)", "starvote (K4)") == (
        "If the ballot of Kelly had the tags trees, roads, and Ben followed Jack on [budget], and loops were counted "
        "by path (Y1):"
    )
    (cast,) = what_if_page.wanted(vote=("cast", "kelly", {"meadow": 2.5}, ""), following=nothing["following"])
    assert dict(cast.stars) == {"meadow": "2.5"}


def test_sliders_begin_at_the_ballot(counted):
    """The stars of a ballot, to the nearest half; 0 where there is none."""
    assert [stars for *_, stars in what_if_page.own_stars(counted, "village-green", "kelly")] == [5, 3, 0, 2]
    assert what_if_page.own_tags(counted, "village-green", "kelly") == "budget, environment"


def test_tables_name_no_anonymous_member(demo, counted, here, green, secrets):
    """Neither name nor id of an anonymous member is in what changes or in who is pivotal (P1)."""
    absent = without_each(demo, counted, "village-green")
    weights = voter_weights(counted, "village-green")
    for told in (
        str(what_if_page.change_table(green, here).rows()),
        str(what_if_page.absence_table(absent, weights, here, green.scores).rows()),
    ):
        assert not [secret for secret in secrets if f"'{secret}'" in told.lower()]
        assert "Anonymous " in told
