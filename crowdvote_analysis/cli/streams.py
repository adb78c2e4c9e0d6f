"""Output that no terminal, pipe or disk can break, and that breaks no terminal."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

# What moves the cursor, rings, or turns the direction of text, as a sign that can be seen; line ends and tabs stay.
_SEEN = (
    {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}
    | {0x7F: 0x2421, 0x2028: 0x2424, 0x2029: 0x2424}
    | dict.fromkeys(
        [*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)], 0xFFFD
    )
)


def visible(text: str) -> str:
    """The text with a sign that can be seen in place of each control character."""
    return text if text.isascii() and text.isprintable() else text.translate(_SEEN)


class Screen(Console):
    """A console on which data can do nothing but be read: the one place where control characters of it are replaced."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, without the control characters of texts; those of styles come later."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


class _Output(io.FileIO):
    """A descriptor to write to; once the reader has left, as ``head`` does, the rest goes nowhere."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return len(data)


class _Notes(_Output):
    """The same for what stands beside results: where it cannot be written, the results are all the same right."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        with suppress(OSError):
            return super().write(data)
        return len(data)


def open_streams() -> None:
    """Let standard output and errors take any text; what their encoding does not have is replaced.

    A stream that is closed goes nowhere, so that no file gets its number and what was meant for the screen.
    """
    _take_closed_numbers()
    for name, kind in (("stdout", _Output), ("stderr", _Notes)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif stream is getattr(sys, f"__{name}__"):
            raw: Any = kind(stream.fileno(), "w", closefd=False)
            errors = "replace" if stream.errors != "backslashreplace" else stream.errors
            setattr(
                sys,
                name,
                io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, errors, line_buffering=stream.line_buffering),
            )


def close_output() -> str | None:
    """Write what is left of the output; why that cannot be done, else none."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        # What could not be written would be tried again at the end of the program, with a message of its own.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return f"the output cannot be written ({getattr(error, 'strerror', None) or error})."
    return None


def _take_closed_numbers() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
