"""MMGRid's mask merging and base replacement (Wei et al., 2026)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Check,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    hookimpl,
)
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

_CITATION = "Wei et al., MMGRid, 2026 (arXiv 2601.15930)"


@dataclass(frozen=True)
class MaskOptions:
    """Options of mask merging; all as released.

    Attributes:
        mask: entries that are masked first: at ``random``, or those of least ``magnitude`` of each
            tensor.
        rate: share of them.
        rescale: divide what is left by one minus the rate.
        trim: share of each task vector that TIES then trims.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    mask: Literal["random", "magnitude"] = "random"
    rate: float = 0.1
    rescale: bool = True
    trim: float = 0.8
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.mask not in ("random", "magnitude"):
            raise HandledError(f"mask-merging: mask is random or magnitude, not {self.mask!r}")
        if not (0 <= self.rate < 1 and 0 <= self.trim < 1):
            raise HandledError("mask-merging: rate and trim lie in [0, 1)")


class MaskMerging(TaskVectorStrategy):
    """Masked task vectors, each times 1/K, trimmed; the mean of what agrees with the elected sign.

    Idea: Each task vector loses entries that a mask selects and is rescaled. What is left is
    trimmed, and signs are elected as in TIES. The agreeing entries are averaged.

    The released code merges two models, both with the weight one half: what the mean of the
    agreeing is of task vectors of that weight, it is of K of weight 1/K here.
    """

    Options = MaskOptions
    order_matters = True

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows whose sum is the merged task vector."""
        import torch

        from recmerge_bench.toolkit.merging.trim import disjoint_means, keep_largest

        generator = torch.Generator().manual_seed(seed)
        for row in vectors.rows:
            for _, part, _ in vectors.parameters():
                self.masked(row[part], generator)
            if self.options.rescale:
                row.div_(1 - self.options.rate)
            trimmed = int(len(row) * self.options.trim)
            keep_largest(row, len(row) - max(trimmed - 1, 0))
        return vectors.with_rows(disjoint_means(vectors.rows, "majority").div_(len(vectors.rows)))

    def masked(self, tensor: Tensor, generator: Generator) -> None:
        """Zero entries of one tensor [n], in place."""
        import torch

        if self.options.mask == "random":
            drawn = torch.rand(len(tensor), generator=generator) >= self.options.rate
            tensor.mul_(drawn.to(tensor.device))
            return
        count = int(len(tensor) * self.options.rate)
        if count:
            limit = tensor.abs().kthvalue(count).values
            tensor.masked_fill_(tensor.abs() <= limit, 0.0)


@dataclass(frozen=True)
class ReplacementOptions:
    """Options of base replacement.

    Attributes:
        replacement: what takes the base's place: the ``first`` expert (the earliest phase), or
            the experts' ``mean``.
        merge: how the task vectors from there are merged: added up (``linear``) or by ``ties``
            (algorithm 1, on the whole vector).
        density: share of each task vector that TIES keeps.
        scale: weight of what is added to the replacement.
    """

    replacement: Literal["first", "mean"] = "first"
    merge: Literal["linear", "ties"] = "ties"
    density: float = 0.2
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.replacement not in ("first", "mean") or self.merge not in ("linear", "ties"):
            raise HandledError(
                "base-replacement: replacement is first or mean, merge is linear or ties"
            )
        if not 0 < self.density <= 1:
            raise HandledError(f"base-replacement: density={self.density} is not in (0, 1]")


class BaseReplacement(StrategyDefinition):
    """``theta_r + scale * merged(theta_n - theta_r)`` with a model of the task as the base.

    Idea: Experts of one task share a change that each task vector repeats. A model that has
    learned the task takes the base's place. The new task vectors hold only what is special to
    each expert.

    All experts have learned the task; what they learned in common is a change that each task
    vector from the original base repeats. A replacement that has learned the task leaves what is
    of its context alone in the task vectors. The paper replaces the base by one of its
    checkpoints; here it is made of what is merged: the first expert, which then adds no task
    vector of its own, or the experts' mean (linear task vectors from there add up to nothing:
    that is weight averaging). The original base takes no part.
    """

    Options = ReplacementOptions
    order_matters = True

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Task vectors from the replacement, merged and added to it."""
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.trim import disjoint_means, keep_largest
        from recmerge_bench.toolkit.merging.vectors import flatten, unflatten

        vectors, o = TaskVectors.of(given), self.options
        base, rows = vectors.base, vectors.rows
        if o.replacement == "first":
            start, rows = rows[0], rows[1:]
        else:
            start = rows.mean(0)
        if not len(rows):
            return unflatten(base + start, given.base)
        rows = rows - start
        if o.merge == "ties":
            for row in rows:
                keep_largest(row, int(o.density * len(row)))
            rows = disjoint_means(rows)
        merged = flatten(given.base) + start + o.scale * rows.sum(0)
        return unflatten(merged, given.base)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``mask-merging`` and ``base-replacement``."""
    return [
        StrategySpec(
            "mask-merging", f"{__name__}:MaskMerging",
            "Task vectors masked and rescaled, then trimmed and merged by elected signs",
            checks=(
                Check(
                    "Joinn99/MMGRid, src/merging/merging_methods.py, MaskMerging of two models by "
                    "ties_merging; masks as in yule-BUAA/MergeLM, mask_weights_utils.py",
                    "tests/plugins/test_merging_field.py::test_mask_merging_as_released",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified", citation=_CITATION,
        ),
        StrategySpec(
            "base-replacement", f"{__name__}:BaseReplacement",
            "Task vectors from an expert, or from the experts' mean, in the place of the base",
            checks=(
                Check(
                    "the released task vectors with another base, written out (the paper's choice "
                    "of checkpoint is not a merge's input)",
                    "tests/plugins/test_merging_field.py::test_base_replacement_written_out",
                    "1e-6 relative: fp32",
                ),
            ),
            inputs=("base", "experts"), fidelity="reconstructed", citation=_CITATION,
        ),
    ]  # fmt: skip
