"""Content keys: digests of canonical JSON and of the sources that a stage runs through."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recmerge_bench.digests import file_digest

CORE = "recmerge_bench"
CORE_ROOT = Path(__file__).resolve().parents[1]


def canonical(value: Any) -> str:
    """JSON with sorted keys: equal values give equal text whatever the order they came in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def source_digest(modules: Iterable[str]) -> str:
    """Digest of the sources of these modules and of all that they import of core and plugins.

    Imports are read from the syntax tree, those inside functions too, so that nothing is run and
    no torch is needed. Only the modules of this package and of the packages (or files) that the
    named modules belong to are followed; libraries are recorded by version instead.
    """
    roots = {name.partition(".")[0] for name in modules} | {CORE}
    found: dict[str, str] = {}
    queue = sorted(set(modules))
    while queue:
        name = queue.pop()
        path = module_path(name)
        if name in found or path is None:
            continue
        found[name] = file_digest(path)
        queue += [m for m in imported(path, name) if m.partition(".")[0] in roots]
    return digest(found)


def module_path(name: str) -> Path | None:
    """The source file of a module, found without importing anything."""
    if name == CORE or name.startswith(CORE + "."):
        return _within([CORE_ROOT], name.split(".")[1:]) if name != CORE else None
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file) if file else None
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)  # of a package's part it would import the package
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if rest:
        return _within([Path(p) for p in spec.submodule_search_locations or ()], rest)
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _within(folders: Iterable[Path], parts: list[str]) -> Path | None:
    """A part of a package that lies in these folders."""
    for folder in folders:
        stem = folder.joinpath(*parts)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None


def imported(path: Path, module: str) -> tuple[str, ...]:
    """Names of modules that the file imports, absolute, submodules resolved where they exist."""
    stat = path.stat()
    return _imported(str(path), module, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _imported(path: str, module: str, size: int, mtime: int) -> tuple[str, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = module.split(".")[: -node.level]
                base = ".".join([*parent, *([base] if base else [])])
            names.add(base)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return tuple(sorted(names))
