"""Text in one form: what is changed, what stays, and what looks alike."""

from __future__ import annotations

from unicodedata import is_normalized

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis.text import in_plain_form, likeness, likenesses, plain, tag, unmistakable

LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
MARKS = st.text(
    st.sampled_from("aAß\u0130\u0345\u0301e\u212b\ufb01 \u00a0\ufeff\u200b\u200d\u00ad\u202e\u03c2Σ"), max_size=6
)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Jose\u0301", "José"),
        ("\ufeffKim", "Kim"),
        ("Ki\u200bm", "Kim"),
        ("Schiff\u00adfahrt", "Schifffahrt"),
        ("\u202eKim\u202c", "Kim"),
        ("\u2068Kim\u2069", "Kim"),
        ("e\u200b\u0301", "é"),
        ("می\u200cروم", "می\u200cروم"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("क्\u200dष", "क्\u200dष"),
        ("Kim\u200e", "Kim\u200e"),
        ("POND  ﬁsh ", "POND  ﬁsh "),
    ],
)
def test_ids_lose_what_nobody_means_and_keep_the_rest(written: str, form: str) -> None:
    """T7: NFC, without byte order marks, zero-width spaces, soft hyphens and overrides; joiners and capitals stay."""
    assert plain(written) == form


@pytest.mark.parametrize(
    "alike",
    [
        ("Pond", "pond", "POND", " Pond", "Pond\u00a0", "Po\u00adnd", "Pond\u200e", "\uff30ond"),
        ("Town  Hall", "Town Hall", "town\u00a0hall", "town\thall"),
        ("Straße", "STRASSE"),
        ("ﬁsh", "fish"),
        ("O'Brien", "O’Brien"),
        ("A-1", "A–1", "A\u20111"),
        ("❤", "❤\ufe0f"),
        ("José", "Jose\u0301", "JOSÉ"),
        ("ΟΔΟΣ", "οδος"),
        ("İstanbul", "istanbul", "I\u0307stanbul"),
    ],
)
def test_what_a_person_takes_for_one_has_one_likeness(alike: tuple[str, ...]) -> None:
    """T7: NFKC, case-folded, without format characters, blanks collapsed; signs as on a typewriter."""
    assert len({likeness(text) for text in alike}) == 1


@pytest.mark.parametrize("apart", [("Jose", "José"), ("A1", "A-1"), ("Pond", "Ponds"), ("1", "I"), ("a b", "ab")])
def test_what_differs_in_a_letter_has_not(apart: tuple[str, str]) -> None:
    """Accents, digits and blanks between words are letters here."""
    assert likeness(apart[0]) != likeness(apart[1])


@given(text=LETTERS | MARKS)
@settings(max_examples=200)
def test_one_form_is_reached_at_once(text: str) -> None:
    """Writing and reading again changes nothing."""
    for form in (plain, tag, likeness):
        assert form(form(text)) == form(text)
    assert is_normalized("NFC", plain(text))
    assert tag(plain(text)) == tag(text)


@given(
    texts=st.lists(
        st.none() | LETTERS | MARKS | st.sampled_from(["Pond", "a  b", " a", "a\t", "\x1f", "a\x1cb"]), max_size=6
    )
)
@settings(max_examples=60)
def test_columns_are_brought_to_the_forms_of_their_texts(texts: list[str | None]) -> None:
    """The short cut for plain letters is only a short cut."""
    column = pl.Series(texts, dtype=pl.String)
    assert in_plain_form(column).to_list() == [text if text is None else plain(text) for text in texts]
    assert likenesses(column).to_list() == [text if text is None else likeness(text) for text in texts]


def test_what_the_eye_cannot_tell_is_spelt_out() -> None:
    """In errors; plain letters of any script are shown as they are."""
    assert [unmistakable(text) for text in ("Zoë", "Zoe\u0308", "a\u200bb", "a\nb", "می\u200cروم")] == [
        "'Zoë'",
        r"'Zoe\u0308'",
        r"'a\u200bb'",
        r"'a\nb'",
        r"'\u0645\u06cc\u200c\u0631\u0648\u0645'",
    ]
