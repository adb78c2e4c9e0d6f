"""The ballots of a poll → SystemState: the CSV exports of star.vote and BetterVoting, and the answers of forms.

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
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers.choice_columns import choose_columns, why_choices
from crowdvote_analysis.readers.forms import form_choices, voter_column
from crowdvote_analysis.readers.index_columns import is_index, may_be_index
from crowdvote_analysis.readers.layout import Layout, make_layout, short_name
from crowdvote_analysis.readers.left_out import leave_out_columns, leave_out_rows
from crowdvote_analysis.readers.odd_rows import doubt_rows, doubt_sums
from crowdvote_analysis.readers.scales import note_ranks, scale_hint
from crowdvote_analysis.readers.sheet import Sheet, read_sheet, refuse_repeats
from crowdvote_analysis.readers.star_cells import read_stars
from crowdvote_analysis.readers.star_columns import gather_votes, list_choices
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LINE = pl.col("__line__")
_STAR_VOTE = ["voterid", "votetime", "pollid"]
_RANKED = ("overvote_rank", "has_duplicate_rank")
# A race or a candidate may have exclamation marks of its own; the last pair with a name behind it separates them.
_RACE_AND_CANDIDATE = re.compile(r"(.+)!!(.+)", re.DOTALL)


def read_poll(
    path: str | Path,
    *,
    community_id: str = "poll",
    quarantine: bool = False,
    separator: str | None = None,
    id_column: str | None = None,
    choices: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> SystemState:
    """Read the ballots of a poll: the CSV export of star.vote or BetterVoting, or the answers of a form.

    A candidate column is a choice, in the order of the file; a blank cell is a choice not rated and gives no row in
    votes. Ballots keep the order of the file; a ballot with blank cells only is a ballot without stars (D5). Who voted
    are the members; nobody follows anybody, and there are no tags.

    - star.vote: a decision a ``pollID``; ``voterID`` is the member, ``voteTime`` is taken as UTC. If a file holds
      several polls, the choices of each are the columns in which one of its ballots has stars.
    - BetterVoting: a decision a race, named by the race, or by the file where there is only one; ``ballot_id`` is the
      member and has a ballot in every race. Precincts, where there are any, are kept in ``state.unknown``. Ranked
      races are left out with a warning, because ranks are not stars; Ranked Robin, approval and choose-one races
      cannot be told from STAR by the file, so whoever reads one must know.
    - Any other sheet with a line a ballot, such as the answers of a form: a column such as ``Email Address`` is the
      member, else every line is one (``line 2``); grids ``Question [Choice]`` are the choices, else every column that
      forms do not write by themselves. A note says what was taken as what.

    Args:
        path: The file.
        community_id: Name of the community that is made of the voters.
        quarantine: Set bad rows aside in ``SystemState.quarantined`` instead of raising.
        separator: What stands between the columns; found out by default.
        id_column: Header of the column that says who voted, for sheets that are neither of star.vote nor BetterVoting.
        choices: The choices, if not every column is one; columns are found in whatever spelling.
        leave_out: Headers of columns that are no choices, and ids of rows that are no voters.

    Returns:
        The state.

    Raises:
        UnreadableFileError: The file cannot be read, repeats a candidate, or has no STAR ballots.
        InvalidTableError: The ballots cannot be counted: somebody voted twice in a poll, or stars are not 0 to 5.
    """
    path = Path(path)
    layout = make_layout(separator, id_column, choices, leave_out)
    sheet = read_sheet(path, layout.separator, _keys(layout))
    header = sheet.header
    sheet = _without_index(path, leave_out_columns(sheet, layout))
    names = [name.lower() for name in sheet.header]
    if {"choice_id", "stars"} <= set(names):
        raise UnreadableFileError(
            f"{path}: is a table of votes, with a line a star. Put it into a folder as votes.csv, for crowdvote count."
        )
    star_vote = not layout.id_column and set(_STAR_VOTE) <= set(names)
    bettervoting = not layout.id_column and names[:1] == ["ballot_id"]
    if star_vote:
        ids = [names.index(name) for name in _STAR_VOTE]
        sheet = sheet.only([*ids, *(position for position in range(len(names)) if position not in ids)])
    voter = "0" if star_vote or bettervoting else voter_column(path, sheet, layout)
    sheet = leave_out_rows(path, sheet, layout, voter, header)
    if sheet.rows.is_empty():
        raise UnreadableFileError(f"{path}: holds no ballots, only a header. {sheet.dialect}.")
    poll = (_star_vote if star_vote else _bettervoting if bettervoting else _form)(path, sheet, layout, voter)
    return _checked(path, sheet, layout, poll, community_id, quarantine=quarantine)


@dataclass(frozen=True)
class _Poll:
    """What a file holds: the tables, and what its columns were taken for, in words."""

    decisions: pl.DataFrame
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    why: str


def _keys(layout: Layout) -> set[str]:
    """Names by which the header of a poll is known."""
    asked = [layout.id_column, *layout.choices] if layout.id_column else list(layout.choices)
    forms = ("timestamp", "email address", "respondent id", "response id", "completion time", "submitdate")
    return {*_STAR_VOTE, "ballot_id", *forms, *(name.lower() for name in asked if name)}


def _without_index(path: Path, sheet: Sheet) -> Sheet:
    """The sheet without the columns before all others that number its lines."""
    while sheet.header and may_be_index(sheet.header[0]) and is_index(sheet.header[0], sheet.rows.to_series(0)):
        if len(sheet.header) == 1 or sheet.header[0] == "#":  # a number that Typeform gives to an answer
            break
        _warn(f"{path}: the column {sheet.header[0]!r} numbers the lines; it was left out as an index.")
        sheet = sheet.only(range(1, len(sheet.header)))
    return sheet


def _checked(
    path: Path, sheet: Sheet, layout: Layout, poll: _Poll, community_id: str, *, quarantine: bool
) -> SystemState:
    """The state of a poll; notes what looks wrong, and says in errors how the file was understood."""
    votes = read_stars(poll.votes, str(path))
    note_ranks(votes, str(path))
    try:
        return SystemState(
            decisions=poll.decisions.with_columns(community_id=pl.lit(community_id)),
            choices=poll.choices,
            ballots=poll.ballots,
            votes=votes,
            quarantine=quarantine,
            spellings=layout.choices,
        )
    except InvalidTableError as error:
        if any(problem.rule == "look_alikes" for problem in error.problems):
            raise
        words = ("Fix the cells, or set the ballots aside with --quarantine.", scale_hint(votes["stars"]), poll.why)
        way_out = " ".join(word for word in (*words, f"{sheet.dialect}.") if word)
        raise InvalidTableError(error.problems, way_out) from None


def _doubt_rows(path: Path, sheet: Sheet, voter: str | None, columns: Iterable[str]) -> None:
    if voter is not None:
        doubt_rows(str(path), sheet.rows[voter], sheet.lines)
    doubt_sums(str(path), sheet.rows.select(list(columns)), sheet.lines)


def _choose(path: Path, sheet: Sheet, headers: Mapping[str, str], layout: Layout, rule: str) -> dict[str, str]:
    """The columns that are choices; says which others there are, if some were asked for."""
    chosen = choose_columns(str(path), sheet.rows, headers, layout, rule)
    aside = [header for column, header in headers.items() if column not in chosen]
    if layout.choices and aside:
        _warn(f"{path}: not looked at, since --choices names others: {', '.join(aside)}.")
    return chosen


def _star_vote(path: Path, sheet: Sheet, layout: Layout, voter: str | None) -> _Poll:
    headers = {str(column): name for column, name in enumerate(sheet.header) if column >= len(_STAR_VOTE)}
    _refuse_candidates(path, list(headers.values()))
    rule = "Every column other than voterID, voteTime and pollID"
    candidates = _choose(path, sheet, headers, layout, rule)
    _doubt_rows(path, sheet, voter, candidates)
    who, time, poll = pl.col("0"), pl.col("1"), pl.col("2")
    rows = sheet.rows.with_columns(__line__=sheet.lines)
    votes = gather_votes(rows, {"decision_id": poll, "member_id": who, "__line__": _LINE}, candidates, headers)
    polls = rows["2"]
    decisions = pl.DataFrame({"decision_id": polls.drop_nulls().unique(maintain_order=True)})
    if len(decisions) == 1:
        decisions = decisions.with_columns(title=pl.lit(path.stem))
    names = list(candidates.values())
    return _Poll(
        decisions,
        list_choices(polls, votes, names),
        rows.select(_LINE, decision_id=poll, member_id=who, cast_at=time),
        votes,
        why_choices(rule, names),
    )


def _bettervoting(path: Path, sheet: Sheet, layout: Layout, voter: str | None) -> _Poll:
    first = 1 + _has_precinct(sheet.header)
    headers = {str(column): name for column, name in enumerate(sheet.header) if column >= first}
    stars = {column: name for column, name in headers.items() if short_name(name) not in _RANKED}
    rule = f"Every column other than {' and '.join(sheet.header[:first])}"
    kept = _choose(path, sheet, stars, layout, rule) if stars else {}
    named = {
        column: kept.get(column, name) for column, name in headers.items() if column in kept or column not in stars
    }
    races = _races(
        path, {column: headers[column] if "!!" in headers[column] else name for column, name in named.items()}
    )
    more = {}
    if first > 1 and sheet.rows["1"].null_count() < len(sheet.rows):
        more["precinct"] = pl.col("1")
    why = why_choices(rule, [name for race in races.values() for name in race.values()])
    return _gather(path, sheet, races, voter, why, repeats=bool(layout.choices), headers=headers, more=more)


def _form(path: Path, sheet: Sheet, layout: Layout, voter: str | None) -> _Poll:
    questions = form_choices(path, sheet, layout, voter)
    who = f"the voter is in {sheet.header[int(voter)]!r}" if voter else "every line is a ballot"
    names = dict.fromkeys(name for question in questions.values() for name in question.values())
    why = f"{who[0].upper()}{who[1:]}, choices are {', '.join(names)}; --id and --choices say otherwise."
    headers = {str(column): name for column, name in enumerate(sheet.header)}
    return _gather(path, sheet, questions, voter, why, repeats=bool(layout.choices), headers=headers, more={})


def _gather(
    path: Path,
    sheet: Sheet,
    races: Mapping[str, Mapping[str, str]],
    voter: str | None,
    why: str,
    *,
    repeats: bool,
    headers: Mapping[str, str],
    more: Mapping[str, pl.Expr],
) -> _Poll:
    """A decision a race, with a ballot of every voter; ``races`` has the choices of each by column."""
    _doubt_rows(path, sheet, voter, [column for race in races.values() for column in race])
    rows = sheet.rows.with_columns(__line__=sheet.lines)
    who = pl.col(voter) if voter is not None else pl.format("line {}", _LINE)
    ballots, votes, choices = [], [], []
    for race, candidates in races.items():
        names = list(candidates.values())
        _refuse_candidates(path, names, repeats=repeats)
        key = {"decision_id": pl.lit(race), "member_id": who, "__line__": _LINE}
        ballots.append(rows.select(**key, **more))
        votes.append(gather_votes(rows, key, candidates, headers))
        choices.append(list_choices(pl.Series([race]), votes[-1], names))
    decisions = pl.DataFrame({"decision_id": list(races)})
    return _Poll(decisions, pl.concat(choices), pl.concat(ballots), pl.concat(votes), why)


def _races(path: Path, marks: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The STAR races by name: their candidates by column."""
    candidates = {column: name for column, name in marks.items() if name not in _RANKED}
    _refuse_candidates(path, list(candidates.values()), repeats=True)
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
        if name in _RANKED:
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
        warnings.warn(
            f"{path}: races left out because they are ranked, and ranks are not stars: {', '.join(sorted(ranked))}.",
            TableWarning,
            stacklevel=4,
        )
    return stars


def _has_precinct(header: list[str]) -> bool:
    return [name.lower() for name in header[1:2]] == ["precinct"]


def _refuse_candidates(path: Path, names: list[str], *, repeats: bool = False) -> None:
    if not names:
        raise UnreadableFileError(f"{path}: the header names no candidates.")
    if not repeats:
        refuse_repeats(path, names)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, TableWarning, stacklevel=3)
