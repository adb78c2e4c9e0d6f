"""Yes/no decisions as a chart, and the words and tables beside it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import charts
from crowdvote_analysis.bundled import DEMO_DATE
from crowdvote_analysis.consensus import outcomes, weights
from crowdvote_analysis.pages import yes_no as page
from crowdvote_analysis.privacy import public_names
from tests.charts.spec import drawing, rows, texts


def counted_votes(yes, no=0, abstain=0, required=10, method="simple_majority", **options) -> pl.DataFrame:
    counts = {"decision_id": "d", "method": method, "required": required, "yes": yes, "no": no, "abstain": abstain}
    return outcomes(pl.DataFrame([counts | options]))


def needed(outcome: pl.DataFrame) -> float | None:
    (mark,) = charts.progress_parts(outcome)["needed"].unique()
    return mark


@pytest.fixture(scope="module")
def decided(demo) -> pl.DataFrame:
    return cv.decide(demo, at=DEMO_DATE)


@pytest.fixture
def row(decided):
    return lambda decision: decided.row(by_predicate=pl.col("decision_id") == decision, named=True)


# --- the chart -----------------------------------------------------------------------------------------------------


def test_parts_are_the_required_voters():
    """Yes, no, abstentions and those who have not voted add up."""
    parts = charts.progress_parts(counted_votes(4, 1, 1))
    assert parts.select("part", "votes", "start", "end").rows() == [
        ("yes", 4, 0, 0.4),
        ("no", 1, 0.4, pytest.approx(0.5)),
        ("abstain", 1, pytest.approx(0.5), pytest.approx(0.6)),
        ("not voted", 4, pytest.approx(0.6), pytest.approx(1)),
    ]


@pytest.mark.parametrize(
    ("votes", "mark"),
    [
        ({"yes": 4, "no": 1, "method": "supermajority"}, 0.7),
        ({"yes": 9, "no": 1, "method": "supermajority"}, 0.7),
        ({"yes": 1, "no": 2, "method": "supermajority", "threshold": "1/2"}, 0.5),
        ({"yes": 5, "no": 3, "abstain": 1}, 0.5),
        ({"yes": 0, "no": 4}, 0.5),
        ({"yes": 1, "quorum": 6}, 0.6),
        ({"yes": 5, "abstain": 1, "method": "unanimity"}, 0.9),
    ],
)
def test_the_mark_stands_where_yes_has_to_get_to(votes, mark):
    """With so many yes and the other votes as they are it passes, with one less it does not."""
    outcome = counted_votes(**votes)
    assert needed(outcome) == pytest.approx(mark)
    enough = round(mark * 10)
    for yes, passes in ((enough, True), (enough - 1, False)):
        assert counted_votes(**votes | {"yes": yes})["passed"].item() == passes


@pytest.mark.parametrize(
    ("votes", "mark", "passes"),
    [
        ({"yes": "4", "no": "2", "required": 6, "method": "supermajority", "threshold": "2/3"}, 4 / 6, True),
        ({"yes": "2.666666670", "no": "1.333333330", "required": 4, "method": "supermajority"}, 0.66, True),
        ({"yes": "2.6", "no": "1.4", "required": 4, "method": "supermajority"}, 0.66, False),
        ({"yes": "18.3", "no": "16.7", "required": 40, "quorum": 35}, 17.5 / 40, True),
        ({"yes": "17.5", "no": "17.5", "required": 40}, 17.5 / 40, False),
        ({"yes": "3.4", "no": "1.6", "abstain": 2, "decisive_only": True}, 0.25, True),
        ({"yes": "3.4", "no": "1.6", "abstain": 2, "quorum": 8}, 0.44, False),
        ({"yes": "5", "no": "0", "abstain": 1, "method": "unanimity"}, 0.9, False),
    ],
)
def test_the_mark_of_delegated_votes_is_exact(votes, mark, passes):
    """A bar that passes reaches the mark, one that fails does not get beyond it, also by parts of a vote."""
    votes = votes | {"yes": Decimal(votes["yes"]), "no": Decimal(votes["no"])}
    # Ballots are all there, and votes by hand can still take the place of calculated ones.
    outcome = counted_votes(**votes, delegated=True).with_columns(deadlocked=False)
    assert outcome["passed"].item() == passes
    assert needed(outcome) == pytest.approx(mark)
    bar = charts.progress_parts(outcome).filter(part="yes")["end"].item()
    assert bar >= mark - 1e-9 if passes else bar <= mark + 1e-9


@pytest.mark.parametrize(
    "votes",
    [
        {"yes": 3, "no": 4, "method": "supermajority"},
        {"yes": 1, "no": 3, "required": 5},
        {"yes": 5, "no": 1, "method": "unanimity"},
    ],
)
def test_there_is_no_mark_out_of_reach(votes):
    """Where yes cannot get there any more, no place on the bar would be true."""
    outcome = counted_votes(**votes)
    assert outcome["deadlocked"].item()
    assert needed(outcome) is None
    assert drawing(charts.progress_chart(charts.progress_parts(outcome), width=300))


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ({"yes": 6, "no": 1}, "passes so far"),
        ({"yes": 1, "no": 5, "abstain": 4}, "deadlocked"),
        ({"yes": 2, "no": 2}, "1 more yes vote"),
        ({"yes": 2, "no": 3}, "2 more yes votes"),
        ({"yes": 2, "abstain": 6, "method": "unanimity"}, "2 more votes"),
        ({"yes": 6, "no": 1, "status": "approved"}, "approved"),
    ],
)
def test_words_stand_beside_the_title(votes, words):
    """What became of it, or what is missing, can be read without a tooltip."""
    parts = charts.progress_parts(counted_votes(**votes))
    assert parts["words"].unique().to_list() == [words]
    assert words in texts(charts.progress_chart(parts))


def test_weighted_votes_are_drawn_exactly_and_told_shortly():
    """Parts of votes have two places in words."""
    votes = {"yes": Decimal("19.333333333"), "no": Decimal("15.666666667"), "abstain": 1, "required": 40}
    chart = charts.progress_chart(charts.progress_parts(counted_votes(**votes)), width=500)
    assert "19.33 yes · 15.67 no · 1 abstain · 4 not voted" in drawing(chart)
    assert rows(chart)[0]["end"] == pytest.approx(19.333333333 / 40)


def test_nobody_required_can_be_drawn():
    """Without required voters the bar is empty."""
    parts = charts.progress_parts(counted_votes(0, required=0, method="supermajority"))
    assert parts["end"].to_list() == [0, 0, 0, 0]
    assert drawing(charts.progress_chart(parts, width=300))


def test_decisions_keep_their_order_and_a_row_each(decided):
    """One bar a decision, also where two have the same title."""
    same = decided.with_columns(title=pl.lit("The same")).reverse()
    chart = charts.progress_chart(charts.progress_parts(same))
    assert len(rows(chart)) == 4 * len(decided)
    assert [row["votes"] for row in rows(chart) if row["part"] == "yes"] == same["yes"].cast(float).to_list()
    assert chart.to_dict()["height"] >= 60 * len(decided)


def test_weights_of_a_delegated_decision(demo, names):
    """The votes by hand with the most weight come first, under public names (P1)."""
    shown = charts.vote_weight_rows(weights(demo, "night-lights"), names.filter(community_id="riverside"), top=40)
    assert shown.row(0) == ("Kelly", "yes", 6)
    assert shown["weight"].sum() == 36
    assert "Anonymous 1" in shown["name"].to_list()
    assert not {"Rosalind", "rosalind"} & set(shown["name"])
    assert "Kelly  (yes)" in texts(charts.vote_weight_chart(shown))


# --- words and tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "kind", "title"),
    [
        ("hall-roof", "success", "Approved"),
        ("statutes", "warn", "Deadlocked: it cannot pass any more"),
        ("night-lights", "success", "Passes so far"),
        ("phone-free", "warn", "Rejected"),
        ("exchange", "info", "3 more yes votes would pass it"),
        ("clock-tower", "warn", "Expired: nobody voted"),
    ],
)
def test_headline(row, decision, kind, title):
    """The headline says where a decision stands, and how good that is."""
    said = page.headline(row(decision))
    assert (said.kind, said.title) == (kind, title)
    assert all(sentence.endswith(".") for sentence in said.sentences)


def test_headline_tells_why_nothing_helps_any_more(row):
    """A deadlock is explained by the best that can still happen (C5)."""
    assert page.headline(row("statutes")).sentences[1].startswith("Even if all 3 remaining votes are yes: 6 of 10")


def test_headline_compares_with_the_votes_by_hand(row):
    """What followings change is said."""
    said = page.headline(row("night-lights"), row("night-lights") | {"reason": "7 of 16"})
    assert said.sentences[-1] == "By hand alone: 7 of 16."


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("hall-roof", "simple majority of the votes cast"),
        ("car-free-sundays", "simple majority of the decisive votes, quorum 100 (met)"),
        ("exchange", "supermajority: 66% of the required voters"),
        ("statutes", "supermajority: 2/3 of the required voters"),
        ("phone-free", "unanimity, quorum 10 (not met)"),
        ("night-lights", "simple majority of the votes cast, votes pass along followings"),
    ],
)
def test_criterion_in_words(row, decision, words):
    """How it is decided stands under the title."""
    assert page.criterion(row(decision)) == words


@pytest.mark.parametrize(
    ("yes", "no", "sentence"),
    [
        (3, 0, "With 3 more yes votes it passes: 7 of 10 required voters say yes (70%); at least 66% is needed."),
        (1, 1, "With 1 more yes vote and 1 more no vote it does not pass yet: 5 of 10 required voters say yes"),
        (0, 9, "With 4 more no votes it cannot pass any more: 4 of 10"),
        (3, 3, "With 3 more yes votes and 1 more no vote it passes"),
        (0, 0, "With no further votes it does not pass yet: 4 of 10"),
    ],
)
def test_what_if(decided, row, yes, no, sentence):
    """Further votes are counted by the same rules, and never more than remain."""
    then = page.what_if(decided.filter(decision_id="exchange"), yes, no).row(0, named=True)
    assert page.in_that_case(row("exchange"), then).startswith(sentence)


def test_votes_are_listed_under_public_names(demo, row):
    """Who voted what and who is missing stands in one table; anonymous members under their pseudonym (P1)."""
    table = page.vote_table(demo, row("statutes"), DEMO_DATE)
    assert table.columns == ["Member", "Vote", "Cast (UTC)"]
    assert table.filter(Vote="not voted")["Member"].to_list() == ["Anonymous 1", "Nora", "Olivia"]
    assert table["Vote"].to_list() == ["yes"] * 3 + ["no"] * 4 + ["not voted"] * 3


def test_a_delegated_decision_lists_what_followings_come_to(demo, row):
    """Who did not vote by hand has a calculated part of a vote, or none; the parts sum to the count (C7)."""
    table = page.vote_table(demo, row("night-lights"), DEMO_DATE)
    assert table["Counts as yes"].sum() == 20.5
    assert table.filter(Member="Ben").select("Vote", "Counts as yes").row(0) == ("by followings", 0.5)
    assert table.filter(Vote="not voted")["Counts as yes"].null_count() == 4


def test_votes_that_do_not_count_say_why(demo, row):
    """A vote of somebody who is not asked is listed with the reason."""
    stranger = demo.yes_no_votes.filter(decision_id="statutes", member_id="kelly").with_columns(
        member_id=pl.Series(["stella"])
    )
    with pytest.warns(cv.TableWarning, match="not a required voter"):
        state = cv.SystemState(
            members=demo.members,
            decisions=demo.decisions.filter(decision_id="statutes"),
            required_voters=demo.required_voters.filter(decision_id="statutes"),
            yes_no_votes=pl.concat([demo.yes_no_votes.filter(decision_id="statutes"), stranger]),
        )
    table = page.vote_table(state, row("statutes"))
    assert "not a required voter" in table.filter(Member="Stella")["Not counted"].item()


def test_changed_votes(demo):
    """A vote that took the place of another is listed with both (C1)."""
    assert page.change_table(demo, "hall-roof").rows() == [("Petra", "no", "yes", "2026-05-24 01:31")]
    assert page.change_table(demo, "hall-roof", DEMO_DATE.replace(month=5, day=21)).is_empty()
    assert page.change_table(demo, "night-lights").is_empty()


def test_no_table_names_an_anonymous_member(demo, decided):
    """Pseudonyms only, whatever the decision (P1)."""
    hidden = demo.members.filter("is_anonymous")
    secrets = {*hidden["member_id"], *hidden["display_name"]}
    for row in decided.iter_rows(named=True):
        tables = page.vote_table(demo, row), page.change_table(demo, row["decision_id"])
        assert not secrets & {cell for table in tables for cell in table["Member"]}
    assert len(public_names(demo)) == len(demo.members)
