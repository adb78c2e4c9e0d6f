"""Delegated voting, counted exactly.

Members rate choices with 0 to 5 stars and tag their ballot. Whoever does not vote follows others on tags and inherits
the average of the ballots that match. Everybody's ballot goes into a STAR tally. The way of the data:

- ``SystemState`` holds the tables of one instant: ``SystemState.read("folder")``.
- ``resolve`` gives everyone's ballot, and why: ``Resolution``.
- ``count_files`` does both for tables that are larger than memory, from Parquet files to Parquet files.
- ``tally_star``, ``tally_all`` and ``tally_star_votes`` say who won, and every step why: ``StarTally``.
- ``compare_protocols``, ``robustness`` and ``runoff_shares`` say how safe that is, and who carried it.
- ``decide`` says which yes/no decisions pass, and what could still change that; ``record_vote`` adds a vote to them.
- ``Store`` keeps the tables on disk with every row there ever was; ``crowdvote_analysis.store`` records in it.

Readers for other people's files live in ``crowdvote_analysis.readers``, Altair charts in ``crowdvote_analysis.charts``.
The rules of the count are in ``docs/rules.md``; ids such as D10 or K4 in docstrings and messages point there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowdvote_analysis.affected import affected_members, resolve_affected
    from crowdvote_analysis.consensus import decide, record_vote
    from crowdvote_analysis.delegation import Resolution, resolve
    from crowdvote_analysis.errors import (
        CrowdVoteError,
        CyclicCoreTooLarge,
        InvalidElectionError,
        InvalidTableError,
        RefusedVoteError,
        TableWarning,
        UnknownDecisionError,
        UnknownMemberError,
        UnreadableFileError,
        UnresolvedTieError,
    )
    from crowdvote_analysis.explanation import Lineage, lineage, lineages
    from crowdvote_analysis.out_of_core import count_files
    from crowdvote_analysis.star import (
        StarTally,
        compare_protocols,
        robustness,
        runoff_shares,
        tally_all,
        tally_each,
        tally_star,
        tally_star_ballots,
        tally_star_votes,
    )
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store import Store
    from crowdvote_analysis.what_if import compare_loop_rules

__version__ = "0.1.0"

# Names are loaded when first used: importing the package costs nothing, whatever a caller needs of it.
_ROOMS = {
    "CrowdVoteError": "errors",
    "CyclicCoreTooLarge": "errors",
    "InvalidElectionError": "errors",
    "InvalidTableError": "errors",
    "Lineage": "explanation",
    "RefusedVoteError": "errors",
    "Resolution": "delegation",
    "StarTally": "star",
    "Store": "store",
    "SystemState": "state",
    "TableWarning": "errors",
    "UnknownDecisionError": "errors",
    "UnknownMemberError": "errors",
    "UnreadableFileError": "errors",
    "UnresolvedTieError": "errors",
    "affected_members": "affected",
    "compare_loop_rules": "what_if",
    "compare_protocols": "star",
    "count_files": "out_of_core",
    "decide": "consensus",
    "lineage": "explanation",
    "lineages": "explanation",
    "record_vote": "consensus",
    "resolve": "delegation",
    "resolve_affected": "affected",
    "robustness": "star",
    "runoff_shares": "star",
    "tally_all": "star",
    "tally_each": "star",
    "tally_star": "star",
    "tally_star_ballots": "star",
    "tally_star_votes": "star",
}

__all__ = [
    "CrowdVoteError",
    "CyclicCoreTooLarge",
    "InvalidElectionError",
    "InvalidTableError",
    "Lineage",
    "RefusedVoteError",
    "Resolution",
    "StarTally",
    "Store",
    "SystemState",
    "TableWarning",
    "UnknownDecisionError",
    "UnknownMemberError",
    "UnreadableFileError",
    "UnresolvedTieError",
    "affected_members",
    "compare_loop_rules",
    "compare_protocols",
    "count_files",
    "decide",
    "lineage",
    "lineages",
    "record_vote",
    "resolve",
    "resolve_affected",
    "robustness",
    "runoff_shares",
    "tally_all",
    "tally_each",
    "tally_star",
    "tally_star_ballots",
    "tally_star_votes",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
