"""The command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import SAMPLES

TINY = SAMPLES / "tiny.yaml"


def command(out: Path, *more: str, suite: Path | str = TINY) -> list[str]:
    base = [sys.executable, "-m", "recmerge_bench"]
    plugins = [x for m in more if m.endswith(".py") for x in ("-p", m)]
    rest = [m for m in more if not m.endswith(".py")]
    return [*base, *plugins, "run", "--suite", str(suite), "--out", str(out), *rest]


def run(out: Path, *more: str, suite: Path | str = TINY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(out, *more, suite=suite), capture_output=True, text=True)
