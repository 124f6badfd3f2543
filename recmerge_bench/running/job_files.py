"""Jobs from a file, events into another: how clusters and queues run cells.

    python -m recmerge_bench.worker --job job.json --events events.jsonl

The file holds a job (see `recmerge_bench.running.jobs`) or a list of them, run one after another in
a worker process with the threads that each asks for. Events are appended, a line of JSON each, as
they happen: what reads the file while it grows takes whole lines, and leaves out one that is no
JSON (half of an event, where a runner was killed). Deadlines and memory bounds are kept here, and
what was started ends with this process. Running a file again is safe: cells that are done say so at
once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recmerge_bench.processes.words import ENDS
from recmerge_bench.toolkit.workers import Pool

#: Seconds between two looks at a worker that says nothing.
TURN = 1.0


def run_files(job_file: Path, events_file: Path) -> int:
    """Run the jobs of a file and append their events to another.

    Returns:
        Exit status: 0 where every job is done, 1 where one is not, 2 where the file holds no jobs.
    """
    try:
        jobs = read_jobs(job_file)
    except (OSError, ValueError) as error:
        print(f"error: {job_file}: no job in it ({error})", file=sys.stderr)
        return 2
    logs = events_file.parent / f"{events_file.stem}-worker"
    with _appending(events_file) as say:
        ends = list(run_jobs(jobs, logs, say))
    return 0 if all(event["event"] == "done" for event in ends) else 1


def read_jobs(file: Path) -> list[dict[str, Any]]:
    """The jobs of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, or no job has the form of one.
    """
    raw = json.loads(file.read_bytes())
    jobs = raw if isinstance(raw, list) else [raw]
    for job in jobs:
        if not isinstance(job, dict) or not isinstance(job.get("key"), str):
            raise ValueError("a job is a mapping with its cell's 'key'")
    return jobs


def run_jobs(
    jobs: list[dict[str, Any]], logs: Path, say: Callable[[dict[str, Any]], None]
) -> Iterator[dict[str, Any]]:
    """The event that ended each job; all events go to `say`."""
    pool: Pool | None = None
    try:
        for job in jobs:
            if pool is None or pool.threads != job["threads"]:
                if pool is not None:
                    pool.close()
                pool = Pool(1, job["threads"], logs)
            yield _run(pool, job, say)
    finally:
        if pool is not None:
            pool.close()


def _run(
    pool: Pool, job: Mapping[str, Any], say: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    pool.submit(job)
    while True:
        for event in pool.events(TURN):
            say(event)
            if event["event"] in ENDS:
                return event


@contextmanager
def _appending(file: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What appends events, each whole: a line that a killed writer left half is ended first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            os.write(handle, b"\n")
        yield lambda event: _write(handle, (json.dumps(event) + "\n").encode())
    finally:
        os.close(handle)


def _write(handle: int, line: bytes) -> None:
    while line:
        line = line[os.write(handle, line) :]


__all__ = ["read_jobs", "run_files", "run_jobs"]
