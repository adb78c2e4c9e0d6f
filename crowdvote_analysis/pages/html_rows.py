"""Tables, marks and figures as HTML, for pages that write them again and again without a flicker."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from crowdvote_analysis.charts.theme import CALCULATED, CIRCULAR, MANUAL, NONE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

COLOURS = {"manual": MANUAL, "calculated": CALCULATED, "circular": CIRCULAR, "none": NONE}

# Where there is little room, as on a telephone, every row is a small card with the name of its column before each
# value. The roles tell programs that read aloud that it still is a table.
_STYLE = """<style>
.cv-rows{container-type:inline-size;overflow-x:auto}
.cv-rows table{border-collapse:collapse;width:100%;font-size:0.9rem}
.cv-rows :is(th,td){padding:0.45rem 0.75rem 0.45rem 0;vertical-align:top;text-align:left}
.cv-rows th{font-weight:600}
.cv-rows :is(.right,.whole){white-space:nowrap}
.cv-rows .right{text-align:right}
.cv-rows tbody tr:not(.note){border-top:1px solid #8884}
.cv-rows .note td{padding:0 0 0.6rem;font-size:0.85rem;overflow-wrap:anywhere}
.cv-rows .note div{max-width:44rem;opacity:0.8}
@container (max-width:36rem){
.cv-rows thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.cv-rows :is(table,tbody,tr){display:block}
.cv-rows tbody tr:not(.note){padding:0.4rem 0}
.cv-rows td[data-label]{display:grid;grid-template-columns:9rem 1fr;gap:0.75rem;padding:0.1rem 0}
.cv-rows td[data-label]:is(.right,.whole){text-align:left;white-space:normal}
.cv-rows td[data-label]::before{content:attr(data-label);opacity:0.7}
.cv-rows td:has(> span:empty){display:none}
.cv-rows .note td{display:block}
}
</style>"""
_CUP = (
    "M5 2h10v2h4v3a5 5 0 0 1-4.6 5A5 5 0 0 1 11 14.9V17h3v2H6v-2h3v-2.1A5 5 0 0 1 5.6 12 5 5 0 0 1 1 7V4h4zm0 4H3v1"
    "a3 3 0 0 0 2 2.8zm10 3.8A3 3 0 0 0 17 7V6h-2z"
)
# Drawn rather than written: not every system has a font with a picture of it.
CUP = (
    '<svg role="img" aria-label="found in most other ballots" viewBox="0 0 20 20" '
    'style="display:inline-block;height:0.95em;vertical-align:-0.1em">'
    f'<title>found in most other ballots</title><path fill="#d99a1c" d="{_CUP}"/></svg>'
)


class Cell(NamedTuple):
    """HTML that is ready; everything else is written as text."""

    html: str


def text(value: object) -> str:
    """A text or number as HTML; an HTML cell as it is, a dash for nothing."""
    if isinstance(value, Cell):
        return value.html
    return escape(f"{value:,}" if isinstance(value, int) else str(value)) if value not in (None, "") else "—"


def disc(colour: str, label: str = "", *, ring: bool = False) -> str:
    """A small disc, or a ring.

    Args:
        colour: Its colour.
        label: What it reads as where it cannot be seen; nothing where the words beside it say the same.
        ring: Whether it is a ring.
    """
    fill = "transparent" if ring else colour
    heard = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<span {heard} style="display:inline-block;width:0.7em;height:0.7em;'
        f'border-radius:50%;background:{fill};border:2px solid {colour};box-sizing:border-box"></span>'
    )


def calculating(button: str = "") -> str:
    """What stands where the answer will be, when it takes longer than anybody waits without a word.

    Args:
        button: As from ``give_up_button``.
    """
    row = "display:flex;flex-wrap:wrap;gap:0.75rem;align-items:center"
    return f'<div role="status" style="{row}"><span>Still calculating…</span>{button}</div>'


def give_up_button(address: str) -> str:
    """A button that sends to an address of the server, which answers with nothing: the page stays where it is."""
    look = "padding:0.25rem 0.75rem;border:1px solid;border-radius:0.4rem;background:transparent;cursor:pointer"
    return (
        f'<form method="post" action="{escape(address)}" style="margin:0">'
        f'<button type="submit" style="{look}">Give up</button></form>'
    )


def link(address: str, words: str, title: str = "") -> str:
    """A link that looks like one on light and on dark."""
    told = f' title="{escape(title)}"' if title else ""
    return f'<a href="{escape(address)}"{told} style="text-decoration:underline">{escape(words)}</a>'


def paged(total: int, page: int, size: int) -> tuple[int, int]:
    """The first row of a page and how many pages there are; a page beyond the last is the last."""
    pages = max(1, -(-total // size))
    return (min(max(page, 1), pages) - 1) * size, pages


def table(
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
    whole: Collection[str] = (),
    notes: Sequence[Cell | str | None] = (),
) -> str:
    """Write a table; where there is little room its rows are written as cards.

    Args:
        names: The columns.
        rows: Their values: texts, numbers or ``Cell``.
        right: Columns of numbers.
        whole: Further columns that are never broken into lines.
        notes: A line below each row; none where it is ``None``.
    """
    kinds = ["right" if name in right else "whole" if name in whole else "" for name in names]
    head = "".join(
        f'<th role="columnheader" class="{kind}">{escape(name)}</th>' for name, kind in zip(names, kinds, strict=True)
    )
    body = []
    for number, row in enumerate(rows):
        cells = "".join(
            f'<td role="cell" class="{kind}" data-label="{escape(name)}"><span>{text(value)}</span></td>'
            for name, kind, value in zip(names, kinds, row, strict=True)
        )
        body.append(f'<tr role="row">{cells}</tr>')
        if number < len(notes) and notes[number]:
            body.append(
                f'<tr role="row" class="note"><td role="cell" colspan="{len(names)}">'
                f"<div>{text(notes[number])}</div></td></tr>"
            )
    return (
        f'{_STYLE}<div class="cv-rows"><table role="table"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(body)}</tbody></table></div>'
    )


def folded(title: str, words: str) -> str:
    """Words that are shown when somebody opens them, such as what a program said."""
    return f'<details><summary style="cursor:pointer">{escape(title)}</summary>{escape(words)}</details>'


def counted(first: int, shown: int, total: int, pages: int, size: int, order: str) -> str:
    """Which rows of how many are shown, in small letters."""
    if not total:
        return ""
    which = f"{first + 1:,} to {first + shown:,} of {total:,}, {order}"
    where = f" · page {first // size + 1:,} of {pages:,}" if pages > 1 else ""
    return f'<p style="margin:0.5rem 0 0;font-size:0.85rem;opacity:0.7">{which}{where}</p>'


def figures(numbers: Iterable[tuple[object, str, str | None]]) -> str:
    """Large numbers with a few words each, and the colour of what they count, if it has one."""
    parts = []
    for number, words, colour in numbers:
        mark = f"{disc(colour, '')} " if colour else ""
        parts.append(
            '<div style="max-width:11rem">'
            f'<div style="font-size:1.5rem;font-weight:600;line-height:1.3">{text(number)}</div>'
            f'<div style="opacity:0.8;font-size:0.85rem">{mark}{escape(words)}</div></div>'
        )
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.75rem 2.5rem">{"".join(parts)}</div>'
