"""Imports of workers: late where few cells need them, and once where all of a kind do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.running import early_imports, supervise
from recmerge_bench.running.store import Store
from recmerge_bench.running.supervise import supervise as run_apart

KEY = "ab" * 32
linux = pytest.mark.skipif(not supervise.FORKS, reason="cells have processes of their own on Linux")

#: A suite of two counting rows, a cell after another in this process as a worker runs them: what
#: the process has imported after each kind, and what the cells' own processes still imported.
SCRIPT = """
import json, os, sys
import recmerge_bench.worker as worker
heavy = [name for name in ("torch", "pandas", "pyarrow", "transformers") if name in sys.modules]
from pathlib import Path
from recmerge_bench.interface.plans import planned
from recmerge_bench.registry import discover
from recmerge_bench.running import supervise, provenance
from recmerge_bench.running.jobs import job_spec

out, suite = Path(sys.argv[1]), json.loads(sys.argv[2])
plan = planned(suite, discover(environ={}))
asked = []
words = provenance._git
provenance._git = lambda: asked.append(os.getpid()) or words()

def cell(job, emit):
    before = set(sys.modules)
    worker.run_cell(job, emit)
    new = sorted(set(sys.modules) - before)
    (out / f"{job['key']}.new").write_text(json.dumps([new, len(asked)]))

out.mkdir()
seen = []
for each in plan.cells.values():
    events = []
    supervise.supervise(job_spec(each, plan, out), events.append, cell)
    assert events[-1]["event"] == "done", events
    new, git = json.loads((out / f"{each.key}.new").read_text())
    has = [name for name in ("torch", "pandas") if name in sys.modules]
    seen.append({"kind": each.kind, "has": has, "new": new, "git": git})
print(json.dumps({"start": heavy, "seen": seen}))
"""
COUNTING = {
    "name": "counted", "seeds": [0], "threads": 1, "metrics": ["NDCG@10"],
    "tracks": {"counting": {
        "tuning": "none", "dataset": "synthetic", "domains": ["d0"], "protocols": ["loo"],
        "dataset_options": {
            "users": 12, "items": 20, "n_domains": 2, "clusters": 4, "mean_length": 6.0},
        "rows": ["popularity", "last-item"],
    }},
}  # fmt: skip


@linux
def test_a_worker_imports_late_and_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "out"), json.dumps(COUNTING)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["start"] == [], "a worker starts with none of them"
    kinds = [each["kind"] for each in said["seen"]]
    assert {"data", "split", "train", "rank"} == set(kinds)
    first = kinds.index("rank")
    assert all(not each["has"] for each in said["seen"][:first]), "counting and cutting need none"
    for each in said["seen"]:
        strange = [n for n in each["new"] if n.partition(".")[0] in ("torch", "pandas")]
        assert not strange and len(each["new"]) < 20, (each["kind"], each["new"])
        assert each["git"] == 1, "asked by the worker, once"


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that cells of kind `rank` import."""
    name = f"needed_later_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(early_imports._LATE, "rank", (name,))
    return name


def ended(out: Path, what: Any, **more: Any) -> None:
    def cell(job: Any, emit: Any) -> None:
        what()
        store = Store(out)
        with store.writing(KEY) as folder:
            store.commit(KEY, folder, {})

    job = {"key": KEY, "kind": "data", "config": {}, "out": str(out), "timeout": 60, **more}
    events: list[dict[str, Any]] = []
    run_apart(job, events.append, cell)
    assert events[-1]["event"] == "done", events


def compute() -> None:
    end = time.process_time() + 1.0
    while time.process_time() < end:
        pass


@linux
def test_while_a_cell_waits_what_is_behind_it_is_imported(tmp_path: Path, later: str) -> None:
    ended(tmp_path / "computes", compute, later=["rank"])
    assert later not in sys.modules, "a cell that computes has the machine for itself"
    ended(tmp_path / "alone", lambda: time.sleep(1.0), later=[])
    ended(tmp_path / "bounded", lambda: time.sleep(1.0), later=["rank"], max_memory=1 << 40)
    assert later not in sys.modules
    ended(tmp_path / "waits", lambda: time.sleep(1.5), later=["rank"])
    assert later in sys.modules


@linux
def test_what_cannot_be_imported_is_the_cells_to_say(tmp_path: Path, later: str) -> None:
    (tmp_path / f"{later}.py").write_text("raise RuntimeError('broken')")
    ended(tmp_path / "waits", lambda: time.sleep(1.0), later=["rank"])
    assert later not in sys.modules


def test_kinds_behind_a_cell_are_in_its_job(tmp_path: Path) -> None:
    """The scheduler names them, those that count left out."""
    from recmerge_bench.planning.cells import Cell, Plan
    from recmerge_bench.running.scheduler import Run

    def cell(key: str, kind: str, *inputs: str, counting: bool = False) -> Cell:
        job = {"config": {"counting": True} if counting else {}, "plugins": {}, "sources": {}}
        return Cell(key.ljust(64, "0"), kind, key, {k: k.ljust(64, "0") for k in inputs}, job)

    cells = [cell("a", "split"), cell("b", "train", "a", counting=True), cell("c", "train", "a"),
             cell("d", "rank", "c")]  # fmt: skip
    plan = Plan("small", cells={c.key: c for c in cells}, wanted=[cells[-1].key, cells[1].key])
    run = Run(plan, Store(tmp_path), None)  # type: ignore[arg-type]
    assert [run.later(c.key) for c in cells] == [["train"], [], ["rank"], []]
    assert early_imports.late_kind("rank", {"counting": True}) == "rank", "it ranks as others do"
