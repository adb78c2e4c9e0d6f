"""What all pages share: how they were opened, their links to each other, and the parts they are laid out in.

It is for notebooks, and the only module of the pages that needs marimo.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from io import BytesIO
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import marimo as mo

from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.confinement import only_place
from crowdvote_analysis.pages import choosing, html_rows
from crowdvote_analysis.pages.words import cell_formats, read_noting
from crowdvote_analysis.patience import patience
from crowdvote_analysis.store.export import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import polars as pl

    from crowdvote_analysis.pages.words import Headline
    from crowdvote_analysis.serving.waiting import Waiting
    from crowdvote_analysis.state import SystemState

Result = TypeVar("Result")

# The pages as they link to each other, in the order in which somebody new would read them.
PAGES = {
    "count": "The count",
    "decision": "Over time",
    "snapshot": "One snapshot",
    "influence": "Who decided",
    "what_if": "What if",
    "yes_no": "Yes/no votes",
    "tutorial": "How a count works",
}
_INVITING = {"tutorial": "New here? "}
# Names that an address, or a command line, has for the folder or store of a page.
_PLACES = ("folder", "store")
_ONE_LINE = 50  # characters of a cell of a table


@dataclass(frozen=True)
class Fixed:
    """The place of a page that offers no other one.

    Attributes:
        value: A folder or URL.
    """

    value: str


@dataclass(frozen=True)
class Opening:
    """How a page was opened.

    Attributes:
        asked: What the address and the command line ask for, by name; texts.
        link: What the address says of the place, which belongs into links to other pages as well; nothing on pages
            that are served to others, whose place is nobody's business.
        pages: The pages that are served beside this one; none where it is alone.
        is_manager: Whether whoever looks may have a decision counted again (E4).
        seen, managed: The communities they may look at, and those they manage if they are a manager; ``None`` for all.
        recalculate: Asks the server to do that, where it wants to be asked.
        waiting: Lets whoever waits for a calculation give it up, where the server has a way for that.
    """

    asked: Mapping[str, str]
    link: Mapping[str, str]
    pages: Sequence[str] = ()
    is_manager: bool = False
    seen: Collection[str] | None = None
    managed: Collection[str] | None = None
    recalculate: Callable[[str], Any] | None = None
    waiting: Waiting | None = None

    @property
    def place(self) -> str:
        """The folder or store that is asked for, empty for the demo."""
        return next((self.asked[name] for name in _PLACES if self.asked.get(name)), "")

    def manages(self, community_id: str) -> bool:
        """Whether whoever looks may have decisions of a community counted again (E4)."""
        return self.is_manager and (self.managed is None or community_id in self.managed)

    def read(self, place: str) -> tuple[SystemState, list[str]]:
        """Read a folder or store, or the demo, as far as whoever looks may see it; see ``words.read_noting``.

        Raises:
            CrowdVoteError: It cannot be read, or there is no community in it that they may see.
        """
        state, notes = read_noting(place.strip() or self.demo())
        if self.seen is None:
            return state, notes
        # What was noted may be about others.
        return choosing.of_communities(state, self.seen), []

    def calculate(self, work: Callable[[], Result]) -> Result:
        """Do what may take long, for the output of the cell that asks for it; whoever waits may give it up.

        Args:
            work: Does it; counts in it can be given up (``patience.go_on``).

        Raises:
            CalculationGivenUp: It was given up, or takes longer than pages may.
        """
        with ExitStack() as stack:
            button, is_given_up = "", Event().is_set
            if self.waiting is not None:
                where, given_up = stack.enter_context(self.waiting.begin())
                button, is_given_up = html_rows.give_up_button(where), given_up.is_set

            def notice() -> None:
                mo.output.replace(mo.Html(html_rows.calculating(button)))
                stack.callback(mo.output.clear)  # a cell may have no output of its own

            stack.enter_context(patience(is_given_up=is_given_up, notice=notice))
            return work()

    def demo(self) -> str:
        """What is looked at where nothing is asked for: the demo store if other pages look at it too, else tables."""
        from crowdvote_analysis.snapshots.demo import demo_store

        return demo_store().location.url if self.pages else str(demo_folder())


def opening() -> Opening:
    """Read how this page was opened; what serves it says more in ``scope["meta"]``."""
    request = mo.app_meta().request
    meta: dict[str, Any] = dict(request.meta or {}) if request is not None else {}
    address = {name: value for name, value in mo.query_params().to_dict().items() if isinstance(value, str)}
    told = {name: value for name, value in mo.cli_args().to_dict().items() if isinstance(value, str)}
    if meta.get("folder"):
        told["folder"] = meta["folder"]
    if any(name in address for name in _PLACES):  # another place, whatever it was called where the page is served
        told = {name: value for name, value in told.items() if name not in _PLACES}
    return Opening(
        asked={**told, **address},
        link={} if only_place() else {name: address[name] for name in _PLACES if name in address},
        pages=tuple(meta.get("pages") or ()),
        is_manager=meta.get("role") == "manager",
        seen=meta["seen"]() if "seen" in meta else None,
        managed=meta["managed"]() if "managed" in meta else None,
        recalculate=meta.get("recalculate"),
        waiting=meta.get("waiting"),
    )


def place_box(opened: Opening, label: str, placeholder: str = "the demo communities") -> mo.ui.text | Fixed:
    """Where a page gets its tables from: a box, or the one place of pages that are served to others."""
    only = only_place()
    if only is not None:
        return Fixed(only)
    return mo.ui.text(value=opened.place, placeholder=placeholder, label=plain(label), full_width=True)


def shown(box: mo.ui.text | Fixed) -> mo.ui.text | None:
    """The box, where there is one."""
    return None if isinstance(box, Fixed) else box


def chooser(labels: Mapping[str, str], asked: str | None, label: str, **look: Any) -> mo.ui.dropdown:
    """Choose one of several; it begins with what is asked for, else with the first.

    Args:
        labels: Value by label.
        asked: The value that is asked for.
        label: What is chosen.
        look: Further arguments of ``mo.ui.dropdown``.
    """
    first = next((name for name, value in labels.items() if value == asked), next(iter(labels)))
    return mo.ui.dropdown(dict(labels), value=first, label=plain(label), **look)


# So many letters of what is written into a field are read.
LONGEST = 1_000


def plain(text: str) -> str:
    """A text for where marimo reads Markdown and HTML, as in labels of controls and of accordions: it stays a text.

    Whatever members write goes through this, ``escape`` (HTML) or ``table`` (cells), wherever it reaches a page: else a
    title could fetch an image from elsewhere, which tells others who is looking.
    """
    # No sign is left that could mean something; nor a digit, as in "1." at the beginning of a list.
    return "".join(each if each.isalpha() else f"&#{ord(each)};" for each in " ".join(text.split()))


def within(control: mo.ui.slider | mo.ui.number) -> int | float:
    """The value of a control, within its limits: they hold in the browser only, and others can send what they want.

    Args:
        control: A slider, or a field for a number; one without a stop is limited where its value is used.
    """
    value, least = control.value, control.start if control.start is not None else 0
    if not isinstance(value, int | float) or not math.isfinite(value):
        return least
    value = max(value, least)
    return value if control.stop is None else min(value, control.stop)


def written(control: mo.ui.text | Fixed) -> str:
    """What was written into a field, its first letters: nobody searches for more."""
    return str(control.value or "")[:LONGEST]


def remember(**chosen: str) -> None:
    """Let the address of the page lead to what is chosen on it."""
    address = mo.query_params()
    for name, value in chosen.items():
        if address.get(name) != value:
            address.set(name, value)


def row(*parts: object) -> mo.Html:
    """Controls beside each other, as far as there is room."""
    return mo.hstack([part for part in parts if part is not None], justify="start", align="end", gap=1.5, wrap=True)


def named(name: str, control: object) -> mo.Html:
    """A control with a plain name before it: marimo reads a number box's own label aloud with its HTML."""
    return mo.hstack([mo.Html(escape(name)), control], justify="start", align="center", gap=0.5)


def column(*parts: object) -> mo.Html:
    """Parts below each other."""
    return mo.vstack([part for part in parts if part is not None], gap=1)


def navigation(opened: Opening, here: str, **asked: str) -> mo.Html | None:
    """Links to the pages beside this one; none where it is alone.

    Args:
        opened: How this page was opened.
        here: Its name.
        asked: What the others open with: ``community``, ``decision``.
    """
    if not opened.pages:
        return None
    # Pages behind a sign-in have a page before them, with the way out.
    links = [html_rows.link("../", "Start")] if only_place() else []
    for name, title in PAGES.items():
        if name == here:
            links.append(f'<span aria-current="page" style="font-weight:600">{escape(title)}</span>')
        elif name in opened.pages:
            # No decision is both on the page with yes and no, and on one with stars.
            left_out = "decision" if "yes_no" in (here, name) else ""
            goes_along = {key: value for key, value in asked.items() if key != left_out}
            link = html_rows.link(_address(name, {**opened.link, **goes_along}), title)
            links.append(f"<span>{_INVITING.get(name, '')}{link}</span>")
    # At the right is the button of marimo's menu.
    style = "display:flex;flex-wrap:wrap;gap:0.25rem 1.25rem;font-size:0.95rem;padding-right:3.5rem"
    return mo.Html(f'<nav aria-label="Pages" style="{style}">{"".join(links)}</nav>')


def link_to(opened: Opening, page: str, words: str, **asked: str) -> mo.Html | None:
    """A link to a page beside this one, that says what is told there; nothing where that page is not served.

    Args:
        opened: How this page was opened.
        page: The name of the other.
        words: What the link says.
        asked: What the other opens with, as for ``navigation``.
    """
    if page not in opened.pages:
        return None
    return mo.Html(html_rows.link(_address(page, {**opened.link, **asked}), words))


def _address(page: str, asked: Mapping[str, str]) -> str:
    return f"../{page}/" + (f"?{urlencode(asked)}" if asked else "")


def heading(title: str, *lines: str) -> mo.Html:
    """The title of a page, and lines about it; the last in small letters."""
    told = "".join(f'<p style="margin:0 0 0.4rem">{escape(line)}</p>' for line in lines[:-1] if line)
    told += "".join(
        f'<p style="margin:0;opacity:0.8;font-size:0.95rem">{escape(line)}</p>' for line in lines[-1:] if line
    )
    return mo.Html(
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        f'margin:0.5rem 0 0.4rem">{escape(title)}</h1>{told}'
    )


def line(text: str) -> mo.Html:
    """A line of plain words."""
    return mo.Html(f'<div style="overflow-wrap:anywhere">{escape(text)}</div>')


def section(title: str, words: str | Sequence[str], *parts: object) -> mo.Html:
    """A heading, a line or two of plain words, and what they are about."""
    lines = [words] if isinstance(words, str) else words
    said = "".join(f'<p style="margin:0.3rem 0 0;opacity:0.8;max-width:50rem">{escape(told)}</p>' for told in lines)
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *(part for part in parts if part is not None)], gap=0.75)


def subheading(title: str, words: str = "") -> mo.Html:
    """A heading inside a section, and a line of plain words."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    return mo.Html(f'<h3 style="margin:0.75rem 0 0;font-size:1.2rem;font-weight:600">{escape(title)}</h3>{said}')


def box(headline: Headline) -> mo.Html:
    """What came out, as a coloured box."""
    return mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(headline.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in headline.sentences)
        ),
        kind=headline.kind,
    )


def trouble(title: str, words: str) -> mo.Html:
    """What cannot be shown, and why."""
    return mo.callout(
        mo.Html(
            f'<div style="overflow-wrap:anywhere"><strong>{escape(title)}</strong><br>'
            f'<span style="white-space:pre-line">{escape(words)}</span></div>'
        ),
        kind="danger",
    )


def notes(title: str, lines: Sequence[str], kind: Any = "info") -> mo.Html | None:
    """Sentences worth knowing, as a box; nothing where there are none."""
    if not lines:
        return None
    told = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return mo.callout(
        mo.Html(
            f'<div style="overflow-wrap:anywhere"><strong>{escape(title)}</strong>'
            f'<ul style="margin:0.3rem 0 0;padding-left:1.2rem">{told}</ul></div>'
        ),
        kind=kind,
    )


def figures(numbers: Iterable[tuple[str, str]]) -> mo.Html:
    """Large numbers with a few words each."""
    return mo.Html(html_rows.figures((number, words, None) for number, words in numbers))


def table(rows: pl.DataFrame, **look: Any) -> mo.ui.table:
    """Rows to look at, search and sort; nothing is written where there is nothing."""
    return mo.ui.table(
        rows,
        selection=None,
        page_size=10,
        format_mapping={name: _as_text(write) for name, write in cell_formats(rows).items()},
        show_download=False,
        show_column_summaries=False,
        show_data_types=False,
        max_columns=None,
        **look,
    )


def _as_text(write: Callable[[Any], str]) -> Callable[[Any], dict[str, str]]:
    """Write cells as HTML that is a text: of a string, marimo makes links, images, Markdown or a tree of JSON."""

    def cell(value: object) -> dict[str, str]:
        text = write(value)
        look = ' style="display:inline-block;min-width:20rem;white-space:pre-wrap"' if len(text) > _ONE_LINE else ""
        return {"mimetype": "text/html", "data": f"<span{look}>{escape(text)}</span>"}

    return cell


def downloads(name: str, rows: Callable[[], pl.DataFrame]) -> tuple[mo.download, mo.download]:
    """A table as CSV and as Parquet, made when somebody asks for it; to be kept under names of the notebook.

    Args:
        name: Of the files, without an ending.
        rows: Makes the table.
    """

    def as_csv() -> bytes:
        return flat(rows()).write_csv().encode()

    def as_parquet() -> bytes:
        buffer = BytesIO()
        rows().write_parquet(buffer)
        return buffer.getvalue()

    return (
        mo.download(as_csv, f"{name}.csv", "text/csv", label="CSV"),
        mo.download(as_parquet, f"{name}.parquet", "application/vnd.apache.parquet", label="Parquet"),
    )


def log(lines: Iterable[str]) -> mo.Html:
    """Numbered lines of text."""
    told = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return mo.Html(f'<ol style="margin:0;padding-left:1.5rem;overflow-wrap:anywhere">{told}</ol>')
