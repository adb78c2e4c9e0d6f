"""What goes in, what comes out: refusals, runs that are ended and go on, hashes, the command line."""

from __future__ import annotations

import hashlib
import json
import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.out_of_core import count as counting
from crowdvote_analysis.out_of_core import estimate
from tests.command import crowdvote


def town(folder: Path, **changed: pl.DataFrame | None) -> Path:
    """A small community in Parquet files; tables may be changed, or left out."""
    frames: dict[str, pl.DataFrame | None] = {
        "members": pl.DataFrame({"member_id": ["ada", "bea", "cleo", "dora"]}),
        "followings": pl.DataFrame(
            {"follower_id": ["bea", "cleo", "dora"], "followee_id": ["ada", "bea", "ada"], "tags": [[], ["budget"], []]}
        ),
        "ballots": pl.DataFrame({"member_id": ["ada"], "tags": [["budget"]]}),
        "votes": pl.DataFrame({"member_id": ["ada", "ada"], "choice_id": ["pond", "swings"], "stars": [5, 2]}),
    }
    folder.mkdir()
    for name, frame in (frames | changed).items():
        if frame is not None:
            frame.write_parquet(folder / f"{name}.parquet")
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_results_are_whole_files_with_their_hashes(tmp_path: Path) -> None:
    """Nothing but results is left, and SHA256SUMS names every one."""
    done = cv.count_files(town(tmp_path / "town"), tmp_path / "out")
    results = ["resolved_ballots/0001.parquet", "resolved_stars/0001.parquet"]
    small = ["scores.parquet", "stats.parquet", "tallies.parquet"]
    assert files_in(tmp_path / "out") == ["SHA256SUMS", *results, *small]
    listed = dict(line.split("  ")[::-1] for line in (tmp_path / "out/SHA256SUMS").read_text().splitlines())
    assert listed == done.files
    for path, digest in listed.items():
        assert hashlib.sha256((tmp_path / "out" / path).read_bytes()).hexdigest() == digest
    stars = pl.read_parquet(tmp_path / "out/resolved_stars/0001.parquet")
    assert stars.schema["stars"] == pl.Decimal(9, 8)
    assert stars.schema["member_id"] == pl.String
    assert stars.filter(member_id="cleo", choice_id="swings")["stars"].item() == Decimal(2)


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order of rows nor the memory that was given changes a file."""
    frames = {"members": pl.DataFrame({"member_id": ["dora", "cleo", "bea", "ada"]})}
    one = cv.count_files(town(tmp_path / "one"), tmp_path / "a")
    two = cv.count_files(town(tmp_path / "two", **frames), tmp_path / "b", memory=500_000_000, threads=1)
    assert one.files == two.files


TIMES = pl.Series(["2026-05-01"], dtype=pl.String)
REFUSED = {
    "a member twice": (
        {"members": pl.DataFrame({"member_id": ["ada", "ada"]})},
        r"members: 1 row: the key \(community_id, member_id\) appears more than once",
    ),
    "an id in another form": (
        {"members": pl.DataFrame({"member_id": ["ada", "Zoe\u0308"]})},
        r"members: 1 row: member_id is not in one form \(T7\)",
    ),
    "an id with an invisible character": (
        {"followings": pl.DataFrame({"follower_id": ["bea"], "followee_id": ["\ufeffada"]})},
        r"followings: 1 row: followee_id is not in one form",
    ),
    "an id that a data frame made a float": (
        {"members": pl.DataFrame({"member_id": ["1.0", "2.0"]})},
        r"members: 2 rows: member_id is not in one form",
    ),
    "an empty id": (
        {"followings": pl.DataFrame({"follower_id": ["bea", ""], "followee_id": ["ada", "ada"]})},
        r"followings: 1 row: follower_id is missing",
    ),
    "a float as an id": (
        {"members": pl.DataFrame({"member_id": [1.0, 2.0]})},
        r"members: member_id is DOUBLE; text or whole numbers",
    ),
    "a following twice": (
        {"followings": pl.DataFrame({"follower_id": ["bea", "bea"], "followee_id": ["ada", "ada"]})},
        r"followings: 1 row: the key .* appears more than once; counted in memory, such rows are merged \(D8\)",
    ),
    "tags as text": (
        {"followings": pl.DataFrame({"follower_id": ["bea"], "followee_id": ["ada"], "tags": ["budget;trees"]})},
        r"followings: tags is VARCHAR; a list of text",
    ),
    "an empty tag": (
        {"ballots": pl.DataFrame({"member_id": ["ada"], "tags": [["budget", None]]})},
        r"ballots: 1 row: tags hold an empty entry",
    ),
    "a tag with a semicolon": (
        {"ballots": pl.DataFrame({"member_id": ["ada"], "tags": [["budget;trees"]]})},
        r"ballots: a tag holds a semicolon",
    ),
    "a ballot twice": (
        {"ballots": pl.DataFrame({"member_id": ["ada", "ada"]})},
        r"ballots: 1 row: the key \(decision_id, member_id\) appears more than once",
    ),
    "a time as text": (
        {"ballots": pl.DataFrame({"member_id": ["ada"], "cast_at": TIMES})},
        r"ballots: cast_at is VARCHAR; a timestamp",
    ),
    "stars without a ballot": (
        {"votes": pl.DataFrame({"member_id": ["ada", "bea"], "choice_id": ["pond"] * 2, "stars": [5, 2]})},
        r"votes: 1 row: the member has no row in the table ballots",
    ),
    "stars twice": (
        {"votes": pl.DataFrame({"member_id": ["ada", "ada"], "choice_id": ["pond"] * 2, "stars": [5, 5]})},
        r"votes: 1 row: the key \(decision_id, member_id, choice_id\) appears more than once",
    ),
    "stars out of range": (
        {"votes": pl.DataFrame({"member_id": ["ada", "ada"], "choice_id": ["pond", "a"], "stars": [6, -1]})},
        r"votes: 2 rows: stars outside 0 to 5 \(K9\)",
    ),
    "stars in floats": (
        {"votes": pl.DataFrame({"member_id": ["ada"], "choice_id": ["pond"], "stars": [4.5]})},
        r"votes: stars is DOUBLE; whole numbers or DECIMAL .*\(D10\)",
    ),
    "stars with nine places": (
        {
            "votes": pl.DataFrame(
                {"member_id": ["ada"], "choice_id": ["pond"], "stars": pl.Series([Decimal("1.234567891")])}
            )
        },
        r"votes: 1 row: stars have more than 8 places \(D10\)",
    ),
    "no stars": (
        {
            "votes": pl.DataFrame(
                {"member_id": ["ada"], "choice_id": ["pond"], "stars": pl.Series([None], dtype=pl.Int64)}
            )
        },
        r"votes: 1 row: stars is missing",
    ),
    "a choice that is not there": (
        {"choices": pl.DataFrame({"choice_id": ["pond"]}), "decisions": pl.DataFrame({"decision_id": ["decision"]})},
        r"votes: 1 row: the choice is not in the table choices",
    ),
    "choices that look alike": (
        {"votes": pl.DataFrame({"member_id": ["ada", "ada"], "choice_id": ["pond", "Pond"], "stars": [5, 2]})},
        r"look",
    ),
    "a decision that is not there": (
        {
            "decisions": pl.DataFrame({"decision_id": ["lunch"]}),
            "choices": pl.DataFrame({"decision_id": ["lunch"], "choice_id": ["pond"]}),
            "ballots": pl.DataFrame({"decision_id": ["lunch", "dinner"], "member_id": ["ada", "ada"]}),
        },
        r"ballots: 1 row: the community or decision is missing, or not in its table",
    ),
    "a community that is not there": (
        {
            "communities": pl.DataFrame({"community_id": ["town"]}),
            "members": pl.DataFrame({"community_id": ["town", "city"], "member_id": ["ada", "bea"]}),
        },
        r"members: 1 row: the community or decision is missing, or not in its table",
    ),
    "no table of members": ({"members": None}, r"holds no members\.parquet.*needs members, ballots, votes"),
    "a column that is missing": (
        {"votes": pl.DataFrame({"member_id": ["ada"]})},
        r"votes: the column choice_id is missing",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_plain_is_refused_with_the_way_out(tmp_path: Path, case: str) -> None:
    """The table, how many rows, the rule, and how to count it all the same; nothing is left behind."""
    changed, sentence = REFUSED[case]
    with pytest.raises(cv.CrowdVoteError, match=sentence) as caught:
        cv.count_files(town(tmp_path / "town", **changed), tmp_path / "out")
    if case != "choices that look alike":
        assert "crowdvote count FOLDER, without --out" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_text_tables_are_named(tmp_path: Path) -> None:
    """A CSV file is no table here, and is not overlooked."""
    town(tmp_path / "town", followings=None)
    (tmp_path / "town/followings.csv").write_text("follower_id,followee_id\nbea,ada\n")
    with pytest.raises(cv.UnreadableFileError, match=r"followings\.csv is text"):
        cv.count_files(tmp_path / "town", tmp_path / "out")


def test_tags_are_brought_to_one_form(tmp_path: Path) -> None:
    """There are few sets of tags, so that these are mended as in memory (T5), words for ALL too."""
    followings = {"follower_id": ["bea", "cleo"], "followee_id": ["ada", "ada"], "tags": [["Budget "], ["ALL"]]}
    done = cv.count_files(town(tmp_path / "town", followings=pl.DataFrame(followings)), tmp_path / "out")
    assert done.stats["calculated_ballots"].item() == 2


class EndedError(Exception):
    """Somebody ended the run."""


@pytest.mark.parametrize(
    "stage", ["Reading files", "Encoding followings", "Encoding ballots", "Counting two", "Writing two"]
)
def test_an_ended_run_goes_on_where_it_was(tmp_path: Path, stage: str) -> None:
    """What was finished is not done again, and the files are those of a run that was not ended."""
    two = {
        "decisions": pl.DataFrame({"decision_id": ["one", "two"]}),
        "ballots": pl.DataFrame({"decision_id": ["one", "two"], "member_id": ["ada", "bea"]}),
        "votes": pl.DataFrame(
            {"decision_id": ["one", "two"], "member_id": ["ada", "bea"], "choice_id": ["pond"] * 2, "stars": [5, 2]}
        ),
    }
    folder = town(tmp_path / "town", **two)
    expected = cv.count_files(folder, tmp_path / "whole")

    def end(now: str, _done: int, _total: int) -> None:
        if now == stage:
            raise EndedError

    with pytest.raises(EndedError):
        cv.count_files(folder, tmp_path / "out", progress=end)
    assert not (tmp_path / "out/SHA256SUMS").exists()
    seen: list[str] = []
    done = cv.count_files(folder, tmp_path / "out", progress=lambda now, _done, _total: seen.append(now))
    stages = ["Encoding members", "Encoding followings", "Encoding ballots", "Encoding votes"]
    stages += ["Counting one", "Writing one", "Counting two", "Writing two"]
    # A decision is one stage, whose results are written at its end.
    first = {"Reading files": "Encoding members", "Writing two": "Counting two"}.get(stage, stage)
    assert [each for each in stages if each in seen] == stages[stages.index(first) :]
    assert done.files == expected.files


def test_an_ended_run_with_other_tables_begins_anew(tmp_path: Path) -> None:
    """What was encoded of other files is not used."""
    folder = town(tmp_path / "town")

    def end(now: str, _done: int, _total: int) -> None:
        if now == "Encoding votes":
            raise EndedError

    with pytest.raises(EndedError):
        cv.count_files(folder, tmp_path / "out", progress=end)
    pl.DataFrame({"member_id": ["ada", "bea"]}).write_parquet(folder / "members.parquet")
    assert cv.count_files(folder, tmp_path / "out").stats["total_members"].item() == 2


def test_an_ended_run_of_other_decisions_leaves_nothing_behind(tmp_path: Path) -> None:
    """A decision that is not asked for any more has no file, and a community without members is no one else's."""
    frames = {
        "communities": pl.DataFrame({"community_id": ["nowhere", "town"]}),
        "members": pl.DataFrame({"community_id": ["town"] * 3, "member_id": ["ada", "bea", "cleo"]}),
        "followings": pl.DataFrame({"community_id": ["town"], "follower_id": ["bea"], "followee_id": ["ada"]}),
        "decisions": pl.DataFrame(
            {"community_id": ["nowhere", "town", "town"], "decision_id": ["one", "two", "three"]}
        ),
        "ballots": pl.DataFrame({"decision_id": ["two", "three"], "member_id": ["ada", "ada"]}),
        "votes": pl.DataFrame(
            {"decision_id": ["two", "three"], "member_id": ["ada", "ada"], "choice_id": ["pond"] * 2, "stars": [5, 2]}
        ),
    }
    folder = town(tmp_path / "town", **frames)

    def end(now: str, _done: int, _total: int) -> None:
        if now == "Writing two":
            raise EndedError

    with pytest.raises(EndedError):
        cv.count_files(folder, tmp_path / "out", progress=end)
    assert (tmp_path / "out/resolved_ballots/0002.parquet").exists()
    done = cv.count_files(folder, tmp_path / "out", decisions=["two"])
    assert "resolved_ballots/0002.parquet" not in files_in(tmp_path / "out")
    assert done.stats["calculated_ballots"].item() == 1


def test_another_rule_for_loops_counts_again_from_what_is_encoded(tmp_path: Path) -> None:
    """A decision that the rule path refuses is counted by another rule, without sorting the tables again."""
    clique = [(one, other) for one in "bcdefghijklmnop" for other in "abcdefghijklmnop" if one != other]
    frames = {
        "members": pl.DataFrame({"member_id": list("abcdefghijklmnop")}),
        "followings": pl.DataFrame(clique, schema=["follower_id", "followee_id"], orient="row"),
        "ballots": pl.DataFrame({"member_id": ["a"]}),
        "votes": pl.DataFrame({"member_id": ["a"], "choice_id": ["pond"], "stars": [5]}),
    }
    folder = town(tmp_path / "town", **frames)
    with pytest.raises(cv.CyclicCoreTooLarge):
        cv.count_files(folder, tmp_path / "out", cycles="path", work_limit=1_000)
    seen: list[str] = []
    done = cv.count_files(folder, tmp_path / "out", progress=lambda now, _done, _total: seen.append(now))
    assert not any(stage.startswith("Encoding") for stage in seen)
    assert done.stats["calculated_ballots"].item() == 15


def test_an_order_for_an_unknown_decision_is_refused_before_the_count(tmp_path: Path) -> None:
    """Nobody waits hours for a misspelt word."""
    seen: list[str] = []
    with pytest.raises(cv.InvalidElectionError, match="tie_orders: decision 'lunhc'"):
        cv.count_files(
            town(tmp_path / "town"),
            tmp_path / "out",
            tie_orders={"lunhc": ["pond", "swings"]},
            progress=lambda now, _done, _total: seen.append(now),
        )
    assert set(seen) == {"Reading files"}


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    """Neither somebody's files nor a finished count are replaced."""
    folder = town(tmp_path / "town")
    with pytest.raises(cv.UnreadableFileError, match="is not empty"):
        cv.count_files(folder, folder)
    (tmp_path / "mine/unfinished-count").mkdir(parents=True)
    (tmp_path / "mine/letter.txt").write_text("dear ada")
    with pytest.raises(cv.UnreadableFileError, match="is not empty"):
        cv.count_files(folder, tmp_path / "mine")
    cv.count_files(folder, tmp_path / "out")
    with pytest.raises(cv.UnreadableFileError, match="holds a finished count"):
        cv.count_files(folder, tmp_path / "out")


def test_a_count_for_which_the_disk_has_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(cv.CrowdVoteError, match=r"needs about .* of disk, and 10 B are free"):
        cv.count_files(town(tmp_path / "town"), tmp_path / "out")


def test_an_estimate_reads_numbers_of_rows_alone(tmp_path: Path) -> None:
    """Rows, bytes and seconds, and a sentence with all of them."""
    found = estimate(town(tmp_path / "town"), memory=10**9)
    assert (found.members, found.followings, found.ballots, found.votes) == (4, 3, 1, 2)
    assert found.disk == found.work + found.results > 0
    assert "4 members, 3 followings, 1 ballot, 2 stars" in str(found)
    assert "1.0 GB of memory beside pages of files" in str(found)


def test_the_command_line_says_what_came_out(tmp_path: Path) -> None:
    """The estimate before, the winner and where the files are after; the same for programs."""
    folder = town(tmp_path / "town")
    done = crowdvote("count", folder, "--out", tmp_path / "out", "--memory", "1GB")
    assert done.returncode == 0, done.stderr
    assert "4 members, 3 followings" in done.stderr
    assert "pond" in done.stdout
    assert "SHA256SUMS" in done.stdout
    done = crowdvote("count", folder, "--out", tmp_path / "again", "--json")
    document = json.loads(done.stdout)
    assert document["decisions"][0]["winner"] == "pond"
    assert document["decisions"][0]["participation"]["calculated_ballots"] == 3
    assert "stats.parquet" in document["sha256"]


def test_the_command_line_writes_no_anonymous_member(tmp_path: Path) -> None:
    """Such tables are refused by name with the way out (P1); a program gets ids as from ``resolve``."""
    members = pl.DataFrame({"member_id": ["ada", "bea", "cleo"], "is_anonymous": [False, True, False]})
    folder = town(tmp_path / "town", members=members)
    done = crowdvote("count", folder, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "members: 1 row: members are anonymous" in " ".join(done.stderr.split())
    assert "crowdvote export" in done.stderr
    assert "bea" not in done.stderr
    assert not (tmp_path / "out").exists()
    cv.count_files(folder, tmp_path / "out")
    assert "bea" in pl.read_parquet(tmp_path / "out/resolved_ballots/0001.parquet")["member_id"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "x", "--quarantine"], "does not go with --out"),
        (["--out", "x", "--all"], "does not go with --out"),
        (["--out", "x", "--memory", "much"], "is no size"),
        (["--out", "x", "--memory", "1MB"], "is no size"),
        (["--memory", "4GB"], "goes with --out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, options: list[str], said: str) -> None:
    """Nothing that was asked for is overlooked."""
    done = crowdvote("count", town(tmp_path / "town"), *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_store_is_named_as_one(tmp_path: Path) -> None:
    """The way out is to write its tables first."""
    folder = town(tmp_path / "town")
    assert crowdvote("import", folder, tmp_path / "store").returncode == 0
    done = crowdvote("count", tmp_path / "store", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "not a store" in done.stderr


def test_memory_is_handed_back_where_more_is_resident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit below what the program takes by itself, every chunk hands its pages back, and nothing is lost."""
    monkeypatch.setattr(counting, "_LARGEST_CHUNK", 2)
    monkeypatch.setattr(counting, "_SMALLEST_CHUNK", 2)
    monkeypatch.setattr("crowdvote_analysis.out_of_core.work._resident", lambda: 10**12)
    done = cv.count_files(town(tmp_path / "town"), tmp_path / "out")
    assert done.files == cv.count_files(tmp_path / "town", tmp_path / "other").files
