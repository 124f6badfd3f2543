"""A run whose strategies do their worst: every cell ends, no other is hurt, nothing is left."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: What a mode may end as, where it does not fail: the method came through, or was stopped.
SLOW = ("hang", "spin", "eat")
FINE = {
    "ok", "chdir", "threads", "nodeterm", "dtype", "env", "umask", "rlimit", "nogradglobal",
    "recursion", "sigterm", "expanded", "shared", "mutatebase", "notehtml", "print", "forkok",
    "forkret", "thread", "proto", "stdin", "closestdout", "closestderr",
    "closefds", "mutate",
}  # fmt: skip
SAME = FINE - {"expanded", "shared"}


def modes(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'm == "(\w+)"', text)))


def run(folder: Path, shared: Path, some: list[str], limit: int = 60) -> dict[str, dict[str, Any]]:
    """Results by variant, of a run of the hostile suite with these modes."""
    source = (shared / "cases/hostile/evil.py").read_text()
    source = source.replace("import Spec,", "import Spec, StrategySpec,")
    (folder / "evil.py").write_text(source.replace('Spec("strategy", ', "StrategySpec("))
    nano = (shared / "cases/hostile/nano.yaml").read_text()
    rows = "".join(
        f"      - {{method: evil, variant: {m}, options: {{mode: {m}}}}}\n" for m in some
    )
    (folder / "nano.yaml").write_text(nano.rstrip() + "\n" + rows + f"timeout: {limit}\n")
    words = ["-p", "evil.py", "run", "--suite", "nano.yaml", "--out", "out"]
    command = [sys.executable, "-m", "recmerge_bench", *words]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        output, _ = process.communicate()
        assert process.returncode in (0, 1), output
        assert not _left(process.pid)
    assert "Traceback" not in output and list((folder / "out/tmp").iterdir()) == []
    results = json.loads((folder / "out/records/nano.json").read_text())["results"]
    logs = [p.stat().st_size for p in (folder / "out/logs").iterdir()]
    assert sum(logs) < 5 << 20 and (folder / "out/boards/nano.md").stat().st_size < 1 << 20
    assert all(p.stat().st_size < 1 << 16 for p in (folder / "out").glob("failures/*"))
    return {r["identity"]["variant"] or r["identity"]["method"]: r for r in results}


def _left(run_: int) -> list[str]:
    """Processes whose environment says that they belong to a run."""
    mark, states = f"RECMERGE_BENCH_PARENT={run_}\0".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes() and path.parent.name != str(os.getpid()):
                states.append(path.parent.name)
        except OSError:
            continue
    return states


def check(report: dict[str, dict[str, Any]], mode: str) -> None:
    own, clean = report[mode], report["weight-averaging"]
    if mode in FINE:
        assert own["status"] == "done", own["reason"]
        if mode in SAME:
            assert own["metrics"] == clean["metrics"]
    else:
        assert own["status"] == ("timeout" if mode in ("hang", "spin") else "failed"), own
        assert own["reason"] and len(own["reason"]) < 2500
        own["reason"].encode()


def test_every_quick_mode(shared: Path, tmp_path: Path) -> None:
    quick = [m for m in modes((shared / "cases/hostile/evil.py").read_text()) if m not in SLOW]
    assert len(quick) > 45
    actual = run(tmp_path, shared, quick)
    wrong = [m for m in quick if actual[m]["status"] != ("done" if m in FINE else "failed")]
    assert wrong == [], [(m, actual[m]["status"], actual[m]["reason"]) for m in wrong]
    for mode in quick:
        check(actual, mode)
    (tmp_path / "clean").mkdir()
    clean = run(tmp_path / "clean", shared, [])
    for name in ("fine-tune", "weight-averaging", "popularity"):
        assert actual[name]["status"] == "done"
        assert actual[name]["metrics"] == clean[name]["metrics"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["hang", "spin"])
def test_modes_that_take_their_time(shared: Path, tmp_path: Path, mode: str) -> None:
    check(run(tmp_path, shared, [mode], 10), mode)


@pytest.mark.parametrize("plugin", ["cheat.py"])
def test_a_strategy_that_reads_targets_and_checkpoints_fails(
    shared: Path, tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (shared / "cases/hostile" / plugin).read_text()
    source = source.replace("import Spec,", "import Spec, StrategySpec,")
    source = source.replace('Spec("strategy", ', "StrategySpec(")
    for number, out in enumerate(('os.environ["CHEAT_OUT"]', repr(str(tmp_path / "out")))):
        name = f"cheat{number}.py"
        (tmp_path / name).write_text(source.replace('os.environ["CHEAT_OUT"]', out))
        for file in ("nano.yaml", "cheat.yaml"):
            (tmp_path / file).write_text((shared / "cases/hostile" / file).read_text())
        monkeypatch.setenv("CHEAT_OUT", str(tmp_path / "out"))
        words = ["-p", name, "run", "--suite", "cheat.yaml", "--out", "out"]
        ended = subprocess.run([sys.executable, "-m", "recmerge_bench", *words], cwd=tmp_path,
                               capture_output=True, text=True)  # fmt: skip
        assert ended.returncode == 1, ended.stdout + ended.stderr
        results = json.loads((tmp_path / "out/records/cheat.json").read_text())["results"]
        own = next(r for r in results if r["identity"]["method"] == "cheat")
        assert own["status"] == "failed" and ("CHEAT_OUT" in own["reason"]
                                              or "Permission" in own["reason"])  # fmt: skip
        merged = [r for r in results if r.get("merge")]
        assert merged and all("enforced" in r["merge"] for r in merged)
