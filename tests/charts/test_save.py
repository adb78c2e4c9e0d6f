"""Charts as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crowdvote_analysis import charts
from crowdvote_analysis.errors import UnreadableFileError

pytestmark = pytest.mark.slow

_BEGINS = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF", "html": b"<!DOCTYPE html>"}


@pytest.fixture
def chart(tally):
    result = tally("village-green")
    return lambda **look: charts.score_chart(result.scores, winner=result.winner, **look)


@pytest.mark.parametrize(("ending", "begins"), _BEGINS.items())
def test_the_ending_names_the_format(chart, tmp_path, ending, begins):
    """Every format is written, whatever the capitals, and nothing else is left beside it."""
    path = charts.save_chart(chart(), tmp_path / f"scores.{ending.upper()}")
    assert path.read_bytes().lstrip().startswith(begins)
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_loads_nothing(chart, tmp_path):
    """A chart as HTML has its scripts inside, and no menu that would send its data away."""
    page = charts.save_chart(chart(), tmp_path / "scores.html").read_text("utf-8")
    elements = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert elements.count("<script") >= 2
    assert not re.search(r"(src|href|import)\b", elements)
    assert '"actions": false' in page
    assert "Wildflower meadow" in page


def test_a_chart_of_a_page_gets_colours_of_its_own(chart, tmp_path):
    """Without a page around it a chart has paper and ink, and keeps those it was given."""
    for mode, ink in (("page", "#1f2328"), ("light", "#1f2328"), ("dark", "#e6e8eb")):
        drawn = charts.save_chart(chart(mode=mode), tmp_path / "scores.svg").read_text("utf-8")
        assert set(re.findall(r'<text[^>]* fill="([^"]+)"', drawn)) == {ink}
        assert 'fill="transparent"' not in drawn


def test_the_chart_stays_as_it_was(chart, tmp_path):
    """Writing a chart changes nothing about it."""
    drawn = chart()
    before = drawn.to_dict()
    charts.save_chart(drawn, tmp_path / "scores.svg")
    assert drawn.to_dict() == before


def test_a_picture_is_as_fine_as_it_is_asked_to_be(chart, tmp_path):
    """The scale of a PNG multiplies its pixels."""
    widths = [
        int.from_bytes(charts.save_chart(chart(width=200), tmp_path / "a.png", scale=scale).read_bytes()[16:20], "big")
        for scale in (1, 3)
    ]
    assert widths[1] == 3 * widths[0]


def test_what_cannot_be_written_is_said_in_words(chart, tmp_path: Path):
    """A format that is not known, a folder that is not there, a scale of nothing."""
    with pytest.raises(ValueError, match=r"scores\.gif: .* ends in \.png, \.svg, \.pdf, \.html"):
        charts.save_chart(chart(), "scores.gif")
    with pytest.raises(UnreadableFileError, match="cannot be written"):
        charts.save_chart(chart(), tmp_path / "nowhere" / "scores.svg")
    with pytest.raises(ValueError, match="above 0"):
        charts.save_chart(chart(), tmp_path / "scores.png", scale=0)
