"""``recmerge-bench doctor``: what is here, what is missing, how to mend it. Imports no torch."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, registry
from recmerge_bench.cli.datasets import availability

LIBRARIES = (
    "recmerge-bench", "torch", "numpy", "pyarrow", "safetensors", "transformers", "pluggy",
    "pydantic", "click", "rich", "recbole",
)  # fmt: skip


@click.command()
@data_root_option
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def doctor(ctx: click.Context, data_root: Path | None, as_json: bool) -> int:
    """Check versions, RecBole's state, devices, data and plugins."""
    found = registry(ctx)
    versions = {name: _version(name) for name in LIBRARIES}
    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "versions": versions,
        "recbole": _recbole(versions),
        "devices": _devices(),
        "datasets": availability(found, data_root),
        "encoders": availability(found, data_root, "encoder"),
        "problems": found.problems,
    }
    broken = [n for n in ("torch", "numpy", "pyarrow", "safetensors") if versions[n] is None]
    facts["broken"] = [f"{n} is not installed; pip install -c constraints.txt -e ." for n in broken]
    if as_json:
        click.echo(json.dumps(facts, indent=1))
    else:
        _show(facts)
    return 1 if facts["broken"] or found.problems else 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _recbole(versions: dict[str, str | None]) -> str:
    if versions["recbole"] is None:
        return (
            "absent: only its models and the parity tests need it "
            "(pip install -c constraints.txt 'recbole==1.2.1', Python < 3.12); "
            "ml-100k is read from its wheel, which `run` fetches"
        )
    numpy = versions["numpy"] or "0"
    if int(numpy.partition(".")[0]) >= 2:
        return (
            f"{versions['recbole']}: its data are usable; its models need numpy < 2, "
            f"here is {numpy}; pip install -c constraints.txt numpy"
        )
    return f"{versions['recbole']}: data and models usable"


def _devices() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "disk_free_gib": round(shutil.disk_usage(Path.cwd()).free / 2**30, 1),
        "gpus": _gpus(),
    }


def _gpus() -> list[str]:
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in said.stdout.splitlines() if said.returncode == 0]


def _show(facts: dict[str, Any]) -> None:
    click.echo(f"python {facts['python']}")
    for name, found in facts["versions"].items():
        click.echo(f"{name} {found or 'absent'}")
    click.echo(f"RecBole: {facts['recbole']}")
    devices = facts["devices"]
    gpus = ", ".join(devices["gpus"]) or "none"
    click.echo(
        f"devices: {devices['cores']} cores, {devices['memory_gib']} GiB memory, "
        f"{devices['disk_free_gib']} GiB free here, GPUs: {gpus}"
    )
    for kind in ("dataset", "encoder"):
        for row in facts[f"{kind}s"]:
            mend = f"; to mend: {row['mend']}" if row["mend"] else ""
            click.echo(f"{kind} {row['name']}: {row['status']}{mend}")
    for line in (*facts["problems"], *facts["broken"]):
        click.echo(f"problem: {line}")
    if not facts["problems"] and not facts["broken"]:
        click.echo("no problems")
