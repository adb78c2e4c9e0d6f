"""Ten thousand inputs that nobody meant: an answer or an error in words, and nothing dropped without one.

``make soak`` tries them all; a few of each kind run with the ordinary tests. A failure names kind and number:
``attempt`` gives the same input for them everywhere.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import signal
import zlib
from collections import Counter
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.serving.users import add_user
from crowdvote_analysis.store import Store
from crowdvote_analysis.store.importing import import_state
from tests.attack import fuzzing as made
from tests.command import crowdvote, crowdvote_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ENDS = {0, 1, 2, 3, 4}  # main.py and docs/command-line.md
LONGEST = 60  # seconds that one input may take, on a machine that does much else
# How many of each kind, ten thousand in all.
NUMBERS = {
    "grid": 2_000,
    "folder": 2_000,
    "votes": 1_500,
    "form": 700,
    "bettervoting": 500,
    "edges": 700,
    "sheet": 200,
    "import": 300,
    "users": 500,
    "options": 700,
    "record": 500,
    "query": 400,
}
ORDINARY = 12


@contextmanager
def hang_is_an_error() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"it takes longer than {LONGEST} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store, and a folder of tables that are as they should be."""
    folder = tmp_path_factory.mktemp("fuzz")
    tables = folder / "tables"
    tables.mkdir()
    for name, rows in TABLES.items():
        (tables / f"{name}.csv").write_bytes(made.text_of(rows))
    import_state(Store.create(folder / "store"), cv.SystemState.read(tables))
    (folder / "poll.csv").write_bytes(made.text_of(made.GRID))
    add_user(folder / "users.json", "maya", "manager", "meadow and pond")
    return folder


TABLES = {"members": made.MEMBERS, "ballots": made.BALLOTS, "votes": made.VOTES, "followings": made.FOLLOWINGS}
STORE, FOLDER, POLL = "<store>", "<tables>", "<poll>"
COMMANDS = [
    ["count", FOLDER, "--json", "--decision", "d", "--cycles", "path", "--top", "3", "--work-limit", "5"],
    ["tally", POLL, "--json", "--choices", "Pond,Fish", "--id", "Voter", "--leave-out", "Swings", "--separator", ","],
    ["tally", POLL, "--tie-order", "poll: Pond, Fish", "--protocol", "losses", "--compare"],
    ["explain", FOLDER, "--member", "m07", "--decision", "d"],
    ["history", STORE, "--json"],
    ["snapshot", "list", STORE, "--decision", "d", "--json"],
    ["snapshot", "show", STORE, "2026"],
    ["export", FOLDER, "--out", "<out>", "--format", "csv"],
    ["check", STORE, "--head", "1:abc"],
    ["decide", "outcome", FOLDER, "--at", "2026-06-15"],
]
RECORDS = [
    ["record", "cast", STORE, "-d", "d", "-m", "m03", "--stars", "A=5", "--stars", "B=2.5", "--tag", "trees"],
    ["record", "follow", STORE, "-m", "m08", "-f", "m02", "--tag", "roads"],
    ["record", "join", STORE, "-c", "community", "-m", "m77"],
    ["record", "withdraw", STORE, "-d", "d", "-m", "m01"],
]
QUERIES = [
    "SELECT member_id, sum(stars) FROM votes GROUP BY 1",
    "SELECT * FROM resolved_ballots WHERE depth > 0",
    "SELECT list(member_id), max(stars)::HUGEINT FROM votes",
]


def attempt(kind: str, number: int, place: Path) -> tuple[list[str], made.Files]:
    """The command of an input, and its files, by kind and number."""
    chance = random.Random(f"{kind} {number}")
    folder = place / "given"
    file = str(folder / "poll.csv")
    match kind:
        case "grid":
            return ["tally", file, "--json"], {"poll.csv": made.file_of(made.GRID, chance)}
        case "form":
            return ["tally", file, "--json"], {"poll.csv": made.file_of(made.FORM, chance)}
        case "bettervoting":
            return ["tally", file, "--json"], {"poll.csv": made.file_of(made.BETTERVOTING, chance)}
        case "sheet":
            name = chance.choice(["poll.xlsx", "poll.csv", "poll.zip"])
            return ["tally", str(folder / name), "--json"], {name: made.sheet_of(made.GRID, chance)}
        case "folder":
            return ["count", str(folder), "--json"], made.folder_of(TABLES, chance)
        case "votes":
            files = {name: made.text_of(TABLES[name]) for name in ("members", "ballots")}
            files["votes"] = made.text_of(made.other_rows(made.VOTES, chance))
            return ["count", str(folder), "--json"], {f"{name}.csv": data for name, data in files.items()}
        case "edges":
            out = str(place / "out")
            words = [
                "scenario",
                "--network",
                str(folder / "edges.txt"),
                "--poll",
                str(place / "poll.csv"),
                "--out",
                out,
            ]
            return words, {"edges.txt": made.edges_of(chance)}
        case "import":
            return ["import", str(folder), str(place / "given" / "store")], made.folder_of(TABLES, chance)
        case "users":
            users = json.loads((place / "users.json").read_bytes())
            return ["users", "list", "--users", str(folder / "users.json")], {"users.json": made.json_of(users, chance)}
        case "query":
            sql = made.other_bytes(chance.choice(QUERIES).encode(), chance).decode("utf-8", "replace").replace("\0", "")
            return ["query", sql, "--folder", str(place / "tables"), "--rows", "5"], {}
    valid = chance.choice(COMMANDS if kind == "options" else RECORDS)
    given = {STORE: place / "store", FOLDER: place / "tables", POLL: place / "poll.csv", "<out>": place / "out"}
    return [str(given.get(word, word)) for word in made.words_of(valid, chance)], {}


def run(kind: str, number: int, place: Path, start: Callable = crowdvote):
    """How an input ends; an end that is none of those the command has is an error."""
    words, files = attempt(kind, number, place)
    folder = place / "given"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    try:
        with hang_is_an_error():
            ended = start(*words)
    finally:
        for left in sorted(folder.rglob("*"), reverse=True):
            left.rmdir() if left.is_dir() else left.unlink()
    told = f"{ended.stdout}\n{ended.stderr}"
    assert ended.returncode in ENDS, told
    assert "Traceback" not in told
    assert "panicked" not in told
    assert ended.returncode == 0 or told.strip(), "it ends without a word"
    if ended.returncode == 0:
        if kind == "grid":
            nothing_is_dropped(ended.stdout, files["poll.csv"], usual=1)
        elif kind == "votes":
            nothing_is_dropped(ended.stdout, files["votes.csv"], usual=0)
    return ended.returncode


_STARS = re.compile(r"[0-5](\.\d{1,8})?")


def plainly(data: bytes) -> Counter[str] | None:
    """The stars of each choice, where a table is so plain that it has one meaning; nothing where it is not."""
    lines = [line.split(",") for line in data.decode("utf-8", "replace").split("\n") if line]
    header, rows = lines[0], lines[1:]
    if any(sign in data for sign in (b'"', b"\r", b"\t")) or {len(row) for row in rows} != {len(header)}:
        return None
    total: Counter[str] = Counter()
    if header == made.GRID[0]:
        ids = [row[0] for row in rows]
        cells = [(choice, cell) for row in rows for choice, cell in zip(header[1:], row[1:], strict=True)]
    elif header == made.VOTES[0]:
        ids = [" ".join(row[:3]) for row in rows]
        cells = [(row[2], row[3]) for row in rows]
        if not all(row[0] == "d" and row[1] in KNOWN and row[2] in ("A", "B") for row in rows):
            return None
    else:
        return None
    if len(set(ids)) < len(ids) or not all(re.fullmatch(r"[a-z]+ ?\d\d|d m\d\d [AB]", name) for name in ids):
        return None
    for choice, cell in cells:
        if not _STARS.fullmatch(cell) or Decimal(cell) > 5:
            return None
        total[choice] += Decimal(cell)
    return total


KNOWN = {row[1] for row in made.BALLOTS[1:]}


def nothing_is_dropped(printed: str, data: bytes, usual: int) -> None:
    """Stars of a plain table are all counted; of another, the notes say more than they usually do."""
    document = json.loads(printed)
    expected = plainly(data)
    if expected is None:
        said = len(document["notes"]) > usual
        assert said or same_as_meant(document, data), "something was counted otherwise without a word"
        return
    (decision,) = document["decisions"]
    scores = {row["choice_id"]: Decimal(row["total"]) for row in decision["tally"]["scores"]}
    assert scores == {choice: expected[choice] for choice in scores}
    assert sum(scores.values()) == sum(expected.values())


def same_as_meant(document: dict, data: bytes) -> bool:
    """Whether every row of the file is found again in what was counted: ballots, and the stars that are plain."""
    with suppress(OSError, EOFError, zlib.error):
        data = gzip.decompress(data)
    text = data.decode("utf-16" if b"\0" in data[:4] else "utf-8", "replace")
    header, _, rows = re.sub(r"[\r\x85]", "\n", text).strip().partition("\n")
    if "Voter" in header:
        rows = re.sub(r'(?m)^("[^"]*"|[^,;|:\t\x1f]*)', "", rows)  # whatever is called like stars there
    elif "stars" in header:
        rows = re.sub(r"(?m)^.*,", "", rows)
    cells = re.findall(r'(?<![^,;|:\s"])\+?([0-5]?\.\d+|[0-5]\.?)(?![^,;|:\s"])', rows)
    total = sum((Decimal(cell) for cell in cells), Decimal(0))
    scores = [row for decision in document["decisions"] for row in (decision["tally"] or {"scores": []})["scores"]]
    return sum((Decimal(row["total"]) for row in scores), Decimal(0)) == total


def failures(kind: str, numbers: Sequence[int], place: Path) -> dict[str, str]:
    found = {}
    ends: Counter[int] = Counter()
    for number in numbers:
        try:
            ends[run(kind, number, place)] += 1
        except Exception as error:
            found[f"{kind} {number}"] = f"{type(error).__name__}: {str(error)[:300]}"
    print(f"{kind}: {len(numbers):,} inputs, ends {dict(sorted(ends.items()))}")
    return found


@pytest.mark.parametrize("kind", NUMBERS)
def test_some_inputs_that_nobody_meant(kind: str, place: Path) -> None:
    """The first of each kind, so that the ordinary tests notice what is new."""
    assert failures(kind, range(ORDINARY), place) == {}


@pytest.mark.soak
@pytest.mark.parametrize("kind", NUMBERS)
def test_every_input_ends_in_words(kind: str, place: Path) -> None:
    """Ten thousand in all; no traceback, no hang, nothing dropped without a word."""
    assert sum(NUMBERS.values()) == 10_000
    found = failures(kind, range(NUMBERS[kind]), place)
    assert found == {}, f"{len(found)} of {NUMBERS[kind]:,}"


@pytest.mark.soak
def test_a_process_of_its_own_prints_no_traceback(place: Path) -> None:
    """What runs here in one process runs as people do it, too."""
    ends = {
        run(kind, number, place, crowdvote_process)
        for kind in NUMBERS
        for number in range(25 if kind == "folder" else 4)  # Parquet is read by what Python does not see
    }
    assert {0, 1} <= ends <= ENDS
