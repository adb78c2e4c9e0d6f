"""A sheet with a ballot a line → the tables of a poll: star.vote, BetterVoting, the answers of forms.

star.vote writes ``voterID,voteTime,pollID`` and one column a candidate.

BetterVoting (https://bettervoting.com, "Download CSV" below the results) writes ``ballot_id,precinct`` and one column a
candidate; its first exports had no precinct. With several races the columns are called ``Race!!Candidate``. Ranked
races (RCV, STV) have further columns ``overvote_rank`` and ``has_duplicate_rank``; the file says nothing else about
the method of a race. Source: ``BallotDataExport.tsx`` and ``docs/help/exporting_your_data.md`` of
github.com/Equal-Vote/bettervoting.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import TableWarning, UnreadableFileError
from crowdvote_analysis.readers.choice_columns import choose_columns, why_choices
from crowdvote_analysis.readers.forms import form_choices
from crowdvote_analysis.readers.layout import RANKED, short_name
from crowdvote_analysis.readers.odd_rows import doubt_headings, doubt_rows, doubt_sums
from crowdvote_analysis.readers.sections import doubt_questions, doubt_sections, repeats_in_words
from crowdvote_analysis.readers.sheet import refuse_repeats
from crowdvote_analysis.readers.star_columns import gather_votes, list_choices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from crowdvote_analysis.readers.layout import Layout
    from crowdvote_analysis.readers.sheet import Sheet

STAR_VOTE = ("voterid", "votetime", "pollid")
_LINE = pl.col("__line__")
# A race or a candidate may have exclamation marks of its own; the last pair with a name behind it separates them.
_RACE_AND_CANDIDATE = re.compile(r"(.+)!!(.+)", re.DOTALL)


@dataclass(frozen=True)
class PollSheet:
    """A sheet with a ballot a line, and what is known about it.

    Attributes:
        path: The file.
        sheet: Its rows.
        layout: What somebody said about it.
        voter: The column that says who voted; none if none does.
    """

    path: Path
    sheet: Sheet
    layout: Layout
    voter: str | None

    def headers(self, first: int = 0) -> dict[str, str]:
        """The headers from a column on, by the name of their column."""
        return {str(column): name for column, name in enumerate(self.sheet.header) if column >= first}

    def rows(self) -> pl.DataFrame:
        """The rows with their lines."""
        return self.sheet.rows.with_columns(__line__=self.sheet.lines)


@dataclass(frozen=True)
class Poll:
    """The tables of a poll, and in words what the columns were taken for."""

    decisions: pl.DataFrame
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    why: str


def star_vote(poll: PollSheet) -> Poll:
    """The tables of an export of star.vote, whose first columns are voterID, voteTime and pollID."""
    headers = poll.headers(len(STAR_VOTE))
    _refuse_candidates(poll, list(headers.values()))
    rule = "Every column other than voterID, voteTime and pollID"
    candidates = _choose(poll, headers, rule)
    _doubt(poll, candidates)
    rows, ids = poll.rows(), {"decision_id": pl.col("2"), "member_id": pl.col("0")}
    votes = gather_votes(rows, {**ids, "__line__": _LINE}, candidates, headers)
    polls = rows["2"]
    if polls.n_unique() == 1:
        doubt_sections(str(poll.path), rows, candidates)
    decisions = pl.DataFrame({"decision_id": polls.drop_nulls().unique(maintain_order=True)})
    if len(decisions) == 1:
        decisions = decisions.with_columns(title=pl.lit(poll.path.stem))
    names = list(candidates.values())
    ballots = rows.select(_LINE, **ids, cast_at=pl.col("1"))
    return Poll(decisions, list_choices(polls, votes, names), ballots, votes, why_choices(rule, names))


def bettervoting(poll: PollSheet) -> Poll:
    """The tables of an export of BetterVoting, whose first column is ballot_id; a decision a race."""
    precinct = [name.lower() for name in poll.sheet.header[1:2]] == ["precinct"]
    headers = poll.headers(1 + precinct)
    stars = {column: name for column, name in headers.items() if short_name(name) not in RANKED}
    rule = f"Every column other than {'ballot_id and precinct' if precinct else 'ballot_id'}"
    kept = _choose(poll, stars, rule) if stars else {}
    named = {
        column: name if "!!" in name else kept.get(column, name)
        for column, name in headers.items()
        if column in kept or column not in stars
    }
    races = _races(poll, named)
    there = precinct and poll.sheet.rows["1"].null_count() < len(poll.sheet.rows)
    why = why_choices(rule, [name for race in races.values() for name in race.values()])
    return _gather(poll, races, why, {"precinct": pl.col("1")} if there else {})


def form(poll: PollSheet) -> Poll:
    """The tables of any other sheet; a decision a question."""
    questions = form_choices(poll.path, poll.sheet, poll.layout, poll.voter)
    who = "Every line is a ballot" if poll.voter is None else f"The voter is in {poll.headers()[poll.voter]!r}"
    names = dict.fromkeys(name for question in questions.values() for name in question.values())
    return _gather(poll, questions, f"{who}, choices are {', '.join(names)}; --id and --choices say otherwise.", {})


def _choose(poll: PollSheet, headers: Mapping[str, str], rule: str) -> dict[str, str]:
    """The columns that are choices; says which others there are, if some were asked for."""
    chosen = choose_columns(str(poll.path), poll.sheet.rows, headers, poll.layout, rule)
    aside = [header for column, header in headers.items() if column not in chosen]
    if poll.layout.choices and aside:
        _note(f"{poll.path}: not looked at, since --choices names others: {', '.join(aside)}.")
    return chosen


def _doubt(poll: PollSheet, columns: Iterable[str]) -> None:
    """Note loudly the rows that look like no ballots."""
    if poll.voter is not None:
        doubt_rows(str(poll.path), poll.sheet.rows[poll.voter], poll.sheet.lines)
    columns = list(columns)
    rows = poll.sheet.rows
    doubt_sums(str(poll.path), rows.select(columns), poll.sheet.lines)
    if poll.voter is not None:
        beside = rows.drop(poll.voter, *columns)
        doubt_headings(str(poll.path), rows[poll.voter], rows.select(columns), beside, poll.sheet.lines, None)


def _gather(poll: PollSheet, races: Mapping[str, Mapping[str, str]], why: str, more: Mapping[str, pl.Expr]) -> Poll:
    """A decision a race, with a ballot of every voter; ``races`` has the choices of each by column."""
    _doubt(poll, [column for race in races.values() for column in race])
    doubt_questions(str(poll.path), poll.sheet, races)
    rows, headers = poll.rows(), poll.headers()
    who = pl.col(poll.voter) if poll.voter is not None else pl.format("line {}", _LINE)
    ballots, votes, choices = [], [], []
    for race, candidates in races.items():
        names = list(candidates.values())
        _refuse_candidates(poll, names, repeats=bool(poll.layout.choices))
        key = {"decision_id": pl.lit(race), "member_id": who, "__line__": _LINE}
        doubt_sections(str(poll.path), rows, candidates)
        ballots.append(rows.select(**key, **more))
        votes.append(gather_votes(rows, key, candidates, headers))
        choices.append(list_choices(pl.Series([race]), votes[-1], names))
    decisions = pl.DataFrame({"decision_id": list(races)})
    return Poll(decisions, pl.concat(choices), pl.concat(ballots), pl.concat(votes), why)


def _races(poll: PollSheet, marks: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The STAR races by name: their candidates by column."""
    path = poll.path
    candidates = {column: name for column, name in marks.items() if name not in RANKED}
    _refuse_candidates(poll, list(candidates.values()), repeats=True)
    # BetterVoting names either every column after its race or none, so a lone "!!" belongs to a candidate's name.
    parts = {column: _RACE_AND_CANDIDATE.fullmatch(name) for column, name in candidates.items()}
    several = all(parts.values())
    races: dict[str, dict[str, str]] = {}
    ranked: set[str] = set()
    race = path.stem
    for column, name in marks.items():
        part = parts.get(column)
        if several and part:
            race, name = part[1].strip(), part[2].strip()
        if name in RANKED:
            # Written without its race (or, in newer files, with it) behind the candidates of the race.
            ranked.add(race)
        else:
            races.setdefault(race, {})[column] = name
    stars = {race: columns for race, columns in races.items() if race not in ranked}
    if not stars:
        raise UnreadableFileError(
            f"{path}: is a ranked poll (it has the columns overvote_rank or has_duplicate_rank); ranks are not stars "
            "and cannot be counted here."
        )
    if ranked:
        _note(f"{path}: races left out because they are ranked, and ranks are not stars: {', '.join(sorted(ranked))}.")
    return stars


def _refuse_candidates(poll: PollSheet, names: list[str], *, repeats: bool = False) -> None:
    if not names:
        raise UnreadableFileError(f"{poll.path}: the header names no candidates. {poll.sheet.dialect}.")
    if not repeats:
        refuse_repeats(poll.path, names, repeats_in_words(poll.sheet, dict.fromkeys(poll.sheet.header)))


def _note(sentence: str) -> None:
    warnings.warn(sentence, TableWarning, stacklevel=3)
