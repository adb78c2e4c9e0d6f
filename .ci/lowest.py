"""Print the lower bounds of pyproject.toml as constraints, so that exactly these versions are installed.

With ``--tests``, print the tests that may come out otherwise with them than with the versions that are installed now.
"""

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

COUNT = ["tests/charts", "tests/store", "tests/readers", "tests/test_state.py", "tests/delegation/test_cases.py"]
# Libraries that few tests meet; all others are met everywhere.
FEW = {
    "altair": ["tests/charts"],
    "deltalake": ["tests/store/test_store.py", "tests/snapshots/test_verify.py"],
    "duckdb": ["tests/store/test_query.py", "tests/store/test_questions.py"],
    "filelock": ["tests/store/test_append.py", "tests/store/test_store.py"],
    "httpx2": ["tests/serving/test_server.py"],
    "hypothesis": ["tests/test_state.py"],
    "jsonschema": ["tests/snapshots/test_document.py"],
    "marimo": ["tests/test_notebook_count.py", "tests/test_notebook_yes_no.py", "tests/serving/test_server.py"],
    "mypy": [],
    "obstore": ["tests/store/test_store.py", "tests/snapshots/test_verify.py"],
    "playwright": ["tests/test_notebook_yes_no_browser.py"],
    "rich": ["tests/test_cli_explain.py"],
    "ruff": [],
    "starvote": ["tests/star/test_starvote.py"],
    "stamina": ["tests/snapshots/test_lifecycle.py"],
    "typer": ["tests/test_cli_explain.py"],
    "vl-convert-python": ["tests/charts", "tests/report/test_report.py"],
}


def lower_bounds() -> list[tuple[str, str]]:
    """Names and lowest versions."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return [tuple(requirement.split(">=")) for requirement in required]


def is_installed(name: str, lowest: str) -> bool:
    """Whether the lowest version is the one that is there."""
    try:
        return version(name) == lowest
    except PackageNotFoundError:
        return False


if sys.argv[1:] == ["--tests"]:
    others = [name for name, lowest in lower_bounds() if not is_installed(name, lowest)]
    print(*sorted({test for name in others for test in FEW.get(name, COUNT)}), sep="\n")
else:
    print(*(f"{name}=={lowest}" for name, lowest in lower_bounds()), sep="\n")
