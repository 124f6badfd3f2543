"""What cells import, imported before they are forked: once for a worker and not once for a cell.

A worker imports nothing before it is handed a cell that needs it. While a cell waits (for an
accelerator, say) its supervisor has nothing to do, and imports what the cells behind it need.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recmerge_bench.planning.stages import STAGES

#: What a stage imports when it runs, beside its own module. pyarrow looks for pandas when it makes
#: its first array, and imports all of it where it is installed.
_RANKING = (
    "safetensors.torch", "safetensors.numpy", "recmerge_bench.evaluation.scorers",
    "recmerge_bench.evaluation.split_ranks",
)  # fmt: skip
_LATE = {
    "train": ("torch._dynamo", "safetensors.torch", "recmerge_bench.training.trainer"),
    "merge": ("safetensors.torch", "recmerge_bench.toolkit.merging.strategy"),
    "curve": ("safetensors.torch", "recmerge_bench.merging.course"),
    "rank": (*_RANKING, "recmerge_bench.evaluation.probes", "pandas", "pyarrow.pandas_compat"),
    "validate": _RANKING,
    "text": ("torch",),
    "weights": ("torch",),
}


def late_kind(kind: str, config: Mapping[str, Any]) -> str:
    """The kind of a cell that imports much when it runs; empty for one that imports little.

    Of trainings, those that count need no more than numpy.
    """
    light = kind == "train" and bool(config.get("counting"))
    return kind if kind in _LATE and not light else ""


def import_for(job: Mapping[str, Any]) -> None:
    """Import what a job's cell is going to."""
    late = late_kind(job["kind"], job["config"])
    _import((STAGES[job["kind"]], "pyarrow.parquet", *_LATE.get(late, ())))


def _import(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):  # the cell's own process will say it
            importlib.import_module(name)


class WhileWaiting:
    """Imports what later cells need as soon as the running one is seen to wait.

    A cell that computes is left alone: what is imported beside it would be in its time.

    Args:
        pid: the cell's process.
        kinds: late ones of the cells that need what it makes, see `late_kind`.
    """

    def __init__(self, pid: int, kinds: Iterable[str]) -> None:
        names = dict.fromkeys(n for k in kinds if k in _LATE for n in (STAGES[k], *_LATE[k]))
        self._names = [name for name in names if name not in sys.modules]
        self._file = Path(f"/proc/{pid}/stat")
        self._ticks = -1

    def pending(self) -> bool:
        """Whether there is something to import still."""
        return bool(self._names)

    def look(self) -> None:
        """Import all of it if the cell sleeps and has computed nothing since the last look."""
        if not self._names:
            return
        try:
            facts = self._file.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return
        before, self._ticks = self._ticks, int(facts[11]) + int(facts[12])
        if facts[0] == "S" and self._ticks == before:
            _import(self._names)
            self._names.clear()


__all__ = ["WhileWaiting", "import_for", "late_kind"]
