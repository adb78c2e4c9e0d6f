"""What was unusual in the tables and how it was handled, one sentence each; anonymous members are not named (P1)."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.alike import groups_of_alike, meant
from crowdvote_analysis.faults import Fault, describe
from crowdvote_analysis.tags import FOR_ALL
from crowdvote_analysis.text import folded, unmistakable
from crowdvote_analysis.yes_no import judged, with_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.codes import Codes
    from crowdvote_analysis.faults import Checked

_TAGS_COMPARED = 100_000


def notes_on_tables(
    checked: Mapping[str, Checked],
    good: Mapping[str, pl.DataFrame],
    codes: Codes,
    taken_out: Mapping[str, pl.DataFrame],
    anonymous: set[str],
) -> list[str]:
    """Say what was unusual in single tables, and which ids of members point to nobody."""
    told = []
    for name, check in checked.items():
        if check.unknown:
            told.append(
                f"{name}: the columns {', '.join(check.unknown)} are not part of the table; they are kept aside "
                "and change no number."
            )
        for fault in check.odd:
            rows = fault.rows.filter(fault.rows.is_in(check.good["row"].implode()))
            if len(rows):
                told.append(f"{describe(check, replace(fault, rows=rows), anonymous)}.")
        if len(check.repeated):
            told.append(f"{name}: {len(check.repeated)} rows say the same as an earlier one and were merged with it.")
        if name in taken_out:
            told.append(f"{name}: {len(taken_out[name])} rows were set aside and are not counted.")
    for name in ("ballots", "yes_no_votes", "followings"):
        tags = good[name]["tags"].explode(empty_as_null=False).unique()
        commas = tags.filter(tags.str.contains(",")).sort()
        if len(commas):
            told.append(f"{name}: '{commas[0]}' is one tag with a comma in it; tags are separated by semicolons.")
    members, followings = codes.members, good["followings"]

    def person(value: str) -> str:
        return "an anonymous member" if folded(pl.Series([value])).item() in anonymous else f"'{value}'"

    itself = followings.filter(pl.col("follower_id") == pl.col("followee_id")).sort("follower_id")
    if len(itself):
        first = person(itself["follower_id"][0])
        told.append(
            f"followings: {len(itself)} rows follow themselves (first: {first}); that is a loop of one and gives "
            "nothing (D8)."
        )
    for role, code, rule in (
        ("follower_id", codes.follower, "it has no effect"),
        ("followee_id", codes.followee, "it gives nothing: not_a_member (D6)"),
    ):
        lost = followings.filter(code.is_null())
        if len(lost):
            first = person(lost[role].sort()[0])
            told.append(
                f"followings: {len(lost)} rows have a {role} that is not a member (first: {first}); {rule}."
                + _hint(lost[role], members["member_id"], person)
            )
    ballots = good["ballots"].join(good["decisions"].select("decision_id", "community_id"), on="decision_id")
    lost = ballots.filter(codes.lookup.of(ballots, "member_id").is_null())
    if len(lost):
        first = person(lost["member_id"].sort()[0])
        told.append(
            f"ballots: {len(lost)} were cast by somebody who is not a member (first: {first}); kept, not counted (M3)."
            + _hint(lost["member_id"], members["member_id"], person)
        )
    return told + _notes_on_yes_no(good, person)


def _hint(strangers: pl.Series, members: pl.Series, person: Callable[[str], str]) -> str:
    """Which of those who are no members may be members whose id was damaged, or is written otherwise."""
    pairs = meant(strangers, members)
    if not pairs:
        return ""
    number = int(strangers.is_in([*pairs]).sum())
    told = [(person(one), person(other)) for one, other in pairs.items()]
    named = [f": {one} like {other}" for one, other in told if one.startswith("'") and other.startswith("'")]
    return f" {number} of them look like members{named[0] if named else ''} (T7)."


def _notes_on_yes_no(good: Mapping[str, pl.DataFrame], person: Callable[[str], str]) -> list[str]:
    """Say which required voters and which votes are not counted, and which ballots are not looked at."""
    decisions, members = good["decisions"], good["members"]
    asked = decisions.filter(pl.col("method") != "star").select("decision_id")
    if asked.is_empty():
        return []
    told = []
    for name in ("choices", "ballots", "votes"):
        starry = good[name].join(asked, on="decision_id", how="semi")
        if len(starry):
            told.append(f"{name}: {len(starry)} rows belong to yes/no decisions and are not looked at.")
    required = with_roles(good["required_voters"], decisions, members)
    votes = judged(good["yes_no_votes"], decisions, members, good["required_voters"])
    found = [
        ("required_voters", "are not members (M3)", required.filter(pl.col("is_voter").is_null())),
        ("required_voters", "are lobbyists (M1)", required.filter(~pl.col("is_voter"))),
    ]
    reasons = votes["not_counted"].drop_nulls().unique().sort()
    found += [("yes_no_votes", f"were {why}", votes.filter(not_counted=why)) for why in reasons]
    for name, words, rows in found:
        if len(rows):
            said, _, rule = words.rpartition(" (")
            first = person(rows["member_id"].sort()[0])
            told.append(f"{name}: {len(rows)} {said} (first: {first}); kept, not counted ({rule}.")
    return told


def notes_on_derived_members(good: Mapping[str, pl.DataFrame]) -> list[str]:
    """Say what looks like a misspelt name where no members table tells who is one; nobody is anonymous there."""
    followings = good["followings"]
    active = [
        followings.select("community_id", member_id="follower_id"),
        *(
            good[table]
            .join(good["decisions"].select("decision_id", "community_id"), on="decision_id")
            .select("community_id", "member_id")
            for table in ("ballots", "yes_no_votes")
        ),
    ]
    key = ["community_id", "member_id"]
    followed = followings.select("community_id", member_id="followee_id").unique()
    silent = followed.join(pl.concat(active).unique(), on=key, how="anti")["member_id"].sort()
    told = []
    if len(silent):
        told.append(
            f"members: derived, as no table says who is one; {len(silent)} are followed but neither vote nor follow "
            f"(first: {', '.join(repr(name) for name in silent.head(3))}). Are their names spelt alike everywhere?"
        )
    return told


def note_on_unknown_times(ballots: Checked, decisions: pl.DataFrame, anonymous: set[str]) -> list[str]:
    """Name the ballots whose time cannot be read where it matters: they count, because it is unknown (D12)."""
    limited = decisions.filter(pl.col("opens_at").is_not_null() | pl.col("closes_at").is_not_null())
    timed = ballots.good.join(limited.select("decision_id"), on="decision_id", how="semi")["row"]
    unread = [fault.rows for fault in ballots.odd if fault.rule in ("cast_at|unknown", "cast_at|none")]
    rows = timed.filter(timed.is_in(pl.concat(unread).implode())) if unread else timed.clear()
    if rows.is_empty():
        return []
    sentence = "they count, though nobody can tell whether they were cast in the voting time of their decision (D12)"
    return [f"{describe(ballots, Fault('cast_at', sentence, rows, ('cast_at',)), anonymous)}."]


def notes_on_texts(good: Mapping[str, pl.DataFrame], anonymous: set[str], *, derived: bool) -> list[str]:
    """Say which ids look alike and count apart (T7), and which tags of followings nothing else has (T5)."""
    return _notes_on_alike(good, anonymous, derived=derived) + _notes_on_lonely_tags(good, anonymous)


def _notes_on_alike(good: Mapping[str, pl.DataFrame], anonymous: set[str], *, derived: bool) -> list[str]:
    told = []
    for table, within, column in (
        ("communities", [], "community_id"),
        ("members", ["community_id"], "member_id"),
        ("decisions", ["community_id"], "decision_id"),
        ("choices", ["decision_id"], "choice_id"),
    ):
        groups = groups_of_alike(good[table], within, column, loose=derived and table == "members")["alike"].to_list()
        if groups:
            hidden = [table == "members" and not anonymous.isdisjoint(folded(pl.Series(group))) for group in groups]
            said = [
                "anonymous members" if hide else " and ".join(map(unmistakable, group[:3]))
                for group, hide in zip(groups[:3], hidden, strict=False)
            ]
            number = sum(map(len, groups))
            told.append(f"{table}: {number} look alike and count apart (first: {'; '.join(said)}; T7).")
    return told


def _notes_on_lonely_tags(good: Mapping[str, pl.DataFrame], anonymous: set[str]) -> list[str]:
    """A tag that no ballot of the community has may be misspelt, above all where no other following has it either."""
    where = good["decisions"].select("decision_id", "community_id")

    def used(table: str) -> pl.DataFrame:
        rows = good[table] if table == "followings" else good[table].join(where, on="decision_id")
        single = rows.select("community_id", "tags").explode("tags", empty_as_null=False)
        return single.group_by("community_id", "tags").len("rows")

    on_ballots = pl.concat([used("ballots"), used("yes_no_votes")])
    unmatched = (
        used("followings").join(on_ballots, on=["community_id", "tags"], how="anti").sort("tags", "community_id")
    )
    if unmatched.is_empty():
        return []
    tags_there = on_ballots["tags"].unique().sort()
    there: list[str] = tags_there.filter(~folded(tags_there).is_in([*anonymous])).to_list()

    def shown(tags: pl.Series) -> str:
        said = []
        for name, secret in zip(tags, folded(tags), strict=True):
            meant = _meant_tag(name, there)
            said.append(
                "not shown" if secret in anonymous else f"'{name}'" + (f", meant as '{meant}'?" if meant else "")
            )
        return "; ".join(said)

    lonely = unmatched.filter(rows=1)["tags"]
    told = []
    if len(lonely):
        tags = "1 tag stands" if len(lonely) == 1 else f"{len(lonely)} tags stand"
        matches = "it matches" if len(lonely) == 1 else "they match"
        told.append(
            f"followings: {tags} in one following and on no ballot, so {matches} nothing (first: "
            f"{shown(lonely.head(3))}; T5)."
        )
    several = unmatched.filter(pl.col("rows") > 1)
    # Thousands of tags are no list that somebody keeps by hand, and would take long to compare.
    near = there if len(several) * len(there) <= _TAGS_COMPARED else there[:0]
    doubtful = several.filter(pl.Series([bool(_meant_tag(name, near)) for name in several["tags"]], dtype=pl.Boolean))
    if len(doubtful):
        told.append(
            f"followings: {doubtful['rows'].sum():,} have a tag that is on no ballot, so it matches nothing, and looks "
            f"like another (first: {shown(doubtful['tags'].head(3))}; T5)."
        )
    return told


def _meant_tag(name: str, there: Sequence[str]) -> str:
    """What a tag that is on no ballot may be meant as, else nothing; tags that differ in numbers differ."""
    if name in FOR_ALL:
        return "ALL"
    near = get_close_matches(name, there, n=3, cutoff=0.8)
    return next((other for other in near if re.findall(r"\d+", other) == re.findall(r"\d+", name)), "")
