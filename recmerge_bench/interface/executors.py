"""Where a run's cells are computed: the executor that the command or its suite names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.suites import Changes, texts
from recmerge_bench.planning.maker import absent
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.suite import ExecutorUse
from recmerge_bench.planning.suite_files import key_values
from recmerge_bench.registry import Registry

#: Where cells run if neither the command nor the suite says it.
DEFAULT_EXECUTOR = "local"
_PREFIX = "executor."
#: What a suite's own key ``executor`` holds: changes of these are the suite's.
_OF_SUITE = ("name", "options")


def executor_changes(changes: Changes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Options of the run's executor among the changes (``executor.KEY=VALUE``), and all others.

    Raises:
        HandledError: one is not of that form.
    """
    own: list[str] = []
    rest: list[str] = []
    for change in texts(changes):
        key = change.partition("=")[0]
        part = key.removeprefix(_PREFIX).partition(".")[0]
        mine = key.startswith(_PREFIX) and part not in _OF_SUITE
        (own if mine else rest).append(change)
    return key_values(change.removeprefix(_PREFIX) for change in own), tuple(rest)


def executor_of_run(
    of_suite: ExecutorUse | None, registry: Registry, name: str | None, options: Mapping[str, Any]
) -> CheckedExecutor:
    """What runs a suite's cells: named by the command, else by the suite, else the default.

    Args:
        of_suite: what the suite names, with options.
        registry: holds it.
        name: that the command gives; None: it gives none.
        options: that the command gives, over those of the suite where the suite's is meant.

    Raises:
        HandledError: no such executor, an unknown option, a value of a wrong type, or a package
            that it needs is not installed.
    """
    given = dict(options)
    if name is None and of_suite is not None:
        name, given = of_suite.name, {**of_suite.options, **given}
    spec = registry.get("executor", name or DEFAULT_EXECUTOR)
    if missing := absent(spec.name, spec.requires):
        raise HandledError(": ".join(missing))
    return CheckedExecutor(complete(spec, given, "executor").definition())


__all__ = ["DEFAULT_EXECUTOR", "executor_changes", "executor_of_run"]
