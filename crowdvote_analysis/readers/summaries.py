"""Summaries, with numbers of answers instead of the answers: known by their headers, and refused.

Counted as ballots they would give another winner, and no other layout of the same numbers would give the right one: a
summary does not say which stars came from one voter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers import odd_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

_LISTED = re.compile(
    r"(plan|project|idea|motion|choice|candidate|option|proposal|answer (choice|option))s?|"
    r"(opzione|kandidat|vorschlag|candidat|candidato)s?|"
    r"antwort(möglichkeit|option)(en)?|choix( de réponse)?|(opción|opciones)( de respuesta)?|"
    r"(opção|opções)( de resposta)?|opzioni( di risposta)?|kandidat(en|in|innen)|candidati|vorschläge|"
    r"選択肢|回答の選択肢"
)
_RATINGS = re.compile(r"stars?|ratings?|scores?|points|sterne|punkte|étoiles|estrellas|stelle|estrelas|sterren")
_NUMBERS = re.compile(
    r"(total )?(responses|answers|votes|voters|antworten|stimmen|réponses|respuestas|respostas|risposte)|%|.+ %"
)
_STAR = re.compile(r"[0-5](\.0)?( stars?| ?★)?|★+", re.IGNORECASE)
_COLUMNS = 3  # stars in a header from which they are those of a table of counts
_INSTEAD = (
    "A summary does not say which stars came from one voter, so no ballot can be made of it. Export the answers "
    "themselves, a line each: in Google Forms 'Download responses (.csv)', in Microsoft Forms the workbook of all "
    "answers, in SurveyMonkey 'All responses data' and not the summary."
)


def lists_choices(header: str) -> bool:
    """Whether a column is called as if its cells were the choices."""
    return bool(_LISTED.fullmatch(odd_names.plain(header)))


def refuse_summary(path: Path, header: Sequence[str]) -> None:
    """Raise ``UnreadableFileError`` if a header is that of a table of numbers of answers."""
    listed = [name for name in header if lists_choices(name)]
    numbers = [name for name in header if _is_number_of_answers(name)]
    stars = [name for name in header if _STAR.fullmatch(name)]
    if len(stars) >= _COLUMNS and len(stars) < len(header):
        shown = ", ".join(map(repr, stars))
        raise UnreadableFileError(
            f"{path}: is a summary: the columns {shown} seem to say how many gave so many stars. {_INSTEAD} "
            "If these are the choices, name them: --choices."
        )
    if listed and numbers:
        raise UnreadableFileError(
            f"{path}: is a summary: {listed[0]!r} seems to list the choices, and {', '.join(map(repr, numbers[:3]))} "
            f"how they were answered. {_INSTEAD}"
        )


def refuse_distribution(path: Path, header: Sequence[str], rows: pl.DataFrame) -> None:
    """Raise ``UnreadableFileError`` if the first column holds the stars that can be given, once each."""
    cells = [cell or "" for cell in rows.to_series(0)]
    distinct = len(set(cells)) == len(cells) >= _COLUMNS and all(_STAR.fullmatch(cell) for cell in cells)
    if distinct and _RATINGS.fullmatch(odd_names.plain(header[0])) and len(header) > 1:
        raise UnreadableFileError(
            f"{path}: is a summary: {header[0]!r} seems to list the stars that can be given, with a line for how "
            f"many gave so many. {_INSTEAD}"
        )


def refuse_long(path: Path, header: Sequence[str]) -> None:
    """Raise ``UnreadableFileError`` if a line seems to be one choice of one ballot, and a column the stars for it."""
    listed = [name for name in header if lists_choices(name)]
    given = [name for name in header if _RATINGS.fullmatch(odd_names.plain(name))]
    if len(listed) == len(given) == 1 and len(header) > len(listed + given):
        raise UnreadableFileError(
            f"{path}: seems to have a line for every choice of every ballot, with the choice in {listed[0]!r} and the "
            f"stars in {given[0]!r}; here a line has to be a ballot, and a column a choice. Call these columns "
            "choice_id and stars, and the one that says whose ballot it is member_id, put the file into a folder as "
            "votes.csv, and count the folder: crowdvote count FOLDER."
        )


def _is_number_of_answers(name: str) -> bool:
    plain = odd_names.plain(name)
    return odd_names.counts_ballots(name) or odd_names.is_summary(name) or bool(_NUMBERS.fullmatch(plain))
