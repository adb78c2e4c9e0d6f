"""HTML as text: elements that escape whatever they are given, so that no text of a member or title becomes markup."""

from __future__ import annotations

from html import escape


class Html(str):
    """Markup that is finished; every other text is escaped when it enters an element."""

    __slots__ = ()


_VOID = {"br", "input", "link", "meta"}


def element(name: str, /, *children: str | int | None, **attributes: str | int | bool | None) -> Html:
    """Write one element.

    Args:
        name: The name of the element.
        children: Texts, which are escaped, and ``Html``, which is not; ``None`` is left out.
        attributes: Their values, escaped. A ``_`` at the end of a name is dropped (``class_``), others become ``-``;
            ``True`` stands without a value, ``None`` and ``False`` are left out.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inner = joined(*children)
    return Html(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{inner}</{name}>")


def joined(*children: str | int | None, by: str = "") -> Html:
    """Put texts and elements one after another."""
    return Html(
        by.join(child if isinstance(child, Html) else escape(str(child)) for child in children if child is not None)
    )


def document(title: str, style: str, *body: str, head: str = "") -> Html:
    """A whole page.

    Args:
        title: Its title.
        style: Its style sheet.
        body: What it shows.
        head: More for its head.
    """
    top = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        Html(head),
        element("style", Html(style)),
    )
    return Html("<!doctype html>\n" + element("html", top, element("body", *body), lang="en") + "\n")
