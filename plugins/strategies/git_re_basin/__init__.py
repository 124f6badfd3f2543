"""Git Re-Basin: units of experts without a common base are matched, then weights averaged.

Idea: Nets that were trained apart may have learned the same units in another order, so that
averaging them mixes what does not belong together. Hidden units and attention heads are permuted
until the weights match best. Then the weights are averaged.
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
    from recmerge_bench_plugins.strategies.git_re_basin.symmetries import Symmetry
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """Options of Git Re-Basin.

    Attributes:
        heads: attention heads of the model, which are matched as wholes; 1: none are matched.
        iterations: most rounds over the experts after the first.
    """

    heads: int = 1
    iterations: int = 100

    def __post_init__(self) -> None:
        if self.heads < 1 or self.iterations < 0:
            raise HandledError("git-re-basin: heads is at least 1, iterations is not negative")


class GitReBasin(StrategyDefinition):
    """The mean of the experts, each with its hidden units and heads where the others have theirs.

    Weight matching (Ainsworth et al., section 3.2) for transformers: the hidden units of
    feed-forward layers and the attention heads change places, each by one linear assignment; the
    residual stream does not, so that no permutation depends on another. Every expert is matched
    with the first, which fixes the order of units; then each is matched with the mean of the
    others until none changes (algorithm 3, MergeMany, in the experts' order instead of a random
    one). The base takes no part. What experts differ in beyond permutations (the frame of the
    residual stream, maps inside heads) is averaged as it is.
    """

    Options = Options
    order_matters = True

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Match, then average; the record says what was matched and how many units moved.

        Raises:
            HandledError: there are heads to match and no attention that has as many.
        """
        from recmerge_bench_plugins.strategies.git_re_basin.symmetries import symmetries

        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        heads = self.options.heads
        parts = symmetries(given.base, heads)
        if heads > 1 and not any(part.name.endswith("heads") for part in parts):
            raise HandledError(f"git-re-basin: no attention of {heads} heads is among the weights")
        models: list[dict[str, Tensor]] = [dict(e.weights) for e in given.experts]
        moved = {part.name: self._match(models, part) for part in parts}
        given.note("moved", moved)
        return weighted_sum(models, [1 / len(models)] * len(models))

    def _match(self, models: list[dict[str, Tensor]], part: Symmetry) -> int:
        """Bring one part of all models but the first into order; how often a unit moved."""
        import torch

        moved = sum(self._place(models, k, models[0], part) for k in range(1, len(models)))
        for _ in range(self.options.iterations if len(models) > 2 else 0):
            again = 0
            for number in range(1, len(models)):
                others = [m for k, m in enumerate(models) if k != number]
                names = {axis.name for axis in part.axes}
                mean = {n: torch.stack([m[n].double() for m in others]).mean(0) for n in names}
                again += self._place(models, number, mean, part)
            moved += again
            if not again:
                break
        return moved

    def _place(
        self, models: list[dict[str, Tensor]], number: int, target: dict[str, Tensor],
        part: Symmetry,
    ) -> int:  # fmt: skip
        """Match one model with a target; how many units moved."""
        import torch
        from recmerge_bench_plugins.strategies.git_re_basin.symmetries import matched, permuted

        order = matched(target, models[number], part)
        models[number] = permuted(models[number], part, order)
        return int((order != torch.arange(len(order))).sum())


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``git-re-basin``."""
    return [
        StrategySpec(
            "git-re-basin", f"{__name__}:GitReBasin",
            "Mean of experts whose hidden units and heads were matched by weights",
            checks=(
                Check(
                    "permuted copies of trained-size nets merge back to the original",
                    "tests/plugins/test_merging_re_basin.py::test_permuted_copies_merge_back_by_git_re_basin",
                    "1e-6: fp32",
                ),
                Check(
                    "Ainsworth et al., eq. 1, against all permutations of a few units",
                    "tests/plugins/test_merging_re_basin.py::test_matching_is_the_best_of_all_permutations",
                    "exact",
                ),
            ),
            inputs=("base", "experts"), fidelity="paper-equations",
            citation="Ainsworth et al., Git Re-Basin, ICLR 2023",
        )
    ]  # fmt: skip
