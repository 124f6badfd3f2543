"""Everything worth measuring on a GPU, in one command of ten minutes, the most valuable first.

    python benchmarks/speed/gpu.py --data-root DIR [--device cuda] [--out DIR] [--jobs N]
    python benchmarks/speed/gpu.py --device cpu --small        # the rehearsal, a minute or two

Four stages, each a process of its own that is ended when its time is up:

    nets    60 s   every model: trained two steps in fp32 and bf16, scores beside the CPU's with
                   the same weights
    cdsr   240 s   MERIT and ABXI, 256 wide, as published, five seeds, side by side
    text   240 s   MiniLM trained end to end on three domains and merged as the paper merges
    rates   60 s   targets and users a second, share of the device's matrix-product peak

A stage's record (``OUT/STAGE.json``) is written anew after everything that it finishes, so that an
end at any moment costs what is in progress alone; trainings keep their state in ``OUT/runs`` and
the same command goes on with them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SECONDS = {"nets": 60, "cdsr": 240, "text": 240, "rates": 60}
SUITES = {"cdsr": "gpu-cdsr", "text": "gpu-text"}
HERE = Path(__file__).resolve().parent
#: Memory that one training of a suite may take on the device.
_JOB_BYTES = 6 << 30


def main() -> None:
    """Run the stages, or (from the first process) one of them."""
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.stage:
        work(given)
        return
    for name in given.stages.split(","):
        seconds = given.seconds or SECONDS[name]
        print(f"{name}: {seconds} s at most", flush=True)
        ended = bounded([sys.executable, *sys.argv, "--stage", name], seconds)
        if name in SUITES:  # ended or not: what there is becomes a record, apart from the clock
            bounded([sys.executable, *sys.argv, "--stage", name, "--collect"], 120)
        note(given.out / f"{name}.json", {"ended": ended, "seconds_allowed": seconds})
        print(f"{name}: {ended}", flush=True)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--data-root", type=Path, help="archives of amazon-merit and -mergerec")
    parser.add_argument("--out", type=Path, default=HERE / "records" / "gpu")
    parser.add_argument("--jobs", type=int, default=0, help="cells at a time; 0: what fits")
    parser.add_argument("--seeds", type=int, default=0, help="of stage cdsr, the first; 0: all")
    parser.add_argument("--only", default="", help="words of titles of nets and rates, with commas")
    parser.add_argument("--seconds", type=int, default=0, help="of each stage, in place of its own")
    parser.add_argument("--stages", default=",".join(SECONDS))
    parser.add_argument("--small", action="store_true", help="generated data, few steps")
    parser.add_argument("--stage", choices=tuple(SECONDS), help=argparse.SUPPRESS)
    parser.add_argument("--collect", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def bounded(command: list[str], seconds: float) -> str:
    """Run a command in a group of its own, for so long; how it ended."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return "its time was up"
    return "whole" if code == 0 else f"failed with {code}"


def work(given: argparse.Namespace) -> None:
    """One stage, in this process."""
    path = given.out / f"{given.stage}.json"
    runs = given.out / "runs"
    if given.stage in SUITES:
        import gpu_suites

        name, root = SUITES[given.stage], given.data_root
        keys = gpu_suites.suite(name, given.small, given.seeds)
        if given.collect:
            note(path, gpu_suites.collect(keys, runs, root))
            return
        note(path, {"stage": given.stage, "jobs": jobs(given), **where(given.device)}, anew=True)
        gpu_suites.go(keys, runs, given.device, jobs(given), root)
        return
    if given.stage == "nets":
        from gpu_nets import stage
    else:
        from gpu_rates import stage
    note(path, {"stage": given.stage, **where(given.device), "items": {}}, anew=True)
    items: dict[str, Any] = {}
    only = tuple(filter(None, given.only.split(",")))
    for title, found in stage(given.device, given.small, only):
        items[title] = found
        note(path, {"items": items})
        print(f"  {title}: {found}", flush=True)


def jobs(given: argparse.Namespace) -> int:
    """Trainings side by side: what the device's free memory and the cores carry."""
    cores = os.cpu_count() or 1
    if given.jobs or given.device == "cpu":
        return given.jobs or min(2, cores)
    import torch

    free = int(torch.cuda.mem_get_info()[0])
    return max(1, min(cores, free // _JOB_BYTES))


def where(device: str) -> dict[str, Any]:
    """The machine, for a record."""
    import torch
    from side_by_side import machine

    name = torch.cuda.get_device_name(0) if device == "cuda" else "cpu"
    return {"device": name, "machine": machine(), "began": time.time()}


def note(path: Path, facts: dict[str, Any], anew: bool = False) -> None:
    """Lay facts over a record; the file is whole at every moment."""
    old = {} if anew or not path.is_file() else json.loads(path.read_text(encoding="utf-8"))
    aside = path.with_suffix(".tmp")
    aside.write_text(json.dumps({**old, **facts}, indent=1, sort_keys=True) + "\n", "utf-8")
    aside.replace(path)


if __name__ == "__main__":
    main()
