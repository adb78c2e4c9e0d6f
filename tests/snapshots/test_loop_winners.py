"""A final snapshot says who would win by each rule for loops, and whether a tangle crossed the bound (Y6)."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import RefusedRecordError
from crowdvote_analysis.snapshots import loops_in_words, read_inputs, read_loops, take_snapshot, verify_snapshot
from crowdvote_analysis.store import import_state, recording
from tests.command import crowdvote

if TYPE_CHECKING:
    from pathlib import Path

    from crowdvote_analysis.store import Store


def tangle(members: int, rule: str = "auto") -> cv.SystemState:
    """So many members who all follow each other; the first follows Vera, the others Will as well."""
    names = [f"m{number}" for number in range(members)]
    pairs = [*permutations(names, 2), ("m0", "Vera"), *((name, "Will") for name in names[1:])]
    return cv.SystemState(
        communities=pl.DataFrame({"community_id": ["here"], "title": ["Here"], "cycle_rule": [rule]}),
        members=pl.DataFrame({"member_id": [*names, "Vera", "Will", "Uma"]}),
        followings=pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row"),
        decisions=pl.DataFrame({"decision_id": ["pond"]}),
        choices=pl.DataFrame({"decision_id": "pond", "choice_id": ["Yes", "No"]}),
        ballots=pl.DataFrame({"decision_id": "pond", "member_id": ["Vera", "Will"]}),
        votes=pl.DataFrame(
            {"decision_id": "pond", "member_id": ["Vera", "Will"], "choice_id": ["Yes", "No"], "stars": ["5", "1"]}
        ),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return cv.Store.create(tmp_path / "store")


def test_a_final_records_the_winner_by_each_rule(store: Store) -> None:
    """Every rule has its row, and the sentence says whether it matters; an interim snapshot says nothing."""
    import_state(store, tangle(4))
    assert read_loops(store, take_snapshot(store, "pond")["snapshot_id"]) is None
    recording.close_decision(store, "pond")
    final = take_snapshot(store, "pond")
    loops = read_loops(store, final["snapshot_id"])
    assert loops is not None
    assert [row["rule"] for row in loops["rules"]] == ["auto-1", "path", "equilibrium"]
    compared = cv.compare_loop_rules(read_inputs(store, final["snapshot_id"])[1], "pond")
    assert loops["rules"] == compared.to_dicts()
    assert loops["crossed"] == 0
    assert verify_snapshot(store, final["snapshot_id"]).certified
    shown = crowdvote("snapshot", "show", store.location.url, final["snapshot_id"]).stdout
    assert " ".join(loops_in_words(loops, {})[0].split()) in " ".join(shown.split())


def test_a_tangle_that_crossed_the_bound_is_said_loudly(store: Store) -> None:
    """Seven are walked; an eighth who joins them moves them over the bound, and the final result says so."""
    import_state(store, tangle(7))
    before = take_snapshot(store, "pond")["snapshot_id"]
    for name in ("m0", "m1"):
        recording.follow(store, "here", "Uma", name)
        recording.follow(store, "here", name, "Uma")
    recording.close_decision(store, "pond")
    final = take_snapshot(store, "pond")["snapshot_id"]
    loops = read_loops(store, final)
    assert loops is not None
    assert (loops["crossed"], loops["since"]) == (7, before)
    assert "7 members are in one that is settled the other way now" in loops_in_words(loops, {})[1]


def test_a_decision_is_counted_by_the_rule_it_was_published_with(store: Store) -> None:
    """A change of rule is for later decisions, unless it is said to be for published ones too (Y6)."""
    import_state(store, tangle(4, "path"))
    recording.change_cycle_rule(store, "here", "equilibrium")
    assert store.cut().state().communities["cycle_rule"].to_list() == ["equilibrium"]
    assert take_snapshot(store, "pond")["cycle_rule"] == "path"
    assert cv.resolve(store.cut().state()).decisions["cycle_rule"].to_list() == ["path"]
    recording.create_decision(store, "here", "roof", choices=["Slate"])
    recording.publish_decision(store, "roof")
    assert take_snapshot(store, "roof")["cycle_rule"] == "equilibrium"
    recording.change_cycle_rule(store, "here", "auto", published=True)
    assert [take_snapshot(store, name)["cycle_rule"] for name in ("pond", "roof")] == ["auto-1", "auto-1"]
    with pytest.raises(RefusedRecordError, match="already"):
        recording.change_cycle_rule(store, "here", "auto", published=True)


def test_a_snapshot_is_counted_again_by_the_rule_it_froze(store: Store) -> None:
    """Whatever the community chooses later, the number of auto stands in the frozen options (Y6)."""
    import_state(store, tangle(4))
    taken = take_snapshot(store, "pond")
    recording.change_cycle_rule(store, "here", "path", published=True)
    assert read_inputs(store, taken["snapshot_id"])[0].options.cycles == "auto-1"
    assert verify_snapshot(store, taken["snapshot_id"]).certified


def test_the_command_changes_the_rule(store: Store) -> None:
    """One command, for the only community; decisions that are out already with an option."""
    import_state(store, tangle(8, "path"))
    done = crowdvote("record", "cycle-rule", store.location.url, "auto", "--published")
    assert done.returncode == 0
    assert "counts loops by the rule auto" in done.stdout
    assert take_snapshot(store, "pond")["cycle_rule"] == "auto-1"
