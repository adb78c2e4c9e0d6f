"""What each table accepts, what it refuses, and in which words."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crowdvote_analysis as cv
from crowdvote_analysis import tables
from crowdvote_analysis.checking import admit, check
from crowdvote_analysis.faults import Checked, describe

# They say where a row belongs; absent they mean the only one there is, blank they are wrong.
KEYS_OF_HOME = ["community_id", "decision_id"]
# One row a table, all of it text, as a CSV gives it.
PLAIN: dict[str, dict[str, Any]] = {
    "communities": {"community_id": "k", "title": "Kin", "cycle_rule": "path"},
    "members": {
        "community_id": "k",
        "member_id": "Kelly",
        "display_name": "Kelly K.",
        "is_voter": "true",
        "is_manager": "no",
        "is_anonymous": "0",
    },
    "followings": {
        "community_id": "k",
        "follower_id": "Maya",
        "followee_id": "Kelly",
        "tags": "Budget; trees",
        "order": "1",
    },
    "decisions": {
        "community_id": "k",
        "decision_id": "d",
        "title": "Park",
        "description": "What to build",
        "method": "star",
        "opens_at": "2026-05-01",
        "closes_at": "2026-05-02 18:00",
        "status": "active",
        "threshold": None,
        "quorum": None,
        "decisive_only": "false",
        "delegated": "no",
    },
    "choices": {"decision_id": "d", "choice_id": "Swings", "title": "Swings!", "position": "3"},
    "ballots": {"decision_id": "d", "member_id": "Kelly", "tags": "budget; trees", "cast_at": "2026-05-01T12:00:00Z"},
    "votes": {"decision_id": "d", "member_id": "Kelly", "choice_id": "Swings", "stars": "4.5"},
    "required_voters": {"decision_id": "d", "member_id": "Kelly"},
    "yes_no_votes": {
        "decision_id": "d",
        "member_id": "Kelly",
        "voted_at": "2026-05-01T12:00:00Z",
        "vote": " Yes",
        "tags": "Budget; trees",
    },
}
YES_NO, STARRY = ["required_voters", "yes_no_votes"], ["choices", "ballots", "votes"]
REQUIRED = {
    "members": ["member_id"],
    "followings": ["follower_id", "followee_id"],
    "choices": ["choice_id"],
    "ballots": ["member_id"],
    "votes": ["member_id", "choice_id", "stars"],
    "decisions": ["decision_id"],
    "communities": ["community_id"],
    "required_voters": ["member_id"],
    "yes_no_votes": ["member_id", "vote"],
}
KEYS = {
    "communities": ["community_id"],
    "members": ["community_id", "member_id"],
    "decisions": ["decision_id"],
    "choices": ["decision_id", "choice_id"],
    "ballots": ["decision_id", "member_id"],
    "votes": ["decision_id", "member_id", "choice_id"],
    "required_voters": ["decision_id", "member_id"],
    "yes_no_votes": ["decision_id", "member_id", "voted_at"],
}
IDS = [(table, column) for table in KEYS for column in KEYS[table] if column != "voted_at"]


def plain(table: str = "") -> dict[str, pl.DataFrame]:
    """Every table with its one row, and the member who follows; those of a yes/no decision if one of them is asked."""
    frames = {name: pl.DataFrame([row]) for name, row in PLAIN.items() if name not in YES_NO}
    if table in YES_NO:
        frames = {name: frame for name, frame in frames.items() if name not in STARRY}
        frames["decisions"] = frames["decisions"].with_columns(method=pl.lit("simple_majority"))
        frames |= {name: pl.DataFrame([PLAIN[name]]) for name in YES_NO}
    maya = pl.DataFrame([PLAIN["members"] | {"member_id": "Maya", "display_name": None}])
    return frames | {"members": pl.concat([frames["members"], maya])}


def build(table: str, column: str, value: Any, *, quarantine: bool = False) -> cv.SystemState:
    """The plain tables with one column of one table replaced."""
    frames = plain(table)
    new = value if isinstance(value, pl.Series) else pl.Series([value])
    if len(new) != len(frames[table]):
        frames[table] = frames[table].head(1)
    frames[table] = frames[table].with_columns(new.alias(column))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        return cv.SystemState(**frames, quarantine=quarantine)


CHECKED: dict[str, Checked] = {}


@pytest.fixture(autouse=True)
def alike_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one table differs from state to state, the others are checked for the first of them only."""

    def remembered(table: str, frame: pl.DataFrame, home: Any = None, **more: Any) -> Checked:
        same = repr((table, frame.schema, frame.rows(), home))
        if same not in CHECKED:
            CHECKED[same] = check(table, frame, home, **more)
        found = CHECKED[same]
        return replace(found, bad=list(found.bad), odd=list(found.odd))  # faults across tables are added to them

    monkeypatch.setattr("crowdvote_analysis.state.check", remembered)


def lean(table: str = "") -> dict[str, pl.DataFrame]:
    """The plain tables with the columns that are required; a yes/no decision needs its method besides."""
    needed = REQUIRED | {"decisions": ["decision_id", *(["method"] if table in YES_NO else [])]}
    return {name: frame.select(needed[name]) for name, frame in plain(table).items()}


def refusal(table: str, column: str, value: Any) -> cv.InvalidTableError:
    with pytest.raises(cv.InvalidTableError) as caught:
        build(table, column, value)
    return caught.value


# --- columns --------------------------------------------------------------------------------------------------------


def test_text_is_understood_for_every_column() -> None:
    """A CSV can be passed as it was read; every column arrives in its own type."""
    state = cv.SystemState(**plain())
    assert state.members.filter(member_id="Kelly").rows() == [("k", "Kelly", "Kelly K.", True, False, False)]
    assert state.followings.rows() == [("k", "Maya", "Kelly", ["budget", "trees"], 1)]
    utc = dt.UTC
    assert state.decisions.rows() == [
        (
            "k",
            "d",
            "Park",
            "What to build",
            "star",
            dt.datetime(2026, 5, 1, tzinfo=utc),
            dt.datetime(2026, 5, 2, 18, tzinfo=utc),
            "active",
            None,
            None,
            False,
            False,
        )
    ]
    assert state.choices.rows() == [("d", "Swings", "Swings!", 3)]
    assert state.ballots.rows() == [("d", "Kelly", ["budget", "trees"], dt.datetime(2026, 5, 1, 12, tzinfo=utc))]
    assert state.votes.rows() == [("d", "Kelly", "Swings", Decimal("4.5"))]
    assert state.votes.schema["stars"] == pl.Decimal(9, 8)
    assert state.notes == ()
    voted = cv.SystemState(**plain("yes_no_votes"))
    noon = dt.datetime(2026, 5, 1, 12, tzinfo=utc)
    assert voted.yes_no_votes.rows() == [("d", "Kelly", noon, "yes", ["budget", "trees"])]
    assert voted.required_voters.rows() == [("d", "Kelly")]
    assert voted.notes == ()


@pytest.mark.parametrize("table", PLAIN)
def test_a_table_has_the_columns_and_types_it_promises(table: str) -> None:
    """Whatever the columns given, the frame of a table has the same schema, in the same order."""
    full = cv.SystemState(**plain(table))
    short = getattr(cv.SystemState(**lean(table)), table)
    assert list(short.schema.items()) == list(getattr(full, table).schema.items())
    assert short.columns == list(PLAIN[table])
    assert tables.empty(table).schema == short.schema


def test_absent_columns_take_their_defaults() -> None:
    """Names are the ids, members vote, followings are on ALL, loops go by the founding rule."""
    state = cv.SystemState(**lean())
    assert state.communities["cycle_rule"].to_list() == ["auto"]
    assert state.members.select("display_name", "is_voter", "is_manager", "is_anonymous").row(0) == (
        "Kelly",
        True,
        False,
        False,
    )
    assert state.followings.select("tags", "order").row(0) == ([], 0)
    assert state.decisions.select("title", "description", "method", "opens_at", "closes_at").row(0) == (
        "d",
        "",
        "star",
        None,
        None,
    )
    options = ["status", "threshold", "quorum", "decisive_only", "delegated"]
    assert state.decisions.select(options).row(0) == ("active", None, None, False, False)
    assert state.choices.select("title", "position").row(0) == ("Swings", 0)
    assert state.ballots.select("tags", "cast_at").row(0) == ([], None)
    assert cv.SystemState(**lean("yes_no_votes")).yes_no_votes.select("voted_at", "tags").row(0) == (None, [])


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in REQUIRED for column in REQUIRED[table]])
def test_a_missing_column_is_named_with_what_was_found_and_needed(table: str, column: str) -> None:
    """The error says which column is missing where, which were found, and which are needed."""
    frames = plain(table)
    frames[table] = frames[table].drop(column)
    with pytest.raises(cv.InvalidTableError) as caught:
        cv.SystemState(**frames)
    text = str(caught.value)
    assert caught.value.table == table
    for part in (f"{table}:", f"column {column} is missing", *frames[table].columns, f"table {table} needs"):
        assert part in text


@pytest.mark.parametrize("table", PLAIN)
def test_an_unknown_column_is_kept_aside_with_a_warning(table: str) -> None:
    """Nothing given is lost: the column is named in a warning and stays with the key of its rows."""
    frames = plain(table)
    frames[table] = frames[table].with_columns(shoe_size=pl.int_range(pl.len()) + 40)
    with pytest.warns(cv.TableWarning, match=f"{table}: the columns shoe_size"):
        state = cv.SystemState(**frames)
    assert "shoe_size" not in getattr(state, table).columns
    assert state.unknown[table]["shoe_size"].to_list() == frames[table]["shoe_size"].to_list()
    assert set(tables.key(table)) < set(state.unknown[table].columns)


@pytest.mark.parametrize("columns", [["row"], ["row", "row (as given)"], ["reasons"], ["row", "reasons"]])
def test_columns_named_like_our_own_are_kept_too(columns: list[str]) -> None:
    """Somebody's ``row`` or ``reasons`` is an unknown column like any other, in quarantine as well."""
    frames = plain()
    frames["votes"] = frames["votes"].with_columns(pl.lit(7).alias(name) for name in columns)
    with pytest.warns(cv.TableWarning):
        state = cv.SystemState(**frames)
    assert len([value for value in state.unknown["votes"].row(0) if value == 7]) == len(columns)
    frames["votes"] = frames["votes"].with_columns(stars=pl.lit("9"))
    with pytest.warns(cv.TableWarning):
        aside = cv.SystemState(**frames, quarantine=True).quarantined["votes"]
    assert aside["row"].to_list() == [1]
    assert aside["reasons"].to_list() == [["stars outside 0 to 5 (K9)"]]
    assert len([value for value in aside.row(0) if value == 7]) == len(columns)


@pytest.mark.parametrize("name", ["*", "^.*$", "", "len", "reasons"])
def test_a_column_may_have_any_name(name: str, tmp_path: Path) -> None:
    """Names are never taken for patterns."""
    frames = plain()
    frames["votes"] = pl.DataFrame([*frames["votes"].get_columns(), pl.Series(name, [7])])
    with pytest.warns(cv.TableWarning):
        state = cv.SystemState(**frames)
    assert state.unknown["votes"].to_series(-1).to_list() == [7]
    state.write(tmp_path)
    assert 7 in pl.read_parquet(tmp_path / "votes.parquet").row(0)


def test_an_unknown_column_of_python_objects_is_refused() -> None:
    """It could not be written back."""
    assert "shoe has the type Object" in str(refusal("votes", "shoe", STRANGE["object"]))


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [table for table in KEYS if table != "required_voters"])
def test_a_repeated_key_is_refused_with_all_its_rows(table: str) -> None:
    """No row of a repeated key is preferred over another."""
    frames = plain(table)
    other = {"vote": "no"} if table == "yes_no_votes" else {}
    frames[table] = pl.concat(
        [frames[table], frames[table].head(1).with_columns(pl.lit(value).alias(name) for name, value in other.items())]
    )
    with pytest.raises(cv.InvalidTableError) as caught:
        cv.SystemState(**frames)
    assert caught.value.counts == {"one_vote_at_a_time" if table == "yes_no_votes" else "primary_key": 2}
    assert f"{table}: 2 rows: the key ({', '.join(KEYS[table])}) appears more than once" in str(caught.value)
    with pytest.warns(cv.TableWarning):
        aside = cv.SystemState(**frames, quarantine=True).quarantined[table]
    assert len(aside) == 2


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(("table", "column"), [*IDS, ("followings", "followee_id")])
def test_an_id_that_is_missing_or_empty_is_refused(table: str, column: str, value: str | None) -> None:
    """An id is at least one character."""
    error = refusal(table, column, pl.Series([value], dtype=pl.String))
    assert error.table == table
    assert f"{column} is {'missing' if value is None else 'empty'}" in str(error)


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("0", "0"),
        ("5", "5"),
        ("5.0", "5"),
        ("5.00000000", "5"),
        ("0.00000001", "0.00000001"),
        ("4.99999999", "4.99999999"),
        ("4.500000000000", "4.5"),
        (".5", "0.5"),
        ("3.", "3"),
        ("+4", "4"),
        (" 4 ", "4"),
        ("-0", "0"),
        *((str(Decimal(text)), text) for text in ("0.00000001", "0.00000012", "0.0000005", "0.00000000")),
        ("5E+0", "5"),
        ("+0.45E+1", "4.5"),
        ("450000000E-8", "4.5"),
    ],
)
def test_stars_are_read_exactly(text: str, stars: str) -> None:
    """Every number from 0 to 5 of at most 8 places, however it is written."""
    assert build("votes", "stars", text).votes["stars"].to_list() == [Decimal(stars)]


@pytest.mark.parametrize(
    "text", ["-1", "-0.00000001", "5.00000001", "6", "9.99999999", "10", "1000", "9" * 60, "1E+1", "-1E-8"]
)
def test_stars_outside_the_scale_are_refused(text: str) -> None:
    """K9: a score outside 0 to 5 is refused, never clipped."""
    error = refusal("votes", "stars", text)
    assert error.table == "votes"
    assert "0 to 5" in str(error)
    assert text in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "1E-9",
        "1E",
        "1E5",
        "E+0",
        "1E+999",
        "1E-9999999999",
        "0.000000001",
        "4.123456789",
        "four",
        "4,5",
        "4.5.",
        "1e0",
        "nan",
        "inf",
        "0x4",
        "4 5",
        "--4",
        "٤",
        "½",
        "★★★",
    ],
)
def test_what_is_no_number_of_eight_places_is_refused(text: str) -> None:
    """D10: a ninth place is not rounded away without a word."""
    error = refusal("votes", "stars", text)
    assert error.counts == {"stars|type": 1}
    assert "at most 8 places (D10" in str(error)


@pytest.mark.parametrize("text", ["", "  ", None])
def test_blank_stars_are_missing(text: str | None) -> None:
    """A row of votes without stars is refused; an unrated choice has no row."""
    assert "stars is missing" in str(refusal("votes", "stars", pl.Series([text], dtype=pl.String)))


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
@pytest.mark.parametrize("value", [4.0, 4.5, float("nan")])
def test_stars_in_binary_floats_are_refused_whatever_their_values(dtype: Any, value: float) -> None:
    """D10: even a float that happens to be whole; quarantine does not help a column of the wrong kind."""
    column = pl.Series([value], dtype=dtype)
    error = refusal("votes", "stars", column)
    assert "binary floats" in str(error)
    assert "D10" in str(error)
    with pytest.raises(cv.InvalidTableError):
        build("votes", "stars", column, quarantine=True)


@pytest.mark.parametrize(
    ("value", "dtype", "stars"),
    [
        (4, pl.Int8, "4"),
        (4, pl.UInt64, "4"),
        (4, pl.Int128, "4"),
        (Decimal("4.12345678"), pl.Decimal(38, 20), "4.12345678"),
        (Decimal("4.5"), pl.Decimal(2, 1), "4.5"),
        (Decimal("4.12345678"), pl.Decimal(9, 8), "4.12345678"),
    ],
)
def test_stars_may_be_whole_numbers_or_decimals(value: Any, dtype: Any, stars: str) -> None:
    """Exact types are taken as they are."""
    column = pl.Series([value], dtype=dtype)
    assert build("votes", "stars", column).votes["stars"].to_list() == [Decimal(stars)]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (Decimal("4.123456789"), pl.Decimal(38, 9)),
        (Decimal("4.0000000000000001"), pl.Decimal(38, 20)),
        (Decimal("5.1"), pl.Decimal(2, 1)),
        (6, pl.Int64),
        (-1, pl.Int8),
        (2**64 - 1, pl.UInt64),
        (2**100, pl.Int128),
        (Decimal(10) ** 30, pl.Decimal(38, 0)),
    ],
)
def test_exact_types_beyond_the_scale_or_the_places_are_refused(value: Any, dtype: Any) -> None:
    """Neither wrapped around, nor rounded, nor clipped."""
    assert refusal("votes", "stars", pl.Series([value], dtype=dtype)).table == "votes"


@given(units=st.integers(-(10**10), 10**10), places=st.integers(0, 12))
@settings(max_examples=30)
def test_stars_as_text_are_exact_or_refused(units: int, places: int) -> None:
    """Any decimal number is either the same number in the table, or an error."""
    value = Decimal(units).scaleb(-places)
    text = f"{value:f}"
    if 0 <= value <= 5 and value * 10**8 == int(value * 10**8):
        assert build("votes", "stars", text).votes["stars"].item() == value
    else:
        assert refusal("votes", "stars", text).table == "votes"


@pytest.mark.parametrize(
    ("given_tags", "kept"),
    [
        (["  Budget ", "BUDGET", "trees"], ["budget", "trees"]),
        (["ÉTÉ", "été"], ["été"]),
        (["a  b"], ["a  b"]),
        (["b", "a"], ["a", "b"]),
        ([], []),
        (" Budget;;TREES ; budget", ["budget", "trees"]),
        ("", []),
        (["Straße", "STRASSE"], ["strasse"]),
        (["cafe\u0301", "caf\u00e9", "\ufeffcaf\u00e9", "ca\u00adf\u00e9\u200b"], ["caf\u00e9"]),
    ],
)
@pytest.mark.parametrize("table", ["ballots", "yes_no_votes", "followings"])
def test_tags_are_brought_to_one_form_and_said_once(table: str, given_tags: Any, kept: list[str]) -> None:
    """T5, in the order of the alphabet, so that equal sets are equal values."""
    column = pl.Series([given_tags], dtype=pl.String if isinstance(given_tags, str) else pl.List(pl.String))
    assert getattr(build(table, "tags", column), table)["tags"].to_list() == [kept]


@pytest.mark.slow
@given(
    tags=st.lists(st.text(st.characters(exclude_characters=";\r\n", exclude_categories=["Cs"]), max_size=8), max_size=5)
)
@settings(max_examples=30)
def test_tags_that_have_entered_stay_as_they_are(tags: list[str]) -> None:
    """Normalising twice is normalising once, so writing and reading changes no tag."""
    once = build("ballots", "tags", pl.Series([tags], dtype=pl.List(pl.String))).ballots["tags"]
    assert build("ballots", "tags", once).ballots["tags"].to_list() == once.to_list()
    assert len(set(once[0])) == len(once[0])


@pytest.mark.parametrize("tag", ["a;b", "a\nb", "a\rb"])
@pytest.mark.parametrize("table", ["ballots", "yes_no_votes", "followings"])
def test_a_tag_that_a_csv_could_not_hold_is_refused(table: str, tag: str) -> None:
    """A list with a separator inside an entry would be another list after writing and reading."""
    text = str(refusal(table, "tags", pl.Series([[tag]], dtype=pl.List(pl.String))))
    assert "separate tags" in text
    assert f"tags [{tag!r}]" in text


@pytest.mark.parametrize(
    "tags", [";", " ; ;", pl.Series([[" "]]), pl.Series([["", "\t"]]), pl.Series([[""]], dtype=pl.List(pl.Categorical))]
)
def test_a_following_on_nothing_but_blank_tags_is_on_all_and_says_so(tags: Any) -> None:
    """T3, T5: somebody may have meant a tag."""
    state = build("followings", "tags", tags)
    assert state.followings["tags"].to_list() == [[]]
    (note,) = state.notes
    assert note.startswith("followings: 1 row: tags are all blank (T5); they follow on ALL (T3) (first: row 1: ")
    for plainly_all in ("", "  ", pl.Series([[]], dtype=pl.List(pl.String)), pl.Series([None])):
        assert build("followings", "tags", plainly_all).notes == ()


@pytest.mark.parametrize("column", ["is_voter", "is_manager", "is_anonymous"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("true", "TRUE", "Yes", "y", "1", " t ", "1.0", "1.00")),
        *((word, False) for word in ("false", "No", "n", "0", "F", "0.0")),
    ],
)
def test_flags_are_read_in_the_usual_words(column: str, text: str, value: bool) -> None:
    """True and false in any case."""
    assert build("members", column, pl.Series([text, text])).members[column].to_list() == [value, value]


@pytest.mark.parametrize("text", ["maybe", "2", "-", "ja", "WAHR", "faux", "x", "✓", "1.5", "10", ".0"])
def test_a_flag_in_no_such_word_is_refused(text: str) -> None:
    """Whether somebody is tallied is not guessed; the error says what is understood."""
    said = str(refusal("members", "is_voter", pl.Series([text, "true"])))
    assert "is_voter is neither true nor false; understood are true, t, yes, y, 1 and false, f, no, n, 0" in said


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64, pl.Int8, pl.UInt64, pl.Decimal(5, 2)])
@pytest.mark.parametrize("column", ["is_voter", "is_anonymous"])
def test_flags_may_be_the_numbers_one_and_zero(column: str, dtype: Any) -> None:
    """As other programs write true and false."""
    flags = pl.Series([1, 0]).cast(dtype)
    assert build("members", column, flags).members[column].to_list() == [True, False]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 0.5, 2.0, -1.0, 2, Decimal("0.1")])
def test_a_flag_that_is_another_number_is_refused(number: Any) -> None:
    """Not everything that is not zero is true."""
    assert "is_voter is neither true nor false" in str(refusal("members", "is_voter", pl.Series([number, 1 * number])))


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), float("inf"), 1e300, Decimal("1.5"), 2**64 - 1, "1.5", "1e3", dt.date(2026, 5, 1), [3]]
)
def test_an_order_that_is_not_whole_becomes_the_default_with_a_note(value: Any) -> None:
    """D9: it changes no number, so it costs no row; nothing is cut off."""
    cells = pl.Series([value], dtype=pl.UInt64 if isinstance(value, int) else None)
    for table, column in (("followings", "order"), ("choices", "position")):
        state = build(table, column, cells)
        assert getattr(state, table)[column].to_list() == [0]
        (note,) = state.notes
        assert note.startswith(f"{table}: 1 row: {column} is not a whole number; it is taken as 0 (first: row 1: ")


@pytest.mark.parametrize("value", [3.0, Decimal("3.00"), 3, " 3 "])
def test_an_order_is_a_whole_number_of_any_type(value: Any) -> None:
    """Numbers of a spreadsheet are floats."""
    assert build("choices", "position", pl.Series([value])).choices["position"].to_list() == [3]


OPTIONAL = [
    (table, column) for table in PLAIN for column in PLAIN[table] if column not in REQUIRED[table] + KEYS_OF_HOME
]


@pytest.mark.parametrize(("table", "column"), OPTIONAL)
def test_a_blank_cell_is_an_absent_cell(table: str, column: str) -> None:
    """In every optional column, of frames as of files."""
    absent, given = (build(table, column, pl.Series([text], dtype=pl.String)) for text in (None, " \t "))
    assert getattr(given, table).equals(getattr(absent, table))
    assert absent.notes == given.notes


def test_blank_flags_take_the_default() -> None:
    """Blank is absent: a member who votes and is not anonymous."""
    members = build("members", "is_voter", pl.Series(["", None])).members
    assert members["is_voter"].to_list() == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T18:00:00Z",
        "2026-05-01T20:00:00+02:00",
        "2026-05-01 18:00:00",
        "2026-05-01 18:00",
        "2026-05-01T18:00",
        "2026-05-01T18:00:00.000000",
        "2026-05-01T18:00Z",
        "2026-05-01 18:00z",
        "2026-05-01T20:00+02",
        "2026-05-01 20:00 +02:00",
        "2026-05-01 20:00:00 +0200",
        "2026-05-01 18:00 UTC",
        "2026-05-01 18:00:00 GMT",
        "2026-05-01 20:00 GMT+2",
        "2026-05-01 12:30 -05:30",
        "2026-05-01 18:00:00,000",
        "20260501T180000Z",
        "20260501T1800",
        "2026/05/01 6:00:00 PM",
        "2026/5/1 18:00",
        "2026-05-02T01:00:00.000000000+07:00",
    ],
)
def test_times_are_read_as_utc(text: str) -> None:
    """A time without a zone is UTC; one with a zone is turned into UTC."""
    assert build("ballots", "cast_at", text).ballots["cast_at"].item() == dt.datetime(2026, 5, 1, 18, tzinfo=dt.UTC)


def test_times_of_other_zones_and_units_become_utc_microseconds() -> None:
    """A column of times in Paris keeps the instant."""
    paris = pl.Series([dt.datetime(2026, 5, 1, 20)], dtype=pl.Datetime("ns")).dt.replace_time_zone("Europe/Paris")
    ballots = build("ballots", "cast_at", paris).ballots
    assert ballots.schema["cast_at"] == pl.Datetime("us", "UTC")
    assert ballots["cast_at"].item() == dt.datetime(2026, 5, 1, 18, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "01/05/2026",
        "5/14/2020",
        "03/04/2020 10:00",
        "1.5.2026",
        "May 1 2026",
        "2026-13-01",
        "2026-02-29",
        "2026-04-31",
        "2026-05-01 25:00",
        "2026-05-01 13:00 PM",
        "2026-05-01 18:60",
        "2026-05-01 18:00 CET",
        "2026-05-01 18:00 +25:00",
        "2026-05-0118:00",
        "2026-0501",
        "2026-05",
        "18:00",
        "1777000000",
        "0001-01-01T00:00+02:00",
        "9999-12-31T23:59-02:00",
    ],
)
def test_what_is_no_time_is_never_guessed(text: str) -> None:
    """A closing time that cannot be read is refused; a time of a ballot becomes unknown, with a note."""
    error = str(refusal("decisions", "closes_at", text))
    assert "decisions: 1 row: closes_at is not a time such as 2026-05-01 18:00:00 (UTC) (first: row 1: " in error
    assert f"closes_at '{text}'" in error
    assert "opens_at is not a time" in str(refusal("decisions", "opens_at", text))
    assert "voted_at is not a time" in str(refusal("yes_no_votes", "voted_at", text))
    state = build("ballots", "cast_at", text)
    assert state.ballots["cast_at"].to_list() == [None]
    assert f"cast_at '{text}'" in state.notes[0]


@pytest.mark.parametrize(
    "text", ["0000-00-00 00:00:00", "0000-00-00", "0000-00-00 00:00:00.000000", "NaT", "None", "NULL"]
)
def test_what_says_there_is_no_time_is_no_time_with_a_note(text: str) -> None:
    """MySQL's zero date, and what programs write where nothing is."""
    for table, column in (("ballots", "cast_at"), ("decisions", "closes_at"), ("yes_no_votes", "voted_at")):
        state = build(table, column, text)
        assert getattr(state, table)[column].to_list() == [None]
        assert (
            f"{table}: 1 row: {column} is what programs write where there is no time; it is unknown" in state.notes[0]
        )


def test_a_ballot_without_a_readable_time_counts_and_says_so_loudly() -> None:
    """D12: the decision has a voting time, and nobody can tell whether the ballot was cast in it."""
    state = build("ballots", "cast_at", "1/2/2026")
    note = next(note for note in state.notes if "(D12)" in note)
    assert "ballots: 1 row: they count, though nobody can tell whether they were cast in the voting time" in note
    assert "(first: row 1: decision_id 'd', member_id 'Kelly', cast_at '1/2/2026')." in note
    with pytest.warns(cv.TableWarning, match="1 ballot without a time of casting, counted as if cast in time"):
        assert cv.resolve(state).stats["manual_ballots"].to_list() == [1]


def test_a_decision_that_closes_before_it_opens_is_refused() -> None:
    """The two times are named."""
    text = str(refusal("decisions", "closes_at", "2026-04-30"))
    for part in ("closes_at lies before opens_at", "opens_at '2026-05-01'", "closes_at '2026-04-30'"):
        assert part in text


@pytest.mark.parametrize("value", [1_777_000_000, Decimal(3), dt.timedelta(1), dt.time(18), True])
def test_what_has_no_date_is_no_time(value: Any) -> None:
    """A bare number has no unit: seconds read as microseconds would all be in 1970."""
    assert "closes_at has the type" in str(refusal("decisions", "closes_at", pl.Series([value])))
    state = build("ballots", "cast_at", pl.Series([value]))
    assert state.ballots["cast_at"].to_list() == [None]
    assert "ballots: 1 row: cast_at is not a time" in state.notes[0]


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("us", "Europe/Paris")])
@pytest.mark.parametrize(("table", "column"), [("ballots", "cast_at"), ("votes", "choice_id")])
def test_times_beyond_the_calendar_are_refused(table: str, column: str, dtype: Any) -> None:
    """No program could show them."""
    for number in (2**31 - 1, -(2**31)) if dtype == pl.Date else (2**63 - 1, -(2**63) + 1):
        far = pl.Series([number], dtype=pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)
        assert "outside the years 1 to 9999" in str(refusal(table, column, far))


@pytest.mark.parametrize(
    ("table", "column", "rule"),
    [
        ("communities", "cycle_rule", "none of auto (Y6), path (Y1), equilibrium (Y4)"),
        ("decisions", "method", "method is none of star, simple_majority, supermajority, unanimity"),
        ("decisions", "status", "status is none of draft, active, approved, rejected, expired, cancelled (C1)"),
        ("yes_no_votes", "vote", "vote is none of yes, no, abstain (C1)"),
    ],
)
def test_a_rule_nobody_knows_is_refused(table: str, column: str, rule: str) -> None:
    """A misspelt rule never falls back to another."""
    error = refusal(table, column, "Equilibrum")
    assert rule in str(error)
    assert "'Equilibrum'" in str(error)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt8, pl.Categorical, pl.String])
def test_ids_of_any_type_meet_as_text(dtype: Any) -> None:
    """Whole numbers in one table and text in another are the same ids."""
    number = pl.Series(["7"]).cast(pl.Int64 if dtype == pl.Int64 else pl.UInt8 if dtype == pl.UInt8 else dtype)
    votes = pl.DataFrame({"member_id": number, "choice_id": [1], "stars": [5]})
    state = cv.SystemState(members=pl.DataFrame({"member_id": ["7"]}), votes=votes)
    assert state.notes == ()
    assert cv.resolve(state).stars.select("member_id", "choice_id").rows() == [("7", "1")]


@pytest.mark.parametrize(
    "name",
    [
        "Zoë",
        "李雷",
        "🟢",
        "O'Brien",
        'a"b',
        "a,b",
        "a;b",
        "a\tb",
        " x ",
        "\u0000",
        "é",
        "می\u200cروم",
        "👩\u200d👧",
        "NULL",
        "1.5",
    ],
)
def test_ids_are_any_text_and_compared_exactly(name: str) -> None:
    """No id in NFC is changed, joiners stay, and only the same characters are the same id."""
    votes = pl.DataFrame({"member_id": [name, "é!"], "choice_id": [name, name], "stars": ["5", "1"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if name == "NULL" else "error", cv.TableWarning)
        state = cv.SystemState(members=pl.DataFrame({"member_id": [name, "é!"]}), votes=votes)
    stars = cv.resolve(state).stars
    assert sorted(stars.select("member_id", "choice_id").rows()) == sorted([(name, name), ("é!", name)])


# --- whatever comes -------------------------------------------------------------------------------------------------


COUNTED: set[str] = set()


def count(state: cv.SystemState, table: str) -> None:
    """Everything there is to count that looks at a table; the same tables are not counted again."""
    same = repr((table, [(frame.schema, frame.rows()) for name in PLAIN for frame in [getattr(state, name)]]))
    if same in COUNTED:
        return
    COUNTED.add(same)
    if table not in ("required_voters", "yes_no_votes"):
        cv.resolve(state)
    if table in ("decisions", "required_voters", "yes_no_votes"):
        cv.decide(state, delegated=True)  # counts votes by hand as well


STRANGE: dict[str, pl.Series] = {
    "null": pl.Series([None]),
    "int": pl.Series([3]),
    "huge": pl.Series([2**64 - 1], dtype=pl.UInt64),
    "float": pl.Series([1.5]),
    "nan": pl.Series([float("nan")]),
    "bool": pl.Series([True]),
    "date": pl.Series([dt.date(2020, 1, 1)]),
    "datetime": pl.Series([dt.datetime(2020, 1, 1)]),
    "duration": pl.Series([dt.timedelta(1)]),
    "time": pl.Series([dt.time(1)]),
    "binary": pl.Series([b"\xff"]),
    "categorical": pl.Series(["B"], dtype=pl.Categorical),
    "enum": pl.Series(["B"], dtype=pl.Enum(["B"])),
    "list": pl.Series([["B"]]),
    "list of numbers": pl.Series([[1]]),
    "list of nulls": pl.Series([[None]]),
    "list of lists": pl.Series([[["B"]]]),
    "list of structs": pl.Series([[{"a": 1}]]),
    "list of bytes": pl.Series([[b"\xff"]]),
    "array": pl.Series([["B"]], dtype=pl.Array(pl.String, 1)),
    "struct": pl.Series([{"a": 1}]),
    "object": pl.Series([object()], dtype=pl.Object),
    "decimal": pl.Series([Decimal("4.5")]),
    "fine decimal": pl.Series([Decimal("4.123456789")]),
    "wide decimal": pl.Series(["4.5"]).cast(pl.Decimal(38, 20)),
    "int128": pl.Series([3], dtype=pl.Int128),
    "float32": pl.Series([2.0], dtype=pl.Float32),
    "utf8 binary": pl.Series([b"B"]),
    "nanoseconds with a zone": pl.Series([dt.datetime(2020, 1, 1)], dtype=pl.Datetime("ns")).dt.replace_time_zone(
        "Asia/Tokyo"
    ),
    "seconds": pl.Series([1], dtype=pl.Duration("ms")),
    "list of categories": pl.Series([["B"]], dtype=pl.List(pl.Categorical)),
}


def as_checked(table: str, column: str, cells: pl.Series) -> Checked | None:
    """The table with one column of a strange type; nothing where the type is refused."""
    frame = plain(table)[table].head(1).with_columns(cells.alias(column))
    try:
        return check(table, admit(table, frame))
    except cv.InvalidTableError as error:
        assert table in str(error) and column in str(error)  # noqa: PT017, PT018 - either way is fine
        return None


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("table", PLAIN)
def test_a_column_of_any_type_is_read_into_the_type_of_the_table_or_refused_in_our_words(table: str, kind: str) -> None:
    """No error of the libraries underneath reaches the user."""
    for column in PLAIN[table]:
        checked = as_checked(table, column, STRANGE[kind])
        if checked is not None:
            assert checked.converted.drop("row").schema == tables.empty(table).schema
            assert [describe(checked, bad, set()).count for bad in (*checked.bad, *checked.odd)].count(0) == 0


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize(
    ("table", "column"), [("votes", "member_id"), ("decisions", "decision_id"), ("yes_no_votes", "tags")]
)
def test_what_was_read_from_any_type_can_be_counted_or_set_aside(table: str, column: str, kind: str) -> None:
    """What a table made of a column fits the other tables, and what is bad goes into quarantine."""
    for quarantine in (False, True):
        try:
            count(build(table, column, STRANGE[kind], quarantine=quarantine), table)
        except cv.CrowdVoteError as error:
            assert table in str(error) or column in str(error)  # noqa: PT017 - either way is fine


TEXT = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "",
            " ",
            "5",
            "4.5",
            "-1",
            "true",
            "2026-05-01",
            "path",
            "star",
            "Kelly",
            "k",
            "d",
            ";",
            "9" * 30,
            "2/3",
            "yes",
        ]
    ),
    st.from_regex(r"[+-]?[0-9]{0,3}\.?[0-9]{0,12}[eE]?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.]{0,9}(Z|[+-][0-9]{2}:?[0-9]{2})?", fullmatch=True),
)


@pytest.mark.slow
@settings(max_examples=40)
@given(data=st.data())
def test_a_column_of_any_text_is_understood_or_refused_in_our_words(data: st.DataObject) -> None:
    """Only errors of this package leave it, and with quarantine rows are set aside instead."""
    table = data.draw(st.sampled_from(list(PLAIN)))
    column = data.draw(st.sampled_from(list(PLAIN[table])))
    texts = pl.Series(data.draw(st.lists(st.none() | TEXT, min_size=1, max_size=3)), dtype=pl.String)
    frames = plain(table)
    frames[table] = pl.concat([frames[table].head(1)] * len(texts)).with_columns(texts.alias(column))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        try:
            count(cv.SystemState(**frames), table)
        except cv.InvalidTableError as error:
            if "Votes without a member cannot be set aside" in str(error):
                assert (table, column) == ("votes", "member_id")
                return
            state = cv.SystemState(**frames, quarantine=True)
            count(state, table)
            assert state.quarantined
