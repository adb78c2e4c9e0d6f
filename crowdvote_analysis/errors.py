"""What can go wrong, as types a caller can catch.

Every error names the thing that is wrong, the rule it breaks and the way out; the command line prints the text as it
stands, without a traceback.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class CrowdVoteError(Exception):
    """Base of every error this package raises on purpose."""


class TableWarning(UserWarning):
    """Something in the tables was unusual and was handled as the rules say; nothing was lost."""


class DoubtWarning(TableWarning):
    """Something was counted as it stands and looks as if it were meant otherwise: the result may be wrong."""


@dataclass(frozen=True)
class Problem:
    """Rows of one table that break one rule.

    Attributes:
        table: Name of the table, as in ``SystemState``.
        rule: Short name of the rule, as it appears in quarantine files.
        sentence: What is wrong, in words, with the id of the rule of the count where there is one.
        count: Number of rows that break it.
        first: The first of those rows in words, with the line and the column of the file, or else with row numbers
            counted from 1; anonymous members are not named (P1).
    """

    table: str
    rule: str
    sentence: str
    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        if not self.count:
            return f"{self.table}: {self.sentence}"
        rows = "1 row" if self.count == 1 else f"{self.count} rows"
        first = f" (first: {'; '.join(self.first)})" if self.first else ""
        return f"{self.table}: {rows}: {self.sentence}{first}"


class InvalidTableError(CrowdVoteError):
    """Tables hold rows that cannot be counted.

    Attributes:
        table: Name of the first table that is wrong.
        problems: One entry per table and broken rule, in the order found.
        way_out: What to do about them.
        counts: Number of bad rows by rule, over all tables.
    """

    def __init__(self, problems: Sequence[Problem], way_out: str) -> None:
        self.problems = tuple(problems)
        self.way_out = way_out
        self.table = self.problems[0].table
        self.counts: dict[str, int] = {}
        for problem in self.problems:
            self.counts[problem.rule] = self.counts.get(problem.rule, 0) + problem.count
        separator = ". " if len(self.problems) == 1 else "\n"
        super().__init__(separator.join([*(str(problem) for problem in self.problems), way_out]))


class UnreadableFileError(CrowdVoteError):
    """A file or folder is missing, empty or not in the format asked for."""


class BusyError(CrowdVoteError):
    """Another program is at work on the same thing, and did not finish in time; nothing has changed."""


class StoreError(CrowdVoteError):
    """A store is not there, is damaged, or is of another format."""


class RefusedRecordError(CrowdVoteError):
    """Something that may not be recorded in a store; nothing has changed.

    The text names no member, since it may be shown to others (P1).

    Attributes:
        reason: A word for programs, such as ``not_a_member`` or ``decision_closed``.
    """

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)


class ClockError(StoreError):
    """The clock of whoever writes is ahead of the clock of the storage; nothing was recorded."""


class SnapshotError(CrowdVoteError):
    """A snapshot cannot be taken, found, read or trusted."""


class UnknownSnapshotError(SnapshotError):
    """A snapshot was asked for that the store does not hold."""


class FinalSnapshotError(SnapshotError):
    """A closed decision has its final snapshot already (S3)."""


class CorruptedSnapshotError(SnapshotError):
    """What a snapshot has frozen is not what it was (S7).

    Attributes:
        problems: What is wrong, one sentence each, every file by its name.
    """

    def __init__(self, snapshot_id: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([f"snapshot {snapshot_id} is not what it was:", *self.problems]))


class UnknownDecisionError(CrowdVoteError):
    """A decision was asked for that the state does not hold."""


class UnknownMemberError(CrowdVoteError):
    """A member was asked for who is not in the community of the decision."""


class InvalidElectionError(CrowdVoteError):
    """Votes that no outcome can be made from: no ballots, no choices, stars outside 0 to 5 (K9), counts below 0 (C)."""


class RefusedVoteError(CrowdVoteError):
    """A yes/no vote that may not be cast (C1); nothing has changed.

    The text names no member, since it may be shown to others (P1).

    Attributes:
        decision_id: The decision.
        member_id: Who wanted to vote.
        reason: ``unknown_decision``, ``counted_with_stars``, ``not_required``, ``not_active``, ``deadline``, ``vote``,
            ``tags`` or ``not_later``.
    """

    def __init__(self, decision_id: str, member_id: str, reason: str, text: str) -> None:
        self.decision_id = decision_id
        self.member_id = member_id
        self.reason = reason
        super().__init__(text)


class CyclicCoreTooLarge(CrowdVoteError):  # noqa: N818 - the name others rely on
    """The path rule (Y1) would need more work than allowed (Y3).

    Attributes:
        decision_id: The decision that was being counted.
        core_size: Number of members of the loop core.
        work_limit: The limit.
    """

    def __init__(self, decision_id: str, core_size: int, work_limit: int) -> None:
        self.decision_id = decision_id
        self.core_size = core_size
        self.work_limit = work_limit
        super().__init__(
            f"decision '{decision_id}': {core_size:,} members follow each other in one tangle of loops, and the rule "
            f"'path' needs more than {work_limit:,} steps to walk through all loops (rule Y3). Count with the rule "
            "'auto' (--cycles auto, or cycle_rule in the table communities): it walks small tangles and balances "
            "others (rule Y6). Tables made before 'auto' hold 'path' though nobody may have chosen it; in a store, "
            "crowdvote record cycle-rule STORE auto --published changes it."
        )


class UnresolvedTieError(CrowdVoteError):
    """The tie protocol is exhausted and more than one choice is left (K7).

    Attributes:
        tied: The choices that are still tied.
        places: Number of places open among them.
        advanced: The finalists already decided, best first.
        stage: ``"scoring"`` or ``"runoff"``.
        possible_winners: Who could win under any decision of the tie; one name means that it does not matter.
        log: The audit log up to here, as text lines.
    """

    def __init__(
        self,
        tied: Sequence[str],
        places: int,
        advanced: Sequence[str],
        stage: str,
        possible_winners: Sequence[str],
        log: Sequence[str],
    ) -> None:
        self.tied = tuple(tied)
        self.places = places
        self.advanced = tuple(advanced)
        self.stage = stage
        self.possible_winners = tuple(possible_winners)
        self.log = tuple(log)
        same = f" Whatever is decided, {self.possible_winners[0]} wins." if len(self.possible_winners) == 1 else ""
        super().__init__(
            f"Unresolved tie between: {', '.join(self.tied)}. Community Manager must decide tie-breaking method "
            f"(coin toss, revote, or other community-specific process).{same}"
        )


def reason(error: BaseException) -> str:
    """Why something could not be read or written, in a few words: libraries say it over several lines, and in colours.

    What the operating system said is taken where its number stands anywhere in the text, else the first line.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    number = getattr(error, "errno", None) or next(iter(re.findall(r"(?:os error |[Ee]rrno )(\d+)", text)), None)
    if number is not None:
        return os.strerror(int(number))
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
