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
- **CSV**: UTF-8, commas; lists of tags as `budget;trees`; surrounding blanks are dropped; times such as
  `2026-05-01 18:00:00` are UTC. What else is read, and the options for it: [sheets.md](sheets.md).
- **Tags** are trimmed, lower-cased and de-duplicated (T5). A following whose tags are all blank follows on ALL, with a
  warning.
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
        '`crowdvote query "DESCRIBE resolved_ballots"`.'
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
