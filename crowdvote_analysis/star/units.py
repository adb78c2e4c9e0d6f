"""Stars as whole numbers: one unit is 1e-8 star, so that sums and comparisons are exact (rule D10)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

PLACES = 8
UNITS_PER_STAR = 10**PLACES
MOST_STARS = 5
FIVE_STARS = MOST_STARS * UNITS_PER_STAR

NOT_A_NUMBER = "not_a_number"
OUT_OF_RANGE = "out_of_range"
TOO_FINE = "too_many_decimals"


def stars_of(units: int) -> Decimal:
    """Give units of 1e-8 star as stars with 8 decimals, exactly."""
    # Built from a tuple: arithmetic would round to whatever decimal context the caller has set.
    return Decimal((int(units < 0), tuple(int(digit) for digit in str(abs(units))), -PLACES))


def average(units: int, vote_count: int, places: int) -> Decimal:
    """Divide a total by the number of ballots, for display.

    Args:
        units: Total in units of 1e-8 star, not negative.
        vote_count: Number of ballots, at least 1.
        places: Number of decimals wanted.

    Returns:
        The average in stars, rounded half-even straight from the exact integers.
    """
    divisor = vote_count * UNITS_PER_STAR
    quotient, rest = divmod(units * 10**places, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1):
        quotient += 1
    return Decimal((0, tuple(int(digit) for digit in str(quotient)), -places))


def parse_stars(text: str) -> tuple[int | None, str | None]:
    """Read stars written as text.

    Args:
        text: A number such as ``"4"``, ``"3.33333333"`` or ``"0E-8"``.

    Returns:
        Units of 1e-8 star and ``None``, or ``None`` and what is wrong: ``"not_a_number"``, ``"out_of_range"`` or
        ``"too_many_decimals"``.
    """
    try:
        stars = Decimal(text)
    except InvalidOperation:
        return None, NOT_A_NUMBER
    if not stars.is_finite():
        return None, NOT_A_NUMBER
    if not 0 <= stars <= MOST_STARS:
        return None, OUT_OF_RANGE
    _, digits, exponent = stars.as_tuple()
    assert isinstance(exponent, int)  # finite, see above
    shift = exponent + PLACES
    written = "".join(map(str, digits))
    if shift >= 0:
        # Zero may come with any exponent at all; shifting it would build a number of that many digits.
        return (int(written) * 10**shift if stars else 0), None
    whole, cut = written[:shift], written[shift:]
    return (None, TOO_FINE) if cut.strip("0") else (int(whole or "0"), None)
