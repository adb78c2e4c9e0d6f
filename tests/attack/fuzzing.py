"""Inputs that nobody meant: small valid ones, and what goes wrong with files, told by a number alone.

The same number gives the same input on every machine, so that what was found can be repeated.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

Files = dict[str, bytes]

# Cells that people, spreadsheets and programs write where a number, an id or a time was meant.
HOSTILE = [
    "", " ", "NaN", "inf", "-inf", "1e999", "-0", "1e400000000", "9" * 400, "0." + "3" * 200, "5.000000001", "0x5",
    "٣", "½", "1,5", "4.", ".5", "+3", "--", "null", "None", "#N/A", "=1+1", '=HYPERLINK("x")', "'", '"', '""',
    "a\nb", "a\rb", "a\tb", "\ufeff", "\u202e5", "\x00", "\x1b[31m", "☠", "Ä" * 50, "x" * 100_000, "9999-99-99",
    "0000-00-00", "1-2", "2026-06-15", "31/12/2026 25:61", "TRUE", "[]", "{}", '["a"', "a;b;;c", ";", ",",
    "../../etc/passwd", "%s%n", "{0}", "$(true)", "<b>5</b>", "5 stars", "★★★", "five", "1st", "100%", "-1", "6",
    "5.5", "2.25", "all", "ALL",
]  # fmt: skip
_SEPARATORS = [";", "\t", "|", ":", " ", "\x1f"]
_ENCODINGS = ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp437", "utf-8-sig", "utf-7", "cp1140"]
_JSON = [None, True, -1, 1e308, 10**400, "", "x" * 10_000, [], {}, [[[[]]]], {"a": {"a": {}}}, "\ud800"]

GRID = [
    ["Voter", "Pond", "Swings", "Fish"],
    *[[f"voter {number:02}", str(number % 6), str(number * 3 % 6), f"{number % 10 / 2:g}"] for number in range(1, 13)],
]
MEMBERS = [["member_id", "is_voter", "is_anonymous"], *[[f"m{number:02}", "true", "false"] for number in range(12)]]
BALLOTS = [["decision_id", "member_id", "tags"], *[["d", f"m{number:02}", "trees;roads"] for number in range(6)]]
VOTES = [
    ["decision_id", "member_id", "choice_id", "stars"],
    *[["d", f"m{number:02}", "A", str(number * 2 % 6)] for number in range(6)],
    *[["d", f"m{number:02}", "B", str((number * 2 + 1) % 6)] for number in range(6)],
]  # fmt: skip
FOLLOWINGS = [
    ["follower_id", "followee_id", "tags"],
    *[[f"m{one:02}", f"m{(one * 5 + 1) % 12:02}", ["trees", "", "roads;trees"][one % 3]] for one in range(6, 12)],
]  # fmt: skip
FORM = [
    ["Timestamp", "Email Address", "Score [Pond]", "Score [Swings]", "Comments"],
    *[[f"6/{day}/2026 10:00:00", f"v{day}@example.org", f"{day % 6} stars", "3", "fine, so"] for day in range(1, 9)],
]  # fmt: skip
BETTERVOTING = [
    ["ballot_id", "precinct", "Pond", "Swings", "Fish"],
    *[[f"b-{number}", "", str(number % 6), str(number * 2 % 6), "0"] for number in range(1, 9)],
]


def text_of(rows: Sequence[Sequence[str]], separator: str = ",") -> bytes:
    """Rows as CSV; cells with separators, quotes or line breaks stand in quotes."""

    def cell(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in f'{separator}"\n\r') else text

    return "".join(separator.join(map(cell, row)) + "\n" for row in rows).encode("utf-8", "surrogatepass")


def parquet_of(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as Parquet, all of them texts."""
    buffer = io.BytesIO()
    pl.DataFrame(rows[1:], schema=list(rows[0]), orient="row").write_parquet(buffer)
    return buffer.getvalue()


def other_rows(rows: Sequence[Sequence[str]], chance: random.Random) -> list[list[str]]:
    """Rows after one to three changes of cells, rows or columns."""
    table = [list(row) for row in rows]
    for _ in range(chance.randint(1, 3)):
        row, kind = chance.randrange(len(table)), chance.randrange(9)
        column = chance.randrange(max(1, len(table[row])))
        match kind:
            case 0 | 1 | 2 if table[row]:
                table[row][column] = chance.choice(HOSTILE)
            case 3:
                table.insert(chance.randrange(len(table) + 1), list(table[row]))
            case 4 if len(table) > 2:
                del table[row]
            case 5:
                for each in table:
                    del each[column : column + 1]
            case 6:
                for each in table:
                    each.insert(column, each[column] if column < len(each) else "")
            case 7:
                table.insert(row, [chance.choice(HOSTILE) for _ in range(chance.randrange(6))])
            case 8:
                table[row] = [*table[row], chance.choice(HOSTILE)] if chance.random() < 0.5 else table[row][:-1]
        table = table or [[""]]
    return table


def other_bytes(data: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut, doubled, put elsewhere, or read as other letters."""
    at, length = chance.randrange(len(data) + 1), chance.randrange(1, 40)
    match chance.randrange(10):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + length :]
        case 2:
            return data[:at] + data[at : at + length] * chance.randint(2, 50) + data[at:]
        case 3:
            return data[:at] + bytes(chance.randrange(256) for _ in range(length)) + data[at + length :]
        case 4 if data:
            flipped = bytearray(data)
            flipped[at - 1] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 5:
            return data.decode("utf-8", "replace").encode(chance.choice(_ENCODINGS), "replace")
        case 6:
            return data.replace(b",", chance.choice(_SEPARATORS).encode())
        case 7:
            return data.replace(b"\n", chance.choice([b"\r", b"\r\n", b"\n\n", b"", b"\x00\n", b"\x85"]))
        case 8:
            return chance.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"sep=,\n"]) + data
        case _:
            return gzip.compress(data)[: chance.choice([10**9, 15])]


def other_json(value: object, chance: random.Random) -> object:
    """A document with one value, or one key, that is another."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value))
        if chance.random() < 0.15:
            return {name: entry for name, entry in value.items() if name != key}
        return {**value, key: other_json(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        return [*value[:place], other_json(value[place], chance), *value[place + 1 :]]
    return chance.choice(_JSON)


def json_of(value: object, chance: random.Random) -> bytes:
    """A changed document as bytes, at times deep, doubled or broken."""
    data = json.dumps(other_json(value, chance)).encode()
    kind = chance.randrange(8)
    return (
        b"[" * 100_000 if kind == 0 else data + data if kind == 1 else other_bytes(data, chance) if kind == 2 else data
    )


def file_of(rows: Sequence[Sequence[str]], chance: random.Random) -> bytes:
    """A table gone wrong, as rows or as bytes."""
    return text_of(other_rows(rows, chance)) if chance.random() < 0.7 else other_bytes(text_of(rows), chance)


def folder_of(tables: dict[str, Sequence[Sequence[str]]], chance: random.Random) -> Files:
    """A folder of tables of which one has gone wrong; CSV, or Parquet here and there."""
    wrong = chance.choice(sorted(tables))
    files = {}
    for name, rows in tables.items():
        as_parquet = chance.random() < 0.3
        if name != wrong:
            files[f"{name}.parquet" if as_parquet else f"{name}.csv"] = (
                parquet_of(rows) if as_parquet else text_of(rows)
            )
        elif as_parquet:
            files[f"{name}.parquet"] = other_bytes(parquet_of(rows), chance)
        else:
            files[f"{name}.csv"] = file_of(rows, chance)
    return files


def sheet_of(rows: Sequence[Sequence[str]], chance: random.Random) -> bytes:
    """A zip archive that says it is a workbook."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", text_of(rows))
    return other_bytes(buffer.getvalue(), chance)


def words_of(valid: Sequence[str], chance: random.Random) -> list[str]:
    """Words of a command with one or two that are hostile, doubled or missing."""
    words = list(valid)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(1, len(words)) if len(words) > 1 else 0
        match chance.randrange(4):
            case 0:
                del words[at]
            case 1:
                words.insert(at, words[at] if at < len(words) else "")
            case _ if at < len(words):
                words[at] = chance.choice(HOSTILE)
    return [word.replace("\0", "") for word in words]  # no system passes it on


def edges_of(chance: random.Random) -> bytes:
    """An edge list gone wrong."""
    rows = [["# Nodes: 12 Edges: 30"], ["# FromNodeId", "ToNodeId"]]
    rows += [[str(number % 12), str(number * 7 % 12)] for number in range(30)]
    data = text_of(other_rows(rows, chance), "\t")
    return data if chance.random() < 0.7 else other_bytes(data, chance)
