"""Which files a process has to read to run code: the installations', the plugins'; no data."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from recmerge_bench.module_files import file_spec

_SYSTEM = (
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/lib", "/lib64",
    "/usr/share/zoneinfo", "/usr/share/locale", "/etc/ld.so.cache", "/etc/localtime",
    "/sys/devices/system", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self/maps",
    "/proc/self/status",
)  # fmt: skip
_PACKAGES = ("site-packages", "dist-packages")


def installed() -> list[Path]:
    """Folders of the Python installation and of installed packages."""
    named = {sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        named |= {f"{prefix}/lib", f"{prefix}/lib64"}
    named |= {entry for entry in sys.path if Path(entry).name in _PACKAGES}
    return _outermost(Path(os.path.realpath(n)) for n in named if os.path.isdir(n))


def system() -> list[Path]:
    """Files of the system that libraries read."""
    extra = [p for p in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if p]
    cuda = [str(p) for p in Path("/usr/local").glob("cuda*")]
    return [Path(p) for p in (*_SYSTEM, *cuda, *extra) if os.path.exists(p)]


@dataclass(frozen=True)
class Elsewhere:
    """Top-level modules that lie outside of the installations: name -> file or package folder.

    Attributes:
        first: those that ``sys.path`` has before the installed ones.
        last: those after them, single files of plugins, editable installations.
    """

    first: Mapping[str, Path]
    last: Mapping[str, Path]

    def paths(self) -> list[Path]:
        """Where they are, real paths."""
        return sorted({Path(os.path.realpath(p)) for p in (*self.first.values(),
                                                           *self.last.values())})  # fmt: skip


def modules_elsewhere(files: Mapping[str, str], class_paths: Iterable[str]) -> Elsewhere:
    """Those on ``sys.path``, of editable installations, of the named plugins, and `files`."""
    inside = installed()
    first, behind = _on_the_path(inside)
    last = {**behind, **{name: Path(path) for name, path in files.items()}}
    for name, place in _editable():
        last.setdefault(name, place)
    for name in {t.partition(":")[0].partition(".")[0] for t in class_paths} - {*first, *last}:
        if (origin := _origin(name)) is not None:
            last[name] = origin
    return Elsewhere(first, {n: p for n, p in last.items() if not _within(p, inside)})


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _on_the_path(inside: Sequence[Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """Modules in folders of ``sys.path`` before the first installed one, and behind it."""
    before: dict[str, Path] = {}
    behind: dict[str, Path] = {}
    paths_by_module = before
    for entry in sys.path:
        folder = Path(os.path.realpath(entry or "."))
        if _within(folder, inside):
            paths_by_module = behind
        elif os.path.isdir(folder):
            with suppress(OSError):
                for name, path in _modules(folder):
                    paths_by_module.setdefault(name, path)
    return before, behind


def _editable() -> Iterator[tuple[str, Path]]:
    """Top-level packages of setuptools' editable installations."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("__editable__"):
            for name, place in getattr(module, "MAPPING", {}).items():
                if "." not in name:
                    yield name, Path(place)


def _origin(name: str) -> Path | None:
    """A top-level module's file, or its package's folder; None where it has none."""
    with suppress(ImportError, ValueError, AttributeError):
        spec = importlib.util.find_spec(name)
        if spec and spec.origin and spec.has_location:
            folders = spec.submodule_search_locations
            return Path(next(iter(folders)) if folders else spec.origin)
    return None


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".py" and path.is_file():
            yield path.stem, path
        elif (path / "__init__.py").is_file():
            yield path.name, path


class ByName:
    """Finds top-level modules by a list, where their folder cannot be listed."""

    def __init__(self, paths_by_module: Mapping[str, Path]) -> None:
        self.paths_by_module = paths_by_module

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's place, or None."""
        place = self.paths_by_module.get(name)
        return None if place is None else file_spec(name, place)


def without(root: Path, hidden: Iterable[Path]) -> Iterator[Path]:
    """`root`, or the parts of it beside what is hidden; links are not followed there."""
    inside = [h for h in hidden if h.is_relative_to(root)]
    if root in inside:
        return
    if not inside:
        yield root
        return
    for child in sorted(root.iterdir()):
        if not child.is_symlink():
            yield from without(child, inside)


def hidden_files(named: Iterable[str]) -> list[Path]:
    """What is not to be seen, real paths; beside a raw file its whole folder, but for packages."""
    hidden: set[Path] = set()
    for name in named:
        path = Path(os.path.realpath(name))
        folder = path.parent
        shared = os.path.isfile(folder / "__init__.py") or folder.name in _PACKAGES
        hidden.add(path if os.path.isdir(path) or shared or not os.path.exists(path) else folder)
    return sorted(hidden)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    unique = sorted(set(paths))
    return [p for p in unique if not any(p != q and p.is_relative_to(q) for q in unique)]
