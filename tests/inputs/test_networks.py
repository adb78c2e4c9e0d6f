"""Networks of other people, as ``crowdvote scenario --network`` takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.command import crowdvote

FilesOf = Callable[[str], Path]
_POLL = "ballot_id,precinct,Ann,Ben\nb1,,5,1\nb2,,0,4\nb3,,3,4\n"


def followings(folder: Path, name: str) -> tuple[set[tuple[str, str]], str]:
    """Who follows whom in the scenario that is made, and what was said beside it."""
    (folder / "poll.csv").write_text(_POLL)
    out = folder / "out"
    done = crowdvote("scenario", "--network", folder / name, "--poll", folder / "poll.csv", "--out", out)
    assert done.returncode == 0, done.stderr
    followings = pl.read_parquet(out / "followings.parquet")
    return set(followings.select("follower_id", "followee_id").rows()), " ".join(done.stderr.split())


def test_edge_list_header(files_of: FilesOf) -> None:
    """A header in words is no edge: 2 followings, 3 members, and a note that says how it was read."""
    folder = files_of("edge-list-header")
    found, said = followings(folder, "edges.csv")
    assert found == {("ana", "ben"), ("cleo", "ben")}
    assert len(pl.read_parquet(folder / "out" / "members.parquet")) == 3
    assert "line 1 names the columns: 'delegator' follows 'delegate'." in said
    (folder / "half.csv").write_text("delegator,boss\nana,ben\n")
    done = crowdvote(
        "scenario", "--network", folder / "half.csv", "--poll", folder / "poll.csv", "--out", folder / "no"
    )
    assert done.returncode == 1
    assert "call them follower_id and followee_id" in " ".join(done.stderr.split())
    assert not (folder / "no").exists()


def test_edge_list_reversed(files_of: FilesOf) -> None:
    """The names decide, not the order."""
    found, said = followings(files_of("edge-list-reversed"), "edges.csv")
    assert found == {("10", "20"), ("11", "20"), ("12", "20")}
    assert "'follower_id' follows 'followed_id'" in said


def test_edge_list_tabs(files_of: FilesOf) -> None:
    """Team 2 and Team 3 stay two."""
    found, _ = followings(files_of("edge-list-tabs"), "edges.tsv")
    assert found == {("Kelly", "Team 2"), ("Maya", "Team 3"), ("Jack", "Team 2")}


def test_edge_list_hash(files_of: FilesOf) -> None:
    """Ids may begin with # where commas separate: 3 followings."""
    found, _ = followings(files_of("edge-list-hash"), "edges.csv")
    assert found == {("#trees", "ana"), ("#budget", "ana"), ("ben", "ana")}
