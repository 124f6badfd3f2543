"""Finds plugins and holds their specs; one broken plugin is reported and stops nothing else.

This package's own plugins come first, then other distributions', by name. Order decides nothing:
a name that two plugins register is nobody's, and whoever asks for it is told of both.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pluggy

from recmerge_bench import hookspecs
from recmerge_bench.admission import admitted, check_hooks
from recmerge_bench.blame import is_plugin, one_line, where_in
from recmerge_bench.contract_versions import check_source, check_versions
from recmerge_bench.errors import HandledError, near
from recmerge_bench.module_files import file_spec, module_path
from recmerge_bench.specs import METHOD_KINDS, Spec

GROUP = "recmerge_bench"
VARIABLE = "RECMERGE_BENCH_PLUGINS"
#: The distribution whose plugins come first.
DISTRIBUTION = "recmerge-bench"


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
        problems: one line for each plugin that could not be used and each contested name.
        refused: those of plugins that the user named for this command (``-p``).
        suite_paths: suite files or folders of them.
        named: what the user named for this command, as it was named.
        files: modules loaded from a file or folder (``-p file.py``): module name -> path.
        contested: (kind, name) -> the line that names all who register it.
    """

    specs: dict[tuple[str, str], Spec] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    suite_paths: list[Path] = field(default_factory=list)
    named: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    contested: dict[tuple[str, str], str] = field(default_factory=dict)

    def get(self, kind: str, name: str) -> Spec:
        """The spec of that kind and name.

        Raises:
            HandledError: there is none (near names are suggested), or two plugins register it.
        """
        spec = self.find((kind,), name)
        if spec is None:
            raise self.unknown(name, self.names(kind), f"the {kind} ")
        return spec

    def unknown(self, name: str, known: Iterable[str], what: str = "", where: str = "") -> (
        HandledError
    ):  # fmt: skip
        """The error that no plugin registers a name, with what is near and how to load one.

        Args:
            name: that was asked for.
            known: names of that kind.
            what: it is, such as ``the strategy ``.
            where: what the message begins with.
        """
        text = f"{where}no plugin registers {what}'{name}'{near(name, known)}"
        return HandledError(f"{text}; see `recmerge-bench plugins list`; {self._how_to_load(name)}")

    def _how_to_load(self, name: str) -> str:
        """Where a plugin's file is named; what those that were named register."""
        if self.named:
            own = [p for p in self.plugins if p.origin in self.named]
            specs = [f"{s.kind} '{s.name}'" for p in own for s in p.specs]
            return f"-p {' -p '.join(self.named)} registers {', '.join(specs) or 'nothing'}"
        stem = name.lower().replace("-", "_")
        file = next((f for f in (f"{stem}.py", f"{name}.py") if Path(f).is_file()), "FILE.py")
        return (
            f"a plugin's file is named before the command: `recmerge-bench -p {file} COMMAND ...`"
        )

    def find(self, kinds: Iterable[str], name: str) -> Spec | None:
        """The spec of that name, of the first of these kinds that has it.

        Raises:
            HandledError: two plugins register it.
        """
        for kind in kinds:
            if (kind, name) in self.contested:
                raise HandledError(self.contested[kind, name])
            if (kind, name) in self.specs:
                return self.specs[kind, name]
        return None

    def names(self, kind: str) -> list[str]:
        """Sorted names of a kind."""
        return sorted(n for k, n in self.specs if k == kind)

    def plugin_of(self, spec: Spec) -> Plugin:
        """The plugin that registered a spec."""
        return next(p for p in self.plugins if any(spec is own for own in p.specs))

    def claims(self) -> list[tuple[Spec, Plugin]]:
        """Every spec of every plugin, contested ones too."""
        return [(spec, plugin) for plugin in self.plugins for spec in plugin.specs]


def discover(extra: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> Registry:
    """Load all plugins: entry points, the package's own first, then `extra`, the environment's.

    A file's module takes the place of one of the same name that an earlier call loaded: its name,
    and the keys of its cells, are the same whatever was loaded before it in this process.
    """
    asked = list(dict.fromkeys(extra))
    registry = Registry(named=tuple(asked))
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    loader = _Loader(registry, manager)
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=_own_first):
        version = point.dist.version if point.dist else ""
        origin = point.dist.name if point.dist else "?"
        loader.load(point.name, origin, version, point.load, point.module)
    named = [*asked, *filter(None, environ.get(VARIABLE, "").split(os.pathsep))]
    for name in dict.fromkeys(named):
        load = functools.partial(import_named, name, registry.files)
        problem = loader.load(name, name, "", load, name)
        if problem and name in asked:
            registry.refused.append(problem)
    loaded = {plugin.module for plugin in registry.plugins}
    registry.files = {m: file for m, file in registry.files.items() if m in loaded}
    _find_contested(registry)
    return registry


def _own_first(point: importlib.metadata.EntryPoint) -> tuple[bool, str, str]:
    return (point.dist is None or point.dist.name != DISTRIBUTION, point.name, point.value)


class _Loader:
    """Loads plugins, one after another, into a registry."""

    def __init__(self, registry: Registry, manager: pluggy.PluginManager) -> None:
        self.registry, self.manager = registry, manager

    def load(
        self, name: str, origin: str, version: str, load: Callable[[], object], source: str
    ) -> str | None:
        """Take a plugin in whole, or say in one line why not.

        Args:
            name: of the plugin.
            origin: its distribution, or how it was named.
            version: of the distribution.
            load: imports it.
            source: its module's name, its file or its folder.
        """
        start, registry = time.perf_counter(), self.registry
        try:
            with contextlib.redirect_stdout(sys.stderr):  # a command's output is its own
                module = load()
                if not isinstance(module, ModuleType):
                    raise HandledError(f"it is no module but a {type(module).__name__}")
                if any(module.__name__ == p.module for p in registry.plugins):
                    return None  # named twice
                is_plugin(module.__name__)
                check_versions(module)
                check_hooks(module)
                specs, suites = self._ask(module, f"{origin}:{name}")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's module may fail in any way, exit included
            other = _of_another_version(source)
            where = "" if other else where_in(error)
            error = other or error
            reason = one_line(error) if isinstance(error, HandledError) else (
                f"{type(error).__name__}: {one_line(error)}".rstrip(": ")
            )  # fmt: skip
            who = f"plugin '{name}'" + ("" if origin == name else f" ({origin})")
            problem = f"{who}{f', {where}' if where else ''}: {reason}"
            registry.problems.append(f"{problem}; it is left out")
            return problem
        registry.suite_paths += suites
        for spec in specs:
            registry.specs.setdefault((spec.kind, spec.name), spec)
        seconds = time.perf_counter() - start
        registry.plugins.append(Plugin(name, module.__name__, origin, version, seconds, specs))
        return None

    def _ask(self, module: ModuleType, known_as: str) -> tuple[tuple[Spec, ...], list[Path]]:
        manager = self.manager
        manager.register(module, name=known_as)
        others = [p for p in manager.get_plugins() if p is not module]
        try:
            registered = manager.subset_hook_caller("recmerge_bench_register", others)()
            suites = manager.subset_hook_caller("recmerge_bench_suites", others)()
            return admitted(module, registered, suites)
        except BaseException:
            manager.unregister(module)
            raise


def _of_another_version(source: str) -> HandledError | None:
    """What a plugin that failed says of the version it was written for, where it is not ours."""
    path = Path(source)
    file = path if path.exists() else module_path(source)
    try:
        if file is not None:
            check_source(file)
    except HandledError as error:
        return error
    return None


def _find_contested(registry: Registry) -> None:
    """Note the names that more than one plugin registers; methods of all kinds share theirs."""
    claims: dict[tuple[str, str], list[tuple[Spec, Plugin]]] = {}
    for spec, plugin in registry.claims():
        shared: str = "method" if spec.kind in METHOD_KINDS else spec.kind
        claims.setdefault((shared, spec.name), []).append((spec, plugin))
    for (shared, name), claimants in claims.items():
        if len({id(plugin) for _, plugin in claimants}) < 2:
            continue
        who = " and by ".join(f"{p.module} ({spec.place}, {_origin(p)})" for spec, p in claimants)
        line = (
            f"the {shared} '{name}' is registered by {who}: one name means one thing; "
            "rename or remove one of them"
        )
        registry.problems.append(line)
        for spec, _ in claimants:
            registry.contested[spec.kind, name] = line


def _origin(plugin: Plugin) -> str:
    if plugin.version:
        return f"distribution {plugin.origin} {plugin.version}"
    return f"named as {plugin.origin}"


def only_file(files: Mapping[str, list[Path]], name: str, what: str) -> Path | None:
    """The file of that name, None where there is none.

    Raises:
        HandledError: there are several.
    """
    paths = files.get(name, [])
    if len(paths) > 1:
        raise HandledError(
            f"two files are {what} '{name}', {paths[0]} and {paths[1]}: one name means one thing"
        )
    return paths[0] if paths else None


def import_named(name: str, files: dict[str, str] | None = None) -> ModuleType:
    """Import what a user names: a file, a folder with ``__init__.py``, or a module.

    Args:
        name: as it was named.
        files: see `import_file`.

    Raises:
        HandledError: there is no such file.
        Exception: whatever the module raises.
    """
    path = Path(name)
    if (path / "__init__.py").is_file():
        return import_file(path.resolve().name, path.resolve(), files)
    if path.suffix != ".py":
        return importlib.import_module(name)
    if not path.is_file():
        raise HandledError("there is no such file")
    return import_file(path.stem, path.resolve(), files)


#: Modules of plugins that are files or folders and are loaded now, by name.
_FROM_FILES: dict[str, ModuleType] = {}


def _forget(module: str) -> None:
    for name in [n for n in sys.modules if n == module or n.startswith(f"{module}.")]:
        del sys.modules[name]


def _free_name(module: str, path: Path) -> str:
    """The module's name, or one of its own where another file's module has it."""
    source = path / "__init__.py" if path.is_dir() else path
    if module not in sys.modules or getattr(sys.modules[module], "__file__", None) == str(source):
        return module
    return f"{module}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def import_file(module: str, path: Path, files: dict[str, str] | None = None) -> ModuleType:
    """Import a plugin that is a file, or a folder with ``__init__.py``, and remember where it is.

    Args:
        module: the name that it gets: the file's stem, the folder's name.
        path: of the file or folder.
        files: where the module's place is noted for the workers.

    Raises:
        HandledError: Python has no loader for such a file.
    """
    if sys.modules.get(module) is _FROM_FILES.get(module) and module not in (files or {}):
        _forget(module)
    module = _free_name(module, path)
    spec = file_spec(module, path)
    if spec is None or spec.loader is None:
        raise HandledError(f"{path} cannot be imported as a plugin")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        _forget(module)
        raise
    _FROM_FILES[module] = loaded
    if files is not None:
        files[module] = str(path)
    return loaded
