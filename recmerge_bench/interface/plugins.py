"""The plugins of one call: installed ones and those that it names, sought anew each time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry, discover

#: Files (``median.py``) and modules to load beside the installed plugins, or what `discover` gave.
Plugins = Registry | str | Path | Sequence[str | Path]


class PluginWarning(UserWarning):
    """An installed plugin cannot be used, or two register one name; the others go on."""


def registry_of(plugins: Plugins = ()) -> Registry:
    """All installed plugins and those named; what an earlier call named is not among them.

    Args:
        plugins: paths of files or names of modules; a registry is taken as it is.

    Raises:
        HandledError: a plugin that is named cannot be used.

    Warns:
        PluginWarning: an installed one cannot.
    """
    if isinstance(plugins, Registry):
        return plugins
    named = [plugins] if isinstance(plugins, (str, Path)) else plugins
    registry = discover([str(name) for name in named])
    if registry.refused:
        raise HandledError(registry.refused[0])
    for problem in registry.problems:
        warnings.warn(problem, PluginWarning, stacklevel=3)
    return registry
