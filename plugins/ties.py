"""TIES: trim globally, elect signs, mean of the agreeing (Yadav et al., NeurIPS 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import HandledError, Spec, StrategyDefinition, WeightsOnly, hookimpl

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Options:
    """Options of TIES.

    Attributes:
        density: share of each task vector that is kept, over all its float parameters together.
        scale: weight of the merged task vector.
    """

    density: float = 0.2
    scale: float = 1.0


class Ties(StrategyDefinition):
    """theta = theta_0 + scale * tau, tau the mean of the trimmed entries that agree in sign."""

    Options = Options

    def merge(self, given: WeightsOnly) -> dict[str, torch.Tensor]:
        """Trim each task vector globally, elect the sign of the sum (zero counts as +), average.

        Raises:
            HandledError: density is not in (0, 1].
        """
        import torch

        from recmerge_bench.merging.vectors import flatten, unflatten

        if not 0 < self.options.density <= 1:
            raise HandledError(f"ties: density={self.options.density} is not in (0, 1]")
        base = flatten(given.base)
        total = torch.zeros_like(base)
        trimmed = []
        for expert in given.experts:
            vector = trim(flatten(expert.weights).sub_(base), self.options.density)
            trimmed.append(vector)
            total += vector
        positive = total >= 0
        agreeing = torch.zeros_like(base)
        total.zero_()
        for vector in trimmed:
            keep = (vector != 0) & ((vector > 0) == positive)
            total += vector.where(keep, 0.0)
            agreeing += keep
        merged = base.add_(total.div_(agreeing.clamp_(min=1)), alpha=self.options.scale)
        return unflatten(merged, given.base)


def trim(vector: torch.Tensor, density: float) -> torch.Tensor:
    """Zero all but the floor(density * P) entries of largest magnitude, in place.

    Ties at the threshold are kept, so that the result depends on values alone.
    """
    keep = int(density * vector.numel())
    if keep >= vector.numel():
        return vector
    if keep == 0:
        return vector.zero_()
    magnitude = vector.abs()
    threshold = magnitude.kthvalue(vector.numel() - keep + 1).values
    return vector.masked_fill_(magnitude < threshold, 0.0)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``ties``."""
    return [
        Spec(
            kind="strategy",
            name="ties",
            target=f"{__name__}:Ties",
            summary="Globally trimmed task vectors, elected signs, mean of the agreeing",
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Yadav et al., TIES-Merging, NeurIPS 2023",
        )
    ]
