"""NuSLERP: two task vectors along the great circle between them, whole or row by row.

Idea: Between two task vectors the straight line cuts through the sphere and loses length. The
merge moves along the great circle between them instead. Directions and lengths are interpolated
apart, for a whole tensor or row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Size, Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of NuSLERP.

    Attributes:
        share: weight of the second expert, 0 to 1; of mergekit's weights, the second's over their
            sum.
        of: what is turned: each ``tensor`` as one vector (mergekit's default), each of its
            ``rows`` or each of its ``columns``.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    share: float = 0.5
    of: Literal["tensor", "rows", "columns"] = "tensor"
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise HandledError(f"nuslerp: share={self.share} is not in [0, 1]")
        if self.of not in ("tensor", "rows", "columns"):
            raise HandledError(f"nuslerp: of is tensor, rows or columns, not {self.of!r}")


class NuSlerp(TaskVectorStrategy):
    """SLERP of what the experts add to the base; lengths are interpolated with the directions.

    In double precision: mergekit works in the tensors' dtype, in which vectors that point almost
    the opposite way divide by rounding errors.
    """

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor; one row.

        Raises:
            HandledError: there are not two experts.
        """
        import torch

        if len(vectors.rows) != 2:
            raise HandledError(f"nuslerp merges two experts, not {len(vectors.rows)}: multi-slerp")
        merged = torch.zeros_like(vectors.base)
        for _, part, shape in vectors.parameters():
            one, other = (self.lines(row[part].double(), shape) for row in vectors.rows)
            turned = self.between(one, other)
            if self._by_columns(shape):
                turned = turned.view(shape[-1], *shape[1:-1], shape[0]).transpose(0, -1)
            merged[part] = turned.reshape(-1).to(merged.dtype)
        return vectors.with_rows(merged[None])

    def _by_columns(self, shape: Size) -> bool:
        return self.options.of == "columns" and len(shape) > 1

    def lines(self, tensor: Tensor, shape: Size) -> Tensor:
        """A tensor's entries [n] as the vectors that are turned: [vectors, entries of each]."""
        if self.options.of == "tensor" or len(shape) < 2 or not tensor.numel():
            return tensor[None]
        tensor = tensor.view(shape)
        if self._by_columns(shape):
            tensor = tensor.transpose(0, -1)
        return tensor.reshape(-1, tensor.shape[-1])

    def between(self, one: Tensor, other: Tensor) -> Tensor:
        """Rows [R, n] between rows of two matrices; (nearly) parallel ones along the line."""
        import torch

        share = self.options.share
        units = [v / v.norm(dim=1, keepdim=True).clamp(min=1e-7) for v in (one, other)]
        angle = (units[0] * units[1]).sum(1, keepdim=True).clamp(-1, 1).acos()
        sine = angle.sin()
        parallel = sine < 1e-8
        parts = [((1 - share) * angle).sin(), (share * angle).sin()]
        turned = (parts[0] * one + parts[1] * other) / sine.masked_fill(parallel, 1.0)
        return torch.where(parallel, torch.lerp(one, other, share), turned)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``nuslerp``."""
    return [
        StrategySpec(
            "nuslerp", f"{__name__}:NuSlerp",
            "Two task vectors along the great circle between them",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/nuslerp.py, with a base",
                    "tests/plugins/test_merging_field.py::test_nuslerp_as_mergekit_has_it",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Goddard et al., MergeKit, EMNLP 2024 (NuSLERP)",
        )
    ]  # fmt: skip
