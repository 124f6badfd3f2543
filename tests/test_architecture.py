"""Imports go one way: no circles, the core knows no method, plugins use the public API alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest
import source_graph as source
from source_graph import CORE, PLUGINS, ROOT

from recmerge_bench.registry import Registry

TOOLKIT = f"{CORE}.toolkit."
#: Words of the core that are also methods' names, where they do not mean the method.
WORDS = {
    "csv": "the format of exports and of figures' data",
    "joint": "a training on all domains together: an input of strategies, a stage, a field",
    "lines": "of text and of records",
    "ties": "equal scores or values",
    "validated": "measured on validation targets",
    "fine-tune": "what makes an expert of a base, in cells' labels",
}
#: The same in blocks of the toolkit: values of options, named after where they were published.
BLOCKS = {"sasrec", "sasrec-prenorm", "bert4rec", "ties"}


#: What rows and cells are called, for people.
LABELS = {"label", "labels", "variant", "variant_of"}
#: Functions and methods that take a text apart or make a value of it.
READERS = {
    "split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "startswith",
    "endswith", "search", "match", "fullmatch", "findall", "finditer", "sub", "int", "float",
    "loads", "literal_eval",
}  # fmt: skip
#: Module -> why it looks into one.
LABELS_READ = {f"{CORE}.planning.names": "refuses a variant that reads like a recipe"}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """Module -> modules of the core that it imports."""
    return source.graph(CORE, source.modules(CORE), typing=False)


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
        name: "running" if name == f"{CORE}.worker" else (name.split(".") + [""])[1]
        for name in graph
    }
    packages: dict[str, set[str]] = {}
    for name, seen in graph.items():
        packages.setdefault(part[name], set()).update({part[i] for i in seen} - {part[name]})
    assert {"toolkit", "report", "results", "running"} <= packages.keys()
    assert _circle(packages) == []


def test_the_core_imports_no_plugin() -> None:
    for name, path in source.modules(CORE).items():
        seen = [i for i in source.imports(name, path) if i.startswith(PLUGINS)]
        assert seen == [], name


def _names(registry: Registry) -> list[str]:
    """What data sets, models and strategies are registered as, and how their modules are called."""
    kinds = ("dataset", "encoder", "backbone", "cdsr", "strategy")
    names = {name for kind, name in registry.specs if kind in kinds}
    for plugin in registry.plugins:
        if any(spec.kind in kinds for spec in plugin.specs):
            names.add(plugin.module.split(".")[2].replace("_", "-"))
    return sorted(names)


def _named(names: list[str], words: Iterable[str]) -> list[str]:
    """Names that one of the words holds; whatever joins the parts of a name."""
    parts = (" ".join(re.findall("[a-z0-9]+", word.lower())) for word in words)
    text = f" {' | '.join(parts)} "
    return [name for name in names if f" {name.replace('-', ' ')} " in text]


def test_the_core_names_no_method(registry: Registry) -> None:
    names = _names(registry)
    assert len(names) > 80
    words = ["task_arithmetic", "is_sasrec text", "tiesx", "iso", "c"]
    assert _named(names, words) == ["sasrec", "sasrec-text", "task-arithmetic"]
    collected = {
        (module, name)
        for module, path in source.modules(CORE).items()
        for name in _named(names, source.words(module, path))
        if name not in WORDS and not (module.startswith(TOOLKIT) and name in BLOCKS)
    }
    assert collected == set()


def _taken_apart(tree: ast.AST) -> list[str]:
    """Calls that read something from a label: what is called, with the label."""
    calls = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        whose = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        inner = [n for part in (*whose, *node.args) for n in ast.walk(part)]
        named = {str(getattr(n, f, "")) for n in inner for f in ("attr", "id", "value")}
        calls += [f"{name} of {label}" for label in sorted(named & LABELS) if name in READERS]
    return calls


def test_no_value_is_read_from_a_label() -> None:
    """Options are read from configurations; labels and variants are for people."""
    code = "float(row.variant.partition('=')[2]); re.sub('x', '', cell['label']); a.split(',')"
    output = {"float of variant", "partition of variant", "sub of label"}
    assert set(_taken_apart(ast.parse(code))) == output
    collected = {
        module: calls
        for package in (CORE, PLUGINS)
        for module, path in source.modules(package).items()
        if (calls := _taken_apart(source.tree(path)))
    }
    assert collected.keys() == LABELS_READ.keys(), collected


def test_a_plugin_imports_the_api_and_the_toolkit_alone() -> None:
    needed = source.settings()["options"]["install_requires"]
    extras = "\n".join(source.settings()["options.extras_require"].values())
    libraries = set(re.findall(r"^([\w-]+)", f"{needed}\n{extras}", re.MULTILINE))
    libraries |= {name.replace("-", "_") for name in libraries}
    libraries |= {"yaml"} if "pyyaml" in libraries else set()
    for module, path in source.modules(PLUGINS).items():
        method = ".".join(module.split(".")[:3])
        for name in source.imports(module, path):
            if name.startswith(f"{PLUGINS}."):
                assert f"{name}.".startswith(f"{method}."), f"{module}: {name} is another method's"
            elif name.startswith(f"{CORE}."):
                public = name.startswith((f"{CORE}.api.", TOOLKIT))
                assert public, f"{module}: {name} is no public name"
            else:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names | libraries, f"{module}: {name}"


def test_packages_of_the_toolkit_import_none_of_their_blocks() -> None:
    """Keys of cells follow imports: a package that imported its blocks would put all into each."""
    for name, path in source.modules(CORE).items():
        if name.startswith(TOOLKIT[:-1]) and path.name == "__init__.py":
            assert list(source.imports(name, path)) == [], name


def test_tests_lie_in_folders_of_the_packages_that_they_test() -> None:
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and "__" not in p.name}
    packages = {p.parent.name for p in (ROOT / "recmerge_bench").glob("*/__init__.py")}
    assert folders - {"support", "samples"} <= {*packages, "plugins"}
    at_top = {p.stem.removeprefix("test_") for p in (ROOT / "tests").glob("test_*.py")}
    assert at_top.isdisjoint(packages), "a package has a folder of its own"
