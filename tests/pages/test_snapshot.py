"""The words and tables of one snapshot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import Store
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.pages import html_rows
from crowdvote_analysis.pages import snapshot as snapshot_page
from crowdvote_analysis.snapshots import list_snapshots

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def look(demo_store_folder: Path):
    """The newest snapshot of a decision of the demo, or one before it."""
    store, known = Store.open(demo_store_folder), {}

    def looked(decision: str, before: int = 0) -> snapshot_page.Looked:
        name = list_snapshots(store, decision)["snapshot_id"][before]
        if name not in known:
            known[name] = snapshot_page.look(store, name)
        return known[name]

    return looked


def plain(html: str) -> str:
    """What a reader sees of some HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_figures_are_those_of_the_snapshot(look):
    """By hand, calculated, none, voters, followings inside loops, depth (U2)."""
    assert plain(snapshot_page.figures(look("village-green"))) == (
        "18 voted by hand 18 calculated from followings 4 have no ballot 40 voters in all "
        "10 followings inside loops 4 followings deep at most"
    )


def test_the_most_influential_come_first_with_their_number_and_a_cup(look):
    """Influence stands in brackets, and the cup beside whoever has most of it (U2, I2)."""
    told = snapshot_page.manual(look("village-green"), "", 1, 10, {})
    first = "Kelly (12) found in most other ballots budget, environment 5 3 0 2 6.71"
    assert plain(told).split("Note ")[1].startswith(first)
    assert told.count('aria-label="found in most other ballots"') == 1
    assert "Rowan (River Trust) (11) environment 5 2 0 1 4.21 lobbyist, not tallied" in plain(told)
    assert "1 to 10 of 20, the most influential first · page 1 of 2" in plain(told)


def test_an_empty_ballot_is_told_as_such(look):
    """Rita handed in a ballot without stars; it is hers and gives nothing (D5)."""
    assert "empty ballot" in plain(snapshot_page.manual(look("village-green"), "rita", 1, 10, {}))


def test_members_inside_loops_are_among_the_calculated(look):
    """All nine of the two loops and the figure eight are there, and can be shown alone (U2)."""
    looked = look("village-green")
    inside = snapshot_page.calculated(looked, "", loops=True)["name"].to_list()
    assert inside == ["Ben", "Carol", "Dan", "Eli", "Fay", "Maya", "Olivia", "Victor", "Yara"]
    assert set(inside) < set(snapshot_page.calculated(looked, "")["name"])
    assert "inside a loop" in snapshot_page.summary(looked, snapshot_page.member(looked, "carol"))


def test_a_tree_says_what_matched_and_what_was_cut(look):
    """In the words of U2, with the path that was prevented, down to the ballots cast by hand."""
    told = plain(snapshot_page.tree(look("village-green"), "carol", {}))
    for words in (
        "├─ Following Victor on [budget, environment] · ✓ MATCH on [budget] → inheriting votes",
        "⚠ Circular reference prevented (Carol → Victor → Carol)",
        "└─ Hana ballot cast by hand [budget]: Wildflower meadow 4, Playground 4, Car park 2, Bandstand 1",
        "└─ Carol ballot calculated [budget]: Wildflower meadow 4.5, Playground 3.5, Car park 1, Bandstand 1.5",
        "Made of the ballots of Hana 50.0%, Kelly 50.0%.",
    ):
        assert words in told
    theo = plain(snapshot_page.tree(look("village-green"), "theo", {}))
    assert "✗ NO MATCH (Jack ballot tagged [budget])" in theo
    assert "Theo: no ballot. Following others but no tag matches." in theo


def test_a_name_leads_to_its_member_and_tells_the_ballot(look):
    """Links carry the snapshot and the member, and what the page was asked for."""
    looked = look("village-green")
    told = snapshot_page.tree(looked, "carol", {"store": "a b"})
    address = f'href="?store=a+b&amp;snapshot={looked.row["snapshot_id"]}&amp;member=hana"'
    assert f'{address} title="Hana ballot cast by hand [budget]: Wildflower meadow 4' in told


def test_the_equilibrium_rule_shows_where_a_loop_closes(look):
    """Nothing is cut there, so the tree says where it goes round (Y4)."""
    looked = look("school-meals")
    loops = snapshot_page.calculated(looked, "", loops=True)["public_id"]
    assert any("in a loop (" in snapshot_page.tree(looked, member, {}) for member in loops)


def test_who_has_no_ballot_is_told_why(look):
    """The reason, whom they follow, and what came of it (D7)."""
    told = plain(snapshot_page.nobody(look("village-green"), "", 1, 10, {}))
    assert "Stella Not following anyone nobody" in told
    assert "Umar Following others but no tag matches Rita on [ALL] (has no ballot to give)" in told


def test_search_is_literal(look):
    """No character of a search means anything but itself."""
    looked = look("village-green")
    assert snapshot_page.calculated(looked, "OLIV")["name"].to_list() == ["Olivia"]
    for odd in (".", "(", "[a-z]", "\\", "*"):
        assert snapshot_page.calculated(looked, odd).is_empty()
    assert "Rowan" in snapshot_page.manual(looked, "(river", 1, 10, {})
    assert "Nobody matches the search." in snapshot_page.nobody(looked, "?", 1, 10, {})


def test_an_unresolved_tie_names_who_could_win(look):
    """Every step of it is told, and its possible winners (K7)."""
    tally = look("bench-colour").tally
    assert "Possible winners: Bottle green, River blue." in snapshot_page.runoff_words(tally)
    assert "five-star ballots" in plain(html_rows.tie_table(tally))


def test_the_tally_that_is_shown_is_the_one_that_is_stored(look):
    """Charts are made from the stored ballots, and that gives the stored result."""
    for decision in ("village-green", "bench-colour", "school-meals", "bicycle-lanes"):
        assert look(decision).same


def test_a_snapshot_without_a_result_is_refused(demo_store_folder):
    """One that failed has nothing to be looked at."""
    store = Store.open(demo_store_folder)
    failed = list_snapshots(store).filter(status="failed_staging")["snapshot_id"].item()
    with pytest.raises(SnapshotError, match="missing"):
        snapshot_page.look(store, failed)


def test_anonymous_members_are_nowhere(look):
    """Neither name nor id of an anonymous member is in anything that is written (P1)."""
    members = cv.SystemState.read(demo_folder()).members
    for decision, community in (("village-green", "riverside"), ("school-meals", "hillcrest")):
        looked = look(decision)
        everybody = looked.people["public_id"].to_list()
        written = [
            snapshot_page.manual(looked, "", 1, 100, {}),
            snapshot_page.nobody(looked, "", 1, 100, {}),
            *(snapshot_page.summary(looked, row) for row in looked.people.iter_rows(named=True)),
            *(snapshot_page.tree(looked, member, {}) for member in everybody),
        ]
        told = "\n".join(written)
        hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == community))
        assert len(hidden)
        assert "Anonymous 1" in told
        for secret in {*hidden["member_id"], *hidden["display_name"]}:
            assert not re.search(rf"\b{re.escape(secret)}\b", told, re.IGNORECASE)
        assert snapshot_page.member(looked, hidden["member_id"][0]) is None
        assert snapshot_page.calculated(looked, hidden["member_id"][0]).is_empty()


def test_snapshots_of_one_minute_can_be_told_apart(look):
    """Each has a label of its own in the list, whatever else they share."""
    row = pl.DataFrame([look("village-green").row], infer_schema_length=None)
    twins = pl.concat([row, row.with_columns(snapshot_id=pl.lit("twin"))])
    labelled = snapshot_page.snapshot_labels(twins)
    assert list(labelled.values()) == twins["snapshot_id"].to_list()
    assert next(iter(snapshot_page.snapshot_labels(row))).endswith(" · FINAL · Wildflower meadow")
