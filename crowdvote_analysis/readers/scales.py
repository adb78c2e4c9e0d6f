"""Numbers that are no stars, but on another scale."""

from __future__ import annotations

import polars as pl

_SLIPS = 3  # cells above 5 from which they are more than slips


def scale_hint(stars: pl.Series) -> str:
    """What scale the numbers may be on, where some are above 5 stars; else nothing."""
    text = stars.cast(pl.String).str.strip_chars()
    if text.str.ends_with("%").any():
        return "Cells with % look like percent: divide them by 20."
    numbers = text.str.extract(r"^\+?([0-9]{1,6}(?:\.[0-9]*)?)$").cast(pl.Decimal(38, 8), strict=False).drop_nulls()
    above = numbers.filter(numbers > 5)
    if len(above) < _SLIPS or len(above) * 20 < len(numbers):  # a few are slips, not a scale
        return ""
    highest = above.max()
    for limit, words in ((10, "0 to 10: divide them by 2"), (100, "0 to 100: divide them by 20")):
        if highest <= limit:  # type: ignore[operator]
            return f"The numbers seem to be on a scale of {words}; if they are ranks, turn them round (5 is best)."
    return ""
