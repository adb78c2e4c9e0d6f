"""What people ask about yes/no decisions (C6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
from crowdvote_analysis.consensus import decide
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.store import questions

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


@pytest.fixture
def state() -> cv.SystemState:
    """A club of four voters, one of them anonymous, and a guest who is no voter."""
    return cv.SystemState(
        members=pl.DataFrame(
            {
                "member_id": ["kelly", "maya", "jack", "rosalind", "guest"],
                "display_name": ["Kelly", "Maya", "Jack", "Rosalind Rose", "Guest"],
                "is_voter": [True, True, True, True, False],
                "is_anonymous": [False, False, False, True, False],
            }
        ),
        decisions=pl.DataFrame(
            {
                "decision_id": ["roof", "lamps", "fence", "anthem", "lunch"],
                "title": ["The roof", "The lamps", "The fence", "The anthem", "Lunch"],
                "method": ["simple_majority", "supermajority", "unanimity", "simple_majority", "star"],
                "status": ["active", "active", "cancelled", "active", "active"],
                "closes_at": [at(17), at(14), at(16), None, None],
            }
        ),
        yes_no_votes=pl.DataFrame(
            {
                "decision_id": ["roof", "roof", "roof", "lamps", "lamps"],
                "member_id": ["kelly", "kelly", "rosalind", "maya", "jack"],
                "voted_at": [at(1), at(2), at(3), at(14, 13), at(1)],
                "vote": ["no", "yes", "abstain", "yes", "no"],
            }
        ),
        required_voters=pl.DataFrame(
            [(d, m) for d in ("roof", "lamps", "fence") for m in ("kelly", "maya", "jack", "rosalind")],
            schema=["decision_id", "member_id"],
            orient="row",
        ),
    )


# The late vote about the lamps is noted when the tables are read.
pytestmark = pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")


def test_open_decisions_stand_by_deadline_those_without_one_last(state: cv.SystemState) -> None:
    """What is over, cancelled or counted with stars is not open."""
    first = questions.open_decisions(state, NOON)
    assert first["decision_id"].to_list() == ["roof", "anthem"]
    assert first.select("required", "cast", "missing").row(0) == (4, 2, 2)
    assert questions.open_decisions(state, at(13))["decision_id"].to_list() == ["lamps", "roof", "anthem"]


def test_a_decision_is_over_at_its_deadline(state: cv.SystemState) -> None:
    """At the very moment of the deadline nobody can vote any more."""
    assert "roof" not in questions.open_decisions(state, at(17))["decision_id"]
    assert "roof" in questions.open_decisions(state, at(17) - timedelta(microseconds=1))["decision_id"]


def test_missing_voters_have_not_voted_in_time(state: cv.SystemState) -> None:
    """A vote after the deadline does not help, an abstention does."""
    assert questions.missing_voters(state, "roof")["name"].to_list() == ["Jack", "Maya"]
    assert questions.missing_voters(state, "lamps")["name"].to_list() == ["Anonymous 1", "Kelly", "Maya"]
    assert questions.missing_voters(state, "roof", at(1))["name"].to_list() == ["Anonymous 1", "Jack", "Maya"]
    assert set(questions.missing_voters(state)["decision_id"]) == {"roof", "lamps", "fence"}


def test_a_summary_has_zeros_not_nulls(state: cv.SystemState) -> None:
    """Every yes/no decision has a row, also one that nobody voted in or has to."""
    summary = questions.vote_summary(state)
    assert summary.null_count().sum_horizontal().item() == 0
    counts = {row[0]: row[3:] for row in summary.iter_rows()}
    assert counts == {
        "anthem": (0, 0, 0, 0, 0, 0),
        "fence": (4, 0, 0, 0, 0, 4),
        "lamps": (4, 0, 1, 0, 1, 3),
        "roof": (4, 1, 0, 1, 2, 2),
    }


def test_the_summary_agrees_with_the_outcome(state: cv.SystemState) -> None:
    """SQL and the count see the same votes."""
    for tables, when in ((state, None), (state, NOON), (cv.SystemState.read(demo_folder()), DEMO_DATE)):
        counted = decide(tables, at=when, delegated=False).select(
            "decision_id", "required", "yes", "no", "abstain", "cast"
        )
        said = decide(tables, at=when).select("decision_id", "status")
        assert questions.vote_summary(tables, when).select("decision_id", "status").equals(said)
        summary = questions.vote_summary(tables, when).select(counted.columns)
        assert counted.with_columns(pl.col("yes", "no").cast(pl.Int64)).equals(summary)


def test_a_decision_that_nobody_voted_in_has_expired_for_all_who_ask(state: cv.SystemState) -> None:
    """The summary says of a deadline that has passed what the outcome says, and nothing before it (C6)."""
    ends = state.decisions["closes_at"].max()
    state = state._with(decisions=state.decisions.with_columns(pl.col("closes_at").fill_null(ends)))
    for when in (ends - timedelta(seconds=1), ends, ends + timedelta(days=1)):
        said = dict(decide(state, at=when).select("decision_id", "status").iter_rows())
        summary = questions.vote_summary(state, when)
        assert dict(summary.select("decision_id", "status").iter_rows()) == said
    assert "expired" in said.values()


def test_eligibility_says_why_not(state: cv.SystemState) -> None:
    """The reasons are those a vote would be refused with, in their order (C1)."""
    rows = {row["decision_id"]: row for row in questions.eligibility(state, "kelly", NOON).to_dicts()}
    assert list(rows) == ["lamps", "fence", "roof", "anthem"]
    assert (rows["roof"]["may_vote"], rows["roof"]["why_not"], rows["roof"]["vote"]) == (True, None, "yes")
    assert rows["lamps"]["why_not"].startswith("The deadline for this decision has passed (2026-06-14 12:00 UTC).")
    assert rows["fence"]["why_not"] == "This decision is no longer active (status: cancelled). Votes cannot be changed."
    assert rows["anthem"]["why_not"].startswith("You are not eligible to vote on this decision.")
    assert not questions.eligibility(state, "guest", NOON)["may_vote"].any()


def test_eligibility_agrees_with_what_happens(state: cv.SystemState) -> None:
    """Who may vote according to the list is not refused, and the other way round, with the same words."""
    for member in ("kelly", "maya", "guest"):
        for row in questions.eligibility(state, member, NOON).iter_rows(named=True):
            try:
                cv.record_vote(state, row["decision_id"], member, "yes", NOON)
                refused = None
            except cv.RefusedVoteError as error:
                refused = str(error)
            assert refused == row["why_not"]


def test_eligibility_knows_an_anonymous_member_by_pseudonym(state: cv.SystemState) -> None:
    """Id and pseudonym give the same answer, and neither tells the name (P1)."""
    answer = questions.eligibility(state, "Anonymous 1", NOON)
    assert answer.equals(questions.eligibility(state, "rosalind", NOON))
    assert set(answer["member_id"]) == {"Anonymous 1"}
    with pytest.raises(cv.UnknownMemberError) as unknown:
        questions.eligibility(state, "Rosalind Rose", NOON)
    assert "Rosalind" not in str(unknown.value)


def test_somebody_with_the_id_of_a_pseudonym_is_somebody_else(state: cv.SystemState) -> None:
    """Tables meet on the ids there are; a vote under a copied pseudonym is nobody's."""
    copied = pl.DataFrame({"decision_id": ["lamps"], "member_id": ["Anonymous 1"]})
    votes = copied.with_columns(vote=pl.lit("yes"), voted_at=pl.lit(at(2)), tags=pl.lit([], dtype=pl.List(pl.String)))
    more = cv.SystemState(
        members=state.members,
        decisions=state.decisions,
        required_voters=pl.concat([state.required_voters, copied]),
        yes_no_votes=pl.concat([state.yes_no_votes, votes.select(state.yes_no_votes.columns)]),
    )
    assert questions.vote_summary(more).equals(questions.vote_summary(state))
    assert questions.missing_voters(more, "lamps")["name"].to_list() == ["Anonymous 2", "Kelly", "Maya"]
    answer = questions.eligibility(more, "rosalind", NOON)
    assert answer.equals(questions.eligibility(more, "Anonymous 2", NOON))
    assert answer["decision_id"].is_unique().all()
    assert answer.filter(decision_id="lamps")["vote"].item() is None
    with pytest.raises(cv.UnknownMemberError):
        questions.eligibility(more, "Anonymous 1", NOON)


def test_one_decision_with_all_that_is_known(state: cv.SystemState) -> None:
    """Outcome, community and the missing stand in one row."""
    row = questions.decision_with_stats(state, "roof", NOON).row(0, named=True)
    assert (row["community"], row["title"], row["required"], row["yes"]) == ("community", "The roof", 4, 1)
    assert row["missing_names"] == ["Jack", "Maya"]
    assert questions.decision_with_stats(state, "anthem")["missing_names"].to_list() == [[]]


@pytest.mark.parametrize("name", ["lunch", "nonsense"])
def test_what_is_no_yes_no_decision_is_named(state: cv.SystemState, name: str) -> None:
    """A decision with stars, or none, is refused with words."""
    with pytest.raises(cv.UnknownDecisionError, match=name):
        questions.missing_voters(state, name)
    with pytest.raises(cv.UnknownDecisionError, match=name):
        questions.decision_with_stats(state, name)


@pytest.mark.parametrize(
    ("when", "due"),
    [
        (at(17), "deadline passed"),
        (at(17, 0), "deadline today"),
        (at(16, 23), "deadline tomorrow"),
        (at(16, 0), "deadline tomorrow"),
        (at(15, 23), "2 days left"),
        (at(14, 0), "3 days left"),
        (at(13), None),
    ],
)
def test_reminders_are_told_in_days_of_the_calendar(state: cv.SystemState, when: datetime, due: str | None) -> None:
    """Whether a deadline is today or tomorrow is a matter of dates, in UTC, not of 24 hours."""
    told = questions.reminders(state, when).filter(decision_id="roof")
    assert told["due"].unique().to_list() == ([due] if due else [])


def test_reminders_are_sentences(state: cv.SystemState) -> None:
    """A reminder can be sent as it stands; whoever is late is told so, the nearest deadline first."""
    assert questions.reminders(state, NOON, within_days=2)["sentence"].to_list() == [
        "Anonymous 1 has not voted on “The lamps”: deadline passed (14 June 2026, 12:00 UTC).",
        "Kelly has not voted on “The lamps”: deadline passed (14 June 2026, 12:00 UTC).",
        "Maya has not voted on “The lamps”: deadline passed (14 June 2026, 12:00 UTC).",
        "Jack, please vote on “The roof”: 2 days left (17 June 2026, 12:00 UTC).",
        "Maya, please vote on “The roof”: 2 days left (17 June 2026, 12:00 UTC).",
    ]
    assert questions.reminders(state, NOON, within_days=1)["decision_id"].unique().to_list() == ["lamps"]


def test_a_time_without_a_zone_is_utc(state: cv.SystemState) -> None:
    """As in the tables."""
    naive = NOON.replace(tzinfo=None)
    assert questions.reminders(state, naive).equals(questions.reminders(state, NOON))
    assert questions.open_decisions(state, naive).equals(questions.open_decisions(state, NOON))


def test_no_answer_names_an_anonymous_member() -> None:
    """Ids and names of anonymous members are in no answer about the demo (P1)."""
    demo = cv.SystemState.read(demo_folder())
    hidden = demo.members.filter("is_anonymous")
    secrets = {*hidden["member_id"], *hidden["display_name"]}
    assert any(member in secrets for member in demo.yes_no_votes["member_id"])
    pseudonym = public_names(demo).filter(member_id="rosalind")["public_id"].item()
    answers = [
        questions.open_decisions(demo, DEMO_DATE),
        questions.missing_voters(demo),
        questions.vote_summary(demo),
        questions.eligibility(demo, pseudonym, DEMO_DATE),
        questions.reminders(demo, DEMO_DATE, 30),
        *(questions.decision_with_stats(demo, decision) for decision in ("statutes", "night-lights")),
    ]
    words = {str(cell) for answer in answers for row in answer.iter_rows() for cell in row}
    assert not [word for word in words for secret in secrets if secret in word]
    assert any("Anonymous" in word for word in words)
