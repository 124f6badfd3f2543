"""First-party plugins: a folder for each kind, an entry point for each hook, all of it packaged."""

from __future__ import annotations

import ast

import source_graph as source
from source_graph import CORE, FOLDERS, PLUGINS

from recmerge_bench.registry import Registry

HOOKS = ("recmerge_bench_register", "recmerge_bench_suites")
KINDS = {
    "backbones": "backbone",
    "baselines": "counting",
    "cdsr": "cdsr",
    "datasets": "dataset",
    "encoders": "encoder",
    "executors": "executor",
    "metrics": "metric",
    "protocols": "protocol",
    "strategies": "strategy",
}


def _hooks(tree: ast.Module) -> list[str]:
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.decorator_list and node.name in HOOKS
    ]


def test_every_hook_is_an_entry_point_and_every_entry_point_has_one() -> None:
    lines = source.settings()["options.entry_points"]["recmerge_bench"].split("\n")
    points = dict(line.split(" = ") for line in lines if line)
    hooked = {m for m, path in source.modules(PLUGINS).items() if _hooks(source.tree(path))}
    assert len(hooked) > 50
    assert sorted(points.values()) == sorted(hooked)
    for name, module in points.items():
        assert module.split(".")[-1].replace("_", "-") == name


def test_every_package_is_installed() -> None:
    listed = source.settings()["options"]["packages"].split()
    there = {
        ".".join([package, *path.parent.relative_to(folder).parts])
        for package, folder in FOLDERS.items()
        for path in folder.rglob("*.py")
    }
    assert there <= set(listed)
    assert set(listed) - there == {"recmerge_bench_suites"}
    assert all((f / "__init__.py").is_file() for f in FOLDERS.values())
    assert CORE in listed


def test_a_plugin_lies_in_the_folder_of_its_kind(registry: Registry) -> None:
    folders = {path.name for path in FOLDERS[PLUGINS].iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == set(KINDS)
    for plugin in registry.plugins:
        folder = plugin.module.split(".")[1]
        if folder != "suites":
            assert KINDS[folder] in {spec.kind for spec in plugin.specs}, plugin.module
