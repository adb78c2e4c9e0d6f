"""The command ``crowdvote explain`` as people and programs meet it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.privacy import public_names
from tests.command import crowdvote

TABLES = {
    "members": "member_id,is_anonymous\nMaya,false\nKelly,false\nRosalind,true\nZed,false\n",
    "followings": "follower_id,followee_id,tags\nMaya,Kelly,budget\nMaya,Rosalind,\nRosalind,Maya,\nRosalind,Kelly,\n",
    "ballots": "decision_id,member_id,tags\nlunch,Kelly,budget\n",
    "votes": "decision_id,member_id,choice_id,stars\nlunch,Kelly,Soup,4\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return tmp_path


def test_the_screen_shows_tree_and_shares(folder: Path) -> None:
    """A heading, the tree of followings with its cut path, and whose stars they are."""
    done = crowdvote("explain", folder, "--decision", "lunch", "--member", "Maya")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Maya  lunch" in done.stdout
    assert "In loops small tangles are walked, larger ones balanced (the rule “auto”)." in done.stdout
    for line in (
        "├─ Following Kelly on [budget]",
        "│  │  ⚠️ Circular reference prevented (Maya → Anonymous 1 → Maya)",
        "└─ Maya ballot calculated [budget]: Soup 4",
    ):
        assert line in done.stdout.splitlines()
    assert done.stdout.split("Whose stars these are")[1].split()[-3:] == ["Kelly", "100.00%", "1"]


def test_depth_cuts_what_is_shown(folder: Path) -> None:
    """Levels beyond ``--depth`` are counted and not shown."""
    done = crowdvote("explain", folder, "-d", "lunch", "-m", "Maya", "--depth", "1")
    assert "│  ├─ … 2 more followings not shown" in done.stdout.splitlines()
    assert "Circular" not in done.stdout
    assert "└─ Maya ballot calculated [budget]: Soup 4" in done.stdout.splitlines()


def test_json_is_one_document(folder: Path) -> None:
    """Programs get the tree with stars and shares as text, under the rule they ask for."""
    done = crowdvote("explain", folder, "-d", "lunch", "-m", "Maya", "--cycles", "equilibrium", "--json")
    document = json.loads(done.stdout)
    assert document["cycle_rule"] == "equilibrium"
    assert document["ballot"] == {
        "origin": "calculated",
        "tags": ["budget"],
        "depth": 1,
        "stars": {"Soup": "4.00000000"},
    }
    assert [row["result"] for row in document["calculation_tree"]] == ["MATCH", "MATCH"]
    assert document["shares"] == [{"member_id": "Kelly", "name": "Kelly", "share": "1", "value": 1.0}]


def test_members_without_a_tree_get_one_line(folder: Path) -> None:
    """A ballot by hand and no ballot at all are explained in a line, without a table."""
    for member, line in (
        ("Kelly", "Kelly ballot cast by hand [budget]: Soup 4"),
        ("Zed", "Zed: no ballot. Not following anyone."),
    ):
        done = crowdvote("explain", folder, "-d", "lunch", "-m", member)
        assert done.stdout.splitlines()[1:] == [line]


def test_errors_are_words(folder: Path) -> None:
    """A member or decision that is not there is said in a sentence, with what there is."""
    for arguments, words in (
        (["-d", "lunch", "-m", "Nobody"], "member 'Nobody' is not in the community of decision 'lunch'"),
        (["-d", "dinner", "-m", "Maya"], "decision 'dinner' is not in the table decisions"),
    ):
        done = crowdvote("explain", folder, *arguments)
        assert done.returncode == 1
        assert words in " ".join(done.stderr.split())
        assert "Rosalind" not in done.stderr
    assert crowdvote("explain", folder, "-d", "lunch").returncode == 2


def test_anonymous_members_of_the_demo_are_nowhere() -> None:
    """Asked for by pseudonym, an anonymous member is explained without a name, and so is whoever follows them (P1)."""
    state = cv.SystemState.read(demo_folder())
    names = public_names(state).filter(pl.col("public_id") != pl.col("member_id"))
    decision, community = state.decisions.select("decision_id", "community_id").row(0)
    hidden = state.members.filter("is_anonymous").select("member_id", "display_name")
    words = {*hidden["member_id"], *hidden["display_name"]}
    for pseudonym in names.filter(community_id=community)["public_id"].to_list()[:2]:
        for more in ([], ["--json"]):
            done = crowdvote("explain", demo_folder(), "-d", decision, "-m", pseudonym, *more)
            assert done.returncode == 0
            assert pseudonym in done.stdout
            assert not [word for word in words if word in done.stdout]
