"""Columns of forms that belong together by their headers: the lines of a grid, and what a quiz writes beside them.

A grid is a question with several lines, ``Question [Line]`` in the header. A quiz writes points and remarks beside
every answer, which look alike: ``Pond``, ``Pond [Score]``, ``Pond [Feedback]`` (Google), ``Points - Pond`` (Microsoft).
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import DoubtWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_GRID = re.compile(r"(.*?)\s*\[.+\]", re.DOTALL)
_LAST_BRACKET = re.compile(r"(.+?)\s*\[([^\[\]]+)\]", re.DOTALL)
_WITH_DASH = re.compile(r"(\w+) - (.+)", re.DOTALL)
_COLUMNS = 2  # that a quiz writes beside an answer
_POINTS = frozenset(
    "score points punktzahl punkte puntuación puntos pontuação pontos punteggio punti note スコア 得点 点数".split()  # noqa: SIM905
)
_REMARKS = frozenset("feedback kommentar commentaire commentaires comentarios comentários フィードバック".split())  # noqa: SIM905


def is_grid_line(header: str) -> bool:
    """Whether a column is called like a line of a grid."""
    return bool(_GRID.fullmatch(header))


def question_of(header: str) -> str:
    """The question that a column of a grid is a line of; ``question`` where there is none."""
    found = _GRID.fullmatch(header)
    return (found[1].strip(" :") if found else "") or "question"


def quiz_columns(headers: Collection[str]) -> list[str]:
    """The headers that say something about the answer in another column, as a quiz writes them.

    They are known by their words, or, in another language, by one or two words that stand alike behind several columns.
    """
    beside = {header: match.groups() for header in headers if (match := _LAST_BRACKET.fullmatch(header))}
    labels: dict[str, set[str]] = {}
    for answer, label in beside.values():
        labels.setdefault(answer, set()).add(label.strip().lower())
    answers = [answer for answer in labels if answer in headers]
    alike = len(answers) > 1 and all(labels[answer] == labels[answers[0]] for answer in answers)
    alike = alike and len(labels[answers[0]]) <= _COLUMNS
    both = {answer for answer, found in labels.items() if found & _POINTS and found & _REMARKS}
    found = []
    for header in headers:
        answer, label = beside.get(header, ("", ""))
        dash = _WITH_DASH.fullmatch(header)
        if (
            (answer in answers and (alike or _is_of_quiz(label)))
            or (answer in both and _is_of_quiz(label))
            or (dash and dash[2] in headers and _is_of_quiz(dash[1]))
        ):
            found.append(header)
    return found


def keeps_points(header: str) -> bool:
    """Whether a column is called like points or remarks of a quiz, in a language that is known."""
    found, dash = _LAST_BRACKET.fullmatch(header), _WITH_DASH.fullmatch(header)
    return bool((found and _is_of_quiz(found[2])) or (dash and _is_of_quiz(dash[1])))


def doubt_mixture(place: str, headers: Sequence[str]) -> None:
    """Note loudly if the choices of one decision are lines of a grid and other columns, or lines of several grids."""
    points = quiz_columns(headers)
    headers = [header for header in headers if header not in points]
    grids = dict.fromkeys(question_of(header) for header in headers if is_grid_line(header))
    others = [header for header in headers if not is_grid_line(header)]
    if grids and (others or len(grids) > 1):
        parts = [f"lines of the grid {name!r}" for name in grids]
        if others:
            parts.append(f"{'a column' if len(others) == 1 else 'columns'} beside grids ({', '.join(others[:3])})")
        warnings.warn(
            f"{place}: the choices of one decision are {' and '.join(parts)}. If these are several questions, leave "
            "the others out (--choices, --leave-out), or give each question a decision_id and lines of its own.",
            DoubtWarning,
            stacklevel=3,
        )


def _is_of_quiz(word: str) -> bool:
    return word.strip().lower() in _POINTS | _REMARKS
