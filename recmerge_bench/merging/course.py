"""The models that learned weights pass through: rebuilt from the course that a merge recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from recmerge_bench.definitions import WeightsOnly
from recmerge_bench.toolkit.merging.coefficients import Coefficients
from recmerge_bench.toolkit.merging.learned import LearnOptions, transformed
from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


def models_along(
    given: WeightsOnly,
    options: LearnOptions,
    trace: Sequence[Mapping[str, Any]],
    last: Sequence[Sequence[float]],
    steps: int,
    net: nn.Module,
) -> Iterator[tuple[int, nn.Module]]:
    """The step and the net as it stood there, for every entry of the trace and at the end.

    The net is changed in place; use it before taking the next.

    Args:
        given: base and experts.
        options: those that the weights were learned with.
        trace: entries with ``step`` and ``weights`` [K, G].
        last: the weights in the end [K, G].
        steps: how many were made.
        net: of the merged model, in evaluation mode.
    """
    vectors = transformed(TaskVectors.of(given), options.vectors, options.density)
    learned = Coefficients(vectors, options.granularity, options.start)
    learned.bind(net)
    for step, weights in [*((int(t["step"]), t["weights"]) for t in trace), (steps, last)]:
        learned.weights.copy_(torch.tensor(weights))
        learned.merge()
        yield step, net


def likelihoods(
    users: Tensor, items: tuple[Tensor, Tensor | None], targets: Tensor, temperature: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross entropy of the targets, Shannon entropy of the predictions (nats), mid-ranks: [B] each.

    Args:
        users: [B, width].
        items: vectors [N, width] and biases [N] or None.
        targets: int64 [B], rows of the items.
        temperature: divides the scores.
    """
    table, bias = items
    scores = users @ table.T
    scores = scores if bias is None else scores + bias
    logs = torch.log_softmax(scores.double() / temperature, 1)
    own = scores.gather(1, targets[:, None])
    better, equal = (scores > own).sum(1), (scores == own).sum(1) - 1
    cross = -logs.gather(1, targets[:, None]).squeeze(1)
    return cross, -(logs.exp() * logs).sum(1), 1.0 + better + 0.5 * equal
