"""Runs cells: ``python -m recmerge_bench.worker``, a job a line on stdin, events on stdout.

``python -m recmerge_bench.worker --job FILE --events FILE`` runs the job (or the list of jobs) of
a JSON file instead and appends its events to another, see `recmerge_bench.running.job_files`.

Needs numpy, torch, pyarrow and safetensors (and transformers for text) and nothing else. It ends
with its parent, however the parent dies, and runs no method's code itself: see `supervise`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recmerge_bench import schema_numbers
from recmerge_bench.blame import plugin_fault
from recmerge_bench.errors import Blocked, HandledError
from recmerge_bench.planning.stages import STAGES
from recmerge_bench.processes.code_paths import ByName
from recmerge_bench.processes.memory import peak_memory, reset_peak
from recmerge_bench.processes.memory_limit import limit_to
from recmerge_bench.processes.parent import PARENT, die_with
from recmerge_bench.processes.words import Reported, clean, error_text, failure, trace_text
from recmerge_bench.running.context import Context
from recmerge_bench.running.energy import Meter
from recmerge_bench.running.job_files import run_files
from recmerge_bench.running.leases import Fenced, beating, held
from recmerge_bench.running.mirror import place_of
from recmerge_bench.running.provenance import device_name, provenance
from recmerge_bench.running.store import Busy, Store
from recmerge_bench.running.supervise import FORKS, Emit, ParentGone, started, supervise


def main(words: Sequence[str] = ()) -> int:
    """Serve jobs until stdin closes, or run those of a file; the exit status.

    Args:
        words: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m recmerge_bench.worker", description=__doc__)
    parser.add_argument("--job", type=Path, help="JSON: a job, or a list of jobs")
    parser.add_argument("--events", type=Path, help="what happens is appended, a JSON line each")
    given = parser.parse_args(words)
    if (given.job is None) != (given.events is None):
        parser.error("--job and --events go together")
    if given.job is not None:
        return run_files(given.job, given.events)
    _serve()
    return 0


def _serve() -> None:
    if sys.platform != "linux":
        die_with(int(os.environ.get(PARENT, os.getppid())))
    protocol = os.dup(1)
    os.dup2(2, 1)
    waiting = b""
    while data := os.read(0, 1 << 16):
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            try:
                execute(json.loads(line), lambda event: _send(protocol, event), asked=0)
            except (ParentGone, BrokenPipeError):
                return


def _send(protocol: int, event: dict[str, Any]) -> None:
    data = (json.dumps(event) + "\n").encode()
    while data:
        data = data[os.write(protocol, data) :]


def execute(job: Mapping[str, Any], emit: Emit, asked: int | None = None) -> None:
    """Run one cell to its end and say how it ended: done, busy, blocked or failed.

    On Linux the cell has a process of its own, forked from this one: call it from a process that
    has computed nothing with several threads. See `supervise`.
    """
    if FORKS:
        supervise(job, emit, run_cell, asked)
        return
    try:
        store = Store(place_of(job["out"]))
        with store.lock(job["key"], patient=True), beating(held(job["key"])):
            emit(started(job["key"]))
            run_cell(job, emit)
    except Busy:
        emit({"event": "busy", "key": job["key"]})


def run_cell(job: Mapping[str, Any], emit: Emit) -> None:
    """Run a cell whose lock is held, in this process, and say how it ended."""
    store, key, limit = Store(place_of(job["out"])), job["key"], sys.getrecursionlimit()
    try:
        if not store.sound(key):
            _run(store, job, emit)
        emit({"event": "done", "key": key})
    except Fenced:
        emit({"event": "busy", "key": key})
    except Blocked as missing:
        emit({"event": "blocked", "key": key, "reason": missing.reason, "mend": missing.remedy})
    except Reported as other:
        flags = {"handled": other.handled, "out_of_memory": other.out_of_memory}
        emit(failure(key, other.error, other.trace, **flags))
    except BaseException as error:  # SystemExit and the like out of a method are failures too
        sys.setrecursionlimit(max(limit, 1000))
        flags = {
            "handled": isinstance(error, HandledError),
            "out_of_memory": _is_memory(error),
        }
        words = clean(plugin_fault(error) or "") or error_text(error)
        emit(failure(key, words, trace_text(error), **flags))


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in error_text(error).lower()


def _run(store: Store, job: Mapping[str, Any], emit: Emit) -> None:
    _use_files(job.get("files", {}))
    _use_threads(job)
    limit_to(job.get("max_memory"))
    start, clock = time.time(), time.perf_counter()
    reset_peak()
    meter = Meter()
    with store.writing(job["key"]) as folder, store.inputs(job["inputs"]) as inputs:
        context = Context(
            config=job["config"],
            inputs=inputs,
            out=folder,
            work=store.work(job["key"]),
            seed=job["seed"] or 0,
            threads=job["threads"],
            device=job.get("device", "cpu"),
            progress=lambda state: emit({"event": "progress", "key": job["key"], **state}),
            files=job.get("files", {}),
            hidden=job.get("hidden", ()),
        )
        me = os.getpid()
        try:
            report = importlib.import_module(STAGES[job["kind"]]).run(context)
        finally:
            if os.getpid() != me:  # a fork that came back from the method
                os._exit(0)
            energy = meter.stop()
        record = {
            "schema": schema_numbers.CELL,
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
            "peak_memory": max(peak_memory(), int(report.pop("peak_memory", 0))),
            "energy": energy,
            "device": device_name(context.device),
            "provenance": {
                **provenance(),
                "plugins": job.get("plugins", {}),
                "sources": job.get("sources", {}),
            },
        }
        store.commit(job["key"], folder, record)


def _use_files(files: Mapping[str, str]) -> None:
    """Modules of single files are found when they are imported, and not before."""
    places = {name: Path(path) for name, path in files.items()}
    sys.meta_path.append(ByName(places))  # type: ignore[arg-type]


def _use_threads(job: Mapping[str, Any]) -> None:
    if job["kind"] in ("data", "split", "candidates") or job["config"].get("counting"):
        return
    import torch

    torch.set_num_threads(job["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
