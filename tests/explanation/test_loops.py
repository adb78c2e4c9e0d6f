"""What a decision's loops came to, in words."""

from __future__ import annotations

from typing import Any

import pytest

from crowdvote_analysis.explanation.loops import cores_in_words, loops_in_short, rule_for_loops


def core(members: int, rule: str) -> dict[str, Any]:
    return {"members": members, "rule": rule}


def test_every_rule_is_told_in_words() -> None:
    """What a rule means stands before its name (Y1, Y4, Y6)."""
    assert rule_for_loops("path") == "in loops nobody's ballot is made of itself (the rule “path”)"
    assert rule_for_loops("equilibrium").endswith("nothing changes any more (the rule “equilibrium”)")
    assert rule_for_loops("auto-1") == "in loops small tangles are walked, larger ones balanced (the rule “auto”)"


def test_it_is_told_how_many_were_walked_and_how_many_balanced() -> None:
    """Under auto both can be; nothing is said to be cut in those that were balanced (Y6, Y7)."""
    walked, balanced, rule = cores_in_words([core(3, "path"), core(40, "equilibrium"), core(2, "path")], "auto-1")
    assert walked.startswith("2 small tangles with 5 members in all were walked: nobody's ballot can be made of itself")
    assert walked.endswith("is cut: it gives nothing there.")
    assert balanced.startswith("1 larger tangle with 40 members was balanced: nothing is cut there")
    assert rule == "Small tangles are walked and larger ones balanced (the rule “auto”)."


@pytest.mark.parametrize(("rule", "verb"), [("path", "walked"), ("equilibrium", "balanced")])
def test_a_rule_that_settles_all_is_named_where_it_does(rule: str, verb: str) -> None:
    """Other rules know no small and large tangles."""
    (told,) = cores_in_words([core(3, rule)], rule)
    assert told.startswith(f"1 tangle with 3 members was {verb} (the rule “{rule}”): ")


def test_a_line_says_the_same() -> None:
    """On a screen of text one line has to do."""
    cores = [core(3, "path"), core(1_200, "equilibrium")]
    assert loops_in_short(5_000, cores, "auto-1") == (
        "5,000 followings in loops: 1 small tangle with 3 members walked, 1 larger tangle with 1,200 members balanced "
        "(rule auto-1)"
    )
    assert loops_in_short(1, [], "path") == "1 following in loops: no ballot came around in them (rule path)"
