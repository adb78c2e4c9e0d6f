"""Ballots with one column a choice: which of the columns are choices, and which only stand beside them.

An index is never a choice. What looks like no choice and may be one is counted and loudly noted, with the way to leave
it out; what cannot be stars is refused.
"""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, Problem, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import odd_names
from crowdvote_analysis.readers.grids import quiz_columns
from crowdvote_analysis.readers.index_columns import (
    is_index,
    is_numbering,
    may_be_index,
    must_be_index,
    seems_numbering,
)
from crowdvote_analysis.readers.layout import chosen
from crowdvote_analysis.readers.scales import scale_hint
from crowdvote_analysis.readers.sections import copy_of
from crowdvote_analysis.readers.star_cells import holds_stars, may_be_stars

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crowdvote_analysis.readers.layout import Layout

OTHERWISE = "--choices and --leave-out say otherwise."


def choose_columns(
    place: str, ballots: pl.DataFrame, headers: Mapping[str, str], layout: Layout, rule: str
) -> dict[str, str]:
    """The columns that are choices, each with the name of its choice.

    Args:
        place: The file, for messages.
        ballots: One row a ballot.
        headers: The headers of the columns that may be choices, by the name they have in ``ballots``.
        layout: What somebody said about the sheet; without choices every column is one but for an index.
        rule: Which columns are taken as choices, for messages: ``Every column other than …``.

    Raises:
        UnreadableFileError: A choice that was asked for has no column, or what is called like an index holds no index.
        InvalidTableError: Columns cannot be stars.
    """
    if layout.choices:
        asked = _asked_for(place, headers, layout.choices)
        _doubt_left(place, ballots, {column: header for column, header in headers.items() if column not in asked})
        return asked
    columns = dict(headers)
    for column, header in headers.items():
        if may_be_index(header) and is_index(header, ballots[column]):
            del columns[column]
            _note(place, f"the column {header!r} numbers the lines; it was left out as an index. {_keep(header)}")
        elif must_be_index(header):
            raise UnreadableFileError(
                f"{place}: the column {header!r} is called like an index that a program wrote, and does not number the "
                f"lines. Leave it out with --leave-out {quoted(header)}, or rename it."
            )
        elif is_numbering(ballots[column]):
            raise UnreadableFileError(
                f"{place}: the column {header!r} holds 1, 2, 3 … line by line: it numbers the lines and holds no "
                f"stars. Leave it out: --leave-out {quoted(header)}. If it says who voted: --id {quoted(header)}."
            )
        elif seems_numbering(header, ballots[column]):
            _doubt(
                place,
                f"the column {header!r} holds 1, 2, 3 … line by line; it seems to number the lines, and was counted as "
                f"a choice. If it is none, leave it out: --leave-out {quoted(header)}.",
            )
    _refuse_what_cannot_be_stars(ballots, columns, why_choices(rule, list(columns.values())))
    for header in columns.values():
        doubt_name(place, "column", header)
    _doubt_copies(place, list(columns.values()))
    for header in quiz_columns(columns.values()):
        _doubt(
            place,
            f"the column {header!r} looks like points or remarks that a quiz keeps beside an answer, and was counted "
            f"as a choice. If it is none, leave it out: --leave-out {quoted(header)}.",
        )
    for column, header in columns.items():
        if odd_names.is_flag(header, ballots[column]):
            _doubt(
                place,
                f"the column {header!r} holds 0 and 1 alone, as if it said yes or no of a ballot, and was counted as a "
                f"choice; no ballot was left out for it. If it is none, leave it out: --leave-out {quoted(header)}.",
            )
    grades = [header for header in columns.values() if odd_names.says_one_is_best(header)]
    if grades:
        _doubt(
            place,
            f"the header says what a 1 means ({grades[0]!r}). Here 5 stars are best, and the numbers were counted as "
            "they stand; if 1 is best, turn them round (6 minus the number).",
        )
    ranks = [header for header in columns.values() if odd_names.is_rank(header)]
    if ranks:
        _doubt(
            place,
            f"the header speaks of ranks ({', '.join(ranks[:3])}{', …' if len(ranks) > 3 else ''}); stars count the "
            "other way round: 5 is best, and a 1 as the best rank would be the worst but one.",
        )
    return columns


def quoted(name: str) -> str:
    """A name as it is written on the command line."""
    return '"' + name.replace('"', '\\"') + '"'


def why_choices(rule: str, choices: Sequence[str]) -> str:
    """Why columns were taken as choices, and how to say otherwise."""
    return f"{rule} is taken as a choice, its cells as stars; here: {', '.join(choices)}. {OTHERWISE}"


def _refuse_what_cannot_be_stars(ballots: pl.DataFrame, columns: Mapping[str, str], why: str) -> None:
    floats = [header for column, header in columns.items() if ballots.schema[column].is_float()]
    if floats:
        sentence = f"stars are exact (D10), and these columns are binary floats: {', '.join(floats)}"
        raise InvalidTableError(
            [Problem("ballots", "stars|type", sentence, 0, ())],
            f"Write them as text, integers or Decimal(9, 8). {why}",
        )
    bad = {column: header for column, header in columns.items() if not may_be_stars(ballots[column])}
    wrong = list(bad.values())
    if wrong:
        # The cells are not shown: they may hold the name of somebody who is anonymous (P1).
        sentence = (
            f"no cell is a number of stars in {'the column' if len(wrong) == 1 else 'the columns'} {', '.join(wrong)}"
        )
        scales = dict.fromkeys(scale_hint(ballots[column].cast(pl.String, strict=False)) for column in bad)
        near = [f"'{name}' may be meant as '{meant}'." for name in wrong for meant in _near_column(name)]
        raise InvalidTableError(
            [Problem("ballots", "stars|type", sentence, 0, ())],
            " ".join(
                [
                    why,
                    *(scale for scale in scales if scale),
                    *near,
                    *(
                        ["Where a number stands with words, leave the number alone."]
                        if _begin_with_numbers(ballots, bad)
                        else []
                    ),
                    "Rename or remove the columns that are not choices, or leave them out: "
                    f"{' '.join(f'--leave-out {quoted(name)}' for name in wrong)}.",
                ]
            ),
        )


def _begin_with_numbers(ballots: pl.DataFrame, columns: Iterable[str]) -> bool:
    """Whether cells look like ``4 stars`` or ``4 - good``."""
    cells = pl.concat([ballots[column].cast(pl.String, strict=False) for column in columns]).drop_nulls()
    return bool(cells.str.contains(r"^\s*[0-5]\b[^0-9:/.-]*$|^\s*[0-5] ?[-–:=.] ?\D").any())


def _asked_for(place: str, headers: Mapping[str, str], choices: Sequence[str]) -> dict[str, str]:
    found = chosen(headers.values(), choices)
    lost = [choice for choice in choices if choice not in found.values()]
    if lost:
        raise UnreadableFileError(
            f"{place}: there is no column for the choice {', '.join(map(repr, lost))} (--choices). Columns: "
            f"{', '.join(headers.values())}."
        )
    return {column: found[header] for column, header in headers.items() if header in found}


def _doubt_left(place: str, ballots: pl.DataFrame, left: Mapping[str, str]) -> None:
    """Note loudly the columns that hold stars and were not asked for: nobody may have meant to lose them."""
    lost = [h for c, h in left.items() if holds_stars(ballots[c]) and not _is_known_aside(h, ballots[c])]
    if lost:
        _doubt(
            place,
            f"--choices leaves out what holds numbers like stars: {', '.join(lost)}. "
            "Name them too if they are choices.",
        )


def _is_known_aside(header: str, cells: pl.Series) -> bool:
    """Whether a column is called like no choice anyway, or numbers the lines."""
    return (
        is_index(header, cells)
        or odd_names.counts_ballots(header)
        or odd_names.is_summary(header)
        or odd_names.is_about_the_ballot(header)
    )


def doubt_name(place: str, what: str, name: str) -> None:
    """Note loudly if a column, or a choice of rows, is called like something that is no choice."""
    out = f"If it is none, leave it out: --leave-out {quoted(name)}."
    if odd_names.counts_ballots(name):
        _doubt(
            place,
            f"the {what} {name!r} looks like a number of ballots, and was counted as a choice. Weights of ballots are "
            f"not supported: every line is one ballot. {out}",
        )
    elif odd_names.is_summary(name) or odd_names.is_about_the_ballot(name) or may_be_index(name):
        _doubt(place, f"the {what} {name!r} looks like no choice, and was counted as one. {out}")


def _doubt_copies(place: str, headers: Sequence[str]) -> None:
    """Note loudly second columns of one choice that a program renamed.

    pandas calls them ``Ann.1``, or ``Ann_x`` and ``Ann_y``; polars ``Ann_duplicated_0`` or ``Ann_right``; R
    ``Ann...3``.
    """
    copies = {header: name for header in headers if (name := copy_of(header))}
    for header, name in copies.items():
        if name in headers or list(copies.values()).count(name) > 1:
            _doubt(
                place,
                f"the column {header!r} looks like one of several columns {name!r} that a program renamed, and was "
                f"counted as a choice of its own. If it is none, leave it out: --leave-out {quoted(header)}.",
            )


def _keep(header: str) -> str:
    return (
        f"If it is a choice, name all choices: --choices {quoted(header + ', …')}." if not must_be_index(header) else ""
    )


def _near_column(name: str) -> list[str]:
    return get_close_matches(name.lower().replace(" ", "_"), tables.columns("ballots"), n=1, cutoff=0.75)


def _note(place: str, sentence: str) -> None:
    warnings.warn(f"{place}: {sentence.strip()}", TableWarning, stacklevel=3)


def _doubt(place: str, sentence: str) -> None:
    warnings.warn(f"{place}: {sentence}", DoubtWarning, stacklevel=3)
