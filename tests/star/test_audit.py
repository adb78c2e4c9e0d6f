"""The audit log as data: another program can recheck the result from it alone (K8)."""

from __future__ import annotations

import json
import random
from typing import Any

import polars as pl
import pytest

from crowdvote_analysis.star import PROTOCOLS, tally_star_votes

from .elections import votes_of

Document = dict[str, Any]


def rule_due(document: Document, stage: str, before: list[str], tied: int, stuck: bool) -> str:
    """Which rule comes next, by K2 to K7; `stuck` says that the last one parted nobody."""
    if stage == "runoff":
        return ["runoff", "sum", "max_count", "manager"][len(before)]
    if not before:
        return "sum"
    if document["protocol"] == "losses":
        if before[-1] == "max_count" and stuck:
            return "manager"
        return "max_count" if before[-1] == "losses" and stuck else "losses"
    if before == ["sum"] and (document["protocol"] == "starvote" or tied == 2):
        return "prefs"
    return "max_count" if "max_count" not in before else "manager"


def recheck(document: Document) -> list[str]:
    """An auditor's own program: reads a tally as JSON, knows the rules K2 to K7, and nothing of the package."""
    found = []
    totals = {row["choice_id"]: int(row["total"].replace(".", "")) for row in document["scores"]}
    fives = {row["choice_id"]: row["five_star_count"] for row in document["scores"]}
    over = {(row["choice_id"], row["over_choice_id"]): row["ballots"] for row in document["preferences"]}
    order = document["tie_order"]
    pool, places, stage = set(totals), 2, "scoring"
    finalists: list[str] = []
    winner = None
    before: list[str] = []
    stuck = False
    for step in document["steps"]:
        if step["stage"] != stage:
            if stage != "scoring" or pool:
                found.append("the runoff begins while places are open")
            pool, places, stage, before = set(finalists), 1, "runoff", []
        numbers = step["numbers"]
        if step["rule"] != rule_due(document, stage, before, len(pool), stuck):
            found.append(f"{step['rule']}: another rule was due")
        if set(numbers) != pool or step["places"] != places:
            return [*found, f"{step['rule']}: the pool is not who was left"]
        for choice, number in numbers.items():
            others = pool - {choice}
            expected = {
                "sum": totals[choice],
                "max_count": fives[choice],
                "prefs": sum(over[choice, other] for other in others),
                "runoff": sum(over[choice, other] for other in others),
                "losses": sum(over[other, choice] > over[choice, other] for other in others),
                "manager": 1 + [each for each in order if each in pool].index(choice) if choice in order else None,
            }[step["rule"]]
            if (int(number.replace(".", "")) if isinstance(number, str) else number) != expected:
                found.append(f"{step['rule']}: {choice} has not {number}")
        sign = 1 if step["rule"] in ("losses", "manager") else -1
        key = {choice: sign * float(number) for choice, number in numbers.items()}
        last = max((key[choice] for choice in step["advanced"]), default=None)
        if last is not None and any(key[choice] < last for choice in pool - set(step["advanced"])):
            found.append(f"{step['rule']}: somebody better did not advance")
        if len(step["advanced"]) > places or (not step["remaining"] and len(step["advanced"]) < min(places, len(pool))):
            found.append(f"{step['rule']}: places are not filled rightly")
        stuck = pool == set(step["remaining"])
        before.append(step["rule"])
        pool, places = set(step["remaining"]), places - len(step["advanced"])
        if stage == "scoring":
            finalists += step["advanced"]
        elif step["advanced"]:
            (winner,) = step["advanced"]
    if stage == "scoring" and not pool and len(finalists) == 1:
        (winner,) = finalists
    if document["winner"] != winner:
        found.append(f"the steps lead to {winner}")
    if (document["tie"] is None) != (winner is not None):
        found.append("a tie and a winner at once")
    return found


def documents_of(number: int) -> list[Document]:
    """Tallies of small random elections with many ties, by every protocol, some with an order of the manager."""
    draw = random.Random(number)
    names = list("abcde")[: draw.randint(1, 5)]
    levels = draw.choice([[0, 5], [0, 1, 5], ["0", "3.33333333", "1.66666667"]])
    ballots = [{name: draw.choice(levels) for name in names} for _ in range(draw.randint(1, 5))]
    order = draw.sample(names, len(names)) if draw.random() < 0.5 else []
    return [
        json.loads(
            json.dumps(
                tally_star_votes(votes_of(ballots), protocol=protocol, tie_order=order, on_tie="return").to_dict()
            )
        )
        for protocol in PROTOCOLS
    ]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return [document for number in range(150) for document in documents_of(number)]


def test_every_result_can_be_rechecked_by_another_program(documents: list[Document]) -> None:
    """Steps, numbers and winner of hundreds of tallies agree with an auditor's own reading of the rules."""
    assert [found for document in documents if (found := recheck(document))] == []
    assert {step["rule"] for document in documents for step in document["steps"]} == {
        "sum",
        "prefs",
        "losses",
        "max_count",
        "runoff",
        "manager",
    }


def forged(document: Document, what: str) -> Document | None:
    """The document with one thing changed; None where it has no such thing."""
    copy: Document = json.loads(json.dumps(document))
    step = copy["steps"][-1]
    if what == "number":
        choice = next(iter(step["numbers"]))
        step["numbers"][choice] = 99
    elif what == "winner":
        if copy["winner"] is None or len(copy["scores"]) < 2:
            return None
        copy["winner"] = next(row["choice_id"] for row in copy["scores"] if row["choice_id"] != copy["winner"])
    elif what == "advanced":
        if len(set(step["numbers"].values())) < 2 or not step["advanced"]:
            return None
        worse = next((choice for choice in step["numbers"] if choice not in step["advanced"]), None)
        if worse is None:
            return None
        step["advanced"] = [worse]
    elif what == "step":
        if len(copy["steps"]) < 2:
            return None
        del copy["steps"][-2]
    return copy


@pytest.mark.parametrize("what", ["number", "winner", "advanced", "step"])
def test_a_forged_document_is_found_out(documents: list[Document], what: str) -> None:
    """A changed number, winner, advance or a missing step does not pass the auditor."""
    copies = [copy for document in documents if (copy := forged(document, what)) is not None]
    assert len(copies) > 50
    assert all(recheck(copy) for copy in copies)


def test_the_audit_log_has_one_row_a_step() -> None:
    """As a frame: pool and numbers side by side, who advanced, who remains."""
    tally = tally_star_votes(votes_of([{"a": 5, "b": 1, "c": 2}, {"a": 5, "b": 2, "c": 1}]), on_tie="return")
    log = tally.audit_log()
    assert log.schema["numbers"] == pl.List(pl.Decimal(38, 8))
    assert log.select("step", "stage", "rule", "places", "pool", "advanced", "remaining").rows() == [
        (1, "scoring", "sum", 2, ["a", "b", "c"], ["a"], ["b", "c"]),
        (2, "scoring", "prefs", 1, ["b", "c"], [], ["b", "c"]),
        (3, "scoring", "max_count", 1, ["b", "c"], [], ["b", "c"]),
    ]
    assert log["numbers"].to_list()[1] == [1, 1]
