"""Whose code it was: errors out of plugins, and results that are not as promised, with their place.

A plugin's code is what lies in the modules that specs' targets name (or in their packages). The
core is never a plugin.
"""

from __future__ import annotations

import inspect
import traceback
from typing import Any

from recmerge_bench.errors import Blocked, HandledError, PluginError

CORE = "recmerge_bench"
#: Top-level names of modules that hold plugins, as far as this process has met them.
_PLUGINS: set[str] = set()
#: Modules whose frames stand between a command and a plugin that is being loaded.
_LOADING = (CORE, "importlib", "pluggy", "functools", "contextlib")
#: What passes as it is: a plugin's own words to the user, and the machine's limits.
AS_IT_IS = (HandledError, Blocked, MemoryError)


def is_plugin(module: str) -> None:
    """Remember that a module holds a plugin, so that errors out of it are told as such."""
    top = module.partition(".")[0]
    if top != CORE:
        _PLUGINS.add(top)


def culprit(error: BaseException) -> str | None:
    """``plugin <module>, <file>:<line>`` of the innermost plugin's line that an error passed."""
    blamed = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _PLUGINS:
            blamed = f"plugin {module}, {frame.f_code.co_filename}:{line}"
    return blamed


def where_in(error: BaseException) -> str | None:
    """``<file>:<line>`` where a module failed to load, innermost of its own package's lines."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    blamed, top = None, None
    for frame, line in traceback.walk_tb(error.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _LOADING or frame.f_code.co_filename.startswith("<"):
            continue
        top = top or package
        if package == top:
            blamed = f"{frame.f_code.co_filename}:{line}"
    return blamed


def plugin_fault(error: BaseException) -> str | None:
    """What to say of an error out of a plugin; None where it is none, or has its own words."""
    where = None if isinstance(error, AS_IT_IS) else culprit(error)
    return None if where is None else f"{where}: {_named(error)}"


def place(definition: Any, method: str) -> str:
    """``plugin <module>, <file>:<line>``: where a definition's method (or class) begins."""
    cls = definition if isinstance(definition, type) else type(definition)
    member = getattr(cls, method, None)
    code = getattr(inspect.unwrap(member), "__code__", None) if callable(member) else None
    if code is None:
        return f"plugin {cls.__module__}, class {cls.__name__}"
    return f"plugin {cls.__module__}, {code.co_filename}:{code.co_firstlineno}"


def wrong(definition: Any, method: str, message: str) -> PluginError:
    """The error of a result that is not what the contract promises.

    Args:
        definition: an object of a plugin's class, or the class.
        method: whose result it is.
        message: what is wrong and what belongs there.
    """
    cls = definition if isinstance(definition, type) else type(definition)
    return PluginError(f"{place(definition, method)}: {cls.__name__}.{method}() {message}")


def one_line(error: BaseException) -> str:
    """An error's own words, whatever its class does when it is asked for them."""
    try:
        text = str(error)
    except Exception:
        text = "(an error that cannot be printed)"
    return " ".join(text.split())


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}".rstrip(": ")


__all__ = [
    "culprit",
    "is_plugin",
    "one_line",
    "place",
    "plugin_fault",
    "where_in",
    "wrong",
]
