"""Runs cells: ``python -m recmerge_bench.worker``, a job a line on stdin, events on stdout.

Needs numpy, torch, pyarrow and safetensors (and transformers for text) and nothing else. It dies
with its parent, however the parent dies.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from recmerge_bench.blame import told
from recmerge_bench.errors import Blocked, HandledError
from recmerge_bench.planning.stages import STAGES
from recmerge_bench.running.context import Context
from recmerge_bench.running.energy import Meter
from recmerge_bench.running.parent import die_with_parent
from recmerge_bench.running.provenance import device_name, provenance
from recmerge_bench.running.store import Busy, Store

Emit = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve jobs until stdin closes."""
    die_with_parent()
    protocol = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a method prints goes to the log, not into the protocol
    for line in sys.stdin:
        execute(json.loads(line), lambda event: _send(protocol, event))
        gc.collect()


def _send(protocol: TextIO, event: dict[str, Any]) -> None:
    protocol.write(json.dumps(event) + "\n")


def execute(job: dict[str, Any], emit: Emit) -> None:
    """Run one cell to its end and say how it ended: done, busy, blocked or failed."""
    store, key = Store(Path(job["out"])), job["key"]
    try:
        with store.lock(key):
            if not store.intact(key):
                _run(store, job, emit)
            emit({"event": "done", "key": key})
    except Busy:
        emit({"event": "busy", "key": key})
    except Blocked as gap:
        emit({"event": "blocked", "key": key, "reason": gap.reason, "mend": gap.mend})
    except (Exception, KeyboardInterrupt) as error:
        emit(
            {
                "event": "failed",
                "key": key,
                "error": told(error) or f"{type(error).__name__}: {error}",
                "handled": isinstance(error, HandledError),
                "out_of_memory": _is_memory(error),
                "traceback": traceback.format_exc(),
            }
        )


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _run(store: Store, job: dict[str, Any], emit: Emit) -> None:
    _use_files(job.get("files", {}))
    _use_threads(job)
    start, clock = time.time(), time.perf_counter()
    _reset_peak()
    meter = Meter()
    with store.writing(job["key"]) as folder:
        context = Context(
            config=job["config"],
            inputs={role: store.check(key) for role, key in job["inputs"].items()},
            out=folder,
            work=store.work(job["key"]),
            seed=job["seed"] or 0,
            threads=job["threads"],
            device=job.get("device", "cpu"),
            progress=lambda state: emit({"event": "progress", "key": job["key"], **state}),
        )
        try:
            report = importlib.import_module(STAGES[job["kind"]]).run(context)
        finally:
            energy = meter.stop()
        record = {
            "schema": 1,
            "key": job["key"],
            "kind": job["kind"],
            "label": job["label"],
            "config": job["config"],
            "inputs": job["inputs"],
            "seed": job["seed"],
            "threads": job["threads"],
            "report": report,
            "started": round(start, 3),
            "seconds": round(time.perf_counter() - clock, 3),
            "peak_memory": _peak(),
            "energy": energy,
            "device": device_name(context.device),
            "provenance": {
                **provenance(),
                "plugins": job.get("plugins", {}),
                "sources": job.get("sources", {}),
            },
        }
        store.commit(job["key"], folder, record)


def _use_files(files: dict[str, str]) -> None:
    for name, path in files.items():
        if name in sys.modules:
            continue
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise HandledError(f"{path} cannot be imported as a plugin")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _use_threads(job: dict[str, Any]) -> None:
    if job["kind"] in ("data", "split", "candidates") or job["config"].get("counting"):
        return
    import torch

    torch.set_num_threads(job["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def _peak() -> int:
    """Peak resident memory since the cell began, in bytes (0 where the system does not tell)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


if __name__ == "__main__":
    main()
