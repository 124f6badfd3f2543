"""Executor ``local``: worker processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.api import ExecutorDefinition, ExecutorSpec, Spec, hookimpl


class LocalExecutor(ExecutorDefinition):
    """As many workers as cores allow at their thread count, or as ``--jobs`` says."""

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """Nothing is started before the first job."""
        from recmerge_bench.toolkit.workers import Pool

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.pool = Pool(jobs or max(1, (cores or 1) // threads), threads, log)

    def free(self) -> int:
        """Idle slots."""
        return self.pool.free()

    def submit(self, job: Mapping[str, Any]) -> None:
        """Start the job in a worker."""
        self.pool.submit(job)

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What the workers said."""
        return self.pool.events(timeout)

    def close(self) -> None:
        """Kill the workers."""
        self.pool.close()


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``local``."""
    return [
        ExecutorSpec(
            name="local",
            target=f"{__name__}:LocalExecutor",
            summary="Worker processes on this machine",
        )
    ]
