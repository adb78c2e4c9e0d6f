"""Tables of yes/no decisions: their options, who is required, which votes are refused, set aside or not counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.published import input_tables
from tests.test_state import SECRET, frame, hidden, noted, quietly, refused
from tests.test_tables import build, plain, refusal

# --- options --------------------------------------------------------------------------------------------------------


def decision(method: str, **options: Any) -> cv.SystemState:
    return cv.SystemState(decisions=pl.DataFrame([{"decision_id": "d", "method": method} | options]))


@pytest.mark.parametrize("method", ["simple_majority", "supermajority", "unanimity"])
def test_options_are_read(method: str) -> None:
    """A quorum and delegation are for every yes/no method."""
    row = decision(method, quorum="3", delegated="yes").decisions.row(0, named=True)
    assert (row["method"], row["quorum"], row["delegated"]) == (method, 3, True)


@pytest.mark.parametrize(
    "threshold",
    [
        "66%",
        "66.67%",
        " 66 % ",
        "100%",
        "100.000000000%",
        "0.000000001%",
        "2/3",
        " 2 / 3",
        "1/1",
        "999999998/999999999",
    ],
)
def test_a_threshold_is_a_percentage_or_a_fraction(threshold: str) -> None:
    """It stays as it was written (C3)."""
    assert decision("supermajority", threshold=threshold).decisions["threshold"].item() == threshold


@pytest.mark.parametrize(
    "threshold",
    [
        *(66, 0.66, "66", "0.66", "66.", "1", "0%", "0/3", "2/0", "0/0", "4/3", "100.000000001%", "1000%", "-66%"),
        *("66,7%", "%", "/", "two thirds", "66%%", "1.5/2", "٦٦%", "66.0000000001%", "1/9999999999"),
    ],
)
def test_an_unclear_threshold_is_refused_with_the_way_out(threshold: Any) -> None:
    """66 may be a percentage and 0.66 a part; what 1 would be nobody knows."""
    with pytest.raises(
        cv.InvalidTableError, match="write a percentage such as 66% or a fraction such as 2/3"
    ) as caught:
        decision("supermajority", threshold=threshold)
    assert caught.value.counts == {"clear_threshold": 1}


@pytest.mark.parametrize(
    ("options", "methods", "words"),
    [
        (
            {"threshold": "66%"},
            ["star", "simple_majority", "unanimity"],
            "threshold is given, but only a supermajority",
        ),
        (
            {"decisive_only": True},
            ["star", "supermajority", "unanimity"],
            "decisive_only is true, but only a simple_majority",
        ),
        ({"quorum": 3}, ["star"], "quorum is given, but decisions with stars have none"),
        ({"delegated": True}, ["star"], "delegated is true, but that is for yes/no decisions"),
    ],
)
def test_an_option_that_a_method_has_no_use_for_is_refused(
    options: dict[str, Any], methods: list[str], words: str
) -> None:
    """Somebody may rely on it."""
    for method in ["star", "simple_majority", "supermajority", "unanimity"]:
        if method in methods:
            with pytest.raises(cv.InvalidTableError, match=words) as caught:
                decision(method, **options)
            assert f"method '{method}'" in str(caught.value)
        else:
            decision(method, **options)
    with pytest.raises(cv.InvalidTableError) as caught:
        decision("dice", **options)
    assert caught.value.counts == {"known_method": 1}


def test_a_quorum_below_zero_is_refused() -> None:
    """In words of its own."""
    with pytest.raises(cv.InvalidTableError, match="quorum is negative"):
        decision("unanimity", quorum=-1)


def test_a_quorum_beyond_all_people_is_refused() -> None:
    """A row that is wrong is told when the tables are read, and does not stop the count of the others."""
    assert len(cv.decide(decision("unanimity", quorum=10**15))) == 1
    with pytest.raises(cv.InvalidTableError, match=r"quorum is above 1,000,000,000,000,000") as caught:
        decision("unanimity", quorum=10**15 + 1)
    assert caught.value.counts == {"quorum|max": 1}


@pytest.mark.parametrize(("text", "vote"), [("YES", "yes"), (" No\t", "no"), ("Abstain", "abstain")])
def test_votes_are_trimmed_and_lower_cased(text: str, vote: str) -> None:
    """However a form wrote them."""
    for column in (pl.Series([text]), pl.Series([text], dtype=pl.Categorical)):
        assert build("yes_no_votes", "vote", column).yes_no_votes["vote"].item() == vote


@pytest.mark.parametrize("text", ["", " ", "ja", "true", "1", "yes no", True, 1])
def test_a_vote_that_is_none_is_refused(text: Any) -> None:
    """Nobody's vote is guessed."""
    assert "vote is none of yes, no, abstain (C1)" in str(refusal("yes_no_votes", "vote", text))


def test_two_votes_without_a_time_are_a_repeated_key() -> None:
    """Nobody could tell which of them stands; with two times they are a history."""
    for times, repeated in (([None, None], True), ([None, "2026-05-01"], False), (["2026-05-01", "2026-05-02"], False)):
        frames = plain("yes_no_votes")
        votes = pl.concat([frames["yes_no_votes"]] * 2).with_columns(
            voted_at=pl.Series(times, dtype=pl.String), vote=pl.Series(["yes", "no"])
        )
        if repeated:
            with pytest.raises(
                cv.InvalidTableError, match=r"2 rows: the key \(decision_id, member_id, voted_at\) appears"
            ):
                cv.SystemState(**frames | {"yes_no_votes": votes})
        else:
            assert len(cv.SystemState(**frames | {"yes_no_votes": votes}).yes_no_votes) == 2


@pytest.mark.parametrize("quarantine", [False, True])
def test_rows_that_say_the_same_are_merged(quarantine: bool) -> None:
    """D8: none is set aside, so that no required voter drops out of the divisor; a note says so."""
    state = noted(
        decisions=DECISIONS,
        members=MEMBERS,
        required_voters=frame("decision_id member_id", *["fence Kelly"] * 3, "fence Maya"),
        yes_no_votes=frame(
            "decision_id member_id voted_at vote tags how",
            "fence Kelly - yes b;a app",
            "fence Kelly - YES A;b post",
            "fence Maya 2026-05-01 no - app",
        ),
        quarantine=quarantine,
    )
    assert state.required_voters.rows() == [("fence", "Kelly"), ("fence", "Maya")]
    assert state.yes_no_votes["member_id"].to_list() == ["Kelly", "Maya"]
    assert state.quarantined == {}
    assert {
        "required_voters: 2 rows say the same as an earlier one and were merged with it.",
        "yes_no_votes: 1 rows say the same as an earlier one and were merged with it.",
    } < set(state.notes)
    outcome = cv.decide(state, ["fence"]).row(0, named=True)
    assert (outcome["required"], outcome["yes"], outcome["passed"]) == (2, 1, False)


def test_a_time_that_cannot_be_read_is_not_the_same_as_none() -> None:
    """Such a row is bad, and not a repetition of one without a time."""
    votes = frame("decision_id member_id voted_at vote", "roof Kelly - yes", "roof Kelly soon yes", "roof Kelly - yes")
    error = refused(decisions=DECISIONS, members=MEMBERS, yes_no_votes=votes)
    assert error.counts["voted_at|type"] == 1
    state = noted(decisions=DECISIONS, members=MEMBERS, yes_no_votes=votes, quarantine=True)
    assert state.yes_no_votes.is_empty()


# --- against other tables -------------------------------------------------------------------------------------------

DECISIONS = frame("decision_id method closes_at", "park star -", "roof unanimity 2026-05-02", "fence supermajority -")
MEMBERS = frame("member_id is_voter", "Kelly true", "Maya true", "Jack true", "Lobo false")


def test_without_a_table_every_voter_of_the_community_is_required() -> None:
    """In yes/no decisions, and nobody in those with stars."""
    state = noted(
        decisions=DECISIONS.head(2).with_columns(community_id=pl.Series(["k", "l"])),
        members=frame("community_id member_id is_voter", "k Kelly true", "l Maya true", "l Jack true", "l Lobo false"),
    )
    assert state.required_voters.rows() == [("roof", "Jack"), ("roof", "Maya")]


def test_a_decision_that_the_table_does_not_name_has_no_required_voters() -> None:
    """C3: the table says all there is to say."""
    state = noted(decisions=DECISIONS, members=MEMBERS, required_voters=frame("decision_id member_id", "roof Kelly"))
    assert state.required_voters.rows() == [("roof", "Kelly")]
    assert cv.decide(state, ["fence"])["reason"].item() == "No required voters defined"
    nobody = noted(decisions=DECISIONS, members=MEMBERS, required_voters=frame("decision_id member_id"))
    assert nobody.required_voters.is_empty()


def test_members_are_derived_from_yes_no_tables_too() -> None:
    """Whoever votes or is required to is a member, where no table says who is one."""
    state = quietly(
        decisions=DECISIONS,
        required_voters=frame("decision_id member_id", "roof Kelly"),
        yes_no_votes=frame("decision_id member_id vote", "fence Maya yes"),
    )
    assert state.members["member_id"].to_list() == ["Kelly", "Maya"]


def test_the_only_decision_need_not_be_named() -> None:
    """As in all tables."""
    state = noted(
        decisions=frame("decision_id method", "d unanimity"), yes_no_votes=frame("member_id vote", "Kelly yes")
    )
    assert state.yes_no_votes["decision_id"].to_list() == ["d"]


@pytest.mark.parametrize("table", ["required_voters", "yes_no_votes"])
def test_rows_of_a_decision_that_is_not_there_or_has_stars_are_refused(table: str) -> None:
    """The error says what the method would have to be."""
    rows = frame("decision_id member_id vote", "x Kelly yes", "park Kelly yes", "roof Kelly yes")
    rows = rows.drop("vote") if table == "required_voters" else rows
    error = refused(decisions=DECISIONS, members=MEMBERS, **{table: rows})
    assert error.counts == {"unknown_decision_id": 1, "yes_no_decision": 1}
    assert "the decision is not in the table decisions (first: row 1:" in str(error)
    assert "to vote yes or no its method has to be one of simple_majority, supermajority, unanimity" in str(error)
    state = noted(decisions=DECISIONS, members=MEMBERS, **{table: rows}, quarantine=True)
    assert state.quarantined[table]["row"].to_list() == [1, 2]
    assert getattr(state, table)["decision_id"].to_list() == ["roof"]


@pytest.mark.parametrize("table", ["required_voters", "yes_no_votes"])
def test_votes_without_a_table_of_decisions_are_refused(table: str) -> None:
    """By which method they would be counted is never guessed."""
    rows = frame("member_id vote", "Kelly yes")
    with pytest.raises(cv.InvalidTableError, match=r"decisions: the table is missing.*decision_id and method"):
        cv.SystemState(**{table: rows.drop("vote") if table == "required_voters" else rows})


@pytest.mark.parametrize("bad", ["roof Kelly maybe 2026-05-01", "roof Kelly no soon", "roof Kelly no -"])
def test_a_bad_vote_takes_the_history_of_its_voter_along(bad: str) -> None:
    """An earlier vote never stands in for one that cannot be read."""
    votes = frame("decision_id member_id vote voted_at", "roof Kelly yes -", bad, "roof Maya yes -", "fence Kelly no -")
    state = noted(decisions=DECISIONS, members=MEMBERS, yes_no_votes=votes, quarantine=True)
    assert state.yes_no_votes.select("decision_id", "member_id").rows() == [("roof", "Maya"), ("fence", "Kelly")]
    assert state.quarantined["yes_no_votes"]["row"].to_list() == [1, 2]


def test_a_bad_decision_takes_its_voters_and_votes_along() -> None:
    """Required voters who were derived are not reported as rows that somebody gave."""
    votes = frame("decision_id member_id vote", "roof Kelly yes", "fence Kelly yes")
    decisions = DECISIONS.with_columns(status=pl.Series(["active", "open", "active"]))
    state = noted(decisions=decisions, members=MEMBERS, yes_no_votes=votes, quarantine=True)
    assert state.yes_no_votes["decision_id"].to_list() == ["fence"]
    assert state.required_voters["decision_id"].unique().to_list() == ["fence"]
    assert set(state.quarantined) == {"decisions", "yes_no_votes"}
    required = frame("decision_id member_id", "roof Kelly", "fence Kelly")
    state = noted(decisions=decisions, members=MEMBERS, required_voters=required, quarantine=True)
    assert state.quarantined["required_voters"]["row"].to_list() == [1]


def test_who_and_what_is_not_counted_is_reported() -> None:
    """M1, M3, C1: kept, and said, each vote with one reason; nobody is reported for a clean state."""
    state = noted(
        decisions=DECISIONS,
        members=MEMBERS,
        required_voters=frame("decision_id member_id", "roof Kelly", "roof Lobo", "roof Gone", "fence Maya"),
        yes_no_votes=frame(
            "decision_id member_id vote voted_at",
            "roof Kelly yes 2026-05-02",
            "roof Lobo yes -",
            "roof Gone yes -",
            "roof Jack yes 2026-05-03",
            "fence Maya yes 2027-01-01",
        ),
    )
    assert state.notes == (
        "required_voters: 1 are not members (first: 'Gone'); kept, not counted (M3).",
        "required_voters: 1 are lobbyists (first: 'Lobo'); kept, not counted (M1).",
        "yes_no_votes: 1 were cast after the deadline (first: 'Kelly'); kept, not counted (C1).",
        "yes_no_votes: 1 were cast by a lobbyist (first: 'Lobo'); kept, not counted (M1).",
        "yes_no_votes: 1 were cast by somebody who is not a member (first: 'Gone'); kept, not counted (M3).",
        "yes_no_votes: 1 were cast by somebody who is not a required voter (first: 'Jack'); kept, not counted (C1).",
    )
    assert len(state.yes_no_votes) == 5
    assert noted(decisions=DECISIONS, members=MEMBERS).notes == ()


def test_an_anonymous_voter_is_named_in_no_error_and_no_note() -> None:
    """P1."""
    members = frame("member_id is_anonymous is_voter", f"{SECRET} true false", "Kelly false true")
    for vote in ("yes", "maybe"):
        hidden(
            decisions=DECISIONS,
            members=members,
            required_voters=frame("decision_id member_id", f"roof {SECRET}"),
            yes_no_votes=frame("decision_id member_id vote", f"roof {SECRET} {vote}"),
        )


@pytest.mark.parametrize(
    "rows",
    [
        [f"roof Kelly {SECRET}-says-yes - -"],
        [f"roof Kelly so-{SECRET.upper()}! - -"],
        ["roof Kelly Quirin - -"],
        [f"roof Kelly yes {SECRET} -"],
        [f"roof Kelly yes - {SECRET}\nbudget"],
        [f"roof {SECRET.lower()} maybe - -", "roof QUIRIN maybe - -", "roof \u00a0Quirin maybe - -"],
        [f"roof {SECRET.upper()} yes - -"],
    ],
)
def test_what_stands_beside_a_vote_names_no_anonymous_member_either(rows: list[str]) -> None:
    """P1: in cells that somebody mixed up, and in other capitals."""
    members = frame("member_id display_name is_anonymous", f"{SECRET} Quirin true", "Kelly Kelly false")
    columns = ["decision_id", "member_id", "vote", "voted_at", "tags"]
    cells = [[None if cell == "-" else cell for cell in row.split(" ")] for row in rows]
    votes = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")
    told = hidden(decisions=DECISIONS, members=members, yes_no_votes=votes)
    assert not [text for text in told for secret in (SECRET, "Quirin") if secret.lower() in text.lower()]


def test_a_bad_vote_is_shown_where_it_names_nobody() -> None:
    """The words of the cell are the way to find it."""
    members = frame("member_id is_anonymous", f"{SECRET} true", "Kelly false")
    votes = frame("decision_id member_id vote", "roof Kelly maybe")
    assert "vote 'maybe'" in str(refused(decisions=DECISIONS, members=members, yes_no_votes=votes))


def test_stars_in_a_yes_no_decision_are_not_looked_at() -> None:
    """They change no count, and a note says so."""
    state = noted(
        decisions=DECISIONS,
        members=MEMBERS,
        votes=frame("decision_id member_id choice_id stars", "park Kelly X 5", "roof Kelly X 5", "roof Maya X 4"),
    )
    assert state.notes == (
        "choices: 1 rows belong to yes/no decisions and are not looked at.",
        "ballots: 2 rows belong to yes/no decisions and are not looked at.",
        "votes: 2 rows belong to yes/no decisions and are not looked at.",
    )
    resolution = cv.resolve(state)
    assert resolution.decisions["decision_id"].to_list() == ["park"]
    assert resolution.stars.select("decision_id", "member_id").rows() == [("park", "Kelly")]
    assert cv.decide(state)["cast"].to_list() == [0, 0]


# --- beside decisions with stars ------------------------------------------------------------------------------------


def test_a_yes_no_decision_is_not_resolved() -> None:
    """The error says who decides it."""
    state = noted(decisions=DECISIONS, members=MEMBERS)
    assert cv.resolve(state).decisions["decision_id"].to_list() == ["park"]
    for count in (lambda: cv.resolve(state, ["roof"]), lambda: cv.affected_members(state, "roof", [])):
        with pytest.raises(
            cv.UnknownDecisionError, match=r"'roof' is voted on with yes and no.*crowdvote_analysis.decide"
        ):
            count()
    with pytest.raises(cv.UnknownDecisionError, match=r"'x' is not in the table decisions \(decisions there: park\)"):
        cv.resolve(state, ["x"])


def test_a_recount_does_not_mind_changes_of_yes_no_tables() -> None:
    """E2: neither votes nor decisions that come, go or change their method."""
    stars = {"members": MEMBERS, "votes": frame("decision_id member_id choice_id stars", "park Kelly X 5")}
    before = cv.resolve(noted(**stars, decisions=DECISIONS.head(1)))
    votes = frame("decision_id member_id vote", "roof Kelly yes")
    after = noted(**stars, decisions=DECISIONS, yes_no_votes=votes, required_voters=votes.drop("vote"))
    other = DECISIONS.with_columns(method=pl.Series(["star", "star", "supermajority"]))
    for state in (after, noted(**stars, decisions=other), noted(**stars, decisions=DECISIONS.head(1))):
        for changed in (None, ["Kelly"], []):
            again, full = cv.resolve_affected(state, before, changed), cv.resolve(state)
            for name in ("ballots", "stars", "stats", "choices", "decisions", "sources"):
                assert getattr(again, name).equals(getattr(full, name)), name
        before = full


def test_yes_no_tables_are_written_and_read_again(tmp_path: Path) -> None:
    """With their unknown columns, votes without a time too."""
    votes = frame("decision_id member_id vote voted_at how", "roof Kelly yes - app", "roof Kelly no 2026-05-01 post")
    state = quietly(decisions=DECISIONS, members=MEMBERS, yes_no_votes=votes)
    state.write(tmp_path)
    with pytest.warns(cv.TableWarning, match="how"):
        again = cv.SystemState.read(tmp_path)
    for name in ("decisions", "required_voters", "yes_no_votes"):
        assert getattr(again, name).sort(pl.all()).equals(getattr(state, name).sort(pl.all())), name
    assert again.unknown["yes_no_votes"].sort("voted_at")["how"].to_list() == ["app", "post"]


def test_published_votes_are_under_public_ids() -> None:
    """P1, in both tables alike."""
    members = frame("member_id is_anonymous", f"{SECRET} true", "Kelly false")
    votes = frame("decision_id member_id vote", f"roof {SECRET} yes", "roof Kelly no")
    tables = input_tables(noted(decisions=DECISIONS, members=members, yes_no_votes=votes))
    assert set(tables["yes_no_votes"]["member_id"]) == {"Anonymous 1", "Kelly"}
    assert set(tables["required_voters"]["member_id"]) == {"Anonymous 1", "Kelly"}


def test_a_deadline_belongs_to_the_time_after_it() -> None:
    """C1: a vote is in time up to the last moment before it."""
    for time, notes in (("2026-05-01T23:59:59.999999Z", 0), ("2026-05-02", 1)):
        votes = pl.DataFrame({"decision_id": ["roof"], "member_id": ["Kelly"], "vote": ["yes"], "voted_at": [time]})
        assert len(noted(decisions=DECISIONS, members=MEMBERS, yes_no_votes=votes).notes) == notes
