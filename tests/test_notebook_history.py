"""The notebooks of a decision over time and of one snapshot, run without a browser."""

from __future__ import annotations

import importlib.util
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import pytest

from crowdvote_analysis import Store
from crowdvote_analysis.pages.layout import Opening
from crowdvote_analysis.snapshots import list_snapshots

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(scope="module")
def apps():
    found = {}
    for name in ("decision", "snapshot"):
        spec = importlib.util.spec_from_file_location(f"{name}_notebook", NOTEBOOKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[name] = module.app
    return found


@pytest.fixture
def show(apps, demo_store_folder):
    """What the page holds, as text."""

    def page_of(name: str, **asked: str) -> str:
        place = SimpleNamespace(value=asked.pop("store", str(demo_store_folder)))
        outputs, _ = apps[name].run(defs={"opened": Opening(asked, {}), "place": place})
        return unescape(" ".join(mo.as_html(output).text for output in outputs if output is not None))

    return page_of


@pytest.fixture(scope="module")
def green(demo_store_folder):
    """The snapshots of the village green, newest first."""
    return list_snapshots(Store.open(demo_store_folder), "village-green")


def test_a_decision_opens_with_its_history(show, green):
    """Status, result, history with every badge and a link to each snapshot (U1, U3)."""
    page = show("decision", decision="village-green")
    for words in ("What should become of the village green?", "Closed ", "Wildflower meadow wins", "Last calculated"):
        assert words in page
    for badge in ("FINAL", "FINAL (superseded)", "Interim", "Error"):
        assert badge in page
    for name in green["snapshot_id"]:
        assert f"../snapshot/?snapshot={name}" in page
    assert "In the lead, one after the other: Bandstand, Playground, Wildflower meadow." in page
    assert page.count("4 more ballots, 36 instead of 32; the winner is unchanged") == 2  # above, and at the old result
    assert "Faded marks" in page
    assert page.index(green["snapshot_id"][0]) < page.index(green["snapshot_id"][-1])  # newest first


def test_the_latest_decision_is_opened_first(show):
    """Without a wish, the page shows what was counted last; whoever is no manager is offered no calculation (E4)."""
    page = show("decision")
    assert "What kind of summer festival?" in page
    assert "River games leads so far" in page
    assert "Open: closes in" in page
    assert "Calculate now" not in page


def test_a_decision_without_a_snapshot_says_so(show):
    """Nothing was counted yet, and whoever runs the store is told how to."""
    page = show("decision", decision="library-hours")
    assert "No result yet" in page
    assert "There is no snapshot of this decision yet." in page
    assert "Voting is over" in page
    assert "crowdvote snapshot take STORE -d library-hours" in page


def test_a_snapshot_shows_all_four_stages(show, green):
    """By hand, calculated, none, and the count (U2)."""
    page = show("snapshot", snapshot=green["snapshot_id"][0], member="carol")
    for heading in ("Stage 1: ballots", "Stage 2: calc", "Stage 3: no ballot", "Stage 4: the STAR count"):
        assert heading in page
    assert "Circular reference prevented (Carol → Victor → Carol)" in page
    assert "The tie, step by step" not in page
    for words in ("Tallied: 35 of 36 ballots; 1 rates no choice.", "9 members are inside loops", "carries most: 6.71"):
        assert words in page
    assert "without Carol" in page
    assert "Average of who rated it" in page  # K10


def test_a_superseded_snapshot_says_that_it_does_not_stand(show, green):
    """It is still there to be looked at (S3)."""
    assert "This result does not stand any more" in show("snapshot", snapshot=green["snapshot_id"][1])


def test_a_decision_without_a_snapshot_leads_on(show):
    """It is said what there is instead, and other pages are reached from there."""
    page = show("snapshot", decision="recycling-points")
    assert "No result yet" in page
    assert "The page “The count” shows how its ballots stand now." in page
    assert 'href="../snapshot/"' in page
    assert "Find members" not in page
    assert "This snapshot cannot be shown." in show("snapshot", decision="nope")


def test_a_failed_snapshot_says_why(show, green):
    """The error stands on the page instead of a result."""
    page = show("snapshot", snapshot=green.filter(status="failed_staging")["snapshot_id"].item())
    assert "There is no result of this snapshot" in page
    assert page.index("No ballot is lost") < page.index("What the program said") < page.index("rule Y3")
    assert "rule Y3" in page


def test_a_tie_is_told_step_by_step(show, demo_store_folder):
    """An unresolved tie has its steps and its possible winners (K7)."""
    name = list_snapshots(Store.open(demo_store_folder), "bench-colour")["snapshot_id"].item()
    page = show("snapshot", snapshot=name)
    assert "No winner yet: an unresolved tie" in page
    assert "The tie, step by step" in page
    assert "Possible winners: Bottle green, River blue." in page


@pytest.mark.parametrize("name", ["decision", "snapshot"])
def test_what_is_no_store_is_explained(show, name, tmp_path):
    """A wrong place, or a wrong snapshot, is told in the words of the error."""
    page = show(name, store=str(tmp_path))
    assert "cannot be shown." in page
    assert "is no store" in page
    if name == "snapshot":
        assert "here is no snapshot" in show(name, snapshot="nope")
