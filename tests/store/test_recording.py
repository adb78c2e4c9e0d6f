"""Recording: one thing at a time, checked at the moment of the commit, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidTableError, RefusedRecordError, TableWarning
from crowdvote_analysis.store import Store, delta, recording
from tests.store.garden import NOON, SECRET_ID, SECRET_NAME

R = recording
EVE = NOON - timedelta(days=1)


def stars_of(store: Store, member: str, decision: str = "green") -> dict[str, str]:
    rows = store.cut().rows("votes", decision_id=decision, member_id=member)
    return {choice: f"{stars.normalize():f}" for choice, stars in rows.select("choice_id", "stars").iter_rows()}


def test_a_community_and_its_first_decision_from_nothing(garden: Store) -> None:
    """All that a vote needs can be recorded step by step, each step under its own word."""
    R.create_community(garden, "lake", "The lake", "equilibrium")
    R.join(garden, "lake", "nora", display_name="Nora", is_manager=True)
    R.join(garden, "lake", "sam", is_voter=False, is_anonymous=True)
    R.create_decision(garden, "lake", "boat", choices={"red": "Red", "blue": None}, title="Which boat?")
    R.publish_decision(garden, "boat")
    R.cast_ballot(garden, "boat", "nora", {"red": 5, "blue": Decimal("0.5")}, ["Colour ", "colour"])
    commits = garden.cut().commits
    assert commits["action"].to_list()[1:] == ["community", "join", "join", "create", "publish", "cast"]
    cut = garden.cut()
    assert cut.rows("communities", community_id="lake").row(0) == ("lake", "The lake", "equilibrium")
    assert cut.rows("members", community_id="lake").rows() == [
        ("lake", "nora", "Nora", True, True, False),
        ("lake", "sam", "sam", False, False, True),
    ]
    assert cut.rows("choices", decision_id="boat").rows() == [("boat", "blue", "blue", 1), ("boat", "red", "Red", 0)]
    decision = cut.rows("decisions", decision_id="boat").row(0, named=True)
    assert (decision["status"], decision["opens_at"]) == ("active", commits["committed_at"][-2])
    ballot = cut.rows("ballots", decision_id="boat").row(0, named=True)
    assert ballot == {"decision_id": "boat", "member_id": "nora", "tags": ["colour"], "cast_at": cut.at}
    assert stars_of(garden, "nora", "boat") == {"red": "5", "blue": "0.5"}


def test_ids_and_tags_are_recorded_in_one_form(garden: Store) -> None:
    """T5, T7: whoever types a name on another machine is the same member, and so are choices and tags."""
    R.join(garden, "garden", "Jose\u0301", display_name="\ufeffJose\u0301")
    R.create_decision(garden, "garden", "cafe\u0301", choices=["Ire\u0301ne", "Bo\u200bb"])
    R.publish_decision(garden, "caf\u00e9")
    R.cast_ballot(garden, "cafe\u0301", "Jos\u00e9", {"Ire\u0301ne": 5}, ["STRASSE", "Stra\u00dfe"])
    R.change_ballot(garden, "caf\u00e9", "Jose\u0301", stars={"Bob": 1})
    R.follow(garden, "garden", "maya", "Jose\u0301", ["Cafe\u0301"])
    cut = garden.cut()
    assert cut.rows("members", member_id="Jos\u00e9")["display_name"].to_list() == ["Jos\u00e9"]
    assert stars_of(garden, "Jos\u00e9", "caf\u00e9") == {"Ir\u00e9ne": "5", "Bob": "1"}
    assert cut.rows("ballots", decision_id="caf\u00e9")["tags"].to_list() == [["strasse"]]
    assert cut.rows("followings", followee_id="Jos\u00e9")["tags"].to_list() == [["caf\u00e9"]]
    with pytest.raises(RefusedRecordError, match="already"):
        R.join(garden, "garden", "Jose\u0301")


def test_a_word_for_all_is_recorded_as_all_with_a_warning(garden: Store) -> None:
    """T3, T5."""
    with pytest.warns(TableWarning, match=r"followings: tags have a word for ALL among them; they follow on ALL"):
        R.follow(garden, "garden", "kelly", "maya", ["ALL"])
    assert garden.cut().rows("followings", follower_id="kelly")["tags"].to_list() == [[]]


def test_an_id_from_before_there_was_one_form_is_found_still(garden: Store) -> None:
    """T7: what was recorded stays as it is, and whoever it is can vote, be followed and leave."""
    old = "Jose\u0301"
    row = garden.cut().rows("members", member_id="kelly").with_columns(member_id=pl.lit(old))
    garden.commit("join", lambda _cut, _at: {"members": row})
    R.cast_ballot(garden, "green", old, {"Pond": 3})
    R.follow(garden, "garden", "maya", old)
    state = garden.state()
    assert state.ballots.filter(member_id=old).height == 1
    assert state.followings.filter(followee_id=old).height == 1
    R.leave(garden, "garden", old)
    assert garden.cut().rows("members", member_id=old).is_empty()


def test_tags_from_before_they_had_one_form_meet_those_of_today(garden: Store) -> None:
    """T5: they were in lower case only."""
    row = (
        garden.cut()
        .rows("followings", follower_id="maya")
        .with_columns(followee_id=pl.lit("kelly"), tags=pl.lit(["stra\u00dfe"]))
    )
    garden.commit("follow", lambda _cut, _at: {"followings": row})
    assert garden.state().followings.filter(followee_id="kelly", follower_id="maya")["tags"].to_list() == [["strasse"]]
    as_it_was = garden.cut().state(as_recorded=True).followings
    assert as_it_was.filter(followee_id="kelly", follower_id="maya")["tags"].to_list() == [["stra\u00dfe"]]


def test_who_leaves_is_gone_and_has_everything_back_after_joining_again(garden: Store) -> None:
    """Leaving takes back the membership alone (M3, D6)."""
    R.leave(garden, "garden", "kelly")
    cut = garden.cut()
    assert cut.rows("members", member_id="kelly").is_empty()
    assert cut.rows("ballots", member_id="kelly").height == 1
    R.join(garden, "garden", "kelly")
    assert garden.state().members.filter(member_id="kelly").height == 1
    assert stars_of(garden, "kelly") == {"Pond": "4.5", "Swings": "2"}


def test_a_role_changes_where_it_is_given(garden: Store) -> None:
    """What is not given stays as it was."""
    R.change_role(garden, "garden", "maya", is_voter=False)
    R.change_role(garden, "garden", "maya", is_manager=True, is_anonymous=True, display_name="M.")
    assert garden.cut().rows("members", member_id="maya").row(0) == ("garden", "maya", "M.", False, True, True)
    assert garden.cut().commits["action"].to_list()[-2:] == ["role", "role"]


def test_followings_begin_change_and_end(garden: Store) -> None:
    """Tags are normal (T5), a new following stands behind the others (D9), and no tags mean ALL (T3)."""
    R.follow(garden, "garden", "maya", "kelly", [" Trees", "budget", "trees"])
    key = {"community_id": "garden", "follower_id": "maya", "followee_id": "kelly"}
    assert garden.cut().rows("followings", **key).row(0)[3:] == (["budget", "trees"], 1)
    R.change_tags(garden, "garden", "maya", "kelly", ())
    assert garden.cut().rows("followings", **key).row(0)[3:] == ([], 1)
    R.change_tags(garden, "garden", "maya", "kelly", "trees")
    assert garden.cut().rows("followings", **key).row(0)[3:] == (["trees"], 1)
    R.unfollow(garden, "garden", "maya", "kelly")
    assert garden.cut().rows("followings", **key).is_empty()
    assert garden.cut().commits["action"].to_list()[1:] == ["follow", "tags", "tags", "unfollow"]


def test_a_following_of_somebody_who_left_can_end(garden: Store) -> None:
    """Whoever has gone can still be unfollowed."""
    R.leave(garden, "garden", SECRET_ID)
    R.unfollow(garden, "garden", "maya", SECRET_ID)
    assert garden.cut().rows("followings", follower_id="maya").is_empty()


def test_a_second_ballot_replaces_the_first_as_a_whole(garden: Store) -> None:
    """No star is left over, and the time is that of the commit."""
    commit = R.cast_ballot(garden, "green", "kelly", {"Swings": "0.00000001"}, ["budget"])
    assert commit.rows == {"ballots": 1, "votes": 1}
    assert stars_of(garden, "kelly") == {"Swings": "0.00000001"}
    assert garden.cut().rows("ballots", member_id="kelly")["cast_at"].item() == commit.at


def test_a_ballot_without_stars_is_one(garden: Store) -> None:
    """It stands beside others and gives nothing (D5)."""
    R.cast_ballot(garden, "green", "lobby", {})
    assert garden.cut().rows("ballots", member_id="lobby").height == 1
    garden.state()


def test_stars_or_tags_of_a_ballot_change_alone(garden: Store) -> None:
    """Stars of other choices stay, tags stay, and the ballot is whole after each."""
    R.change_ballot(garden, "green", "kelly", tags=["trees"])
    assert stars_of(garden, "kelly") == {"Pond": "4.5", "Swings": "2"}
    commit = R.change_ballot(garden, "green", "kelly", stars={"Swings": 3})
    assert stars_of(garden, "kelly") == {"Pond": "4.5", "Swings": "3"}
    ballot = garden.cut().rows("ballots", member_id="kelly").row(0, named=True)
    assert (ballot["tags"], ballot["cast_at"]) == (["trees"], commit.at)
    R.change_ballot(garden, "green", "kelly", tags=[])
    assert garden.cut().rows("ballots", member_id="kelly")["tags"].to_list() == [[]]


def test_a_withdrawn_ballot_is_gone_until_another_is_cast(garden: Store) -> None:
    """Its stars go with it."""
    R.withdraw_ballot(garden, "green", "kelly")
    assert stars_of(garden, "kelly") == {}
    with pytest.raises(RefusedRecordError, match="no ballot"):
        R.withdraw_ballot(garden, "green", "kelly")
    R.cast_ballot(garden, "green", "kelly", {"Pond": 1})
    assert stars_of(garden, "kelly") == {"Pond": "1"}


def test_a_decision_closes_at_the_instant_of_the_commit(garden: Store) -> None:
    """At closes_at itself nothing can be cast any more, and it closes once."""
    commit = R.close_decision(garden, "green")
    assert garden.cut().rows("decisions", decision_id="green")["closes_at"].item() == commit.at
    for attempt in (
        lambda: R.close_decision(garden, "green"),
        lambda: R.cast_ballot(garden, "green", "maya", {"Pond": 1}),
        lambda: R.withdraw_ballot(garden, "green", "kelly"),
        lambda: R.change_ballot(garden, "green", "kelly", tags=[]),
    ):
        with pytest.raises(RefusedRecordError, match="was closed at") as refused:
            attempt()
        assert refused.value.reason == "decision_closed"
    assert garden.cut().seq == commit.seq


def test_an_opening_that_was_given_stays(garden: Store) -> None:
    """Publishing does not open what is to open later, and what opens later takes ballots from then on."""
    opens = NOON + timedelta(hours=1, minutes=4)
    R.create_decision(garden, "garden", "dusk", choices=["Pond"], opens_at=opens.replace(tzinfo=None))
    R.publish_decision(garden, "dusk")
    with pytest.raises(RefusedRecordError, match="opens later"):
        R.cast_ballot(garden, "dusk", "maya", {"Pond": 1})
    while garden.clock() < opens:
        pass
    R.cast_ballot(garden, "dusk", "maya", {"Pond": 1})


def test_required_voters_are_those_given_or_all_voters(garden: Store) -> None:
    """Lobbyists are not asked unless they are named; who joins later is not asked."""
    R.create_decision(garden, "garden", "all", method="unanimity")
    R.create_decision(
        garden, "garden", "two", method="supermajority", threshold="2/3", required_voters=["maya", "lobby"]
    )
    R.join(garden, "garden", "late")
    rows = garden.cut().rows("required_voters")
    assert rows.filter(decision_id="all")["member_id"].to_list() == ["kelly", "maya", SECRET_ID]
    assert rows.filter(decision_id="two")["member_id"].to_list() == ["lobby", "maya"]


def test_yes_no_votes_are_kept_one_behind_the_other(garden: Store) -> None:
    """The latest stands, its predecessors are history (C1); a vote on paper has its own time."""
    first = R.vote(garden, "roof", "maya", "NO")
    second = R.vote(garden, "roof", "maya", "yes", "budget")
    R.vote(garden, "roof", "kelly", "abstain", voted_at=NOON.replace(tzinfo=None))
    rows = garden.cut().rows("yes_no_votes", decision_id="roof")
    assert rows.select("member_id", "voted_at", "vote", "tags").rows() == [
        ("kelly", NOON, "abstain", []),
        ("maya", first.at, "no", []),
        ("maya", second.at, "yes", ["budget"]),
    ]


REFUSALS: list[tuple[str, Callable[[Store], object]]] = [
    ("community_exists", lambda s: R.create_community(s, "garden")),
    ("already_a_member", lambda s: R.join(s, "garden", SECRET_ID)),
    ("unknown_community", lambda s: R.join(s, "nowhere", "nora")),
    ("looks_like_pseudonym", lambda s: R.join(s, "garden", "anonymous 3")),
    ("looks_like_pseudonym", lambda s: R.join(s, "garden", "Former  anonymous member 1")),
    ("looks_like_pseudonym", lambda s: R.join(s, "garden", "nora", display_name="Anonymous 7")),
    ("looks_like_pseudonym", lambda s: R.change_role(s, "garden", "maya", display_name="Anonymous 7")),
    ("not_a_member", lambda s: R.leave(s, "garden", "zed")),
    ("unknown_community", lambda s: R.leave(s, "nowhere", "maya")),
    ("not_a_member", lambda s: R.change_role(s, "river", "maya", is_voter=False)),
    ("nothing_given", lambda s: R.change_role(s, "garden", "maya")),
    ("follows_itself", lambda s: R.follow(s, "garden", SECRET_ID, SECRET_ID)),
    ("already_following", lambda s: R.follow(s, "garden", "maya", SECRET_ID)),
    ("not_a_member", lambda s: R.follow(s, "garden", "maya", "olivia")),
    ("not_a_member", lambda s: R.follow(s, "garden", "olivia", "maya")),
    ("unknown_community", lambda s: R.follow(s, "nowhere", "maya", "kelly")),
    ("not_following", lambda s: R.unfollow(s, "garden", "maya", "kelly")),
    ("unknown_community", lambda s: R.unfollow(s, "nowhere", "maya", "kelly")),
    ("not_following", lambda s: R.change_tags(s, "garden", "maya", "kelly", ["trees"])),
    ("not_a_member", lambda s: R.change_tags(s, "garden", "zed", "kelly", ["trees"])),
    ("unknown_decision", lambda s: R.cast_ballot(s, "lunch", "maya", {})),
    ("not_a_member", lambda s: R.cast_ballot(s, "green", "olivia", {"Pond": 1})),
    ("unknown_choice", lambda s: R.cast_ballot(s, "green", "maya", {"Slide": 1})),
    ("decision_draft", lambda s: R.cast_ballot(s, "sketch", "maya", {"Pond": 1})),
    ("decision_not_open", lambda s: R.cast_ballot(s, "later", "maya", {"Pond": 1})),
    ("yes_no_decision", lambda s: R.cast_ballot(s, "roof", "maya", {"Pond": 1})),
    ("no_ballot", lambda s: R.change_ballot(s, "green", "maya", tags=[])),
    ("nothing_given", lambda s: R.change_ballot(s, "green", "kelly")),
    ("unknown_choice", lambda s: R.change_ballot(s, "green", "kelly", stars={"Slide": 1})),
    ("no_ballot", lambda s: R.withdraw_ballot(s, "green", "maya")),
    ("unknown_community", lambda s: R.create_decision(s, "nowhere", "x", choices=["a"])),
    ("decision_exists", lambda s: R.create_decision(s, "river", "green", choices=["a"])),
    ("no_choices", lambda s: R.create_decision(s, "garden", "x")),
    ("yes_no_decision", lambda s: R.create_decision(s, "garden", "x", choices=["a"], method="unanimity")),
    ("yes_no_decision", lambda s: R.create_decision(s, "garden", "x", choices=["a"], required_voters=["maya"])),
    ("not_a_member", lambda s: R.create_decision(s, "garden", "x", method="unanimity", required_voters=["zed"])),
    ("unknown_decision", lambda s: R.publish_decision(s, "lunch")),
    ("not_a_draft", lambda s: R.publish_decision(s, "green")),
    ("unknown_decision", lambda s: R.close_decision(s, "lunch")),
    ("decision_draft", lambda s: R.close_decision(s, "sketch")),
    ("decision_not_open", lambda s: R.close_decision(s, "later")),
    ("unknown_decision", lambda s: R.vote(s, "lunch", "maya", "yes")),
    ("counted_with_stars", lambda s: R.vote(s, "green", "maya", "yes")),
    ("not_required", lambda s: R.vote(s, "roof", "lobby", "yes")),
    ("vote", lambda s: R.vote(s, "roof", "maya", "perhaps")),
    ("tags", lambda s: R.vote(s, "roof", "maya", "yes", ["a;b"])),
    ("in_the_future", lambda s: R.vote(s, "roof", "maya", "yes", voted_at=NOON + timedelta(days=100))),
]


@pytest.mark.parametrize(("reason", "attempt"), REFUSALS)
def test_what_may_not_be_recorded_is_refused(untouched: Store, reason: str, attempt: Callable[[Store], object]) -> None:
    """The refusal has a word for programs and a sentence that names no member, and nothing has changed (P1)."""
    with pytest.raises(RefusedRecordError) as refused:
        attempt(untouched)
    assert refused.value.reason == reason
    assert not [name for name in (SECRET_ID, SECRET_NAME, "maya", "olivia", "zed") if name in str(refused.value)]
    assert str(refused.value).endswith(".")
    assert untouched.cut().seq == 1


BAD: list[tuple[str, Callable[[Store], object]]] = [
    (r"outside 0 to 5 \(K9\)", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": 6})),
    (r"outside 0 to 5 \(K9\)", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": "-1"})),
    ("at most 8 places", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": "1.000000001"})),
    ("at most 8 places", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": "many"})),
    (r"are a float, and stars are exact \(D10\)", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": 4.5})),
    ("are a bool", lambda s: R.change_ballot(s, "green", "kelly", stars={"Pond": True})),
    ("semicolon", lambda s: R.cast_ballot(s, "green", "maya", {"Pond": 1}, ["a;b"])),
    ("semicolon", lambda s: R.follow(s, "garden", "maya", "kelly", ["a;b"])),
    ("member_id is empty", lambda s: R.join(s, "garden", "")),
    ("cycle_rule is none of", lambda s: R.create_community(s, "lake", cycle_rule="circle")),
    ("method is none of", lambda s: R.create_decision(s, "garden", "x", choices=["a"], method="lots")),
    ("closes_at lies before", lambda s: R.create_decision(s, "river", "x", choices="a", opens_at=NOON, closes_at=EVE)),
    ("appears more than once", lambda s: R.create_decision(s, "garden", "x", choices=["a", "a"])),
    ("choice_id is empty", lambda s: R.create_decision(s, "garden", "x", choices=[""])),
]  # fmt: skip


@pytest.mark.parametrize(("words", "attempt"), BAD)
def test_bad_values_are_refused_as_in_tables(untouched: Store, words: str, attempt: Callable[[Store], object]) -> None:
    """The error is that of the table, and nothing has changed."""
    with pytest.raises(InvalidTableError, match=words):
        attempt(untouched)
    assert untouched.cut().seq == 1


UNPLAIN = [
    ("zed\x00", "control character"),
    ("z\ned", "control character"),
    ("\x1b[1mzed", "control character"),
    ("z\x85ed", "control character"),
    ("zed\udcff", "half a character"),
    (" zed", "blank at its ends"),
    ("zed\u00a0", "blank at its ends"),
    (" \u3000", "nothing but blanks"),
]
MADE: list[tuple[str, Callable[[Store, str], object]]] = [
    ("communities: 1 row: community_id", lambda s, name: R.create_community(s, name)),
    ("members: 1 row: member_id", lambda s, name: R.join(s, "garden", name, is_anonymous=True)),
    ("members: 1 row: community_id", lambda s, name: R.join(s, name, "nora")),
    ("decisions: 1 row: decision_id", lambda s, name: R.create_decision(s, "garden", name, choices=["a"])),
    ("choices: 1 row: choice_id", lambda s, name: R.create_decision(s, "garden", "x", choices=["a", name])),
    (
        "required_voters: 1 row: member_id",
        lambda s, name: R.create_decision(s, "garden", "x", method="unanimity", required_voters=[name]),
    ),
]


@pytest.mark.parametrize(("place", "attempt"), MADE, ids=[place for place, _ in MADE])
@pytest.mark.parametrize(("name", "words"), UNPLAIN, ids=[ascii(name) for name, _ in UNPLAIN])
def test_new_ids_are_plain(
    untouched: Store, name: str, words: str, place: str, attempt: Callable[[Store, str], object]
) -> None:
    """What a CSV file would not give back is refused, with the way out; it is shown in plain letters, people never."""
    with pytest.raises(InvalidTableError, match=rf"^{place} (has|is) .*{words}.*Use ids of plain characters") as error:
        attempt(untouched, name)
    assert str(error.value).isascii()
    assert str(error.value).isprintable()
    assert (ascii(name) in str(error.value)) == ("member_id" not in place)
    assert untouched.cut().seq == 1


def test_an_error_about_an_anonymous_member_does_not_name_them(untouched: Store) -> None:
    """Neither one who is anonymous nor one who would be (P1); others are named, which helps."""
    with pytest.raises(InvalidTableError) as error:
        R.cast_ballot(untouched, "green", SECRET_ID, {"Pond": 6})
    assert SECRET_ID not in str(error.value)
    with pytest.raises(InvalidTableError, match="'maya'"):
        R.cast_ballot(untouched, "green", "maya", {"Pond": 6})
    with pytest.raises(InvalidTableError) as error:
        R.join(untouched, "garden", "", display_name="Quentin", is_anonymous=True)
    assert "Quentin" not in str(error.value)


def test_a_deadline_that_has_passed_is_not_published(garden: Store) -> None:
    """A draft that nobody could vote on stays one."""
    R.create_decision(garden, "garden", "past", choices=["a"], closes_at=NOON)
    with pytest.raises(RefusedRecordError, match="Create it anew") as refused:
        R.publish_decision(garden, "past")
    assert refused.value.reason == "decision_closed"


def test_a_decision_that_is_over_takes_nothing(garden: Store) -> None:
    """Neither ballots nor an end."""
    over = garden.cut().rows("decisions", decision_id="green").with_columns(status=pl.lit("cancelled"))
    garden.commit("import", lambda _cut, _at: {"decisions": over})
    for attempt in (R.close_decision, lambda s, d: R.cast_ballot(s, d, "maya", {"Pond": 1})):
        with pytest.raises(RefusedRecordError, match="no longer active"):
            attempt(garden, "green")


def test_a_vote_before_the_opening_is_refused(garden: Store) -> None:
    """A yes/no decision opens like any other."""
    R.create_decision(garden, "garden", "hall", method="unanimity", opens_at=NOON + timedelta(days=9))
    with pytest.raises(RefusedRecordError, match="no longer active"):
        R.vote(garden, "hall", "maya", "yes")
    R.publish_decision(garden, "hall")
    with pytest.raises(RefusedRecordError, match="opens later"):
        R.vote(garden, "hall", "maya", "yes")


def test_a_vote_after_the_deadline_is_refused_but_for_one_cast_before(garden: Store) -> None:
    """The time of the vote decides, on paper too."""
    closed = R.close_decision(garden, "roof")
    with pytest.raises(RefusedRecordError, match="deadline for this decision has passed"):
        R.vote(garden, "roof", "maya", "yes")
    R.vote(garden, "roof", "maya", "yes", voted_at=closed.at - timedelta(seconds=1))


def test_checks_hold_at_the_moment_of_the_commit(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the decision is closed while a ballot is under way, the ballot is refused."""
    rightly = delta.append_as_next
    calls = []

    def faster(table, frame):
        calls.append(1)
        if len(calls) == 1:  # somebody closes the decision on another machine
            monkeypatch.setattr("crowdvote_analysis.store.location.Location.folder", None)
            R.close_decision(garden, "green")
            monkeypatch.undo()
        return rightly(table, frame)

    with monkeypatch.context() as patch:
        patch.setattr(delta, "append_as_next", faster)
        with pytest.raises(RefusedRecordError, match="was closed at"):
            R.cast_ballot(garden, "green", "maya", {"Pond": 1})
    assert stars_of(garden, "maya") == {}


def test_a_ballot_is_there_with_all_its_stars_or_not_at_all(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that fails between the tables leaves the ballot before as it was."""
    before = garden.state()
    rightly = delta.append

    def fails(table, frame):
        if "choice_id" in frame.columns:
            raise OSError("disk full")
        return rightly(table, frame)

    with monkeypatch.context() as patch:
        patch.setattr(delta, "append", fails)
        with pytest.raises(OSError, match="disk full"):
            R.cast_ballot(garden, "green", "kelly", {"Pond": 1}, ["budget"])
    after = garden.state()
    assert after.ballots.equals(before.ballots)
    assert after.votes.equals(before.votes)
