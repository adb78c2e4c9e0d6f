"""``crowdvote decide`` as people and programs meet it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.command import COMMAND, crowdvote
from tests.test_cli import write

DECISIONS = "decision_id,title,method,closes_at\nroof,The roof,simple_majority,2026-06-20 18:00\n"
MEMBERS = "member_id,is_voter,is_anonymous\nkelly,true,false\nmaya,true,false\njack,true,false\nrosalind,true,true\n"
VOTES = "decision_id,member_id,voted_at,vote,note\nroof,kelly,2026-06-01 08:00,no,first word\n"
NOW = ("--at", "2026-06-15 12:00")


@pytest.fixture
def club(tmp_path: Path) -> Path:
    return write(tmp_path / "club", decisions=DECISIONS, members=MEMBERS, yes_no_votes=VOTES)


def decide(*arguments: object) -> str:
    done = crowdvote("decide", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return " ".join(done.stdout.split())


def document(*arguments: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(crowdvote("decide", *arguments, "--json").stdout)
    return told


def test_the_demo_answers_without_a_folder() -> None:
    """The first command of the help shows every kind of outcome, as of the date of the demo."""
    told = decide("outcome")
    for words in (
        "approved: 5 of 9 votes cast are yes",
        "deadlocked: 3 of 10 required voters say yes (30%); at least 2/3 is needed",
        "rejected: Quorum not met. Need 10 votes, got 6",
        "3 more yes votes: 4 of 10",
        "passes so far: 63 of 111 decisive votes are yes",
        "expired: No votes have been cast",
    ):
        assert words in told


def test_one_decision_in_full() -> None:
    """Votes, outcome, what is missing, and who."""
    told = decide("outcome", "-d", "statutes")
    assert "Deadlocked: Even if all 3 remaining votes are yes: 6 of 10 required voters say yes (60%)" in told
    assert "Not voted by hand: Anonymous 1, Nora, Olivia." in told
    assert "3 more yes votes would pass it." in decide("outcome", "-d", "exchange")


def test_a_delegated_decision_is_compared_with_the_votes_by_hand() -> None:
    """What followings change is said (C7)."""
    told = decide("outcome", "-d", "night-lights")
    assert "of 36 votes cast are yes (56.94%)" in told
    assert "By hand alone: 7 of 16 votes cast are yes (43.75%)" in told


def test_the_instant_decides() -> None:
    """The same tables asked later have passed their deadlines."""
    assert document("outcome", "-d", "statutes")["rows"][0]["status"] == "active"
    assert document("outcome", demo_folder(), "-d", "statutes", "--at", "2026-07-01")["rows"][0]["status"] == "rejected"


def test_votes_are_text_in_json() -> None:
    """No number of votes or percentage passes through a binary float on its way to a program (D10)."""
    (row,) = document("outcome", "-d", "night-lights")["rows"]
    assert isinstance(row["yes"], str)
    assert row["percentage"].startswith("56.94")
    assert row["closes_at"] == "2026-06-26T20:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing", "-d", "statutes"], "statutes Olivia"),
        (["open"], "night-lights Shall the street lights go off after midnight? 2026-06-26 20:00 16 24"),
        (["summary"], "statutes 10 3 4 0 3"),
        (["eligible", "-m", "kelly"], "You are not eligible to vote on this decision. Only required voters"),
        (["reminders"], "Hugo, please vote on “Shall we join the exchange with Larchfield School?”: deadline tomorrow"),
    ],
)
def test_questions_are_answered(arguments: list[object], words: str) -> None:
    """Each question has an answer for people and the same rows for programs."""
    assert words in decide(*arguments)
    assert document(*arguments)["rows"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing", "-d", "roof"], "Nobody is missing."),
        (["open", "--at", "2026-07-01"], "Nothing can be voted on."),
        (["reminders", "--at", "2026-06-01"], "Nobody needs to be reminded."),
    ],
)
def test_no_answer_is_said_in_words(club: Path, arguments: list[object], words: str) -> None:
    """An empty answer is not an empty screen."""
    required = write(club, required_voters="decision_id,member_id\nroof,kelly\n")
    (club / "yes_no_votes.csv").write_text(VOTES.replace(",note", "").replace(",first word", ""))
    question, *options = arguments
    assert decide(question, required, *options) == words


def test_a_folder_without_yes_no_decisions(tmp_path: Path) -> None:
    """Questions about them have empty answers, not errors."""
    folder = write(tmp_path / "c", ballots="member_id,tags,Swings\nKelly,,4\n")
    for question in ("outcome", "summary"):
        assert decide(question, folder) == "There is no yes/no decision here."
    assert decide("eligible", folder, "-m", "Kelly") == "There is no yes/no decision in their communities."


def test_the_count_of_stars_points_to_yes_no_decisions(club: Path) -> None:
    """Where there are both, a line says how to see the others; where there are no stars, the error does."""
    told = " ".join(crowdvote("count", demo_folder()).stdout.split())
    assert f"Yes/no decisions, 7 of them: crowdvote decide outcome {demo_folder()}" in told
    assert "crowdvote decide outcome" in crowdvote("demo").stdout
    done = crowdvote("count", club)
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "no decision to count with stars; ballots or votes are missing." in told
    assert f"crowdvote decide outcome {club}" in told


def test_a_vote_is_added_to_the_file_that_is_there(club: Path) -> None:
    """The CSV file keeps every byte and gets a line; the answer says where the decision stands."""
    done = crowdvote("decide", "vote", club, "YES", "-d", "roof", "-m", "maya", *NOW)
    assert done.returncode == 0
    assert done.stdout.startswith("maya: yes. Does not pass so far: 1 of 2 votes cast is yes (50%)")
    assert (club / "yes_no_votes.csv").read_text() == VOTES + "roof,maya,2026-06-15T12:00:00Z,yes,\n"


def test_a_changed_vote_keeps_its_predecessor(club: Path) -> None:
    """The later vote stands, the earlier one is the history (C1)."""
    assert crowdvote("decide", "vote", club, "yes", "-d", "roof", "-m", "kelly", *NOW).returncode == 0
    (row,) = document("outcome", club, "-d", "roof", *NOW)["rows"]
    assert (row["yes"], row["no"], row["cast"]) == ("1.000000000", "0.000000000", 1)
    assert (club / "yes_no_votes.csv").read_text().startswith(VOTES)


def test_a_first_vote_makes_the_table(tmp_path: Path) -> None:
    """Where nobody has voted yet, the vote is written as Parquet, tags included."""
    folder = write(tmp_path / "club", decisions=DECISIONS, members=MEMBERS)
    told = document("vote", folder, "no", "-d", "roof", "-m", "jack", "--tag", "Budget", "--tag", "trees", *NOW)
    assert told["cast"] == {"vote": "no", "tags": ["budget", "trees"], "member_id": "jack"}
    assert told["rows"][0]["no"] == "1.000000000"
    assert pl.read_parquet(folder / "yes_no_votes.parquet").height == 1
    assert len(cv.SystemState.read(folder).yes_no_votes) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["yes", "-d", "lunch", "-m", "maya", *NOW], "Decision not found."),
        (["yes", "-d", "roof", "-m", "zed", *NOW], "You are not eligible to vote on this decision."),
        (["yes", "-d", "roof", "-m", "maya", "--at", "2026-06-20 18:00"], "The deadline for this decision has passed"),
        (["perhaps", "-d", "roof", "-m", "maya", *NOW], "yes, no, abstain"),
        (["yes", "-d", "roof", "-m", "kelly", "--at", "2026-06-01 08:00"], "has to be later"),
    ],
)
def test_a_refused_vote_changes_nothing(club: Path, arguments: list[object], words: str) -> None:
    """The words are those of C1, the exit code is 1, and the file is untouched."""
    before = (club / "yes_no_votes.csv").stat()
    done = crowdvote("decide", "vote", club, *arguments)
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    after = (club / "yes_no_votes.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_anonymous_voter_is_not_named(club: Path) -> None:
    """Neither an accepted vote nor a refused one tells who it was (P1)."""
    vote = ["decide", "vote", club, "yes", "-d", "roof", "-m", "rosalind"]
    for options in (NOW, (*NOW, "--json"), ("--at", "2026-07-01")):
        done = crowdvote(*vote, *options)
        assert "osalind" not in done.stdout + done.stderr
    assert "rosalind" in (club / "yes_no_votes.csv").read_text()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_votes_cast_at_once_are_all_kept(tmp_path: Path, kind: str) -> None:
    """Six people who vote in the same second lose nothing and refuse nobody."""
    people = [f"m{number:02}" for number in range(6)]
    members = "member_id\n" + "\n".join(people) + "\n"
    folder = write(tmp_path / "club", decisions=DECISIONS, members=members)
    if kind == "csv":
        write(folder, yes_no_votes="decision_id,member_id,voted_at,vote,tags\n")
    running = [
        subprocess.Popen([*COMMAND, "decide", "vote", folder, "yes", "-d", "roof", "-m", member, *NOW])
        for member in people
    ]
    assert [process.wait(timeout=300) for process in running] == [0] * len(people)
    votes = cv.SystemState.read(folder).yes_no_votes
    assert sorted(votes["member_id"]) == people
    assert sorted(path.name for path in folder.iterdir()) == [
        ".crowdvote.lock",
        "decisions.csv",
        "members.csv",
        f"yes_no_votes.{kind}",
    ]


def test_wrong_use_ends_with_code_2(club: Path) -> None:
    """A time that is none, or a missing argument, is a matter of usage."""
    for arguments in (["outcome", club, "--at", "soon"], ["vote", club, "yes"], ["eligible", club], ["nonsense"]):
        assert crowdvote("decide", *arguments).returncode == 2


def test_errors_are_words(tmp_path: Path) -> None:
    """A folder that is not there, an unknown decision, or one with stars ends with code 1 and the way out."""
    for arguments, words in (
        (["vote", tmp_path / "nowhere", "yes", "-d", "roof", "-m", "maya"], "no such folder"),
        (["outcome", "-d", "lunch"], "decisions there: car-free-sundays"),
        (["missing", "-d", "village-green"], "counted with stars"),
        (["eligible", "-m", "nobody"], "Give an id of the table members"),
    ):
        done = crowdvote("decide", *arguments)
        assert done.returncode == 1
        assert words in " ".join(done.stderr.split())
    assert not (tmp_path / "nowhere").exists()


def test_help_teaches() -> None:
    """Every command of the group says what it does, with an example."""
    listing = crowdvote("decide", "--help").stdout
    for command in ("vote", "outcome", "missing", "open", "summary", "eligible", "reminders"):
        assert command in listing
        assert "crowdvote decide" in crowdvote("decide", command, "--help").stdout
