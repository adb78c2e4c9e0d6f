"""The package as a whole: what it exports, what it costs to import, whether its documents are true."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder

ROOT = Path(__file__).parents[1]


def test_every_public_name_is_there() -> None:
    """All names of the package can be had, and nothing else can."""
    for name in cv.__all__:
        assert getattr(cv, name).__doc__
    assert set(cv.__all__) <= set(dir(cv))
    with pytest.raises(AttributeError, match="nonsense"):
        cv.nonsense  # noqa: B018


def test_errors_can_be_caught_as_one() -> None:
    """Every error class is a CrowdVoteError."""
    errors = [getattr(cv, name) for name in cv.__all__ if name.endswith(("Error", "TooLarge"))]
    assert len(errors) == 9
    assert all(issubclass(error, cv.CrowdVoteError) for error in errors)


@pytest.mark.parametrize("module", ["crowdvote_analysis", "crowdvote_analysis.cli"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    """Neither the package nor its command line pays for libraries before they are used."""
    heavy = {"polars", "duckdb", "marimo", "altair", "scipy", "numpy", "pyarrow", "dataframely"}
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_page_about_tables_is_up_to_date() -> None:
    """docs/tables.md is what its script writes."""
    page = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))["page"]()
    assert (ROOT / "docs" / "tables.md").read_text("utf-8") == page


def test_the_python_example_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example in the README gives the winner it names."""
    monkeypatch.chdir(demo_folder().parents[1])
    example = (ROOT / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(example, names)
    tally = names["tally"]
    assert isinstance(tally, cv.StarTally)
    assert tally.winner == re.search(r"tally.winner +# '(.+)'", example)[1]  # type: ignore[index]


@pytest.mark.slow
def test_the_python_example_about_stores_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The example records, changes and counts the past as it says."""
    example = (ROOT / "docs" / "store.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    winner = re.search(r"(tally_star\(.+\)\.winner) +# '(.+)'", example)
    assert winner is not None
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example.replace('"data/demo"', repr(str(demo_folder()))), names)
    assert eval(winner[1], names) == winner[2]


def test_links_between_documents_lead_somewhere() -> None:
    """No page of the documentation links to a file that is not there."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/*.md")]:
        for target in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)#\"]+)", page.read_text("utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
