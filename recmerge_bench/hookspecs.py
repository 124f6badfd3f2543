"""The whole plugin contract.

A plugin is a module that implements any of these hooks with ``@hookimpl`` and is named by an
entry point of the group ``recmerge_bench``, by ``-p module_or_file.py`` or by the environment
variable ``RECMERGE_BENCH_PLUGINS``. The module is imported for every command: it returns light
specs and imports neither torch nor anything else heavy at its top.
"""

from __future__ import annotations

from pathlib import Path

import pluggy

from recmerge_bench.specs import Spec

PROJECT = "recmerge_bench"
hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def recmerge_bench_register() -> list[Spec]:
    """Return the specs of the datasets, models, strategies, protocols, metrics and executors."""
    return []


@hookspec
def recmerge_bench_suites() -> list[Path]:
    """Return suite files (YAML), or folders of them, that ``--suite NAME`` finds by name."""
    return []
