"""Who decided, and what would come out otherwise, as charts and words."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import charts
from crowdvote_analysis.charts.network import LEVEL_COLOURS
from crowdvote_analysis.pages import influence as influence_page
from crowdvote_analysis.pages import what_if as what_if_page
from crowdvote_analysis.power import concentration, neighbourhood, tag_power, voter_weights
from crowdvote_analysis.what_if import Follow, TagBallot, WithdrawBallot, what_if, without_each
from tests.charts.spec import drawing, texts


@pytest.fixture(scope="module")
def here(names):
    return names.filter(community_id="riverside")


@pytest.fixture
def secrets(demo):
    hidden = demo.members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    return {text.lower() for text in [*hidden["member_id"], *hidden["display_name"]]}


@pytest.fixture
def green(demo, counted):
    return what_if(demo, counted, "village-green", [WithdrawBallot("kelly")])


def _shares(counted, here, tally, **kwargs) -> pl.DataFrame:
    shares = counted.score_shares.filter(decision_id="village-green")
    return charts.share_rows(shares, tally("village-green").scores, here, **kwargs)


def test_parts_fill_every_score(counted, here, tally):
    """The parts of a bar lie side by side from 0 to 1, and are the stars of the choice."""
    for _, parts in _shares(counted, here, tally).group_by("title"):
        assert parts["start"].to_list() == pytest.approx([0, *parts["end"][:-1]])
        assert parts["end"][-1] == pytest.approx(1)
        assert parts["stars"].sum() == pytest.approx(parts["total"][0])


def test_the_heaviest_are_named(counted, here, tally):
    """The heaviest voters are named, everybody else is one part, whatever the choice."""
    rows = _shares(counted, here, tally, top=2)
    assert set(rows["voter"]) == {"Kelly", "Rowan (River Trust)", "everybody else"}
    assert rows.filter(title="Car park")["voter"].to_list() == ["everybody else"]  # the two gave it no star


def test_names_that_repeat_are_told_apart(counted, here, tally):
    """Two voters of one name stay two parts, without an id that could be an anonymous one."""
    rows = _shares(counted, here.with_columns(name=pl.lit("Sam")), tally, top=2)
    assert set(rows["voter"]) == {"Sam (1)", "Sam (2)", "everybody else"}


def test_weights_are_added_up():
    """From nobody to everybody, with the first row above one half marked."""
    rows = charts.cumulative_rows(pl.DataFrame({"cumulative": [0.5, 0.75, 1.0]}))
    assert rows["share"].to_list() == [0, 0.5, 0.75, 1]
    assert rows.filter("majority")["voters"].to_list() == [2]
    assert rows["even"].to_list() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_many_voters_are_thinned_out():
    """Thousands of voters are a few hundred points; the majority and the last are among them."""
    rows = charts.cumulative_rows(pl.DataFrame({"cumulative": [place / 9_999 for place in range(1, 10_000)]}))
    assert len(rows) <= 400
    assert rows.filter("majority")["voters"].to_list() == [5_000]
    assert rows["voters"][-1] == 9_999


def test_further_tags_are_one_row(counted):
    """Beyond the bound tags are put together; ALL is written as such (T6)."""
    power = tag_power(counted, "village-green")
    assert charts.tag_rows(power)["tag"].to_list()[:2] == ["[ALL]", "environment"]
    rows = charts.tag_rows(power, top=2)
    assert rows["tag"].to_list() == ["[ALL]", "environment", "3 other tags"]
    assert rows["share"].sum() == pytest.approx(1)


def test_followers_stand_left_and_arrows_point_at_the_followed(demo, counted, here):
    """Positions follow the steps; an arrow ends at whoever is followed, with the tags on it."""
    drawn = charts.drawing_of(neighbourhood(demo, counted, "village-green", "kelly", steps=1), here)
    at = {row["label"]: row for row in drawn.nodes.iter_rows(named=True)}
    assert at["Grace"]["x"] < at["Kelly (12)"]["x"] < at["Jack (6)"]["x"]
    assert (at["Kelly (12)"]["level"], at["Jack (6)"]["level"], at["Grace"]["level"]) == ("most", "many", "nobody")
    (arrow,) = drawn.arrows.filter(pl.col("from") == "Leila").iter_rows(named=True)
    assert (arrow["x2"], arrow["y2"]) == (at["Kelly (12)"]["x"], at["Kelly (12)"]["y"])
    assert (arrow["to"], arrow["tags"], arrow["result"]) == ("Kelly", "[ALL]", "gave its ballot")
    (own,) = drawn.arrows.filter(pl.col("from") == "Hana").iter_rows(named=True)
    assert (own["result"], own["why"]) == ("gave nothing", "not looked at: voted by hand")


def test_every_level_has_its_colour(demo, counted, here):
    """Grey, blue, purple and red stand in the chart, and its texts can be read on any page."""
    chart = charts.network_chart(charts.drawing_of(neighbourhood(demo, counted, "village-green", "kelly"), here))
    for colour in LEVEL_COLOURS.values():
        assert colour in texts(chart)
    assert "Kelly (12)" in drawing(chart.properties(width=600))


def test_somebody_alone_can_be_drawn():
    """A member who follows nobody and is followed by nobody is one point."""
    state = cv.SystemState(votes=pl.DataFrame({"member_id": ["Ann"], "choice_id": ["x"], "stars": [3]}))
    resolution = cv.resolve(state)
    found = neighbourhood(state, resolution, resolution.decisions["decision_id"].item(), "Ann")
    names = pl.DataFrame({"member_id": ["Ann"], "public_id": ["Ann"], "name": ["Ann"]})
    assert "Ann" in drawing(charts.network_chart(charts.drawing_of(found, names), width=300))


def test_charts_name_no_anonymous_member(demo, counted, here, tally, green, secrets):
    """Neither name nor id of an anonymous member is in a chart, wherever they stand (P1)."""
    told = [texts(charts.share_chart(_shares(counted, here, tally)))]
    hidden = demo.members.filter("is_anonymous", community_id="riverside")["member_id"]
    for member in ["kelly", *hidden]:
        found = neighbourhood(demo, counted, "village-green", member, steps=2)
        told.append(texts(charts.network_chart(charts.drawing_of(found, here))))
    told.append(str(what_if_page.change_table(green, here).rows()))
    weights = voter_weights(counted, "village-green")
    absent = without_each(demo, counted, "village-green")
    told.append(str(what_if_page.absence_table(absent, weights, here, green.scores).rows()))
    told.append(str(influence_page.weight_table(counted, "village-green", weights, here).rows()))
    told.append(str(list(influence_page.member_labels(counted, "village-green", here))))
    for text in told:
        assert not [secret for secret in secrets if f'"{secret}"' in text.lower() or f"'{secret}'" in text.lower()]
    assert all("Anonymous 1" in text for text in told[-2:])


def test_headline_of_concentration(counted, here):
    """How few decided is said in words, and who carries most."""
    weights = voter_weights(counted, "village-green")
    said = influence_page.headline(concentration(weights["weight"]), weights, here)
    assert said.title == "5 of 19 people carry more than half of the result"
    assert said.sentences[0] == "Kelly carries most: 6.71 of 35 ballots (19.2%)."
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
    assert said.startswith("17 voters and 2 lobbyists carry weight. 1 further ballot by hand: without stars")
    voters = ballots.filter("is_voter")
    assert influence_page.who_carries(voters, voters.filter(member_id="kelly")) == (
        "1 voter carries weight. 17 further ballots by hand: without stars, or a lobbyist's that nobody inherits."
    )


def test_who_carried_the_winner(counted, here, tally):
    """The votes of the runoff for the winner, by whose ballots they are."""
    green = tally("village-green")
    shares = cv.runoff_shares(counted, green)
    said = influence_page.runoff_sentence(shares, green, here)
    assert said.startswith("Of the 25 ballots for Wildflower meadow in the runoff, 6.")
    assert " to Kelly, " in said
    assert said.endswith(" come down.")
    assert influence_page.runoff_sentence(shares.clear(), green, here) == ""


def test_the_winner_stands_first(demo, counted):
    """Whoever has the better score, the sentence about a runoff begins with its winner."""
    for decision in counted.decisions["decision_id"]:
        tallied = what_if(demo, counted, decision)
        if tallied.before and tallied.before.runoff and tallied.before.winner:
            title = dict(tallied.before.scores.select("choice_id", "title").iter_rows())[tallied.before.winner]
            assert what_if_page.verdict(tallied).sentences[0].startswith(f"Before: {title} against ")


def test_choices_keep_their_order_when_something_is_tried(green):
    """Bars can be compared, and the old and the new winner are marked."""
    rows = charts.change_rows(green)
    assert rows["rank_before"].to_list() == sorted(rows["rank_before"])
    assert rows.filter("won_before")["title"].to_list() == ["Wildflower meadow"]
    labels = texts(charts.change_chart(rows))
    assert "Wildflower meadow  (won before, finalist now)" in labels
    assert "Car park  (winner now)" in labels


def test_power_by_tag_in_words(counted):
    """How much passed through ALL, and the strongest tag."""
    assert influence_page.tag_sentence(tag_power(counted, "village-green")) == (
        "41% of what was inherited passed through followings on [ALL], whatever the tags. "
        "The strongest tag is “environment” with 40%."
    )
    assert "Nobody inherited" in influence_page.tag_sentence(tag_power(counted, "village-green").clear())


def test_a_change_in_words(green):
    """Whether the result changes, by which numbers."""
    said = what_if_page.verdict(green)
    assert said.title == "The result changes: Car park wins instead of Wildflower meadow"
    assert said.sentences == (
        "Before: Wildflower meadow against Playground in the runoff, 25 to 7 ballots.",
        "Now: Car park against Wildflower meadow in the runoff, 18 to 15 ballots.",
        "13 ballots change, followers included.",
    )


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
        "20 voters tried, one at a time: the result would be another one without Kelly."
    )
    nobody = what_if_page.absence_sentence(found.filter(~pl.col("changes_winner")).head(1), here)
    assert nobody == "1 voter tried, one at a time: no single one of them changes the result by not voting."
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
