"""``crowdvote snapshot`` and ``crowdvote recompute``: what they print, how they end, and what they never say."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import jsonschema
import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import snapshots
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.snapshots import calculation, lifecycle, list_snapshots, take_snapshot
from crowdvote_analysis.store import Store, import_state
from tests.command import crowdvote

pytestmark = pytest.mark.slow

_GREEN, _OPEN = "village-green", "bicycle-lanes"


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo communities as a store, with a snapshot of a closed decision."""
    folder = tmp_path_factory.mktemp("demo") / "store"
    store = Store.create(folder)
    import_state(store, cv.SystemState.read(demo_folder()))
    take_snapshot(store, _GREEN)
    return folder


@pytest.fixture
def store(demo_store: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(demo_store, tmp_path / "store"))


def said(*arguments: object, code: int = 0) -> str:
    done = crowdvote(*arguments)
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


def test_taking_shows_who_won_and_why(store: Path) -> None:
    """The statistics, the steps of the tally and the public hashes are on the screen."""
    told = said("snapshot", "take", store, "-d", _GREEN, "--supersede")
    assert "🔴 FINAL" in told
    assert "Winner: Wildflower meadow" in told
    (row, *_) = list_snapshots(Store.open(store)).to_dicts()
    assert row["public_hash"] in told
    assert row["public_result_hash"] in told
    for name in ("content_hash", "result_hash", "inputs_file", "result_file"):
        assert row[name] not in told


def test_a_final_snapshot_is_not_taken_twice(store: Path) -> None:
    """The rule is told in words, and nothing is written."""
    done = crowdvote("snapshot", "take", store, "-d", _GREEN)
    assert done.returncode == 1
    assert "Only one final snapshot is allowed per decision." in done.stderr
    assert "--supersede" in done.stderr


def test_the_list_has_the_columns_that_people_know(store: Path) -> None:
    """Timestamp, status, winner, participation, manual and calculated, newest first (U1)."""
    said("snapshot", "take", store, "-d", _GREEN, "--supersede")
    told = said("snapshot", "list", store)
    rows = [line for line in told.splitlines() if _GREEN in line]
    assert "36/40 (90.0%)" in rows[0]
    assert "superseded" not in rows[0]
    assert len(json.loads(said("snapshot", "list", store, "--json"))) == 2
    assert "There is no snapshot." in said("snapshot", "list", store, "-d", _OPEN)


def test_verifying_certifies_or_names_the_file(store: Path) -> None:
    """All is well: exit code 0. A byte that differs: the file, and exit code 4."""
    assert "certified" in said("snapshot", "verify", store)
    assert json.loads(said("snapshot", "verify", store, "--json"))["certified"] is True
    path = max((store / "snapshots" / "objects").rglob("*.parquet"), key=lambda each: each.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    told = said("snapshot", "verify", store, code=4)
    assert "not certified" in told
    assert path.name[:20] in "".join(told.split())
    assert "corrupted" in said("snapshot", "validate", store, code=4)
    assert "degraded" in said("snapshot", "health", store, code=4)
    assert "cannot be recounted" in said("recompute", store, "--all", "--out", store.parent / "r.csv", code=4)


def test_a_healthy_store_says_so(store: Path) -> None:
    """Nothing is failed, corrupted, stuck or without its final, and nothing is to be tried again."""
    assert "library-hours: closed, and without" in said("snapshot", "health", store, code=4)
    said("snapshot", "recover", store)
    assert "healthy" in said("snapshot", "health", store)
    assert json.loads(said("snapshot", "health", store, "--json"))["unresolved"] == []
    number = len(list_snapshots(Store.open(store)))
    assert f"{number} of {number} snapshots are as they were" in said("snapshot", "validate", store)
    assert "nothing to try again" in said("snapshot", "recover", store)


def test_the_document_keeps_to_its_schema(store: Path) -> None:
    """What is printed for programs is one document, of the snapshot that was asked for (S9)."""
    written = json.loads(said("snapshot", "show", store, "--json"))
    jsonschema.validate(written, snapshots.document_schema())
    row = list_snapshots(Store.open(store)).row(0, named=True)
    assert written["snapshot_id"] == row["snapshot_id"]
    assert written["tally_result"]["winner"] == row["winner"]
    assert len(written["calculated_ballots"]) == 18


def test_a_document_says_nothing_else_than_what_is_stored(store: Path, monkeypatch) -> None:
    """Where a recount gives another result, there is no document."""
    monkeypatch.setattr("crowdvote_analysis.snapshots.shown.staged_tables", _with_other_stars)
    done = crowdvote("snapshot", "show", store, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "a recount gives another result than was stored" in done.stderr


def _with_other_stars(*asked: object) -> dict[str, pl.DataFrame]:
    staged = calculation.staged_tables(*asked)  # type: ignore[arg-type]
    return {**staged, "resolved_stars": staged["resolved_stars"].head(5)}


def test_an_auditor_can_follow_the_hashes_by_hand(store: Path, tmp_path: Path) -> None:
    """The files of an export hash to what was published, and counting them gives the published winner (P1)."""
    row = json.loads(said("snapshot", "show", store, "--json"))
    said("snapshot", "export", store, "latest", "--out", tmp_path / "audit")
    folder = tmp_path / "audit" / row["snapshot_id"]
    for part, name in (("inputs", "public_hash"), ("result", "public_result_hash")):
        listing = (folder / part / "SHA256SUMS").read_bytes()
        assert hashlib.sha256(listing).hexdigest() == row[name]
        for line in listing.decode().splitlines():
            digest, file = line.split("  ")
            assert hashlib.sha256((folder / part / file).read_bytes()).hexdigest() == digest
    counted = json.loads(said("count", folder / "inputs", "--json"))["decisions"][0]
    assert counted["tally"] == json.loads((folder / "result" / "tally.json").read_text())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_all_snapshots_are_exported_over_time(store: Path, tmp_path: Path, kind: str) -> None:
    """One row a snapshot, one row a number, and every frozen table on request."""
    said("snapshot", "take", store, "-d", _GREEN, "--supersede")
    said("snapshot", "export", store, "--out", tmp_path / "out", "--format", kind, "--everything")
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    frames = {path.stem: read(path) for path in (tmp_path / "out").iterdir()}
    assert len(frames["snapshots"]) == 2
    timeline = frames["timeline"]
    winners = timeline.filter(measure="winner", kind="decision")
    assert winners["text"].to_list() == ["meadow", "meadow"]
    assert winners["is_current"].to_list() == [False, True]
    weights = timeline.filter(measure="weight").group_by("snapshot_id").agg(pl.col("value").cast(float).sum())
    assert [round(value, 6) for value in weights["value"]] == [35, 35]
    blank = timeline.filter(measure="blank", subject="meadow", is_current=True)
    assert [float(value) for value in blank["value"]] == [2]  # K10
    assert frames["resolved_ballots"]["snapshot_id"].n_unique() == 2
    assert len(frames["votes"]) == 2 * len(frames["votes"].filter(snapshot_id=frames["snapshots"]["snapshot_id"][0]))


def test_snapshots_can_be_asked_beside_the_tables(store: Path) -> None:
    """Results of snapshots stand in SQL next to what they were made from, also as of an instant before them."""
    asked = "SELECT s.winner, d.title FROM snapshots s JOIN decisions d USING (decision_id)"
    assert json.loads(said("query", asked, "-f", store, "--json")) == [
        {"winner": "meadow", "title": "What should become of the village green?"}
    ]
    assert json.loads(said("query", asked, "-f", store, "--as-of", "2026-01-01", "--json")) == []
    count = "SELECT count(*)::INT AS n, count(DISTINCT measure)::INT AS m FROM timeline WHERE kind = 'member'"
    assert json.loads(said("query", count, "-f", store, "--json")) == [{"n": 60, "m": 3}]
    columns = {row["column_name"] for row in json.loads(said("query", "DESCRIBE snapshots", "-f", store, "--json"))}
    assert "public_hash" in columns
    assert not columns & set(snapshots.INTERNAL)


def test_history_is_counted_again(store: Path, tmp_path: Path) -> None:
    """The report says certified, and a run that was interrupted goes on."""
    report = tmp_path / "report.csv"
    assert "1 certified" in said("recompute", store, "--all", "--out", report)
    assert pl.read_csv(report)["verdict"].to_list() == ["certified"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".report")] == []
    rows = json.loads(said("recompute", store, "--as-of", "2027-01-01", "--out", report, "--json"))
    assert {row["verdict"] for row in rows} == {"counted"}
    assert len(rows) == 12
    assert crowdvote("recompute", store, "--out", report).returncode == 2
    assert crowdvote("recompute", store, "--all", "--out", tmp_path / "report.txt").returncode == 2


def test_an_interrupted_report_goes_on(store: Path, tmp_path: Path, monkeypatch) -> None:
    """Parts that are there are kept, and those of another question are not mixed in."""
    for _ in range(2):
        said("snapshot", "take", store, "-d", _GREEN, "--supersede")
    real = snapshots.recompute
    counted: list[int] = []

    def interrupted(*arguments, **options):
        for part in real(*arguments, **options | {"workers": 1}):
            counted.append(len(part))
            yield part
            raise KeyboardInterrupt

    monkeypatch.setattr("crowdvote_analysis.snapshots.recounts._BATCH", 1)
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "recompute", interrupted)
        assert crowdvote("recompute", store, "--all", "--out", tmp_path / "r.csv").returncode == 130
    done = crowdvote("recompute", store, "--all", "--out", tmp_path / "r.csv", "--workers", "1")
    assert "1 snapshots are in" in done.stderr
    assert pl.read_csv(tmp_path / "r.csv")["verdict"].to_list() == ["certified"] * 3


def test_closing_takes_the_final_snapshot(store: Path) -> None:
    """Whoever closes a decision gets its final result at once (S3)."""
    members = Store.open(store).state().members.filter(~pl.col("is_anonymous"), community_id="riverside")["member_id"]
    said("record", "create", store, "-c", "riverside", "-d", "hedge", "--choice", "tall", "--choice", "low")
    said("record", "publish", store, "-d", "hedge")
    said("record", "cast", store, "-d", "hedge", "-m", members[0], "--stars", "tall=2", "--stars", "low=4.5")
    done = crowdvote("record", "close", store, "-d", "hedge")
    assert done.returncode == 0
    assert "Final snapshot" in done.stderr
    row = list_snapshots(Store.open(store), "hedge").row(0, named=True)
    assert (row["is_final"], row["trigger"], row["winner"]) == (True, "decision closed", "low")


def test_anonymous_members_are_in_nothing_that_is_printed_or_exported(store: Path, tmp_path: Path) -> None:
    """No id and no name of anybody anonymous leaves the system through snapshots (P1)."""
    members = cv.SystemState.read(demo_folder()).members.filter("is_anonymous")
    secrets = {text.lower() for name in ("member_id", "display_name") for text in members[name]}
    for decision in ("village-green", "bicycle-lanes"):
        crowdvote("snapshot", "take", store, "-d", decision, "--supersede")
    said("snapshot", "export", store, "--out", tmp_path / "all", "--format", "csv", "--everything")
    said("snapshot", "export", store, "latest", "--out", tmp_path / "one")
    files = [path for part in ("all", "one") for path in (tmp_path / part).rglob("*") if path.is_file()]
    texts = [path.read_text() for path in files]
    for command in ("list", "show", "verify", "validate", "health"):
        texts += [crowdvote("snapshot", command, store, *as_json).stdout for as_json in ((), ("--json",))]
    words = {word for text in texts for word in re.findall(r"[\w-]+", text.lower())}
    assert len(texts) > 20
    assert "anonymous" in words
    assert not words & {secret for secret in secrets if " " not in secret}
    assert not [secret for secret in secrets for text in texts if " " in secret and secret in text.lower()]


def test_what_is_wrong_is_told_in_words(store: Path, tmp_path: Path) -> None:
    """Unknown snapshots, decisions and stores, and options that do not go together."""
    for arguments, words in [
        (("snapshot", "show", store, "x"), "here is no snapshot 'x'"),
        (("snapshot", "take", store, "-d", "lake"), "decision 'lake' is not in the store"),
        (("snapshot", "list", tmp_path / "nowhere"), "nowhere"),
    ]:
        done = crowdvote(*arguments)
        assert done.returncode == 1
        assert words in done.stderr
    both = crowdvote("snapshot", "export", store, "latest", "--everything", "--out", tmp_path)
    assert both.returncode == 2
    order = crowdvote("snapshot", "take", store, "-d", _GREEN, "--tie-order", "other: a, b")
    assert order.returncode == 2


def test_a_failure_is_shown_with_its_trace_and_one_is_recovered_or_marked(store: Path, monkeypatch) -> None:
    """Where in the program, how often, how long; ``recover`` and ``mark`` name one snapshot."""
    folder = store
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "resolve_snapshot", lambda *_: 1 / 0)
        assert crowdvote("snapshot", "take", folder, "-d", _OPEN).returncode == 1
    shown = crowdvote("snapshot", "show", folder, list_snapshots(Store.open(folder))["snapshot_id"][0]).stdout
    assert "unexpected ZeroDivisionError" in shown
    assert "lifecycle.py" in shown
    assert "Tries" in shown
    assert "Duration" in shown
    name = list_snapshots(Store.open(folder))["snapshot_id"][0]
    assert crowdvote("snapshot", "recover", folder, name, "--cooling", 0).returncode == 0
    refused = crowdvote("snapshot", "mark", folder, name, "--reason", " ")
    assert refused.returncode == 1
    assert "A reason is needed" in refused.stderr
    assert crowdvote("snapshot", "mark", folder, name, "--reason", "of a copy").returncode == 0
    assert crowdvote("snapshot", "validate", folder).returncode == 4  # its files are right, and it stays marked
    assert "marked by hand: of a copy" in " ".join(crowdvote("snapshot", "show", folder, name).stdout.split())
