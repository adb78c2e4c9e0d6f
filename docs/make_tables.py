"""Write docs/tables.md from the contracts of the tables: `python docs/make_tables.py`."""

from __future__ import annotations

from pathlib import Path

from crowdvote_analysis.published import RESULT_TABLES
from crowdvote_analysis.store.past import PAST_TABLES
from crowdvote_analysis.tables import HOME, TABLES, columns, key

PAGE = Path(__file__).with_name("tables.md")

_HEAD = """# Tables

Written by `docs/make_tables.py` from `crowdvote_analysis/tables.py`; edit there.

A state is a folder of these tables, one file each: `ballots.parquet`, `followings.csv` … Parquet and CSV may be mixed.

- **Absent tables are derived**: members from whoever follows, is followed, voted or is required to; ballots from votes;
  decisions and choices from ballots and votes; communities from members and decisions; required voters of yes/no
  decisions from the voters of their community. Decisions of yes/no votes are not derived: nothing says their method.
- **Absent columns and blank cells** take the default given below. A column `community_id` or `decision_id` that is
  absent means the only one there is; where there are several, it is needed.
- **CSV**: UTF-8, commas; lists of tags as `budget;trees`; surrounding blanks are dropped. What else is read, and
  the options for it: [sheets.md](sheets.md).
- **Parquet**: one file, or a folder of parts as Spark and Hive write them: `votes.parquet/part-0000….parquet`,
  `votes/decision_id=lunch/…`. Files written here carry checksums, so that damage is told; in files of programs that
  write none, a flipped bit inside a value cannot be told from the value.
- **Tags** are brought to one form (T5): NFC, case-folded, trimmed, each once. `["budget", "trees"]`, `{budget}` and the
  like are read as their entries; a cell of `nan`, `None`, `NULL` is blank. In followings `ALL`, `*`, `[ALL]` mean ALL.
  Each of these has a note with its number, and so has a following whose tags are all blank (ALL), and a tag that stands
  in one following and on no ballot.
- **Ids and titles** are brought to NFC and lose byte order marks, zero-width spaces, soft hyphens and what turns the
  direction of writing by force; else they stay as written (T7). Two rows of members whose ids become one are bad.
- **Look-alikes** are ids that differ only in capitals, blanks, width, invisible characters or typographic signs.
  Choices that look alike are refused where no table lists the choices; the error gives the line that settles it:
  `--choices "Pond,Swings"`, in Python `spellings=["Pond", "Swings"]`. Spellings of one choice are then read as one,
  with numbers; a ballot with other stars under two of them is bad. Members, decisions, communities and choices of a
  table that look alike count apart, with a note. Ids that are no member's are compared with those of members, zeros in
  front aside: `7` may be `007`.
- **Damaged ids**: a column of `1.0, 2.0` is read as `1, 2`, with a note; floats with a fraction or beyond 2^53 are
  refused. `1.23457E+11` is bad: different ids have become one. `2-Jan` and `#REF!` count, with a note.
- **Times**: `2026-05-01 18:00`, `2026-05-01T18:00Z`, `… +02`, `… +0200`, `… UTC`, `20260501T1800Z`,
  `2026/05/01 6:00:00 PM`; without a zone they are UTC. The year comes first: `5/14/2020` is never guessed.
  `0000-00-00 00:00:00` is no time, with a note.
- **Columns that change no number** cost no row: what cannot be read in `cast_at`, `order` or `position` becomes the
  default, with a note that names the first rows. Ballots of a decision with opens_at or closes_at then count, and are
  named once more (D12).
- **Unknown columns** are kept aside with a warning and written back; they change no number.
- **Bad rows** are refused with table, rule, number of rows and the first of them; with `--quarantine` they are
  written to a folder `quarantine` beside the input with their reasons, and the rest is counted. A ballot goes whole:
  one bad star takes the ballot along, because counting the rest would turn that star into a 0. A yes/no vote goes with
  its history: no earlier vote stands in for one that cannot be read.
- **Wide ballots**: without a table `votes`, every further column of `ballots` is a choice, and its cells are stars:
  `member_id,tags,Swings,Pond`. An index that a program wrote is none; what looks like none is said, with the way out.
- **Members' ids that point to nobody** are no error: such a following gives nothing (D6), such a ballot is kept and not
  counted (M3); both are reported. The same holds for required voters and yes/no votes.
- **Repeated rows**: followings of the same pair are merged (D8), and so are required voters and yes/no votes that say
  the same as an earlier row; a note says so. Any other repeated key makes all its rows bad.
- **Stars and yes/no** do not mix: choices, ballots and votes of a yes/no decision are not looked at, with a warning;
  required voters and yes/no votes of a decision with stars are bad rows, and so is an option that the method of the
  decision has no use for: somebody may rely on it.
"""


def page() -> str:
    """The page, as it should be."""
    parts = [_HEAD]
    for name, table in TABLES.items():
        parts.append(
            f"\n## {name}\n\n{(table.__doc__ or '').strip()} Key: {', '.join(f'`{part}`' for part in key(name))}.\n"
        )
        parts.append("| column | type | default | meaning |\n| --- | --- | --- | --- |")
        for column_name, column in columns(name).items():
            meta = column.metadata or {}
            default = "required" if "default" not in meta else _default(meta["default"])
            if meta.get("home"):
                default = f"the only one, else `{HOME[column_name]}`"
            parts.append(f"| `{column_name}` | {_type(column)} | {default} | {meta['text']} |")
    parts.append(
        "\n# Results\n\nWhat `crowdvote export` writes and `crowdvote query` can ask, beside the tables above.\n"
    )
    parts.append("| table | holds |\n| --- | --- |")
    parts += [f"| `{name}` | {text} |" for name, text in RESULT_TABLES.items()]
    parts.append(
        "\nAnonymous members stand under a pseudonym in every id and name (P1). Columns of one table: "
        '`crowdvote query "DESCRIBE resolved_ballots"`. Where the rule `path` takes too much work for a decision (Y3), '
        "`crowdvote export` leaves it out and writes a table `refused` (`decision_id`, `error`) besides."
    )
    parts.append(
        "\n# The past\n\nWhat `crowdvote query` can ask of a [store](store.md) besides. The tables of history have the "
        "columns of their table, and `seq`, `committed_at`, `action`, `withdrawn`: whether the row takes its key back. "
        "Whoever was anonymous at any time up to `--as-of` stands under a pseudonym in all of their rows (P1).\n"
    )
    parts.append("| table | holds |\n| --- | --- |")
    parts += [f"| `{name}` | {text} |" for name, text in PAST_TABLES.items()]
    return "\n".join(parts) + "\n"


def _type(column: object) -> str:
    kind = str(getattr(column, "dtype", ""))
    return {
        "String": "text",
        "Boolean": "true / false",
        "Int64": "whole number",
        "List(String)": "list of text",
        "Decimal(precision=9, scale=8)": "DECIMAL(9,8)",
    }.get(kind, "time (UTC)" if kind.startswith("Datetime") else kind)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value == "":
        return "none"
    return "empty list" if isinstance(value, list) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
