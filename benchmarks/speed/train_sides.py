"""One side of `train_beside.py`, run by the interpreter that has its library.

    PYTHON benchmarks/speed/train_sides.py SIDE WORK.json EVENTS.npz

Prints a JSON line: units (targets), seconds (of CPU), peak_mb, and ndcg where epochs are asked for.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Work:
    """What all sides train, with the same sizes and settings.

    Attributes:
        data: ``ml-100k`` or a domain of `amazon-mergerec`, such as ``beauty``.
        width: of items and layers.
        blocks: of the encoder.
        heads: of each block.
        negatives: of each target, from all items; 0: full softmax.
        shared: whether the targets of a batch share their negatives.
        max_len: latest events that are looked at.
        batch: sequences in a batch.
        steps: timed steps.
        warm: steps before them.
        epochs: train for so many instead, and validate; 0: time `steps`.
        seed: of everything random.
    """

    data: str
    width: int
    blocks: int
    heads: int
    negatives: int
    shared: bool = False
    max_len: int = 50
    batch: int = 128
    steps: int = 20
    warm: int = 2
    epochs: int = 0
    seed: int = 0
    dropout: float = 0.2
    lr: float = 1e-3


@dataclass(frozen=True)
class Events:
    """Training parts of all users and the item to validate with.

    Attributes:
        offsets: int64 [U + 1].
        items: int64 [N], from 0.
        targets: int64 [U], the validation item of each user; -1: none.
        n_items: of the catalogue.
    """

    offsets: np.ndarray
    items: np.ndarray
    targets: np.ndarray
    n_items: int

    def history(self, user: int) -> np.ndarray:
        """Items of a user's training part, oldest first."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]


class Meter:
    """CPU seconds and targets of the steps after the first few.

    Args:
        warm: steps that are not counted.
    """

    def __init__(self, warm: int) -> None:
        self.warm, self.steps, self.targets = warm, 0, 0
        self.begun = self.ended = 0.0

    def step(self, targets: int) -> None:
        """A step with so many targets begins."""
        if self.steps == self.warm:
            self.begun = time.process_time()
        if self.steps >= self.warm:
            self.targets += targets
        self.steps += 1

    def stop(self) -> None:
        """The last step is over."""
        self.ended = time.process_time()

    def measured(self) -> dict[str, Any]:
        """Targets, CPU seconds, steps."""
        seconds = self.ended - self.begun
        return {"units": self.targets, "seconds": seconds, "steps": self.steps - self.warm}


def ndcg_at_10(ranks: np.ndarray) -> float:
    """Mean NDCG@10 of targets by rank, from 1; those that were not listed have a large one."""
    return float(np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0.0).mean())


def peak_mb() -> float:
    """Largest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(x.split()[1]) for x in status if x.startswith("VmHWM:"))
    return peak / 1024


def main() -> None:
    """See the module."""
    import torch

    side, work, events = sys.argv[1:4]
    sys.argv = sys.argv[:1]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(0)
    with np.load(events) as stored:
        given = Events(**{k: stored[k] for k in ("offsets", "items", "targets")},
                       n_items=int(stored["n_items"]))  # fmt: skip
    module = importlib.import_module(f"train_{side}")
    measured = module.train(Work(**json.loads(Path(work).read_text())), given)
    print(json.dumps({**measured, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
