"""Which file a module's source lies in, found without importing it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path

CORE = "recmerge_bench"
CORE_ROOT = Path(__file__).resolve().parent


def module_path(name: str) -> Path | None:
    """The source file of a module, found without importing anything."""
    if name == CORE or name.startswith(CORE + "."):
        return _within([CORE_ROOT], name.split(".")[1:]) if name != CORE else None
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file) if file else None
    return _not_loaded(*name.split("."))


def _not_loaded(top: str, *rest: str) -> Path | None:
    """The source file of a module that was not imported yet."""
    try:
        spec = importlib.util.find_spec(top)  # of a package's part it would import the package
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if rest:
        return _within([Path(p) for p in spec.submodule_search_locations or ()], [*rest])
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def file_spec(name: str, place: Path) -> ModuleSpec | None:
    """How a module is loaded that is a file, or a folder with ``__init__.py``.

    Args:
        name: that the module gets.
        place: of the file or folder.
    """
    if not place.is_dir():
        return importlib.util.spec_from_file_location(name, place)
    return importlib.util.spec_from_file_location(
        name, place / "__init__.py", submodule_search_locations=[str(place)]
    )


def _within(folders: Iterable[Path], parts: list[str]) -> Path | None:
    """A part of a package that lies in these folders."""
    for folder in folders:
        stem = folder.joinpath(*parts)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None
