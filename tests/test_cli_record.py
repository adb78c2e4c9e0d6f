"""Stores on the command line: made, recorded in, asked about now and then."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.cli import record
from crowdvote_analysis.cli.hiding import hide
from crowdvote_analysis.pages.words import read_noting
from crowdvote_analysis.store import Store, recording
from tests.command import crowdvote
from tests.store.garden import SECRET_ID, SECRET_NAME, new_garden
from tests.test_cli import write

pytestmark = pytest.mark.slow

HISTORIES = ("members", "followings", "decisions", "ballots", "votes", "yes_no_votes")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that tests only read: three commits, the second a ballot of a member who is anonymous."""
    store = new_garden(tmp_path_factory.mktemp("stores") / "garden")
    recording.cast_ballot(store, "green", SECRET_ID, {"Swings": 1}, ["budget"])
    recording.vote(store, "roof", SECRET_ID, "yes")
    return Path(str(store.location))


@pytest.fixture
def garden(untouched: Path, tmp_path: Path) -> Path:
    """A store of one test alone."""
    return Path(copytree(untouched, tmp_path / "garden"))


def said(*arguments: object) -> str:
    done = crowdvote(*arguments)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def document(*arguments: object) -> Any:
    done = crowdvote(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(code: int, *arguments: object) -> str:
    done = crowdvote(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stdout
    return " ".join(done.stderr.replace("│", " ").split())


def test_a_folder_becomes_a_store_that_counts_alike(tmp_path: Path) -> None:
    """Rows by table are told, a second import has nothing to do, and the winner is the same."""
    store = tmp_path / "store"
    told = said("import", demo_folder(), store)
    assert "commit 1" in told
    assert "votes: 2,039 rows" in told
    assert "nothing was recorded" in said("import", demo_folder(), store)
    assert document("import", demo_folder(), store)["rows"] == {}
    asked = ("-d", "village-green")
    assert document("count", store, *asked)["decisions"] == document("count", demo_folder(), *asked)["decisions"]


def test_bad_rows_of_a_folder_can_be_set_aside(tmp_path: Path) -> None:
    """As everywhere; without it nothing is imported."""
    folder = write(tmp_path / "c", votes="member_id,choice_id,stars\nKelly,Swings,7\nOlivia,Swings,3\n")
    assert "outside 0 to 5" in refused(1, "import", folder, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    assert document("import", folder, tmp_path / "store", "--quarantine")["rows"]["votes"] == 1
    assert (folder / "quarantine" / "votes.csv").exists()


def test_everything_can_be_recorded(garden: Path) -> None:
    """One command each, one plain sentence each, and each is one commit."""
    steps = [
        ("community", ["-c", "lake", "--title", "The lake"], "The community lake is created."),
        ("join", ["-c", "garden", "-m", "nora", "--name", "Nora", "--manager"], "A voter has joined"),
        ("join", ["-c", "garden", "-m", "sam", "--lobbyist", "--anonymous"], "A lobbyist has joined"),
        ("role", ["-c", "garden", "-m", "sam", "--voter", "--named"], "The role of a member"),
        ("follow", ["-c", "garden", "-m", "sam", "-f", "nora", "--tag", "budget"], "A following on budget is recorded"),
        ("tags", ["-c", "garden", "-m", "sam", "-f", "nora"], "is on [ALL] now."),
        ("unfollow", ["-c", "garden", "-m", "sam", "-f", "nora"], "has ended."),
        ("create", ["-c", "garden", "-d", "boat", "--choice", "red=Red", "--choice", "blue"], "is a draft"),
        ("publish", ["-d", "boat"], "The decision boat is published."),
        ("cast", ["-d", "boat", "-m", "nora", "--stars", "red=4.5", "--stars", "blue=2", "--tag", "hue"], "rated: 2."),
        ("change", ["-d", "boat", "-m", "nora", "--stars", "blue=0.00000001"], "is changed."),
        ("change", ["-d", "boat", "-m", "nora", "--no-tags"], "is changed."),
        ("withdraw", ["-d", "boat", "-m", "nora"], "is withdrawn."),
        ("vote", ["no", "-d", "roof", "-m", "maya"], "A vote is cast in the decision roof."),
        ("close", ["-d", "boat"], "The decision boat is closed."),
        ("leave", ["-c", "garden", "-m", "sam"], "A member has left"),
    ]  # fmt: skip
    for number, (command, arguments, words) in enumerate(steps, start=4):
        told = said("record", command, garden, *arguments)
        assert words in told
        assert f"Commit {number}, " in told
        assert not [name for name in ("nora", "sam", "maya", "Nora") if name in told]
    commits = document("history", garden, "--rows", "100")
    assert [row["action"] for row in reversed(commits)][3:] == [command for command, *_ in steps]
    assert commits[5]["rows"] == {"ballots": 1, "votes": 2}
    stars = document("query", "-f", garden, "SELECT stars FROM votes_history WHERE seq = 14 ORDER BY choice_id")
    assert stars == [{"stars": "0.00000001"}, {"stars": "4.50000000"}]


def test_programs_get_the_commit(garden: Path) -> None:
    """Number, time, action and rows."""
    told = document("record", "cast", garden, "-d", "green", "-m", "maya", "--stars", "Pond=3")
    assert (told["seq"], told["action"], told["rows"]) == (4, "cast", {"ballots": 1, "votes": 1})
    assert told["committed_at"].endswith("+00:00")


def test_the_only_community_need_not_be_named(tmp_path: Path) -> None:
    """With several it has to be; with none there is nobody to join."""
    Store.create(tmp_path / "new")
    assert "There is none" in refused(2, "record", "join", tmp_path / "new", "-m", "nora")
    said("record", "community", tmp_path / "new", "-c", "lake")
    assert "the community lake" in said("record", "join", tmp_path / "new", "-m", "nora")
    said("record", "community", tmp_path / "new", "-c", "river")
    assert "lake, river" in refused(2, "record", "join", tmp_path / "new", "-m", "sam")


@pytest.mark.parametrize(
    ("code", "arguments", "words"),
    [
        (1, ["cast", "STORE", "-d", "sketch", "-m", "maya"], "is a draft. Publish it first."),
        (1, ["cast", "STORE", "-d", "green", "-m", "nobody"], "The voter is not a member"),
        (1, ["cast", "STORE", "-d", "green", "-m", SECRET_ID, "--stars", "Pond=9"], "outside 0 to 5 (K9)"),
        (1, ["follow", "STORE", "-c", "garden", "-m", SECRET_ID, "-f", SECRET_ID], "(D8)"),
        (1, ["cast", "nowhere", "-d", "green", "-m", "maya"], "is no store. Make one with: crowdvote import"),
        (2, ["cast", "STORE", "-d", "green", "-m", "maya", "--stars", "4.5"], "is not written CHOICE=STARS."),
        (2, ["cast", "STORE", "-d", "green", "-m", "maya", "--stars", "a=1", "--stars", "a=2"], "is rated twice"),
        (2, ["change", "STORE", "-d", "green", "-m", "kelly", "--tag", "a", "--no-tags"], "exclude each other"),
        (2, ["create", "STORE", "-c", "garden", "-d", "x", "--choice", "a", "--choice", "a"], "no other choice has"),
        (2, ["create", "STORE", "-c", "garden", "-d", "x", "--closes", "soon"], "is not a time such as"),
        (2, ["publish", "STORE", "-d", "sketch", "--storage-option", "hush"], "number 1 is not written KEY=VALUE."),
    ],
)
def test_what_cannot_be_recorded_is_said(untouched: Path, code: int, arguments: list[object], words: str) -> None:
    """In a sentence that names nobody, with code 1 where the store refuses and 2 where the command is wrong."""
    told = refused(code, "record", *(untouched if each == "STORE" else each for each in arguments))
    assert words in told
    assert not [secret for secret in (SECRET_ID, SECRET_NAME, "hush") if secret in told]


def test_the_history_is_told_newest_first(untouched: Path) -> None:
    """On the screen as well, as many as are asked for."""
    told = said("history", untouched, "--rows", "2")
    assert told.index("vote") < told.index("cast")
    assert "ballots 1, votes 1" in told
    assert "2 of 3 commits" in told
    assert [row["seq"] for row in document("history", untouched)] == [3, 2, 1]


def test_compacting_changes_no_answer(garden: Path) -> None:
    """Files are put together, rows and past stay."""
    question = ("query", "-f", garden, "SELECT * FROM votes_history ORDER BY ALL", "--rows", "100")
    before = said(*question)
    assert "old files removed" in said("compact", garden)
    assert set(document("compact", garden)["files_removed"]) >= {"commits", "votes"}
    assert said(*question) == before


def test_tables_can_be_asked_as_they_stood(untouched: Path) -> None:
    """Before the second commit the first ballot stands; the instants are those of the history."""
    first, second = (row["committed_at"] for row in reversed(document("history", untouched)[1:]))
    sql = "SELECT choice_id, stars FROM votes WHERE member_id LIKE $who"
    asked = ("query", "-f", untouched, sql, "--param", "who=Anonymous%")
    assert document(*asked, "--as-of", first) == [{"choice_id": "Pond", "stars": "5.00000000"}]
    assert document(*asked, "--as-of", second) == document(*asked) == [{"choice_id": "Swings", "stars": "1.00000000"}]
    assert document("query", "-f", untouched, "SELECT count(*) AS n FROM commits", "--as-of", first) == [{"n": 1}]
    totals = [
        document("count", untouched, "-d", "green", *when)["decisions"][0]["tally"]["scores"][0]["total"]
        for when in (["--as-of", first], [])
    ]
    assert totals[0] != totals[1]
    explained = document("explain", untouched, "-d", "green", "-m", "maya", "--as-of", first)
    assert explained != document("explain", untouched, "-d", "green", "-m", "maya")


@pytest.mark.parametrize(
    "command",
    [
        ["count", demo_folder()],
        ["explain", demo_folder(), "-d", "village-green", "-m", "maya"],
        ["export", demo_folder(), "--out", "never"],
        ["query", "SELECT 1"],
    ],
    ids=lambda command: command[0],
)
def test_a_folder_of_files_knows_no_past(command: list[object]) -> None:
    """That is said, with the way to a store."""
    assert "is no store, so it knows no past" in refused(2, *command, "--as-of", "2026-01-01")
    assert "Make one with: crowdvote import" in refused(2, *command, "--as-of", "2026-01-01")


def test_a_store_is_exported_elsewhere(untouched: Path, tmp_path: Path) -> None:
    """Nothing is written into a store but what is recorded."""
    assert "a store holds nothing but itself" in refused(2, "export", untouched)
    said("export", untouched, "--out", tmp_path / "out", "--as-of", "2030-01-01 00:00")
    assert (tmp_path / "out" / "tallies.parquet").exists()


def test_the_tables_of_a_store_are_listed(untouched: Path) -> None:
    """With those of its past, which a folder of files does not have."""
    assert "ballots_history" in said("query", "-f", untouched)
    assert "ballots_history" not in said("query")
    names = document("query", "-f", untouched, "SELECT table_name AS name FROM information_schema.tables")
    assert {"commits", *(f"{table}_history" for table in HISTORIES)} <= {row["name"] for row in names}


def test_values_of_a_question_are_bound(untouched: Path) -> None:
    """A quote in a value is a quote."""
    question = ("query", "-f", untouched, "SELECT $word AS word, $n::INT + 1 AS n")
    asked = document(*question, "--param", "word=x' OR '1' = '1", "--param", "n=2")
    assert asked == [{"word": "x' OR '1' = '1", "n": 3}]
    assert "is not written NAME=VALUE" in refused(2, *question, "--param", "word")


def test_a_yes_no_vote_goes_into_the_store(garden: Path) -> None:
    """`decide vote` records, tells the outcome, and refuses as in a folder; the other questions read the store."""
    told = document("decide", "vote", garden, "abstain", "-d", "roof", "-m", SECRET_ID, "--tag", "budget")
    assert told["cast"] == {"member_id": "Anonymous 1", "vote": "abstain", "tags": ["budget"]}
    assert told["outcome"]["abstain"] == 1
    assert said("decide", "vote", garden, "yes", "-d", "roof", "-m", "maya").startswith("Maya Lind: yes.")
    assert [row["action"] for row in document("history", garden)[:2]] == ["vote", "vote"]
    assert "not eligible" in refused(1, "decide", "vote", garden, "yes", "-d", "roof", "-m", "lobby")
    assert "kelly" in said("decide", "missing", garden, "-d", "roof")


def test_the_notebooks_read_a_store(untouched: Path) -> None:
    """What the dashboard shows of a store is what stands in it."""
    state, notes = read_noting(str(untouched))
    assert state.ballots.height == 2
    assert notes == []


def test_anonymous_members_are_nowhere(garden: Path) -> None:
    """Neither id nor name is printed by anything, the past and refusals included, not even after they left (P1)."""
    said("record", "join", garden, "-c", "garden", "-m", "quentin", "--name", "Quentin Vale")
    said("record", "role", garden, "-c", "garden", "-m", "quentin", "--anonymous")
    said("record", "cast", garden, "-d", "green", "-m", "quentin", "--stars", "Pond=1")
    tables = ["members", "followings", "ballots", "votes", "commits", *(f"{table}_history" for table in HISTORIES)]
    everything = " UNION ALL ".join(f"SELECT CAST({table} AS VARCHAR) AS line FROM {table}" for table in tables)
    questions = [["query", "-f", garden, everything, "--json"]]
    questions += [["count", garden, "--top", "99"], ["history", garden], ["decide", "missing", garden]]
    texts = []
    for gone in (False, True):
        if gone:
            for member in (SECRET_ID, "quentin"):
                texts.append(said("record", "leave", garden, "-c", "garden", "-m", member))
                texts.append(crowdvote("record", "cast", garden, "-d", "green", "-m", member).stderr)
        for question in questions:
            done = crowdvote(*question)
            assert done.returncode == 0, done.stderr
            texts.append(done.stdout + done.stderr)
    assert "Anonymous 2" in texts[0]
    assert "Former anonymous member 2" in texts[-len(questions)]
    found = [text for text in texts for secret in (SECRET_ID, SECRET_NAME, "quentin", "Quentin Vale") if secret in text]
    assert not found, found[0]


MEMBERS = "community_id,member_id\ngarden,kelly\ngarden,maya\n"
DECISIONS = "community_id,decision_id\ngarden,fence\n"
NAMING = {
    "a note": {
        "decisions": DECISIONS,
        "choices": "decision_id,choice_id\nfence,Oak\n",
        "ballots": 'decision_id,member_id,tags\nfence,Zephyrine,"a,zephyrine"\nfence,ZEPHYRINE,\n',
        "followings": "community_id,follower_id,followee_id\ngarden,quentin,maya\ngarden,zoe  QUILL,maya\n",
    },
    "an unknown column": {"members": "community_id,member_id,Quentin Vale\ngarden,kelly,yes\n"},
    "a bad row": {"votes": "decision_id,member_id,choice_id,stars\ngreen,zephyrine,Pond,7\n"},
    "what would not fit": {"decisions": "community_id,decision_id\ngarden,roof\n"},
    "a closed decision": {"decisions": "community_id,decision_id\ngarden,Quentin\n"},
}


@pytest.mark.parametrize("tables", NAMING.values(), ids=NAMING)
@pytest.mark.parametrize("further", [[], ["--json"], ["--quarantine"]], ids=["plain", "json", "quarantine"])
def test_an_import_names_nobody_who_was_anonymous_in_the_store(
    garden: Path, tmp_path: Path, tables: dict[str, str], further: list[str]
) -> None:
    """Not in notes, nor in errors, whatever the folder says and doesn't say, in any capitals (P1)."""
    store = Store.open(garden)
    recording.join(store, "garden", "quentin", display_name="Quentin Vale", is_anonymous=True)
    recording.change_role(store, "garden", "quentin", is_anonymous=False)
    recording.create_decision(store, "garden", "Quentin", choices=["Oak"])
    recording.publish_decision(store, "Quentin")
    recording.close_decision(store, "Quentin")
    done = crowdvote("import", write(tmp_path / "c", **{"members": MEMBERS} | tables), garden, *further)
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode in (0, 1), told
    named = [name for name in ("zephyrine", "zoe quill", "quentin") if name in told.lower()]
    assert not named, told
    if "ballots" in tables:
        assert "cast by somebody who is not a member (first: (an anonymous member))" in told


def test_whole_words_are_hidden_and_no_others() -> None:
    """In quotes, with other blanks, with characters that are shown escaped; a part of a word is another word."""
    texts = ["'nora', \"Nora\", NORA-lee and eleonora", "Nora   Ann Lind, Ann", "first: 'a\\u200bb', A.B; axb", "none"]
    hidden = hide(texts, ["nora", "Nora Ann  Lind", "a\u200bb", "a.b", " "])
    who = "(an anonymous member)"
    assert hidden == [f"{who}, {who}, {who}-lee and eleonora", f"{who}, Ann", f"first: {who}, {who}; axb", "none"]


def test_help_teaches() -> None:
    """Every command about stores has an example."""
    listing = crowdvote("record", "--help").stdout
    commands = [
        command.name or command.callback.__name__.replace("_", "-") for command in record.app.registered_commands
    ]
    assert len(commands) == 16
    for command in (*(["record", name] for name in commands), ["import"], ["history"], ["compact"]):
        assert command[-1] in listing or command[0] != "record"
        told = crowdvote(*command, "--help").stdout
        assert f"crowdvote {' '.join(command)}" in told
        assert "Example" in told
