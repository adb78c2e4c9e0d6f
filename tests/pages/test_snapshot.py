"""The words and tables of one snapshot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import Store
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.pages import loops, stages, ties
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
        "18 voters voted by hand 18 voters with a calculated ballot 4 voters without a ballot 40 voters in all "
        "2 lobbyists besides: may be followed, have no vote "
        "10 followings in loops: they lead back to the follower "
        "4 followings in the longest chain to a ballot cast by hand"
    )


def test_it_is_said_how_safe_the_result_is(look, demo_store_folder):
    """As on the page of the count; where a tie is not resolved there is no winner to be safe."""
    known = list_snapshots(store := Store.open(demo_store_folder))
    safe = {
        decision: [
            sentence
            for sentence in snapshot_page.headline(look(decision), known.filter(decision_id=decision)).sentences
            if sentence.startswith("How safe: ")
        ]
        for decision in ("village-green", "bench-colour")
    }
    titles = look("village-green").titles
    assert safe["village-green"] == [cv.robustness(cv.resolve(store.cut().state()), "village-green").told(titles)]
    assert safe["bench-colour"] == []


def test_the_most_influential_come_first_with_their_number_and_a_cup(look):
    """Influence stands in brackets, and the cup beside whoever has most of it (U2, I2)."""
    told = stages.manual(look("village-green"), "", 1, 10, {})
    first = "Kelly (12) found in most other ballots budget, environment 5 3 0 2 6.71"
    assert plain(told).split("Note ")[1].startswith(first)
    assert told.count('aria-label="found in most other ballots"') == 1
    assert "Rowan (River Trust) (11) environment 5 2 0 1 4.21 lobbyist, not tallied" in plain(told)
    assert "1 to 10 of 20, those found in most other ballots first · page 1 of 2" in plain(told)


def test_an_empty_ballot_is_told_as_such(look):
    """Rita handed in a ballot without stars; it is hers and gives nothing (D5)."""
    assert "no stars, not tallied" in plain(stages.manual(look("village-green"), "rita", 1, 10, {}))


def test_members_inside_loops_are_among_the_calculated(look):
    """All nine of the two loops and the figure eight are there, and can be shown alone (U2)."""
    looked = look("village-green")
    inside = stages.calculated(looked, "", loops=True)["name"].to_list()
    assert inside == ["Ben", "Carol", "Dan", "Eli", "Fay", "Maya", "Olivia", "Victor", "Yara"]
    assert set(inside) < set(stages.calculated(looked, "")["name"])
    assert "inside a loop" in stages.summary(looked, snapshot_page.member(looked, "carol"))


def test_a_tree_says_what_matched_and_what_was_cut(look):
    """In the words of U2, with the path that was prevented, down to the ballots cast by hand."""
    told = plain(stages.tree(look("village-green"), "carol", {}))
    for words in (
        "├─ Following Victor on [budget, environment] · ✓ MATCH on [budget] → inheriting votes",
        "⚠ Circular reference prevented (Carol → Victor → Carol)",
        "└─ Hana ballot cast by hand [budget]: Wildflower meadow 4, Playground 4, Car park 2, Bandstand 1",
        "└─ Carol ballot calculated [budget]: Wildflower meadow 4.5, Playground 3.5, Car park 1, Bandstand 1.5",
        "Made of the ballots of Hana 50.0%, Kelly 50.0%.",
    ):
        assert words in told
    theo = plain(stages.tree(look("village-green"), "theo", {}))
    assert "✗ NO MATCH (Jack ballot tagged [budget])" in theo
    assert "Theo: no ballot. Following others but no tag matches." in theo
    umar = plain(stages.tree(look("village-green"), "umar", {}))
    assert "Rita: a ballot by hand without stars" in umar
    assert "Umar: no ballot. Following others but there is no ballot to inherit." in umar
    wanda = plain(stages.tree(look("village-green"), "wanda", {}))
    assert "Stella: no ballot. Not following anyone" in wanda


def test_a_name_leads_to_its_member_and_tells_the_ballot(look):
    """Links carry the snapshot and the member, and what the page was asked for."""
    looked = look("village-green")
    told = stages.tree(looked, "carol", {"store": "a b"})
    address = f'href="?store=a+b&amp;snapshot={looked.row["snapshot_id"]}&amp;member=hana"'
    assert f'{address} title="Hana ballot cast by hand [budget]: Wildflower meadow 4' in told


def test_the_equilibrium_rule_shows_where_a_loop_closes(look):
    """Nothing is cut there, so the tree says where it goes round (Y4)."""
    looked = look("school-meals")
    loops = stages.calculated(looked, "", loops=True)["public_id"]
    assert any("BALANCED - in a loop with 3 members (" in stages.tree(looked, member, {}) for member in loops)


def test_who_has_no_ballot_is_told_why(look):
    """The reason, whom they follow, and what came of it (D7)."""
    told = plain(stages.nobody(look("village-green"), "", 1, 10, {}))
    assert "Stella Not following anyone nobody" in told
    assert "Umar Following others but there is no ballot to inherit Rita on [ALL] (gave no stars)" in told
    assert "Theo Following others but no tag matches Jack on [schools] (no tag matches)" in told


def test_numbers_of_a_list_are_those_of_the_figures(look):
    """Voters and lobbyists are told apart above each list, so that it adds up to the figures (M1, M2)."""
    looked = look("bench-colour")
    assert stages.about_nobody(looked)[0].startswith("33 voters and 2 lobbyists did not vote")
    assert stages.about_manual(looked)[0].startswith("5 voters cast a ballot by hand")
    assert "of 35, by name" in stages.nobody(looked, "", 1, 10, {})


def test_whoever_is_listed_twice_is_told_so(look):
    """Members inside loops without a ballot stand in two stages, and both say it (U2)."""
    looked = look("bench-colour")
    assert stages.about_calculated(looked)[1].startswith("Also listed: 9 inside loops to whom no ballot came along.")
    assert stages.about_nobody(looked)[1] == "9 of them are inside loops, and in Stage 2 as well."
    assert "Ben (inside a loop)" in plain(stages.nobody(looked, "ben", 1, 10, {}))
    assert len(stages.about_calculated(look("village-green"))) == len(stages.about_nobody(look("village-green"))) == 1


def test_weight_and_influence_are_told_apart(look):
    """Whose ballot weighs most, and why a lobbyist who is not tallied has weight (I2, I3, M1)."""
    told = stages.about_manual(look("village-green"))
    assert told[1] == "Kelly's ballot carries most: 6.71 of 35 ballots."
    assert told[2].startswith("A lobbyist may be followed, and has no vote")
    assert len(stages.about_manual(look("bench-colour"))) == 1  # no lobbyist voted, and two carry as much


def test_a_ballot_inside_a_walk_says_who_is_left_out(look):
    """What Victor gives on Carol's walk is not Victor's own ballot, and the tree says so (Y1)."""
    looked = look("village-green")
    told = plain(stages.tree(looked, "carol", {}))
    assert "└─ Victor, as met on this walk (without Carol): ballot calculated [budget]: Wildflower meadow 4," in told
    assert "└─ Carol ballot calculated" in told
    # To Henry, who stands outside, Carol gives her own ballot: the loop lies wholly behind her.
    henry = plain(stages.tree(looked, "henry", {}))
    assert "└─ Carol ballot calculated [budget]: Wildflower meadow 4.5," in henry
    assert "└─ Victor, as met on this walk (without Carol): ballot calculated" in henry


def test_loops_are_told_with_an_example(look):
    """How many members, how many followings, and what it did to one of the ballots (Y1, Y4, Y5)."""
    told = loops.loops_in_words(look("village-green"))
    assert told[0].startswith(
        "9 members are inside loops, with 10 followings between them. 3 small tangles with 9 members in all were "
        "walked: nobody's ballot can be made of itself"
    )
    assert told[0].endswith(" Small tangles are walked and larger ones balanced (the rule “auto”).")
    assert told[1] == (
        "The rule for loops does not matter for the winner here (12 ballots differ at the most between the rules)."
    )
    assert told[2] == (
        "For example, Ben follows Olivia and Olivia follows Ben: Ben's ballot takes Olivia's as it is with Ben left "
        "out of it. There it gives Car park 0 stars; Olivia's own ballot gives 1.67. Averaged with the others whom Ben "
        "follows, that makes 2.5 in Ben's ballot."
    )
    balanced = loops.loops_in_words(look("school-meals"))
    assert "balanced (the rule “equilibrium”): nothing is cut there" in balanced[0]
    assert balanced[-1].endswith("their ballots move each other.")
    assert "they made no difference" in loops.loops_in_words(look("bench-colour"))[0]
    looked = look("village-green")
    crossed = loops.loops_in_words(replace(looked, loops={**looked.loops, "crossed": 3, "since": "20260401"}))
    assert crossed[2].startswith("Since snapshot 20260401 a tangle of loops has crossed the bound")
    straight = replace(looked, people=looked.people.with_columns(in_loop=pl.lit(False)))
    assert loops.loops_in_words(straight) == []


@pytest.mark.parametrize(
    ("follows", "loop"),
    [
        ({"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["c"]}, ["c", "d"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c"]),
        ({"a": ["a"], "b": []}, ["a"]),
        ({"a": ["b"], "b": []}, []),
    ],
)
def test_the_example_is_a_short_loop(follows, loop):
    """The shortest loop is taken, in the order in which its members follow each other."""
    assert loops.shortest_loop(follows) == loop


def test_an_empty_search_of_any_stage_says_so(look):
    """It is told apart whether nobody is there or nobody matches."""
    looked = look("village-green")
    assert "Nobody matches the search." in stages.calculated_html(looked, [], [], "?")
    assert "Nobody matches" not in stages.calculated_html(looked, [], [], " ")


def test_an_interim_snapshot_has_a_leader_and_no_winner(look, demo_store_folder):
    """While voting goes on nobody has won (S3); a tie then is not yet the manager's."""
    known = list_snapshots(Store.open(demo_store_folder))
    looked = look("summer-festival")
    assert snapshot_page.headline(looked, known).title == "River games leads so far"
    assert snapshot_page.heading(looked)[1].startswith("Interim: counted while voting was still open")
    assert "River games leads so far, with a margin of 5." in snapshot_page.runoff_words(looked.tally, is_open=True)
    tied = look("bench-colour")
    still = replace(tied, row={**tied.row, "is_final": False})
    assert snapshot_page.headline(still, known).sentences[-1].startswith("Voting goes on")


def test_a_final_tie_says_how_it_is_decided(look, demo_store_folder):
    """The snapshot is final and the winner is not; the manager's order is fed back in by a command (K7)."""
    known = list_snapshots(Store.open(demo_store_folder))
    said = snapshot_page.headline(look("bench-colour"), known).sentences[-1]
    assert said.startswith("FINAL means that voting is over; the winner still waits for the manager.")
    assert said.endswith(
        "crowdvote snapshot take STORE -d bench-colour --tie-order 'bench-colour: green, blue' --supersede"
    )


def test_a_result_counted_again_says_what_changed(look, demo_store_folder):
    """Both finals say when, why, and what is different, and the old one leads to the new one (S3)."""
    known = list_snapshots(Store.open(demo_store_folder), "village-green")
    new, old = look("village-green"), look("village-green", 1)
    again = (
        "(two ballots handed in on paper): 4 more ballots, 36 instead of 32; the winner is unchanged; the margin is 18 "
        "instead of 3."
    )
    for looked, begins in ((new, "This result stands in the place of"), (old, "This result does not stand any more.")):
        said = snapshot_page.headline(looked, known).sentences[-1]
        assert said.startswith(begins)
        assert said.endswith(again)
    assert new.row["snapshot_id"] in snapshot_page.standing_link(old, {})
    assert snapshot_page.standing_link(new, {}) == ""


def test_search_is_literal(look):
    """No character of a search means anything but itself."""
    looked = look("village-green")
    assert stages.calculated(looked, "OLIV")["name"].to_list() == ["Olivia"]
    for odd in (".", "(", "[a-z]", "\\", "*"):
        assert stages.calculated(looked, odd).is_empty()
    assert "Rowan" in stages.manual(looked, "(river", 1, 10, {})
    assert "Nobody matches the search." in stages.nobody(looked, "?", 1, 10, {})


def test_an_unresolved_tie_names_who_could_win(look):
    """Every step of it is told, and its possible winners (K7)."""
    tally = look("bench-colour").tally
    assert "Possible winners: Bottle green, River blue." in snapshot_page.runoff_words(tally)
    told = plain(ties.tie_table(tally))
    for words in ("What is compared", "total stars", "five-star ballots", "more stars than the other one"):
        assert words in told
    assert "those before the tie are left out" in ties.tie_words(tally)
    assert "left out" not in ties.tie_words(look("sports-day").tally)


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
            stages.manual(looked, "", 1, 100, {}),
            stages.nobody(looked, "", 1, 100, {}),
            *(stages.summary(looked, row) for row in looked.people.iter_rows(named=True)),
            *(stages.tree(looked, member, {}) for member in everybody),
        ]
        told = "\n".join(written)
        hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == community))
        assert len(hidden)
        assert "Anonymous 1" in told
        for secret in {*hidden["member_id"], *hidden["display_name"]}:
            assert not re.search(rf"\b{re.escape(secret)}\b", told, re.IGNORECASE)
        assert snapshot_page.member(looked, hidden["member_id"][0]) is None
        assert stages.calculated(looked, hidden["member_id"][0]).is_empty()


def test_snapshots_of_one_minute_can_be_told_apart(look):
    """Each has a label of its own in the list, whatever else they share."""
    row = pl.DataFrame([look("village-green").row], infer_schema_length=None)
    twins = pl.concat([row, row.with_columns(snapshot_id=pl.lit("twin"))])
    labelled = snapshot_page.snapshot_labels(twins)
    assert list(labelled.values()) == twins["snapshot_id"].to_list()
    assert next(iter(snapshot_page.snapshot_labels(row))).endswith(" · FINAL · Wildflower meadow")
