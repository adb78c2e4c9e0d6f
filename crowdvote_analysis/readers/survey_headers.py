"""Headers of several lines, as services for surveys write them → one line.

SurveyMonkey writes the questions above and their lines below, ``Response`` where there is one only; what it knows of
whoever answered has a header above and nothing below. Qualtrics writes short names, then the questions, then ids in
JSON (``{"ImportId":"QID1"}``).
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.readers.odd_names import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

_IMPORT_ID = '{"ImportId"'
_FIRST = ("respondent id", "respondentid")
_ANSWER = frozenset(
    {"response", "open-ended response", "antwort", "offene antwort", "réponse", "réponse ouverte", "respuesta"}
    | {"respuesta abierta", "risposta", "resposta", "antwoord", "回答"}
)
_MATRIX = re.compile(r"(.+)_[0-9]+")  # Q1_2: the second line of a question
_SHOWN = 6  # names that a note lists


def has_import_ids(lines: Sequence[str]) -> bool:
    """Whether the first of some lines holds the header of Qualtrics, of three lines (more where texts have several)."""
    return any(_IMPORT_ID in line.replace('""', '"') for line in lines)


def join_header(path: Path, header: list[str], rows: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """The header with what the lines below it say, and the rows without these lines; as they are where it has one line.

    Args:
        path: The file, for the note.
        header: Names of the columns.
        rows: Text columns named ``"0"``, ``"1"`` …, and ``line``.
    """
    first = rows.drop("line").head(2).rows()
    if len(first) > 1 and sum((cell or "").startswith(_IMPORT_ID) for cell in first[1]) > 1:
        names, below, service = _with_questions(header, first[0]), 2, "Qualtrics"
    elif first and plain(header[0]) in _FIRST and _is_second_line(first[0]):
        names, below, service = _with_lines(header, first[0]), 1, "SurveyMonkey"
    else:
        return header, rows
    lines = rows["line"].head(below).to_list()
    changed = [name for name, before in zip(names, header, strict=True) if name != before]
    shown = ", ".join(map(repr, changed[-_SHOWN:]))
    warnings.warn(
        f"{path}: {'line' if below == 1 else 'lines'} {' and '.join(f'{line:,}' for line in lines)} "
        f"{'is a further line' if below == 1 else 'are further lines'} of the header, as {service} writes them, and no "
        f"{'ballot' if below == 1 else 'ballots'}"
        + (f"; columns were named by them: {'…, ' if len(changed) > _SHOWN else ''}{shown}." if changed else "."),
        TableWarning,
        stacklevel=3,
    )
    return names, rows[below:]


def _is_second_line(cells: Sequence[str | None]) -> bool:
    """Whether cells are no answer: no respondent, and words alone."""
    known = [cell for cell in cells if cell is not None]
    return cells[0] is None and bool(known) and not any(re.fullmatch(r"[0-9.,★]+", cell) for cell in known)


def _with_lines(header: Sequence[str], cells: Sequence[str | None]) -> list[str]:
    """The questions, each with its line in brackets behind it, like the grids of other forms."""
    names, question = [], ""
    for name, cell in zip(header, cells, strict=True):
        question = name or question
        line = _one_line(cell)
        names.append(f"{question} [{line}]" if line and line.lower() not in _ANSWER else name)
    return names


def _with_questions(header: Sequence[str], cells: Sequence[str | None]) -> list[str]:
    """The questions in place of short names; where several lines share one, each line in brackets behind it."""
    texts = [_one_line(cell) or name for name, cell in zip(header, cells, strict=True)]
    matrices: dict[str, list[int]] = {}
    for position, name in enumerate(header):
        if found := _MATRIX.fullmatch(name):
            matrices.setdefault(found[1], []).append(position)
    for positions in (positions for positions in matrices.values() if len(positions) > 1):
        for cut in (str.rpartition, str.partition):
            parts = [cut(texts[position], " - ") for position in positions]
            if all(between for _, between, _ in parts) and len({question for question, _, _ in parts}) == 1:
                for position, (question, _, line) in zip(positions, parts, strict=True):
                    texts[position] = f"{question} [{line}]"
                break
    return texts


def _one_line(cell: str | None) -> str:
    return " ".join((cell or "").split())
