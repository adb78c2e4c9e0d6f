"""What all pages share: how they are opened, and their links to each other."""

from __future__ import annotations

import pytest

from crowdvote_analysis.bundled import demo_folder, notebooks_folder
from crowdvote_analysis.confinement import VARIABLE
from crowdvote_analysis.pages import layout
from crowdvote_analysis.pages.layout import Opening


def test_every_notebook_has_a_place_in_the_navigation():
    """Whatever is served can be found from every page."""
    assert set(layout.PAGES) == {file.stem for file in notebooks_folder().glob("[!_]*.py")}


def test_links_lead_to_the_pages_that_are_served():
    """What is chosen goes along, the page itself is no link, and pages that are not served are left out."""
    opened = Opening({}, {"folder": "a b"}, ("count", "influence"))
    written = layout.navigation(opened, "count", decision="x&y").text
    assert 'href="../influence/?folder=a+b&amp;decision=x%26y"' in written
    assert 'aria-current="page"' in written
    assert "what_if" not in written


def test_a_link_says_what_is_told_on_the_page_it_leads_to():
    """It takes along what is chosen, and is left out where that page is not served."""
    opened = Opening({}, {"folder": "a b"}, ("count", "influence"))
    written = layout.link_to(opened, "influence", "Who decided", decision="d")
    assert written is not None
    assert 'href="../influence/?folder=a+b&amp;decision=d"' in written.text
    assert "Who decided" in written.text
    assert layout.link_to(opened, "snapshot", "Where ballots come from") is None


def test_a_decision_does_not_go_along_where_it_cannot_be():
    """The page of yes/no decisions has none with stars, and the other pages have none with yes and no."""
    opened = Opening({}, {}, ("count", "influence", "yes_no"))
    written = layout.navigation(opened, "count", community="c", decision="d").text
    assert 'href="../influence/?community=c&amp;decision=d"' in written
    assert 'href="../yes_no/?community=c"' in written
    assert "decision=" not in layout.navigation(opened, "yes_no", community="c", decision="d").text


def test_whoever_is_new_is_led_to_the_explanation():
    """From every other page."""
    opened = Opening({}, {}, ("count", "tutorial"))
    assert "New here? <a " in layout.navigation(opened, "count").text
    assert "New here?" not in layout.navigation(opened, "tutorial").text


def test_a_page_alone_has_no_links():
    """They would lead nowhere."""
    assert layout.navigation(Opening({}, {}), "count") is None


def test_a_page_alone_shows_the_tables_of_the_demo():
    """The demo store is made only where several pages look at it."""
    assert Opening({}, {}).demo() == str(demo_folder())


@pytest.mark.parametrize(("asked", "place"), [({"store": "s"}, "s"), ({"folder": "f"}, "f"), ({"folder": ""}, "")])
def test_the_place_has_two_names(asked, place):
    """A store is a folder too, and either name is understood on every page."""
    assert Opening(asked, {}).place == place


def test_served_pages_have_no_box_for_another_folder(monkeypatch):
    """There is no control that could be given another value."""
    monkeypatch.setenv(VARIABLE, "the-store")
    box = layout.place_box(Opening({"folder": "elsewhere"}, {}), "Folder")
    assert box.value == "the-store"
    assert layout.shown(box) is None
    assert '<a href="../"' in layout.navigation(Opening({}, {}, ("count",)), "count").text


def test_a_chooser_begins_with_what_is_asked_for():
    """Or with the first, where that is not among them."""
    labels = {"Pond": "p", "Swings": "s"}
    assert layout.chooser(labels, "s", "Choice").value == "s"
    assert layout.chooser(labels, "nope", "Choice").value == "p"
