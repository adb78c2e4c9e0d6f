"""``crowdvote decide`` as people and programs meet it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.command import COMMAND, crowdvote
from tests.test_cli import write

pytestmark = pytest.mark.slow

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
        (["yes", "-d", "roof", "-m", "kelly", "--at", "2026-05-01 08:00"], "has to be later"),
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


def test_a_vote_without_a_column_for_the_decision_leaves_the_folder_readable(club: Path) -> None:
    """Where there is one decision only, its votes need not name it, before and after another vote."""
    write(club, yes_no_votes="member_id,voted_at,vote\nkelly,2026-06-01 08:00,no\n")
    assert crowdvote("decide", "vote", club, "yes", "-d", "roof", "-m", "maya", *NOW).returncode == 0
    (row,) = document("outcome", club, *NOW)["rows"]
    assert (row["yes"], row["no"]) == ("1.000000000", "1.000000000")


def test_a_vote_that_would_not_be_read_back_is_refused(tmp_path: Path) -> None:
    """An id with blanks at its ends is known from Parquet files, and cannot stand in a CSV file."""
    folder = write(tmp_path / "club", decisions=DECISIONS, yes_no_votes=VOTES)
    pl.DataFrame({"member_id": [" bo ", "kelly"]}).write_parquet(folder / "members.parquet")
    done = crowdvote("decide", "vote", folder, "yes", "-d", "roof", "-m", " bo ", *NOW)
    assert done.returncode == 1
    assert "nothing was added, because member_id of the new row would be read otherwise" in " ".join(
        done.stderr.split()
    )
    assert (folder / "yes_no_votes.csv").read_text() == VOTES


@pytest.mark.parametrize("column", ["voted_at", "tags"])
@pytest.mark.parametrize("empty", [True, False])
def test_parquet_files_of_other_programs_can_be_voted_into(tmp_path: Path, column: str, empty: bool) -> None:
    """Times and tags as text, or a column without any value, are read and so are written to as well."""
    folder = write(tmp_path / "club", decisions=DECISIONS, members=MEMBERS)
    old = {"decision_id": "roof", "member_id": "kelly", "vote": "no", "voted_at": "2026-06-01 08:00", "tags": "a;b"}
    pl.DataFrame([old | {column: None} if empty else old]).write_parquet(folder / "yes_no_votes.parquet")
    before = cv.SystemState.read(folder).yes_no_votes
    done = crowdvote("decide", "vote", folder, "yes", "-d", "roof", "-m", "maya", "--tag", "c", *NOW)
    assert (done.returncode, done.stderr) == (0, "")
    after = cv.SystemState.read(folder).yes_no_votes
    assert after.head(1).equals(before)
    assert after["tags"].to_list()[1] == ["c"]


def test_a_vote_from_the_future_is_refused(club: Path) -> None:
    """A vote handed in on paper was cast earlier; none is cast later than now."""
    write(club, decisions="decision_id,method\nroof,simple_majority\n")
    vote = ["decide", "vote", club, "yes", "-d", "roof", "-m", "maya", "--at"]
    done = crowdvote(*vote, f"{datetime.now(UTC) + timedelta(minutes=3):%Y-%m-%d %H:%M}")
    assert done.returncode == 2
    assert "lies in the future" in " ".join(done.stderr.split())
    assert (club / "yes_no_votes.csv").read_text() == VOTES
    assert crowdvote(*vote, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}").returncode == 0
    assert "handed in on paper" in " ".join(crowdvote("decide", "vote", "--help").stdout.replace("│", " ").split())


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_refused(club: Path, at: str) -> None:
    """A year that only another time zone has is a matter of usage, not a fault of the program."""
    for command in (["outcome", club], ["vote", club, "yes", "-d", "roof", "-m", "maya"]):
        done = crowdvote("decide", *command, "--at", at)
        assert done.returncode == 2
        assert "years 1 to 9999" in " ".join(done.stderr.replace("│", " ").split())


@pytest.fixture
def tangle(club: Path) -> Path:
    """Beside the roof, a decision whose votes pass along followings of everybody by everybody."""
    people = ["kelly", "maya", "jack", "rosalind"]
    pairs = "".join(f"{one},{other}\n" for one in people for other in people if one != other)
    return write(
        club,
        decisions="decision_id,method,delegated\nroof,simple_majority,false\nlights,simple_majority,true\n",
        followings=f"follower_id,followee_id\n{pairs}",
    )


def test_a_vote_is_recorded_where_the_outcome_cannot_be_worked_out(tangle: Path) -> None:
    """The vote is there, and so is the reason why nothing more is said (Y3)."""
    vote = ["vote", tangle, "yes", "-d", "lights", "-m", "rosalind", "--work-limit", 1, "--cycles", "path"]
    done = crowdvote("decide", *vote)
    assert done.returncode == 0
    assert "yes. The vote is recorded; the outcome cannot be worked out: decision 'lights'" in done.stdout
    assert "osalind" not in done.stdout + done.stderr
    assert "lights,rosalind" in (tangle / "yes_no_votes.csv").read_text()
    told = document(*vote)
    assert (told["outcome"], told["rows"], told["cast"]["vote"]) == (None, [], "yes")
    assert "cannot be worked out" in told["notes"][-1]
    told = document(*vote, "--cycles", "equilibrium")
    assert told["outcome"] == told["rows"][0]


def test_one_decision_that_cannot_be_counted_leaves_the_others(tangle: Path) -> None:
    """The others are told, and of that one why it is not (Y3); who asks for it alone gets an error."""
    with (tangle / "yes_no_votes.csv").open("a") as votes:
        votes.write("lights,kelly,2026-06-01 08:00,yes,\n")
    told = crowdvote("decide", "outcome", tangle, "--cycles", "path", "--work-limit", 1).stdout
    assert told.split()[0] == "roof"
    assert "Cannot be counted: decision 'lights'" in told
    rows = document("outcome", tangle, "--cycles", "path", "--work-limit", 1)
    assert [row["decision_id"] for row in rows["rows"]] == ["roof"]
    assert [each["decision_id"] for each in rows["uncounted"]] == ["lights"]
    assert crowdvote("decide", "outcome", tangle, "-d", "lights", "--cycles", "path", "--work-limit", 1).returncode == 1
    assert len(document("outcome", tangle, "--work-limit", 1, "--cycles", "equilibrium")["rows"]) == 2


def test_bad_rows_can_be_set_aside_but_not_voted_beside(club: Path) -> None:
    """Questions are answered without the bad row; before a vote it has to be mended."""
    write(club, yes_no_votes=VOTES + "roof,maya,2026-06-01 09:00,perhaps,\n")
    assert "--quarantine" in crowdvote("decide", "outcome", club, *NOW).stderr
    for name in ("outcome", "missing", "open", "summary", "eligible", "reminders"):
        who = ["-m", "maya"] if name == "eligible" else []
        done = crowdvote("decide", name, club, *who, *NOW, "--quarantine")
        assert (done.returncode, "Set aside" in done.stderr) == (0, True)
    assert "perhaps" in (club / "quarantine" / "yes_no_votes.csv").read_text()
    done = crowdvote("decide", "vote", club, "yes", "-d", "roof", "-m", "jack", *NOW)
    told = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "Mend the rows first, then vote." in told
    assert "quarantine" not in told


def test_a_vote_that_does_not_count_is_marked(club: Path) -> None:
    """Who asks where they may vote learns that their late vote is none."""
    write(club, yes_no_votes=VOTES + "roof,maya,2026-06-21 08:00,yes,\nroof,rosalind,2026-06-21 08:00,yes,\n")
    arguments = ["eligible", club, "--at", "2026-06-22", "-m"]
    for member in ("maya", "rosalind", "Anonymous 1"):
        done = crowdvote("decide", *arguments, member)
        assert "yes (does not count: " in " ".join(done.stdout.split())
        assert "osalind" not in done.stdout
    (row,) = document(*arguments, "maya")["rows"]
    assert (row["vote"], row["not_counted"]) == ("yes", "cast after the deadline (C1)")
    assert "does not count" not in crowdvote("decide", "eligible", club, *NOW, "-m", "kelly").stdout


def test_ids_are_not_turned_into_pictures(club: Path) -> None:
    """Colons around a word are what somebody wrote."""
    write(
        club,
        decisions="decision_id,title,method\n:cat:,:dog: & co,simple_majority\n",
        yes_no_votes="decision_id,member_id,vote\n",
        members="member_id,display_name\nkelly,Kelly :tiger:\n",
    )
    assert ":cat: Kelly :tiger:" in decide("missing", club)
    assert ":cat: :dog: & co" in decide("open", club)
    assert all(word in decide("outcome", club) for word in (":cat:", ":dog:", ":tiger:"))
    assert ":tiger:: yes." in decide("vote", club, "yes", "-d", ":cat:", "-m", "kelly")


def test_missing_has_one_meaning() -> None:
    """Overview and summary both count who has not voted by hand, also where votes pass along followings."""
    (row,) = (row for row in document("summary")["rows"] if row["decision_id"] == "night-lights")
    told = decide("outcome")
    assert f" {row['missing']} passes so far: 20.5" in told[told.index("night-lights") :]
    in_full = decide("outcome", "-d", "night-lights")
    assert "no ballot 4" in in_full
    assert "not voted 4" not in in_full


def test_an_anonymous_voter_is_not_named(club: Path) -> None:
    """Neither an accepted vote nor a refused one tells who it was (P1)."""
    vote = ["decide", "vote", club, "yes", "-d", "roof", "-m", "rosalind"]
    for options in (NOW, (*NOW, "--json"), ("--at", "2026-07-01")):
        done = crowdvote(*vote, *options)
        assert "osalind" not in done.stdout + done.stderr
    assert "rosalind" in (club / "yes_no_votes.csv").read_text()


@pytest.mark.usefixtures("all_cores")
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
