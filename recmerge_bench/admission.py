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

#: Names of the hooks.
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith(f"{hookspecs.PROJECT}_"))
_MARK = f"{hookspecs.PROJECT}_impl"


def check_hooks(module: ModuleType) -> None:
    """Refuse a module whose hooks would not be found.

    Raises:
        HandledError: a misspelt hook, one without ``@hookimpl``, or none at all.
    """
    marked = 0
    for name, value in list(vars(module).items()):
        if not inspect.isfunction(value):
            continue
        is_marked = hasattr(value, _MARK)
        if is_marked and name not in HOOKS:
            raise _at(value, f"there is no hook '{name}'{near(name, HOOKS)}")
        if not is_marked and name in HOOKS:
            raise _at(value, f"{name} needs @hookimpl above it")
        if not is_marked and value.__module__ == module.__name__ and _meant(name):
            raise _at(value, f"there is no hook '{name}'{near(name, HOOKS)}")
        marked += is_marked
    if not marked:
        raise HandledError(f"it implements no hook ({' or '.join(HOOKS)})")


def admitted(
    module: ModuleType, registered: Iterable[Any], suites: Iterable[Any]
) -> tuple[tuple[Spec, ...], list[Path]]:
    """Specs and suite paths from what a module's hooks returned.

    Raises:
        HandledError: they returned something else; says at which file and line.
    """
    specs: list[Spec] = []
    for each in _listed(module, HOOKS[0], registered):
        if not isinstance(each, Spec) or type(each) is not SPECS[each.kind]:
            raise _of(module, HOOKS[0], f"registers {each!r}, which is no spec")
        twice = next((s for s in specs if (s.kind, s.name) == (each.kind, each.name)), None)
        if twice is not None:
            raise HandledError(
                f"{each.place}: the {each.kind} '{each.name}' is registered at {twice.place} too"
            )
        try:
            check_early(each)
        except HandledError as error:
            raise HandledError(f"{each.place}: {error}") from None
        specs.append(each)
    paths = []
    for path in _listed(module, HOOKS[1], suites):
        if not isinstance(path, (str, Path)) or not Path(path).exists():
            raise _of(module, HOOKS[1], f"names {path!r}, and there is no such file or folder")
        paths.append(Path(path))
    return tuple(specs), paths


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
