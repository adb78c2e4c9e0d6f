"""The lines of an edge list that hold edges, taken apart into cells."""

from __future__ import annotations

import csv
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crowdvote_analysis.errors import TableWarning, UnreadableFileError
from crowdvote_analysis.readers.graph_files import foreign_format
from crowdvote_analysis.readers.network_header import Columns, columns_of
from crowdvote_analysis.readers.text_file import read_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Between cells: text cannot hold it, as no file with it is read as text.
_MARK = "\x00"


class Lines(NamedTuple):
    """The lines of a file.

    Attributes:
        edges: Those of edges, and of a header: ``line`` (counted from 1) and ``text``.
        separator: What separates their cells; a blank stands for any run of tabs and blanks.
        above: The comments above the first of them.
    """

    edges: pl.DataFrame
    separator: str
    above: tuple[str, ...]


def read_lines(path: Path) -> Lines:
    """Read the lines of an edge list.

    Raises:
        UnreadableFileError: The file cannot be read, is of another format, or holds nothing but comments.
    """
    foreign = foreign_format(path)
    if foreign:
        raise UnreadableFileError(f"{path}: {foreign}")
    text = read_text(path)
    # A tab that begins a line may say that the first id is missing.
    lines = pl.DataFrame(pl.Series("text", [text]).str.split("\n").explode().str.strip_chars_end())
    lines = lines.with_columns(pl.col("text").str.strip_chars_start(" "))
    lines = lines.with_row_index("line", offset=1).filter(pl.col("text") != "")
    if re.fullmatch(r'"?sep=.?"?', lines["text"][0], flags=re.IGNORECASE):  # a word to spreadsheets
        lines = lines[1:]
    opened = pl.col("text").str.strip_chars_start().str.slice(0, 1).is_in(["#", "%"])
    plain = lines.filter(~opened)
    named = lines.filter(opened).filter(pl.col("text").str.contains(r"^[#%][^\s#%]"))
    if plain.is_empty() and named.is_empty():
        raise UnreadableFileError(f"{path}: holds no edges, only comments.")
    sample = pl.concat([plain, named])
    separator = _separator(path, sample)
    comments = lines.filter(opened)
    if separator != "\t":
        plain = plain.with_columns(pl.col("text").str.strip_chars())
    visible = "\t" if "\t" in sample["text"][0] else separator
    if visible != " " and len(named):
        like = _edge_like(sample["text"][0], visible)
        edges = named.filter(pl.Series([like(text) for text in named["text"].to_list()], dtype=pl.Boolean))
        comments = comments.join(edges, on="line", how="anti")
        plain = pl.concat([plain, edges]).sort("line")
    if plain.is_empty():
        raise UnreadableFileError(f"{path}: holds no edges, only comments.")
    plain = _without_attributes(path, plain)
    _note_comments(path, comments, plain, separator)
    above = comments.filter(pl.col("line") < plain["line"][0])["text"].to_list()
    return Lines(plain, separator, tuple(comment.lstrip("#% ") for comment in above))


def _edge_like(sample: str, separator: str) -> Callable[[str], bool]:
    """Whether a line that begins with ``#`` has as many cells as an edge, and does not name the columns."""
    width = len(_split(sample, separator))

    def judge(text: str) -> bool:
        cells = _split(text, separator)
        named = columns_of([cells[0][1:], *cells[1:]], over_numbers=False) if len(cells) > 1 else None
        return len(cells) == width and not isinstance(named, Columns)

    return judge


def _without_attributes(path: Path, edges: pl.DataFrame) -> pl.DataFrame:
    """The lines without the braces that networkx writes behind edges."""
    braces = edges["text"].str.ends_with("}")
    if not braces.any():
        return edges
    if not edges["text"].str.contains(r"[\s,]\{\}$").all():
        raise bad_lines(
            path, edges.filter(braces), "ends in attributes; write the edges without (networkx: data=False)"
        )
    return edges.with_columns(pl.col("text").str.replace(r"[\s,]+\{\}$", ""))


def _note_comments(path: Path, comments: pl.DataFrame, edges: pl.DataFrame, separator: str) -> None:
    """Say which lines were left out that could be edges, and what the comments say about the edges.

    Raises:
        UnreadableFileError: Members and things, each with numbers of their own, stand in one file.
    """
    texts = comments["text"]
    if texts.str.contains(r"^%+\s*bip\b").any():
        raise UnreadableFileError(
            f"{path}: is a bipartite network (% bip): its two columns number different things, so nobody in it follows "
            "anybody. Take a network of one kind of members."
        )
    if texts.str.contains(r"^%+\s*sym\b|(?i)\bundirected\b").any():
        note_undirected(path)
    # Where blanks separate, `#trees ana` above the edges is an edge as well as a comment.
    two_words = pl.col("text").str.contains(r"^[#%]\w\S* +\S+$") if separator == " " else pl.lit(False)
    could_be = comments.filter((pl.col("line") > edges["line"][0]) | two_words)
    if len(could_be):
        note(
            path,
            f"{len(could_be):,} lines that begin with # or % were left out as comments (first: line "
            f"{could_be['line'][0]}). If they are edges, separate the columns by commas.",
        )


def note_undirected(path: Path) -> None:
    """Say loudly that a direction is read into edges that have none."""
    note(
        path,
        "says that its edges have no direction. Each is read as one following all the same: the first follows the "
        "second. Whoever wins may hang on that order.",
    )


def _separator(path: Path, lines: pl.DataFrame) -> str:
    r"""What separates cells: ``,``, ``;``, ``\t``, or a blank for any run of tabs and blanks."""
    first = re.sub(r"\s*([,;])\s*", r"\1", re.sub(r'"[^"]*"', "", lines["text"][0].strip()))
    if "\t" in first:
        if lines["text"].str.contains('"', literal=True).any():
            return "\t"
        if not lines["text"].str.contains(" ", literal=True).any():
            return " "
        # Tabs and blanks may be mixed as long as no name holds a blank; numbers are no names.
        tabs = lines["text"].str.replace_all(r" *\t *", "\t")
        names = tabs.str.contains(r"[^\t\d] +[^\t]|[^\t] +[^\t\d]") & tabs.str.contains("\t", literal=True)
        return "\t" if names.any() else " "
    if "," in first and ";" in first:
        raise bad_lines(path, lines.head(1), "holds commas and semicolons, so it is not clear where a cell ends")
    return "," if "," in first else ";" if ";" in first else " "


def _split(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # longer than any id
        return text.split(separator)


def split_lines(path: Path, lines: pl.DataFrame, separator: str) -> pl.DataFrame:
    """The lines with their cells as the text columns "1", "2", …; every line must have as many as the first.

    Raises:
        UnreadableFileError: A line has more or fewer, or a quote that is never closed.
    """
    apart = pl.col("text")
    if lines.select(apart.str.contains('"', literal=True).any()).item():
        lines = _unquoted(path, lines, separator)
    elif separator == " ":
        lines = lines.with_columns(apart=apart.str.replace_all(r"[ \t]+", _MARK))
    else:
        lines = lines.with_columns(apart=apart.str.replace_all(separator, _MARK, literal=True))
    width = lines["apart"][0].count(_MARK) + 1
    if width < 2:
        raise bad_lines(
            path, lines.head(1), f"has {width} columns; an edge has two ids, and at most a weight and a time"
        )
    uneven = lines.filter(pl.col("apart").str.count_matches(_MARK, literal=True) != width - 1)
    if len(uneven):
        raise bad_lines(path, uneven, f"has not {width} columns as the first line has")
    names = [str(column + 1) for column in range(width)]
    split = pl.col("apart").str.split_exact(_MARK, width - 1).struct.rename_fields(names)
    cells = lines.select("line", "text", split.alias("cells")).unnest("cells")
    return cells.with_columns(pl.col(names).str.strip_chars())


def _unquoted(path: Path, lines: pl.DataFrame, separator: str) -> pl.DataFrame:
    """The lines with their cells apart, where cells may stand in double quotes; no cell runs over the end of a line."""
    apart = []
    delimiter = separator if separator.strip(" ") else " "
    for text in lines["text"].to_list():
        try:
            text = text.replace("\t", " ") if delimiter == " " else text
            apart.append(_MARK.join(next(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))))
        except csv.Error:
            raise bad_lines(path, lines[len(apart)], "has a double quote that is never closed") from None
    return lines.with_columns(apart=pl.Series(apart, dtype=pl.String))


def without_blank_columns(cells: pl.DataFrame) -> pl.DataFrame:
    """Spreadsheets leave columns without a value behind the others."""
    blank = [name for name in cells.columns[4:] if (cells[name] == "").all()]
    return cells.drop(blank)


def width_of(edges: pl.DataFrame) -> int:
    """How many cells a line has."""
    return edges.width - 2  # without line and text


def note(path: Path, sentence: str) -> None:
    """Warn of something in the file."""
    warnings.warn(f"{path}: {sentence}", TableWarning, stacklevel=3)


def bad_lines(path: Path, lines: pl.DataFrame, what: str) -> UnreadableFileError:
    """The error about some lines; the first is shown."""
    text = lines["text"][0]
    more = f" So do {len(lines) - 1:,} more lines." if len(lines) > 1 else ""
    return UnreadableFileError(
        f"{path}: line {lines['line'][0]} {what}: {text[:80]!r}{'…' if len(text) > 80 else ''}.{more} An edge list "
        "has a line 'follower followee [weight [time]]' an edge, separated by commas, semicolons, tabs or blanks."
    )
