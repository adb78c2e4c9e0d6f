"""What ``crowdvote tally`` says about blank ballots, and where BetterVoting shows other numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crowdvote_analysis.cli.bettervoting import bettervoting_words, is_from_bettervoting
from tests.command import crowdvote

ROWS = ["5,4,0", "5,0,", "3,3,3", ",,", "2,5,1", ",4,", "4,4,1"]


@pytest.fixture
def polls(tmp_path: Path) -> dict[str, Path]:
    """The same ballots as each of the systems writes them."""
    better = tmp_path / "better.csv"
    rows = "".join(f"b{number},,{row}\n" for number, row in enumerate(ROWS))
    better.write_text(f"ballot_id,precinct,Ann,Ben,Cleo\n{rows}", encoding="utf-8")
    star = tmp_path / "star.csv"
    rows = "".join(f"v{number},2026-01-02 03:04:05,p,{row}\n" for number, row in enumerate(ROWS))
    star.write_text(f"voterID,voteTime,pollID,Ann,Ben,Cleo\n{rows}", encoding="utf-8")
    return {"better": better, "star": star}


def told(*arguments: object) -> str:
    return " ".join(crowdvote("tally", *arguments).stdout.split())


def test_blank_ballots_and_blank_choices_are_said(polls: dict[str, Path]) -> None:
    """Ballots without any star (D5), those that rate all alike, and what was left blank by how many (K10)."""
    text = told(polls["star"])
    assert "6 ballots tallied · 1 ballot blank as a whole, not tallied · 1 ballot with the same stars for every" in text
    assert "Where a choice was left blank it counts 0 stars, in its average as well." in text
    assert "Cleo 5 0.83 ████ 0 2 1.25" in text
    assert "BetterVoting" not in text
    document = json.loads(crowdvote("tally", polls["star"], "--json").stdout)["decisions"][0]
    assert document["ballots"] == {"tallied": 6, "blank": 1, "level": 1, "partly_blank": 1}
    assert document["ratings"][2] == {"choice_id": "Cleo", "rated": 4, "blank": 2, "average_rated": "1.25000000"}
    assert document["bettervoting"] is None


def test_where_nothing_is_blank_nothing_is_said_of_it(tmp_path: Path) -> None:
    """Columns of noughts would only be in the way."""
    poll = tmp_path / "poll.csv"
    poll.write_text("ballot_id,precinct,Ann,Ben\nb1,,5,4\nb2,,0,1\nb3,,2,1\n", encoding="utf-8")
    text = told(poll)
    assert "3 ballots tallied Score phase" in text
    assert "blank" not in text
    assert "BetterVoting" not in text


def test_where_bettervoting_shows_other_shares_it_is_said(polls: dict[str, Path]) -> None:
    """By the file or by the protocol: it leaves out who rates all alike, so its shares are of fewer ballots."""
    sentence = (
        "1 ballot gives every choice the same stars. BetterVoting calls that abstaining and leaves it out of its "
        "totals and shares; the winner is the same. Its shares of the runoff are of 5: Ben 40.0%, Ann 40.0%, "
        "equal support 20.0%. 1 ballot gives the same stars to all it rates and leaves another choice blank. It counts "
        "here; BetterVoting was seen to leave such ballots out, which changes its shares and may change its winner."
    )
    text = told(polls["better"])
    assert sentence in text
    assert "Ben 2 33.3%" in text
    assert sentence in told(polls["star"], "--protocol", "bettervoting")


def test_the_example_in_the_rules_is_right(tmp_path: Path) -> None:
    """Shares of five ballots here, of four there."""
    poll = tmp_path / "poll.csv"
    rows = ("5,0,0", "4,0,0", "0,5,0", "3,3,0", "2,2,2")
    cast = "".join(f"{number},,{row}\n" for number, row in enumerate(rows))
    poll.write_text(f"ballot_id,precinct,Ann,Ben,Cleo\n{cast}", encoding="utf-8")
    text = told(poll)
    assert "Ann 2 40.0% Ben 1 20.0% no preference 2 40.0%" in text
    assert "Ann 14 2.80" in text  # 12 stars there
    assert "are of 4: Ann 50.0%, Ben 25.0%, equal support 25.0%." in text


def test_several_ballots_are_said_in_the_plural() -> None:
    """And where all rate alike there are no shares at all."""
    tally: dict[str, Any] = {
        "vote_count": 2,
        "scores": [{"choice_id": "a", "title": "Ann"}, {"choice_id": "b", "title": "Ben"}],
        "runoff": {"votes": {"a": 0, "b": 0}, "no_preference": 2},
    }
    words = bettervoting_words({"tally": tally, "ballots": {"level": 2, "partly_blank": 3}})
    assert words == (
        "2 ballots give every choice the same stars. BetterVoting calls that abstaining and leaves them out of its "
        "totals and shares; the winner is the same. 3 ballots give the same stars to all they rate and leave "
        "another choice blank. They count here; BetterVoting was seen to leave such ballots out, which changes its "
        "shares and may change its winner."
    )


@pytest.mark.parametrize("start", ["ballot_id,", '"Ballot_ID",', "\ufeffballot_id,"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_of_bettervoting_is_known_by_its_header(start: str, encoding: str, tmp_path: Path) -> None:
    """However it was saved again."""
    poll = tmp_path / "poll.csv"
    poll.write_text(f"{start}Ann\nb1,5\n", encoding=encoding)
    assert is_from_bettervoting(poll)
    poll.write_text(f"voterID,ballot_id\n{start}\n", encoding=encoding)
    assert not is_from_bettervoting(poll)
