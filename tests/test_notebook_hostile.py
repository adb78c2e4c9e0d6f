"""Texts of members stay texts on every page, whatever they look like to Markdown, HTML or marimo."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import pytest

from crowdvote_analysis import charts
from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.pages import layout
from crowdvote_analysis.pages.layout import Opening
from crowdvote_analysis.snapshots import take_snapshot
from crowdvote_analysis.store import Store, import_state
from tests.hostile import ELSEWHERE, TEXTS, hostile_state

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
PAGES = sorted((ROOT / "crowdvote_analysis" / "pages").glob("*.py"))
# What none of the pages needs, and only a text that was read as markup could bring along.
_NEVER = {
    "img",
    "script",
    "iframe",
    "code",
    "pre",
    "kbd",
    "mark",
    "del",
    "marimo-tex",
    "iconify-icon",
    "form",
    "object",
}
# Attributes of marimo's own elements in which it expects HTML.
_HTML = {"data-label", "data-labels", "data-html"}


class Live(HTMLParser):
    """Finds in HTML what would do something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if tag in _NEVER or (tag == "h1" and "style" not in known):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or (
                name in ("href", "src")
                and not (value or "").startswith(("../", "?", "#", "data:text/csv", "data:application"))
            ):
                self.found.append(f"{name}={value}")
            if tag.startswith("marimo-") and name in _HTML and value is not None:
                self.read(json.loads(value))
            elif tag == "marimo-table" and name == "data-data":
                rows = json.loads(json.loads(value)) if value.startswith('"[') else json.loads(value)
                self.cells(rows)

    def handle_data(self, data):
        self.texts.append(data)

    def read(self, value):
        for html in value if isinstance(value, list) else [value]:
            inner = live_in(html or "")
            self.found += inner.found
            self.texts += inner.texts

    def cells(self, rows):
        """Strings are read as Markdown, links or JSON in cells of tables; only HTML that is a text is one."""
        assert isinstance(rows, list)
        assert rows
        for row in rows:
            for name, cell in row.items():
                if name == "_marimo_row_id":
                    continue
                if isinstance(cell, dict) and set(cell) == {"mimetype", "data"} and cell["mimetype"] == "text/html":
                    self.read(cell["data"])
                else:
                    self.found.append(f"cell {name}: {cell!r}")


def live_in(html: str) -> Live:
    parser = Live()
    parser.feed(html)
    parser.close()
    return parser


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("hostile") / "store")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        import_state(store, hostile_state())
    take_snapshot(store, TEXTS[0])
    return str(store.location.url)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_no_text_of_members_is_live_on_a_page(notebook, place):
    """No image, link, script, heading, formula or icon comes of a title, name, tag, description or id."""
    spec = importlib.util.spec_from_file_location(f"{notebook.stem}_hostile", notebook)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    named = "place" if notebook.stem in ("decision", "snapshot") else "folder"
    defs = {} if notebook.stem == "tutorial" else {named: SimpleNamespace(value=place, text="")}
    defs |= {"opened": Opening({"member": TEXTS[8]}, {}, tuple(layout.PAGES))} if defs else {}
    outputs, known = module.app.run(defs=defs)
    html = "".join(mo.as_html(output).text for output in outputs if output is not None)
    html += "".join(tree.text for tree in known.get("trees") or ())
    page = live_in(re.sub(r"<code>[0-9a-f]{64}</code>", "", html))  # hashes are written as code
    assert page.found == []
    assert notebook.stem == "tutorial" or any(ELSEWHERE in text for text in page.texts)


@pytest.mark.parametrize("text", TEXTS)
def test_a_label_stays_the_text_it_is(text):
    """Nothing of it is markup, and all of it is there."""
    page = live_in(mo.ui.slider(0, 5, label=layout.plain(text)).text)
    assert page.found == []
    assert "".join(page.texts).strip() == " ".join(text.split())


def test_what_is_searched_for_would_be_found():
    """The same texts as labels and cells, not made plain."""
    found = {mark for text in TEXTS for mark in live_in(mo.ui.slider(0, 5, label=text).text).found}
    assert {
        "<img>",
        "<code>",
        "<marimo-tex>",
        "<kbd>",
        "<iconify-icon>",
        "<script>",
        "onerror=window.hacked=1",
    } <= found


def _labels(tree: ast.AST):
    """Whatever is handed to marimo where it reads Markdown."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("mo."):
            continue
        name = ast.unparse(call.func)
        yield from (word.value for word in call.keywords if word.arg == "label")
        if name in ("mo.accordion", "mo.ui.tabs"):
            yield from call.args[0].keys
        if name in ("mo.md", "mo.callout", "mo.ui.table", "mo.mermaid", "mo.nav_menu", "mo.sidebar", "mo.carousel"):
            yield from call.args[:1]


@pytest.mark.parametrize("file", [*NOTEBOOKS, *PAGES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_marimo_reads_as_markdown_is_written_here_or_made_plain(file):
    """A label is a constant or goes through ``layout.plain``; what stands in boxes is HTML of our own."""
    own = ("layout.plain(", "plain(", "mo.Html(", "layout.line(", "rows")
    doubtful = [
        ast.unparse(label)
        for label in _labels(ast.parse(file.read_text("utf-8")))
        if not isinstance(label, ast.Constant) and not ast.unparse(label).startswith(own)
    ]
    assert doubtful == []


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_charts_name_no_field_by_a_text_of_members_and_fetch_nothing():
    """Titles are data, or strings of JSON in an expression: never fields, links, pictures or parts of expressions."""
    import crowdvote_analysis as cv
    from crowdvote_analysis import power
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.what_if import WithdrawBallot, what_if

    state = hostile_state()
    resolution, names, decision = cv.resolve(state, [TEXTS[0]]), public_names(state), TEXTS[0]
    tally = cv.tally_star(resolution, decision, on_tie="return")
    found = power.neighbourhood(state, resolution, decision, TEXTS[6], steps=2, most=8)
    drawn = [
        charts.score_chart(tally.scores, finalists=tally.finalists, winner=tally.winner),
        charts.steps_chart(charts.step_rows(tally)),
        charts.influence_chart(charts.influence_rows(resolution.ballots, names)),
        charts.share_chart(charts.share_rows(resolution.score_shares, tally.scores, names)),
        charts.tag_chart(charts.tag_rows(power.tag_power(resolution, decision))),
        charts.network_chart(charts.drawing_of(found, names)),
        charts.change_chart(charts.change_rows(what_if(state, resolution, decision, [WithdrawBallot(TEXTS[1])]))),
        charts.progress_chart(charts.progress_parts(cv.decide(state))),
    ]
    for chart in drawn:
        spec = chart.to_dict()
        spec.pop("datasets", None)
        for key, value in _everything(spec):
            assert key not in ("href", "url", "image")
            if key in ("field", "shorthand", "filter", "calculate", "as") or (
                key == "title" and isinstance(value, str)
            ):
                assert ELSEWHERE not in str(value)
            if key == "labelExpr" and ELSEWHERE in value:
                assert value.count(ELSEWHERE) == _in_strings(value)


def _everything(spec, key=""):
    if isinstance(spec, dict):
        for name, value in spec.items():
            yield name, value
            yield from _everything(value, name)
    elif isinstance(spec, list):
        for value in spec:
            yield from _everything(value, key)


def _in_strings(expression: str) -> int:
    """How often the host stands inside lists of strings, as JSON writes them."""
    number, decoder, at = 0, json.JSONDecoder(), 0
    while (at := expression.find("[", at)) >= 0:
        try:
            value, end = decoder.raw_decode(expression, at)
        except ValueError:
            at += 1
            continue
        number += sum(str(text).count(ELSEWHERE) for text in value)
        at = end
    return number
