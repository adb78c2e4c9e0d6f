"""Tables, marks and figures as HTML, for pages that write them again and again without a flicker."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from crowdvote_analysis.charts import tie_steps
from crowdvote_analysis.charts.theme import CALCULATED, CIRCULAR, MANUAL, NONE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from crowdvote_analysis.star import StarTally

COLOURS = {"manual": MANUAL, "calculated": CALCULATED, "circular": CIRCULAR, "none": NONE}

_CELL = "padding:0.45rem 0.75rem 0.45rem 0;vertical-align:top"
_CUP = (
    "M5 2h10v2h4v3a5 5 0 0 1-4.6 5A5 5 0 0 1 11 14.9V17h3v2H6v-2h3v-2.1A5 5 0 0 1 5.6 12 5 5 0 0 1 1 7V4h4zm0 4H3v1"
    "a3 3 0 0 0 2 2.8zm10 3.8A3 3 0 0 0 17 7V6h-2z"
)
# Drawn rather than written: not every system has a font with a picture of it.
CUP = (
    '<svg role="img" aria-label="🏆" viewBox="0 0 20 20" '
    'style="display:inline-block;height:0.95em;vertical-align:-0.1em">'
    f'<title>most influential</title><path fill="#d99a1c" d="{_CUP}"/></svg>'
)


class Cell(NamedTuple):
    """HTML that is ready; everything else is written as text."""

    html: str


def text(value: object) -> str:
    """A text or number as HTML; an HTML cell as it is, a dash for nothing."""
    if isinstance(value, Cell):
        return value.html
    return escape(f"{value:,}" if isinstance(value, int) else str(value)) if value not in (None, "") else "—"


def disc(colour: str, label: str, *, ring: bool = False) -> str:
    """A small disc, or a ring, that reads as ``label`` where it cannot be seen."""
    fill = "transparent" if ring else colour
    return (
        f'<span role="img" aria-label="{escape(label)}" style="display:inline-block;width:0.7em;height:0.7em;'
        f'border-radius:50%;background:{fill};border:2px solid {colour};box-sizing:border-box"></span>'
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
    notes: Sequence[str | None] = (),
) -> str:
    """Write a table.

    Args:
        names: The columns.
        rows: Their values: texts, numbers or ``Cell``.
        right: Columns of numbers.
        whole: Further columns that are never broken into lines.
        notes: A line below each row; none where it is ``None``.
    """

    def style(name: str) -> str:
        ends = ";text-align:right" if name in right else ";text-align:left"
        return _CELL + ends + (";white-space:nowrap" if name in right or name in whole else "")

    head = "".join(f'<th style="{style(name)};font-weight:600">{escape(name)}</th>' for name in names)
    body = []
    for number, row in enumerate(rows):
        cells = "".join(f'<td style="{style(name)}">{text(value)}</td>' for name, value in zip(names, row, strict=True))
        body.append(f'<tr style="border-top:1px solid #8884">{cells}</tr>')
        note = notes[number] if number < len(notes) else None
        if note:
            body.append(
                f'<tr><td colspan="{len(names)}" style="padding:0 0 0.6rem"><div style="position:sticky;left:0;'
                'max-width:min(44rem, 85vw);font-size:0.85rem;opacity:0.8;overflow-wrap:anywhere">'
                f"{escape(note)}</div></td></tr>"
            )
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;width:100%;font-size:0.9rem">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def tie_table(tally: StarTally) -> str:
    """Every step of a tie as a table; see ``charts.tie_steps``."""
    steps = tie_steps(tally)
    return table([name.capitalize() for name in steps.columns], steps.iter_rows())


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
            f'<div><div style="font-size:1.5rem;font-weight:600;line-height:1.3">{text(number)}</div>'
            f'<div style="opacity:0.8;font-size:0.85rem">{mark}{escape(words)}</div></div>'
        )
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.75rem 2.5rem">{"".join(parts)}</div>'
