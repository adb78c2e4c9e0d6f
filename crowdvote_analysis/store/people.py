"""Who is who in a store: ids and names of people lie apart from what they did, so that somebody can be forgotten.

The tables of a store hold a random **token** where the contract has the id of a person, and a **commitment** where a
text about a person would stand (display_name of members, ``extra`` of every row that is about somebody):

    persons/   one row a person: token, the commitment to their id, the commit it came with; never changed
    names/     one row a commitment: token, salt, text; the only table of which rows are erased

A commitment is the SHA-256 of ``salt``, ``token`` and ``text`` with line feeds between them, the salt 128 random bits.
It binds the text, so that nobody can exchange names unseen, and says nothing about it once the salt is erased. Hashes
of commits and of frozen tables are those of tokens and commitments, and counts need no names: both hold for ever.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crowdvote_analysis.state import SystemState

PERSONS = pl.Schema(
    {"person": pl.String(), "commitment": pl.String(), "withdrawn": pl.Boolean(), "commit_id": pl.String()}
)
NAMES = pl.Schema(
    {
        "commitment": pl.String(),
        "person": pl.String(),
        "salt": pl.String(),
        "text": pl.String(),
        "commit_id": pl.String(),
    }
)
# How somebody is called whose names were erased.
FORGOTTEN = "Forgotten member"

_BYTES = 16


def commitment(salt: str, person: str, text: str) -> str:
    """What stands for a text about a person; see above."""
    return hashlib.sha256(f"{salt}\n{person}\n{text}".encode()).hexdigest()


@contextmanager
def tokens_unsaid() -> Iterator[None]:
    """Let warnings about tables under tokens say "somebody" where they would name a token."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for each in caught:
        warnings.warn(
            re.sub(rf"'[0-9a-f]{{{2 * _BYTES}}}'", "somebody", str(each.message)), each.category, stacklevel=4
        )


def text_columns(table: str) -> tuple[str, ...]:
    """The columns of a table, as a store holds it, that hold text about a person."""
    if not tables.people(table):
        return ()
    return ("display_name", "extra") if table == "members" else ("extra",)


@dataclass(frozen=True, eq=False)
class People:
    """Who is behind the tokens of a store, as far as a cut knows them.

    Attributes:
        persons: person, commitment (to the id), withdrawn (somebody was forgotten) and seq: the rows of ``persons``.
        texts: person, commitment, text: what was not erased.
        pseudonyms: person, member_id: who is called otherwise than by their id.
    """

    persons: pl.DataFrame
    texts: pl.DataFrame
    pseudonyms: pl.DataFrame | None = None

    @classmethod
    def none(cls) -> People:
        """Nobody, as in a new store."""
        text = pl.String()
        persons = {"person": text, "commitment": text, "withdrawn": pl.Boolean(), "seq": pl.Int64()}
        texts = dict.fromkeys(("person", "commitment", "text"), text)
        return cls(pl.DataFrame(schema=persons), pl.DataFrame(schema=texts))

    @cached_property
    def gone(self) -> pl.Series:
        """The tokens of whoever was forgotten, in that order."""
        return self.persons.filter("withdrawn").sort("seq", "person")["person"].unique(maintain_order=True)

    @cached_property
    def ids(self) -> pl.DataFrame:
        """The id of every person: person, member_id; ``Forgotten member 1`` for the first who was forgotten."""
        known = self.persons.filter(~pl.col("withdrawn"), ~pl.col("person").is_in(self.gone.implode()))
        named = known.join(self.texts, on=["person", "commitment"]).select("person", member_id="text")
        taken, names, number = set(self.texts["text"]), [], 0
        for _ in self.gone:
            number += 1
            while f"{FORGOTTEN} {number}" in taken:
                number += 1
            names.append(f"{FORGOTTEN} {number}")
        placeholders = pl.DataFrame({"person": self.gone, "member_id": pl.Series(names, dtype=pl.String)})
        ids = pl.concat([named, placeholders])
        if self.pseudonyms is None:
            return ids
        return pl.concat([ids.join(self.pseudonyms, on="person", how="anti"), self.pseudonyms])

    def with_former(self, former: pl.Series, secret: str) -> People:
        """The same, with those who left while anonymous under pseudonyms, in an order that follows from a secret (P1).

        Args:
            former: Their tokens.
            secret: Another one gives another order, so that no number says who is who elsewhere.
        """
        taken, names, number = set(self.texts["text"]), [], 0
        for _ in former:
            number += 1
            while f"Former anonymous member {number}" in taken:
                number += 1
            names.append(f"Former anonymous member {number}")
        ordered = sorted(former, key=lambda token: hashlib.sha256(f"{secret} {token}".encode()).digest())
        schema = {"person": pl.String(), "member_id": pl.String()}
        return replace(self, pseudonyms=pl.DataFrame({"person": ordered, "member_id": names}, schema=schema))

    @cached_property
    def _standing(self) -> pl.DataFrame:
        """The texts of whoever was not forgotten; what a stopped program did not erase yet is not read either."""
        return self.texts.filter(~pl.col("person").is_in(self.gone.implode()))

    def named(self, table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows of a table with ids and texts in the place of tokens and commitments.

        A text that was erased is null. Rows come in any order.
        """
        for column in tables.people(table):
            rows = _replaced(rows, column, self.ids, "person", "member_id", keep=True)
        for column in set(text_columns(table)) & set(rows.collect_schema().names()):
            rows = _replaced(rows, column, self._standing, "commitment", "text", keep=False)
        return rows

    def named_results(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table of a result with ids in the place of tokens, rows in the order of those."""
        return self._exchanged(frame, "person", "member_id")

    def coded_results(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table of a result with tokens in the place of ids, rows in the order of those."""
        return self._exchanged(frame, "member_id", "person")

    def _exchanged(self, frame: pl.DataFrame, given: str, wanted: str) -> pl.DataFrame:
        columns = [name for name in ("member_id", "follower_id", "followee_id") if name in frame.columns]
        rows = frame.lazy()
        for column in columns:
            rows = _replaced(rows, column, self.ids, given, wanted, keep=True)
        key = ["decision_id", *columns, *(["choice_id"] if "choice_id" in frame.columns else [])]
        return rows.collect().sort(key) if columns else frame

    def named_state(self, state: SystemState) -> SystemState:
        """A state with ids and names in the place of tokens and commitments."""
        named = {}
        for table in tables.TABLES:
            rows = self.named(table, getattr(state, table).lazy()).collect()
            if table == "members":  # who has no name is called by the id, as in every state
                rows = rows.with_columns(pl.col("display_name").fill_null(pl.col("member_id")))
            named[table] = rows.sort(tables.key(table))
        return state._with(**named, people=self.ids)

    def coded(self, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """Rows as a store holds them, with those of ``persons`` and ``names`` for whoever is new.

        Args:
            frames: Rows by table, with ids and texts; ``extra`` is optional.
        """
        columns = {table: tables.people(table) for table in frames if table in tables.TABLES}
        given = [frames[table][column] for table, names in columns.items() for column in names]
        new = pl.concat(given).unique() if given else pl.Series("member_id", [], dtype=pl.String)
        new = new.filter(~new.is_in(self.ids["member_id"].implode())).sort()
        fresh = pl.DataFrame(
            {"member_id": new, "person": [token_hex(_BYTES) for _ in new]},
            schema={"member_id": pl.String, "person": pl.String},
        )
        ids = pl.concat([self.ids, fresh.select("person", "member_id")])
        names = [_committed(fresh.select("person", text="member_id"))]
        known = self._standing
        made = dict(frames)
        for table, people in columns.items():
            frame = frames[table]
            owner = people[0] if people else ""
            for column in people:
                frame = _replaced(frame.lazy(), column, ids, "member_id", "person", keep=True).collect()
            for column in set(text_columns(table)) & set(frame.columns):
                said = frame.select(person=owner, text=column).drop_nulls().unique()
                lacking = said.join(known, on=["person", "text"], how="anti").sort("person", "text")
                if len(lacking):
                    names.append(_committed(lacking))
                    known = pl.concat([known, names[-1].select(known.columns)])
                held = known.sort("commitment").unique(["person", "text"], keep="first")
                held = held.rename({"person": owner, "text": column})
                frame = frame.join(held, on=[owner, column], how="left", maintain_order="left")
                frame = frame.with_columns(pl.col("commitment").alias(column)).drop("commitment")
            made[table] = frame
        rows = pl.concat(names)
        if len(fresh):
            persons = fresh.select("person").join(names[0].select("person", "commitment"), on="person")
            made["persons"] = pl.concat(
                [persons.with_columns(withdrawn=False), *([made["persons"]] if "persons" in made else [])]
            )
        if len(rows):
            made["names"] = rows
        return made


def _replaced(
    rows: pl.LazyFrame, column: str, by: pl.DataFrame, given: str, wanted: str, *, keep: bool
) -> pl.LazyFrame:
    """Rows with the values of a column replaced; ``keep`` those that have no other, else they become null."""
    names = rows.collect_schema().names()
    other = by.lazy().select(pl.col(given).alias(column), pl.col(wanted).alias("__other"))
    value = pl.coalesce("__other", column) if keep else pl.col("__other")
    rows = rows.join(other, on=column, how="left", maintain_order="left")
    return rows.with_columns(value.alias(column)).select(names)


def _committed(texts: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``names`` for new texts (person, text): commitment, person, salt, text."""
    salts = [token_hex(_BYTES) for _ in range(len(texts))]
    made = [commitment(salt, *row) for salt, row in zip(salts, texts.iter_rows(), strict=True)]
    return pl.DataFrame(
        {"commitment": made, "person": texts["person"], "salt": salts, "text": texts["text"]},
        schema={"commitment": pl.String, "person": pl.String, "salt": pl.String, "text": pl.String},
    )
