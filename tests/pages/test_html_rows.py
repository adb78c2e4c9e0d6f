"""Tables, marks and figures as HTML."""

from __future__ import annotations

import re

from crowdvote_analysis.pages import html_rows


def test_a_mark_is_heard_only_where_no_words_say_it():
    """A disc beside words that say the same is passed over; with a label it is a picture with that name."""
    assert 'aria-hidden="true"' in html_rows.disc("red")
    assert "role=" not in html_rows.disc("red")
    assert 'role="img" aria-label="by hand"' in html_rows.disc("red", "by hand")


def test_every_cell_knows_its_column():
    """Where rows are cards, each value has the name of its column before it; it is a table to programs all the same."""
    told = html_rows.table(["Who", "A & B"], [["Ann", 1000], ["Bo", None]], right=("A & B",))
    cells = re.findall(r'<td role="cell" class="(\w*)" data-label="([^"]*)"><span>([^<]*)</span>', told)
    assert cells == [
        ("", "Who", "Ann"),
        ("right", "A &amp; B", "1,000"),
        ("", "Who", "Bo"),
        ("right", "A &amp; B", "—"),
    ]
    assert told.count('role="columnheader"') == 2
    assert "@container (max-width" in told


def test_notes_stand_below_their_row():
    """Text is written as text, what is HTML already as it is, and a row without a note has none."""
    folded = html_rows.Cell(html_rows.folded("More", "<b>"))
    told = html_rows.table(["Who"], [["Ann"], ["Bo"], ["Cy"]], notes=["<i>", None, folded])
    assert told.count('class="note"') == 2
    assert told.index("Ann") < told.index("&lt;i&gt;") < told.index("Bo") < told.index("Cy") < told.index("<details>")
    assert "&lt;b&gt;" in told
