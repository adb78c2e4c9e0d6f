"""The worked answers beside the project; tests that need them are skipped where they are absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv

SHARED = Path(__file__).parents[2] / "shared"


def shared_file(name: str) -> Path:
    """The path of a shared file; skips the test where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not here")
    return path


def delegation_cases() -> list[dict[str, Any]]:
    path = SHARED / "cases" / "delegation.json"
    return json.loads(path.read_text("utf-8"))["cases"] if path.exists() else []


def state_of(case: dict[str, Any], cycle_rule: str = "path") -> cv.SystemState:
    """The tables of a delegation case: one community ``here``, one decision ``d``."""
    text, tags = pl.String, pl.List(pl.String)
    members = [{"community_id": "here", "member_id": m["name"], "is_voter": m["voting"]} for m in case["members"]]
    elsewhere = {f["community"] for f in case["followings"] if "community" in f}
    followings = [
        {
            "community_id": f.get("community", "here"),
            "follower_id": f["follower"],
            "followee_id": f["followee"],
            "tags": f["tags"],
        }
        for f in case["followings"]
    ]
    ballots = [{"decision_id": "d", "member_id": b["voter"], "tags": b["tags"]} for b in case["ballots"]]
    votes = [
        {"decision_id": "d", "member_id": b["voter"], "choice_id": choice, "stars": stars}
        for b in case["ballots"]
        for choice, stars in b["stars"].items()
    ]
    return cv.SystemState(
        communities=pl.DataFrame({"community_id": ["here", *elsewhere], "cycle_rule": cycle_rule}),
        members=pl.DataFrame(members),
        followings=pl.DataFrame(
            followings, schema={"community_id": text, "follower_id": text, "followee_id": text, "tags": tags}
        ),
        decisions=pl.DataFrame({"community_id": ["here"], "decision_id": ["d"]}),
        choices=pl.DataFrame(
            {"decision_id": "d", "choice_id": case["choices"], "position": list(range(len(case["choices"])))}
        ),
        ballots=pl.DataFrame(ballots, schema={"decision_id": text, "member_id": text, "tags": tags}),
        votes=pl.DataFrame(votes, schema={"decision_id": text, "member_id": text, "choice_id": text, "stars": text}),
    )
