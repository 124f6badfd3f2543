"""The toolkit: documented, versioned, and shared, or it would belong to the plugin that uses it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import source_graph as source
from source_graph import CORE, PLUGINS

from recmerge_bench import toolkit

TOOLKIT = f"{CORE}.toolkit"
MODULES = {n: p for n, p in source.modules(CORE).items() if n.startswith(f"{TOOLKIT}.")}
#: Modules that one plugin here uses, and why they are public all the same.
FOR_OTHERS = {
    f"{TOOLKIT}.data.csv_tables": "tables by column names, for any dataset that reads such files",
    f"{TOOLKIT}.data.sequence_files": "a line a user, as most of the field's data lie",
    f"{TOOLKIT}.workers": "the worker processes that any executor on this machine starts",
}


def _public(node: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Public functions, classes and their public methods, with their names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_"):
            yield inside + child.name, child
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{inside}{child.name}.")


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_is_documented(module: str) -> None:
    tree = source.tree(MODULES[module])
    assert ast.get_docstring(tree), module
    bare = [name for name, node in _public(tree) if not ast.get_docstring(node)]  # type: ignore[arg-type]
    assert bare == []


def test_what_is_promised_has_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+", toolkit.VERSION)
    assert toolkit.__doc__
    parts = {n.removeprefix(f"{TOOLKIT}.").partition(".")[0] for n in MODULES}
    assert {part for part in parts if f"`{part}`" not in toolkit.__doc__} == set()


def _opens_the_core(path: Path) -> bool:
    """Whether a module only gives public names to what the core has and uses itself."""
    body = [n for n in source.tree(path).body if not isinstance(n, ast.Expr)]
    names = [n for n in body if isinstance(n, ast.Assign)]
    froms = [n for n in body if isinstance(n, ast.ImportFrom)]
    return (
        len(body) == len(names) + len(froms)
        and [ast.unparse(n.targets[0]) for n in names] == ["__all__"]
        and all(n.module and n.module.startswith(f"{CORE}.") for n in froms)
    )


def _users() -> Mapping[str, set[str]]:
    """Module of the toolkit -> methods (and the core) that run it, through others of it too."""
    graph = {p: source.graph(p, MODULES, typing=True) for p in (CORE, PLUGINS)}
    users: dict[str, set[str]] = defaultdict(set)
    for package, seen in graph.items():
        for module in seen:
            if module.startswith(TOOLKIT):
                continue
            who = CORE if package == CORE else ".".join(module.split(".")[:3])
            queue = list(seen[module])
            while queue:
                name = queue.pop()
                if who not in users[name]:
                    users[name].add(who)
                    queue += graph[CORE][name]
    return users


def test_what_one_plugin_uses_lies_with_it() -> None:
    users, alone = _users(), {}
    assert len(users[f"{TOOLKIT}.models.tables"]) > 5
    for module, path in MODULES.items():
        least = 1 if _opens_the_core(path) or module in FOR_OTHERS else 2
        if path.name != "__init__.py" and len(users[module]) < least:
            alone[module] = users[module]
    assert alone == {}
