"""Every table in one place: columns, types, keys, defaults, and what makes a row wrong.

A table is one class. Its columns state type and limits; their metadata state the default an absent or blank value takes
and one line of explanation (``docs/tables.md`` is written from it). ``checking`` converts a frame as people write it
(text from a CSV, any integer type, lists as ``a;b``) into the types of the table. ``idle`` marks a column that changes
no number of the count: what cannot be read in it costs no row. The words for what is wrong with a row stand here as
well.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import dataframely as dy
import polars as pl

from crowdvote_analysis.columns import NO, YES
from crowdvote_analysis.loop_rules import DEFAULT_RULE, RULES
from crowdvote_analysis.thresholds import threshold_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

STARS = pl.Decimal(9, 8)
UTC = pl.Datetime("us", "UTC")
YES_NO_METHODS = ("simple_majority", "supermajority", "unanimity")
METHODS = ("star", *YES_NO_METHODS)
STATUSES = ("draft", "active", "approved", "rejected", "expired", "cancelled")
YES_NO_ABSTAIN = ("yes", "no", "abstain")
# More than there are people; with it every product that is compared stays below 10**36, and an Int128 holds 10**38.
MOST_VOTES = 10**15

_REQUIRED: dict[str, Any] = {}


def _meta(text: str, **default: Any) -> dict[str, Any]:
    return {"text": text, **default}


def _identifier(text: str, *, key: bool = False, **default: Any) -> dy.String:
    return dy.String(primary_key=key, nullable=False, min_length=1, metadata=_meta(text, **default))


class Table(dy.Schema):
    """What all tables share: each row knows where it stood in the input, so that an error can point at it."""

    row = dy.UInt32(nullable=False)


class Communities(Table):
    """Who decides together, and how they count loops (Y)."""

    community_id = _identifier("the community", key=True)
    title = dy.String(nullable=True, metadata=_meta("name shown to people", default=None))
    cycle_rule = dy.String(
        nullable=False, metadata=_meta("`auto` (Y6), `path` (Y1) or `equilibrium` (Y4)", default=DEFAULT_RULE)
    )

    @dy.rule()
    def known_cycle_rule(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("cycle_rule").is_in(RULES)


class Members(Table):
    """Who belongs to a community, and in which role (M1)."""

    community_id = _identifier("the community", key=True, home=True)
    member_id = _identifier("the member", key=True, person=True)
    display_name = dy.String(nullable=True, metadata=_meta("name shown to people; the id if absent", default=None))
    is_voter = dy.Bool(nullable=False, metadata=_meta("tallied; a lobbyist is not (M1)", default=True))
    is_manager = dy.Bool(nullable=False, metadata=_meta("may settle ties and trigger recounts", default=False))
    is_anonymous = dy.Bool(nullable=False, metadata=_meta("shown under a pseudonym only (P1)", default=False))


class Followings(Table):
    """Who follows whom, on which tags (T2, T3)."""

    community_id = _identifier("the community", home=True)
    follower_id = _identifier("the member who follows", person=True)
    followee_id = _identifier("the member who is followed", person=True)
    tags = dy.List(
        dy.String(nullable=False),
        nullable=False,
        metadata=_meta("followed on these tags; empty is ALL (T3)", default=[]),
    )
    order = dy.Int64(nullable=False, metadata=_meta("display order; changes no number (D9)", default=0, idle=True))

    @dy.rule()
    def plain_tags(cls) -> pl.Expr:  # noqa: N805, D102
        return _plain_tags()


class Decisions(Table):
    """What is decided, in which community, and how: with stars (K), or with yes and no (C)."""

    community_id = _identifier("the community", home=True)
    decision_id = _identifier("the decision", key=True)
    title = dy.String(nullable=True, metadata=_meta("name shown to people; the id if absent", default=None))
    description = dy.String(nullable=False, metadata=_meta("what it is about", default=""))
    method = dy.String(
        nullable=False,
        metadata=_meta(
            "how it is counted: `star` (K), `simple_majority` (C2), `supermajority` (C3), `unanimity` (C4)",
            default="star",
        ),
    )
    opens_at = dy.Datetime(nullable=True, time_zone="UTC", metadata=_meta("voting starts (UTC)", default=None))
    closes_at = dy.Datetime(
        nullable=True,
        time_zone="UTC",
        metadata=_meta("voting ends (UTC); a bare date ends as that day begins, at 00:00", default=None),
    )
    status = dy.String(
        nullable=False,
        metadata=_meta("`draft`, `active`, `approved`, `rejected`, `expired`, `cancelled` (C1)", default="active"),
    )
    threshold = dy.String(
        nullable=True,
        metadata=_meta(
            "`supermajority`: part of the required voters who must say yes, `66%` or `2/3`; absent it is `66%` (C3)",
            default=None,
        ),
    )
    quorum = dy.Int64(
        nullable=True,
        min=0,
        max=MOST_VOTES,
        metadata=_meta(
            "votes that must be cast before it can pass; absent: all required voters for `unanimity` (C4), else none",
            default=None,
        ),
    )
    decisive_only = dy.Bool(
        nullable=False,
        metadata=_meta("`simple_majority`: yes is measured against yes and no alone (C2)", default=False),
    )
    delegated = dy.Bool(nullable=False, metadata=_meta("yes/no votes pass along followings (C7)", default=False))

    @dy.rule()
    def known_method(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("method").is_in(METHODS)

    @dy.rule()
    def known_status(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("status").is_in(STATUSES)

    @dy.rule()
    def clear_threshold(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("threshold").is_null() | threshold_parts(pl.col("threshold"))[0].is_not_null()

    @dy.rule()
    def threshold_of_supermajority(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("threshold").is_null() | ~pl.col("method").is_in(["star", "simple_majority", "unanimity"])

    @dy.rule()
    def decisive_only_of_simple_majority(cls) -> pl.Expr:  # noqa: N805, D102
        return ~(pl.col("decisive_only") & pl.col("method").is_in(["star", "supermajority", "unanimity"]))

    @dy.rule()
    def quorum_of_yes_no(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("quorum").is_null() | (pl.col("method") != "star")

    @dy.rule()
    def delegated_of_yes_no(cls) -> pl.Expr:  # noqa: N805, D102
        return ~(pl.col("delegated") & (pl.col("method") == "star"))

    @dy.rule()
    def opens_before_closing(cls) -> pl.Expr:  # noqa: N805, D102
        return (pl.col("opens_at") <= pl.col("closes_at")).fill_null(True)


class Choices(Table):
    """What can be rated in a decision."""

    decision_id = _identifier("the decision", key=True, home=True)
    choice_id = _identifier("the choice", key=True)
    title = dy.String(nullable=True, metadata=_meta("name shown to people; the id if absent", default=None))
    position = dy.Int64(nullable=False, metadata=_meta("display order", default=0, idle=True))


class Ballots(Table):
    """Who voted by hand, and how they tagged the decision (T1)."""

    decision_id = _identifier("the decision", key=True, home=True)
    member_id = _identifier("the member who voted", key=True, person=True)
    tags = dy.List(dy.String(nullable=False), nullable=False, metadata=_meta("tags of the ballot (T1)", default=[]))
    cast_at = dy.Datetime(
        nullable=True, time_zone="UTC", metadata=_meta("when it was cast (UTC)", default=None, idle=True)
    )

    @dy.rule()
    def plain_tags(cls) -> pl.Expr:  # noqa: N805, D102
        return _plain_tags()


class Votes(Table):
    """The stars of the ballots cast by hand, one row a choice."""

    decision_id = _identifier("the decision", key=True, home=True)
    member_id = _identifier("the member who voted", key=True, person=True)
    choice_id = _identifier("the choice that is rated", key=True)
    stars = dy.Decimal(
        9, 8, nullable=False, min=Decimal(0), max=Decimal(5), metadata=_meta("0 to 5, at most 8 places (D10)")
    )


class RequiredVoters(Table):
    """Who is asked to vote in yes/no decisions (C1); one that the table does not name has no required voters (C3)."""

    decision_id = _identifier("the decision", key=True, home=True)
    member_id = _identifier("the member who is required", key=True, person=True)


class YesNoVotes(Table):
    """Votes of yes/no decisions with their history: the latest stands, its predecessors stay (C1)."""

    decision_id = _identifier("the decision", home=True)
    member_id = _identifier("the member who voted", person=True)
    voted_at = dy.Datetime(
        nullable=True, time_zone="UTC", metadata=_meta("when it was cast (UTC); absent is earliest", default=None)
    )
    vote = dy.String(nullable=False, metadata=_meta("`yes`, `no` or `abstain`", lower=True))
    tags = dy.List(
        dy.String(nullable=False),
        nullable=False,
        metadata=_meta("tags of the vote (T1), for decisions that are `delegated`", default=[]),
    )

    @dy.rule()
    def one_vote_at_a_time(cls) -> pl.Expr:  # noqa: N805, D102
        return ~pl.struct("decision_id", "member_id", "voted_at").is_duplicated()

    @dy.rule()
    def known_vote(cls) -> pl.Expr:  # noqa: N805, D102
        return pl.col("vote").is_in(YES_NO_ABSTAIN)

    @dy.rule()
    def plain_tags(cls) -> pl.Expr:  # noqa: N805, D102
        return _plain_tags()


TABLES: dict[str, type[Table]] = {
    "communities": Communities,
    "members": Members,
    "decisions": Decisions,
    "choices": Choices,
    "ballots": Ballots,
    "votes": Votes,
    "required_voters": RequiredVoters,
    "yes_no_votes": YesNoVotes,
    "followings": Followings,
}

# Keys that are not those of the contract: a repeated following is merged (D8), not refused; a vote may lack its time.
_KEYS = {
    "followings": ["community_id", "follower_id", "followee_id"],
    "yes_no_votes": ["decision_id", "member_id", "voted_at"],
}

# Where rows that say the same are merged, as followings are (D8): set aside, they would take a required voter out of
# the divisor (C3), or a vote out of the count.
MERGED = ("required_voters", "yes_no_votes")

# The id a single community or decision has when nobody needed to name it.
HOME = {"community_id": "community", "decision_id": "decision"}


@cache
def columns(table: str) -> Mapping[str, dy.Column]:
    """The columns of a table, in order, without the row number."""
    return {name: column for name, column in TABLES[table].columns().items() if name != "row"}


def key(table: str) -> list[str]:
    """The key columns of a table."""
    return _KEYS.get(table) or TABLES[table].primary_key()


@cache
def people(table: str) -> tuple[str, ...]:
    """The columns of a table that hold ids of people."""
    return tuple(name for name, column in columns(table).items() if (column.metadata or {}).get("person"))


def empty(table: str) -> pl.DataFrame:
    """A table without rows."""
    return TABLES[table].create_empty().drop("row")


# --- words ---------------------------------------------------------------------------------------------------------

# Rules over a whole row: the columns to show, and the sentence.
_ROW_RULES: dict[str, tuple[tuple[str, ...], str]] = {
    "known_cycle_rule": (("cycle_rule",), "cycle_rule is none of auto (Y6), path (Y1), equilibrium (Y4)"),
    "known_method": (("method",), f"method is none of {', '.join(METHODS)}"),
    "known_status": (("status",), f"status is none of {', '.join(STATUSES)} (C1)"),
    "clear_threshold": (
        ("threshold",),
        "threshold is not clear: write a percentage such as 66% or a fraction such as 2/3, above 0 and at most 100% "
        "(C3)",
    ),
    "threshold_of_supermajority": (
        ("method", "threshold"),
        "threshold is given, but only a supermajority has one (C3); leave it blank or change the method",
    ),
    "decisive_only_of_simple_majority": (
        ("method",),
        "decisive_only is true, but only a simple_majority has a use for it (C2); leave it blank or change the method",
    ),
    "quorum_of_yes_no": (
        ("method", "quorum"),
        "quorum is given, but decisions with stars have none; leave it blank or change the method",
    ),
    "delegated_of_yes_no": (
        ("method",),
        "delegated is true, but that is for yes/no decisions (C7): stars always pass along; leave it blank or change "
        "the method",
    ),
    "known_vote": (("vote",), "vote is none of yes, no, abstain (C1)"),
    "opens_before_closing": (("opens_at", "closes_at"), "closes_at lies before opens_at"),
    "plain_tags": (("tags",), "a tag holds a semicolon or a line break, which separate tags in CSV files"),
}


_REPEATED = ("primary_key", "one_vote_at_a_time")
_UNCLEAR = f"{{}} is neither true nor false; understood are {', '.join(YES)} and {', '.join(NO)}"


def kind(column: dy.Column) -> str:
    """What the cells of a column are, in a word or two."""
    if isinstance(column.dtype, pl.Decimal):
        return "a number from 0 to 5 with at most 8 places (D10, K9)"
    if isinstance(column.dtype, pl.Datetime):
        return "a time such as 2026-05-01 18:00:00 (UTC)"
    if isinstance(column.dtype, pl.List):
        return "a list of text"
    return {pl.Boolean: "true or false", pl.Int64: "a whole number"}.get(type(column.dtype), "text")


def sentence(table: str, rule: str) -> str:
    """What is wrong with a row that breaks a rule."""
    name, _, limit = rule.partition("|")
    if rule in _REPEATED:
        return f"the key ({', '.join(key(table))}) appears more than once"
    if rule == "one_form":
        other = " with other stars" if table == "votes" else ""
        return f"the key ({', '.join(key(table))}) appears more than once{other}, now that its ids are in one form (T7)"
    if rule in _ROW_RULES:
        return _ROW_RULES[rule][1]
    column = columns(table)[name]
    return {
        "type": _UNCLEAR.format(name) if column.dtype == pl.Boolean else f"{name} is not {kind(column)}",
        "nullability": f"{name} is missing",
        "min_length": f"{name} is empty",
        "min": f"{name} outside 0 to 5 (K9)" if isinstance(column.dtype, pl.Decimal) else f"{name} is negative",
        "max": f"{name} outside 0 to 5 (K9)"
        if isinstance(column.dtype, pl.Decimal)
        else f"{name} is above {MOST_VOTES:,}, which is more than there are people",
        "inner_nullability": f"{name} holds an empty entry",
    }.get(limit, f"{name} breaks the rule {limit}")


def idle_sentence(table: str, name: str) -> str:
    """What is done with a value that cannot be read in a column that changes no number."""
    column = columns(table)[name]
    default = (column.metadata or {})["default"]
    return f"{name} is not {kind(column)}; it is taken as {'unknown' if default is None else default}"


def at_fault(rule: str) -> tuple[str, ...]:
    """The columns whose values break a rule, beside the key."""
    if rule in _ROW_RULES:
        return _ROW_RULES[rule][0]
    return () if rule in _REPEATED else (rule.partition("|")[0],)


def _plain_tags() -> pl.Expr:
    return ~pl.col("tags").list.eval(pl.element().str.contains(r"[;\r\n]")).list.any()
