"""A training step of MERIT: ours, and a straightforward one with the same mathematics.

    python benchmarks/speed/merit_step.py [--small]

Drawing, forward and backward pass and the optimiser's step, on batches of Food-Kitchen's users
where ``../shared`` holds them, else of drawn users of like lengths. See `merit_plain` for the
other side; `tests/plugins/test_merit_plain.py` holds both to the same losses and gradients.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import merit_plain
import numpy as np
import side_by_side

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FIRST, SECOND = 11_837, 16_258
OPTIONS = [
    ("steps", (3, 2), "timed steps of ours"),
    ("others", (1, 1), "timed steps of the other side"),
    ("batch", (256, 16), "users in a batch"),
    ("width", (256, 32), "of items and layers"),
    ("negatives", (128, 16), "of each domain"),
]


def users() -> list[list[int]]:
    """Training parts of all users, items from 1."""
    path = SHARED / "data" / "merit" / "afk" / "afk_50_preprocessed.txt"
    if path.is_file():
        lines = path.read_text().splitlines()
        return [[int(x.split("|")[0]) for x in line.split()[1:-2]] for line in lines]
    rng = np.random.default_rng(0)
    lengths = np.minimum(8 + rng.exponential(15.5, 7144), 48).astype(int)
    return [
        [int(rng.integers(FIRST) + 1 if rng.random() < 0.5 else FIRST + 1 + rng.integers(SECOND))
         for _ in range(n)]
        for n in lengths
    ]  # fmt: skip


def batches(given: argparse.Namespace, count: int) -> list[list[list[int]]]:
    """The first batches of a fixed random order; one more, of few users, to warm up."""
    everyone = users()
    order = np.random.default_rng(1).permutation(len(everyone))
    bounds = [0, 8, *(8 + given.batch * (i + 1) for i in range(count))]
    return [[everyone[i] for i in order[a:b]] for a, b in pairwise(bounds)]


def our_model(given: argparse.Namespace, dropout: float = 0.5) -> tuple[Any, Any]:
    """Definition and net."""
    from recmerge_bench_plugins.cdsr.merit import Merit, MeritOptions

    from recmerge_bench.data.interactions import Catalogue

    names = [str(i) for i in range(FIRST + SECOND)]
    offsets = np.array([0, FIRST, FIRST + SECOND])
    catalogue = Catalogue(("food", "kitchen"), offsets, names, names)
    options = MeritOptions(width=given.width, negatives=given.negatives, dropout=dropout)
    definition = Merit(options)
    return definition, definition.build(catalogue, catalogue.domains, 0)


def our_batch(sequences: list[list[int]], seed: int) -> Any:
    """As the trainer makes it."""
    import torch

    from recmerge_bench.data.sequences import Batch

    lengths = torch.tensor([len(s) - 1 for s in sequences])
    grid = torch.zeros(len(sequences), int(lengths.max()) + 1, dtype=torch.int64)
    for row, events in enumerate(sequences):
        grid[row, : len(events)] = torch.tensor(events) - 1
    inside = torch.arange(grid.shape[1] - 1) < lengths[:, None]
    items, targets = (g.masked_fill(~inside, 0) for g in (grid[:, :-1], grid[:, 1:]))
    generator = torch.Generator().manual_seed(seed)
    return Batch(items, targets, lengths, ("food", "kitchen"), generator, {})


def optimizer(net: Any) -> Any:
    """The paper's."""
    import torch

    return torch.optim.AdamW(net.parameters(), lr=1e-4, weight_decay=5.0, fused=True)


def timed(step: Any, work: list[Any]) -> side_by_side.Measured:
    """Seconds of all batches but the first, by the clock and of both cores together."""
    step(work[0])
    start, cpu = time.perf_counter(), time.process_time()
    for one in work[1:]:
        step(one)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"units": len(work) - 1, "seconds": seconds, "cpu_seconds": cpu}


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """Real tokens only; sparse products for the scores."""
    import torch

    definition, net = our_model(given)
    torch.manual_seed(0)
    steps = optimizer(net)

    def step(sequences: list[list[int]]) -> None:
        steps.zero_grad()
        definition.loss(net, our_batch(sequences, 0))[0].backward()
        steps.step()

    return timed(step, batches(given, given.steps))


def straightforward(given: argparse.Namespace) -> side_by_side.Measured:
    """Everything padded, everything gathered."""
    import torch

    _, net = our_model(given)
    plain = merit_plain.PlainMerit(FIRST, SECOND, net.options)
    merit_plain.take_weights(plain, net)
    torch.manual_seed(0)
    steps, generator = optimizer(plain), np.random.default_rng(0)

    def step(sequences: list[list[int]]) -> None:
        steps.zero_grad()
        items, following, own = merit_plain.grids(sequences, FIRST, plain.size)
        drawn = merit_plain.draw(sequences, own, FIRST, SECOND, given.negatives, generator)
        m, a, b = plain(torch.from_numpy(items))
        plain_loss(plain, m, a + b + m.detach(), (following, own), drawn).backward()
        steps.step()

    return timed(step, batches(given, given.others))


def plain_loss(plain: Any, mixed: Any, own: Any, targets: tuple[Any, Any], drawn: Any) -> Any:
    """Sum of the mixed and the domains' losses."""
    import torch

    total = 0.0
    for states, rows, negatives in zip((mixed, own), targets, drawn, strict=True):
        rows, negatives = torch.from_numpy(rows), torch.from_numpy(negatives)
        total = total + plain.info_nce(states, rows, negatives, 0.75)
    return total


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "A training step of MERIT", "steps", {"ours": ours, "straightforward": straightforward}
        ),
        OPTIONS,
    )
