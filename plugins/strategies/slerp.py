"""SLERP: two experts, tensor by tensor along the great circle between them.

Idea: The straight line between two sets of weights passes through shorter ones. The merge is a
point on the great circle between them, tensor by tensor. The base plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """Options of SLERP.

    Attributes:
        share: weight of the second expert, 0 to 1.
        parallel: tensors whose cosine is beyond this are interpolated along the line.
    """

    share: float = 0.5
    parallel: float = 0.9995

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise HandledError(f"slerp: share={self.share} is not in [0, 1]")


class Slerp(StrategyDefinition):
    """On the weights themselves, as mergekit has it; the base is not looked at.

    Experts that share a base have cosines near one: most tensors are then averaged.
    """

    Options = Options
    scope = "tensor"

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Interpolate.

        Raises:
            HandledError: there are not two experts.
        """
        if len(given.experts) != 2:
            raise HandledError(f"slerp merges two experts, not {len(given.experts)}: multi-slerp")
        one, other = (e.weights for e in given.experts)
        return {n: self.between(one[n], other[n]).to(t.dtype) for n, t in given.base.items()}

    def between(self, one: Tensor, other: Tensor) -> Tensor:
        """A tensor between two of its shape, in fp32 or fp64."""
        import torch

        from recmerge_bench.toolkit.merging.vectors import working

        a, b, share = working(one), working(other), self.options.share
        lengths = a.norm() * b.norm()
        # A tensor of nothing but zeros has no direction: mergekit takes its cosine for zero.
        cosine = float((a * b).sum() / lengths) if float(lengths) > 0 else 0.0
        if abs(cosine) > self.options.parallel:
            return torch.lerp(a, b, share)
        angle = torch.tensor(cosine, dtype=torch.float64).acos()
        parts = (torch.sin((1 - share) * angle), torch.sin(share * angle))
        return (a * float(parts[0]) + b * float(parts[1])) / float(torch.sin(angle))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``slerp``."""
    return [
        StrategySpec(
            "slerp", f"{__name__}:Slerp",
            "Two experts along the great circle between them, tensor by tensor",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/slerp.py",
                    "tests/plugins/test_merging_agreement.py::test_slerp_as_mergekit_has_it",
                    "1e-5 relative: fp32, as there",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Shoemake, SIGGRAPH 1985; as in mergekit",
        )
    ]  # fmt: skip
