"""Cells as jobs of a queue: batched, attached to, requeued; the same bytes as here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clusters import Suite, is_alive, parents, until, waiting_suite
from recmerge_bench_plugins.executors import submitit as module
from recmerge_bench_plugins.executors.submitit import Batch, Options, SubmititExecutor
from slurm_cluster import queue
from slurm_cluster import real_slurm as real_slurm

pytest.importorskip("submitit")


def on(cluster: str, **options: Any) -> list[str]:
    more = [f"executor.{key}={value}" for key, value in {"cluster": cluster, **options}.items()]
    return ["--executor", "submitit", *(word for each in more for word in ("--set", each))]


def job(key: str, cost: float = 1.0, gpus: int = 0, memory: int | None = None) -> dict[str, Any]:
    resources = {"threads": 1, "memory": memory, "gpus": gpus}
    return {"key": key, "cost": cost, "timeout": 60.0, "resources": resources}


class Recorded(SubmititExecutor):
    """Notes the arrays that it would submit."""

    arrays: list[list[list[str]]]

    def _submit(self, batches: list[Batch]) -> None:
        self.arrays.append([[j["key"] for j in b.jobs] for b in batches])
        for batch in batches:
            batch.job = type("Job", (), {"job_id": "1"})


def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Recorded:
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    executor = Recorded(Options(cluster="slurm", **options))
    executor.open(None, 1, tmp_path / "logs")
    executor.arrays = []
    return executor


def test_cells_of_a_shape_are_an_array_and_small_ones_share_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = recorded(tmp_path, monkeypatch, parallelism=2, batch=4)
    small = [job(f"small{n}") for n in range(10)]
    large = [job(f"large{n}", cost=900.0) for n in range(3)]
    on_gpu = [job("gpu", cost=900.0, gpus=1)]
    for each in (*small, *large, *on_gpu):
        executor.submit(each)
    assert executor.free() == 1000 - 14
    executor._hand_in()
    shapes = sorted(([len(b) for b in array], array[0][0]) for array in executor.arrays)
    # Ten small ones in jobs of four, which are an array; the rest of two is another.
    assert shapes == [([1], "gpu"), ([1, 1, 1], "large0"), ([2], "small8"), ([4, 4], "small0")]
    assert executor.free() == 1000 - 14 and not executor.pending


def test_what_a_job_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = recorded(tmp_path, monkeypatch, partition="long", memory=3.0)
    asked = executor._parameters([job("a", gpus=1, memory=8_000_000_000), job("b")])
    assert asked["mem_gb"] == 10.0 and asked["gpus_per_node"] == 1 and asked["cpus_per_task"] == 1
    assert asked["timeout_min"] == 2 + module.SLACK and asked["slurm_partition"] == "long"
    assert "slurm_qos" not in asked
    assert executor._parameters([job("c")])["mem_gb"] == 3.0
    limited = recorded(tmp_path, monkeypatch, minutes=7)
    assert limited._parameters([job("d")])["timeout_min"] == 7


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_the_bytes_of_a_local_run(tmp_path: Path, cluster: str) -> None:
    suite = Suite(tmp_path, waiting_suite(3, 0.1))
    suite.run("here")
    suite.run("queue", *on(cluster))
    assert suite.results("queue") == suite.results("here") and len(suite.results("here")) > 4
    logs = [p for p in (tmp_path / "queue/logs/submitit").iterdir() if p.name.isdecimal()]
    assert cluster == "debug" or 0 < len(logs) < 10, "cells share jobs"
    assert not list((tmp_path / "queue/queue").iterdir())


def words(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


@pytest.mark.slow
def test_the_next_client_attaches_and_a_requeued_job_goes_on(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    suite = Suite(tmp_path, waiting_suite(2, 8.0, marks))
    first = suite.start("queue", *on("local"))
    [mark] = until(lambda: list(marks.glob("*"))[:1])
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert is_alive(int(mark.name.split("-")[1])), "a queue's job outlives its client"
    second = suite.start("queue", *on("local"))
    until(lambda: len(list(marks.glob("*"))) == 2)
    # Preemption, as submitit's local cluster plays it: the job's process is told with USR2.
    cell = int(max(marks.glob("*")).name.split("-")[1])
    job = next(p for p in parents(cell) if b"submitit.core._submit" in words(p))
    os.kill(job, signal.SIGUSR2)
    until(lambda: len(list(marks.glob("*"))) == 3)  # begun again
    suite.end("queue", second)
    suite.run("here", "--jobs", "2")
    assert suite.results("queue") == suite.results("here")


def running_job(marks: Path) -> str:
    """The job of Slurm whose cell began last, while that runs."""
    cell = max(marks.glob("*")).name.split("-")[1]
    try:
        entries = Path(f"/proc/{cell}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    own = dict(e.decode(errors="replace").partition("=")[::2] for e in entries if e)
    return f"{own['SLURM_ARRAY_JOB_ID']}_{own['SLURM_ARRAY_TASK_ID']}"


def test_the_bytes_of_a_local_run_from_a_real_slurm(real_slurm: None, tmp_path: Path) -> None:
    suite = Suite(tmp_path, waiting_suite(1, 0.1))
    suite.run("here")
    suite.end("queue", suite.start("queue", *on("slurm")), 400)
    assert suite.results("queue") == suite.results("here") and len(suite.results("here")) > 4
    assert not queue() and not list((tmp_path / "queue/queue").iterdir())


@pytest.mark.slow
def test_a_real_slurm_whose_client_dies_and_whose_job_is_requeued(
    real_slurm: None, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    suite = Suite(tmp_path, waiting_suite(3, 20.0, marks))
    first = suite.start("queue", *on("slurm", small=0))
    until(lambda: list(marks.glob("*")), 120)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert any("_" in number for number in queue("-r", "-o", "%i")), "one shape is one array"
    # The next client attaches; a running job is requeued, as preemption does it.
    second = suite.start("queue", *on("slurm", small=0))
    log = tmp_path / "queue.log"
    until(lambda: log.read_text().count("cells to do") == 2, 120)
    number = until(lambda: running_job(marks))
    before = len(list(marks.glob("*")))
    subprocess.run(["scontrol", "requeue", number], check=True)
    until(lambda: len(list(marks.glob("*"))) > before, 200)
    suite.end("queue", second, 300)
    assert not queue() and not list((tmp_path / "queue/queue").iterdir())
    assert len(list(marks.glob("*"))) > 3, "the requeued cell was begun again"
    suite.run("here", "--jobs", "3")
    assert suite.results("queue") == suite.results("here")


def test_a_batch_whose_cells_ended_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = recorded(tmp_path, monkeypatch)
    for name, events in (("over", ["started", "done"]), ("goes-on", ["started"])):
        folder = executor.folder / name
        folder.mkdir(parents=True)
        (folder / "jobs.json").write_text(json.dumps([job(name)]))
        facts = {"job": f"7_{name}", "cluster": "slurm", "logs": str(tmp_path / "logs")}
        (folder / "submitted.json").write_text(json.dumps(facts))
        lines = [json.dumps({"event": event, "key": name}) for event in events]
        (folder / "events.jsonl").write_text("".join(line + "\n" for line in lines))
    cancelled: list[str] = []
    monkeypatch.setattr(module, "_queued", lambda *_: {"7_over", "7_goes-on"})
    monkeypatch.setattr(module.subprocess, "run", lambda command, **_: cancelled.append(command[1]))
    assert executor.attach({"goes-on"}) == {"goes-on"}
    executor.batches.clear()  # another client's affair by now
    executor.mine.clear()
    executor.close()
    assert cancelled == ["7_over"] and [f.name for f in executor.folder.iterdir()] == ["goes-on"]
