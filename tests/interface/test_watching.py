"""`watch`: how a run stands while it is at work, from measured cells and not from guesses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from recmerge_bench.cli.watch import watch
from recmerge_bench.files import write_json
from recmerge_bench.interface.watching import live_runs, page, sparkline
from recmerge_bench.planning.cells import GUESS, Cell, Plan
from recmerge_bench.running.live_state import LIVE, LiveState
from tests.support.clusters import WAITING, waiting_suite


def cell(key: str, kind: str = "train", config: str = "", basis: str = GUESS) -> Cell:
    job = {"config": {"of": config}, "plugins": {}, "sources": {}}
    return Cell(key, kind, f"{kind} {key}", {}, job, cost=40.0, basis=basis)


def state(*cells: Cell, slots: int = 2) -> LiveState:
    plan = Plan("small", cells={c.key: c for c in cells}, wanted=[c.key for c in cells])
    return LiveState("r1", plan, [c.key for c in cells], 3, slots)


def text_of(states: list[dict[str, Any]]) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(page(states))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_time_left_is_of_measured_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    live = state(cell("a"), cell("b"), cell("c", config="other"), cell("d", "rank", basis="store"))
    at_first = live.to_json()
    assert at_first["left_unknown"] == 3 and at_first["left_s"] == 20.0, "d was measured before"
    live.take({"event": "started", "key": "a", "host": "node", "process": 7})
    clock[0] += 10
    live.take({"event": "done", "key": "a"})
    now = live.to_json()
    assert now["left_unknown"] == 1, "b is like a, c is not"
    assert now["left_s"] == (10 + 40) / 2 and now["done"] == 1
    live.take({"event": "started", "key": "b"})
    clock[0] += 4
    assert live.to_json()["left_s"] == (6 + 40) / 2


def test_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    live = state(cell("a"), cell("b"), cell("c"))
    live.take({"event": "blocked", "key": "b", "reason": "no data"})
    live.take({"event": "started", "key": "a", "host": "node3", "process": 41})
    for step, loss in enumerate((4.0, 3.0, 2.0)):
        live.take({"event": "progress", "key": "a", "step": step, "steps": 9, "loss": loss,
                   "memory": 5 << 20})  # fmt: skip
    live.take({"event": "started", "key": "c"})
    live.take({"event": "failed", "key": "c", "error": "no"})
    text = text_of([live.to_json()])
    assert text.index("blocked: train b: no data") < text.index("train a")
    for part in ("2/9", "█▅▁ 2.000", "5 MiB", "node3:41", "1 failed", "3 results were there"):
        assert part in text, part
    assert text_of([]).strip() == "no run is at work here"


def test_words_of_others_are_shown_as_they_stand() -> None:
    live = state(cell("a"), cell("b"))
    live.take({"event": "started", "key": "a", "host": "[bold]n1[/red]"})
    live.take({"event": "blocked", "key": "b", "reason": "no \x1b[2Jdata [x]"})
    text = text_of([live.to_json()])
    assert "[bold]n1[/red]" in text and "[x]" in text and "\x1b" not in text


def test_sparklines() -> None:
    assert sparkline([1, 1, 1]) == "▁▁▁" and sparkline([0, 7, float("nan")]) == "▁█"
    assert len(sparkline(list(range(100)))) == 20 and sparkline([]) == ""


def test_states_of_killed_runs_and_others_are_none(tmp_path: Path) -> None:
    folder = tmp_path / LIVE
    live = state(cell("a")).to_json()
    write_json(folder / "old.json", {**live, "time": time.time() - 60})
    (folder / "half.json").write_text("{")
    write_json(folder / "other.json", [1])
    write_json(folder / "bare.json", {"time": time.time(), "began": 0})
    write_json(folder / "odd.json", {**live, "running": [{"label": 1}]})
    assert live_runs(tmp_path) == []
    write_json(folder / "r1.json", live)
    assert [s["run"] for s in live_runs(tmp_path)] == ["r1"]


def test_a_run_is_watched_and_leaves_nothing(tmp_path: Path) -> None:
    """In another process, by its folder alone."""
    plugin, out = tmp_path / "waiting_plugin.py", tmp_path / "out"
    plugin.write_text(WAITING)
    suite = tmp_path / "waits.yaml"
    suite.write_text(json.dumps(waiting_suite(2, 3.0)))
    command = [sys.executable, "-m", "recmerge_bench", "-p", str(plugin), "run", "--suite",
               str(suite), "--out", str(out), "--jobs", "2"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        end, seen = time.monotonic() + 120, list[dict[str, Any]]()
        while time.monotonic() < end and run.poll() is None:
            seen = live_runs(out)
            if seen and len(seen[0]["running"]) == 2 and "waiting" in str(seen[0]["running"]):
                shown = CliRunner().invoke(watch, ["--out", str(out)], standalone_mode=False)
                break
            time.sleep(0.05)
        assert run.wait(120) == 0, run.stderr and run.stderr.read()
    words = " ".join(shown.output.split())
    assert "train waiting" in words and "2 of 2 slots" in words
    assert all(c["host"] and c["process"] for c in seen[0]["running"])
    assert live_runs(out) == [] and list((out / LIVE).glob("*")) == []
    log = (out / "logs" / "events.jsonl").read_text().splitlines()
    assert json.loads(log[0])["run"] == seen[0]["run"], "one id in the log and the page"
