"""The snapshot document (S9): one decision as JSON, written piece by piece.

What every field means stands in ``document.schema.json`` beside this module.
"""

from __future__ import annotations

import json
from datetime import UTC
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.errors import UnknownDecisionError
from crowdvote_analysis.snapshots.document_parts import Parts, tally_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState

# Steps that walks through one loop may take for the trees of all members (Y3). Enough for loops of a thousand members
# in one ring, which take some 15 s.
TREE_WORK = 3_000_000

# Followings that all trees together show by default, and how many one tree shows at most and at least.
_ALL_TREES, _LARGEST_TREE, _SMALLEST_TREE = 40_000, 500, 20

_PIECE = 64 * 1024  # characters


def document(
    state: SystemState,
    resolution: Resolution,
    decision_id: str,
    *,
    timestamp: datetime,
    is_final: bool,
    tally: StarTally | None = None,
    head: Mapping[str, Any] | None = None,
    depth: int | None = None,
    max_followings: int | None = None,
    work_limit: int = TREE_WORK,
) -> Iterator[str]:
    """Write down one decision: everyone's ballot and why it is what it is, all followings, and who won (S9).

    Rows are made when they are asked for: memory does not grow with the document, only with the frames it is made of.
    Members stand under public ids and names, in the order of those (P1). Stars and exact numbers are text (D10).

    Args:
        state: The tables that were counted.
        resolution: Their count.
        decision_id: The decision.
        timestamp: The instant of the tables, with its time zone; written in UTC.
        is_final: Whether the decision was closed at that instant (S3).
        tally: The tally of the decision; made here by the protocol ``starvote`` if it is not given.
        head: More fields to put first, such as an id and content hashes. They are written as they are.
        depth: Levels of followings that trees show, at most 200. It changes no number.
        max_followings: Followings that each tree shows at most, level by level. By default 500 in small communities;
            fewer the more trees there are, but 20. It changes no number: ``not_shown`` says how many are left out.
        work_limit: Steps that walks through one loop may take for all trees together (Y3). Beyond it, followings in
            that loop are left out of trees and counted in ``not_shown``; ballots, outcomes and statistics are those of
            the resolution all the same.

    Returns:
        Pieces of text of at most 64 Ki characters, which put together are one JSON document; it keeps to
        ``document_schema``.

    Raises:
        UnknownDecisionError: The decision is not in the state, or not in the resolution.
        ValueError: ``timestamp`` has no time zone, ``head`` has a field that the document has itself, the tally is of
            another decision, the resolution of other members, or a limit is negative.
    """
    if timestamp.tzinfo is None:
        raise ValueError(f"timestamp {timestamp} has no time zone; give one, such as datetime.UTC")
    if tally is not None and tally.decision_id != decision_id:
        raise ValueError(f"the tally is of decision {tally.decision_id!r}, not of {decision_id!r}")
    if decision_id not in resolution.decisions["decision_id"]:
        raise UnknownDecisionError(f"decision '{decision_id}' is not among those that were counted.")
    parts = Parts(state, resolution, decision_id)
    if max_followings is None:
        max_followings = max(_SMALLEST_TREE, min(_LARGEST_TREE, _ALL_TREES // max(1, parts.calculated)))
    fields = {
        "timestamp": timestamp.astimezone(UTC).isoformat(),
        "decision_id": decision_id,
        "community_id": parts.community_id,
        "is_final": bool(is_final),
        "cycle_rule": parts.cycle_rule,
        "cores": parts.cores(),
        "stats": parts.stats(),
    }
    rows = {
        "manual_ballots": parts.manual_ballots(),
        "calculated_ballots": parts.calculated_ballots(depth, max_followings, work_limit),
        "no_ballot": parts.no_ballot(work_limit),
        "relationships": parts.relationships(),
    }
    result = {"tally_result": tally_result(resolution, decision_id, tally)}
    taken = sorted(set(head or {}) & (fields | rows | result).keys())
    if taken:
        raise ValueError(f"head has the fields {', '.join(taken)}, which the document has itself")
    return _pieces(_lines({**(head or {}), **fields}, rows, result))


def document_dict(*args: Any, **keywords: Any) -> dict[str, Any]:
    """The document as one value, for small communities and tests; arguments are those of ``document``."""
    whole: dict[str, Any] = json.loads("".join(document(*args, **keywords)))
    return whole


def document_schema() -> dict[str, Any]:
    """The JSON schema of the document (draft 2020-12), with what every field means."""
    text = files("crowdvote_analysis.snapshots").joinpath("document.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _lines(
    first: Mapping[str, Any], rows: Mapping[str, Iterator[dict[str, Any]]], last: Mapping[str, Any]
) -> Iterator[str]:
    """The document, one line for each field and each row."""
    yield "{\n"
    for name, value in first.items():
        yield f"{_json(name)}: {_json(value)},\n"
    for name, each in rows.items():
        yield f"{_json(name)}: ["
        between = "\n"
        for row in each:
            yield f"{between}{_json(row)}"
            between = ",\n"
        yield "\n],\n"
    yield ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in last.items())
    yield "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Short lines put together and long ones cut, so that pieces are neither many nor large."""
    waiting: list[str] = []
    length = 0
    for line in lines:
        for start in range(0, len(line), _PIECE):
            part = line[start : start + _PIECE]
            if length + len(part) > _PIECE:
                yield "".join(waiting)
                waiting, length = [], 0
            waiting.append(part)
            length += len(part)
    yield "".join(waiting)
