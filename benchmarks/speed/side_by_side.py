"""Two programs at the same work, in turn, each in a process of its own: rates, memory, ratios."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

#: What a side returns: units of work done, seconds they took, and anything worth telling.
Measured = dict[str, Any]
Side = Callable[[argparse.Namespace], Measured]


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        name: of the comparison.
        unit: of the work, such as ``users``.
        sides: name -> program; the first is ours, the second the peer whose ratio is the claim.
        of: what the sides' seconds are of, where it is not the wall clock (``CPU time``).
    """

    name: str
    unit: str
    sides: dict[str, Side]
    of: str = ""


def run(comparison: Comparison, options: Sequence[tuple[str, Any, str]]) -> None:
    """The command line of a comparison.

    Args:
        comparison: see `Comparison`.
        options: (name, default, help) of whole numbers that describe the work; the default is a
            pair (full size, ``--small`` size).
    """
    parser = argparse.ArgumentParser(description=f"{comparison.name}, ours and RecBole's")
    parser.add_argument("--small", action="store_true", help="a small size, to try the script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="turns of each side")
    parser.add_argument("--out", type=Path, help="append the JSON line to this file")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    for name, _, text in options:
        parser.add_argument(f"--{name}", type=int, help=text)
    given = parser.parse_args()
    for name, (full, small), _ in options:
        if getattr(given, name) is None:
            setattr(given, name, small if given.small else full)
    if given.side:
        print(json.dumps(_measure(comparison.sides[given.side], given)))
        return
    _compare(comparison, given, [name for name, _, _ in options])


def _measure(side: Side, given: argparse.Namespace) -> Measured:
    import torch

    torch.set_num_threads(given.threads)
    sys.argv = sys.argv[:1]  # RecBole's Config reads it
    found = side(given)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(x.split()[1]) for x in status if x.startswith("VmHWM:"))
    return {**found, "rate": found["units"] / found["seconds"], "peak_mb": peak / 1024}


def _compare(comparison: Comparison, given: argparse.Namespace, sizes: list[str]) -> None:
    console = Console()
    turns: dict[str, list[Measured]] = {name: [] for name in comparison.sides}
    for turn in range(given.repeats):
        for name in comparison.sides:
            with console.status(f"turn {turn + 1} of {given.repeats}: {name}"):
                turns[name].append(_in_process(name, given, sizes))
    rates = {name: median(m["rate"] for m in found) for name, found in turns.items()}
    peaks = {name: median(m["peak_mb"] for m in found) for name, found in turns.items()}
    ours, peer = list(turns)[:2]
    pairs = zip(turns[ours], turns[peer], strict=True)
    ratios = sorted(a["rate"] / b["rate"] for a, b in pairs)
    record = {
        "comparison": comparison.name,
        "unit": comparison.unit,
        "sizes": {name: getattr(given, name) for name in sizes},
        "threads": given.threads,
        **({"of": comparison.of} if comparison.of else {}),
        "ratio": median(ratios),
        "ratio_range": [ratios[0], ratios[-1]],
        "memory_ratio": peaks[ours] / peaks[peer],
        "rates": rates,
        "peak_mb": peaks,
        "turns": turns,
        "machine": machine(),
        **({"of": comparison.of} if comparison.of else {}),
    }
    _show(console, record, comparison)
    line = json.dumps(record, sort_keys=True)
    print(line)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        with open(given.out, "a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def _in_process(name: str, given: argparse.Namespace, sizes: list[str]) -> Measured:
    command = [sys.executable, sys.argv[0], "--side", name, "--threads", str(given.threads)]
    command += [word for size in sizes for word in (f"--{size}", str(getattr(given, size)))]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(given.threads))
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-4000:]}")
    found: Measured = json.loads(done.stdout.splitlines()[-1])
    return found


def _environment(threads: int) -> dict[str, str]:
    count = str(threads)
    return {**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "TQDM_DISABLE": "1"}


def _version(package: str) -> str | None:
    """Of a package; None where it is not installed: newer Pythons go without RecBole."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """What the figures hold for."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {p: _version(p) for p in ("torch", "numpy", "recbole", "recmerge-bench")},
        "commit": commit.stdout.strip(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _show(console: Console, record: dict[str, Any], comparison: Comparison) -> None:
    sizes = ", ".join(f"{k} {v}" for k, v in record["sizes"].items())
    table = Table(title=f"{comparison.name} ({sizes}; {record['threads']} threads)")
    second = "CPU s" if comparison.of else "s"
    for column in ("", f"{comparison.unit}/{second}", "peak MB", "against it, ours is"):
        table.add_column(column, justify="right" if column else "left")
    ours = next(iter(record["rates"]))
    for name, rate in record["rates"].items():
        ratio = "" if name == ours else f"{record['rates'][ours] / rate:,.1f} x"
        table.add_row(name, f"{rate:,.1f}", f"{record['peak_mb'][name]:,.0f}", ratio)
    console.print(table)
