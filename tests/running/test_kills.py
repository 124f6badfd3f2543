"""Seeded kills over whole runs: nothing that was finished is lost, and the end is the same bytes.

Half of the kills meet a checkpoint that is being written: its writer is killed while the file
that takes the checkpoint's name lies aside, and the file is still there afterwards.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from clusters import is_alive, until
from commands import command
from commands import run as run_to_its_end

from recmerge_bench.processes.parent import below
from recmerge_bench.running import supervise
from recmerge_bench.training import checkpoint

pytestmark = pytest.mark.skipif(
    not supervise.FORKS, reason="cells have processes of their own on Linux"
)
#: Whom the kills are aimed at, in these shares.
WHOM = ("checkpoint", "parent", "checkpoint", "worker", "checkpoint", "cell")


def suite_of(seeds: int) -> dict[str, Any]:
    """Little but trainings that write their state after every step."""
    return {
        "name": "killed", "title": "Killed", "label": "smoke", "seeds": [*range(seeds)],
        "threads": 1, "metrics": ["NDCG@10"],
        "tracks": {"merging": {
            "dataset": "synthetic",
            "dataset_options": {"users": 30, "items": 20, "n_domains": 3, "mean_length": 8.0},
            "domains": ["d0", "d1"], "source": "d2", "protocols": ["loo"],
            "reference": "fine-tune",
            "training": {
                "steps": 100, "epochs": 0, "eval_every": -1, "save_every": 1, "batch_size": 8},
            "backbones": {
                "sasrec": {"options": {"width": 8, "layers": 1, "heads": 1, "max_len": 5}}},
            "rows": ["popularity", "fine-tune", "task-arithmetic"],
        }},
    }  # fmt: skip


class Runs:
    """Runs of a suite, one after another: on with the last one's folder until that is finished."""

    def __init__(self, suite: Path, place: Path, rng: random.Random) -> None:
        self.suite, self.place, self.rng = suite, place, rng
        self.process: subprocess.Popen[bytes] | None = None
        self.folders = [place / "out1"]
        self.seen: set[int] = set()
        self.finished: dict[Path, int] = {}
        self.steps: dict[Path, int] = {}

    @property
    def out(self) -> Path:
        return self.folders[-1]

    def at_work(self) -> int:
        """The process of a run that is at work, started if there is none."""
        if self.process is None or self.process.poll() is not None:
            if self.process is not None and self.process.returncode == 0:
                self.folders.append(self.place / f"out{len(self.folders) + 1}")
            self.check()
            with open(self.place / "log.txt", "ab") as log:
                asked = command(self.out, "--jobs", "2", suite=self.suite)
                self.process = subprocess.Popen(asked, stdout=log, stderr=log)
        self.seen.update(below(self.process.pid))
        return self.process.pid

    def check(self) -> None:
        """What was finished stands as it was, to the nanosecond; what is new is noted."""
        for path, stamp in self.finished.items():
            assert path.stat().st_mtime_ns == stamp, f"{path} was written again"
        for path in self.out.glob("store/*/*/record.json"):
            self.finished[path] = path.stat().st_mtime_ns

    def kill(self, whom: str) -> str:
        """Kill one of the run that is at work; whom it met ("" where nobody was there)."""
        run = self.at_work()
        if whom == "parent":
            return whom if self.strike(run) else ""
        if whom == "checkpoint":
            return self.kill_a_writer()
        workers = {pid for pid in below(run) if b"recmerge_bench.worker" in words(pid)}
        direct = {pid for pid in workers if parent(pid) == run}
        group = sorted(direct if whom == "worker" else workers - direct)
        return whom if group and self.strike(self.rng.choice(group)) else ""

    def kill_a_writer(self) -> str:
        """Let a training save its state some times, and kill it while it writes the next."""
        seen, patience = dict[Path, set[str]](), self.rng.randrange(4, 40)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process is not None and self.process.poll() is None:
            time.sleep(0.0005)
            for aside in self.out.glob("work/*/.training*.tmp"):
                seen.setdefault(aside.parent, set()).add(aside.name)
                writer = writer_of(aside)
                if len(seen[aside.parent]) < patience or not is_alive(writer):
                    continue
                if self.strike(writer):
                    until(lambda: not is_alive(writer))  # noqa: B023
                    self.check_state(aside.parent)
                    return "checkpoint" if aside.exists() else "cell"
        return ""

    def check_state(self, work: Path) -> None:
        """A training's state after a kill: whole, and no older than it ever was."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a damaged one gives
            state = checkpoint.load(work) if work.is_dir() else None
        if state is not None:
            assert state[1]["progress"]["step"] >= self.steps.get(work, 0), "a saved step was lost"
            self.steps[work] = state[1]["progress"]["step"]

    def strike(self, pid: int) -> bool:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            if self.process is not None and pid == self.process.pid:
                self.process.wait()
            return True
        return False


def writer_of(aside: Path) -> int:
    """The process whose number a file that is written aside has in its name."""
    return int(aside.name.split(".")[-3])


def words(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def results(out: Path) -> dict[str, bytes]:
    """Ranks and the board, by name."""
    files = [*out.glob("store/*/*/ranks*.parquet"), out / "boards" / "killed.md"]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(("count", "seeds"), [(6, 1), pytest.param(100, 6, marks=pytest.mark.slow)])
def test_kills_of_parents_workers_cells_and_writers_of_checkpoints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, seeds: int
) -> None:
    rng, kills = random.Random(17), Counter[str]()
    wanted = Counter(WHOM[n % len(WHOM)] for n in range(count))
    suite, reference = tmp_path / "killed.yaml", tmp_path / "reference"
    suite.write_text(json.dumps(suite_of(seeds)))
    done = run_to_its_end(reference, suite=suite)
    assert done.returncode == 0, done.stdout + done.stderr
    runs, aims = Runs(suite, tmp_path, rng), sorted(wanted.elements())
    rng.shuffle(aims)
    while aims:
        time.sleep(rng.uniform(0.1, 1.2))
        if met := runs.kill(aims[-1]):
            kills[met] += 1
        if met == aims[-1]:
            aims.pop()
    assert runs.process is not None
    runs.process.wait()
    for out in runs.folders:
        final = run_to_its_end(out, suite=suite)
        assert final.returncode == 0, final.stdout + final.stderr
        assert results(out) == results(reference)
        assert not list((out / "work").iterdir()) and not list((out / "tmp").iterdir())
    runs.check()
    assert not [pid for pid in runs.seen if is_alive(pid) and b"recmerge" in words(pid)]
    assert all(kills[whom] >= wanted[whom] for whom in wanted)
    assert max(runs.steps.values()) > 1, "no state was there after a kill in writing"
    with capsys.disabled():
        print(
            f"\n{sum(kills.values())} kills: {dict(kills)} ({len(runs.steps)} trainings met in "
            f"writing); {len(runs.folders)} runs, {len(runs.finished)} cells once each, same bytes"
        )
