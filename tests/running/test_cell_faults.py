"""Cells that do their worst: counts are printed (``-s``)."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from clusters import is_alive
from commands import run as run_tiny

from recmerge_bench.conformance.executor_jobs import ForkingDataset, TinyDataset, job_of, key_of
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.running import supervise
from recmerge_bench.running.store import Store
from recmerge_bench.worker import execute

linux = pytest.mark.skipif(not supervise.FORKS, reason="cells have processes of their own on Linux")
MEGABYTE = b"x" * (1 << 20)


class Hangs(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        time.sleep(600)
        return super().load(data_root)


class ForksAndHangs(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        for _ in range(10):
            if os.fork() == 0:
                self.file(f"fork-{os.getpid()}").touch()
                time.sleep(600)
        time.sleep(600)
        return super().load(data_root)


class EatsMemory(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
        eaten = []
        while True:
            eaten.append(bytearray(16 << 20))


class Prints(TinyDataset):
    megabytes = 64

    def load(self, data_root: Path | None) -> Interactions:
        for _ in range(self.megabytes):
            os.write(1, MEGABYTE)
        return super().load(data_root)


class PrintsGigabytes(Prints):
    megabytes = 2048


class ClosesDescriptors(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        made = super().load(data_root)
        os.closerange(0, 256)
        return made


class Exits(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        os._exit(0)


class ExitsLoudly(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        raise SystemExit("out of a dataset")


class Crashes(TinyDataset):
    def load(self, data_root: Path | None) -> Interactions:
        os.kill(os.getpid(), signal.SIGSEGV)
        return super().load(data_root)


#: What a cell does -> how it ends: the event, a flag of it, and words of its error.
FAULTS: dict[type[TinyDataset], tuple[str, str, str]] = {
    Hangs: ("failed", "timeout", "its time limit"),
    ForksAndHangs: ("failed", "timeout", "its time limit"),
    ForkingDataset: ("done", "", ""),
    EatsMemory: ("failed", "out_of_memory", "MemoryError"),
    Prints: ("done", "", ""),
    ClosesDescriptors: ("done", "", ""),
    Exits: ("failed", "", "exit status 0"),
    ExitsLoudly: ("failed", "", "out of a dataset"),
    Crashes: ("failed", "", "SIGSEGV"),
}


def ended(cls: type[TinyDataset], folder: Path, limit: float = 2.0) -> dict[str, Any]:
    events: list[dict[str, Any]] = []
    execute(job_of(cls.__name__, cls, folder, limit), events.append)
    return events[-1]


@linux
def test_every_fault_of_a_cell_is_recorded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    for cls, (end, flag, words) in FAULTS.items():
        event = ended(cls, tmp_path, limit=2.0 if flag == "timeout" else 60.0)
        key = key_of(cls.__name__)
        assert (event["event"], Store(tmp_path / "out").sound(key)) == (end, end == "done"), event
        assert words in event.get("error", "") and (not flag or event[flag]), event
        assert ended(TinyDataset, tmp_path / cls.__name__)["event"] == "done", "the next is well"
        counts[f"{end} {flag}".strip()] += 1
    printed = capfd.readouterr()
    assert len(printed.out) + len(printed.err) < 3 << 20, "prints are bounded"
    strays = [int(p.name.split("-")[1]) for p in tmp_path.glob("fork-*")]
    strays.append(int((tmp_path / "daemon").read_text()))
    assert len(strays) == 11 and not [pid for pid in strays if is_alive(pid)]
    assert not list((tmp_path / "out" / "tmp").iterdir())
    print(f"\n{len(FAULTS)} faults of cells: {dict(counts)}; {len(strays)} strays, none alive")


@linux
@pytest.mark.slow
def test_a_cell_that_prints_gigabytes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(PrintsGigabytes, tmp_path, limit=120.0)["event"] == "done"
    assert len(capfd.readouterr().err) < 3 << 20


def test_a_training_that_diverges_is_recorded_and_never_selected(tmp_path: Path) -> None:
    """A backbone whose loss is no number: its rows say so, and no board has a number of it."""
    import json

    suite = json.loads(json.dumps(_diverging()))
    file = tmp_path / "diverging.yaml"
    file.write_text(json.dumps(suite))
    plugin = tmp_path / "wild.py"
    plugin.write_text(WILD)
    done = run_tiny(tmp_path / "out", str(plugin), suite=file)
    assert done.returncode == 1, done.stdout + done.stderr
    records = json.loads((tmp_path / "out/records/diverging.json").read_text())["results"]
    by = {(r["identity"]["backbone"], r["identity"]["method"]): r for r in records}
    wild = [r for (backbone, _), r in by.items() if backbone == "wild"]
    assert wild and all(r["status"] == "failed" and not r.get("metrics") for r in wild)
    assert all("diverged" in r["reason"] for r in wild), [r["reason"] for r in wild]
    assert by[("sasrec", "fine-tune")]["status"] == "done"
    board = (tmp_path / "out/boards/diverging.md").read_text()
    lines = [line for line in board.splitlines() if line.startswith("|") and "wild" in line]
    assert lines and all("failed" in line or "diverged" in line for line in lines), lines
    print(f"\n{len(wild)} rows of a training that diverged: recorded, none selected")


WILD = """
from recmerge_bench.api import BackboneSpec, hookimpl
from recmerge_bench_plugins.backbones.sasrec import SASRec

class Wild(SASRec):
    def loss(self, net, batch):
        loss, count = super().loss(net, batch)
        return loss * float("nan"), count

@hookimpl
def recmerge_bench_register():
    return [BackboneSpec("wild", f"{__name__}:Wild", "its loss is no number")]
"""


def _diverging() -> dict[str, Any]:
    small = {"width": 8, "layers": 1, "heads": 1, "max_len": 8}
    train = {"steps": 6, "epochs": 0, "eval_every": 2, "batch_size": 8, "report_every": 1}
    return {
        "name": "diverging", "seeds": [0], "metrics": ["NDCG@10"],
        "tracks": {"merging": {
            "dataset": "synthetic",
            "dataset_options": {"n_domains": 2, "items": 60, "users": 60},
            "domains": ["d0", "d1"], "protocols": ["loo"], "training": train,
            "backbones": {
                "sasrec": {"options": small},
                "wild": {"options": small},
            },
            "rows": ["fine-tune", "weight-averaging"],
        }},
    }  # fmt: skip
