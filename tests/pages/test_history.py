"""The words and tables of the history of a decision."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from crowdvote_analysis.pages import history as history_page
from crowdvote_analysis.pages.choosing import community_of
from crowdvote_analysis.pages.superseded import counted_again
from crowdvote_analysis.snapshots import recalculation
from crowdvote_analysis.snapshots.events import OVERVIEW
from tests.charts.timelines import small_timeline

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def snapshots(*rows: dict) -> pl.DataFrame:
    """Rows of ``list_snapshots``, the newest first, an hour apart."""
    defaults = {
        "status": "completed",
        "is_final": False,
        "decision_id": "use",
        "outcome": "decided",
        "winner": "pond",
        "winner_title": "Pond",
        "margin": 3,
        "total_members": 34,
        "manual_ballots": 9,
        "calculated_ballots": 7,
        "participation": 16 / 34,
    }
    told = [
        {**defaults, "snapshot_id": f"s{at}", "timestamp": NOON - timedelta(hours=at), "status_at": NOON, **row}
        for at, row in enumerate(rows)
    ]
    return pl.DataFrame(told, schema=OVERVIEW)


OPEN = {"decision_id": "use", "status": "active", "opens_at": None, "closes_at": None}
FAILED = {"status": "failed_staging", "winner": None, "winner_title": None, "outcome": None, "total_members": None}


def test_the_history_has_the_columns_that_people_know():
    """Timestamp, status, winner, participation, ballots by hand and calculated (U1)."""
    table = history_page.history_table(snapshots({"is_final": True}))
    assert table.drop("snapshot_id", "kind", "note", "error").row(0, named=True) == {
        "Timestamp (UTC)": "2026-06-15 12:00",
        "Status": "🔴 FINAL",
        "Winner": "Pond",
        "Participation": "16/34 (47.1%)",
        "Manual Ballots": "9",
        "Calculated": "7",
    }


@pytest.mark.parametrize(
    ("row", "badge"),
    [
        ({"is_final": True}, "🔴 FINAL"),
        ({}, "🟢 Interim"),
        (FAILED, "❌ Error"),
        ({"status": "corrupted"}, "❌ Error"),
        ({"status": "staging"}, "⏳ Processing"),
        ({"status": "ready"}, "⏳ Processing"),
        ({"is_final": True, "superseded_by": "s9"}, "🔴 FINAL (superseded)"),
    ],
)
def test_every_status_has_its_badge(row, badge):
    """FINAL, Interim, Error or Processing (U1)."""
    assert history_page.history_table(snapshots(row))["Status"].to_list() == [badge]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("pond", ["s0"]),
        ("A+B (old)", ["s1"]),
        (".", []),
        ("06-15 11", ["s1"]),
        ("(", ["s1"]),
        ("[", ["s2"]),
        ("\\", []),
        (" ", ["s0", "s1", "s2"]),
    ],
)
def test_search_is_literal(search, found):
    """Time and winner are searched as they are written; no character means anything but itself (U1)."""
    known = snapshots({}, {"winner_title": "a+b (OLD)"}, {"winner_title": "[x]*"})
    assert history_page.history_table(known, search)["snapshot_id"].to_list() == found


def test_pages_are_cut_from_the_newest():
    """A page holds as many rows as asked for, and one beyond the last is the last."""
    table = history_page.history_table(snapshots(*({} for _ in range(23))))
    shown = [history_page.history_html(table, page, 10, {}).count("View Details") for page in (1, 2, 3, 99)]
    assert shown == [10, 10, 3, 3]
    assert "21 to 23 of 23, newest first · page 3 of 3" in history_page.history_html(table, 3, 10, {})


def test_what_people_wrote_is_text():
    """A title is shown as it is and never run, and so is what stands in an address."""
    table = history_page.history_table(snapshots({"winner_title": "<script>x</script>"}))
    written = history_page.history_html(table, 1, 10, {"store": '"><img src=x>'})
    assert "<script" not in written
    assert "<img" not in written
    assert "../snapshot/?store=%22%3E%3Cimg+src%3Dx%3E&amp;snapshot=s0" in written


def test_an_error_is_told_below_its_row():
    """Plain words come first; what the program said, its first line at least, is there for whoever opens it."""
    table = history_page.history_table(snapshots({**FAILED, "last_error": "Use --cycles.\nmore"}))
    written = history_page.history_html(table, 1, 10, {})
    plain, folded = written.split("<details>")
    assert "No ballot is lost: the count can be made again." in plain
    assert "--cycles" not in plain
    assert "What the program said</summary>Use --cycles.</details>" in folded
    assert "more" not in written
    later = history_page.history_table(snapshots({}, {}, FAILED))["note"]
    assert later.to_list() == [
        None,
        None,
        "This count did not come to an end. No ballot is lost: the count was made again on 2026-06-15 11:00 UTC.",
    ]


def test_a_snapshot_without_a_result_says_why():
    """Plain words, and what the program said folded; one under way is waited for."""
    known = snapshots({**FAILED, "last_error": "<x>"}, {"status": "staging"})
    failed, waiting = known.iter_rows(named=True)
    told = history_page.failed_html(known, failed)
    assert told.index("No ballot is lost") < told.index("<details>") < told.index("&lt;x&gt;")
    assert history_page.failed_html(known, waiting) == "<div>It is being calculated; look again in a while.</div>"


def test_a_superseded_result_says_by_which_and_why():
    """Its note tells when it was counted again, who asked, and what changed (S3)."""
    before = {"is_final": True, "superseded_by": "s0", "manual_ballots": 8, "margin": 1}
    known = snapshots({"is_final": True, "trigger": "recalculation by a manager"}, before)
    said = (
        "Counted again on 2026-06-15 12:00 UTC (a manager asked for it): 1 more ballot, 16 instead of 15; the winner "
        "is unchanged; the margin is 3 instead of 1."
    )
    assert history_page.history_table(known)["note"].to_list() == [None, said]
    assert history_page.headline(known).sentences[-1] == said
    assert history_page.headline(known.head(1)).sentences[-1].endswith("of the voters have a ballot.")
    elsewhere = history_page.history_table(snapshots({"superseded_by": "s9"}))["note"].item()
    assert elsewhere == "Counted again; another snapshot stands in its place."


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({}, "16 ballots as before; the winner is unchanged."),
        ({"winner": "lane", "winner_title": "Lane"}, "16 ballots as before; the winner is Lane instead of Pond."),
        ({"outcome": "unresolved tie", "winner": None, "winner_title": None}, "the winner is nobody instead of Pond."),
        ({"calculated_ballots": 5, "margin": 2}, "2 fewer ballots, 14 instead of 16; the winner is unchanged; "),
    ],
)
def test_what_changed_between_two_results(after, said):
    """Ballots, winner and margin, each only where there is something to say."""
    new, old = snapshots(after, {}).iter_rows(named=True)
    told = counted_again(old, new)
    assert told.startswith("Counted again on 2026-06-15 12:00 UTC: ")
    assert said in told


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("newest first", ["s0", "s1", "s2"]),
        ("oldest first", ["s2", "s1", "s0"]),
        ("most participation first", ["s1", "s0", "s2"]),
        ("by winner", ["s2", "s0", "s1"]),
    ],
)
def test_the_history_can_be_put_in_another_order(order, found):
    """By time, by participation, by winner; the order is told beneath, and an error without any stands last."""
    known = snapshots({}, {"participation": 0.9, "winner_title": "Swings"}, {"participation": 0.1, "winner_title": "A"})
    table = history_page.history_table(known, order=order)
    assert table["snapshot_id"].to_list() == found
    assert f"1 to 3 of 3, {order}" in history_page.history_html(table, 1, 10, {}, order)
    unknown = snapshots({**FAILED, "participation": None}, {})
    assert history_page.history_table(unknown, order="most participation first")["snapshot_id"].to_list() == [
        "s1",
        "s0",
    ]


def test_faded_marks_are_explained():
    """Marks of a result that does not stand any more are drawn faded; the words above the chart say so."""
    rows = small_timeline()
    assert "Faded marks" in history_page.over_time(rows)
    assert "Faded marks" not in history_page.over_time(rows.filter("is_current"))


def test_a_decision_that_is_over_and_not_counted_says_who_counts_it():
    """Nobody can ask for it on a page any more (E4), so the command is named."""
    over = {"decision_id": "new use", "status": "active", "opens_at": None, "closes_at": NOON}
    take = "whoever runs the store takes the result with crowdvote snapshot take STORE -d 'new use'"
    assert history_page.progress(snapshots(), over, NOON).startswith("Not calculated yet. Voting is over")
    for known in (snapshots(), snapshots({}), snapshots({**FAILED, "is_final": True})):
        assert history_page.progress(known, over, NOON).endswith(take)
    for known in (snapshots({"is_final": True}), snapshots({"status": "staging"})):
        assert take not in history_page.progress(known, over, NOON)
    assert take not in history_page.progress(snapshots(), {**over, "closes_at": None}, NOON)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"closes_at": NOON + timedelta(days=2, hours=3, minutes=5)}, "Open: closes in 2 days 3 hours (2026-06-17"),
        ({"closes_at": NOON + timedelta(minutes=1, seconds=30)}, "Open: closes in 1 minute ("),
        ({"closes_at": NOON + timedelta(seconds=30)}, "Open: closes in less than a minute"),
        ({"closes_at": NOON}, "Closed 2026-06-15 12:00 UTC"),
        ({}, "Open"),
        ({"opens_at": NOON + timedelta(hours=1)}, "Opens in 1 hour"),
        ({"status": "draft"}, "Draft"),
        ({"status": "cancelled"}, "Closed (cancelled)"),
    ],
)
def test_it_is_said_whether_a_decision_is_open(times, words):
    """A draft, opening later, open, closing in so long, closed."""
    decision = {"status": "active", "opens_at": None, "closes_at": None, **times}
    assert history_page.standing(decision, NOON).startswith(words)


def test_a_calculation_under_way_is_told_and_what_was_before():
    """While one runs, since when; after it, when it was last done (U3)."""
    running = snapshots({"status": "staging", "status_at": NOON - timedelta(minutes=3)}, {})
    assert history_page.progress(running, OPEN, NOON) == (
        "A calculation is under way: calculating ballots, for 3 minutes. "
        "Last calculated 2026-06-15 11:00 UTC, 1 hour ago: interim."
    )
    assert history_page.progress(snapshots({"is_final": True}), OPEN, NOON).endswith("ago: FINAL.")
    assert history_page.progress(snapshots(FAILED, {}), OPEN, NOON).startswith("The latest calculation failed")
    assert history_page.progress(snapshots(), OPEN, NOON) == "Not calculated yet."


def test_the_result_that_stands_is_the_newest_one_that_was_not_superseded():
    """A failure and a superseded result are passed over."""
    known = snapshots(FAILED, {"superseded_by": "s9", "winner_title": "Old"}, {"is_final": True})
    assert history_page.headline(known).title == "Pond wins"
    assert history_page.headline(snapshots({})).title == "Pond leads so far"
    assert history_page.headline(snapshots({})).sentences[0] == (
        "In the runoff between the two choices with the most stars, 3 more ballots prefer it: that is the margin."
    )
    tie = {"outcome": "unresolved tie", "winner": None, "winner_title": None}
    assert history_page.headline(snapshots(tie)).title == "No winner so far: an unresolved tie"
    assert history_page.headline(snapshots(FAILED)).title == "No result yet"
    nobody = {"outcome": "no ballots", "winner": None, "winner_title": None, "is_final": True}
    assert history_page.headline(snapshots(nobody)).title == "No winner: no ballots"


@pytest.mark.parametrize(
    ("asked", "community"), [({"decision": "b"}, "two"), ({"community": "two"}, "two"), ({"community": "?"}, "one")]
)
def test_the_page_opens_with_what_its_address_asks_for(asked, community):
    """By community or by decision, else with the decision that was counted last."""
    decisions = pl.DataFrame({"community_id": ["one", "two"], "decision_id": ["a", "b"]})
    assert community_of(decisions, asked) == community


def test_only_managers_recalculate_and_only_what_is_open(monkeypatch):
    """Who may not, what is closed and what runs already is refused in the words of E4; else it is started."""
    row = {
        "decision_id": "use",
        "method": "star",
        "title": "The garden",
        "status": "active",
        "closes_at": NOON + timedelta(days=1),
    }
    rows = pl.DataFrame([row])
    started = []
    store = SimpleNamespace(cut=lambda: SimpleNamespace(rows=lambda *_, **__: rows), clock=lambda: NOON)
    monkeypatch.setattr(history_page, "take_snapshot", lambda _store, decision_id, **_: started.append(decision_id))
    monkeypatch.setattr(recalculation, "is_calculating", lambda *_: False)

    def asked(*, is_manager: bool = True) -> tuple[bool, str]:
        return history_page.recalculate(store, "use", is_manager=is_manager)

    assert asked(is_manager=False) == (False, "Only community managers can trigger manual recalculation")
    assert started == []
    said = 'Recalculation started for "The garden". Results will update automatically when complete.'
    assert asked() == (True, said)
    for thread in threading.enumerate():
        if thread.name == history_page.CALCULATION:
            thread.join()
    assert started == ["use"]
    monkeypatch.setattr(recalculation, "is_calculating", lambda *_: True)
    assert asked() == (False, "Calculation already in progress for this decision")
    rows = rows.with_columns(closes_at=pl.lit(NOON))
    assert asked() == (False, "Cannot recalculate closed decisions")
    assert started == ["use"]
