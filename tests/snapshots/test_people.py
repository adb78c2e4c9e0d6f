"""Snapshots hold no name: they are certified after somebody was forgotten, and no pseudonym leads to another one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.snapshots import (
    export_snapshot,
    list_snapshots,
    named_for_ever,
    read_inputs,
    read_public,
    read_result,
    recompute,
    snapshot_document,
    take_snapshot,
    verify_snapshot,
)
from crowdvote_analysis.snapshots.inputs import public_inputs
from crowdvote_analysis.snapshots.reading import read_frozen
from crowdvote_analysis.store import recording

if TYPE_CHECKING:
    from crowdvote_analysis.store import Store

CROWD = 12


def test_a_snapshot_is_certified_after_somebody_was_forgotten(store: Store) -> None:
    """Everything that was frozen is as it was and counts as it did; only the name is gone."""
    taken = take_snapshot(store, "pond")
    stars = read_result(store, taken["snapshot_id"]).tables["resolved_stars"]
    recording.forget_member(store, "Kelly")
    again = verify_snapshot(store, taken["snapshot_id"])
    assert again.certified, again.checks.filter(~pl.col("ok")).rows()
    (counted,) = recompute(store, full=True)
    assert counted["verdict"].to_list() == ["certified"]
    result = read_result(store, taken["snapshot_id"]).tables["resolved_stars"]
    assert "Kelly" not in result["member_id"]
    by_name = lambda frame, name: frame.filter(member_id=name).drop("member_id").rows()  # noqa: E731
    assert by_name(result, "Forgotten member 1") == by_name(stars, "Kelly")
    assert "Kelly" not in "".join(snapshot_document(store, taken["snapshot_id"]))


def test_nothing_that_is_frozen_names_anybody(store: Store) -> None:
    """Neither the files of a snapshot nor its events hold an id or a name."""
    take_snapshot(store, "pond")
    folder = store.location.folder
    assert folder is not None
    texts = []
    for path in folder.joinpath("snapshots").rglob("*"):
        if path.suffix == ".parquet":
            texts.append(str(pl.read_parquet(path).rows()))
        elif path.is_file():
            texts.append(path.read_text())
    texts.append(str(list_snapshots(store).rows()))
    assert len(texts) > 10
    for name in ("Kelly", "Maya", "Olivia", "Jack", "Nora"):
        assert not any(name in text for text in texts)
    assert named_for_ever(store) == 0


@pytest.fixture
def crowd(store: Store) -> Store:
    """A store with a dozen anonymous members, each with another ballot."""
    community = store.cut().rows("communities")["community_id"].item()
    for number in range(CROWD):
        recording.join(store, community, f"quiet-{number:02}", is_anonymous=True)
        recording.cast_ballot(store, "pond", f"quiet-{number:02}", {"Fish": f"{number / 4:.2f}"})
    return store


def pseudonyms(store: Store, snapshot_id: str) -> dict[str, str]:
    """The member behind each pseudonym of a snapshot, told by the ballot."""
    row = list_snapshots(store).row(by_predicate=pl.col("snapshot_id") == snapshot_id, named=True)
    result = read_public(store, row)[2]
    assert result is not None
    stars = result.tables["resolved_stars"].filter(pl.col("member_id").str.starts_with("Anonymous"))
    known = {f"{number / 4:.8f}": f"quiet-{number:02}" for number in range(CROWD)}
    fish = stars.filter(choice_id="Fish").select("member_id", pl.col("stars").cast(pl.String)).rows()
    return {who: known[given] for who, given in fish if given in known}


def test_nothing_links_the_pseudonyms_of_two_snapshots(crowd: Store, tmp_path: Path) -> None:
    """No id, number, order or hash says who of one is who in another, though nothing has changed between them."""
    first, second = (take_snapshot(crowd, "pond")["snapshot_id"] for _ in range(2))
    assert first != second
    one, other = pseudonyms(crowd, first), pseudonyms(crowd, second)
    assert len(one) == len(other) >= CROWD - 1
    assert one != other  # one of 12! orders is the other by chance
    same = sum(one.get(name) == who for name, who in other.items())
    assert same < CROWD - 1
    by_number = lambda names: [who for _, who in sorted((int(n.split()[1]), w) for n, w in names.items())]  # noqa: E731
    assert by_number(one) != by_number(other)
    assert by_number(one) != sorted(one.values())
    tokens = set(crowd.cut().people.ids["person"])
    exported = {}
    for name in (first, second):
        paths = export_snapshot(crowd, name, tmp_path)
        texts = {path.name: path.read_text() for path in paths if path.parent.name in ("inputs", "result")}
        assert not any(token in text for token in tokens for text in texts.values())
        exported[name] = texts
    for file in ("votes.csv", "resolved_stars.csv", "SHA256SUMS"):  # what tells one anonymous member from another
        assert exported[first][file] != exported[second][file]
    document = "".join(snapshot_document(crowd, first))
    hashes = set(re.findall(r"\b[0-9a-f]{32,64}\b", document))
    assert not hashes & set(re.findall(r"\b[0-9a-f]{32,64}\b", "".join(snapshot_document(crowd, second))))


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_nothing_links_those_who_left_while_anonymous(crowd: Store) -> None:
    """They are numbered anew in each snapshot, and in none under their ids."""
    community = crowd.cut().rows("communities")["community_id"].item()
    for number in range(CROWD):
        recording.leave(crowd, community, f"quiet-{number:02}")
    taken = [take_snapshot(crowd, "pond")["snapshot_id"] for _ in range(2)]
    told = []
    for name in taken:
        inputs, state = read_inputs(crowd, name)
        votes = public_inputs(state)["votes"].filter(pl.col("member_id").str.starts_with("Former"))
        by_stars = votes.filter(choice_id="Fish").sort("stars")["member_id"].to_list()
        assert sorted(by_stars, key=lambda who: int(who.rsplit(" ", 1)[1])) == [
            f"Former anonymous member {number}" for number in range(1, CROWD + 1)
        ]
        assert "quiet" not in str(state.votes.rows())
        assert verify_snapshot(crowd, name).certified
        told.append(by_stars)
        assert inputs.coded
    assert told[0] != told[1]


def test_pseudonyms_of_a_snapshot_stay_when_somebody_is_forgotten(crowd: Store) -> None:
    """What was published under a pseudonym is found under it afterwards."""
    taken = take_snapshot(crowd, "pond")["snapshot_id"]
    before = pseudonyms(crowd, taken)
    recording.forget_member(crowd, "Maya")
    recording.forget_member(crowd, "quiet-03")
    assert pseudonyms(crowd, taken) == before
    assert read_inputs(crowd, taken)[1].members["member_id"].n_unique() == len(read_frozen(crowd, taken)[1].members)
