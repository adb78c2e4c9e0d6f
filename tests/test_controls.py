"""Limits of controls hold where values are used: a browser keeps to them, whoever sends what they want does not."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from crowdvote_analysis.bundled import notebooks_folder
from crowdvote_analysis.pages import layout

NOTEBOOKS = sorted(Path(notebooks_folder()).glob("*.py"))
LIMITED = ("slider", "number", "text")


@pytest.mark.parametrize(
    ("value", "used"), [(5, 5), (400_000, 8), (-1, 2), (math.inf, 2), (math.nan, 2), (None, 2), ("7", 2), ([8], 2)]
)
def test_a_value_is_used_within_the_limits_of_its_control(value, used) -> None:
    assert layout.within(SimpleNamespace(value=value, start=2, stop=8)) == used


def test_what_is_written_has_a_length() -> None:
    assert layout.written(SimpleNamespace(value="x" * 10**6)) == "x" * layout.LONGEST
    assert layout.written(SimpleNamespace(value=None)) == ""


def is_control(call: ast.expr) -> bool:
    name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    return name in {f"mo.ui.{kind}" for kind in LIMITED}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_page_uses_a_value_as_it_was_sent(notebook: Path) -> None:
    """But to begin again when it changes: an expression of its own, of which nothing comes."""
    tree = ast.parse(notebook.read_text("utf-8"))
    controls = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_control(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    alone = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Expr) for each in ast.walk(node.value)
             if isinstance(node.value, ast.Attribute | ast.Tuple)}  # fmt: skip
    used = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "value" and id(node) not in alone
        if isinstance(node.value, ast.Name) and node.value.id in controls
    ]
    assert used == []


# What takes long where communities are large or tangled.
LONG = ("resolve", "decide", "what_if", "without_each", "about_loops", "look", "verify_snapshot")


@pytest.mark.parametrize(
    "notebook", [path for path in NOTEBOOKS if path.stem != "tutorial"], ids=lambda path: path.stem
)
def test_what_takes_long_can_be_given_up(notebook: Path) -> None:
    """The tutorial counts examples of a few members."""
    tree = ast.parse(notebook.read_text("utf-8"))

    def name(call: ast.Call) -> str:
        return ast.unparse(call.func).rpartition(".")[2]

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    within = {id(each) for call in calls if name(call) == "calculate" for each in ast.walk(call)}
    at_once = [ast.unparse(call) for call in calls if name(call) in LONG and id(call) not in within]
    # Votes by hand are added up, whatever the communities are like.
    assert [call for call in at_once if not call.startswith("told.what_if(") and "delegated=False" not in call] == []
