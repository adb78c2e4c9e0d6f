"""One direction of imports: no modules import each other, not even for their types.

Imports inside functions are left out: ``SystemState.read`` may ask a reader that makes states.
"""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "crowdvote_analysis"
# The store, its cut and the records of both still know each other's types.
NOT_YET = {"store"}


def modules() -> dict[str, Path]:
    return {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}


def imported(node: ast.AST, known: dict[str, Path]) -> set[str]:
    """The modules that a module imports when it is loaded, or names as types."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and (child.module or "").startswith("crowdvote_analysis"):
            for alias in child.names:
                inside = f"{child.module}.{alias.name}"
                found.add(next((name for name in (inside, f"{child.module}.__init__") if name in known), child.module))
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= imported(child, known)
    return found


def test_no_modules_import_each_other() -> None:
    """A circle is named by the error."""
    known = modules()
    graph = {name: imported(ast.parse(path.read_text("utf-8")), known) for name, path in known.items()}
    del graph["crowdvote_analysis.__init__"]  # it looks rooms up when somebody asks for what is in them
    assert sum(map(len, graph.values())) > 500
    for name in graph:
        room = name.split(".")[1]
        graph[name] -= {other for other in graph[name] if room in NOT_YET and other.split(".")[1:2] == [room]}
    TopologicalSorter(graph).prepare()
