"""Stars as whole units."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdvote_analysis.star.units import average, parse_stars, stars_of


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("5", 500_000_000),
        ("5.00000000", 500_000_000),
        ("3.33333333", 333_333_333),
        ("0.00000001", 1),
        ("1E-8", 1),
        ("0E-8", 0),
        ("0E-99", 0),
        ("0E+999999", 0),
        ("-0", 0),
        ("0.5E1", 500_000_000),
        ("4.5000000000000", 450_000_000),
        (" 2 ", 200_000_000),
    ],
)
def test_text_is_read_exactly(text: str, units: int) -> None:
    """Any way of writing the number gives its units of 1e-8 star."""
    assert parse_stars(text) == (units, None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not_a_number"),
        ("five", "not_a_number"),
        ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("4,5", "not_a_number"),
        ("-0.00000001", "out_of_range"),
        ("5.000000001", "out_of_range"),
        ("1E+999999", "out_of_range"),
        ("0.000000001", "too_many_decimals"),
        ("3.333333333", "too_many_decimals"),
        ("1E-999999", "too_many_decimals"),
    ],
)
def test_text_that_is_no_number_of_stars_is_told_apart(text: str, fault: str) -> None:
    """What is wrong with a text is said: no number, outside 0 to 5, or too fine."""
    assert parse_stars(text) == (None, fault)


@given(st.integers(0, 10**18))
def test_units_become_stars_and_back_whatever_the_decimal_context(units: int) -> None:
    """Stars are exact even where the caller's decimal context keeps one digit."""
    with decimal.localcontext() as context:
        context.prec = 1
        stars = stars_of(units)
    assert Fraction(stars) == Fraction(units, 10**8)
    assert stars.as_tuple().exponent == -8


@given(st.integers(0, 10**16), st.integers(1, 10**7), st.sampled_from([2, 8]))
def test_averages_are_rounded_half_even_from_the_exact_quotient(units: int, vote_count: int, places: int) -> None:
    """An average is the exact quotient, rounded once."""
    exact = round(Fraction(units, vote_count * 10**8), places)
    assert Fraction(average(units, vote_count, places)) == exact


@pytest.mark.parametrize(
    ("units", "vote_count", "shown"),
    [
        (12_500_000, 1, "0.12"),
        (37_500_000, 1, "0.38"),
        (12_500_001, 1, "0.13"),
        (1_100_000_000, 3, "3.67"),
        (0, 7, "0.00"),
        (500_000_000, 1, "5.00"),
    ],
)
def test_averages_are_shown_with_two_places(units: int, vote_count: int, shown: str) -> None:
    """A half goes to the even neighbour, and trailing zeros stay."""
    assert str(average(units, vote_count, 2)) == shown
    assert average(units, vote_count, 2) == Decimal(shown)


@pytest.mark.parametrize("text", ["3_5", "٣", "3\n", "0x1", "inf", "1e", "", "1e9999999999"])
def test_only_plain_numbers_are_stars(text: str) -> None:
    """What Python would read and people would not write is no number."""
    assert parse_stars(text) == (None, "not_a_number")
