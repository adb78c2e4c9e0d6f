"""How ballots are spread over the stars."""

from __future__ import annotations

from crowdvote_analysis.star import score_histogram, tally_star

from .elections import resolution_of


def test_ballots_stand_at_their_whole_stars() -> None:
    """Fractions stand at the star below, only five stars at five, and a choice left out at 0 (K1, K9)."""
    resolution = resolution_of(
        {"park": [{"x": "5"}, {"x": "4.99999999"}, {"x": "3.5", "y": "1"}, {"y": "0.5"}], "none": [{}]},
        [("park", "x", None, 0), ("park", "y", None, 1), ("none", "z", None, 0)],
    )
    counted = score_histogram(resolution, "park")
    assert counted["stars"].to_list() == [0, 1, 2, 3, 4, 5] * 2
    assert counted.filter(choice_id="x")["ballots"].to_list() == [1, 0, 0, 1, 1, 1]
    assert counted.filter(choice_id="y")["ballots"].to_list() == [3, 1, 0, 0, 0, 0]
    fives = dict(tally_star(resolution, "park").scores.select("choice_id", "five_star_count").iter_rows())
    assert dict(counted.filter(stars=5).select("choice_id", "ballots").iter_rows()) == fives
    assert score_histogram(resolution).filter(decision_id="none")["ballots"].to_list() == [0] * 6
