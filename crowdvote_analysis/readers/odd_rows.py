"""Rows among the ballots that are no voter's: averages, totals, remarks about the file."""

from __future__ import annotations

import warnings
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import DoubtWarning
from crowdvote_analysis.readers.choice_columns import quoted
from crowdvote_analysis.readers.odd_names import are_no_voters

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW, _NARROW = 2, 2  # rows and columns that are compared at all: more than so many, as many
_NAMED = 5  # lines that a warning lists
_MANY, _WIDE = 3, 4  # rows and columns from which whole stars are alike by more than accident


def doubt_rows(place: str, voters: pl.Series, lines: pl.Series) -> None:
    """Note loudly the rows that are called like a summary or a remark, and those that look commented out.

    Args:
        place: The file.
        voters: Who voted, row by row.
        lines: The lines of the file.
    """
    _doubt_commented(place, voters, lines)
    for name in voters.filter(are_no_voters(voters)).unique(maintain_order=True):
        line = lines.filter(voters == name)[0]
        warnings.warn(
            f"{place}: line {line:,} looks like no voter ({name!r}), and was counted as a ballot. If it is none, leave "
            f"it out: --leave-out {quoted(name)}.",
            DoubtWarning,
            stacklevel=3,
        )


def _doubt_commented(place: str, voters: pl.Series, lines: pl.Series) -> None:
    """Note loudly the rows that begin as lines do which somebody has commented out by hand."""
    known = voters.is_not_null()
    for sign in ("#", "//", "%"):
        found = voters.str.starts_with(sign).fill_null(value=False)
        if found.any() and not found.filter(known).all():  # else it is how ids are written here
            number = int(found.sum())
            warnings.warn(
                f"{place}: {'1 line begins' if number == 1 else f'{number:,} lines begin'} with {sign} (first: line "
                f"{lines.filter(found)[0]:,}), as if somebody had commented {'it' if number == 1 else 'them'} out, and "
                f"{'was' if number == 1 else 'were'} counted as {'a ballot' if number == 1 else 'ballots'}. If "
                f"{'it is' if number == 1 else 'they are'} none, remove the {'line' if number == 1 else 'lines'}, or "
                "leave out who stands there as the voter: --leave-out.",
                DoubtWarning,
                stacklevel=4,
            )


def doubt_sums(place: str, stars: pl.DataFrame, lines: pl.Series) -> None:
    """Note loudly if the last row holds the sums or the averages of all rows above.

    Args:
        place: The file.
        stars: One row a ballot, one column a choice, cells as text.
        lines: The lines of the file.
    """
    stars = stars.select(pl.all().str.strip_chars().str.replace(r"^([+-]?[0-9]+),([0-9]+)$", "$1.$2"))
    last = [_decimal(text) for text in stars.tail(1).row(0)] if len(stars) > _FEW else [None]
    if None in last or stars.width < _NARROW:
        return
    cells = [cell for cell in last if cell is not None]
    above = stars.head(-1).select(pl.all().cast(pl.Decimal(38, 8), strict=False))
    sums, counts = above.sum().row(0), above.count().row(0)
    kind = _kind(cells, sums, counts, len(above))
    # Whole stars may be alike by accident; so may they where everybody votes the same.
    whole = all(cell == int(cell) and cell <= 5 for cell in cells)
    by_accident = whole and (stars.width < _WIDE or len(above) < _MANY)
    if kind is None or by_accident or above.n_unique() == 1:
        return
    warnings.warn(
        f"{place}: line {lines[-1]:,} holds the {kind} of all lines above it; it looks like no voter, and was taken as "
        "a ballot. If it is none, leave it out (--leave-out with what its first cell holds), or remove the line.",
        DoubtWarning,
        stacklevel=3,
    )


def doubt_headings(
    place: str,
    voters: pl.Series,
    stars: pl.DataFrame,
    beside: pl.DataFrame,
    lines: pl.Series,
    members: pl.Series | None,
) -> None:
    """Note loudly the rows without any star that look like headings between ballots; they count as blank ballots.

    A row looks so if it says nothing but who voted where other rows say more, if that is no member, or if it is
    written otherwise than all ids of ballots with stars: no address among addresses, no number among numbers, several
    words among single ones.

    Args:
        place: The file.
        voters: Who voted, row by row.
        stars: The columns of choices, text or numbers.
        beside: All other columns.
        lines: The lines of the file.
        members: The ids of members, if a table lists them.
    """
    blank = stars.select(pl.all_horizontal(_is_blank(stars)).alias("blank")).to_series() & voters.is_not_null()
    if not blank.any() or blank.all():
        return
    known = voters.cast(pl.String, strict=False)
    signs = pl.repeat(False, len(blank), dtype=pl.Boolean, eager=True)
    if beside.width:
        silent = beside.select(pl.all_horizontal(_is_blank(beside)).alias("silent")).to_series()
        if not silent.filter(~blank).any():
            signs = signs | silent
    if members is not None:
        signs = signs | ~known.is_in(members.cast(pl.String, strict=False).implode())
    for form in (r"@", r"^\S+$", r"^[0-9]+$"):
        alike = known.str.contains(form)
        if alike.filter(~blank).all():
            signs = signs | ~alike
    if members is None:  # else nobody has doubted those who are called like no voter
        signs = signs & ~are_no_voters(known)
    found = lines.filter(blank & signs.fill_null(value=False)).to_list()
    if found:
        named = ", ".join(f"{line:,}" for line in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        one = len(found) == 1
        warnings.warn(
            f"{place}: {'1 line has' if one else f'{len(found):,} lines have'} no star and "
            f"{'looks' if one else 'look'} like {'a heading' if one else 'headings'} between ballots (line {named}); "
            f"{'it was' if one else 'they were'} taken as {'a blank ballot' if one else 'blank ballots'} (D5). "
            f"If {'it is' if one else 'they are'} none, remove the {'line' if one else 'lines'}, or leave "
            f"{'it' if one else 'them'} out: --leave-out with what stands there as the voter.",
            DoubtWarning,
            stacklevel=3,
        )


def _is_blank(frame: pl.DataFrame) -> list[pl.Expr]:
    return [
        (pl.col(name).str.strip_chars() == "").fill_null(value=True) if kind == pl.String else pl.col(name).is_null()
        for name, kind in frame.schema.items()
    ]


def _kind(cells: Sequence[Decimal], sums: Sequence[Decimal], counts: Sequence[int], ballots: int) -> str | None:
    """What the cells are of the rows above them: sums, averages of those who rated, or of everybody."""
    if all(cell == total for cell, total in zip(cells, sums, strict=True)):
        return "sums" if any(cells) else None
    for divisors in (counts, [ballots] * len(cells)):
        if all(_rounds_to(cell, total, n) for cell, total, n in zip(cells, sums, divisors, strict=True)):
            return "averages"
    return None


def _rounds_to(cell: Decimal, total: Decimal, divisor: int) -> bool:
    """Whether a number is a sum by a divisor, rounded to the places it is written with."""
    places = int(cell.as_tuple().exponent)
    return abs(cell * divisor - total) * 2 <= divisor * Decimal(1).scaleb(places) if divisor else False


def _decimal(text: str | None) -> Decimal | None:
    """The number in a cell; nothing where there is none, or one that no sum could be."""
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return number if number is None or number.is_finite() else None
