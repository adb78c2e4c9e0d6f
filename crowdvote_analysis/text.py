"""Text in one form, so that what people read as the same is the same (T5, T7).

Programs write one letter in several ways: ``é`` as one character or as two, a name with an invisible mark before it.
Ids and titles are brought to Unicode's form NFC and lose the few characters that nobody means; tags are in lower case
besides. ``likeness`` goes further and changes nothing: it is what two spellings of one word have in common, so that
somebody can be asked whether they are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from unicodedata import category, normalize

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

# Byte order marks, zero-width spaces, soft hyphens, and what turns the direction of writing by force. The joiners stay
# (U+200C, U+200D): Persian, the scripts of India and emoji are written with them.
_NEVER_MEANT = "\ufeff\u200b\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_DROP = dict.fromkeys(map(ord, _NEVER_MEANT))
# What a spreadsheet or a telephone makes of an apostrophe, a quote or a hyphen, and how an emoji is coloured.
_TYPOGRAPHY = str.maketrans("‘’ʼ′“”″‐‑‒–—−", "''''\"\"\"------", "\ufe0e\ufe0f")
_Text = TypeVar("_Text", pl.Expr, pl.Series)

_OTHER_SCRIPTS = r"[^\x00-\x7F]"


def plain(text: str) -> str:
    """An id or a title in one form: NFC, without the few characters that nobody means (T7); else as written."""
    return normalize("NFC", text.translate(_DROP))


def tag(text: str) -> str:
    """A tag in one form: as an id, case-folded, trimmed (T5)."""
    return normalize("NFC", plain(text).casefold()).strip()


def likeness(text: str) -> str:
    """What look-alikes have in common (T7).

    NFKC, case-folded, all format characters removed, blanks collapsed; typographic quotes, apostrophes and dashes are
    those of a typewriter.
    """
    seen = "".join(each for each in text if category(each) != "Cf")
    folded = normalize("NFKC", normalize("NFKD", seen).casefold().replace("i\u0307", "i"))  # İstanbul
    return " ".join(folded.translate(_TYPOGRAPHY).split())


def unmistakable(text: str) -> str:
    """A text in quotes as an error shows it: characters that cannot be told from others by eye are spelt out."""
    return repr(text) if plain(text) == text and text.isprintable() else ascii(text)


def in_plain_form(texts: pl.Series) -> pl.Series:
    """``plain`` for a column of text; a column in ASCII alone is the same column."""
    return texts if _is_ascii(texts) else _by_distinct(texts, _OTHER_SCRIPTS, plain)


def likenesses(texts: pl.Series) -> pl.Series:
    """``likeness`` for a column of text."""
    return _by_distinct(texts.str.to_lowercase(), rf"{_OTHER_SCRIPTS}|^\s|\s\s|[\t-\r\x1c-\x1f]|\s$", likeness)


def folded(text: _Text) -> _Text:
    """Texts that look alike (T7) are equal after this: a secret is one in any spelling."""
    if isinstance(text, pl.Series):
        return likenesses(text)
    return text.map_batches(likenesses, return_dtype=pl.String)


def _is_ascii(texts: pl.Series) -> bool:
    """Whether all characters are of one byte: told by lengths alone, several times faster than by a pattern."""
    return bool(texts.str.len_bytes().sum() == texts.str.len_chars().sum())


def _by_distinct(texts: pl.Series, where: str, change: Callable[[str], str]) -> pl.Series:
    """Each distinct text that a pattern finds is changed once; the others stay."""
    found = texts.filter(texts.str.contains(where)).unique()
    if found.is_empty():
        return texts
    return texts.replace(found, pl.Series([change(text) for text in found], dtype=pl.String))
