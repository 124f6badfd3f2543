"""Weights of task vectors, learned: merged in place, differentiated by one product.

The merged parameters are views of one flat vector, and so are their gradients. A change of the
weights costs one matrix-vector product per group and no copy; their gradient is the task vectors
times the flat gradient. Nothing of size K x P is built beside the task vectors themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

_LAYER = re.compile(r"(?:^|\.)layers?\.(\d+)\.")
GRANULARITIES = ("domain", "layer", "tensor")


def group_of(name: str, granularity: str) -> str:
    """The group that shares a weight: all parameters, a layer (and the others), a tensor.

    Raises:
        ValueError: an unknown granularity.
    """
    if granularity == "domain":
        return "all"
    if granularity == "tensor":
        return name
    if granularity != "layer":
        raise ValueError(f"granularity is one of {', '.join(GRANULARITIES)}, not {granularity!r}")
    match = _LAYER.search(name)
    return f"layer {match.group(1)}" if match else "others"


class Coefficients:
    """A weight for each task vector and group.

    Attributes:
        weights: fp32 [K, G], what is learned.
        groups: names of the columns.

    Args:
        vectors: task vectors as they are added up.
        granularity: see `group_of`.
        start: initial value of all weights.
    """

    def __init__(self, vectors: TaskVectors, granularity: str, start: float) -> None:
        self.vectors = vectors
        names = [group_of(name, granularity) for name, _, _ in vectors.parameters()]
        self.groups = tuple(dict.fromkeys(names))
        self.runs = list(self._runs(names))
        shape = (len(vectors.rows), len(self.groups))
        self.weights = torch.full(shape, start, dtype=torch.float32, device=vectors.base.device)
        self.flat = vectors.base.clone()
        self.gradient = torch.zeros_like(self.flat)
        self.merge()

    def _runs(self, names: list[str]) -> Iterator[tuple[slice, int]]:
        """Neighbouring parameters of one group as one stretch of columns."""
        start = stop = 0
        previous: str | None = None
        for name, (_, part, _) in zip(names, self.vectors.parameters(), strict=True):
            if previous is not None and name != previous:
                yield slice(start, stop), self.groups.index(previous)
                start = part.start
            previous, stop = name, part.stop
        if previous is not None:
            yield slice(start, stop), self.groups.index(previous)

    def merge(self) -> None:
        """Write base + sum_k weights[k, group] * rows[k] to the flat vector."""
        base, rows = self.vectors.base, self.vectors.rows
        for part, group in self.runs:
            torch.addmv(base[part], rows[:, part].T, self.weights[:, group], out=self.flat[part])

    def bind(self, net: nn.Module) -> None:
        """Make the merged parameters of a net views of the flat vector, and their gradients too.

        Parameters that do not merge stop asking for gradients.

        Raises:
            ValueError: a parameter of another dtype than fp32 merges, or the net lacks one.
        """
        own: Mapping[str, nn.Parameter] = dict(net.named_parameters())
        for parameter in own.values():
            parameter.requires_grad_(False)
        for name, part, shape in self.vectors.parameters():
            parameter = own.get(name)  # type: ignore[assignment]
            if parameter is None or parameter.dtype != torch.float32:
                raise ValueError(f"'{name}' is no fp32 parameter of the net")
            parameter.data = self.flat[part].view(shape)
            parameter.grad = self.gradient[part].view(shape)
            parameter.requires_grad_(True)

    def weights_gradient(self) -> Tensor:
        """The gradient of the weights [K, G] from that of the merged parameters."""
        gradient = torch.zeros_like(self.weights)
        for part, group in self.runs:
            gradient[:, group] += self.vectors.rows[:, part] @ self.gradient[part]
        return gradient
