"""A snapshot as one page: what it says, what it never says, and that it needs nothing beside it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis import SystemState, snapshots, tables
from crowdvote_analysis.errors import SnapshotError, UnknownSnapshotError, UnreadableFileError
from crowdvote_analysis.report import report_page, write_report
from crowdvote_analysis.snapshots import list_snapshots, take_snapshot
from crowdvote_analysis.store import Store
from tests.command import crowdvote
from tests.snapshots.garden import votes

pytestmark = pytest.mark.slow

NASTY = "<script>alert('pond & roof')</script>"
SECRETS = ("Nora", "nora-77", "Gardener")


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two snapshots: a loop, an anonymous voter, a lobbyist, markup in every text; and a tie."""
    people = ["Kelly", "Maya", "Olivia", "Jack", "nora-77", "Rita", "Umar", "Guild"]
    state = SystemState(
        members=pl.DataFrame(
            {
                "member_id": people,
                "display_name": ["Kelly <b>", "Maya", "Olivia", "Jack", "Nora the Gardener", "Rita", "Umar", "Guild"],
                "is_anonymous": [name == "nora-77" for name in people],
                "is_voter": [name != "Guild" for name in people],
            }
        ),
        followings=pl.DataFrame(
            {
                "follower_id": ["Maya", "Olivia", "Olivia", "Jack", "Umar"],
                "followee_id": ["Olivia", "Maya", "Kelly", "nora-77", "Rita"],
                "tags": [[], [], ["trees"], ["budget"], []],
            },
            schema_overrides={"tags": pl.List(pl.String)},
        ),
        decisions=pl.DataFrame({"decision_id": ["pond", "bench"], "method": "star", "title": [NASTY, "Bench"]}),
        choices=pl.DataFrame(
            {
                "decision_id": ["pond", "pond", "bench", "bench"],
                "choice_id": ["Lilies", "Fish", "Oak", "Ash"],
                "title": ["<i>Lilies", "Fish", "Oak", "Ash"],
            }
        ),
        ballots=pl.DataFrame(
            {
                "decision_id": ["pond"] * 4 + ["bench"] * 2,
                "member_id": ["Kelly", "nora-77", "Rita", "Guild", "Kelly", "Jack"],
                "tags": [["trees"], ["budget"], ["trees"], ["<u>tag"], [], []],
            }
        ),
        votes=pl.concat(
            [
                votes("Kelly", {"Lilies": "5", "Fish": "1"}),
                votes("nora-77", {"Lilies": "2.12345678", "Fish": "4"}),
                votes("Guild", {"Lilies": "3", "Fish": "3"}),
                *(
                    votes(who, stars).with_columns(decision_id=pl.lit("bench"))
                    for who, stars in (("Kelly", {"Oak": "4", "Ash": "2"}), ("Jack", {"Oak": "2", "Ash": "4"}))
                ),
            ]
        ),
    )
    folder = tmp_path_factory.mktemp("report") / "garden"
    store = Store.create(folder)
    store.commit("import", lambda _cut, _at: {name: getattr(state, name) for name in tables.TABLES})
    for decision in ("bench", "pond"):
        take_snapshot(store, decision)
    return folder


@pytest.fixture(scope="module")
def pond(garden: Path) -> str:
    """The report about the pond."""
    return report_page(Store.open(garden), "latest")


class _Tags(HTMLParser):
    """Elements, and the text beside them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href") and value]
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said))


def test_the_page_says_who_won_and_why(pond: str, garden: Path) -> None:
    """Winner, figures, every step and both published hashes are there, and no other hash."""
    text, row = _Tags(pond).text, list_snapshots(Store.open(garden), "pond").row(0, named=True)
    stored = snapshots.read_result(Store.open(garden), row["snapshot_id"])
    for line in stored.tally["log"]:
        assert line in text
    assert "6 of 7" in text
    assert "Every ballot that is tallied rates every choice." in text  # K10
    assert "Interim" in text
    for name in ("public_hash", "public_result_hash", "snapshot_id"):
        assert row[name] in text
    for name in snapshots.INTERNAL:
        assert row[name] not in pond


def test_every_ballot_is_there_with_its_sources(pond: str) -> None:
    """By hand, calculated and none: whose, from whom, and why not."""
    text = _Tags(pond).text
    assert "Ballots cast by hand: 4" in text
    assert "Calculated ballots: 3" in text
    assert "No ballot: 1" in text
    jack = re.search(r"<tr[^>]*><th[^>]*>Jack.*?</tr>", pond)
    assert jack is not None
    assert "Anonymous 1</a> on budget" in jack[0]
    assert 'title="2.12345678">2.12<' in jack[0]
    umar = re.search(r"<tr[^>]*><th[^>]*>Umar.*?</tr>", pond)
    assert umar is not None
    assert "has no ballot" in umar[0]
    for note in (
        "inside a loop",
        "A lobbyist may be followed, and has no vote",
        "lobbyist, not tallied",
        "no stars, so it counts as no ballot",
    ):
        assert note in text


def test_no_anonymous_member_is_named(garden: Path) -> None:
    """Neither id nor name of an anonymous member is in a report, whatever is drawn or linked (P1)."""
    store = Store.open(garden)
    for snapshot in list_snapshots(store)["snapshot_id"]:
        page = report_page(store, snapshot)
        for secret in SECRETS:
            assert secret.lower() not in page.lower()
        assert "Anonymous 1" in page


def test_texts_never_become_markup(pond: str) -> None:
    """Titles, names and tags stand there as they were written."""
    tags = _Tags(pond)
    assert NASTY in tags.text
    for text in ("Kelly <b>", "<i>Lilies", "<u>tag"):
        assert text in tags.text
    assert tags.names.isdisjoint({"script", "i>lilies", "b>", "u"})


def test_the_page_needs_nothing_beside_it(pond: str) -> None:
    """There is no script, no address of anybody, and every link leads to a row of the page."""
    tags = _Tags(pond)
    assert "://" not in pond
    assert tags.names.isdisjoint({"script", "iframe", "img", "link", "object", "base", "form"})
    assert tags.links
    assert {link.removeprefix("#") for link in tags.links} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))
    drawn = set(re.findall(r"url\(#([^)]+)\)", pond))
    assert drawn
    assert drawn <= set(tags.ids)


def test_long_lists_are_cut_and_say_so(garden: Path) -> None:
    """Each list names so many members, tells how many there are, and where all of them can be had."""
    page = _Tags(report_page(Store.open(garden), "latest", rows=2))
    assert "Ballots cast by hand: 4" in page.text
    assert page.text.count("2 of 4 are listed. All: the exported files, as described below.") == 1
    assert "2 of 3 are listed." in page.text
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_a_tie_is_told_step_by_step(garden: Path) -> None:
    """What is left to the community manager is said in words, with every step that stayed level."""
    store = Store.open(garden)
    text = _Tags(report_page(store, list_snapshots(store, "bench")["snapshot_id"][0])).text
    assert "No winner so far: an unresolved tie" in text
    assert "The tie, step by step" in text


def test_the_same_snapshot_gives_the_same_page(garden: Path, pond: str) -> None:
    """A page can be compared byte by byte."""
    assert report_page(Store.open(garden), "latest") == pond


def test_the_command_writes_the_page(garden: Path, tmp_path: Path, pond: str) -> None:
    """The command gives the same page, and says how large it is."""
    done = crowdvote("report", garden, "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").read_text("utf-8") == pond
    assert "KiB" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_cannot_be_written_is_said_in_words(garden: Path, tmp_path: Path) -> None:
    """A snapshot that is not there, a folder that is not there, and ballots that were changed."""
    store = Store.open(garden)
    with pytest.raises(UnknownSnapshotError, match="here is no snapshot 'x'"):
        report_page(store, "x")
    with pytest.raises(UnreadableFileError, match="cannot be written"):
        write_report(store, "latest", tmp_path / "nowhere" / "page.html")


def test_a_tally_that_does_not_fit_its_ballots_is_refused(garden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is made only if the stored ballots give the stored tally."""
    real = snapshots.read_result

    def other(store: Store, name: str) -> object:
        result = real(store, name)
        return type(result)(result.tables, {**result.tally, "winner": "Fish"})

    monkeypatch.setattr("crowdvote_analysis.report.contents.read_result", other)
    with pytest.raises(SnapshotError, match="give another tally than was stored"):
        report_page(Store.open(garden), "latest")
