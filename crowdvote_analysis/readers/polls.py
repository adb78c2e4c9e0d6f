"""The ballots of a poll → SystemState: the CSV exports of star.vote and BetterVoting, and the answers of forms."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers.dialect import said_in_errors
from crowdvote_analysis.readers.forms import voter_column
from crowdvote_analysis.readers.index_columns import is_index, may_be_index
from crowdvote_analysis.readers.layout import Layout, make_layout
from crowdvote_analysis.readers.left_out import leave_out_columns, leave_out_rows
from crowdvote_analysis.readers.poll_sheets import STAR_VOTE, Poll, PollSheet, bettervoting, form, star_vote
from crowdvote_analysis.readers.ranks import note_ranks
from crowdvote_analysis.readers.scales import scale_hint
from crowdvote_analysis.readers.sections import join_sections
from crowdvote_analysis.readers.sheet import Sheet, read_sheet
from crowdvote_analysis.readers.star_cells import read_stars
from crowdvote_analysis.readers.summaries import refuse_long
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    sheet = join_sections(str(path), _without_index(path, leave_out_columns(sheet, layout)), layout.choices)
    names = [name.lower() for name in sheet.header]
    if {"choice_id", "stars"} <= set(names):
        raise UnreadableFileError(
            f"{path}: is a table of votes, with a line a star. Put it into a folder as votes.csv, for crowdvote count."
        )
    if not layout.choices and not layout.id_column:
        refuse_long(path, sheet.header)
    read = form
    if not layout.id_column:
        read = star_vote if set(STAR_VOTE) <= set(names) else bettervoting if names[:1] == ["ballot_id"] else form
    if read is star_vote:
        ids = [names.index(name) for name in STAR_VOTE]
        sheet = sheet.only([*ids, *(position for position in range(len(names)) if position not in ids)])
    voter = voter_column(path, sheet, layout) if read is form else "0"
    with said_in_errors(str(sheet.dialect)):
        sheet = leave_out_rows(path, sheet, layout, voter, header)
    if sheet.rows.is_empty():
        raise UnreadableFileError(f"{path}: holds no ballots, only a header. {sheet.dialect}.")
    source = PollSheet(path, sheet, layout, voter)
    with said_in_errors(str(sheet.dialect)):
        poll = read(source)
    return _checked(source, poll, community_id, quarantine=quarantine)


def _keys(layout: Layout) -> set[str]:
    """Names by which the header of a poll is known."""
    asked = [layout.id_column, *layout.choices] if layout.id_column else list(layout.choices)
    forms = {"email address", "respondent id", "response id", "completion time", "submitdate", "answer choices"}
    forms |= {"timestamp", "zeitstempel", "horodateur", "marca temporal", "carimbo de data/hora", "タイムスタンプ"}
    return {*STAR_VOTE, "ballot_id", *forms, *(name.lower() for name in asked if name)}


def _without_index(path: Path, sheet: Sheet) -> Sheet:
    """The sheet without the columns before all others that number its lines."""
    while sheet.header and may_be_index(sheet.header[0]) and is_index(sheet.header[0], sheet.rows.to_series(0)):
        if len(sheet.header) == 1 or sheet.header[0] == "#":  # a number that Typeform gives to an answer
            break
        _warn(f"{path}: the column {sheet.header[0]!r} numbers the lines; it was left out as an index.")
        sheet = sheet.only(range(1, len(sheet.header)))
    return sheet


def _checked(source: PollSheet, poll: Poll, community_id: str, *, quarantine: bool) -> SystemState:
    """The state of a poll; notes what looks wrong, and says in errors how the file was understood."""
    place = str(source.path)
    votes = read_stars(poll.votes, place)
    note_ranks(votes, place)
    try:
        return SystemState(
            decisions=poll.decisions.with_columns(community_id=pl.lit(community_id)),
            choices=poll.choices,
            ballots=poll.ballots,
            votes=votes,
            quarantine=quarantine,
            spellings=source.layout.choices,
        )
    except InvalidTableError as error:
        if any(problem.rule == "look_alikes" for problem in error.problems):
            raise
        words = ("Fix the cells, or set the ballots aside with --quarantine.", scale_hint(votes["stars"]), poll.why)
        way_out = " ".join(word for word in (*words, f"{source.sheet.dialect}.") if word)
        raise InvalidTableError(error.problems, way_out) from None


def _warn(sentence: str) -> None:
    warnings.warn(sentence, TableWarning, stacklevel=3)
