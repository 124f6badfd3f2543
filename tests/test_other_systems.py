"""What needs no locks and no forks works where the system has none (Windows has no fcntl)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

#: Modules of the standard library that only Unix has: importing one of them fails, as there.
WITHOUT = """
import sys
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
"""


def run_without(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process whose imports of Unix's modules fail."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code],
        cwd=cwd, capture_output=True, text=True, timeout=300,
        env={**os.environ, "XDG_CACHE_HOME": str(cwd / "cache")},
    )  # fmt: skip


def command(*words: str) -> str:
    return f"from recmerge_bench.cli import main; sys.exit(main({list(words)!r}))"


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    code = """
import importlib, pkgutil, recmerge_bench
for found in pkgutil.walk_packages(recmerge_bench.__path__, "recmerge_bench."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""
    done = run_without(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_suite_is_planned(tmp_path: Path) -> None:
    done = run_without(command("plan", "--suite", "quick", "--seeds", "0"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "to do" in done.stdout


def test_files_are_merged(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    for name, value in (("base", 0.0), ("a", 1.0), ("b", 3.0)):
        save_file({"w": torch.full((4,), value)}, str(tmp_path / f"{name}.safetensors"))
    words = (
        "merge", "--method", "weight-averaging", "--base", "base.safetensors",
        "--expert", "a.safetensors", "--expert", "b.safetensors", "--out", "out.safetensors",
    )  # fmt: skip
    done = run_without(command(*words), tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_file(str(tmp_path / "out.safetensors"))["w"].tolist() == [2.0] * 4


def test_boards_are_built_from_committed_records(tmp_path: Path) -> None:
    records = ROOT / "leaderboards" / "records"
    words = (
        "leaderboard", "build", "--records", str(records), "--suite", "quick",
        "--to", str(tmp_path / "boards"),
    )  # fmt: skip
    done = run_without(command(*words), tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "boards").glob("*.md"))


def test_what_needs_a_lock_says_so(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from recmerge_bench.running.store import Store
from recmerge_bench.errors import HandledError
try:
    with Store(Path("out")).lock("ab" + "0" * 62):
        pass
except HandledError as error:
    print(error)
"""
    done = run_without(code, tmp_path)
    assert "need Linux or macOS" in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["fcntl", "pwd"])
def test_the_simulation_blocks_the_import(tmp_path: Path, name: str) -> None:
    assert "ModuleNotFoundError" in run_without(f"import {name}", tmp_path).stderr
