"""The public runner: jobs from a file, events into another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.conformance import executor_jobs as jobs
from recmerge_bench.conformance.executor_jobs import job_of, key_of
from recmerge_bench.running.store import Store

#: What a writer that was killed may leave.
HALF = '{"event": "do'


def runner(folder: Path, given: Any) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    (folder / "job.json").write_text(json.dumps(given))
    words = ["--job", str(folder / "job.json"), "--events", str(folder / "events.jsonl")]
    command = [sys.executable, "-m", "recmerge_bench.worker", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    path = folder / "events.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return done, [json.loads(line) for line in lines if line != HALF]


def test_jobs_of_a_file_leave_their_events_in_another(tmp_path: Path) -> None:
    given = [
        job_of("good", jobs.TinyDataset, tmp_path),
        job_of("failing", jobs.FailingDataset, tmp_path),
        job_of("dying", jobs.DyingDataset, tmp_path),
    ]
    done, events = runner(tmp_path, given)
    assert done.returncode == 1, done.stderr
    told = [(e["key"], e["event"]) for e in events]
    names = [key_of(n) for n in ("good", "failing", "dying")]
    ends = ("done", "failed", "failed")
    assert told == [(k, e) for k, end in zip(names, ends, strict=True) for e in ("started", end)]
    assert "on purpose" in events[3]["error"] and "exit status 9" in events[5]["error"]
    assert Store(tmp_path / "out").sound(key_of("good"))
    # Half a line of a runner that was killed, and the same file once more.
    with open(tmp_path / "events.jsonl", "a") as file:
        file.write(HALF)
    again, events = runner(tmp_path, given[0])
    assert again.returncode == 0 and events[6:] == [{"event": "done", "key": names[0]}]
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert lines.index(HALF) == 6 and len(lines) == 8, "ended before the next event, no line empty"


@pytest.mark.parametrize("given", ["no job", [{"kind": "data"}], 3])
def test_a_file_without_jobs_is_said(tmp_path: Path, given: Any) -> None:
    done, events = runner(tmp_path, given)
    assert done.returncode == 2 and not events
    assert done.stderr.startswith(f"error: {tmp_path}/job.json: no job in it")


def test_job_and_events_go_together(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "recmerge_bench.worker", "--job", "x.json"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and "--job and --events go together" in done.stderr
