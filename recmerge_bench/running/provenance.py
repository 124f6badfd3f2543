"""Where and with what a cell was run: recorded, never part of a key."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from recmerge_bench._version import __version__

LIBRARIES = ("torch", "numpy", "pyarrow", "safetensors", "transformers")


@functools.cache
def provenance() -> dict[str, Any]:
    """Package, library and Python versions, git commit and dirtiness, hardware."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    commit, dirty = _git()
    return {
        "recmerge_bench": __version__,
        "libraries": versions,
        "python": platform.python_version(),
        "commit": commit,
        "dirty": dirty,
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _git() -> tuple[str, bool]:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return os.environ.get("RECMERGE_BENCH_COMMIT", ""), False
    try:
        run = functools.partial(
            subprocess.run, cwd=root, capture_output=True, text=True, timeout=10
        )
        commit = run(["git", "rev-parse", "HEAD"]).stdout.strip()
        changes = run(["git", "status", "--porcelain", "--untracked-files=no"]).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "", False
    return commit, bool(changes)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")


def device_name(device: str) -> str:
    """The accelerator's name, or the processor's."""
    if device != "cpu" and "torch" in sys.modules:
        import torch

        return str(torch.cuda.get_device_name())
    return _processor()
