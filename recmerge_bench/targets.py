"""From ``"package.module:Class"`` and options as JSON to a definition object."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from recmerge_bench.blame import culprit, is_plugin, one_line
from recmerge_bench.errors import HandledError, PluginError, near


def load_class(target: str) -> type:
    """Import the class that a spec's target names.

    Raises:
        PluginError: it cannot be imported.
    """
    module, _, name = target.partition(":")
    is_plugin(module)
    try:
        loaded: type = getattr(importlib.import_module(module), name)
    except MemoryError:
        raise
    except Exception as error:
        where = culprit(error) or f"plugin {module}"
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise PluginError(f"{where}: {target} cannot be imported: {reason}") from error
    for base in getattr(loaded, "__mro__", ()):  # a definition inherits from another plugin's
        if hasattr(base, "Options"):
            is_plugin(base.__module__)
    return loaded


def define(target: str, options: Mapping[str, Any]) -> Any:
    """The definition with its options, checked for unknown names only (planning checks types).

    Options that are not given have their defaults.
    """
    cls = load_class(target)
    return cls(options_of(cls, options))


def options_of(cls: type, values: Mapping[str, object]) -> object:
    """The instance of a definition's `Options` with these JSON values, lists as tuples.

    Raises:
        HandledError: an unknown name, or none for an option without a default.
    """
    options: Any = getattr(cls, "Options")  # noqa: B009
    fields = [f for f in dataclasses.fields(options) if f.init]
    known = {f.name for f in fields}
    for name in values:
        if name not in known:
            raise HandledError(
                f"{cls.__name__} has no option '{name}'{near(name, known)}; "
                f"it has: {', '.join(sorted(known)) or 'none'}"
            )
    for field in fields:
        if field.name not in values and field.default is field.default_factory:
            raise HandledError(f"{cls.__name__} needs the option '{field.name}'")
    return options(**{name: _tuples(value) for name, value in values.items()})


def _tuples(value: object) -> object:
    """Lists, at any depth of lists, as tuples: options are frozen."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
