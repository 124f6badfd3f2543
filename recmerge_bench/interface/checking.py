"""Plugins checked before they are run: what they say of themselves, and what they do."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recmerge_bench.conformance.apart import outcomes
from recmerge_bench.conformance.importing import Imported, imported_apart
from recmerge_bench.conformance.kinds import facts_of, requirements, subject, tried_as
from recmerge_bench.conformance.requirement import (
    Outcome,
    Requirement,
    Unmet,
    Untried,
    requirement,
    try_requirement,
)
from recmerge_bench.contracts import spec_class
from recmerge_bench.errors import Blocked, HandledError, near
from recmerge_bench.interface.plugin_options import OptionFacts, option_facts
from recmerge_bench.planning.maker import absent
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Plugin, Registry, discover
from recmerge_bench.specs import KINDS, Spec

#: Seconds that importing a plugin may take: every command waits for it.
IMPORT_SECONDS = 1.0
#: Seconds that one requirement may take.
PATIENCE = 120.0


@dataclass(frozen=True)
class CheckedSpec:
    """What was tried of one spec.

    Attributes:
        kind: of the spec.
        name: of the spec.
        target: its class.
        options: with types, defaults and meanings.
        outcomes: a requirement each.
    """

    kind: str
    name: str
    target: str
    options: tuple[OptionFacts, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class CheckReport:
    """What was tried of a plugin.

    Attributes:
        plugin: as it was named.
        module: its module; empty where it could not be loaded.
        outcomes: of the plugin as a whole: import, hooks, specs.
        specs: of each spec.
    """

    plugin: str
    module: str
    outcomes: tuple[Outcome, ...]
    specs: tuple[CheckedSpec, ...] = field(default=())

    def all(self) -> list[Outcome]:
        """Every outcome, the plugin's first."""
        return [*self.outcomes, *(o for spec in self.specs for o in spec.outcomes)]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(outcome.status != "failed" for outcome in self.all())

    def to_json(self) -> dict[str, Any]:
        """Plain values, and ``ok``."""
        return {"ok": self.ok, **asdict(self)}


#: Told each outcome when it is there; of which spec (None: of the plugin).
Tell = Callable[[Outcome, Spec | None], None]


def check_plugin(
    name: str,
    *,
    options: Mapping[str, object] | None = None,
    data_root: Path | None = None,
    plugins: Sequence[str] = (),
    only: Sequence[str] = (),
    patience: float = PATIENCE,
    tell: Tell | None = None,
) -> CheckReport:
    """Check a plugin: hooks, specs, import and options, then what its kinds have to do.

    Each spec is tried in processes of its own on tiny generated data: what ends its process or
    hangs fails, and stops nothing else.

    Args:
        name: a file, a folder with ``__init__.py``, a module, an installed plugin's name, or the
            name of a dataset, model, strategy, protocol, metric or executor (``kind:name`` where
            several kinds have it).
        options: of the specs that have them, laid over their defaults.
        data_root: folder of raw data, for datasets and encoders.
        plugins: further plugins to load first.
        only: names of requirements; all by default.
        patience: seconds for each requirement.
        tell: called with each outcome.

    Raises:
        HandledError: there is no such plugin, or no such option or requirement.
    """
    tell = tell or (lambda outcome, spec: None)
    named = _sought(name, tuple(plugins))
    if named.plugin is not None:
        _refuse_unknown(named.specs, only, options or {})
    early = tuple(_reported(_early(named), tell, None))
    if named.plugin is None:
        return CheckReport(name, "", early)
    checked = []
    for spec in named.specs:
        given = _own_options(spec, options or {}, named.specs)
        tried = tuple(_reported(_of_spec(spec, given, data_root, only, patience), tell, spec))
        known = tuple(option_facts(spec_class(spec), spec.options))
        checked.append(CheckedSpec(spec.kind, spec.name, spec.target, known, tried))
    return CheckReport(name, named.plugin.module, early, tuple(checked))


def _reported(made: Iterator[Outcome], tell: Tell, spec: Spec | None) -> Iterator[Outcome]:
    for outcome in made:
        tell(outcome, spec)
        yield outcome


@dataclass(frozen=True)
class _Named:
    """What a name stands for.

    Attributes:
        importable: what is imported to look at the import: file, folder or module.
        registry: with the plugin, where it could be loaded.
        plugin: it; None where it could not be loaded.
        specs: those that are checked.
        imported: how the import went in a process of its own.
    """

    importable: str
    registry: Registry
    plugin: Plugin | None
    specs: tuple[Spec, ...]
    imported: Imported


def _sought(name: str, plugins: tuple[str, ...]) -> _Named:
    """What is meant by a name.

    Raises:
        HandledError: nothing.
    """
    path = Path(name)
    if path.suffix == ".py" and not path.is_file():
        raise HandledError(f"{name}: there is no such file")
    if path.suffix == ".py" or (path / "__init__.py").is_file():
        return _loaded(name, plugins)
    registry = discover(plugins)
    if registry.refused:
        raise HandledError(registry.refused[0])
    kind, _, own = name.partition(":")
    if kind not in KINDS:  # `library:Model` is a model's name
        kind, own = "", name
    claims = [(s, p) for s, p in registry.claims() if s.name == own and kind in ("", s.kind)]
    if claims:
        specs = tuple(spec for spec, _ in claims)
        return _registered(registry, claims[0][1], specs)
    for plugin in registry.plugins:
        if name in (plugin.name, plugin.module):
            return _registered(registry, plugin, plugin.specs)
    if _is_module(name):
        return _loaded(name, plugins)
    if path.is_dir():
        raise HandledError(f"{name}: a folder that is a plugin has an __init__.py")
    known = [spec.name for spec, _ in registry.claims()]
    raise HandledError(f"no file, module or plugin '{name}'{near(name, known)}")


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _loaded(name: str, plugins: tuple[str, ...]) -> _Named:
    """A plugin that is loaded for this check: first in a process of its own, then here."""
    imported = imported_apart(name)
    if imported.error and "the process" in imported.error:
        return _Named(name, Registry(), None, (), imported)
    registry = discover([*plugins, name])
    made = [p for p in registry.plugins if p.origin == name]
    plugin = made[0] if made else None
    return _Named(name, registry, plugin, plugin.specs if plugin else (), imported)


def _registered(registry: Registry, plugin: Plugin, specs: tuple[Spec, ...]) -> _Named:
    source = registry.files.get(plugin.module, plugin.module)
    return _Named(source, registry, plugin, specs, imported_apart(source))


def _early(named: _Named) -> Iterator[Outcome]:
    for each in _OF_PLUGINS:
        yield try_requirement(each, named)


@requirement(
    "registers",
    "it is imported, its hooks are found, and its specs and their classes are valid",
    why="a plugin that is not taken in whole is left out of every command",
    remedy="correct the file and line that are named: a hook is a function "
    "`recmerge_bench_register` with @hookimpl above it that returns a list of specs",
)
def _registers(named: _Named) -> None:
    if named.plugin is None:
        refused = named.registry.refused or [named.imported.error]
        raise Unmet(refused[0])
    if not named.plugin.specs and not named.registry.suite_paths:
        raise Unmet(f"{named.plugin.module} registers nothing: its hook returns an empty list")


@requirement(
    "names-free",
    "no other plugin registers its names",
    why="one name means one thing: a contested name is nobody's",
    remedy="rename yours in its spec",
)
def _names_free(named: _Named) -> None:
    if named.plugin is None:
        raise Untried("it could not be loaded")
    for spec in named.specs:
        if (spec.kind, spec.name) in named.registry.contested:
            raise Unmet(named.registry.contested[spec.kind, spec.name])


@requirement(
    "import-time",
    f"it is imported within {IMPORT_SECONDS:.0f} s, without torch and the like",
    why="every command, --help included, imports every plugin",
    remedy="import torch and other large libraries inside the methods that use them, and read "
    "files there too",
)
def _import_time(named: _Named) -> None:
    imported = named.imported
    if imported.heavy:
        raise Unmet(f"importing it imports {', '.join(imported.heavy)} ({imported.seconds:.1f} s)")
    if imported.seconds > IMPORT_SECONDS:
        raise Unmet(f"importing it takes {imported.seconds:.1f} s")


@requirement(
    "import-side-effects",
    "importing it changes nothing of the process",
    why="whoever lists plugins did not ask for another environment or working directory",
    remedy="set what has to be set inside the method that needs it, and put it back",
)
def _import_side_effects(named: _Named) -> None:
    if named.imported.changed:
        raise Unmet(f"importing it changed {' and '.join(named.imported.changed)}")


_OF_PLUGINS = (_registers, _names_free, _import_time, _import_side_effects)


def _own_options(
    spec: Spec, options: Mapping[str, object], specs: Sequence[Spec]
) -> dict[str, object]:
    """Of the given options those that the spec's class has; all of them where it is alone."""
    if len(specs) == 1:
        return dict(options)
    known = {fact.name for fact in option_facts(spec_class(spec), {})}
    return {name: value for name, value in options.items() if name in known}


def _refuse_unknown(
    specs: Sequence[Spec], only: Sequence[str], options: Mapping[str, object]
) -> None:
    """Names of requirements and options that nothing here has.

    Raises:
        HandledError: one of them.
    """
    kinds = {tried_as(spec) for spec in specs} if only else set()
    names = {each.name for kind in kinds for each in requirements(kind)}
    for name in only:
        if name not in names:
            raise HandledError(
                f"no requirement '{name}'{near(name, names)}; there are {', '.join(sorted(names))}"
            )
    known = {f.name for spec in specs for f in option_facts(spec_class(spec), {})}
    for name in options:
        if name not in known:
            raise HandledError(f"no option '{name}'{near(name, known)}")


def _of_spec(
    spec: Spec, given: Mapping[str, object], data_root: Path | None, only: Sequence[str],
    patience: float,
) -> Iterator[Outcome]:  # fmt: skip
    """The kind's requirements, one after another."""
    if absent(spec.name, spec.requires):
        yield try_requirement(_installed, spec)
        return
    try:
        definition = complete(spec, given, "check").definition()
    except HandledError:
        if given:
            raise
        yield try_requirement(_options, spec)
        return
    wanted: list[Requirement] = [
        each for each in requirements(tried_as(spec)) if not only or each.name in only
    ]
    yield from outcomes(
        wanted, lambda: subject(tried_as(spec), definition, **facts_of(spec, data_root)), patience
    )


@requirement(
    "requires",
    "what its spec requires is installed",
    why="a worker has to be able to import it",
    remedy="install it",
)
def _installed(spec: Spec) -> None:
    if reason := absent(spec.name, spec.requires):
        raise Blocked(*reason)


@requirement(
    "options",
    "its options have valid defaults",
    why="a row that gives no options has to run",
    remedy="give each option of the dataclass `Options` a type and a default that fits it",
)
def _options(spec: Spec) -> None:
    complete(spec, {}, "check")


__all__ = ["CheckReport", "CheckedSpec", "check_plugin"]
