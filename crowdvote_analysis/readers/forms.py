"""Answers of a form, or columns of choices and nothing else → ballots.

Google Forms, Microsoft Forms, LimeSurvey, Typeform and the like write one line an answer: when it came, from whom, and
one column a question. A question with several lines (a grid) becomes a column each, ``Question [Line]``.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, Problem, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import odd_names
from crowdvote_analysis.readers.choice_columns import OTHERWISE, choose_columns, quoted
from crowdvote_analysis.readers.grids import is_grid_line, keeps_points, question_of, quiz_columns
from crowdvote_analysis.readers.index_columns import numbers_the_lines
from crowdvote_analysis.readers.layout import chosen, short_name
from crowdvote_analysis.readers.star_cells import holds_stars, may_be_stars
from crowdvote_analysis.readers.summaries import lists_choices, refuse_distribution, refuse_summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crowdvote_analysis.readers.layout import Layout
    from crowdvote_analysis.readers.sheet import Sheet

_NOBODY = ("anonymous", "anonym", "anonyme", "anónimo", "anonimo", "anonieme", "guest")
# When an answer was sent: LimeSurvey, Typeform.
_SENT = ("submitdate", "date submitted", "submit date (utc)")
# What says that it was not, by column: Typeform, Qualtrics.
_UNSENT = {"finished": ["false", "0"], "response type": ["partial"], "status": ["partial", "incomplete"]}
_TRIALS = ["survey preview", "survey test", "spam"]  # Qualtrics
_STARS = r"^\+?(0*[0-4](\.[0-9]*)?|0*5(\.0*)?)$"


def voter_column(path: Path, sheet: Sheet, layout: Layout) -> str | None:
    """The column that says who voted: the one that was named, else the surest that says something; none if none does.

    Raises:
        UnreadableFileError: The column that was named is not there.
    """
    headers = _headers(sheet)
    if layout.id_column is not None:
        named = layout.id_column
        found = [c for c, header in headers.items() if header == named] or [
            c for c, header in headers.items() if odd_names.plain(header) == odd_names.plain(named)
        ]
        if len(found) != 1:
            raise UnreadableFileError(
                f"{path}: there {'is no column' if not found else 'are several columns'} {named!r} (--id). Columns: "
                f"{', '.join(headers.values())}. {sheet.dialect}."
            )
        return found[0]
    asked = chosen(headers.values(), layout.choices)
    for name in odd_names.PEOPLE:
        for column, header in headers.items():
            if odd_names.plain(header) == name and header not in asked and _tells_apart(sheet.rows[column]):
                return column
    return None


def form_choices(path: Path, sheet: Sheet, layout: Layout, voter: str | None) -> dict[str, dict[str, str]]:
    """The choices of each question, by column; a sheet without grids is one question, named after the file.

    Notes what was taken as what.

    Raises:
        UnreadableFileError: No column is a choice, or the header is none.
        InvalidTableError: A column cannot be stars, and nobody said that it is no choice.
    """
    headers = {column: header for column, header in _headers(sheet).items() if column != voter}
    if not layout.choices and not layout.id_column:
        refuse_summary(path, sheet.header)
        refuse_distribution(path, sheet.header, sheet.rows)
    if voter is not None and not layout.choices:
        _refuse_two_tables(path, sheet, voter)
    if all(re.fullmatch(_STARS, header) for header in sheet.header[1:] or sheet.header):
        raise UnreadableFileError(f"{path}: the first line holds numbers; it must name the choices. {sheet.dialect}.")
    quiz = _quiz(headers)
    grid = {column: header for column, header in headers.items() if is_grid_line(header) and column not in quiz}
    if layout.choices or grid:
        aside = {} if layout.choices else {c: h for c, h in headers.items() if c not in grid}
    else:
        aside = {
            c: h
            for c, h in headers.items()
            if c in quiz or (voter and odd_names.plain(h) in odd_names.PEOPLE) or _is_aside(h, sheet.rows[c])
        }
    left = {column: header for column, header in headers.items() if column not in aside}
    who = f" {sheet.header[int(voter)]}" if voter else ""
    rule = (
        f"Every column other than{who}{''.join(f', {h}' for h in aside.values())}" if who or aside else "Every column"
    )
    if voter is None and not layout.choices:
        _ask_who_voted(path, sheet, left)
    choices = choose_columns(str(path), sheet.rows, left, layout, rule) if left else {}
    if not choices:
        raise UnreadableFileError(
            f"{path}: no column was taken as a choice. Columns: {', '.join(sheet.header)}. {OTHERWISE} {sheet.dialect}."
        )
    if voter is None:
        _doubt_numbering(path, sheet, choices)
    named = {c: name if layout.choices else short_name(name) if c in grid else name for c, name in choices.items()}
    questions: dict[str, dict[str, str]] = {}
    several = len({question_of(headers[column]) for column in named}) > 1 and set(named) <= set(grid)
    for column, name in named.items():
        questions.setdefault(question_of(headers[column]) if several else path.stem, {})[column] = name
    aside = {column: header for column, header in headers.items() if column not in named}
    _doubt_unfinished(path, sheet, aside)
    if not layout.choices:
        points = {c for c in quiz if keeps_points(headers[c]) or odd_names.is_summary(headers[c])}
        _doubt_stars(path, sheet, {column: header for column, header in aside.items() if column not in points})
    asked = list(dict.fromkeys(question_of(headers[column]) for column in named)) if set(named) <= set(grid) else []
    _say(path, sheet, voter, named, list(aside.values()), asked)
    return questions


def _refuse_two_tables(path: Path, sheet: Sheet, voter: str) -> None:
    """Raise if the column that says who voted stands there again with other voters; none is shown (P1)."""
    own, name = sheet.rows[voter], odd_names.plain(sheet.header[int(voter)])
    for column, header in _headers(sheet).items():
        if column == voter or odd_names.plain(header) != name:
            continue
        others = (own != sheet.rows[column]).fill_null(value=False)
        if others.any():
            number = int(others.sum())
            lines = "1 line names" if number == 1 else f"{number:,} lines name"
            raise UnreadableFileError(
                f"{path}: {lines} another voter in the second column {header!r} than in the first (first: line "
                f"{sheet.lines.filter(others)[0]:,}), so two tables seem to stand side by side. Put each into a file "
                "of its own; or name the choices of one ballot: --choices."
            )


def _quiz(headers: Mapping[str, str]) -> set[str]:
    """The columns in which a quiz keeps points and remarks, and their sum."""
    beside = set(quiz_columns(headers.values()))
    return {c for c, h in headers.items() if h in beside or (beside and odd_names.is_summary(h))}


def _ask_who_voted(path: Path, sheet: Sheet, left: Mapping[str, str]) -> None:
    """Raise if columns of words are left, of which one may say who voted; no cell is shown (P1)."""
    if lists_choices(sheet.header[0]):
        raise UnreadableFileError(
            f"{path}: the first column is {sheet.header[0]!r}, so a line seems to be a choice; here a line has to be a "
            "ballot, and a column a choice. Turn the sheet round (spreadsheets call it transpose)."
        )
    words = [header for column, header in left.items() if not may_be_stars(sheet.rows[column])]
    if words and len(sheet.header) == 1:
        raise UnreadableFileError(
            f"{path}: holds one column only, and no number in it; are the columns separated by something else? "
            f"{sheet.dialect}."
        )
    if words:
        sentence = f"no cell is a number of stars in {', '.join(words)}, and no column is known to say who voted"
        raise InvalidTableError(
            [Problem("ballots", "stars|type", f"{path}: {sentence}", 0, ())],
            f"If {words[0]!r} says who voted: --id {quoted(words[0])}. If its cells are the choices, turn the sheet "
            "round (spreadsheets call it transpose), so that a line is a ballot. Leave out what is no choice: "
            f"{' '.join(f'--leave-out {quoted(name)}' for name in words)}. {sheet.dialect}.",
        )


def _doubt_numbering(path: Path, sheet: Sheet, choices: Mapping[str, str]) -> None:
    """Note loudly if the first choice numbers the lines: it may say who voted."""
    column, header = next(iter(choices.items()))
    if numbers_the_lines(sheet.rows[column]):
        warnings.warn(
            f"{path}: the column {header!r} numbers the lines, and was counted as a choice. If it says who voted: "
            f"--id {quoted(header)}; if it is nothing of both, leave it out: --leave-out {quoted(header)}.",
            DoubtWarning,
            stacklevel=3,
        )


def _headers(sheet: Sheet) -> dict[str, str]:
    return {str(position): header for position, header in enumerate(sheet.header)}


def _tells_apart(cells: pl.Series) -> bool:
    """Whether a column says who voted: Microsoft Forms writes ``anonymous`` for everybody where it may not tell."""
    known = cells.drop_nulls().str.to_lowercase().unique()
    return any(name not in _NOBODY for name in known)


def _is_aside(header: str, cells: pl.Series) -> bool:
    """Whether a column is called like what forms write beside the answers, and does not hold stars all the same."""
    known = cells.drop_nulls()
    stars = not known.is_empty() and known.str.contains(_STARS).all()
    return odd_names.holds_no_stars(header) and not stars


def _doubt_unfinished(path: Path, sheet: Sheet, aside: Mapping[str, str]) -> None:
    """Warn of answers that were begun and never sent, or sent to try the form out, if they are exported with others."""
    unsent, tried = (pl.repeat(False, len(sheet.rows), dtype=pl.Boolean, eager=True) for _ in range(2))
    by: dict[str, list[str]] = {"unsent": [], "tried": []}
    for column, header in aside.items():
        cells, name = sheet.rows[column], odd_names.plain(header)
        marks = cells.str.to_lowercase()
        if name in _SENT and cells.null_count() < len(cells):
            found, trial = cells.is_null(), None
        elif name in ("finished", "response type", "status"):
            found, trial = marks.is_in(_UNSENT[name]).fill_null(False), marks.is_in(_TRIALS).fill_null(False)
        else:
            continue
        if found.any():
            unsent, by["unsent"] = unsent | found, [*by["unsent"], header]
        if trial is not None and trial.any():
            tried, by["tried"] = tried | trial, [*by["tried"], header]
    for which, found, what in (("unsent", unsent, "never sent"), ("tried", tried, "sent as a test, or as spam")):
        lines = sheet.lines.filter(found).to_list()
        if lines:
            answers = "1 answer was" if len(lines) == 1 else f"{len(lines)} answers were"
            _doubt(
                path,
                f"{answers} {what}, as {' and '.join(map(repr, by[which]))} says (first: line {lines[0]}), and counted "
                "all the same. Export complete answers only, or leave them out by the id of the voter (--leave-out)",
            )


def _doubt_stars(path: Path, sheet: Sheet, aside: Mapping[str, str]) -> None:
    """Warn of columns full of stars that are no choices beside those that were taken for choices."""
    full = [
        header
        for column, header in aside.items()
        if not odd_names.is_about_the_ballot(header) and holds_stars(sheet.rows[column])
    ]
    if full:
        shown = ", ".join(map(repr, full))
        _doubt(path, f"not looked at, though all cells could be stars: {shown}. --choices names all that are choices")


def _doubt(path: Path, sentence: str) -> None:
    warnings.warn(f"{path}: {sentence}.", DoubtWarning, stacklevel=4)


def _say(
    path: Path, sheet: Sheet, voter: str | None, choices: Mapping[str, str], aside: list[str], asked: list[str]
) -> None:
    """Note what was taken as what; ``asked`` are the questions whose grids hold the choices."""
    grids = f" (the lines of the grid {', '.join(map(repr, asked))})" if asked else ""
    who = (
        f"one ballot a line, by the voter in {sheet.header[int(voter)]!r}"
        if voter
        else "one ballot a line, because no column says who voted"
    )
    rest = f" Not looked at: {', '.join(aside)}." if aside else ""
    warnings.warn(
        f"{path}: is no export of star.vote or BetterVoting, and was read so: {who}; choices "
        f"{', '.join(dict.fromkeys(choices.values()))}{grids}.{rest} --id and --choices say otherwise"
        f"{f', such as --id {quoted(sheet.header[int(voter)])}' if voter else ''}.",
        TableWarning,
        stacklevel=3,
    )
