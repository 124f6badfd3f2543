"""The models that learned weights pass through: rebuilt from the course that a merge recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.tiers import MergeInput
from recmerge_bench.toolkit.merging.coefficients import Coefficients
from recmerge_bench.toolkit.merging.learned import LearnOptions, transformed
from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


def models_along(
    given: MergeInput,
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
    scores: Tensor, targets: np.ndarray, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cross entropy of the targets and Shannon entropy of the predictions, in nats.

    Args:
        scores: [B, N].
        targets: integers [B], columns of the scores.
        temperature: divides the scores.

    Returns:
        float64 [B] each.
    """
    logs = torch.log_softmax(scores.double() / temperature, 1)
    own = torch.from_numpy(targets.astype(np.int64)).to(logs.device)
    cross = -logs.gather(1, own[:, None]).squeeze(1)
    return cross.cpu().numpy(), -(logs.exp() * logs).sum(1).cpu().numpy()
