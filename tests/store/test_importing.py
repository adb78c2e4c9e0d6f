"""Importing: what is new or has changed, in one commit, and nothing twice."""

from __future__ import annotations

import json
import re
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import tables
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.errors import InvalidTableError, RefusedRecordError, TableWarning
from crowdvote_analysis.store import Store, import_state, recording
from tests.store.garden import SECRET_ID


def small(**more: pl.DataFrame) -> cv.SystemState:
    frames = {
        "ballots": ballots("trees", "2026-06-01"),
        "votes": votes(("Kelly", "Pond", "4.5"), ("Kelly", "Swings", "2"), ("Jack", "Pond", "1")),
        "choices": pl.DataFrame({"choice_id": ["Pond", "Swings"]}),
    }
    return cv.SystemState(**frames | more)


def ballots(tags: str, cast_at: str) -> pl.DataFrame:
    return pl.DataFrame({"member_id": ["Kelly", "Jack"], "tags": [tags, ""], "cast_at": [cast_at, ""]})


def votes(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["member_id", "choice_id", "stars"], orient="row")


def standing(store: Store) -> dict[str, list[tuple[object, ...]]]:
    cut = store.cut()
    return {table: cut.rows(table).rows() for table in tables.TABLES}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "small")
    import_state(made, small())
    return made


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.create(tmp_path_factory.mktemp("stores") / "demo")
    import_state(made, cv.SystemState.read(demo_folder()))
    return made


def test_the_demo_comes_back_as_it_went_in(demo: Store) -> None:
    """Table by table, every type and every value."""
    given, stored = cv.SystemState.read(demo_folder()), demo.state()
    for table in tables.TABLES:
        expected = getattr(given, table).sort(tables.key(table))
        assert getattr(stored, table).equals(expected), table
        assert getattr(stored, table).schema == expected.schema


def test_a_second_import_records_nothing(demo: Store) -> None:
    """All stands already, also when the rows come in another order."""
    given = cv.SystemState.read(demo_folder())
    shuffled = cv.SystemState(**{name: getattr(given, name).reverse() for name in tables.TABLES})
    assert import_state(demo, shuffled) is None
    assert demo.cut().seq == 1


def test_only_what_is_new_or_differs_is_recorded(store: Store) -> None:
    """A title that changes is one row; a choice that is new another."""
    choices = pl.DataFrame({"choice_id": ["Pond", "Swings", "Slide"], "title": ["A pond", None, None]})
    commit = import_state(store, small(choices=choices))
    assert commit is not None
    assert (commit.action, commit.rows) == ("import", {"choices": 2})
    assert store.state().choices["title"].to_list() == ["A pond", "Slide", "Swings"]


@pytest.mark.parametrize(
    "change",
    [
        {"ballots": ballots("budget", "2026-06-01")},
        {"ballots": ballots("trees", "2026-06-02")},
        {"votes": votes(("Kelly", "Pond", "4.5"), ("Kelly", "Swings", "3"), ("Jack", "Pond", "1"))},
        {"votes": votes(("Kelly", "Pond", "4.5"), ("Jack", "Pond", "1"))},
    ],
    ids=["tags", "time", "a star", "a star less"],
)
def test_a_ballot_that_differs_is_written_as_a_whole(store: Store, change: dict[str, pl.DataFrame]) -> None:
    """Whatever of it differs, it comes with all its stars, and others do not."""
    state = small(**change)
    commit = import_state(store, state)
    stars = state.votes.filter(member_id="Kelly").sort("choice_id")
    assert commit is not None
    assert commit.rows == {"ballots": 1, "votes": len(stars)}
    assert store.cut().rows("votes", member_id="Kelly").equals(stars)
    assert store.cut().rows("votes", member_id="Jack").height == 1
    assert import_state(store, state) is None


def test_what_the_import_lacks_stays(store: Store) -> None:
    """Nothing is taken away by tables that hold less."""
    less = cv.SystemState(votes=votes(("Jack", "Pond", "2")), choices=pl.DataFrame({"choice_id": ["Pond"]}))
    commit = import_state(store, less)
    assert commit is not None
    assert commit.rows == {"ballots": 1, "votes": 1}
    assert sorted(store.state().members["member_id"]) == ["Jack", "Kelly"]
    assert store.state().votes.height == 3


def test_what_was_withdrawn_stays_so_until_the_tables_change(store: Store) -> None:
    """The same ballot again is no news; another one of the same voter is."""
    recording.withdraw_ballot(store, "decision", "Jack")
    assert import_state(store, small()) is None
    assert store.cut().rows("ballots", member_id="Jack").is_empty()
    commit = import_state(
        store, small(votes=votes(("Kelly", "Pond", "4.5"), ("Kelly", "Swings", "2"), ("Jack", "Pond", "3")))
    )
    assert commit is not None
    assert commit.rows == {"ballots": 1, "votes": 1}
    assert store.cut().rows("votes", member_id="Jack")["stars"].to_list() == [Decimal(3)]


def test_the_same_tables_undo_nothing_that_was_recorded_since(garden: Store) -> None:
    """Who left, a following that ended, a ballot that changed or was withdrawn, a role, a publication, a closure."""
    tables_of_garden = garden.state()
    recording.withdraw_ballot(garden, "green", "kelly")
    recording.change_ballot(garden, "green", SECRET_ID, stars={"Pond": "0.5"})
    recording.close_decision(garden, "green")
    recording.publish_decision(garden, "sketch")
    recording.unfollow(garden, "garden", "maya", SECRET_ID)
    recording.change_tags(garden, "garden", SECRET_ID, "kelly", ["trees"])
    recording.change_role(garden, "garden", "lobby", is_anonymous=True)
    recording.leave(garden, "garden", "kelly")
    before = standing(garden)
    assert import_state(garden, tables_of_garden) is None
    assert standing(garden) == before


def test_a_row_is_held_against_its_last_import(store: Store) -> None:
    """What an earlier import brought is news again once another has brought something else."""
    named = [
        pl.DataFrame({"member_id": ["Kelly", "Jack"], "display_name": [name, None]}) for name in ("K. One", "K. Two")
    ]
    for members in (*named, named[0]):
        assert import_state(store, small(members=members)) is not None
    recording.change_role(store, "community", "Kelly", display_name="Kelly herself")
    assert import_state(store, small(members=named[0])) is None
    assert import_state(store, small(members=named[1])) is not None
    assert store.cut().rows("members", member_id="Kelly")["display_name"].to_list() == ["K. Two"]


def test_only_what_the_tables_change_is_written_over_what_was_recorded(store: Store) -> None:
    """One ballot changed here, another there: both changes stand; on the same one the import has the last word."""
    recording.change_ballot(store, "decision", "Jack", stars={"Pond": 5})
    recording.change_ballot(store, "decision", "Kelly", stars={"Swings": 0})
    changed = small(votes=votes(("Kelly", "Pond", "1"), ("Kelly", "Swings", "2"), ("Jack", "Pond", "1")))
    commit = import_state(store, changed)
    assert commit is not None
    assert commit.rows == {"ballots": 1, "votes": 2}
    stars = store.cut().rows("votes").select("member_id", "choice_id", "stars").rows()
    assert stars == [("Jack", "Pond", 5), ("Kelly", "Pond", 1), ("Kelly", "Swings", 2)]


def test_a_ballot_that_lost_a_star_since_its_import_is_no_news(store: Store) -> None:
    """The stars of the imported ballot count, not those that an earlier one had."""
    fewer = small(votes=votes(("Kelly", "Pond", "4.5"), ("Jack", "Pond", "1")))
    assert import_state(store, fewer) is not None
    recording.change_ballot(store, "decision", "Kelly", stars={"Swings": 3})
    assert import_state(store, fewer) is None
    assert import_state(store, small()) is not None


def test_tables_that_would_not_fit_together_are_refused(garden: Store) -> None:
    """A decision cannot become one with stars while yes/no votes stand; nothing is recorded and nobody named."""
    recording.vote(garden, "roof", SECRET_ID, "yes")
    recording.leave(garden, "garden", SECRET_ID)
    seq = garden.cut().seq
    stars = cv.SystemState(decisions=pl.DataFrame({"community_id": ["garden"], "decision_id": ["roof"]}))
    with pytest.raises(InvalidTableError, match="counted with stars") as error:
        import_state(garden, stars)
    assert SECRET_ID not in str(error.value)
    assert garden.cut().seq == seq


CLOSED = {"decision_id": ["decision"], "closes_at": ["2026-06-01"]}
OVER = {
    "title": {"decisions": pl.DataFrame(CLOSED | {"title": ["Anew"]})},
    "opened again": {"decisions": pl.DataFrame({"decision_id": ["decision"]})},
    "choice": {"choices": pl.DataFrame({"choice_id": ["Pond", "Swings", "Slide"]})},
    "ballot": {"ballots": ballots("budget", "2026-06-01")},
    "star": {"votes": votes(("Kelly", "Pond", "4.5"), ("Kelly", "Swings", "2"), ("Jack", "Pond", "2"))},
}


@pytest.mark.slow
@pytest.mark.parametrize("change", OVER.values(), ids=OVER)
@pytest.mark.parametrize("end", [{}, {"closes_at": [None], "status": ["rejected"]}], ids=["closed", "rejected"])
def test_a_decision_that_is_over_is_not_changed(
    tmp_path: Path, end: dict[str, list[str | None]], change: dict[str, pl.DataFrame]
) -> None:
    """It may come in closed, and the same again; after that an import that changes anything of it is refused."""
    store = Store.create(tmp_path / "over")
    ended = pl.DataFrame(CLOSED | end)
    import_state(store, small(decisions=ended))
    assert import_state(store, small(decisions=ended)) is None
    with pytest.raises(RefusedRecordError, match="'decision'") as refused:
        import_state(store, small(**{"decisions": ended} | change))
    assert refused.value.reason == "decision_closed"
    assert store.cut().seq == 1


def test_a_decision_is_over_when_it_was_closed_in_the_store(garden: Store) -> None:
    """Every one that would change is named, others are not; yes/no votes and required voters change one too."""
    given = garden.state()
    recording.close_decision(garden, "green")
    recording.close_decision(garden, "roof")
    seq = garden.cut().seq
    voted = pl.DataFrame({"decision_id": ["roof"], "member_id": ["maya"], "vote": ["yes"], "voted_at": ["2026-06-15"]})
    late = pl.DataFrame({"decision_id": ["roof"], "member_id": ["lobby"]})
    titled = given.choices.with_columns(title=pl.lit("New"))
    for changes, named in (
        ({"yes_no_votes": voted}, ["roof"]),
        ({"required_voters": late}, ["roof"]),
        ({"choices": titled, "yes_no_votes": voted}, ["green", "roof"]),
    ):
        frames = {table: getattr(given, table) for table in tables.TABLES}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)
            state = cv.SystemState(**frames | changes)
        with pytest.raises(RefusedRecordError) as refused:
            import_state(garden, state)
        assert re.findall("'(.+?)'", str(refused.value)) == named
    assert garden.cut().seq == seq


def test_who_comes_after_a_decision_was_over_is_not_required_in_it(garden: Store) -> None:
    """Tables that leave open who is required bring new voters all the same."""
    given = garden.state()
    recording.close_decision(garden, "roof")
    more = pl.DataFrame({"community_id": ["garden"], "member_id": ["nora"]})
    frames = {table: getattr(given, table) for table in tables.TABLES if table != "required_voters"}
    frames["members"] = pl.concat([given.members, cv.SystemState(members=more).members])
    commit = import_state(garden, cv.SystemState(**frames))
    assert commit is not None
    assert commit.rows == {"members": 1}


def test_many_decisions_that_are_over_are_counted_in_the_refusal(tmp_path: Path) -> None:
    """Ten are named."""
    store = Store.create(tmp_path / "many")
    ids = [f"d{number:02}" for number in range(12)]
    ended = pl.DataFrame({"decision_id": ids, "status": ["expired"] * 12})
    import_state(store, cv.SystemState(decisions=ended))
    with pytest.raises(RefusedRecordError, match="'d09' and 2 more"):
        import_state(store, cv.SystemState(decisions=ended.with_columns(status=pl.lit("active"))))


@pytest.mark.parametrize("end", ["\n", "\x00", "\x1b", " "], ids=ascii)
def test_new_ids_are_plain(garden: Store, end: str) -> None:
    """Every table and column with others is told, in plain letters, without a name of an anonymous member (P1)."""
    given = {"community_id": ["garden"] * 3, "member_id": [f"{SECRET_ID}{end}", f"nora{end}", f"hidden{end}"]}
    members = pl.DataFrame(given | {"is_anonymous": [False, False, True]})
    follow = pl.DataFrame({"community_id": ["garden"], "follower_id": [f"hid{end}den"], "followee_id": [f"nora{end}"]})
    choices = pl.DataFrame({"decision_id": ["green"], "choice_id": [f"Slide{end}"]})
    decisions = garden.state().decisions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        state = cv.SystemState(members=members, followings=follow, choices=choices, decisions=decisions)
    with pytest.raises(InvalidTableError, match="Nothing was imported") as error:
        import_state(garden, state)
    text = str(error.value)
    for place in ("members: 3 rows: member_id", "followings: 1 row: followee_id", "choices: 1 row: choice_id"):
        assert place in text
    assert ascii(f"nora{end}") in text
    assert "(an anonymous member)" in text
    assert not [name for name in (SECRET_ID, "hidden", ascii(f"hid{end}den")) if name in text]
    assert garden.cut().seq == 1


def test_ids_that_stand_already_stop_no_import(store: Store) -> None:
    """Only rows to be written are looked at; those of an older store are no news."""
    old = pl.DataFrame({"community_id": ["community"], "member_id": ["old\n"]})
    store.commit("import", lambda _cut, _at: {"members": cv.SystemState(members=old).members})
    members = pl.DataFrame({"member_id": ["Kelly", "Jack", "old\n", "Nora"]})
    commit = import_state(store, small(members=members))
    assert commit is not None
    assert commit.rows == {"members": 1}


def test_further_columns_are_kept_as_json(store: Store) -> None:
    """By name, whatever their type; a row without them has none, and a change of them is one."""
    members = pl.DataFrame(
        {
            "member_id": ["Kelly", "Jack"],
            "since": [datetime(2020, 1, 2, tzinfo=UTC), None],
            "points": [1.5, None],
            "*": [["ü"], None],
        }
    )
    with pytest.warns(TableWarning, match="not part of the table"):
        state = small(members=members)
    commit = import_state(store, state)
    assert commit is not None
    assert commit.rows == {"members": 1}
    (extra,) = store.cut().standing("members").filter(pl.col("member_id") == "Kelly").collect()["extra"]
    assert json.loads(extra) == {"since": "2020-01-02 00:00:00+00:00", "points": 1.5, "*": ["ü"]}
    assert "ü" in extra
    assert import_state(store, state) is None


def test_progress_is_told(store: Store) -> None:
    """So many tables of all."""
    told: list[tuple[int, int]] = []
    import_state(store, small(), lambda done, total: told.append((done, total)))
    assert told[-1] == (len(tables.TABLES), len(tables.TABLES))
