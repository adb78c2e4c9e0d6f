"""What was left blank, in words that stand on pages and reports."""

from __future__ import annotations

import polars as pl

import crowdvote_analysis as cv
from crowdvote_analysis.pages import blanks
from crowdvote_analysis.star import ratings, with_ratings


def scores_of(votes: dict[str, list[int | None]]) -> pl.DataFrame:
    rows = [
        {"decision_id": "park", "member_id": f"m{place}", "choice_id": choice, "stars": own}
        for choice, given in votes.items()
        for place, own in enumerate(given)
        if own is not None
    ]
    cast = pl.DataFrame({"decision_id": "park", "member_id": [f"m{place}" for place in range(3)]})
    counted = cv.resolve(cv.SystemState(ballots=cast, votes=pl.DataFrame(rows)))
    return with_ratings(cv.tally_star(counted), ratings(counted))


def test_how_many_left_a_choice_blank_stands_beside_the_average_of_the_others() -> None:
    """K10: 0 for whoever says nothing is part of the average, and everybody can see by how much."""
    scores = scores_of({"oak": [5, None, None], "elm": [3, 4, 0]})
    assert "that counts 0 stars" in blanks.blank_words(scores)
    assert blanks.blank_rows(scores).rows() == [
        ("elm", "2.33", "0", "3", "2.33"),
        ("oak", "1.67", "2", "1", "5.00"),
    ]
    assert "5.00" in blanks.blank_table(scores)


def test_where_nothing_is_blank_it_is_one_sentence() -> None:
    """A table of noughts would say nothing."""
    scores = scores_of({"oak": [5, 0, 1], "elm": [3, 4, 0]})
    assert blanks.blank_words(scores) == "Every ballot that is tallied rates every choice."
    assert blanks.blank_table(scores) == ""
