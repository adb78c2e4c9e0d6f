"""What a table has to look like to be counted as it stands, in SQL; anything else is refused with a sentence.

``SystemState`` mends what people and programs write (T5, T7). Here nothing is mended but tags, of which there are few
distinct sets: what would have to be is refused, and counting in memory is named as the way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.out_of_core.sources import WAY_OUT

if TYPE_CHECKING:
    from crowdvote_analysis.out_of_core.sources import Source

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NEVER_MEANT = "\\x{FEFF}\\x{200B}\\x{00AD}\\x{202A}-\\x{202E}\\x{2066}-\\x{2069}"  # as in ``text``
# Codes of ids that are no member: somebody who is none (D6, M3); not in one form; missing; of no known community.
STRANGER, ODD, MISSING, NOWHERE = -1, -2, -3, -4
_SENTENCES = {
    ODD: "{} is not in one form (T7), or was damaged by a spreadsheet",
    MISSING: "{} is missing",
    NOWHERE: "the community or decision is missing, or not in its table",
}
SEPARATOR = "\x1f"  # stands between the tags of a row in one text


def refuse(
    table: str, rule: str, sentence: str, rows: int = 0, way_out: str = f"Correct the table. {WAY_OUT}"
) -> NoReturn:
    """Refuse a table.

    Raises:
        InvalidTableError: Always.
    """
    raise InvalidTableError([Problem(table, rule, sentence, rows, ())], way_out)


def refuse_codes(table: str, column: str, code: int, rows: int) -> NoReturn:
    """Refuse the rows whose id got one of the codes above."""
    refuse(table, f"{column}|{code}", _SENTENCES[code].format(column), rows)


def id_text(source: Source, column: str, alias: str = "") -> str:
    """An id as text, in SQL.

    Raises:
        InvalidTableError: The column is missing, or neither text nor whole numbers.
    """
    name = f'{alias}{"." if alias else ""}"{column}"'
    kind = source.columns.get(column)
    if kind is None:
        refuse(source.table, f"{column}|missing", f"the column {column} is missing")
    if kind != "VARCHAR" and not str(kind).startswith("ENUM") and kind not in _WHOLE:
        refuse(source.table, f"{column}|type", f"{column} is {kind}; text or whole numbers are needed")
    return name if kind == "VARCHAR" else f"CAST({name} AS VARCHAR)"


def _is_odd(text: str) -> str:
    """Whether an id is not in one form, or looks like what ``ids`` mends or refuses; in SQL."""
    return (
        f"(nfc_normalize({text}) <> {text} OR regexp_matches({text}, "
        rf"'[{_NEVER_MEANT}]|^[+-]?\d+\.0+$|^[+-]?\d(\.\d+)?[eE]\+\d+$'))"
    )


def form(text: str) -> str:
    """``MISSING`` or ``ODD`` where an id is, ``STRANGER`` where nothing is wrong with it; in SQL."""
    return f"CASE WHEN {text} IS NULL OR {text} = '' THEN {MISSING} WHEN {_is_odd(text)} THEN {ODD} ELSE {STRANGER} END"


def coded(found: str, text: str, nowhere: str = "false") -> str:
    """The code of an id that was looked up, in SQL; what is not found is looked at."""
    return f"CASE WHEN {nowhere} THEN {NOWHERE} WHEN {found} IS NOT NULL THEN {found} ELSE {form(text)} END"


def flag(source: Source, column: str, default: bool) -> str:
    """A column of true and false, in SQL; the default where it is absent or null."""
    kind = source.columns.get(column, "BOOLEAN")
    if kind != "BOOLEAN":
        refuse(source.table, f"{column}|type", f"{column} is {kind}; true or false is needed")
    return f"coalesce({column}, {default})" if column in source.columns else str(default).lower()


def tag_text(source: Source, alias: str = "") -> str:
    """The tags of a row as one text, in SQL."""
    kind = source.columns.get("tags")
    if kind is None:
        return "''"
    if kind != "VARCHAR[]":
        refuse(source.table, "tags|type", f"tags is {kind}; a list of text is needed")
    return f"coalesce(array_to_string({alias}{'.' if alias else ''}tags, chr({ord(SEPARATOR)})), '')"


def places(source: Source) -> str:
    """Stars in units of 1e-8, in SQL; -1 outside of 0 to 5, -2 where they have more places, -3 where missing.

    Raises:
        InvalidTableError: They are binary floats (D10), or no numbers.
    """
    kind = source.columns.get("stars")
    if kind is None:
        refuse("votes", "stars|missing", "the column stars is missing")
    if kind not in _WHOLE and not str(kind).startswith("DECIMAL"):
        sentence = f"stars is {kind}; whole numbers or DECIMAL with at most 8 places are needed (D10)"
        refuse("votes", "stars|type", sentence)
    exact = "CAST(stars AS DECIMAL(18, 8))"
    return (
        "CASE WHEN stars IS NULL THEN -3 WHEN stars < 0 OR stars > 5 THEN -1 "
        f"WHEN {exact} <> stars THEN -2 ELSE CAST({exact} * 100000000 AS BIGINT) END"
    )
