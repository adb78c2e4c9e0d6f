"""Stars as whole numbers: one unit is 1e-8 star, so that sums and comparisons are exact (rule D10)."""

from __future__ import annotations

import re
from decimal import Decimal

PLACES = 8
UNITS_PER_STAR = 10**PLACES
MOST_STARS = 5
FIVE_STARS = MOST_STARS * UNITS_PER_STAR

NOT_A_NUMBER = "not_a_number"
OUT_OF_RANGE = "out_of_range"
TOO_FINE = "too_many_decimals"

_NUMBER = re.compile(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})? *")


def stars_of(units: int) -> Decimal:
    """Give units of 1e-8 star as stars with 8 decimals, exactly."""
    # From text: arithmetic would round to whatever decimal context the caller has set.
    return _decimal(units, PLACES)


def units_of_stars(stars: Decimal) -> int:
    """Give stars with 8 decimals in units of 1e-8 star."""
    # By their digits, for the same reason.
    return int(format(stars, "f").replace(".", ""))


def average(units: int, vote_count: int, places: int) -> Decimal:
    """Divide a total by the number of ballots, for display.

    Args:
        units: Total in units of 1e-8 star, not negative.
        vote_count: Number of ballots, at least 1.
        places: Number of decimals wanted.

    Returns:
        The average in stars, rounded half-even straight from the exact integers.
    """
    return _quotient(units, vote_count * UNITS_PER_STAR, places)


def percentage(part: int, whole: int) -> Decimal:
    """Give a part in percent of a whole above 0, rounded half-even to 8 places."""
    return _quotient(100 * part, whole, PLACES)


def plain_number(number: Decimal | int) -> str:
    """Write a number exactly, without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quotient(dividend: int, divisor: int, places: int) -> Decimal:
    """Neither is negative; rounded half-even without a decimal context."""
    quotient, rest = divmod(dividend * 10**places, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1):
        quotient += 1
    return _decimal(quotient, places)


def _decimal(number: int, places: int) -> Decimal:
    return Decimal(f"{number}E-{places}")


def parse_stars(text: str) -> tuple[int | None, str | None]:
    """Read stars written as text.

    Args:
        text: A number such as ``"4"``, ``"3.33333333"`` or ``"0E-8"``.

    Returns:
        Units of 1e-8 star and ``None``, or ``None`` and what is wrong: ``"not_a_number"``, ``"out_of_range"`` or
        ``"too_many_decimals"``.
    """
    # Python would also read 3_5 and digits of other scripts.
    if not _NUMBER.fullmatch(text):
        return None, NOT_A_NUMBER
    stars = Decimal(text)
    if not 0 <= stars <= MOST_STARS:
        return None, OUT_OF_RANGE
    _, digits, exponent = stars.as_tuple()
    assert isinstance(exponent, int)  # digits, see above
    shift = exponent + PLACES
    written = "".join(map(str, digits))
    if shift >= 0:
        # Zero may come with any exponent at all; shifting it would build a number of that many digits.
        return (int(written) * 10**shift if stars else 0), None
    whole, cut = written[:shift], written[shift:]
    return (None, TOO_FINE) if cut.strip("0") else (int(whole or "0"), None)
