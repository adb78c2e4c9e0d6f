"""SystemState: the tables at one instant, checked against each other.

What a frame on its own can get wrong is settled in ``tables``; here ids are resolved across tables, followings of the
same pair are merged (D8), absent tables are derived, and what is bad is refused or set aside.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from crowdvote_analysis import alike, ids, integrity, tables
from crowdvote_analysis.checking import admit, anonymous_members, check
from crowdvote_analysis.codes import Codes
from crowdvote_analysis.doubts import Doubt, doubts_about
from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, Problem, TableWarning
from crowdvote_analysis.faults import COLUMN, describe
from crowdvote_analysis.notes import (
    note_on_unknown_times,
    notes_on_derived_members,
    notes_on_tables,
    notes_on_texts,
)
from crowdvote_analysis.parquet import write_parquet
from crowdvote_analysis.text import in_plain_form
from crowdvote_analysis.yes_no import everybody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.faults import Checked

T = TypeVar("T")

_FILL_DOWN = (
    "Votes without a member cannot be set aside: which ballots lack their stars cannot be said (a ballot counts "
    "whole or not at all). If cells were merged, fill them down: write the member in every row."
)
_WAY_OUT = "Fix the rows, or set them aside with quarantine (--quarantine on the command line)."


@dataclass(frozen=True, init=False, eq=False)
class SystemState:
    """The tables of one or more communities at one instant.

    Every argument is a polars frame with the columns of ``docs/tables.md``; text is understood for every column, so a
    CSV can be passed as it was read. A table that is not given is derived: members from whoever follows, is followed,
    voted or is required to; ballots from votes; decisions and choices from ballots and votes; communities from members
    and decisions; required voters of yes/no decisions from the voters of their community.

    Args:
        members: community_id, member_id, display_name, is_voter, is_manager, is_anonymous.
        followings: community_id, follower_id, followee_id, tags (empty = ALL), order.
        ballots: decision_id, member_id, tags, cast_at.
        votes: decision_id, member_id, choice_id, stars.
        required_voters: decision_id, member_id.
        yes_no_votes: decision_id, member_id, voted_at, vote, tags.
        decisions: community_id, decision_id, title, description, method, opens_at, closes_at, status, threshold,
            quorum, decisive_only, delegated.
        choices: decision_id, choice_id, title, position.
        communities: community_id, title, cycle_rule.
        quarantine: Set bad rows aside in ``quarantined`` instead of raising.
        spellings: The choices as they are to be written: what looks like one of them is read as it (T7).

    Attributes:
        quarantined: Rows that were set aside, by table: the columns as given, ``row`` (counted from 1) and ``reasons``
            (list[str]), ``line`` and ``column`` of the file if the reader gave them. A ballot is set aside whole: one
            bad star takes the ballot and its other stars along, because counting the rest as cast would turn the
            missing star into a 0.
        unknown: Columns that the tables do not have, by table, with the key to find their rows again.
        notes: What was unusual and how it was handled, one sentence each; the same are issued as ``TableWarning``
            (``DoubtWarning`` where the result may hang on it).
        loop_rules: The rule for loops by decision, where it is not that of its community: a decision of a store is
            counted by the rule there was when it was published (Y6).
        secret: What makes pseudonyms impossible to guess, where the tables come from a store; else empty.
        people: The token of each person (person, member_id), where the tables come from a store; else none.

    Raises:
        InvalidTableError: Rows break the contract of a table and ``quarantine`` is off; or what was passed is no frame,
            lacks a column, has a column of a type that cannot be read, or choices that look alike (T7), quarantine or
            not.

    Example:
        >>> import polars as pl, crowdvote_analysis as cv
        >>> state = cv.SystemState(
        ...     followings=pl.DataFrame({"follower_id": ["Maya"], "followee_id": ["Kelly"], "tags": ["budget"]}),
        ...     ballots=pl.DataFrame({"member_id": ["Kelly"], "tags": ["budget; trees"]}),
        ...     votes=pl.DataFrame({"member_id": ["Kelly"], "choice_id": ["Swings"], "stars": ["4.5"]}),
        ... )
        >>> state.members["member_id"].to_list()
        ['Kelly', 'Maya']
    """

    communities: pl.DataFrame
    members: pl.DataFrame
    followings: pl.DataFrame
    decisions: pl.DataFrame
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    required_voters: pl.DataFrame
    yes_no_votes: pl.DataFrame
    quarantined: Mapping[str, pl.DataFrame] = field(repr=False)
    unknown: Mapping[str, pl.DataFrame] = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)
    loop_rules: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    people: pl.DataFrame | None = field(repr=False)
    _known: dict[str, tuple[Sequence[str], Any]] = field(repr=False, compare=False)

    def __init__(
        self,
        *,
        members: pl.DataFrame | None = None,
        followings: pl.DataFrame | None = None,
        ballots: pl.DataFrame | None = None,
        votes: pl.DataFrame | None = None,
        decisions: pl.DataFrame | None = None,
        choices: pl.DataFrame | None = None,
        communities: pl.DataFrame | None = None,
        required_voters: pl.DataFrame | None = None,
        yes_no_votes: pl.DataFrame | None = None,
        quarantine: bool = False,
        spellings: Sequence[str] | None = None,
    ) -> None:
        passed = {
            "communities": communities,
            "members": members,
            "decisions": decisions,
            "choices": choices,
            "ballots": ballots,
            "votes": votes,
            "required_voters": required_voters,
            "yes_no_votes": yes_no_votes,
            "followings": followings,
        }
        self._settle(passed, quarantine=quarantine, spellings=spellings or ())
        for note in self.notes:
            warnings.warn(note, DoubtWarning if isinstance(note, Doubt) else TableWarning, stacklevel=2)

    @classmethod
    def frozen(cls, frames: Mapping[str, pl.DataFrame | None]) -> SystemState:
        """A state from tables that were checked when they were recorded: their ids and tags stay as they are (T7).

        Args:
            frames: Frames by the name of their table; what is absent is derived.

        Raises:
            InvalidTableError: Rows break the contract of a table.
        """
        state = object.__new__(cls)
        state._settle(frames, frozen=True)
        for note in state.notes:
            warnings.warn(note, TableWarning, stacklevel=2)
        return state

    def _settle(
        self,
        passed: Mapping[str, pl.DataFrame | None],
        *,
        quarantine: bool = False,
        spellings: Sequence[str] = (),
        frozen: bool = False,
    ) -> None:
        """Check the tables against each other and keep what is good."""
        given = {name: admit(name, frame) for name, frame in passed.items() if frame is not None}
        frames, mended = (given, []) if frozen else ids.mended(given)
        frames, spelt = alike.spelt(frames, spellings) if spellings else (frames, [])
        home = _home(frames, frozen=frozen)
        checked = {
            name: check(name, frame, home, as_given=given[name], frozen=frozen) for name, frame in frames.items()
        }
        for name, fault in (*mended, *spelt):
            checked[name].odd.append(fault)
        _derive(checked, home)
        if not frozen and ("choices" not in given or COLUMN in given["choices"].columns):
            alike.refuse_alike_choices(checked, spellings)
        integrity.resolve_ids(checked)
        anonymous = anonymous_members(checked["members"])
        problems = [describe(table, bad, anonymous) for table in checked.values() for bad in table.bad]
        nobody = integrity.has_stars_of_nobody(checked["votes"])
        if problems and (nobody or not quarantine):
            raise InvalidTableError(problems, _FILL_DOWN if nobody else _WAY_OUT)
        set_aside = integrity.set_aside(checked)
        good = {name: check.good for name, check in checked.items()}
        if "required_voters" not in given:
            good["required_voters"] = everybody(good["decisions"], good["members"]).with_row_index("row", offset=1)
        good["followings"], merged = integrity.merge_followings(good["followings"])
        codes = Codes.of(good["members"], good["followings"].drop("row"))
        notes = merged + notes_on_tables(checked, good, codes, set_aside, anonymous)
        notes += alike.note_on_spellings(spellings, good["choices"]["choice_id"])
        notes += note_on_unknown_times(checked["ballots"], good["decisions"], anonymous)
        if not frozen:
            notes += notes_on_texts(good, anonymous, derived="members" not in given)
            notes += doubts_about(checked, good, anonymous)
        if "members" not in given:
            notes += notes_on_derived_members(good)
        for name in tables.TABLES:
            object.__setattr__(self, name, good[name].drop("row"))
        object.__setattr__(self, "quarantined", set_aside)
        object.__setattr__(self, "unknown", _unknown(checked))
        object.__setattr__(self, "notes", tuple(notes))
        object.__setattr__(self, "loop_rules", {})
        object.__setattr__(self, "secret", "")
        object.__setattr__(self, "people", None)
        object.__setattr__(self, "_known", {"codes": (("members", "followings"), codes)})

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, name)):,} {name}" for name in tables.TABLES)
        return f"SystemState({counts})"

    @classmethod
    def read(cls, folder: str | Path, *, quarantine: bool = False) -> SystemState:
        """Read a folder of ``<table>.parquet`` or ``<table>.csv`` files; see ``readers.read_folder``."""
        from crowdvote_analysis.readers.folder import read_folder

        return read_folder(folder, quarantine=quarantine)

    def write(self, folder: str | Path) -> None:
        """Write every table to ``folder`` as Parquet, rows in the order of their keys, unknown columns included.

        Files of the same names are replaced; nothing else in the folder is touched.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in tables.TABLES:
            frame: pl.DataFrame = getattr(self, name)
            keys = tables.key(name)
            if name in self.unknown:
                aside = self.unknown[name].unique(keys, keep="first", maintain_order=True)
                frame = frame.join(aside, on=keys, how="left", nulls_equal=True)
            write_parquet(frame.sort(keys), folder / f"{name}.parquet")

    def _with(self, **frames: pl.DataFrame | Mapping[str, str] | str) -> SystemState:
        """The same state with other rows in some tables, which have been checked already; nothing is told again."""
        state = object.__new__(SystemState)
        for name, value in (vars(self) | frames).items():
            object.__setattr__(state, name, value)
        kept = {name: known for name, known in self._known.items() if frames.keys().isdisjoint(known[0])}
        object.__setattr__(state, "_known", kept)
        return state

    def once(self, name: str, of: Sequence[str], make: Callable[[], T]) -> T:
        """What ``make`` gives, made once as long as the tables it is made of stay the same.

        Args:
            name: What it is.
            of: The tables it is made of.
            make: Makes it.
        """
        if name not in self._known:
            self._known[name] = (tuple(of), make())
        made: T = self._known[name][1]
        return made

    @property
    def codes(self) -> Codes:
        """The members and followings as whole numbers, given once."""
        return self.once("codes", ["members", "followings"], lambda: Codes.of(self.members, self.followings))


def _home(given: Mapping[str, pl.DataFrame], *, frozen: bool) -> dict[str, list[str]]:
    """The communities and decisions there are: those of their own table, else all that other tables name.

    A column that is absent means the only one. Every table is asked, because a table that is not would keep its rows
    under another name than the rest, where nobody meets them (D2).
    """
    home = {}
    for column, (own, *others) in {
        "community_id": ("communities", "members", "decisions", "followings"),
        "decision_id": ("decisions", "choices", "ballots", "votes", "required_voters", "yes_no_votes"),
    }.items():

        def named(*sources: str, column: str = column) -> list[str]:
            frames = [given[source] for source in sources if source in given and column in given[source].columns]
            values = [frame[column].cast(pl.String).unique().drop_nulls() for frame in frames]
            values = values if frozen else [in_plain_form(series) for series in values]
            return sorted({value for series in values for value in series if value != ""})

        home[column] = named(own) or named(*others)
    return home


def _derive(checked: dict[str, Checked], home: Mapping[str, list[str]]) -> None:
    """Fill in the tables that were not given, from those that were."""

    def ids(table: str, *names: str) -> pl.DataFrame:
        return checked[table].good.select(names)

    def put(table: str, frame: pl.DataFrame) -> None:
        # Made of ids that are in one form already.
        checked[table] = check(table, frame.unique().sort(frame.columns), home, frozen=True)

    for table in ("votes", "followings", "required_voters", "yes_no_votes"):
        if table not in checked:
            put(table, tables.empty(table))
    if "ballots" not in checked:
        put("ballots", ids("votes", "decision_id", "member_id"))
    if "decisions" not in checked:
        known = pl.concat(
            [
                ids(table, "decision_id")
                for table in ("ballots", "votes", *(["choices"] if "choices" in checked else []))
            ]
        )
        if len(checked["required_voters"].converted) + len(checked["yes_no_votes"].converted):
            raise InvalidTableError(
                [Problem("decisions", "missing", "the table is missing, and there are yes/no votes or voters", 0, ())],
                f"Give decisions with decision_id and method: {', '.join(tables.YES_NO_METHODS)}.",
            )
        if len(home["community_id"]) > 1 and len(known):
            raise InvalidTableError(
                [Problem("decisions", "missing", "the table is missing, and there are several communities", 0, ())],
                "Give decisions with community_id and decision_id, so that it is clear who decides what.",
            )
        put("decisions", known)
    if "choices" not in checked:
        # A choice stays that only a ballot rates which is set aside: who else gave it nothing gave it 0 (K1).
        votes = checked["votes"].converted.select("decision_id", "choice_id").drop_nulls()
        known = votes.join(checked["decisions"].converted, on="decision_id", how="semi")
        rated = known.filter(pl.col("choice_id") != "").unique().sort("decision_id", "choice_id")
        put("choices", rated.with_columns(position=pl.int_range(pl.len()).over("decision_id")))
    if "members" not in checked:
        followings = checked["followings"].good
        voting = ("ballots", "required_voters", "yes_no_votes")
        voters = pl.concat([ids(table, "decision_id", "member_id") for table in voting]).join(
            ids("decisions", "decision_id", "community_id"), on="decision_id"
        )
        names = [
            followings.select("community_id", member_id="follower_id"),
            followings.select("community_id", member_id="followee_id"),
            voters.select("community_id", "member_id"),
        ]
        members = pl.concat(names)
        if "communities" in checked:  # a row of a community that is not there is reported where it stands, once
            members = members.join(checked["communities"].converted, on="community_id", how="semi")
        put("members", members)
    if "communities" not in checked:
        put("communities", pl.concat([ids(table, "community_id") for table in ("members", "decisions", "followings")]))


def _unknown(checked: Mapping[str, Checked]) -> dict[str, pl.DataFrame]:
    kept = {}
    for name, table in checked.items():
        if table.unknown:
            keys = table.good.select("row", *tables.key(name))
            # By name, not by expression: a column may be called `*`.
            columns = pl.DataFrame([table.given[column] for column in ["row", *table.unknown]])
            kept[name] = keys.join(columns, on="row", maintain_order="left").drop("row")
    return kept
