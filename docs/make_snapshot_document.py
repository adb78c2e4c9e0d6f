"""Write docs/snapshot-document.md from the schema of the document: `python docs/make_snapshot_document.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crowdvote_analysis.snapshots import document_schema

PAGE = Path(__file__).with_name("snapshot-document.md")

_HEAD = """# The snapshot document

Written by `docs/make_snapshot_document.py` from `crowdvote_analysis/snapshots/document.schema.json`; edit there.

{what}

```python
from datetime import UTC, datetime
import crowdvote_analysis as cv
from crowdvote_analysis.snapshots import document

state = cv.SystemState.read("data/demo")
with open("village-green.json", "w", encoding="utf-8") as file:
    pieces = document(state, cv.resolve(state), "village-green", timestamp=datetime.now(UTC), is_final=False)
    file.writelines(pieces)
```

- **In pieces**: rows are made when they are asked for, so memory does not grow with the document. One line a row.
- **Whole numbers, cut trees**: trees show at most 500 followings each in small communities and fewer in larger ones, 20
  at least (`max_followings`), level by level (`depth`). `not_shown` says how many are left out at a place. Everything
  else is whole: ballots, `inherited_from`, and all followings with their outcomes in `relationships`.
- **Loops by the rule `path`** take walks (`cores` says which tangles are walked). If those through one loop take more
  than `work_limit` steps, followings in that loop are left out of trees, first in first served in the order of public
  ids; nothing fails and no number changes.
- **Checked**: `document_schema()` gives the schema (draft 2020-12), which refuses stars as floats, missing fields and
  results in other words.
- **Fields of the caller** (`head`), such as an id of the snapshot and hashes of its tables, stand before all others.
"""

_TITLES = {
    "core": "Cores",
    "stats": "Statistics",
    "manual_ballot": "Manual ballots",
    "calculated_ballot": "Calculated ballots",
    "source": "Sources",
    "place": "Places of a tree",
    "ballot": "Ballots in a tree",
    "member_without_ballot": "Members without a ballot",
    "followed": "Whom they follow",
    "relationship": "Relationships",
    "tally_result": "Tally result",
    "score_phase": "Score phase",
    "choice_score": "Scores",
    "runoff_phase": "Runoff phase",
    "tie": "Unresolved tie",
    "step": "Steps",
}


def page() -> str:
    """The page, as it should be."""
    schema = document_schema()
    parts = [_HEAD.format(what=schema["description"]), _table("Fields", schema, schema)]
    parts += [_table(title, schema["$defs"][name], schema) for name, title in _TITLES.items()]
    return "\n".join(parts)


def _table(title: str, shape: dict[str, Any], schema: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {_type(field, schema['$defs'])} | {field['description'].replace('|', '&#124;')} |"
        for name, field in shape["properties"].items()
    ]
    return "\n".join([f"## {title}\n", "| field | type | meaning |", "| --- | --- | --- |", *rows, ""])


def _type(field: dict[str, Any], shapes: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        return f"[object](#{_anchor(name)})" if name in _TITLES else _type(shapes[name], shapes)
    if "oneOf" in field:
        return " or ".join(_type(each, shapes) for each in reversed(field["oneOf"]))
    if "enum" in field:
        return ", ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field["type"] == "array":
        return f"list of {_type(field['items'], shapes).replace('[object]', '[objects]')}"
    if field["type"] == "object":
        return f"object of {_type(field['additionalProperties'], shapes)}"
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds)


_WORDS = {"string": "text", "integer": "whole number", "boolean": "true / false"}


def _anchor(name: str) -> str:
    return _TITLES[name].lower().replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
