"""What a terminal is shown of texts that would act on it, and what is done where nothing can be shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from crowdvote_analysis.cli.streams import visible
from crowdvote_analysis.logs import EventLog
from tests.command import COMMAND, crowdvote

_NEVER_MEANT = dict.fromkeys(map(ord, "\u202e\u2066"))  # taken out of titles (T7)
_EVIL = "[bold]\x1b[31mred\x07\x9b2J\u202eabc\u2066[/bold] [/] {0} \\\\"
_PLAIN = "[bold]x[/bold] [/] {0}"
_ID = f"{_PLAIN}\x1b[31m\x07"
_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def test_every_control_character_becomes_a_sign() -> None:
    """Line ends and tabs stay, as do joiners, which scripts need; nothing else of it can be raw."""
    for code in [*range(0x100), *range(0x2000, 0x2070), 0xD800, 0xDFFF, 0x1F333]:
        assert not _RAW.search(visible(chr(code)))
    assert visible("a\tb\nc\u200dd Größe 🌳") == "a\tb\nc\u200dd Größe 🌳"
    assert visible("\x1b\x07\x7f") == "␛␇␡"


def _tables(folder: Path, own: str) -> Path:
    """Tables whose texts would colour, ring, turn round and break markup; ``own`` stands in ids."""
    folder.mkdir()
    rows = {
        "communities": ("community_id,title", f'c,"{_EVIL}"'),
        "members": ("community_id,member_id,display_name,is_manager", f'c,"ana{own}","Ana{_EVIL}",true', "c,ben,Ben,"),
        "followings": ("community_id,follower_id,followee_id,tags", f'c,ben,"ana{own}","{_EVIL}"'),
        "decisions": (
            "community_id,decision_id,title,description,method",
            f'c,"d{own}","D{_EVIL}","{_EVIL}",star',
            f'c,"y{own}","Y{_EVIL}","{_EVIL}",simple_majority',
        ),
        "choices": ("decision_id,choice_id,title", f'"d{own}","x{own}","X{_EVIL}"', f'"d{own}",z,"Z{_EVIL}"'),
        "ballots": ("decision_id,member_id,tags", f'"d{own}","ana{own}","{_EVIL}"'),
        "votes": (
            "decision_id,member_id,choice_id,stars",
            f'"d{own}","ana{own}","x{own}",5',
            f'"d{own}","ana{own}",z,5',
        ),
        "yes_no_votes": ("decision_id,member_id,vote,voted_at", f'"y{own}",ben,yes,2026-05-01'),
    }
    for table, lines in rows.items():
        (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def evil_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a snapshot; it takes no ids with control characters."""
    base = tmp_path_factory.mktemp("evil")
    for words in (("import", _tables(base / "tables", _PLAIN), base / "store"), ("snapshot", "take", base / "store")):
        done = crowdvote(*words, *(["-d", f"d{_PLAIN}"] if words[0] == "snapshot" else []))
        assert done.returncode == 0, done.stderr
    return base / "store"


def _harmless(*words: object, codes: tuple[int, ...] = (0,)) -> str:
    done = crowdvote(*words)
    assert done.returncode in codes, done.stderr
    assert not _RAW.search(done.stdout.replace("\r", ""))
    assert not _RAW.search(done.stderr)
    assert "[bold]" in done.stdout + done.stderr
    return done.stdout


def test_no_command_on_tables_lets_texts_act(tmp_path: Path) -> None:
    """Titles, ids and tags are shown as they are, markup included, with signs in place of what would act."""
    evil_tables = _tables(tmp_path / "tables", _ID)
    d, y, ana = f"d{_ID}", f"y{_ID}", f"ana{_ID}"
    assert "␛" in _harmless("count", evil_tables, codes=(0, 3))
    _harmless("count", evil_tables, "-d", d, "--compare", codes=(3,))
    _harmless("count", evil_tables, "--all", codes=(0, 3))
    _harmless("explain", evil_tables, "-d", d, "-m", "ben")
    _harmless("explain", evil_tables, "-d", d, "-m", ana)
    _harmless("decide", "outcome", evil_tables)
    _harmless("decide", "outcome", evil_tables, "-d", y)
    for question in ("open", "summary", "missing"):
        _harmless("decide", question, evil_tables)
    _harmless("query", "-f", evil_tables, 'SELECT *, title AS "[bold]t" FROM decisions')
    _harmless("count", evil_tables, "-d", _EVIL, codes=(1,))
    _harmless("export", evil_tables, "--out", tmp_path / _EVIL.replace("/", "|"))


def test_no_command_on_a_store_lets_texts_act(evil_store: Path, tmp_path: Path) -> None:
    """Snapshots and what is recorded, too."""
    d = f"d{_PLAIN}"
    _harmless("snapshot", "list", evil_store)
    _harmless("snapshot", "show", evil_store, "latest")
    _harmless("recompute", evil_store, "--all", "--out", tmp_path / "[bold].csv")
    _harmless("record", "change", evil_store, "-d", d, "-m", f"ana{_PLAIN}", "--stars", "z=1")


def test_documents_for_programs_are_escaped_and_lose_nothing(tmp_path: Path) -> None:
    """What is acted on by a terminal stands in JSON as its number; read back it is the same text."""
    done = crowdvote("count", _tables(tmp_path / "tables", _ID), "--json")
    assert not _RAW.search(done.stdout)
    titles = [decision["title"] for decision in json.loads(done.stdout)["decisions"]]
    assert f"D{_EVIL.translate(_NEVER_MEANT)}" in titles


def test_a_title_forges_no_line_of_the_log(tmp_path: Path) -> None:
    """Line ends of every kind become blanks (E5)."""
    log = EventLog(tmp_path)
    log.write("LOGIN", "ana\n[x] [INFO] [LOGIN] [root] - in", "a\r\u2028\x85\x1b[31m\u202eb")
    log.close()
    (line,) = log.path.read_text("utf-8").splitlines()
    assert not _RAW.search(line)


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def poll(tmp_path: Path) -> Path:
    """A poll whose choices no small encoding has."""
    path = tmp_path / "poll.csv"
    path.write_text("ballot_id,precinct,Ännchen★,Ben\nb1,,5,1\nb2,,0,4\nb3,,3,4\n", encoding="utf-8")
    return path


def _in_shell(ending: str, *words: object, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command with its streams as a shell connects them; ``$rc`` is its exit code."""
    script = f'"$@" {ending}'
    return subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, *map(str, words)],
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", **settings},
        timeout=120,
    )


def test_what_an_encoding_lacks_is_replaced(poll: Path) -> None:
    """The result is there."""
    done = _in_shell("", "tally", poll, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"Winner: Ben" in done.stdout
    assert b"nnchen?" in done.stdout
    assert done.stderr == b""


def test_documents_lose_nothing_to_an_encoding(poll: Path) -> None:
    """Letters that the stream lacks are written as their numbers."""
    done = _in_shell("", "tally", poll, "--json", PYTHONIOENCODING="cp1252")
    assert "Ännchen★" in json.dumps(json.loads(done.stdout), ensure_ascii=False)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("| head -c 0; exit ${PIPESTATUS[0]}", 0),
        ("--json | head -c 1; exit ${PIPESTATUS[0]}", 0),
        (">&-", 0),
        ("<&- >&- 2>&-", 0),
    ],
)
def test_a_reader_who_leaves_ends_nothing(poll: Path, ending: str, code: int) -> None:
    """A closed pipe and closed streams are quiet, and the exit code is the usual one."""
    done = _in_shell(ending, "tally", poll)
    assert done.returncode == code
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_in_one_sentence(poll: Path) -> None:
    """Output that is lost is an error; notes that are lost change no exit code."""
    done = _in_shell("> /dev/full", "tally", poll)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"No space left" in done.stderr
    assert _in_shell("2> /dev/full", "tally", poll.with_name("none.csv")).returncode == 1


def test_what_no_command_collects_is_told_in_words(tmp_path) -> None:
    """A tag that is blank, where a ballot is recorded: without the place in the code that Python would print."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "votes.csv").write_text("member_id,choice_id,stars\nKelly,Pond,5\n")
    assert crowdvote("import", folder, tmp_path / "store").returncode == 0
    words = ["-d", "decision", "-m", "Kelly", "--stars", "Pond=4", "--tag", "\ufeff"]
    ended = crowdvote("record", "cast", tmp_path / "store", *words)
    assert ended.returncode == 0
    assert "note: ballots: tags are all blank (T5)." in ended.stderr
    assert ".py" not in ended.stderr
