"""What a plugin's hooks have to be and to return, checked before anything of it is used."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from recmerge_bench import hookspecs
from recmerge_bench.contracts import check_early
from recmerge_bench.errors import HandledError, near
from recmerge_bench.specs import SPECS, Spec
from recmerge_bench.toolkit.merging.hybrids import HybridsSpec

#: Names of the hooks.
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith(f"{hookspecs.PROJECT}_"))
_MARK = f"{hookspecs.PROJECT}_impl"


def check_hooks(module: ModuleType) -> None:
    """Refuse a module whose hooks would not be found.

    Raises:
        HandledError: a misspelt hook, one without ``@hookimpl``, or none at all.
    """
    functions = {n: f for n, f in vars(module).items() if inspect.isfunction(f)}
    for name, function in functions.items():
        _check_hook(module, name, function)
    if not any(hasattr(function, _MARK) for function in functions.values()):
        raise HandledError(f"it implements no hook ({' or '.join(HOOKS)})")


def _check_hook(module: ModuleType, name: str, function: Any) -> None:
    """A function that is called as a hook is marked as one, and one that is marked is one."""
    marked = hasattr(function, _MARK)
    if name in HOOKS:
        if not marked:
            raise _at(function, f"{name} needs @hookimpl above it")
        if asked := list(inspect.signature(function).parameters):
            raise _at(function, f"{name} takes no arguments, not ({', '.join(asked)})")
    elif marked or (function.__module__ == module.__name__ and _meant(name)):
        raise _at(function, f"there is no hook '{name}'{near(name, HOOKS)}")


def admitted(
    module: ModuleType, registered: Iterable[Any], suites: Iterable[Any]
) -> tuple[tuple[Spec, ...], list[Path]]:
    """Specs and suite paths from what a module's hooks returned.

    Raises:
        HandledError: they returned something else; says at which file and line.
    """
    specs: dict[tuple[str, str], Spec] = {}
    for spec in _listed(module, HOOKS[0], registered):
        if not isinstance(spec, Spec) or type(spec) not in (SPECS[spec.kind], HybridsSpec):
            raise _of(module, HOOKS[0], f"registers {spec!r}, which is no spec")
        _check_registered(spec, specs.get((spec.kind, spec.name)))
        specs[spec.kind, spec.name] = spec
    paths = []
    for path in _listed(module, HOOKS[1], suites):
        if not isinstance(path, (str, Path)) or not Path(path).exists():
            raise _of(module, HOOKS[1], f"names {path!r}, and there is no such file or folder")
        paths.append(Path(path))
    return tuple(specs.values()), paths


def _check_registered(spec: Spec, twice: Spec | None) -> None:
    """A spec's name is its own, and its class is what its kind needs."""
    if twice is not None:
        raise HandledError(
            f"{spec.place}: the {spec.kind} '{spec.name}' is registered at {twice.place} too"
        )
    try:
        check_early(spec)
    except HandledError as error:
        raise HandledError(f"{spec.place}: {error}") from None


def _listed(module: ModuleType, hook: str, returned: Iterable[Any]) -> list[Any]:
    """What a hook returned, which has to be a list."""
    lists = list(returned)
    if not lists and hook in vars(module):
        raise _of(module, hook, "returns nothing; it has to return a list")
    if lists and not isinstance(lists[0], (list, tuple)):
        raise _of(module, hook, f"returns {lists[0]!r}; it has to return a list")
    return list(lists[0]) if lists else []


def _meant(name: str) -> bool:
    """Whether a function's name looks like a hook's."""
    return bool(difflib.get_close_matches(name, HOOKS, 1, 0.85))


def _of(module: ModuleType, hook: str, message: str) -> HandledError:
    return _at(vars(module)[hook], f"{hook} {message}")


def _at(function: Any, message: str) -> HandledError:
    code = inspect.unwrap(function).__code__
    return HandledError(f"{code.co_filename}:{code.co_firstlineno}: {message}")


__all__ = ["HOOKS", "admitted", "check_hooks"]
