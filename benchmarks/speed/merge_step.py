"""Merging and its gradient within a step of learning weights: ours and the straightforward way.

The straightforward way rebuilds the merged vector by autograd in every forward pass: the K x P
product of weights and task vectors (domain-wise), or a slice of one buffer for each parameter
(layer-wise). Both sides' encoder is a BERT of MiniLM's size with 16 sequences of 32 tokens; its
forward and backward pass is timed apart and is not in the rates.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import side_by_side


def encoder() -> Any:
    """A BERT of `layers` layers, 384 wide."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False)


def vectors(net: Any, experts: int) -> Any:
    """Task vectors drawn at random."""
    import torch

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
    from recmerge_bench.toolkit.merging.vectors import flatten

    like = {n: p.detach() for n, p in net.named_parameters()}
    base = flatten(like)
    rows = torch.empty(experts, len(base)).normal_(std=1e-3)
    return TaskVectors(base, rows, like, tuple(map(str, range(experts))))


def forward(net: Any) -> Any:
    """A loss of the net's states for fixed tokens."""
    import torch

    tokens = torch.arange(16 * 32).view(16, 32)
    return net(input_ids=tokens).last_hidden_state.square().mean()


def ours(given: argparse.Namespace, granularity: str) -> side_by_side.Measured:
    """Views of one flat vector, one product for each group."""
    from recmerge_bench.toolkit.merging.coefficients import Coefficients

    net = encoder()
    learned = Coefficients(vectors(net, given.experts), granularity, 0.2)
    learned.bind(net)
    merging = passing = 0.0
    for step in range(given.steps + 1):
        learned.gradient.zero_()
        start = time.perf_counter()
        forward(net).backward()
        middle = time.perf_counter()
        learned.weights_gradient()
        learned.merge()
        if step:  # the first is a warm-up
            passing += middle - start
            merging += time.perf_counter() - middle
    return {"units": given.steps, "seconds": merging, "encoder_seconds": passing}


def straightforward(given: argparse.Namespace, granularity: str) -> side_by_side.Measured:
    """Everything by autograd, every time."""
    import torch

    from recmerge_bench.toolkit.merging.coefficients import group_of

    net = encoder()
    task = vectors(net, given.experts)
    parameters = list(task.parameters())
    groups = list(dict.fromkeys(group_of(n, granularity) for n, _, _ in parameters))
    shape = (given.experts,) if granularity == "domain" else (given.experts, len(groups))
    weights = torch.full(shape, 0.2, requires_grad=True)
    merging = passing = 0.0
    for step in range(given.steps + 1):
        start = time.perf_counter()
        if granularity == "domain":
            flat = task.base + (weights[:, None] * task.rows).sum(0)
        else:
            flat = torch.zeros_like(task.base)
            for name, part, _ in parameters:
                own = weights[:, groups.index(group_of(name, granularity)), None]
                flat[part] = task.base[part] + (own * task.rows[:, part]).sum(0)
        leaf = flat.detach().requires_grad_()
        middle = time.perf_counter()
        tensors = {n: leaf[part].view(shape) for n, part, shape in parameters}
        torch.func.functional_call(
            _with_loss(net), {f"net.{n}": t for n, t in tensors.items()}
        ).backward()
        after = time.perf_counter()
        flat.backward(leaf.grad)
        weights.grad = None
        if step:
            passing += after - middle
            merging += time.perf_counter() - after + middle - start
    return {"units": given.steps, "seconds": merging, "encoder_seconds": passing}


def _with_loss(net: Any) -> Any:
    """The net as a module whose forward pass gives the loss."""
    import torch

    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self) -> Any:
            return forward(self.net)

    return Loss()


def compare(granularity: str) -> None:
    """The comparison for one granularity."""
    side_by_side.run(
        side_by_side.Comparison(
            f"Merge and its gradient in a step, {granularity}-wise",
            "steps",
            {
                "ours": lambda given: ours(given, granularity),
                "product by autograd": lambda given: straightforward(given, granularity),
            },
        ),
        [("experts", (8, 2), "task vectors"), ("steps", (8, 2), "timed steps")],
    )
