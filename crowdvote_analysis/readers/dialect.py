"""How a text of columns is to be taken apart: separator, quotes, and the line that names the columns.

What is certain is read; what was guessed is noted, so that who knows better can say so.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers.survey_headers import has_import_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set
    from pathlib import Path

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "pipe": "|", "\\t": "\t"}
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^"])"?[,;\t|]*', re.IGNORECASE)
_HEADER_WITHIN = 20  # lines in which a header is looked for
_SAMPLE = 50  # lines by which a separator is judged
_SAMPLE_TEXT = 200_000  # characters of them, at the most


@dataclass(frozen=True)
class Dialect:
    """How a text is to be taken apart.

    Attributes:
        text: The text from its header on.
        header: Number of the line of the header, from 1.
        separator: What stands between cells.
        quote: What stands around cells that hold a separator.
    """

    text: str
    header: int = 1
    separator: str = ","
    quote: str = '"'

    def __str__(self) -> str:
        quote = "double" if self.quote == '"' else "single"
        return (
            f"Line {self.header} was taken as the header, with {SEPARATORS.get(self.separator, repr(self.separator))} "
            f"between the columns and {quote} quotes around text; --separator says otherwise"
        )


@contextmanager
def said_in_errors(how: str) -> Iterator[None]:
    """Let errors about columns say how the file was taken apart: with the wrong separator, none of them is there.

    Args:
        how: A dialect in words; blank for files that are no text.
    """
    try:
        yield
    except UnreadableFileError as error:
        raise (error if how in str(error) else UnreadableFileError(f"{error} {how}.")) from None
    except InvalidTableError as error:
        raise (error if how in str(error) else InvalidTableError(error.problems, f"{error.way_out} {how}.")) from None


def read_separator(written: str) -> str:
    """A separator as people write it, ``;`` or ``tab``, as one character.

    Raises:
        UnreadableFileError: It is no single character.
    """
    separator = WORDS.get(written.strip().lower(), written)
    if len(separator) != 1 or separator in "\"'\r\n":
        raise UnreadableFileError(f"separator {written!r}: is none of ',', ';', 'tab', '|' or another character.")
    return separator


def find_dialect(path: Path, text: str, separator: str | None = None, keys: Set[str] = frozenset()) -> Dialect:
    """Find separator, quotes and header of a text.

    Args:
        path: The file, for messages.
        text: The text, lines ended by newlines.
        separator: What stands between the columns, if somebody has said so; else it is found out.
        keys: Names of columns by which the header is known, in small letters. If no line has one, the first line that
            is not blank is the header.

    Raises:
        UnreadableFileError: The separator could be this or that, or rows stand above the header.
    """
    lines = text.split("\n", _HEADER_WITHIN)[:_HEADER_WITHIN]
    start = _first_line(lines, 0)
    if found := _SEPARATOR_LINE.fullmatch(lines[start].strip(" ")):
        separator = separator or read_separator(found[1])
        start = _first_line(lines, start + 1)
    candidates = [separator] if separator else list(SEPARATORS)
    header = next((n for n in range(start, len(lines)) if _has_key(lines[n], candidates, keys)), start)
    if has_import_ids(lines):  # what is asked for stands in the second line of three, and the first is the header
        header = start
    body = "".join(text.split("\n", header)[header:])
    if separator is None:
        separator = _guess(path, body, header + 1, keys)
    _refuse_rows_above(path, lines[start:header], body, header + 1, separator)
    if any(line.strip() for line in lines[start:header]):
        above = f"line {start + 1} stands" if header == start + 1 else f"lines {start + 1} to {header} stand"
        _note(f"{path}: {above} above the header and {'was' if header == start + 1 else 'were'} left out.")
    return _with_quotes(path, Dialect(body, header + 1, separator))


def _first_line(lines: list[str], start: int) -> int:
    """The first line from there on that is not blank."""
    return next((n for n in range(start, len(lines)) if lines[n].strip()), start)


def _has_key(line: str, separators: list[str], keys: Set[str]) -> bool:
    return any(not keys.isdisjoint(_names(line, separator)) for separator in separators) if keys else False


def _refuse_rows_above(path: Path, above: list[str], body: str, line: int, separator: str) -> None:
    """Raise if lines above the header look like rows, as in a file that was sorted; no cell is shown (P1)."""
    header = _cells(io.StringIO(body, newline=""), separator)
    rows = sum(_may_be_row(_cells([text], separator), header) for text in above)
    if rows:
        raise UnreadableFileError(
            f"{path}: the header stands in line {line}, below {'1 line' if rows == 1 else f'{rows} lines'} that "
            f"{'looks like a row' if rows == 1 else 'look like rows'}; was the file sorted? Move the header to the "
            "top, or remove the lines above it if they are none."
        )


def _may_be_row(cells: list[str], header: list[str]) -> bool:
    """Whether a line has as many values as the header, or several in as many cells; a title is one text."""
    filled, needed = (sum(bool(cell.strip()) for cell in each) for each in (cells, header))
    return filled > 0 and (filled >= needed or (filled > 1 and len(cells) == len(header)))


def _cells(lines: Iterable[str], separator: str) -> list[str]:
    """The cells of the first line; none of one whose cells are longer than any name."""
    try:
        return next(csv.reader(lines, delimiter=separator), [])
    except csv.Error:
        return []


def _names(line: str, separator: str) -> set[str]:
    return {cell.strip(" \t'\"“”„").lower() for cell in _cells([line], separator)}


def _guess(path: Path, body: str, line: int, keys: Set[str]) -> str:
    """The separator that splits the header into several columns, and the lines below it into as many."""
    widths = {separator: _widths(body, separator) for separator in SEPARATORS}
    splits = [separator for separator, found in widths.items() if found[:1] > [1]]
    even = [separator for separator in splits if set(widths[separator]) == {widths[separator][0]}]
    if len(even) > 1:
        header = body.partition("\n")[0]
        even = [separator for separator in even if not keys.isdisjoint(_names(header, separator))] or even
    if len(even) > 1:
        named = " or ".join(SEPARATORS[separator] for separator in even)
        raise UnreadableFileError(f"{path}: the columns may be separated by {named}. Say which, with --separator.")
    separator = (even or splits or [","])[0]
    if separator != ",":
        _note(
            f"{path}: the columns were taken as separated by {SEPARATORS[separator]}, because line {line} has "
            f"{widths[separator][0]} of them so; --separator says otherwise."
        )
    return separator


def _widths(body: str, separator: str) -> list[int]:
    """How many cells the first lines have that are not blank."""
    part = body[:_SAMPLE_TEXT]
    found = []
    try:
        for cells in csv.reader(io.StringIO(part, newline=""), delimiter=separator):
            if any(cell.strip() for cell in cells):
                found.append(len(cells))
            if len(found) == _SAMPLE:
                return found
    except csv.Error:
        return found
    return found[:-1] if len(part) < len(body) else found


def _with_quotes(path: Path, dialect: Dialect) -> Dialect:
    """The dialect with the quotes that stand around the cells of the header, where they are no double ones."""
    header = dialect.text.partition("\n")[0].strip().strip(dialect.separator)
    if re.fullmatch(rf"'[^']*'({re.escape(dialect.separator)}\s*'[^']*')*", header):
        _note(f"{path}: single quotes around cells were taken as quotes.")
        return replace(dialect, quote="'")
    if re.fullmatch(rf"[“„][^“”„]*[“”]({re.escape(dialect.separator)}\s*[“„][^“”„]*[“”])*", header):
        _note(f"{path}: typographic quotes around cells were taken as quotes.")
        return replace(dialect, text=re.sub("[“”„]", '"', dialect.text))
    return dialect


def _note(sentence: str) -> None:
    warnings.warn(sentence, TableWarning, stacklevel=2)
