"""Counts become outcomes: whether a decision passes, why, and what could still change that (C2 to C5)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdvote_analysis.consensus import outcomes
from crowdvote_analysis.consensus.words import in_short
from crowdvote_analysis.errors import InvalidElectionError
from tests.consensus.literal import Criterion, completions, fewest, passes

SCHEMA = {"method": pl.String, "threshold": pl.String, "quorum": pl.Int64, "decisive_only": pl.Boolean}
CRITERIA = [
    *(Criterion("simple_majority", None, q, only) for q in (None, 0, 1, 3, 5, 7) for only in (False, True)),
    *(
        Criterion("supermajority", part)
        for part in (None, "66%", "2/3", "66.67%", "50%", "1/1", "100%", "0.000000001%")
    ),
    *(Criterion("supermajority", part, quorum) for part in ("1/3", "75%") for quorum in (0, 2, 5, 7)),
    *(Criterion("unanimity", None, quorum) for quorum in (None, 0, 1, 3, 6, 7)),
]


def one(method: str, required: int, yes: Any, no: Any, abstain: Any = 0, **options: Any) -> dict[str, Any]:
    """The outcome of one decision."""
    row = {"decision_id": "d", "method": method, "required": required, "yes": yes, "no": no, "abstain": abstain}
    return outcomes(pl.DataFrame([row | options])).row(0, named=True)


# --- against the literal reading -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_count_of_small_electorates_comes_out_as_the_rules_say() -> None:
    """C2 to C5: the literal reading; deadlocked iff no completion passes; missing are the votes of the shortest."""
    rows: list[dict[str, Any]] = []
    expected: list[tuple[bool, bool, int | None]] = []
    for criterion in CRITERIA:
        for required in range(7):
            for yes, no, abstain in completions(required + 1):  # one vote more than there are voters happens too
                rows.append(
                    {"method": criterion.method, "required": required, "yes": yes, "no": no, "abstain": abstain}
                )
                rows[-1] |= criterion.options()
                passed = passes(criterion, required, Fraction(yes), Fraction(no), Fraction(abstain))
                votes = fewest(criterion, required, yes, no, abstain)
                expected.append((passed, votes is None, votes))
    counts = pl.DataFrame(rows, schema_overrides=SCHEMA).with_columns(decision_id=pl.lit("d"))
    for frame in (counts, counts.with_columns(pl.col("yes", "no").cast(pl.Decimal(38, 9)))):
        assert outcomes(frame).select("passed", "deadlocked", "missing_votes").rows() == expected


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Criterion, int, Decimal, Decimal, Decimal]:
    """A decision of any size whose votes are split into parts of a billionth, most often close to a threshold."""
    size = draw(st.sampled_from([10, 10**6, 10**15]))
    required = draw(st.integers(0, size))
    wide = Context(prec=60)
    parts = st.integers(0, max(1, required)).map(lambda votes: votes * 10**9) | st.integers(0, required * 10**9)
    yes, no, abstain = (wide.scaleb(Decimal(draw(parts)), -9) for _ in range(3))
    method = draw(st.sampled_from(["simple_majority", "supermajority", "unanimity"]))
    if method == "supermajority":
        whole, places = draw(st.integers(0, 99)), draw(st.integers(1, 10**9 - 1))
        threshold = draw(st.sampled_from(["66%", "2/3", "999999998/999999999", f"{whole}.{places:09}%"]))
        if draw(st.booleans()):  # as close to the threshold as a billionth of a vote allows
            needed = Fraction(threshold[:-1]) / 100 if threshold.endswith("%") else Fraction(threshold)
            units = int(needed * required * 10**9) + draw(st.integers(-1, 1))
            yes = wide.scaleb(Decimal(min(max(0, units), 10**24)), -9)
        return Criterion(method, threshold, draw(st.none() | st.integers(0, size))), required, yes, no, abstain
    if draw(st.booleans()) and method == "simple_majority":
        yes = wide.add(wide.add(no, abstain), wide.scaleb(Decimal(draw(st.integers(0, 1))), -9))
        yes = min(yes, Decimal(10**15))
    only = draw(st.booleans()) and method == "simple_majority"
    return Criterion(method, None, draw(st.none() | st.integers(0, size)), only), required, yes, no, abstain


@pytest.mark.slow
@settings(max_examples=100)
@given(decisions=st.lists(weighted(), min_size=5, max_size=20))
def test_votes_in_parts_and_large_numbers_are_exact(
    decisions: list[tuple[Criterion, int, Decimal, Decimal, Decimal]],
) -> None:
    """Billions of voters and billionths of votes: nothing overflows, nothing is rounded, percentages half-even."""
    rows = [
        {"decision_id": "d", "method": c.method, "required": r, "yes": y, "no": n, "abstain": a} | c.options()
        for c, r, y, n, a in decisions
    ]
    part = pl.Decimal(38, 9)
    result = outcomes(pl.DataFrame(rows, schema_overrides=SCHEMA | dict.fromkeys(["yes", "no", "abstain"], part)))
    for (criterion, required, *votes), row in zip(decisions, result.iter_rows(named=True), strict=True):
        yes, no, abstain = (Fraction(vote) for vote in votes)
        cast = yes + no + abstain
        remaining = max(Fraction(0), required - cast)
        assert (Fraction(row["cast"]), Fraction(row["remaining"])) == (cast, remaining)
        assert row["passed"] == passes(criterion, required, yes, no, abstain)
        assert row["deadlocked"] == (not passes(criterion, required, yes + remaining, no, abstain))
        more = row["missing_votes"]
        assert (more is None) == row["deadlocked"]
        if more is not None:
            assert passes(criterion, required, yes + more, no, abstain)
            assert more == 0 or not passes(criterion, required, yes + more - 1, no, abstain)
        out_of = Fraction(row["out_of"])
        assert (row["percentage"] is None) == (out_of == 0)
        if out_of:
            exact = 100 * yes / out_of
            wide = Context(prec=200, rounding=ROUND_HALF_EVEN)
            nearest = round(exact * 10**8)  # Fraction rounds half to even
            assert row["percentage"] == wide.scaleb(Decimal(nearest), -8)


# --- the examples of the rules, and their words ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "options", "passed", "reason"),
    [
        (("simple_majority", 20, 5, 5), {}, False, "5 of 10 votes cast are yes (50%); more than 50% is needed"),
        (("simple_majority", 20, 6, 4), {}, True, "6 of 10 votes cast are yes (60%); more than 50% is needed"),
        (("simple_majority", 20, 5, 4, 1), {}, False, "5 of 10 votes cast are yes (50%); more than 50% is needed"),
        (
            ("simple_majority", 20, 5, 4, 1),
            {"decisive_only": True},
            True,
            "5 of 9 decisive votes are yes (55.56%); more than 50% is needed",
        ),
        (("simple_majority", 20, 0, 0), {}, False, "No votes have been cast"),
        (("simple_majority", 20, 0, 0), {"quorum": 10}, False, "No votes have been cast"),
        (("simple_majority", 20, 6, 0), {"quorum": 10}, False, "Quorum not met. Need 10 votes, got 6"),
        (("simple_majority", 9, 0, 0, 3), {"decisive_only": True}, False, "No decisive votes cast"),
        (("simple_majority", 1, 1, 0), {}, True, "1 of 1 vote cast is yes (100%); more than 50% is needed"),
        (
            ("simple_majority", 1, 1, 0),
            {"decisive_only": True},
            True,
            "1 of 1 decisive vote is yes (100%); more than 50% is needed",
        ),
        (("simple_majority", 9, 1, 1), {}, False, "1 of 2 votes cast is yes (50%); more than 50% is needed"),
        (("simple_majority", 9, 0, 1), {}, False, "0 of 1 vote cast are yes (0%); more than 50% is needed"),
        (("supermajority", 10, 7, 3), {}, True, "7 of 10 required voters say yes (70%); at least 66% is needed"),
        (("supermajority", 100, 66, 0), {}, True, "66 of 100 required voters say yes (66%); at least 66% is needed"),
        (("supermajority", 100, 65, 0), {}, False, "65 of 100 required voters say yes (65%); at least 66% is needed"),
        (
            ("supermajority", 3, 2, 1),
            {"threshold": "2/3"},
            True,
            "2 of 3 required voters say yes (66.66666667%); at least 2/3 is needed",
        ),
        (
            ("supermajority", 3, 2, 1),
            {"threshold": "66.67 %"},
            False,
            "2 of 3 required voters say yes (66.66666667%); at least 66.67% is needed",
        ),
        (("supermajority", 3, 1, 1), {}, False, "1 of 3 required voters says yes (33.33%); at least 66% is needed"),
        (("supermajority", 1, 1, 0), {}, True, "1 of 1 required voter says yes (100%); at least 66% is needed"),
        (("supermajority", 0, 0, 0), {}, False, "No required voters defined"),
        (("supermajority", 0, 1, 0), {"quorum": 2}, False, "No required voters defined"),
        (("supermajority", 9, 6, 0), {"quorum": 7}, False, "Quorum not met. Need 7 votes, got 6"),
        (("unanimity", 10, 6, 0), {}, False, "Quorum not met. Need 10 votes, got 6"),
        (("unanimity", 1, 0, 0), {}, False, "Quorum not met. Need 1 vote, got 0"),
        (("unanimity", 10, 6, 1), {}, False, "Quorum not met. Need 10 votes, got 7"),
        (("unanimity", 10, 9, 1), {}, False, "1 no vote; unanimity allows none"),
        (("unanimity", 10, 0, 2), {"quorum": 2}, False, "2 no votes; unanimity allows none"),
        (("unanimity", 3, 0, 0, 3), {}, False, "No yes votes cast"),
        (("unanimity", 0, 0, 0), {}, False, "No yes votes cast"),
        (("unanimity", 3, 1, 0, 2), {}, True, "1 yes vote, none no"),
        (("unanimity", 3, 3, 0), {}, True, "3 yes votes, none no"),
        (
            ("simple_majority", 9, Decimal("2.5"), Decimal("1.500000001")),
            {},
            True,
            "2.5 of 4 votes cast are yes (62.5%); more than 50% is needed",
        ),
        (
            ("simple_majority", 9, Decimal("2.000000001"), Decimal(2)),
            {},
            True,
            "2.000000001 of 4.000000001 votes cast are yes (50.00000001%); more than 50% is needed",
        ),
        (("unanimity", 1, Decimal("0.8"), Decimal("0.2")), {}, False, "0.2 no votes; unanimity allows none"),
        (
            ("simple_majority", 40, Decimal("19.333333333"), Decimal("15.666666667")),
            {},
            True,
            "19.33 of 35 votes cast are yes (55.24%); more than 50% is needed",
        ),
        (
            ("supermajority", 9, Decimal("1.000000001"), Decimal("2.5")),
            {},
            False,
            "1 of 9 required voters says yes (11.11%); at least 66% is needed",
        ),
        (
            ("unanimity", 4, Decimal("3.999999999"), Decimal("0.000000001")),
            {},
            False,
            "0.000000001 no votes; unanimity allows none",
        ),
        (
            ("simple_majority", 9, Decimal("3.9999"), Decimal(0)),
            {"quorum": 4},
            False,
            "Quorum not met. Need 4 votes, got 3.9999",
        ),
        (
            ("simple_majority", 9, Decimal("3.333333333"), 0),
            {"quorum": 4},
            False,
            "Quorum not met. Need 4 votes, got 3.33",
        ),
        (
            ("supermajority", 3, 2, 1),
            {"threshold": "66.666666667%"},
            False,
            "2 of 3 required voters say yes (66.66666666%); at least 66.666666667% is needed",
        ),
        (
            ("supermajority", 3, 2, 1),
            {"threshold": "66.666666666%"},
            True,
            "2 of 3 required voters say yes (66.66666667%); at least 66.666666666% is needed",
        ),
        (
            ("supermajority", 3, 1, 2),
            {"threshold": "33.333333333%"},
            True,
            "1 of 3 required voters says yes (33.33333334%); at least 33.333333333% is needed",
        ),
        (
            ("simple_majority", 10**12, 10**11 + 1, 10**11),
            {},
            True,
            "100000000001 of 200000000001 votes cast are yes (50.00000001%); more than 50% is needed",
        ),
        (
            ("simple_majority", 10**12, 10**11, 10**11 + 1),
            {},
            False,
            "100000000000 of 200000000001 votes cast are yes (50%); more than 50% is needed",
        ),
    ],
)
def test_the_reason_says_what_was_counted_and_what_is_needed(
    counted: tuple[Any, ...], options: dict[str, Any], passed: bool, reason: str
) -> None:
    """C2 to C4, in the words of the rules, with singular and plural."""
    outcome = one(*counted, **options)
    assert (outcome["passed"], outcome["reason"]) == (passed, reason)


@pytest.mark.parametrize(
    ("counted", "options", "words"),
    [
        (
            ("simple_majority", 5, 1, 3),
            {},
            "Even if the 1 remaining vote is yes: 2 of 5 votes cast are yes (40%); more than 50% is needed",
        ),
        (
            ("supermajority", 10, 3, 4),
            {},
            "Even if all 3 remaining votes are yes: 6 of 10 required voters say yes (60%); at least 66% is needed",
        ),
        (("unanimity", 3, 0, 1), {}, "Even if all 2 remaining votes are yes: 1 no vote; unanimity allows none"),
        (("unanimity", 3, 3, 0), {"quorum": 4}, "No votes remain: Quorum not met. Need 4 votes, got 3"),
        (("supermajority", 0, 0, 0), {}, "No votes remain: No required voters defined"),
        (
            ("simple_majority", 2, 3, 4),
            {},
            "No votes remain: 3 of 7 votes cast are yes (42.86%); more than 50% is needed",
        ),
        (("simple_majority", 5, 2, 2), {}, None),
        (("unanimity", 3, 0, 0, 2), {}, None),
    ],
)
def test_a_deadlock_is_said_with_the_best_that_can_still_happen(
    counted: tuple[Any, ...], options: dict[str, Any], words: str | None
) -> None:
    """C5: 1 yes, 3 no, 1 left; 3 yes, 4 no, 3 left of 10; any no against unanimity."""
    outcome = one(*counted, **options)
    assert (outcome["deadlocked"], outcome["deadlock_reason"]) == (words is not None, words)
    assert outcome["missing_votes"] is None or words is None
    assert outcome["missing"] is None or words is None


@pytest.mark.parametrize(
    ("counted", "options", "words"),
    [
        (("simple_majority", 9, 2, 2), {}, "1 more yes vote would pass it"),
        (("simple_majority", 9, 2, 3), {}, "2 more yes votes would pass it"),
        (("simple_majority", 9, 2, 0), {"quorum": 5}, "3 more yes votes would pass it"),
        (("supermajority", 10, 5, 0), {}, "2 more yes votes would pass it"),
        (("unanimity", 6, 2, 0), {}, "4 more votes are needed, none of them no"),
        (("unanimity", 6, 2, 0, 3), {}, "1 more vote is needed, and it must not be no"),
        (("unanimity", 6, 0, 0, 4), {}, "2 more votes are needed, none of them no and at least one of them yes"),
        (("unanimity", 6, 0, 0, 5), {}, "1 more yes vote would pass it"),
        (("unanimity", 6, 0, 0), {"quorum": 0}, "1 more yes vote would pass it"),
        (("simple_majority", 9, 3, 2), {}, None),
    ],
)
def test_what_is_missing_is_said_in_words(counted: tuple[Any, ...], options: dict[str, Any], words: str | None) -> None:
    """How many votes would pass it, and which."""
    assert one(*counted, **options)["missing"] == words


@pytest.mark.parametrize(
    ("counted", "options", "words"),
    [
        (("unanimity", 6, 2, 0), {}, "4 more votes"),
        (("unanimity", 6, 2, 0, 3), {}, "1 more vote"),
        (("unanimity", 6, 0, 0, 4), {}, "2 more votes"),
        (("unanimity", 6, 0, 0, 5), {}, "1 more yes vote"),
        (("simple_majority", 9, 2, 3), {}, "2 more yes votes"),
        (("supermajority", 10, 6, 0), {}, "1 more yes vote"),
    ],
)
def test_in_short_it_asks_for_a_yes_only_where_abstaining_would_not_do(
    counted: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    """C4: a quorum is met by abstentions too."""
    assert pl.DataFrame([one(*counted, **options)]).select(in_short(pl.lit("active"))).item() == words


@pytest.mark.slow
@settings(max_examples=80)
@given(decisions=st.lists(weighted(), min_size=5, max_size=20))
def test_a_percentage_in_words_stands_on_the_side_of_the_outcome(
    decisions: list[tuple[Criterion, int, Decimal, Decimal, Decimal]],
) -> None:
    """What fails never reads as if it were met, nor the reverse."""
    rows = [
        {"decision_id": "d", "method": c.method, "required": required, "yes": yes, "no": no, "abstain": abstain}
        | c.options()
        for c, required, yes, no, abstain in decisions
    ]
    counts = pl.DataFrame(rows, schema_overrides=SCHEMA | dict.fromkeys(("yes", "no", "abstain"), pl.Decimal(38, 9)))
    for row in outcomes(counts).iter_rows(named=True):
        said = re.search(r"\(([\d.]+)%\); (more than|at least) (\S+) is", row["reason"])
        if said:
            shown, needed = Fraction(said[1]), said[3]
            least = Fraction(needed[:-1]) if needed.endswith("%") else Fraction(needed) * 100
            assert row["passed"] == (shown > least if said[2] == "more than" else shown >= least)


# --- frames ----------------------------------------------------------------------------------------------------------


def test_rows_and_columns_stay_as_given_and_old_results_are_replaced() -> None:
    """An outcome can be changed and judged again, as a slider does."""
    counts = pl.DataFrame(
        {
            "decision_id": ["b", "a", "b"],
            "title": ["Roof", "Pond", "Roof"],
            "method": ["unanimity", "simple_majority", "supermajority"],
            "required": pl.Series([3, 4, 5], dtype=pl.UInt8),
            "yes": [2, 0, 4],
            "no": [0, 1, 1],
            "abstain": [0, 0, 0],
        }
    )
    result = outcomes(counts)
    assert result.select(counts.columns).equals(counts)
    whole = dict.fromkeys(("cast", "remaining", "out_of", "missing_votes"), pl.Int64)
    assert {name: result.schema[name] for name in whole} == whole
    assert result["out_of"].to_list() == [2, 1, 5]
    again = outcomes(result.with_columns(yes=pl.col("yes") + 1))
    assert again.columns == result.columns
    assert again["passed"].to_list() == [True, False, True]
    assert outcomes(result).equals(result)


def test_no_decisions_have_no_outcomes() -> None:
    """An empty frame gives an empty frame with all columns."""
    row = one("unanimity", 1, 1, 0)
    empty = outcomes(pl.DataFrame([row]).clear())
    assert empty.is_empty()
    assert empty.columns == list(row)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"yes": -1}, r"1 row has a number below 0 \(first: decision 'd', required 3, yes -1"),
        ({"abstain": Decimal("-0.5")}, "a number below 0"),
        ({"quorum": -1}, "a number below 0 .*quorum -1"),
        ({"required": 10**15 + 1}, "a number above 1,000,000,000,000,000"),
        ({"no": None}, "no has the type Null"),
        ({"no": pl.lit(None, dtype=pl.Int64)}, "a number that is missing"),
        ({"required": pl.lit(None, dtype=pl.Int64)}, "a number that is missing"),
        ({"method": "star"}, "a method that is none of simple_majority, supermajority, unanimity .*method star"),
        ({"method": pl.lit(None, dtype=pl.String)}, "a method that is none of"),
        ({"yes": 1.0}, "yes has the type Float64; give an integer or a Decimal, as nothing is counted in floats"),
        ({"required": Decimal(3)}, "required has the type Decimal.*; give an integer"),
        ({"yes": pl.lit("0.1234567891").cast(pl.Decimal(38, 10))}, "votes with more than 9 decimals"),
        ({"method": 3}, "a method that is none of .*method 3"),
        ({"method": None}, "a method that is none of"),
        ({"decisive_only": "yes"}, "decisive_only has the type String; give Booleans"),
        ({"threshold": 66}, "a threshold that is no percentage such as 66%.*threshold 66"),
        ({"threshold": "66"}, "a threshold that is no percentage such as 66%.*threshold 66"),
        ({"threshold": "4/3"}, "a threshold that is no percentage"),
        ({"threshold": "1/0"}, "a threshold that is no percentage"),
    ],
)
def test_what_is_no_count_is_refused(change: dict[str, Any], words: str) -> None:
    """The error names the rule that is broken, how many rows break it, and the first of them."""
    row = {"decision_id": "d", "method": "supermajority", "required": 3, "yes": 1, "no": 1, "abstain": 0}
    counts = pl.DataFrame([row]).with_columns(
        **{k: v if isinstance(v, pl.Expr) else pl.lit(v) for k, v in change.items()}
    )
    with pytest.raises(InvalidElectionError, match=words):
        outcomes(counts)


def test_a_column_that_is_missing_is_named_with_those_that_are_needed() -> None:
    """Options may be absent, counts may not."""
    with pytest.raises(
        InvalidElectionError, match=r"abstain is missing.*threshold, quorum, decisive_only are optional"
    ):
        outcomes(pl.DataFrame([{"decision_id": "d", "method": "unanimity", "required": 1, "yes": 1, "no": 0}]))
