"""A training step of MERIT, ours and that of an earlier checkout of this repository.

    git worktree add --detach CHECKOUT COMMIT
    BEFORE=CHECKOUT python benchmarks/speed/merit_step_before.py --threads 1 [--small]

The same batches, sizes and seeds on both sides, see `merit_step`; CPU seconds of steps after a
first one. A side's package is
the one of its checkout, its plugins included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import merit_step
import side_by_side


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """This checkout's, by CPU seconds; a whole batch goes first, for which kernels are compiled."""
    import torch

    definition, net = merit_step.our_model(given)
    torch.manual_seed(0)
    optimizer = merit_step.optimizer(net)

    def step(sequences: list[list[int]]) -> None:
        optimizer.zero_grad()
        definition.loss(net, merit_step.our_batch(sequences, 0))[0].backward()
        optimizer.step()

    _, *work = merit_step.batches(given, given.steps + 1)
    measured = merit_step.timed(step, work)
    return {**measured, "seconds": measured["cpu_seconds"]}


def before(given: argparse.Namespace) -> side_by_side.Measured:
    """The same of the checkout that BEFORE names."""
    checkout = Path(os.environ["BEFORE"]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        for package, part in (
            ("recmerge_bench", "recmerge_bench"),
            ("recmerge_bench_plugins", "plugins"),
        ):
            (Path(folder) / package).symlink_to(checkout / part)
        sys.path.insert(0, folder)
        import recmerge_bench

        if Path(recmerge_bench.__file__).resolve().parents[1] != checkout:
            raise SystemExit(f"measured {recmerge_bench.__file__}, not {checkout}")
        return ours(given)


def commit() -> str:
    """Of the earlier checkout."""
    command = ["git", "-C", os.environ["BEFORE"], "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "A training step of MERIT, one thread",
            "steps",
            {"ours": ours, f"ours at {commit()}": before},
            of="CPU time",
        ),
        [(name, sizes, text) for name, sizes, text in merit_step.OPTIONS if name != "others"],
    )
