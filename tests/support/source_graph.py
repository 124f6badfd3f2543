"""Core and plugins as their source files: modules, imports, words. Nothing is imported."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE, PLUGINS = "recmerge_bench", "recmerge_bench_plugins"
FOLDERS = {CORE: ROOT / "recmerge_bench", PLUGINS: ROOT / "plugins"}


def settings() -> configparser.ConfigParser:
    """setup.cfg."""
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    return read


@cache
def modules(package: str) -> dict[str, Path]:
    """Module -> file, for all of a top-level package."""
    files_ = {}
    for path in sorted(FOLDERS[package].rglob("*.py")):
        parts = [package, *path.relative_to(FOLDERS[package]).with_suffix("").parts]
        files_[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files_


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers read."""
    yield node
    for child in ast.iter_child_nodes(node):
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        for each in child.orelse if typing else [child]:  # type: ignore[attr-defined]
            yield from running(each)


def imports(module: str, path: Path, typing: bool = True) -> Iterator[str]:
    """Dotted names of what a file imports, inside functions too; of `from a import b`, ``a.b``.

    Args:
        module: the file's own name, from which relative imports start.
        path: the file.
        typing: whether imports count that only type checkers read.
    """
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree(path)) if typing else running(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def graph(package: str, known: Mapping[str, Path], typing: bool) -> dict[str, set[str]]:
    """Module of a package -> the `known` modules that it imports."""
    collected = {}
    for name, path in modules(package).items():
        # `from package import module` and `from module import thing` look alike.
        seen = {
            i if i in known else i.rpartition(".")[0] for i in imports(name, path, typing)
        }  # fmt: skip
        collected[name] = {i for i in seen if i in known and i != name}
    return collected


def words(name: str, path: Path) -> Iterator[str]:
    """A module's own name, its identifiers and its strings, but not what documents it."""
    yield name.rpartition(".")[2]
    documents = {
        id(node.value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree(path)):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documents:
            yield text
        for field in ("id", "attr", "name", "arg", "asname"):
            word = getattr(node, field, None)
            if isinstance(word, str):
                yield re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)  # camel case to snake case
