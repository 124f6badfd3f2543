"""Finds plugins and holds their specs; one broken plugin is reported and stops nothing else."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pluggy

from recmerge_bench import hookspecs
from recmerge_bench.errors import HandledError, near
from recmerge_bench.specs import KINDS, Spec

GROUP = "recmerge_bench"
VARIABLE = "RECMERGE_BENCH_PLUGINS"


@dataclass(frozen=True)
class Plugin:
    """A module that was loaded, where it came from, and what it registered."""

    name: str
    module: str
    origin: str
    version: str
    seconds: float
    specs: tuple[Spec, ...]


@dataclass
class Registry:
    """All specs by kind and name.

    Attributes:
        specs: (kind, name) -> spec.
        plugins: what was loaded.
        problems: one line for each plugin or spec that could not be used.
        suite_paths: suite files or folders of them.
        files: modules loaded from a file (``-p file.py``): module name -> path.
    """

    specs: dict[tuple[str, str], Spec] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    suite_paths: list[Path] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def get(self, kind: str, name: str) -> Spec:
        """The spec of that kind and name.

        Raises:
            HandledError: there is none; near names are suggested.
        """
        found = self.specs.get((kind, name))
        if found is None:
            known = self.names(kind)
            raise HandledError(
                f"no plugin registers the {kind} '{name}'{near(name, known)}; "
                "see `recmerge-bench plugins list`"
            )
        return found

    def names(self, kind: str) -> list[str]:
        """Sorted names of a kind."""
        return sorted(n for k, n in self.specs if k == kind)

    def plugin_of(self, spec: Spec) -> Plugin:
        """The plugin that registered a spec."""
        return next(p for p in self.plugins if spec in p.specs)


def discover(extra: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> Registry:
    """Load all plugins: entry points in sorted order, then `extra`, then the environment's.

    The order of loading changes nothing but which of two specs of one name wins: the first; the
    second is a problem that is reported.
    """
    registry = Registry()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=lambda p: (p.name, p.value)):
        version = point.dist.version if point.dist else ""
        origin = point.dist.name if point.dist else "?"
        _load(registry, manager, point.name, origin, version, point.load)
    named = [*extra, *filter(None, environ.get(VARIABLE, "").split(os.pathsep))]
    for name in dict.fromkeys(named):
        _load(registry, manager, name, name, "", functools.partial(_import_named, name, registry))
    return registry


def _load(
    registry: Registry,
    manager: pluggy.PluginManager,
    name: str,
    origin: str,
    version: str,
    load: Callable[[], ModuleType],
) -> None:
    start = time.perf_counter()
    try:
        module = load()
        manager.register(module, name=f"{origin}:{name}")
        hooks = manager.subset_hook_caller(
            "recmerge_bench_register",
            [p for p in manager.get_plugins() if p is not module],
        )
        specs = [spec for group in hooks() for spec in group]
        suites = manager.subset_hook_caller(
            "recmerge_bench_suites",
            [p for p in manager.get_plugins() if p is not module],
        )
        registry.suite_paths += [Path(path) for group in suites() for path in group]
    except Exception as error:  # a stranger's module may fail in any way
        last = traceback.extract_tb(error.__traceback__)[-1]
        registry.problems.append(
            f"plugin '{name}' ({origin}) failed to load: {type(error).__name__}: {error} "
            f"[{last.filename}:{last.lineno}]"
        )
        return
    kept = tuple(spec for spec in specs if _admit(registry, spec, name))
    seconds = time.perf_counter() - start
    registry.plugins.append(Plugin(name, module.__name__, origin, version, seconds, kept))


def _admit(registry: Registry, spec: Spec, plugin: str) -> bool:
    if not isinstance(spec, Spec) or spec.kind not in KINDS or ":" not in spec.target:
        registry.problems.append(
            f"plugin '{plugin}' registers something that is no valid Spec: {spec!r}"
        )
        return False
    if (spec.kind, spec.name) in registry.specs:
        registry.problems.append(
            f"plugin '{plugin}': the {spec.kind} '{spec.name}' is registered already; ignored"
        )
        return False
    registry.specs[spec.kind, spec.name] = spec
    return True


def _import_named(name: str, registry: Registry) -> ModuleType:
    path = Path(name)
    if path.suffix != ".py":
        return importlib.import_module(name)
    if not path.is_file():
        raise HandledError(f"no such file: {name}")
    return import_file(path.stem, path.resolve(), registry.files)


def import_file(module: str, path: Path, files: dict[str, str] | None = None) -> ModuleType:
    """Import a single-file plugin under its stem's name and remember the file for the workers."""
    if module in sys.modules and getattr(sys.modules[module], "__file__", None) != str(path):
        module = f"{module}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(module, path)
    if spec is None or spec.loader is None:
        raise HandledError(f"{path} cannot be imported as a plugin")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[module]
        raise
    if files is not None:
        files[module] = str(path)
    return loaded
