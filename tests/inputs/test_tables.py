"""Text, tags and ids as people and programs write them; choices that a set-aside ballot alone rates."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.command import crowdvote

Files = Callable[[str], Path]


def totals(state: cv.SystemState) -> dict[str, Decimal]:
    """The score of every choice of the only decision."""
    tally = cv.tally_star(cv.resolve(state), state.decisions["decision_id"].item())
    return dict(tally.scores.select("choice_id", "total").iter_rows())


def test_choices_by_capitals(files_of: Files) -> None:
    """One choice under three spellings is refused with its spellings and the way out; as one it wins."""
    folder = files_of("choices-by-capitals")
    said = crowdvote("count", folder)
    assert said.returncode == 1
    words = " ".join((said.stdout + said.stderr).split())
    for part in (
        "'POND' (1 vote), 'Pond' (1 vote), 'pond' (1 vote)",
        "look like one choice",
        '--choices "Pond,Swings"',
    ):
        assert part in words
    state = one_spelling(folder)
    assert totals(state) == {"Pond": 14, "Swings": 10}
    tally = cv.tally_star(cv.resolve(state), "decision")
    assert tally.winner == "Pond"
    assert "Pond: 3 preferences, Swings: 1 preference" in "\n".join(tally.log)


def one_spelling(folder: Path) -> cv.SystemState:
    """The votes of a folder, read with the choices that the error names."""
    votes = pl.read_csv(folder / "votes.csv", infer_schema=False)
    with pytest.warns(cv.TableWarning, match="votes: 2 rows: choice_id is read as 'Pond' .*'pond'.*'POND'"):
        return cv.SystemState(votes=votes, spellings=["Pond", "Swings"])


def test_choices_by_unicode(files_of: Files) -> None:
    """A choice in two Unicode forms is one, and a note says how many votes that concerns."""
    with pytest.warns(cv.TableWarning, match=r"votes: 1 row: choice_id was brought to one form .*'Jose\\u0301'"):
        state = cv.SystemState.read(files_of("choices-by-unicode"))
    assert totals(state) == {"Jos\u00e9": 10, "Ben": 8}
    assert cv.tally_star(cv.resolve(state), "decision").winner == "Jos\u00e9"


def test_tags_by_unicode(files_of: Files) -> None:
    """A tag in two Unicode forms is one tag."""
    ballots = cv.resolve(cv.SystemState.read(files_of("tags-by-unicode"))).ballots
    assert ballots.filter(member_id="Maya")["origin"].to_list() == ["calculated"]


def test_tags_all(files_of: Files) -> None:
    """The word ALL means ALL, and a note says so."""
    with pytest.warns(cv.TableWarning, match="followings: 2 rows: tags have a word for ALL among them"):
        state = cv.SystemState.read(files_of("tags-all"))
    assert state.followings["tags"].to_list() == [[], []]
    assert cv.resolve(state).stats["calculated_ballots"].to_list() == [2]


def test_float_ids(files_of: Files) -> None:
    """Members 1.0 and 2.0 are 1 and 2."""
    with pytest.warns(cv.TableWarning, match="members: 2 rows: member_id is a number with a point and is read as"):
        state = cv.SystemState.read(files_of("float-ids"))
    assert state.members["member_id"].to_list() == ["1", "2"]
    assert cv.resolve(state).stats["manual_ballots"].to_list() == [2]


def test_quarantine_keeps_choices(files_of: Files, tmp_path: Path) -> None:
    """Cleo stays, with 0 stars, though the only ballot that rates her is set aside; as one row a star too."""
    with pytest.warns(cv.TableWarning, match="set aside"):
        state = cv.SystemState.read(files_of("quarantine-keeps-choices"), quarantine=True)
    assert totals(state) == {"Ann": 8, "Ben": 3, "Cleo": 0}
    (tmp_path / "votes.csv").write_text(
        "member_id,choice_id,stars\nKim,Ann,5\nKim,Ben,1\nLou,Ann,3\nLou,Ben,2\nMo,Ann,0\nMo,Ben,1\nMo,Cleo,9\n"
    )
    with pytest.warns(cv.TableWarning, match="set aside"):
        long = cv.SystemState.read(tmp_path, quarantine=True)
    assert totals(long) == {"Ann": 8, "Ben": 3, "Cleo": 0}
