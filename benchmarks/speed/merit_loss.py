"""What `merit_step` draws and computes after the net: negatives, both losses, their gradients.

    python benchmarks/speed/merit_loss.py [--small]

The gradients are those by the states and by the item table.
"""

from __future__ import annotations

import argparse

import merit_plain
import merit_step
import numpy as np
import side_by_side


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """Ranks shifted past the history; sparse products for the scores."""
    import torch
    from recmerge_bench_plugins.cdsr.merit.loss import Targets, cross_entropy

    _, net = merit_step.our_model(given)

    def step(sequences: list[list[int]]) -> None:
        net.zero_grad()
        batch = merit_step.our_batch(sequences, 0)
        targets = Targets.of(net, batch, net.read(batch.items, batch.lengths))
        count = len(targets.reading.rows)
        mixed, own = (torch.randn(count, given.width, requires_grad=True) for _ in range(2))
        value = cross_entropy(net, mixed, targets.mixed("domain"), batch.generator)
        (value + cross_entropy(net, own, targets.own(), batch.generator)).backward()

    return merit_step.timed(step, merit_step.batches(given, given.steps))


def straightforward(given: argparse.Namespace) -> side_by_side.Measured:
    """Python draws, gathered vectors."""
    import torch

    _, net = merit_step.our_model(given)
    first, second = merit_step.FIRST, merit_step.SECOND
    plain = merit_plain.PlainMerit(first, second, net.options)
    generator = np.random.default_rng(0)

    def step(sequences: list[list[int]]) -> None:
        plain.zero_grad()
        _, following, own = merit_plain.grids(sequences, first, plain.size)
        drawn = merit_plain.draw(sequences, own, first, second, given.negatives, generator)
        shape = (*own.shape, given.width)
        states = [torch.randn(shape, requires_grad=True) for _ in range(2)]
        merit_step.plain_loss(plain, *states, (following, own), drawn).backward()

    return merit_step.timed(step, merit_step.batches(given, given.others))


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "Negatives, losses and gradients of a step of MERIT",
            "steps",
            {"ours": ours, "straightforward": straightforward},
        ),
        merit_step.OPTIONS,
    )
