"""Somebody who asks is forgotten: no file of the store names them, and nothing else changes."""

from __future__ import annotations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import RefusedRecordError, TableWarning
from crowdvote_analysis.store import Store, delta, forgetting, import_state, recording
from crowdvote_analysis.store.people import commitment
from tests.store.garden import SECRET_ID, SECRET_NAME, ticking


def files_with(store: Store, *texts: str) -> list[str]:
    """The files of a store that hold one of some texts, packed or not."""
    folder = store.location.folder
    assert folder is not None
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += str(pl.read_parquet(path).rows()).encode()
        if any(text.encode() in data for text in texts):
            found.append(str(path.relative_to(folder)))
    return found


def test_names_stand_in_one_table_only(garden: Store) -> None:
    """Whatever is hashed holds tokens, and commitments to texts that bind them."""
    recording.change_role(garden, "garden", "maya", is_manager=True)
    for texts in (("maya", "Maya Lind"), (SECRET_ID, SECRET_NAME)):
        found = files_with(garden, *texts)
        assert found
        assert {path.split("/")[0] for path in found} == {"names"}
    names = delta.open_table(garden.location, "names").to_pyarrow_table()
    for row in pl.DataFrame(names).iter_rows(named=True):
        assert row["commitment"] == commitment(row["salt"], row["person"], row["text"])


def test_no_file_names_whoever_was_forgotten(garden: Store) -> None:
    """Not the tables, not their logs, not the files of before, not the rows of the past; the others stay named."""
    for number in range(12):  # a summary of the log as well
        recording.change_role(garden, "garden", "maya", display_name=f"Maya Lind {number}")
    garden.compact()
    forgotten = recording.forget_member(garden, "maya")
    assert forgotten.member_id == "Forgotten member 1"
    assert forgotten.texts == 14
    assert files_with(garden, "maya", "Maya Lind") == []
    assert "'maya'" not in str(garden.cut().history("members").collect().rows())
    assert files_with(garden, SECRET_ID)


def test_what_they_did_stays_as_that_of_nobody(garden: Store) -> None:
    """They have left; ballots and followings are those of a forgotten member, today and at every earlier instant."""
    recording.cast_ballot(garden, "green", "maya", {"Pond": 2})
    before = garden.cut().seq
    recording.forget_member(garden, "maya")
    cut = garden.cut()
    assert "maya" not in cut.rows("members")["member_id"]
    assert cut.rows("ballots", member_id="Forgotten member 1")["decision_id"].to_list() == ["green"]
    earlier = garden.cut(seq=before).state()
    there = earlier.members.filter(member_id="Forgotten member 1")
    assert there["display_name"].to_list() == ["Forgotten member 1"]
    assert there["community_id"].to_list() == ["garden"]
    assert earlier.followings["follower_id"].sort().to_list() == ["Forgotten member 1", SECRET_ID]
    assert cv.tally_star(cv.resolve(earlier, ["green"]), "green").winner == "Pond"


def test_whoever_comes_back_is_somebody_new(garden: Store) -> None:
    """The same id is another person: nothing of what was forgotten is theirs."""
    recording.cast_ballot(garden, "green", "maya", {"Pond": 2})
    recording.forget_member(garden, "maya")
    recording.join(garden, "garden", "maya", display_name="Maya Lind")
    assert garden.cut().rows("ballots", member_id="maya").is_empty()
    assert garden.cut().rows("followings", follower_id="maya").is_empty()
    recording.forget_member(garden, "maya")
    recording.forget_member(garden, "kelly")
    ids = garden.cut().people.ids["member_id"].to_list()
    assert ids[-3:] == ["Forgotten member 1", "Forgotten member 2", "Forgotten member 3"]


def test_a_stranger_cannot_be_forgotten_twice(garden: Store) -> None:
    """Nobody of this id, or not any more, is refused; the refusal names nobody."""
    recording.forget_member(garden, "maya")
    for who in ("maya", "stranger", "Forgotten member 1"):
        with pytest.raises(RefusedRecordError, match="nobody of this id") as refused:
            recording.forget_member(garden, who)
        assert refused.value.reason == "unknown_person"
        assert who not in str(refused.value)


def test_what_was_forgotten_and_not_erased_is_not_read_and_erased_later(
    garden: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is stopped between the two leaves files, and nobody sees what they hold."""
    with monkeypatch.context() as stopped:
        stopped.setattr(forgetting, "erase", lambda _store: 0)
        recording.forget_member(garden, "maya")
    assert files_with(garden, "Maya Lind")
    assert "'maya'" not in str(garden.cut().history("members").collect().rows())
    garden.compact()
    assert files_with(garden, "Maya Lind") == []


def test_further_columns_about_people_are_forgotten_as_well(garden: Store) -> None:
    """What an import brings beside the contract may name somebody too."""
    members = pl.DataFrame({"community_id": ["garden"], "member_id": ["tom"], "mail": ["tom@example.org"]})
    with pytest.warns(TableWarning, match="mail"):
        state = cv.SystemState(communities=pl.DataFrame({"community_id": ["garden"]}), members=members)
    import_state(garden, state)
    assert garden.cut().history("members").filter(member_id="tom").collect()["extra"].to_list() == [
        '{"mail": "tom@example.org"}'
    ]
    recording.forget_member(garden, "tom")
    assert files_with(garden, "tom@example.org", "tom") == []


def test_writers_of_other_machines_keep_what_they_wrote(garden: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that another writer adds while somebody is forgotten is not lost: the rewriting is tried again."""
    real, tries = delta.replace, []

    def meanwhile(table, kept) -> bool:
        if not tries:
            tries.append(1)
            monkeypatch.setattr(Store, "writing", lambda _store: __import__("contextlib").nullcontext())
            recording.join(garden, "garden", "newcomer")
        return real(table, kept)

    monkeypatch.setattr(delta, "replace", meanwhile)
    recording.forget_member(garden, "maya")
    assert tries
    assert "newcomer" in garden.cut().rows("members")["member_id"]
    assert files_with(garden, "Maya Lind") == []


def test_an_export_that_comes_back_means_the_same(garden: Store) -> None:
    """A forgotten member in tables that are imported again is the one that is there."""
    recording.cast_ballot(garden, "green", "maya", {"Pond": 2})
    recording.forget_member(garden, "maya")
    with pytest.warns(TableWarning, match="Forgotten member 1"):
        state = garden.state()
    assert import_state(Store.open(garden.location.url, clock=ticking()), state) is None
