"""A threshold as people write it, `66%` or `2/3`, as exact whole numbers (C3)."""

from __future__ import annotations

import polars as pl

DEFAULT = "66%"

_PLACES = 9
_PERCENT = rf"^\s*([0-9]{{1,3}})(?:\.([0-9]{{1,{_PLACES}}}))?\s*%\s*$"
_FRACTION = r"^\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*$"


def threshold_parts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Numerator and denominator of thresholds.

    Args:
        text: Thresholds as text: a percentage of at most 9 places, or a fraction. A bare number is neither: 66 may be
            meant as a percentage and 0.66 as a part, and nobody can tell what 1 is.

    Returns:
        Two expressions of Int64, at most 10**11; null where the text is no threshold, or not above 0 and at most 100 %.
    """
    places = text.str.extract(_PERCENT, 2).fill_null("").str.pad_end(_PLACES, "0")
    percent = (text.str.extract(_PERCENT, 1) + places).cast(pl.Int64, strict=False)
    above, below = (text.str.extract(_FRACTION, group).cast(pl.Int64, strict=False) for group in (1, 2))
    numerator = pl.coalesce(percent, above)
    denominator = pl.when(percent.is_not_null()).then(pl.lit(100 * 10**_PLACES)).otherwise(below)
    clear = (numerator > 0) & (numerator <= denominator)
    return pl.when(clear).then(numerator), pl.when(clear).then(denominator)
