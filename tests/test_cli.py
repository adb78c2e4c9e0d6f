"""The command line as people and programs meet it."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.command import COMMAND, crowdvote, crowdvote_process


def decisions_of(*arguments: object) -> dict[str, dict[str, Any]]:
    done = crowdvote(*arguments, "--json")
    assert done.returncode in (0, 3), done.stderr
    return {document["decision_id"]: document for document in json.loads(done.stdout)["decisions"]}


@pytest.fixture
def community(tmp_path: Path) -> Path:
    """The two CSV files of the README."""
    folder = tmp_path / "community"
    folder.mkdir()
    blocks = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8").split("```csv\n")[1:]
    for name, block in zip(("ballots", "followings"), blocks, strict=True):
        (folder / f"{name}.csv").write_text(block.split("```")[0], "utf-8")
    return folder


def write(folder: Path, **tables: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


@pytest.mark.slow
def test_demo_prints_a_count_that_delegation_turned_around() -> None:
    """The first command of the README ends well and shows the winner of the main decision."""
    done = crowdvote_process("demo")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Winner: Wildflower meadow" in done.stdout
    assert "Most influential" in done.stdout
    assert "unresolved tie" in done.stdout


def test_count_of_the_two_files_of_the_readme(community: Path) -> None:
    """A newcomer's two CSV files give four ballots, two of them calculated, and the winner worked out by hand."""
    counted = decisions_of("count", community)["decision"]
    # Maya has the average of Kelly (2, 5, 3) and Olivia (4, 0, 5); Jack inherits it from her on budget.
    assert {row["choice_id"]: row["total"] for row in counted["tally"]["scores"]} == {
        "Bandstand": "16.00000000",
        "Swings": "12.00000000",
        "Pond": "10.00000000",
    }
    assert counted["participation"]["calculated_ballots"] == 2
    assert counted["tally"]["winner"] == "Bandstand"
    assert "Winner: Bandstand" in crowdvote("count", community).stdout


@pytest.mark.slow
def test_json_and_screen_say_the_same() -> None:
    """Every decision of the demo has the same winner on the screen, in full, as in the document."""
    screen = crowdvote("count", demo_folder(), "--all").stdout
    for document in decisions_of("count", demo_folder()).values():
        scores = {row["choice_id"]: row["title"] for row in document["tally"]["scores"]}
        if document["tally"]["winner"]:
            assert f"Winner: {scores[document['tally']['winner']]}" in screen


def test_stars_are_text_in_json() -> None:
    """No total or average passes through a binary float on its way to a program (D10)."""
    for document in decisions_of("count", demo_folder()).values():
        for row in document["tally"]["scores"]:
            assert isinstance(row["total"], str)
            assert len(row["average"].partition(".")[2]) == 8


def test_an_unresolved_tie_that_was_asked_for_ends_with_code_3() -> None:
    """A program that asks for one decision learns from the exit code that people must decide."""
    done = crowdvote("count", demo_folder(), "--decision", "bench-colour")
    assert done.returncode == 3
    assert "the community manager must decide" in done.stdout
    assert crowdvote("count", demo_folder()).returncode == 0


def test_the_rule_for_loops_can_be_chosen() -> None:
    """The main decision of the demo has loops, so the two rules give other totals."""
    counts = [
        decisions_of("count", demo_folder(), "-d", "village-green", "--cycles", rule)["village-green"]
        for rule in ("path", "equilibrium")
    ]
    totals = [[row["total"] for row in document["tally"]["scores"]] for document in counts]
    assert totals[0] != totals[1]


def test_loops_are_told_with_the_rule_that_settled_them() -> None:
    """The screen has a line about tangles, and the document each of them (Y6)."""
    counted = decisions_of("count", demo_folder(), "-d", "village-green")["village-green"]
    assert [(core["members"], core["rule"]) for core in counted["cores"]] == [(4, "path"), (2, "path"), (3, "path")]
    assert (counted["cycle_rule"], counted["loop_rules"]) == ("auto-1", None)
    screen = " ".join(crowdvote("count", demo_folder(), "-d", "village-green").stdout.split())
    assert "10 followings in loops: 3 small tangles with 9 members in all walked (rule auto-1)" in screen


def test_rules_for_loops_are_compared_beside_the_tie_protocols() -> None:
    """What every rule would make of the loops, in a table and a sentence; a decision without tangles needs none."""
    compared = decisions_of("count", demo_folder(), "-d", "village-green", "--compare")["village-green"]["loop_rules"]
    rows = {row["rule"]: row for row in compared["rules"]}
    assert {name: row["ballots_that_differ"] for name, row in rows.items()} == {
        "auto-1": 0,
        "path": 0,
        "equilibrium": 12,
    }
    assert {row["winner"] for row in rows.values()} == {"meadow"}
    screen = " ".join(crowdvote("count", demo_folder(), "-d", "village-green", "--compare").stdout.split())
    assert "Rule for loops" in screen
    assert compared["sentence"] in screen
    level = " ".join(crowdvote("count", demo_folder(), "-d", "bench-colour", "--compare").stdout.split())
    assert "Rule for loops" not in level
    assert "The rule for loops makes no difference here: every rule gives the same ballots." in level


def test_one_refused_decision_does_not_lose_the_others() -> None:
    """The others are counted, the refused ones are named with the reason, and the exit code is 1 (Y3)."""
    beyond = ("count", demo_folder(), "--cycles", "path", "--work-limit", 3)
    done = crowdvote(*beyond)
    assert done.returncode == 1
    rows = {cells[0]: cells[-1] for line in done.stdout.splitlines() if (cells := line.split())}
    assert rows["village-green"] == "refused"
    assert rows["library-hours"] == "2"
    error = " ".join(done.stderr.split())
    assert "decision 'bicycle-lanes': 7 members follow each other in one tangle of loops" in error
    assert "Refused as well, for the same reason: market-square, " in error
    document = json.loads(crowdvote(*beyond, "--json").stdout)
    refused = {row["decision_id"]: row for row in document["refused"]}
    assert len(refused) + len(document["decisions"]) == 12
    assert "(rule Y3)" in refused["village-green"]["error"]
    assert refused["village-green"]["community"] == "Riverside"
    assert json.loads(crowdvote("count", demo_folder(), "--json").stdout)["refused"] == []


def test_an_export_names_what_was_refused(tmp_path: Path) -> None:
    """The others are written, and a table refused only while something is."""
    beyond = ("--cycles", "path", "--work-limit", 3, "--format", "csv", "--out", tmp_path)
    assert crowdvote("export", demo_folder(), *beyond).returncode == 1
    refused = pl.read_csv(tmp_path / "refused.csv")
    assert refused.columns == ["decision_id", "error"]
    tallies = pl.read_csv(tmp_path / "tallies.csv")
    assert sorted([*refused["decision_id"], *tallies["decision_id"]]) == sorted(decisions_of("count", demo_folder()))
    assert crowdvote("export", demo_folder(), "--out", tmp_path).returncode == 0
    assert not (tmp_path / "refused.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["count", "nowhere"], ["nowhere", "no such folder"]),
        (["tally", "nowhere.csv"], ["nowhere.csv"]),
        (["count", demo_folder(), "--decision", "lunch"], ["decision 'lunch' is not in the table decisions"]),
        (["count", demo_folder(), "--tie-order", "bench-colour: green"], ["leaves out 'blue'", "K7"]),
        (["count", demo_folder(), "--cycles", "path", "--work-limit", "3"], ["Y3", "--cycles auto"]),
        (["query", "DROP TABLE members"], ["one SELECT statement"]),
        (["query", "SELECT nothing FROM members"], ["nothing"]),
        (["query", "SELECT * FROM read_csv('/etc/hostname')"], ["disabled"]),
    ],
)
def test_errors_are_words(arguments: list[object], words: list[str]) -> None:
    """What goes wrong is said in a sentence on stderr, without a traceback, and ends with code 1."""
    done = crowdvote(*arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(word in " ".join(done.stderr.split()) for word in words), done.stderr


def test_wrong_use_ends_with_code_2() -> None:
    """An option that does not exist is a matter of usage, not of input."""
    assert crowdvote("count", "--nonsense").returncode == 2
    assert crowdvote("scenario", "--network", "a", "--poll", "b", "--out", "c", "--weight-above", "x").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--protocol", "dice"], ["dice", "starvote"]), (["--tie-order", "green"], ["decision, a colon and the ids"])],
)
def test_a_value_that_means_nothing_is_wrong_use(arguments: list[str], words: list[str]) -> None:
    """A protocol that does not exist and an order without its decision are said to be written wrongly."""
    done = crowdvote("count", demo_folder(), *arguments)
    assert done.returncode == 2
    assert all(word in " ".join(done.stderr.replace("│", " ").split()) for word in words), done.stderr


def test_the_manager_decides_a_tie() -> None:
    """With the order of the manager the decision has a winner, and the screen says who decided."""
    arguments = ["count", demo_folder(), "-d", "bench-colour", "--tie-order", "bench-colour: blue, green"]
    done = crowdvote(*arguments)
    assert done.returncode == 0
    shown = " ".join(done.stdout.split())
    assert "decided by the Community Manager (order: River blue, Bottle green): River blue wins" in shown
    assert "Winner: River blue (margin: 0 ballots; tied runoff, decided by the community manager)" in shown
    tally = decisions_of(*arguments)["bench-colour"]["tally"]
    assert (tally["winner"], tally["tie_order"], tally["decided_by_manager"]) == ("blue", ["blue", "green"], True)


def test_protocols_are_compared_on_demand() -> None:
    """Each tie protocol has its row, and JSON has them too."""
    done = crowdvote("count", demo_folder(), "-d", "sports-day", "--compare")
    assert all(name in done.stdout for name in ("starvote", "losses", "bettervoting", "same steps", "step 2"))
    documents = decisions_of("count", demo_folder(), "-d", "sports-day", "--compare")
    assert [row["parts_at_step"] for row in documents["sports-day"]["protocols"]] == [None, 2, None]


def test_how_safe_a_result_is_stands_below_it() -> None:
    """The screen and JSON say how many ballots would have to change."""
    document = decisions_of("count", demo_folder(), "-d", "library-hours")["library-hours"]
    assert document["robustness"]["runoff"] == 1
    assert document["robustness"]["sentence"].startswith("How safe: 1 ballot would have to change")
    shown = " ".join(crowdvote("count", demo_folder(), "-d", "library-hours").stdout.split())
    assert document["robustness"]["sentence"] in shown
    assert "Two late evenings has the most stars, 4.5 more than All of Saturday, but fewer ballots prefer it" in shown


def test_bad_rows_are_refused_and_named(tmp_path: Path) -> None:
    """The error names table, number of rows, row, value, rule and the way out."""
    folder = write(tmp_path / "c", votes="member_id,choice_id,stars\nKelly,Swings,7\nOlivia,Swings,3\n")
    done = crowdvote("count", folder)
    assert done.returncode == 1
    for word in ("votes", "1 row", "line 2", "'Kelly'", "7", "0 to 5 (K9)", "--quarantine"):
        assert word in done.stderr


def test_quarantine_counts_the_rest_and_keeps_the_bad_rows(tmp_path: Path) -> None:
    """Bad rows are written beside their reasons, and the good ballots are counted."""
    votes = "member_id,choice_id,stars\nKelly,Swings,7\nKelly,Pond,2\nOlivia,Swings,3\n"
    folder = write(tmp_path / "c", votes=votes)
    counted = decisions_of("count", folder, "--quarantine")["decision"]
    assert counted["tally"]["vote_count"] == 1
    bad = pl.read_csv(folder / "quarantine" / "votes.csv", infer_schema=False)
    assert bad.select("member_id", "choice_id", "stars").rows() == [("Kelly", "Swings", "7"), ("Kelly", "Pond", "2")]
    assert "0 to 5" in bad["reasons"][0]
    assert "set aside" in bad["reasons"][1]


def test_tally_of_a_poll_export(tmp_path: Path) -> None:
    """A BetterVoting export is tallied race by race."""
    poll = tmp_path / "poll.csv"
    poll.write_text(
        "\ufeffballot_id,precinct,Lunch!!Soup,Lunch!!Stew,Day!!Friday\n1,,5,2,4\n2,,1,,5\n3,,3,4,\n", "utf-8"
    )
    counted = decisions_of("tally", poll)
    assert [document["tally"]["winner"] for document in counted.values()] == ["Friday", "Soup"]


def test_query_answers_about_tables_and_results() -> None:
    """SQL sees what was cast and what was counted."""
    sql = "SELECT title, winner FROM tallies JOIN decisions USING (decision_id) WHERE decision_id = 'village-green'"
    done = crowdvote("query", sql, "--json")
    assert json.loads(done.stdout) == [{"title": "What should become of the village green?", "winner": "meadow"}]
    assert "resolved_ballots" in crowdvote("query").stdout


def test_export_round_trips_through_both_formats(tmp_path: Path) -> None:
    """Parquet keeps types; CSV holds the same values as text."""
    for kind in ("parquet", "csv"):
        assert crowdvote("export", demo_folder(), "--format", kind, "--out", tmp_path / kind).returncode == 0
    stars = pl.read_parquet(tmp_path / "parquet" / "resolved_stars.parquet")
    assert stars.schema["stars"] == pl.Decimal(9, 8)
    text = pl.read_csv(tmp_path / "csv" / "resolved_stars.csv", infer_schema=False)
    assert text["stars"].to_list() == stars["stars"].cast(pl.String).to_list()
    ballots = pl.read_csv(tmp_path / "csv" / "resolved_ballots.csv", infer_schema=False)
    assert "budget;environment" in ballots["tags"].to_list()


@pytest.mark.slow
def test_anonymous_members_are_nowhere(tmp_path: Path) -> None:
    """Neither id nor name of an anonymous member appears in any output or exported file (P1)."""
    members = pl.read_parquet(demo_folder() / "members.parquet").filter("is_anonymous")
    hidden = {*members["member_id"], *members["display_name"]}
    assert len(hidden) > 10
    crowdvote("export", demo_folder(), "--format", "csv", "--out", tmp_path)
    texts = [path.read_text("utf-8") for path in tmp_path.iterdir()]
    questions: list[list[object]] = [
        ["count", demo_folder(), "--all", "--top", "1000"],
        ["count", demo_folder(), "--all", "--top", "1000", "--json"],
        ["query", "SELECT * FROM members", "--rows", "1000"],
        ["query", "SELECT * FROM followings", "--rows", "5000", "--json"],
        ["query", "SELECT * FROM votes JOIN ballots USING (decision_id, member_id)", "--rows", "9000", "--json"],
        ["query", "SELECT * FROM sources", "--rows", "9000", "--json"],
    ]
    texts += [crowdvote(*arguments).stdout for arguments in questions]
    assert all("Anonymous 1" in text for text in texts[-4:])
    words = {word.strip('",.;()') for text in texts for word in text.replace(",", " ").replace('"', " ").split()}
    assert not hidden & words
    assert not [name for name in hidden if any(name in text for text in texts)]


def test_help_teaches() -> None:
    """Every command says what it does, and the main help lists them all."""
    listing = crowdvote("--help").stdout
    for command in ("demo", "count", "tally", "scenario", "query", "export", "dashboard"):
        assert command in listing
        assert len(crowdvote(command, "--help").stdout) > 300


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error() -> None:
    """Output piped into a program that stops reading ends quietly."""
    script = f"{' '.join(COMMAND[:2])} '{COMMAND[2]}' query 'SELECT * FROM votes' --rows 100000 | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""


def test_a_folder_without_a_single_ballot_is_counted_and_said_to_be_empty(tmp_path: Path) -> None:
    """A header and nothing else ends with words, not with an endless run."""
    folder = write(tmp_path / "c", ballots="member_id,tags,Swings\n")
    done = crowdvote("count", folder)
    assert done.returncode == 0
    assert "Nobody has a ballot" in done.stdout
    assert crowdvote("query", "SELECT * FROM scores", "--folder", folder).returncode == 0


def test_a_poll_whose_rows_are_all_bad_ends(tmp_path: Path) -> None:
    """Everything set aside leaves nothing to tally, and says so."""
    (tmp_path / "poll.csv").write_text("ballot_id,precinct,Soup,Stew\n1,,9,9\n2,,x,9\n", "utf-8")
    done = crowdvote("tally", tmp_path / "poll.csv", "--quarantine")
    assert done.returncode == 0
    assert "Nobody has a ballot" in done.stdout
    assert (tmp_path / "quarantine" / "votes.csv").exists()


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("followings", "follower_id,followee_id,tag\nMaya,Kelly,budget\n", "tag may be meant as tags"),
        ("members", "member_id,anonymous\nKelly,yes\nMaya,no\n", "anonymous may be meant as is_anonymous"),
    ],
)
def test_a_misspelt_column_stops_the_count(tmp_path: Path, table: str, text: str, words: str) -> None:
    """A default in its place would change who inherits, or publish a name."""
    votes = "member_id,choice_id,stars\nKelly,Swings,4\n"
    for option in ([], ["--quarantine"]):
        done = crowdvote("count", write(tmp_path / "c", votes=votes, **{table: text}), *option)
        assert done.returncode == 1
        assert words in " ".join(done.stderr.split())


def test_a_misspelt_name_is_noticed_where_no_table_lists_the_members(tmp_path: Path) -> None:
    """Somebody who is followed but never votes or follows is pointed out, and names alike but for capitals."""
    followings = "follower_id,followee_id\nMaya,Kely\nmaya,Kelly\n"
    votes = "member_id,choice_id,stars\nKelly,Swings,4\n"
    told = " ".join(crowdvote("count", write(tmp_path / "c", votes=votes, followings=followings)).stderr.split())
    assert "1 are followed but neither vote nor follow (first: 'Kely')" in told
    assert "members: 2 look alike and count apart (first: 'Maya' and 'maya'; T7)" in told


def test_results_never_replace_the_tables_they_are_made_from(community: Path) -> None:
    """Exporting into the folder that is counted is refused, and nothing is written."""
    before = sorted(path.name for path in community.iterdir())
    assert crowdvote("export", community, "--out", community).returncode == 2
    assert sorted(path.name for path in community.iterdir()) == before


def test_the_dashboard_says_what_is_wrong_before_it_serves(tmp_path: Path) -> None:
    """A folder that is not there, or a port that is taken, ends the command with words."""
    assert "no such folder" in crowdvote("dashboard", tmp_path / "nowhere", "--no-browser").stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = crowdvote("dashboard", "--no-browser", "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert "--port" in done.stderr


def test_the_version_can_be_asked_for() -> None:
    """It is the version of the package."""
    assert crowdvote("--version").stdout.strip() == cv.__version__


def test_every_page_of_the_dashboard_is_a_notebook() -> None:
    """What --page offers can be served."""
    from crowdvote_analysis.bundled import notebooks_folder
    from crowdvote_analysis.cli.dashboard import dashboard

    pages = get_type_hints(dashboard)["page"]
    assert {"count", "influence", "what_if", "tutorial"} <= set(get_args(pages))
    assert not [page for page in get_args(pages) if not (notebooks_folder() / f"{page}.py").is_file()]
