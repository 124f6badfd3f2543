"""Methods for the matrices of a model, one parameter at a time, so that no more is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from recmerge_bench.tiers import MergeInput
from recmerge_bench.toolkit.merging.strategy import TaskVectorStrategy, norm_scale

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

#: Entries of a block: that of a model and what it is added to stay in a processor's cache.
BLOCK = 1 << 16


class Differences:
    """A parameter's task vectors, each made when it is asked for.

    Args:
        base: float [...].
        experts: likewise, at least one; None for the base: `experts` are the differences.
    """

    def __init__(self, base: Tensor | None, experts: Sequence[Tensor]) -> None:
        self._base, self._experts = base, experts

    def __len__(self) -> int:
        return len(self._experts)

    def __iter__(self) -> Iterator[Tensor]:
        """Each in fp32 or fp64, not to be changed."""
        from recmerge_bench.toolkit.merging.vectors import working

        for expert in self._experts:
            own = working(expert)
            yield own if self._base is None else own - working(self._base)

    def total(self) -> Tensor:
        """Their sum, a block at a time."""
        import torch

        from recmerge_bench.toolkit.merging.vectors import working

        base = None if self._base is None else self._base.reshape(-1)
        kinds = [t.dtype for t in (*self._experts, *(() if base is None else (base,)))]
        dtype = torch.float64 if torch.float64 in kinds else torch.float32
        first = self._experts[0]
        total = torch.zeros(first.shape, dtype=dtype, device=first.device)
        flat = total.view(-1)
        experts = [expert.reshape(-1) for expert in self._experts]
        for start in range(0, len(flat), BLOCK):
            part = slice(start, start + BLOCK)
            place = flat[part]
            origin = None if base is None else working(base[part])
            for expert in experts:
                own = working(expert[part])
                place.add_(own if origin is None else own - origin)
        return total


class MatrixStrategy(TaskVectorStrategy):
    """``theta = theta_0 + scale * t``: of matrices by `matrix`, of all else the mean."""

    scope = "tensor"

    def matrix(self, differences: Differences) -> Tensor:
        """One matrix [a, b] from those of the task vectors, fp32 or fp64."""
        raise NotImplementedError

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row: what is added, parameter by parameter."""
        merged = vectors.rows.new_empty((1, vectors.rows.shape[1]))
        for _, part, shape in vectors.parameters():
            own = Differences(None, [row[part].view(shape) for row in vectors.rows])
            merged[0, part] = self._added(own, len(shape)).reshape(-1).to(merged.dtype)
        return vectors.with_rows(merged)

    def merge(self, given: MergeInput) -> dict[str, Any]:
        """Base plus what is added, without the task vectors of a whole model."""
        if not self.by_rule():
            return {name: self._merged(given, name, self.options.scale) for name in given.base}
        from recmerge_bench.toolkit.merging.vectors import task_vector_lengths, working

        lengths, _ = task_vector_lengths(given.base, [e.weights for e in given.experts])
        added = {name: self._added(_of(given, name), start.dim()) for name, start in
                 given.base.items()}  # fmt: skip
        squares = sum(float(t.double().square().sum()) for t in added.values())
        scale = norm_scale(lengths, squares**0.5)
        given.note("scale", scale)
        return {
            name: working(start).add(added[name], alpha=scale).to(start.dtype)
            for name, start in given.base.items()
        }

    def _merged(self, given: MergeInput, name: str, scale: float) -> Tensor:
        from recmerge_bench.toolkit.merging.vectors import working

        start = given.base[name]
        added = self._added(_of(given, name), start.dim())
        total: Tensor = added.mul_(scale).add_(working(start)).to(start.dtype)
        return total

    def _added(self, differences: Differences, dimensions: int) -> Tensor:
        if dimensions == 2:
            return self.matrix(differences)
        return differences.total().div_(len(differences))


def _of(given: MergeInput, name: str) -> Differences:
    return Differences(given.base[name], [e.weights[name] for e in given.experts])
