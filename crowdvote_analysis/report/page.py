"""The page: what came out, how, from whose ballots, and how to check it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from crowdvote_analysis import __version__
from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.explanation.loops import rule_for_loops
from crowdvote_analysis.html import Html, document, element, joined
from crowdvote_analysis.pages import blanks, ties
from crowdvote_analysis.pages import words as told
from crowdvote_analysis.report import pictures
from crowdvote_analysis.report.ballots import Ballots
from crowdvote_analysis.report.contents import read_contents

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from crowdvote_analysis.report.contents import Contents
    from crowdvote_analysis.store.store import Store

# Rows of a list by default; and up to how many it stands open.
ROWS, _OPEN = 300, 20

# The page asks nobody for anything: whoever opens it can see that in its first lines, and the browser sees to it.
_ALONE = element(
    "meta",
    http_equiv="Content-Security-Policy",
    content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
)
_HASHES = {"Public hash (of what went in)": "public_hash", "Result hash (of what came out)": "public_result_hash"}


def report_page(store: Store, name: str = "latest", *, rows: int = ROWS) -> str:
    """Write one snapshot as a page that needs nothing beside it: HTML with its style and drawings, without scripts.

    Members stand under public ids and names (P1).

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.
        rows: Members that each list names at most.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: It has no result, is not what it was, or its ballots give another tally than was stored.
    """
    found = read_contents(store, name)
    title = found.decision["title"] or found.row["decision_id"]
    style = files("crowdvote_analysis.report").joinpath("style.css").read_text("utf-8")
    main = element(
        "main",
        _head(found, title),
        _outcome(found),
        _participation(found),
        *_tally(found),
        _influence(found),
        *_ballots(Ballots(found, rows), found),
        _checks(found),
    )
    return document(f"{title}: the result", style, main, head=_ALONE)


def write_report(store: Store, name: str, path: Path, *, rows: int = ROWS) -> int:
    """Write a report to a file; an older one is replaced at once or not at all.

    Args:
        store: The store.
        name: The snapshot, as for ``report_page``.
        path: The file.
        rows: Members that each list names at most.

    Returns:
        Its size in bytes.

    Raises:
        UnreadableFileError: It cannot be written there.
        UnknownSnapshotError, SnapshotError: As ``report_page``.
    """
    written = report_page(store, name, rows=rows).encode()
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(written)
        beside.replace(path)
    except OSError as error:
        raise UnreadableFileError(f"{path}: cannot be written ({error.strerror}).") from error
    return len(written)


def _head(found: Contents, title: str) -> Html:
    row = found.row
    final = "final result" if row["is_final"] else "interim result: the decision is still open"
    when = told.voting_time(found.decision, row["timestamp"])
    badge = element("span", "FINAL" if row["is_final"] else "Interim", class_="final" if row["is_final"] else "interim")
    taken = f" {row['timestamp'].day} {row['timestamp']:%B %Y, %H:%M:%S} (UTC) · {final} · {when}"
    described = found.decision["description"]
    late = f"Superseded: snapshot {row['superseded_by']} was taken later and stands in its place."
    return element(
        "header",
        element("p", found.community, class_="dim"),
        element("h1", title),
        element("p", described) if described else None,
        element("p", badge, taken, class_="dim"),
        element("div", element("p", late), class_="callout warn") if row["superseded_by"] else None,
    )


def _outcome(found: Contents) -> Html:
    if found.tally is None:
        said = told.Headline("warn", "Nothing to tally", ("No voter has a ballot with stars.",))
    else:
        stats = found.public.tables["stats"].row(0, named=True)
        said = told.headline(found.tally, found.safety, stats=stats, is_open=not found.row["is_final"])
    sentences = (element("p", sentence) for sentence in said.sentences)
    return element("div", element("p", element("strong", said.title)), *sentences, class_=f"callout {said.kind}")


def _section(title: str, words: str | None, *parts: Html | None) -> Html:
    return element("section", element("h2", title), element("p", words, class_="dim") if words else None, *parts)


def _participation(found: Contents) -> Html:
    figures = [
        element("div", element("b", number), element("span", words))
        for number, words in told.figures(found.public.tables["stats"])
    ]
    loops = element("p", " ".join(_loops(found))) if found.row["circular_prevented"] else None
    drawn = element("div", *figures, class_="figures"), pictures.participation(found)
    return _section("Who took part", None, *drawn, loops)


def _loops(found: Contents) -> tuple[str, ...]:
    """What became of the loops; where that was not worked out, what the rule for them means."""
    rule = rule_for_loops(found.row["cycle_rule"])
    return found.loops or (f"{rule[:1].upper()}{rule[1:]}.",)


def _tally(found: Contents) -> list[Html]:
    tally = found.tally
    if tally is None:
        return []
    runoff = pictures.runoff(found)
    none = f"No runoff: the {'score phase is tied' if tally.tie else 'choice is the only one'}."
    prefers = "Each ballot counts for the finalist it gives more stars. The mark is half of those that prefer one."
    tie = ties.tie_rows(tally)
    bars = pictures.steps(found)
    tied = ties.tie_words(tally)
    return [
        _section(
            "Score phase",
            "Every ballot gives each choice 0 to 5 stars; the two choices with the most meet in the runoff.",
            *pictures.scores(found),
            *_blanks(found),
        ),
        _section("Runoff", prefers, runoff) if runoff else _section("Runoff", none),
        *([_section("The tie, step by step", tied, _table(tie))] if len(tie) else []),
        _section(
            "Every step of the count",
            None,
            element("ol", *(element("li", line) for line in tally.log)),
            _folded("The same as bars", bars) if bars else None,
        ),
    ]


def _blanks(found: Contents) -> list[Html]:
    """What was left blank (K10)."""
    if found.scores is None:
        return []
    rows = blanks.blank_rows(found.scores)
    said = element("p", blanks.blank_words(found.scores), class_="dim")
    if len(rows) <= pictures.MOST_BARS:
        return [said, *([_table(rows)] if len(rows) else [])]
    return [_folded(f"What was left blank, choice by choice: {len(rows):,}", said, _table(rows))]


def _table(rows: pl.DataFrame) -> Html:
    table = element(
        "table",
        element("thead", element("tr", *(element("th", name) for name in rows.columns))),
        element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in rows.iter_rows())),
    )
    return element("div", table, class_="scroll")


def _influence(found: Contents) -> Html:
    words = (
        "Weight: the number of tallied ballots that come down to this one, once every calculated ballot is traced "
        "back. Direct: members who inherit from it; in all: at any depth."
    )
    if not found.staged.ballots.filter(origin="manual")["is_voter"].all():
        words += f" {told.LOBBYISTS}"
    drawn = pictures.influence(found)
    nobody = "No ballot cast by hand carries any weight here."
    return _section("Whose ballots carry the result", words if drawn else nobody, drawn)


def _ballots(ballots: Ballots, found: Contents) -> list[Html]:
    average = (
        "A calculated ballot is the plain average of the ballots it inherits, choice by choice. A name leads to that "
        "member's own ballot."
    )
    if found.row["circular_prevented"] and found.row["cycle_rule"] != "equilibrium":
        average += (
            " Where a loop is walked, its members each follow it until it would come back to themselves, so what one "
            "of them hands on there can differ from their own ballot; crowdvote explain shows every step."
        )
    lists = {
        "manual": ("Ballots cast by hand", "Most weight first.", ballots.manual),
        "calculated": ("Calculated ballots", average, ballots.calculated),
        "none": ("No ballot", "Who has none, and what became of those they follow.", ballots.without),
    }
    shown = [
        _folded(
            f"{title}: {ballots.number(origin):,}",
            element("p", words, class_="dim"),
            write(),
            open_=ballots.number(origin) <= _OPEN,
        )
        for origin, (title, words, write) in lists.items()
        if ballots.number(origin)
    ]
    rounded = (
        "Stars are rounded to two places here, and exact in the exported files. Blank: the ballot has no stars there."
    )
    return [_section("Everyone's ballot", rounded, *shown)]


def _checks(found: Contents) -> Html:
    row = found.row
    known = {
        "Snapshot": row["snapshot_id"],
        "Decision": row["decision_id"],
        "Rules": f"loops by “{row['cycle_rule']}”, ties by “{row['protocol']}”",
        "Counted by": f"crowdvote-analysis {row['engine']}; this page by {__version__}",
        **{name: row[column] for name, column in _HASHES.items()},
    }
    facts = element("dl", *(joined(element("dt", name), element("dd", value)) for name, value in known.items()))
    name = row["snapshot_id"]
    export = f"crowdvote snapshot export STORE {name} --out audit"
    inputs = "cd audit/*/inputs && sha256sum -c SHA256SUMS && sha256sum SHA256SUMS"
    result = "cd ../result && sha256sum -c SHA256SUMS && sha256sum SHA256SUMS"
    steps = (
        (
            "Get the files of this snapshot, with every ballot and every following, from whoever runs the community:",
            export,
        ),
        ("Are these the files? The last line has to begin with the public hash:", inputs),
        ("And with the result hash:", result),
        ("Does it come out again, from the files alone?", "crowdvote count audit/*/inputs"),
        ("Is it what the store holds? For whoever may read it:", f"crowdvote snapshot verify STORE {name}"),
    )
    listed = (element("li", words, element("pre", command)) for words, command in steps)
    words = (
        "This page only shows a snapshot; whoever doubts it counts again. Two hashes stand for everything that was "
        "frozen and everything that came out: change one star, and they change. Anonymous members stand under "
        "pseudonyms here and in the files, with the same numbers."
    )
    return _section("How to check it", words, facts, element("ol", *listed))


def _folded(title: str, *parts: Html | None, open_: bool = False) -> Html:
    return element("details", element("summary", title), *parts, open=open_)
