"""Merging many experts from files: memory against their number.

    python benchmarks/scale/merge_experts.py [--sizes 3,10] [--folder DIR]

Each expert is a file of 4 Mi fp32 entries (16 MB) in four tensors; 100 of them take 1.7 GB of
DIR. One thread. Mapped files are not in the anonymous memory.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import measuring

TENSORS, ROWS, COLUMNS = 4, 1024, 1024
METHODS = ("weight-averaging", "task-arithmetic", "ties-per-tensor")


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """A base and `size` experts; then the merge."""
    import torch

    from recmerge_bench.merging.stream import Streamed
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    torch.set_num_threads(1)
    # in another process, so that nothing of it is in this one's memory
    subprocess.run([sys.executable, __file__, "--write", str(folder), str(size)], check=True)
    base, experts = places(folder, size)
    spec = discover(environ={}).get("strategy", series)
    strategy = define(spec.target, spec.options)

    def work() -> dict[str, Any]:
        facts = Streamed(base, experts).merge(strategy, folder / "merged.safetensors")
        return {"entries": facts["merged"]}

    return work


def places(folder: Path, count: int) -> tuple[Path, list[Path]]:
    """Where the base and the experts lie."""
    return folder / "base.safetensors", [folder / f"e{k}.safetensors" for k in range(count)]


def write(folder: Path, count: int) -> None:
    """Files of the base and the experts, which differ from it a little."""
    import torch
    from safetensors.torch import save_file

    draw = torch.Generator().manual_seed(0)
    shape = (ROWS, COLUMNS)
    base = {f"t{n}": 0.02 * torch.randn(shape, generator=draw) for n in range(TENSORS)}
    first, paths = places(folder, count)
    save_file(base, first)
    for path in paths:
        noise = {n: 1e-3 * torch.randn(shape, generator=draw) for n in base}
        save_file({n: t + noise[n] for n, t in base.items()}, path)


TOPIC = measuring.Topic(
    "experts", "Merging experts from files", "experts", (3, 10, 30, 100), 2, prepare,
    "100 experts in memory independent of their number", METHODS, "anonymous_mb",
)  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        measuring.run(TOPIC)
