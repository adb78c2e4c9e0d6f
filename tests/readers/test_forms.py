"""Exports of forms, and sheets that are nobody's export, become polls or are refused with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_poll

if TYPE_CHECKING:
    from crowdvote_analysis import SystemState
    from tests.readers.conftest import Write

GOOGLE = (
    "Timestamp,Email Address,Rate [Ann],Rate [Ben],Comments\n2026/05/01 9:00:00 AM,kim@e.org,5,1,Hi\nx,lou@e.org,,4,\n"
)
MICROSOFT = (
    "ID,Start time,Completion time,Email,Name,Ann,Ben\n"
    "1,5/1/26 9:00:00,5/1/26 9:01:00,anonymous,,5,1\n2,5/1/26 9:00:00,5/1/26 9:01:00,anonymous,,0,4\n"
)
TYPEFORM = (
    "#,Ann,Ben,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending\n"
    "k3j,5,1,completed,2026-05-01 09:00:00,,2026-05-01 09:01:00,a1,,\n"
    "x9d,0,4,completed,2026-05-01 09:00:00,,2026-05-01 09:01:00,b2,,\n"
)
LIMESURVEY = (
    '"id","submitdate","lastpage","startlanguage","seed","Stars [Ann]","Stars [Ben]"\n'
    '"7","2026-05-01 09:00:00","1","en","123","5","1"\n"9","2026-05-01 09:00:00","1","en","456","0","4"\n'
)


def read(write: Write, text: str, **layout: object) -> tuple[SystemState, str]:
    with pytest.warns(TableWarning) as warned:
        state = read_poll(write("Trees.csv", text), **layout)  # type: ignore[arg-type]
    return state, "\n".join(str(warning.message) for warning in warned)


def stars(state: SystemState) -> list[tuple[str, str, int]]:
    return [(m, c, int(s)) for m, c, s in sorted(state.votes.select("member_id", "choice_id", "stars").rows())]


@pytest.mark.parametrize(
    ("text", "voters", "aside"),
    [
        (GOOGLE.replace("lou@e.org,,", "lou@e.org,0,"), ("kim@e.org", "lou@e.org"), "Timestamp, Comments"),
        (MICROSOFT, ("1", "2"), "Start time, Completion time, Email, Name"),
        (
            TYPEFORM,
            ("k3j", "x9d"),
            "Response Type, Start Date (UTC), Stage Date (UTC), Submit Date (UTC), Network ID, Tags",
        ),
        (LIMESURVEY, ("7", "9"), "submitdate, lastpage, startlanguage, seed"),
        ("Name,Ann,Ben\nKim,5,1\nLou,0,4\n", ("Kim", "Lou"), None),
        ("ann;ben\n", (), None),
    ],
    ids=["google", "microsoft", "typeform", "limesurvey", "names", "empty"],
)
def test_exports_of_forms_are_read_with_a_word_on_how(
    write: Write, text: str, voters: tuple[str, ...], aside: str | None
) -> None:
    """Who voted, which columns are choices, and what was not looked at stand in the note."""
    if not voters:
        with pytest.warns(TableWarning, match="semicolons"), pytest.raises(UnreadableFileError, match="no ballots"):
            read_poll(write("a.csv", text))
        return
    state, said = read(write, text)
    assert stars(state) == [(voters[0], "Ann", 5), (voters[0], "Ben", 1), (voters[1], "Ann", 0), (voters[1], "Ben", 4)]
    assert state.decisions["decision_id"].to_list() == ["Trees"]
    assert "choices Ann, Ben" in said
    assert "--id and --choices say otherwise" in said
    assert aside is None or f"Not looked at: {aside}" in said


def test_blank_answers_stay_blank_and_their_ballots_stay(write: Write) -> None:
    """A blank cell is not rated; a line of blanks is a ballot without stars (D5)."""
    state, _ = read(write, GOOGLE + "y,mo@e.org,,,\n")
    assert stars(state) == [("kim@e.org", "Ann", 5), ("kim@e.org", "Ben", 1), ("lou@e.org", "Ben", 4)]
    assert state.ballots["member_id"].to_list() == ["kim@e.org", "lou@e.org", "mo@e.org"]


def test_two_answers_of_one_voter_are_refused_with_both_lines(write: Write) -> None:
    """Two ballots of one person are never counted in silence; nor do a number for each answer hide them."""
    for first in ("", "ID,"):
        text = f"{first}Email,Ann,Ben\n" + "".join(
            f"{f'{n},' if first else ''}{who},5,{n}\n" for n, who in enumerate(("kim@e.org", "lou@e.org", "kim@e.org"))
        )
        with (
            pytest.warns(TableWarning, match="voter in 'Email'"),
            pytest.raises(
                InvalidTableError, match=r"(?s)line 2: .*'kim@e\.org'; line 4: .*The voter is in 'Email'.*--id"
            ),
        ):
            read_poll(write("a.csv", text))


def test_every_grid_is_a_decision(write: Write) -> None:
    """Two questions with lines of their own are two decisions, each with a ballot of everybody."""
    state, _ = read(write, "Email,Trees [Oak],Trees [Elm],Colour [Red]\na@e.org,5,1,2\nb@e.org,0,4,\n")
    assert state.decisions["decision_id"].to_list() == ["Trees", "Colour"]
    assert state.choices.select("decision_id", "choice_id").rows() == [
        ("Trees", "Oak"),
        ("Trees", "Elm"),
        ("Colour", "Red"),
    ]
    assert len(state.ballots) == 4


def test_unknown_column_of_words_is_refused_with_exactly_the_way_out(write: Write) -> None:
    """It may say who voted, or may be a remark; the words are not shown (P1), and both ways out work."""
    path = write("a.csv", "Person,Ann,Ben\nAda,5,1\nKim,0,4\n")
    with pytest.raises(
        InvalidTableError, match=r'If \'Person\' says who voted: --id "Person".*--leave-out "Person"'
    ) as error:
        read_poll(path)
    assert "Ada" not in str(error.value)
    assert read(write, path.read_text(), id_column="Person")[0].members["member_id"].to_list() == ["Ada", "Kim"]
    assert len(read(write, path.read_text(), leave_out=["Person"])[0].ballots) == 2


def test_id_and_choices_that_are_named_are_taken(write: Write) -> None:
    """Names of choices are found in whatever spelling, in brackets too, and written as asked for."""
    text = "Seat,Rate [ANN],Rate [Ben],Rate [Cleo],Extra\n3,5,1,2,x\n4,0,4,2,y\n"
    state, said = read(write, text, id_column="seat", choices=["Ann", "Ben"])
    assert stars(state) == [("3", "Ann", 5), ("3", "Ben", 1), ("4", "Ann", 0), ("4", "Ben", 4)]
    assert "Not looked at: Rate [Cleo], Extra" in said
    for layout, words in (
        ({"id_column": "Sit"}, r"no column 'Sit' \(--id\). Columns: Seat, Rate \[ANN\]"),
        ({"choices": ["Ann", "Dan"]}, r"no column for the choice 'Dan' \(--choices\)"),
        ({"leave_out": ["Dan"]}, r"'Dan' shall be left out .*no column and no ballot is called so"),
    ):
        with pytest.raises(UnreadableFileError, match=words):
            read_poll(write("a.csv", text), **layout)  # type: ignore[arg-type]


def test_columns_called_like_those_of_forms_are_choices_where_they_hold_stars(write: Write) -> None:
    """Time and money may be rated; a warning says that one of them looks like no choice."""
    state, said = read(write, "Time,Money\n5,1\n0,4\n")
    assert stars(state) == [
        ("line 2", "Money", 1),
        ("line 2", "Time", 5),
        ("line 3", "Money", 4),
        ("line 3", "Time", 0),
    ]
    assert "'Time' looks like no choice" in said


def test_columns_of_a_poll_in_another_order_are_the_same_poll(write: Write) -> None:
    """A spreadsheet moves columns; star.vote's are known by their names."""
    path = write("a.csv", "pollID,voterID,Ann,voteTime,Ben\np1,v1,5,2020-05-08 15:02:44,1\n")
    state = read_poll(path)
    assert (state.decisions["decision_id"].item(), stars(state)) == ("p1", [("v1", "Ann", 5), ("v1", "Ben", 1)])
    assert state.ballots["cast_at"].null_count() == 0


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "index", "level_0,index"])
def test_poll_that_went_through_pandas_is_the_same_poll(write: Write, index: str) -> None:
    """An index before all other columns is left out with a note."""
    numbers = ("0,0,", "1,1,") if "," in index else ("0,", "1,")
    path = write("a.csv", f"{index},ballot_id,precinct,A\n{numbers[0]}b1,,5\n{numbers[1]}b2,,4\n")
    with pytest.warns(TableWarning, match="left out as an index"):
        assert stars(read_poll(path)) == [("b1", "A", 5), ("b2", "A", 4)]


def test_choices_of_a_poll_that_look_alike_are_refused_with_the_line_that_settles_it(write: Write) -> None:
    """One choice in two spellings would share its stars with nobody (T7)."""
    path = write("a.csv", "ballot_id,precinct,Pond,pond ,Swings\nb1,,5,,4\nb2,,,5,4\nb3,,5,,3\n")
    with pytest.raises(
        InvalidTableError, match=r"'Pond' \(2 votes\), 'pond' \(1 vote\) look like.*--choices \"Pond,Swings\""
    ):
        read_poll(path)
    assert stars(read_poll(path, choices=["Pond", "Swings"]))[:2] == [("b1", "Pond", 5), ("b1", "Swings", 4)]
    with pytest.warns(TableWarning, match="count apart"):
        assert len(read_poll(path, choices=["Pond", "pond", "Swings"]).choices) == 3


def test_column_that_numbers_the_lines_may_say_who_voted(write: Write) -> None:
    """Numbers of seats would win as a choice; the warning gives both ways out."""
    text = "Seat,Ann,Ben\n2,5,1\n1,0,4\n3,1,1\n"
    assert (
        "'Seat' numbers the lines, and was counted as a choice. If it says who voted: --id \"Seat\""
        in read(write, text)[1]
    )
    assert read(write, text, id_column="Seat")[0].members["member_id"].to_list() == ["1", "2", "3"]


def test_one_email_for_all_is_no_way_to_vote_twice(write: Write) -> None:
    """Only a word that names nobody makes a column say nothing; a blank is a voter who is missing."""
    for lines, words in (
        ("k@e.org,5\nk@e.org,4\n", "line 2: .*line 3: "),
        ("k@e.org,5\n,4\n", "member_id is missing.*line 3"),
    ):
        with pytest.warns(TableWarning), pytest.raises(InvalidTableError, match=f"(?s){words}"):
            read_poll(write("a.csv", f"Email,Ann\n{lines}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Choice,Kim,Lou\nAnn,5,0\nBen,1,4\n", "a line seems to be a choice.*Turn the sheet round"),
        ("Plan,Kim,Lou\nAnn,5,0\nBen,1,4\n", "a line seems to be a choice.*Turn the sheet round"),
        ("Walk,Kim,Lou\nAnn,5,0\nBen,1,4\n", "If its cells are the choices, turn the sheet round"),
        ("member_id,choice_id,stars\nKim,Ann,5\n", r"a line a star. Put it into a folder as votes\.csv"),
        ("id,ballot_id,candidate,stars\n1,a,Ann,5\n2,a,Ben,0\n", r"choice in 'candidate' and the stars in 'stars'"),
        ("Name,Ann,Ben,,Name,Red\nKim,5,1,,Lou,4\nLou,0,2,,Lou,1\n", "1 line names another voter in the second"),
        ("b1,5,0\nb2,0,4\n", "first line holds numbers"),
        ("Results of May,,\nPerson,Ann,Ben\nKim,5,1\n", "other lines stand above the header, remove them"),
        ("Name Ann Ben\nKim 5 1\n", "one column only.*separated by something else.*--separator says otherwise"),
        ("Seat,Email Address,Stars,\n,,Oak,Elm\n1,k@e.org,5,1\n", "goes over several lines, join them"),
    ],
    ids="transposed plans words votes long beside no-header title blanks two-headers".split(),  # noqa: SIM905
)
def test_sheets_of_another_shape_are_told_what_to_do(write: Write, text: str, said: str) -> None:
    """Nothing is taken for a header or a ballot that is none."""
    with pytest.raises((UnreadableFileError, InvalidTableError), match=said):
        read_poll(write("a.csv", text))


def test_numbers_with_words_are_told_apart_from_words(write: Write) -> None:
    """The error says that the number alone is needed."""
    with pytest.raises(InvalidTableError, match=r"Where a number stands with words, leave the number alone"):
        read_poll(write("a.csv", "Name,Ann\nKim,5 stars\nLou,4 - good\n"))


@pytest.mark.parametrize(
    ("header", "voter"),
    [
        ("タイムスタンプ,メールアドレス,Ann,Ben", "メールアドレス"),
        ("タイムスタンプ,名前,Ann,Ben", "名前"),
        ("Carimbo de data/hora,Endereço de e-mail,Ann,Ben", "Endereço de e-mail"),
        ("Carimbo de data/hora,Nome,Ann,Ben", "Nome"),
        ("Marca temporal,Nombre,Ann,Ben", "Nombre"),
        ("Horodateur,Nom,Ann,Ben", "Nom"),
    ],
)
def test_forms_of_other_languages_say_who_voted_and_when(write: Write, header: str, voter: str) -> None:
    """What the form writes by itself is known in the language it was made in, also below a title."""
    rows = "2026/05/01 9:00:00,kim@e.org,5,1\n2026/05/01 9:00:00,lou@e.org,0,4\n"
    state, said = read(write, f"{header}\n{rows}")
    assert [star for _, _, star in stars(state)] == [5, 1, 0, 4]
    assert f'such as --id "{voter}"' in said
    assert f"Not looked at: {header.partition(',')[0]}." in said
    assert stars(read(write, f"Vote of May\n{header}\n{rows}")[0]) == stars(state)


def test_email_says_more_than_a_name_in_every_language(write: Write) -> None:
    """Two people may have one name."""
    text = "Carimbo de data/hora,Nome,Endereço de e-mail,Ann\nx,Kim,kim@e.org,5\nx,Kim,kim2@e.org,0\n"
    assert "by the voter in 'Endereço de e-mail'" in read(write, text)[1]


def test_the_same_voters_in_a_second_column_are_no_second_table(write: Write) -> None:
    """As where a form asks for the name again."""
    with pytest.warns(TableWarning):
        poll = read_poll(write("a.csv", "Name,Ann,Ben,Name\nKim,5,1,Kim\nLou,0,2,\n"))
    assert poll.votes["choice_id"].unique().sort().to_list() == ["Ann", "Ben"]


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_cells_that_a_spreadsheet_must_not_change_are_read_as_what_they_say(write: Write) -> None:
    """Programs write them as formulas, quotes inside them twice."""
    text = 'Name,="Ann",Ben\n"=""007""","=""5""",0\n="8","=""4""",1\n'
    with pytest.warns(TableWarning, match=r'5 cells are written as ="…"'):
        poll = read_poll(write("a.csv", text))
    assert poll.ballots["member_id"].sort().to_list() == ["007", "8"]
    assert poll.votes.filter(choice_id="Ann")["stars"].sum() == 9
