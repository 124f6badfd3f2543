"""RecMerge-Bench: merging sequential recommenders and cross-domain sequential recommendation.

    import recmerge_bench as rmb

    run = rmb.run("quick", out="runs")
    merged = rmb.merge("ties", base=base, experts=[one, other], density=0.2)

What is named in `__all__` is the Python API; the command line calls it too. Each name is imported
when it is first used: importing this package imports nothing else. Errors are exceptions of
`recmerge_bench.errors`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from recmerge_bench._version import __version__

if TYPE_CHECKING:
    from recmerge_bench.interface.comparisons import Comparison, compare
    from recmerge_bench.interface.evaluations import Evaluation, evaluate
    from recmerge_bench.interface.health import DoctorReport, doctor
    from recmerge_bench.interface.import_run import ImportedRun, import_run
    from recmerge_bench.interface.merge_files import merge_files
    from recmerge_bench.interface.merge_plans import merge_plan
    from recmerge_bench.interface.merges import Merged, merge
    from recmerge_bench.interface.plans import Plan, plan
    from recmerge_bench.interface.plugins import PluginWarning
    from recmerge_bench.interface.reruns import Rerun, rerun
    from recmerge_bench.interface.results import Results, load_results
    from recmerge_bench.interface.run_results import RunResults, run_results
    from recmerge_bench.interface.runs import Run, run
    from recmerge_bench.interface.suites import load_suite
    from recmerge_bench.planning.suite import Suite

#: Name -> the module that it comes from.
_PLACES = {
    "Comparison": "interface.comparisons",
    "DoctorReport": "interface.health",
    "Evaluation": "interface.evaluations",
    "ImportedRun": "interface.import_run",
    "Merged": "interface.merges",
    "Plan": "interface.plans",
    "PluginWarning": "interface.plugins",
    "Rerun": "interface.reruns",
    "Results": "interface.results",
    "Run": "interface.runs",
    "RunResults": "interface.run_results",
    "Suite": "planning.suite",
    "compare": "interface.comparisons",
    "doctor": "interface.health",
    "evaluate": "interface.evaluations",
    "import_run": "interface.import_run",
    "load_results": "interface.results",
    "load_suite": "interface.suites",
    "merge": "interface.merges",
    "merge_files": "interface.merge_files",
    "merge_plan": "interface.merge_plans",
    "plan": "interface.plans",
    "rerun": "interface.reruns",
    "run": "interface.runs",
    "run_results": "interface.run_results",
}

__all__ = [
    "Comparison",
    "DoctorReport",
    "Evaluation",
    "ImportedRun",
    "Merged",
    "Plan",
    "PluginWarning",
    "Rerun",
    "Results",
    "Run",
    "RunResults",
    "Suite",
    "__version__",
    "compare",
    "doctor",
    "evaluate",
    "import_run",
    "load_results",
    "load_suite",
    "merge",
    "merge_files",
    "merge_plan",
    "plan",
    "rerun",
    "run",
    "run_results",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value: object = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
