"""Imports go one way: no circles, the core knows no plugin, plugins use no plumbing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

CORE = ROOT / "recmerge_bench"
#: What plugins may use.
BLOCKS = ("api", "toolkit")


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """Everything that a file imports when it runs, inside functions too."""
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers read."""
    yield node
    for child in ast.iter_child_nodes(node):
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        for each in child.orelse if typing else [child]:  # type: ignore[attr-defined]
            yield from _running(each)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """Module -> modules of the core that it imports."""
    files = {_name(p): p for p in CORE.rglob("*.py")}
    found = {}
    for name, path in files.items():
        # `from package import module` and `from module import thing` look alike.
        seen = {i if i in files else i.rpartition(".")[0] for i in _imports(path)}
        found[name] = {i for i in seen if i in files and i != name}
    return found


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_modules(graph: dict[str, set[str]]) -> None:
    assert len(graph) > 200
    assert _circle(graph) == []
    assert _circle({"a": {"b"}, "b": {"a"}}), "a circle would be found"


def test_no_circle_of_packages(graph: dict[str, set[str]]) -> None:
    # `running/remote.py` is the script of another machine, where it starts the worker's code.
    part = {
        name: "running" if name.endswith(".worker") else (name.split(".") + [""])[1]
        for name in graph
    }
    packages: dict[str, set[str]] = {}
    for name, seen in graph.items():
        packages.setdefault(part[name], set()).update({part[i] for i in seen} - {part[name]})
    assert {"toolkit", "report", "results", "running"} <= packages.keys()
    assert _circle(packages) == []


def test_the_core_knows_no_plugin() -> None:
    for path in CORE.rglob("*.py"):
        assert not any(i.startswith("recmerge_bench_plugins") for i in _imports(path)), path


def test_plugins_use_no_plumbing() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        for name in _imports(path):
            package, _, inside = name.partition(".")
            if package == "recmerge_bench":
                assert inside.split(".")[0] in BLOCKS, f"{path.name}: {name}"
