"""Cases about the count itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.command import crowdvote


def test_robustness_whole_stars(files_of: Callable[[str], Path]) -> None:
    """No single ballot of whole stars makes another choice win, so two are what it takes."""
    done = crowdvote("tally", files_of("robustness-whole-stars") / "poll.csv", "--json")
    safety = json.loads(done.stdout)["decisions"][0]["robustness"]
    assert (safety["winner"], safety["whole_stars"], safety["at_least"], safety["at_most"]) == ("Ben", True, 2, 2)
    assert safety["sentence"].endswith("Changed ballots have whole stars, as every ballot here has.")
