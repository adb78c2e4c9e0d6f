"""The ballots of a poll → SystemState: the CSV exports of star.vote and BetterVoting.

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
from pathlib import Path

import polars as pl

from crowdvote_analysis.errors import TableWarning, UnreadableFileError
from crowdvote_analysis.readers.sheet import Sheet, other_separator, read_sheet, refuse_repeats
from crowdvote_analysis.readers.star_columns import gather_votes, list_choices
from crowdvote_analysis.state import SystemState

_STAR_VOTE = ["voterid", "votetime", "pollid"]
_RANKED = ("overvote_rank", "has_duplicate_rank")
# A race or a candidate may have exclamation marks of its own; the last pair with a name behind it separates them.
_RACE_AND_CANDIDATE = re.compile(r"(.+)!!(.+)", re.DOTALL)


def read_poll(path: str | Path, *, community_id: str = "poll", quarantine: bool = False) -> SystemState:
    """Read the CSV export of a poll held on star.vote or BetterVoting; the header tells which.

    A candidate column is a choice, in the order of the file; a blank cell is a choice not rated and gives no row in
    votes. Ballots keep the order of the file; a ballot with blank cells only is a ballot without stars (D5). Who voted
    are the members; nobody follows anybody, and there are no tags.

    - star.vote: a decision a ``pollID``; ``voterID`` is the member, ``voteTime`` is taken as UTC. If a file holds
      several polls, the choices of each are the columns in which one of its ballots has stars.
    - BetterVoting: a decision a race, named by the race, or by the file where there is only one; ``ballot_id`` is the
      member and has a ballot in every race. Precincts, where there are any, are kept in ``state.unknown``. Ranked
      races are left out with a warning, because ranks are not stars; Ranked Robin, approval and choose-one races
      cannot be told from STAR by the file, so whoever reads one must know.

    Args:
        path: The file.
        community_id: Name of the community that is made of the voters.
        quarantine: Set bad rows aside in ``SystemState.quarantined`` instead of raising.

    Returns:
        The state.

    Raises:
        UnreadableFileError: The file cannot be read, is in neither format, repeats a candidate, or has no STAR ballots.
        InvalidTableError: The ballots cannot be counted: somebody voted twice in a poll, or stars are not 0 to 5.
    """
    path = Path(path)
    sheet = read_sheet(path)
    names = [name.lower() for name in sheet.header]
    if names[:3] == _STAR_VOTE:
        read = _star_vote
    elif names[:1] == ["ballot_id"]:
        read = _bettervoting
    else:
        raise _unknown_header(path, sheet.header)
    if sheet.rows.is_empty():
        raise UnreadableFileError(f"{path}: holds no ballots, only a header.")
    frames = read(path, sheet)
    return SystemState(
        decisions=frames["decisions"].with_columns(community_id=pl.lit(community_id)),
        choices=frames["choices"],
        ballots=frames["ballots"],
        votes=frames["votes"],
        quarantine=quarantine,
    )


def _star_vote(path: Path, sheet: Sheet) -> dict[str, pl.DataFrame]:
    candidates = {str(column): name for column, name in enumerate(sheet.header) if column >= len(_STAR_VOTE)}
    _refuse_candidates(path, list(candidates.values()))
    voter, time, poll = pl.col("0"), pl.col("1"), pl.col("2")
    votes = gather_votes(sheet.rows, {"decision_id": poll, "member_id": voter}, candidates)
    polls = sheet.rows["2"]
    decisions = pl.DataFrame({"decision_id": polls.drop_nulls().unique(maintain_order=True)})
    if len(decisions) == 1:
        decisions = decisions.with_columns(title=pl.lit(path.stem))
    return {
        "decisions": decisions,
        "choices": list_choices(polls, votes, list(candidates.values())),
        "ballots": sheet.rows.select(decision_id=poll, member_id=voter, cast_at=time),
        "votes": votes,
    }


def _bettervoting(path: Path, sheet: Sheet) -> dict[str, pl.DataFrame]:
    races = _races(path, sheet.header)
    who: dict[str, pl.Expr] = {"member_id": pl.col("0")}
    more: dict[str, pl.Expr] = {}
    if _has_precinct(sheet.header) and sheet.rows["1"].null_count() < len(sheet.rows):
        more["precinct"] = pl.col("1")
    ballots, votes, choices = [], [], []
    for race, candidates in races.items():
        refuse_repeats(path, list(candidates.values()))
        key = {"decision_id": pl.lit(race)}
        ballots.append(sheet.rows.select(**key, **who, **more))
        votes.append(gather_votes(sheet.rows, key | who, candidates))
        choices.append(list_choices(pl.Series([race]), votes[-1], list(candidates.values())))
    return {
        "decisions": pl.DataFrame({"decision_id": list(races)}),
        "choices": pl.concat(choices),
        "ballots": pl.concat(ballots),
        "votes": pl.concat(votes),
    }


def _races(path: Path, header: list[str]) -> dict[str, dict[str, str]]:
    """The STAR races by name: their candidates by column."""
    marks = {str(column): name for column, name in enumerate(header) if column >= 1 + _has_precinct(header)}
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


def _unknown_header(path: Path, header: list[str]) -> UnreadableFileError:
    line = ",".join(header)
    shown = f"{line[:200]}…" if len(line) > 200 else line
    separator = other_separator(line, len(header))
    return UnreadableFileError(
        f"{path}: is not the export of a poll that is understood. Header found: {shown}. Understood are star.vote "
        "(voterID,voteTime,pollID, then a column a candidate) and BetterVoting (ballot_id,precinct, then a column a "
        "candidate)."
        + (f" The columns seem to be separated by {separator}; save the file with commas." if separator else "")
    )
