"""Task vectors as one matrix: the form that most merging methods are written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.tiers import MergeInput
from recmerge_bench.toolkit.merging.vectors import Weights, flatten, unflatten


@dataclass(frozen=True)
class TaskVectors:
    """A base and what each expert adds to it.

    Parameters stand one after the other, in the order of their sorted names.

    Attributes:
        base: fp32 [P]; fp64 where a model has fp64 tensors.
        rows: likewise [K, P], ``theta_k - theta_0``; a method's result may have any number of rows.
        like: the base's tensors: names, shapes and dtypes.
        domains: of the rows as they were taken.
    """

    base: Tensor
    rows: Tensor
    like: Weights
    domains: tuple[str, ...]

    @classmethod
    def of(cls, given: MergeInput) -> TaskVectors:
        """Differences in the base's precision, written into one matrix."""
        base = flatten(given.base)
        rows = base.new_empty((len(given.experts), len(base)))
        for row, expert in zip(rows, given.experts, strict=True):
            torch.sub(flatten(expert.weights), base, out=row)
        return cls(base, rows, given.base, tuple(e.domain for e in given.experts))

    def with_rows(self, rows: Tensor) -> TaskVectors:
        """The same base with other rows [any, P]."""
        return replace(self, rows=rows)

    def parameters(self) -> Iterator[tuple[str, slice, torch.Size]]:
        """Each parameter's name, its columns and its shape."""
        start = 0
        for name in sorted(self.like):
            shape = self.like[name].shape
            yield name, slice(start, start + shape.numel()), shape
            start += shape.numel()

    def lengths(self) -> list[float]:
        """Euclidean norm of each row, squares added up in double precision."""
        return [_length(row) for row in self.rows]

    def length_of_sum(self) -> float:
        """Euclidean norm of the sum of the rows."""
        return _length(self.rows.sum(0))

    def merged(self, scales: float | Sequence[float]) -> dict[str, Any]:
        """``base + sum_k scales[k] * rows[k]``, as named tensors in the base's dtypes."""
        if isinstance(scales, (int, float)):
            total = torch.add(self.base, self.rows.sum(0), alpha=float(scales))
        else:
            total = torch.addmv(self.base, self.rows.T, self.rows.new_tensor(list(scales)))
        return unflatten(total, self.like)


def _length(vector: Tensor) -> float:
    # Part by part: a double copy of a whole model's vector would be twice its size.
    parts = vector.split(1 << 20)
    length: float = sum(float(part.double().square().sum()) for part in parts) ** 0.5
    return length


def is_matrix(shape: Sequence[int]) -> bool:
    """Whether spectral methods treat a parameter as a linear map (and not as a list of numbers)."""
    return len(shape) == 2 and min(shape) > 1
