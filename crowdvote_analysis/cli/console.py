"""Progress, notes and JSON: what goes to the screen beside the results. Results go to stdout, the rest to stderr."""

from __future__ import annotations

import json
import re
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crowdvote_analysis.cli.streams import Screen
from crowdvote_analysis.errors import DoubtWarning, TableWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Without emoji, as ids and names may hold words such as ``:cat:``, which rich would turn into pictures.
out = Screen(highlight=False, soft_wrap=False, emoji=False)
err = Screen(stderr=True, highlight=False, emoji=False)


@contextmanager
def working(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while something runs; it is gone afterwards, and never there when nobody looks at a terminal.

    Yields:
        A function of (done, in all), for work that knows how far it is.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance


@contextmanager
def noting(hide: Callable[[list[str]], list[str]] = list) -> Iterator[list[str]]:
    """Collect what readers and tables warn about, and tell it on stderr at the end.

    Args:
        hide: Takes the names out that may not be told (P1).
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TableWarning)
        try:
            yield notes
        finally:
            # Doubts come last, next to the result that they are about; each once, however often tables were counted.
            found = {str(warning.message): warning for warning in caught if issubclass(warning.category, TableWarning)}
            said = sorted(found.values(), key=lambda warning: issubclass(warning.category, DoubtWarning))
            notes += hide([str(warning.message) for warning in said])
            for note, warning in zip(notes, said, strict=True):
                _tell(note, warning.category)
    for warning in caught:
        if not issubclass(warning.category, TableWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


@contextmanager
def told_at_once() -> Iterator[None]:
    """Tell in words what is warned of where no command collects it; Python would name a place in the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", TableWarning)
        show = warnings.showwarning

        def tell(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any, **more: Any
        ) -> None:
            if issubclass(category, TableWarning):
                _tell(str(message), category)
            else:
                show(message, category, filename, lineno, *rest, **more)

        warnings.showwarning = tell
        yield


def _tell(note: str, category: type[Warning]) -> None:
    if issubclass(category, DoubtWarning):
        err.print("warning:", style="bold red", end=" ")
    else:
        err.print("note:", style="yellow", end=" ")
    err.print(note, markup=False)


def print_json(document: Any) -> None:
    """Print a document for programs; stars are text in it already (D10).

    Characters that a terminal would act on, and those that the stream cannot take, are written as JSON escapes them.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    text = json.dumps(document, ensure_ascii=encoding != "utf8", indent=2)
    sys.stdout.write(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(value: Any) -> Any:
    """Values that JSON knows; times as ISO 8601."""
    from datetime import datetime

    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def public_row(row: dict[str, Any]) -> dict[str, Any]:
    """What may be shown of a snapshot: no hash of real ids (P1), times as text."""
    from crowdvote_analysis.snapshots import INTERNAL, redacted

    kept = {name: plain(value) for name, value in row.items() if name not in INTERNAL}
    return kept | {"last_error": redacted(kept["last_error"]) if kept["last_error"] else None}
