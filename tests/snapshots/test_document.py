"""The snapshot document is whole, keeps to its schema, agrees with the count, and names nobody who is hidden (S9)."""

from __future__ import annotations

import copy
import json
import runpy
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.snapshots import document, document_dict, document_schema
from tests.cases import delegation_cases, state_of
from tests.explanation.test_lineage import clique, community

pytestmark = pytest.mark.slow

RULES = ["path", "equilibrium"]
CASES = {case["id"]: case for case in delegation_cases()}
ORDINARY: dict[str, Any] = {"timestamp": DEMO_DATE, "is_final": False}


@cache
def demo() -> cv.SystemState:
    return cv.SystemState.read(demo_folder())


@cache
def counted(cycles: str) -> cv.Resolution:
    return cv.resolve(demo(), cycles=cycles)


@cache
def of_demo(decision: str, cycles: str) -> dict[str, Any]:
    return document_dict(demo(), counted(cycles), decision, max_followings=12, **ORDINARY)


def written(state: cv.SystemState, **options: Any) -> dict[str, Any]:
    return document_dict(state, cv.resolve(state), "d", **ORDINARY | options)


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(document_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def flaws(whole: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(whole)]


def places(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every place of a tree."""
    for place in row["calculation_tree"]:
        yield place
        yield from places(place)


STAR_DECISIONS = [
    "bench-colour", "bicycle-lanes", "library-hours", "market-square", "night-bus", "recycling-points",
    "school-garden", "school-meals", "sports-day", "summer-festival", "village-green", "youth-centre",
]  # fmt: skip


WITH_LOOPS = ["village-green", "bicycle-lanes", "school-garden"]


# --- the demo communities ---------------------------------------------------------------------------------------------


def test_all_demo_decisions_are_looked_at() -> None:
    """No decision with stars is left out of the tests below."""
    assert counted("path").decisions["decision_id"].to_list() == STAR_DECISIONS


@pytest.mark.parametrize(
    ("decision", "cycles"),
    [*((decision, "path") for decision in STAR_DECISIONS), *((decision, "equilibrium") for decision in WITH_LOOPS)],
)
def test_demo_documents_keep_to_the_schema(decision: str, cycles: str) -> None:
    """Every demo decision has a document; of each community one with loops has it under both rules for them."""
    assert flaws(of_demo(decision, cycles)) == []


@pytest.mark.parametrize("cycles", RULES)
def test_numbers_are_those_of_the_count(cycles: str) -> None:
    """Statistics are those of the resolution, and counting the rows gives the same."""
    for stats in counted(cycles).stats.iter_rows(named=True):
        whole = of_demo(stats["decision_id"], cycles)
        assert {"decision_id": whole["decision_id"], **whole["stats"]} == stats
        rows = {name: whole[name] for name in ("manual_ballots", "calculated_ballots", "no_ballot")}
        assert {name: sum(row["is_voter"] for row in found) for name, found in rows.items()} == {
            name: stats[name] for name in rows
        }
        everybody = [row for found in rows.values() for row in found]
        assert sum(not row["is_voter"] for row in everybody) == stats["lobbyists"]
        assert max(row.get("depth", 0) for row in everybody) == stats["max_delegation_depth"]
        weights = [row["weight"] for row in rows["manual_ballots"]]
        assert sum(weights) == pytest.approx(stats["tallied_ballots"])


@pytest.mark.parametrize("cycles", RULES)
def test_ballots_and_followings_are_those_of_the_count(cycles: str) -> None:
    """Stars, tags, influence, sources and outcomes agree row by row with the frames of the resolution."""
    resolution, decision = counted(cycles), "village-green"
    shown = dict(public_names(demo()).filter(community_id="riverside").select("member_id", "public_id").iter_rows())
    whole = of_demo(decision, cycles)
    rows = {row["member_id"]: row for row in whole["manual_ballots"] + whole["calculated_ballots"]}
    stars: dict[str, dict[str, Decimal]] = {}
    for _, member, choice, value in resolution.stars.filter(decision_id=decision).iter_rows():
        stars.setdefault(shown[member], {})[choice] = value
    ballots = resolution.ballots.filter(pl.col("origin") != "none", decision_id=decision)
    assert rows.keys() == {shown[member] for member in ballots["member_id"]}
    for ballot in ballots.iter_rows(named=True):
        row = rows[shown[ballot["member_id"]]]
        assert {choice: Decimal(text) for choice, text in row["stars"].items()} == stars.get(row["member_id"], {})
        for column in ("tags", "is_voter", "influence_direct", "influence_total", "weight"):
            assert row[column] == ballot[column]
    sources = {
        (shown[row["follower_id"]], shown.get(row["followee_id"], row["followee_id"])): row
        for row in resolution.sources.filter(decision_id=decision).iter_rows(named=True)
    }
    relationships = {(row["follower"], row["followee"]): row for row in whole["relationships"]}
    assert len(relationships) == len(demo().followings.filter(community_id="riverside"))
    for pair, row in relationships.items():
        assert row["outcome"] == (sources[pair]["outcome"] if pair in sources else None)
        if pair in sources:
            assert row["tags"] == (sources[pair]["following_tags"] or ["ALL"])
    assert sources.keys() <= relationships.keys()
    inherited = {
        (row["member_id"], source["member_id"]): source["inherited_tags"]
        for row in whole["calculated_ballots"]
        for source in row["inherited_from"]
    }
    assert inherited == {pair: row["inherited_tags"] for pair, row in sources.items() if row["outcome"] == "match"}


def test_trees_are_those_of_the_explanation() -> None:
    """A calculated ballot carries the tree of ``lineage``, and without a ballot its first level."""
    whole = of_demo("village-green", "path")
    for row in whole["calculated_ballots"] + whole["no_ballot"]:
        limits: dict[str, Any] = {"max_followings": 12} if "depth" in row else {"depth": 1}
        tree = cv.lineage(demo(), "village-green", row["member_id"], cycles="path", **limits).to_dict()
        assert row["not_shown"] == tree["not_shown"]
        if "depth" in row:
            assert row["calculation_tree"] == tree["calculation_tree"]
        else:
            kept = [{field: place[field] for field in row_fields(row)} for place in tree["calculation_tree"]]
            assert row["follows"] == kept


def row_fields(row: dict[str, Any]) -> list[str]:
    return list(row["follows"][0]) if row["follows"] else []


def test_tally_results_say_who_won() -> None:
    """Winner, scores, runoff, margin and log are those of the tally."""
    tally = cv.tally_star(counted("path"), "village-green")
    result = of_demo("village-green", "path")["tally_result"]
    assert tally.runoff is not None
    assert (result["winner"], result["margin"], result["method"]) == (tally.winner, tally.runoff.margin, "STAR")
    assert Decimal(result["margin_percentage"]) == tally.margin_percentage
    assert result["runoff_phase"]["votes"] == dict(tally.runoff.votes)
    assert [(row["choice_id"], Decimal(row["total"])) for row in result["score_phase"]["scores"]] == list(
        tally.scores.select("choice_id", "total").iter_rows()
    )
    assert result["log"] == list(tally.log)
    rated = [(row["rated"], row["blank"], row["average_rated"]) for row in result["score_phase"]["scores"]]
    assert rated[:2] == [(33, 2, "3.43686869"), (32, 3, "2.53776042")]  # K10


# --- what can be without a winner -------------------------------------------------------------------------------------


def test_an_unresolved_tie_has_a_document() -> None:
    """The tie is told with who could win, and the tally that is handed in is the one that is written down (K7)."""
    tied = cv.SystemState(
        members=pl.DataFrame({"member_id": ["v", "w"]}),
        votes=pl.DataFrame(
            {
                "decision_id": "d",
                "member_id": ["v", "v", "w", "w"],
                "choice_id": ["X", "Y", "X", "Y"],
                "stars": ["4", "2", "2", "4"],
            }
        ),
    )
    resolution = cv.resolve(tied)
    left_open = document_dict(tied, resolution, "d", **ORDINARY)
    assert flaws(left_open) == []
    result = left_open["tally_result"]
    assert (result["status"], result["winner"], result["margin"]) == ("unresolved tie", None, 0)
    assert result["possible_winners"] == result["tie"]["possible_winners"] == ["X", "Y"]
    by_order = cv.tally_star(resolution, "d", "losses", tie_order=("Y", "X"))
    decided = document_dict(tied, resolution, "d", tally=by_order, **ORDINARY)
    assert flaws(decided) == []
    result = decided["tally_result"]
    assert (result["protocol"], result["winner"], result["decided_by_manager"]) == ("losses", "Y", True)


def test_a_decision_without_ballots_has_a_document() -> None:
    """Nobody voted, or nobody with stars: there is nothing to tally, and that is what the document says (K9, D5)."""
    nobody = written(community([("A", "v")], {}, decisions=pl.DataFrame({"decision_id": ["d"]})))
    starless = written(community([("A", "v")], {"v": ""}))
    for whole in (nobody, starless):
        assert flaws(whole) == []
        assert whole["tally_result"]["status"] == "no ballots"
        assert whole["tally_result"]["winner"] is None
    assert [row["member_id"] for row in nobody["no_ballot"]] == ["A", "v"]
    assert starless["manual_ballots"][0]["stars"] == {}
    assert starless["no_ballot"][0]["follows"][0]["result"] == "no ballot calculated (a ballot by hand without stars)"


def test_a_community_without_members_has_a_document() -> None:
    """No rows are empty lists, not missing ones."""
    state = cv.SystemState(
        members=pl.DataFrame({"member_id": []}, schema={"member_id": pl.String}),
        communities=pl.DataFrame({"community_id": ["c"]}),
        decisions=pl.DataFrame({"community_id": ["c"], "decision_id": ["d"]}),
    )
    whole = written(state)
    assert flaws(whole) == []
    assert whole["manual_ballots"] == whole["relationships"] == []


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
def test_results_are_told_in_the_words_of_the_rule() -> None:
    """The result texts of S9, word for word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        whole = written(state_of(CASES["ex7_sample_json"]))
    assert flaws(whole) == []
    told = {place["result"] for row in whole["calculated_ballots"] for place in places(row)} | {
        place["result"] for row in whole["no_ballot"] for place in row["follows"]
    }
    assert told == {
        "MATCH",
        "NO MATCH - Jack ballot tagged [budget]",
        "NO MATCH - Bob ballot tagged [maintenance]",
        "CIRCULAR PREVENTED - Carol → Victor → Carol",
        "CIRCULAR PREVENTED - Victor → Carol → Victor",
        "CIRCULAR PREVENTED - Maya → Carol → Victor → Carol",
        "no ballot calculated (no matching tags)",
    }
    reasons = {row["name"]: row["reason"] for row in whole["no_ballot"]}
    assert reasons == {"Olivia": "Following others but no tag matches", "Rachel": "Not following anyone"}


def test_every_tangle_stands_there_with_the_rule_that_settled_it() -> None:
    """Under auto one document has loops that were cut and loops that were balanced (Y6, Y7)."""
    ring = [("a", "b"), ("b", "a"), ("b", "v")]
    whole = written(community([*clique(8), ("k0", "v"), ("k3", "w"), *ring], {"v": "1", "w": "5"}, "auto"))
    assert flaws(whole) == []
    assert whole["cycle_rule"] == "auto-1"
    assert whole["cores"] == [
        {"core": 1, "members": 2, "followings": 2, "rule": "path"},
        {"core": 2, "members": 8, "followings": 56, "rule": "equilibrium"},
    ]
    met = [place for row in whole["calculated_ballots"] for place in places(row)]
    told = {place["result"] for place in met}
    assert {"CIRCULAR PREVENTED - a → b → a", "BALANCED - in a loop with 8 members"} <= told
    assert {place["balanced"] for place in met} == {None, 8}


@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
@pytest.mark.parametrize("cycles", RULES)
def test_documents_of_the_worked_cases_keep_to_the_schema(cycles: str) -> None:
    """Self-followings, strangers, empty and fractional ballots, loops of every kind."""
    special = {"fractional_manual", "empty_manual", "nobody_votes", "lobbyist_source", "other_community"}
    special |= {"non_member_no_ballot", "self_follow"}
    for name, case in CASES.items():
        if not case["expected"].get("circular_edges") and (cycles != "path" or name not in special):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cv.TableWarning)
            state = state_of(case, cycles)
        assert flaws(written(state)) == [], name


def first_place(whole: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = whole["calculated_ballots"][0]["calculation_tree"][0]
    return place


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_schema_is_one() -> None:
    """It is valid itself, and says what every field of the document means."""
    schema = document_schema()
    Draft202012Validator.check_schema(schema)
    shapes = [schema, *schema["$defs"].values()]
    fields = [field for shape in shapes for field in shape.get("properties", {}).values()]
    assert len(fields) > 90
    assert all(field.get("description") for field in fields)
    fixed = [shape for shape in schema["$defs"].values() if "properties" in shape]
    assert all(
        shape["additionalProperties"] is False and set(shape["required"]) == set(shape["properties"]) for shape in fixed
    )


def test_the_page_about_the_document_is_up_to_date() -> None:
    """docs/snapshot-document.md is what its script writes from the schema."""
    docs = Path(__file__).parents[2] / "docs"
    page = runpy.run_path(str(docs / "make_snapshot_document.py"))["page"]()
    assert (docs / "snapshot-document.md").read_text("utf-8") == page


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no time": lambda whole: whole.pop("timestamp"),
    "a time without a zone": lambda whole: whole.update(timestamp="2026-06-15T12:00:00"),
    "no word on being final": lambda whole: whole.pop("is_final"),
    "a missing number": lambda whole: whole["stats"].pop("circular_prevented"),
    "a number below 0": lambda whole: whole["stats"].update(lobbyists=-1),
    "stars as a float": lambda whole: whole["manual_ballots"][0]["stars"].update(swings=4.5),
    "stars of few places": lambda whole: whole["manual_ballots"][0]["stars"].update(swings="4.5"),
    "more than five stars": lambda whole: whole["calculated_ballots"][0]["stars"].update(swings="5.00000001"),
    "an unknown outcome": lambda whole: whole["relationships"][0].update(outcome="maybe"),
    "an unknown outcome in a tree": lambda whole: first_place(whole).update(outcome="ok"),
    "a result in other words": lambda whole: first_place(whole).update(result="Match"),
    "no tags at all": lambda whole: whole["relationships"][0].update(tags=[]),
    "a ballot from nowhere": lambda whole: whole["calculated_ballots"][0].update(inherited_from=[]),
    "a field too many": lambda whole: whole["no_ballot"][0].update(email="x"),
    "an internal id": lambda whole: whole["manual_ballots"][0].update(internal_id="m1"),
    "no tree": lambda whole: whole["calculated_ballots"][0].pop("calculation_tree"),
    "an unknown reason": lambda whole: whole["no_ballot"][0].update(reason="Lazy"),
    "totals as numbers": lambda whole: whole["tally_result"]["score_phase"]["scores"][0].update(total=87.5),
    "an unknown status": lambda whole: whole["tally_result"].update(status="won"),
}  # fmt: skip


@pytest.mark.parametrize("flaw", BROKEN)
def test_broken_documents_are_refused(flaw: str) -> None:
    """What is missing, of a wrong type or in other words does not pass for a document."""
    small = {
        name: value[:2] if name.endswith("ballots") or name in ("no_ballot", "relationships") else value
        for name, value in of_demo("library-hours", "path").items()
    }
    assert flaws(small) == []
    broken = copy.deepcopy(small)
    BROKEN[flaw](broken)
    assert len(flaws(broken)) >= 1


# --- privacy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", RULES)
def test_anonymous_members_appear_nowhere(cycles: str) -> None:
    """No id or display name of a hidden member is in the text, in no spelling that the tables hold (P1)."""
    members = pl.DataFrame(
        {
            "community_id": ["c", "c", "c", "c", "elsewhere"],
            "member_id": ["A", "Rosalind", "Greta", "Berta", "Oskar"],
            "display_name": ["Ada", "Rosalind R.", "Greta G.", "Berta", "Oskar O."],
            "is_anonymous": [False, True, True, False, True],
        }
    )
    pairs = [
        ("A", "Rosalind"), ("Rosalind", "A"), ("Rosalind", "Greta"), ("A", "Oskar"), ("A", "GRETA"),
        ("Berta", "oskar  o."), ("rosalind r.", "A"), ("Berta", "nobody"), ("Greta", "A"),
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # those spelled otherwise are no members
        state = cv.SystemState(
            communities=pl.DataFrame({"community_id": ["c", "elsewhere"], "cycle_rule": cycles}),
            members=members,
            followings=pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row").with_columns(
                community_id=pl.lit("c")
            ),
            decisions=pl.DataFrame({"community_id": ["c"], "decision_id": ["d"]}),
            votes=pl.DataFrame(
                {"decision_id": "d", "member_id": ["Greta", "OSKAR"], "choice_id": "X", "stars": ["2", "3"]}
            ),
        )
    text = "".join(document(state, cv.resolve(state), "d", **ORDINARY))
    assert [name for name in ("rosalind", "greta", "oskar") if name in text.lower()] == []
    assert flaws(json.loads(text)) == []
    whole = json.loads(text)
    assert len(whole["relationships"]) == len(pairs)
    assert {row["name"] for row in whole["manual_ballots"]} <= {"Anonymous 1", "Anonymous 2"}
    assert "nobody" in text


def test_hidden_members_of_the_demo_appear_nowhere() -> None:
    """Nor do those of the demo communities, in any of their decisions."""
    hidden = demo().members.filter("is_anonymous").select("community_id", "member_id", "display_name").rows()
    assert len(hidden) > 10
    for decision, here in demo().decisions.filter(method="star").select("decision_id", "community_id").iter_rows():
        text = json.dumps(of_demo(decision, "path"), ensure_ascii=False)
        for community_id, member, name in hidden:
            if community_id == here:
                assert f'"{member}"' not in text
                assert f'"{name}"' not in text


# --- pieces and limits ------------------------------------------------------------------------------------------------


def wide(members: int) -> cv.SystemState:
    """Everybody follows two voters; one member follows everybody."""
    names = [f"n{number:05d}" for number in range(members)]
    pairs = [(name, voter) for name in names for voter in ("v", "w")] + [("all", name) for name in names]
    return community(pairs, {"v": "4", "w": "1"})


def test_pieces_are_bounded_in_size() -> None:
    """However long a row, pieces stay small, and they come before the whole document is made."""
    state = wide(1000)
    resolution = cv.resolve(state)
    pieces = document(state, resolution, "d", **ORDINARY)
    first = next(pieces)
    rest = list(pieces)
    lengths = [len(piece) for piece in (first, *rest)]
    assert max(lengths) <= 64 * 1024
    assert len(lengths) < 40
    whole = json.loads(first + "".join(rest))
    row = next(row for row in whole["calculated_ballots"] if row["member_id"] == "all")
    assert len(row["inherited_from"]) == 1000
    assert len(json.dumps(row)) > 64 * 1024
    assert flaws({**whole, "calculated_ballots": [row], "relationships": []}) == []


def test_limits_change_no_number() -> None:
    """Trees are cut, and say by how much; everything else stays."""
    state = community([*clique(6), ("k0", "v"), ("k3", "w")], {"v": "1", "w": "5"})
    whole, cut, none = written(state), written(state, max_followings=4), written(state, depth=0)
    for row, short, bare in zip(*(each["calculated_ballots"] for each in (whole, cut, none)), strict=True):
        assert len(list(places(row))) > 300
        assert len(list(places(short))) == 4
        assert bare["calculation_tree"] == []
        assert bare["not_shown"] == len(row["calculation_tree"])
        for name in row.keys() - {"calculation_tree", "not_shown"}:
            assert row[name] == short[name] == bare[name]
    rest = whole.keys() - {"calculated_ballots"}
    assert {name: whole[name] for name in rest} == {name: cut[name] for name in rest}


def test_loops_beyond_the_work_limit_do_not_fail() -> None:
    """Where the count succeeded there is a document; places that would take too long are left out of trees (Y3)."""
    state = community([*clique(8), ("k0", "v"), ("k3", "w"), ("A", "k0")], {"v": "1", "w": "5"})
    whole, cut = written(state), written(state, work_limit=300)
    assert flaws(cut) == []
    assert cut["relationships"] == whole["relationships"]
    for row, short in zip(whole["calculated_ballots"], cut["calculated_ballots"], strict=True):
        assert (row["stars"], row["inherited_from"]) == (short["stars"], short["inherited_from"])
    assert sum(row["not_shown"] > 0 for row in cut["calculated_ballots"]) >= 6


def test_the_order_of_rows_makes_no_difference() -> None:
    """The same tables in another order give the same text (D10)."""
    state = demo()
    shuffled = cv.SystemState(
        **{
            name: getattr(state, name).sample(fraction=1.0, shuffle=True, seed=5)
            for name in ("communities", "members", "followings", "decisions", "choices", "ballots", "votes")
        }
    )
    one, other = (
        "".join(document(each, cv.resolve(each, ["library-hours"]), "library-hours", **ORDINARY))
        for each in (state, shuffled)
    )
    assert one == other


# --- what is handed in ------------------------------------------------------------------------------------------------


def test_the_head_comes_first() -> None:
    """Fields of the caller stand before those of the document, and the time is told in UTC."""
    state = community([("A", "v")], {"v": "1"})
    summer = datetime(2026, 6, 15, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    whole = written(state, head={"snapshot_id": "s-1", "hashes": {"votes": "ab"}}, timestamp=summer, is_final=True)
    assert list(whole)[:4] == ["snapshot_id", "hashes", "timestamp", "decision_id"]
    assert (whole["timestamp"], whole["is_final"]) == ("2026-06-15T12:30:00+00:00", True)
    assert flaws(whole) == []


def test_what_does_not_fit_is_refused_at_once() -> None:
    """Mistakes of the caller are told before the first piece is written."""
    state = community([("A", "v")], {"v": "1"})
    resolution = cv.resolve(state)
    for wrong, words in (
        ({"timestamp": datetime(2026, 1, 1)}, "no time zone"),
        ({"head": {"stats": {}}}, "head has the fields stats"),
        ({"tally": cv.tally_star(counted("path"), "village-green")}, "the tally is of decision 'village-green'"),
        ({"depth": -1}, "0 or more"),
    ):
        with pytest.raises(ValueError, match=words):
            document(state, resolution, "d", **ORDINARY | wrong)
    with pytest.raises(cv.UnknownDecisionError, match="lunch"):
        document(state, resolution, "lunch", timestamp=datetime.now(UTC), is_final=True)
