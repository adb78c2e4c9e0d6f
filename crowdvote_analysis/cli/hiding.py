"""Texts that name nobody who is, or ever was, anonymous in a store (P1)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import CrowdVoteError
from crowdvote_analysis.store import Store, is_store
from crowdvote_analysis.store.records import anonymous_texts
from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "(an anonymous member)"


def hide(texts: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The texts with every secret in them replaced, in whatever capitals and as a whole word, quotes included."""
    spelt = {spelling for secret in secrets for spelling in (secret.strip(), repr(secret.strip())[1:-1]) if spelling}
    there = pl.Series(sorted(spelt), dtype=pl.String)
    alike = list(zip(there, folded(there), strict=True))
    lows = [(text, _low(text)) for text in texts]
    return [_hidden(text, {word for pair in alike if pair[1] in low for word in pair}) for text, low in lows]


def hide_anonymous(texts: Iterable[str], place: str, options: Mapping[str, str]) -> list[str]:
    """The texts without ids and names that are of anonymous members in any row of a store; as they are without one."""
    secrets = anonymous_texts(Store.open(place, options).cut()) if is_store(place, options) else set()
    return hide(texts, secrets)


@contextmanager
def errors_hidden(place: str, options: Mapping[str, str]) -> Iterator[None]:
    """Let errors pass under words that name no anonymous member of a store."""
    try:
        yield
    except CrowdVoteError as error:
        error.args = tuple(hide_anonymous([str(error)], place, options))
        raise


def _low(text: str) -> str:
    return str(folded(pl.Series([text]))[0])


def _hidden(text: str, secrets: set[str]) -> str:
    if not secrets:
        return text
    # The longest first, so that a name is not left over in part where an id is the beginning of it.
    words = "|".join(r"\s+".join(map(re.escape, each.split())) for each in sorted(secrets, key=len, reverse=True))
    return re.sub(rf"""(['"])(?:{words})\1|(?<!\w)(?:{words})(?!\w)""", HIDDEN, text, flags=re.IGNORECASE)
