"""What the server shows itself: the sign-in, the start page with its links, and answers in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from crowdvote_analysis.html import Html, document, element

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crowdvote_analysis.serving.sessions import Session

_TITLE = re.compile(r'app_title="(?:CrowdVote: )?([^"]+)"')


@dataclass(frozen=True)
class Page:
    """A notebook that is served.

    Attributes:
        name: First part of its path.
        file: The notebook.
        title: Its title.
        words: What it shows, in a line.
    """

    name: str
    file: Path
    title: str
    words: str


@dataclass(frozen=True)
class OpenDecision:
    """A decision that a manager may have counted again."""

    decision_id: str
    title: str
    community: str


def find_pages(folder: Path) -> list[Page]:
    """The notebooks of a folder; title and words are those that a notebook gives itself."""
    pages = []
    for file in sorted(folder.glob("[!_]*.py")):
        source = file.read_text("utf-8")
        title = _TITLE.search(source)
        named = title[1] if title else file.stem.replace("_", " ")
        first = source.splitlines()[0] if source.startswith("#") else ""
        pages.append(Page(file.stem, file, named[:1].upper() + named[1:], first.lstrip("#! ").strip()))
    return pages


def sign_in_page(form: str, where: str, problem: str | None = None) -> str:
    """The form to sign in with.

    Args:
        form: The secret that has to come back with it.
        where: The page to go to afterwards.
        problem: Why the last try did not work.
    """
    fields = (
        element("label", "Name", element("input", name="name", autocomplete="username", required=True, autofocus=True)),
        element(
            "label",
            "Password",
            element("input", name="password", type="password", autocomplete="current-password", required=True),
        ),
    )
    body = element(
        "main",
        element("h1", "CrowdVote"),
        element(
            "p", "These pages are for members of the community. Sign in with the name you were given.", class_="dim"
        ),
        element("p", problem, class_="problem", role="alert") if problem else None,
        element(
            "form",
            _hidden("form", form),
            _hidden("next", where),
            *fields,
            element("button", "Sign in"),
            method="post",
            action="/sign-in",
            class_="fields",
        ),
        class_="small",
    )
    return _page("Sign in", body)


def start_page(session: Session, pages: Sequence[Page], decisions: Sequence[OpenDecision] | None) -> str:
    """Links to all pages; for those who manage a community also what can be counted again."""
    links = [
        element(
            "li", element("a", page.title, href=f"/{page.name}/"), element("p", page.words, class_="dim"), class_="card"
        )
        for page in pages
    ]
    sign_out = element(
        "form",
        element("span", f"{session.user} · {session.role}", class_="dim"),
        _hidden("form", session.form),
        element("button", "Sign out", class_="quiet"),
        element("button", "Sign out everywhere", class_="quiet", name="everywhere", value="yes"),
        method="post",
        action="/sign-out",
    )
    body = element(
        "main",
        element("header", element("h1", "CrowdVote"), sign_out),
        element("ul", *links),
        _recalculation(session, decisions) if decisions is not None else None,
    )
    return _page("Pages", body)


def answer_page(words: str, *, good: bool) -> str:
    """An answer in words, and the way back."""
    said = element("p", words, class_="good" if good else "problem", role="status" if good else "alert")
    return _page("CrowdVote", element("main", said, element("p", element("a", "Back", href="/")), class_="small"))


def no_room_page(words: str, again: str) -> str:
    """Why a page is not shown now, and the way to try again.

    Args:
        words: Why.
        again: The address of the page.
    """
    said = element("p", words, class_="problem", role="alert")
    links = element("p", element("a", "Try again", href=again), " · ", element("a", "All pages", href="/"))
    return _page("No room", element("main", said, links, class_="small"))


def _recalculation(session: Session, decisions: Sequence[OpenDecision]) -> Html:
    rows = [
        element(
            "li",
            element("span", decision.title, element("small", decision.community)),
            element(
                "form",
                _hidden("form", session.form),
                element("button", "Count again", class_="quiet", aria_label=f"Count again: {decision.title}"),
                method="post",
                action=f"/recalculate/{quote(decision.decision_id, safe='')}",
            ),
            class_="row",
        )
        for decision in decisions
    ]
    words = "Takes a new snapshot of a decision that is still open." if rows else "No decision with stars is open now."
    return element("section", element("h2", "Recalculate"), element("p", words, class_="dim"), element("ul", *rows))


def _hidden(name: str, value: str) -> Html:
    return element("input", type="hidden", name=name, value=value)


def _page(title: str, body: Html) -> str:
    style = files("crowdvote_analysis.serving").joinpath("style.css").read_text("utf-8")
    return document(f"{title} · CrowdVote" if title != "CrowdVote" else title, style, body)
