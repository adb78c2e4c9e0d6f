"""One question in several sections of a form: its columns are there once a section, and every line fills one of them.

A form that asks members of each house in a section of their own writes ``Which? [Red]`` once a section. Counted apart,
or with all but one of the columns removed, each choice would lose the ballots of the other sections.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning
from crowdvote_analysis.readers.layout import RANKED, chosen
from crowdvote_analysis.readers.star_cells import holds_stars

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crowdvote_analysis.readers.sheet import Sheet

# What pandas, polars and R call a second column of one name.
_COPY = re.compile(r"(.+?)(\.{1,3}[1-9][0-9]*|_duplicated_[0-9]+|_right|_left|_[xy])", re.DOTALL)
_SHOWN = 4  # columns that a message names


def copy_of(header: str) -> str | None:
    """The name that a column had before a program renamed it: ``Ann`` for ``Ann.1``, ``Ann_x``; else none."""
    found = _COPY.fullmatch(header)
    return found[1] if found else None


def join_sections(place: str, sheet: Sheet, choices: Collection[str] = ()) -> Sheet:
    """The sheet with columns of one name as one column, where no line fills two of them; notes it loudly.

    Columns that a program has renamed (``Ann.1``) are taken for columns of one name if they hold stars. What fills two
    of them in one line is left as it stands.

    Args:
        place: The file, for messages.
        sheet: The sheet; names may repeat.
        choices: Names that somebody listed; renamed columns of these names are columns of their own.
    """
    found = [group for group in _groups(sheet, choices) if len(group) > 1]
    apart = {n: not _both(sheet, group).any() for n, group in enumerate(found)}
    starry = {n: all(_stars_or_blank(sheet.rows.to_series(column)) for column in found[n]) for n in apart}
    # Choices of one question: half of them joined and the others not would be neither of both.
    whole = all(apart[n] for n in apart if starry[n])
    groups = [group for n, group in enumerate(found) if apart[n] and (whole or not starry[n])]
    if not groups:
        return sheet
    rows, header, gone = sheet.rows, list(sheet.header), set()
    for first, *others in groups:
        header[first] = _name(sheet, [first, *others])
        rows = rows.with_columns(pl.coalesce(pl.nth([first, *others])).alias(str(first)))
        gone.update(others)
    moved = sum(len(rows) - sheet.rows.to_series(position).null_count() for position in gone)
    names = list(dict.fromkeys(sheet.header[position] for group in groups for position in group))
    columns = sum(map(len, groups))
    warnings.warn(
        f"{place}: {columns} columns have the same name as another ({_listed(names)}), and no line fills two of one "
        f"name: they were taken for one question in several sections of a form, and joined into {len(groups)} "
        f"{'column' if len(groups) == 1 else 'columns'}; {moved:,} {'cell' if moved == 1 else 'cells'} stood in the "
        "second or a later one. If they are different choices, give each a name of its own in the header"
        f"{', or name all choices: --choices' if any(map(copy_of, names)) else ''}.",
        DoubtWarning,
        stacklevel=3,
    )
    kept = [position for position in range(len(header)) if position not in gone]
    return replace(sheet, header=header, rows=rows).only(kept)


def repeats_in_words(sheet: Sheet, names: Collection[str]) -> str:
    """Which lines fill several columns of one name, in a sentence; nothing if none does."""
    groups = [[n for n, header in enumerate(sheet.header) if header == name] for name in names]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return ""
    both = pl.Series([False] * len(sheet.rows), dtype=pl.Boolean)
    for group in groups:
        both = both | _both(sheet, group)
    lines = sheet.lines.filter(both)
    if len(lines) > 1:
        return f" {len(lines):,} lines fill two of one name (first: line {lines[0]:,})."
    return f" Line {lines[0]:,} fills two of one name." if len(lines) else ""


def doubt_sections(place: str, ballots: pl.DataFrame, choices: Mapping[str, str]) -> None:
    """Note loudly choices that fall apart into several sets of which every line fills one: sections, perhaps.

    Args:
        place: The file.
        ballots: One row a ballot of a single decision.
        choices: The choices by column of ``ballots``.
    """
    filled = ballots.select(_filled(pl.col(column), ballots.schema[column]).alias(column) for column in choices)
    patterns = [
        {column for column, there in zip(filled.columns, row, strict=True) if there} for row in filled.unique().rows()
    ]
    sets: list[set[str]] = []
    for pattern in filter(None, patterns):
        touching = [each for each in sets if each & pattern]
        sets = [each for each in sets if each not in touching] + [pattern.union(*touching)]
    if len(sets) > 1 and all(len(each) > 1 for each in sets):
        parts = sorted(sets, key=lambda each: filled.columns.index(min(each, key=filled.columns.index)))
        named = " or ".join(_listed([choices[c] for c in filled.columns if c in part]) for part in parts[:_SHOWN])
        warnings.warn(
            f"{place}: every ballot rates choices of one set and none of the others: {named}. A blank counts 0 (K1). "
            "If it is one question in several sections of a form, give the same choice the same header in each: such "
            "columns are joined.",
            DoubtWarning,
            stacklevel=3,
        )


def doubt_questions(place: str, sheet: Sheet, questions: Mapping[str, Mapping[str, str]]) -> None:
    """Note loudly questions with the same choices of which hardly any line answers two: one question, perhaps.

    Args:
        place: The file.
        sheet: Its rows.
        questions: The choices of each question by column.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for question, columns in questions.items():
        alike.setdefault(tuple(sorted(columns.values())), []).append(question)
    for names in (names for names in alike.values() if len(names) > 1):
        answered = sheet.rows.select(
            pl.any_horizontal(pl.col(list(questions[name])).is_not_null()).alias(str(n)) for n, name in enumerate(names)
        )
        number = answered.select(pl.sum_horizontal(pl.all().cast(pl.Int64))).to_series()
        some, several = int((number > 0).sum()), int((number > 1).sum())
        if several * 2 < some:
            warnings.warn(
                f"{place}: the questions {', '.join(map(repr, names))} have the same choices, and of {some:,} lines "
                f"that answer them {several:,} {'answers' if several == 1 else 'answer'} more than one. Each was "
                "counted as a decision of its own. If it is one question in several sections of a form, write the "
                "same question in front of all of them in the header: such columns are joined.",
                DoubtWarning,
                stacklevel=3,
            )


def _groups(sheet: Sheet, choices: Collection[str]) -> list[list[int]]:
    """The positions of columns of one name, in the order of the first of each."""
    asked = chosen(sheet.header, choices)
    origin = {n: copy_of(name) for n, name in enumerate(sheet.header) if name not in asked}
    origin = {n: name for n, name in origin.items() if name and _stars_or_blank(sheet.rows.to_series(n))}
    times = Counter(name for name in origin.values() if name)
    groups: dict[str, list[int]] = {}
    for n, header in enumerate(sheet.header):
        name = origin.get(n)
        renamed = name is not None and (times[name] > 1 or name in sheet.header)
        groups.setdefault(name if renamed and name else header, []).append(n)
    return [
        group
        for name, group in groups.items()
        if name
        and name not in RANKED
        and (len({sheet.header[n] for n in group}) == 1 or all(_stars_or_blank(sheet.rows.to_series(n)) for n in group))
    ]


def _name(sheet: Sheet, group: Sequence[int]) -> str:
    """The name that joined columns have: without what a program put behind it."""
    names = [sheet.header[position] for position in group]
    return names[0] if len(set(names)) == 1 or copy_of(names[0]) is None else str(copy_of(names[0]))


def _stars_or_blank(cells: pl.Series) -> bool:
    return cells.null_count() == len(cells) or holds_stars(cells)


def _both(sheet: Sheet, group: Sequence[int]) -> pl.Series:
    """Whether a line fills more than one of these columns."""
    return sheet.rows.select(
        pl.sum_horizontal(pl.nth(n).is_not_null().cast(pl.Int64) for n in group).alias("filled") > 1
    ).to_series()


def _filled(cells: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return cells.is_not_null() & (cells.str.strip_chars() != "" if kind == pl.String else True)


def _listed(names: Iterable[str]) -> str:
    named = [repr(name) for name in names]
    return ", ".join(named[:_SHOWN]) + (", …" if len(named) > _SHOWN else "")
