"""What somebody says about their sheets, so that nothing has to be guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crowdvote_analysis.alike import look
from crowdvote_analysis.readers.dialect import read_separator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RANKED = ("overvote_rank", "has_duplicate_rank")  # BetterVoting writes them behind the candidates of every ranked race
_IN_BRACKETS = re.compile(r".*\[(.+)\]", re.DOTALL)
_BEHIND_RACE = re.compile(r".+!!(.+)", re.DOTALL)


@dataclass(frozen=True)
class Layout:
    """How the columns and rows of sheets are meant.

    Attributes:
        separator: What stands between the columns; none: it is found out.
        id_column: The column that says who voted, where it is not called ``member_id``.
        choices: The choices, as they are to be written; none: they are found out.
        leave_out: Headers of columns, and ids of rows, that are no choices and no voters.
    """

    separator: str | None = None
    id_column: str | None = None
    choices: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


def make_layout(
    separator: str | None, id_column: str | None, choices: Sequence[str], leave_out: Sequence[str]
) -> Layout:
    """A layout from the arguments of a reader.

    Raises:
        UnreadableFileError: The separator is no character.
    """
    return Layout(
        None if separator is None else read_separator(separator),
        id_column and id_column.strip(),
        tuple(dict.fromkeys(name.strip() for name in choices if name.strip())),
        tuple(dict.fromkeys(name.strip() for name in leave_out if name.strip())),
    )


def short_name(header: str) -> str:
    """The choice in a header that names its question as well: ``Rate [Ann]``, ``Mayor!!Ann``."""
    found = _IN_BRACKETS.fullmatch(header) or _BEHIND_RACE.fullmatch(header)
    return found[1].strip() if found else header


def chosen(columns: Iterable[str], choices: Iterable[str]) -> dict[str, str]:
    """The columns whose header is one of the choices, or names it, in any spelling; with the spelling asked for."""
    asked = list(choices)
    wanted = {look(choice): choice for choice in asked}
    found = {}
    for column in columns:
        names = [name for name in (column, short_name(column)) if look(name) in wanted]
        if names:
            found[column] = names[0] if names[0] in asked else wanted[look(names[0])]
    return found
