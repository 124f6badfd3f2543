"""LiNeS: what a merge adds to the base, scaled by depth (Wang et al., ICLR 2025).

Idea: Early layers hold what all domains share, late ones what is special. What a merge adds to
the base is therefore scaled by depth: little in the first block, all of it in the last. It can
follow any other merge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

#: The merges that the paper scales.
Merge = Literal["task-arithmetic", "ties", "consensus"]


@dataclass(frozen=True)
class Options:
    """Options of LiNeS.

    Attributes:
        merge: whose task vector is scaled: the sum of ``task-arithmetic``, that of ``ties``
            (algorithm 1) or of ``consensus``.
        density: share of each task vector that TIES keeps.
        threshold: threshold of Consensus's masks.
        alpha: scale of the first block and of what stands in no block; ``sum``: the length of the
            sum of the task vectors over K times that of the merged one, which is 1/K for Task
            Arithmetic.
        beta: what the last block's scale is above the first's. The paper chooses it on validation
            data; there is no published default.
        blocks: regular expression whose group is a block's number in a parameter's name.
        scale: weight of the scaled task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    merge: Merge = "task-arithmetic"
    density: float = 0.2
    threshold: float = 0.4
    alpha: float | Literal["sum"] = "sum"
    beta: float = 0.5
    blocks: str = r"(?:^|\.)(?:layers?|blocks?|h)\.(\d+)\."
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.merge not in get_args(Merge):
            raise HandledError(f"lines: merge is one of {', '.join(get_args(Merge))}")
        if isinstance(self.alpha, str) and self.alpha != "sum":
            raise HandledError(f"lines: alpha is a number or 'sum', not {self.alpha!r}")
        if not (0 < self.density <= 1 and self.threshold >= 0):
            raise HandledError("lines: density lies in (0, 1], threshold is not negative")
        try:
            groups = re.compile(self.blocks).groups
        except re.error as error:
            raise HandledError(f"lines: blocks: {error}") from None
        if groups != 1:
            raise HandledError("lines: blocks has one group, a block's number")


class Lines(TaskVectorStrategy):
    """``theta_0 + (alpha + beta l / (L - 1)) t``, t what a merge adds in block l of L.

    Of one expert t is its task vector: that is LiNeS after any other merge, whose file is the
    expert then. In the released code a block's number may stand anywhere in a parameter's name, so
    that the number of something inside a block can be taken for it; here `Options.blocks` says
    where it stands.
    """

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row: the merged task vector, scaled tensor by tensor."""
        total, count = vectors.length_of_sum(), len(vectors.rows)
        merged = vectors.with_rows(self.merged(vectors.rows)[None])
        alpha = self.options.alpha
        if isinstance(alpha, str):
            length = merged.length_of_sum()
            alpha = total / (count * length) if length > 0 else 0.0
        scales = self.scales([name for name, _, _ in vectors.parameters()], alpha)
        for name, part, _ in merged.parameters():
            merged.rows[0, part] *= scales[name]
        return merged

    def merged(self, rows: Tensor) -> Tensor:
        """The merged task vector [P] of task vectors [K, P], which may be changed."""
        from recmerge_bench.toolkit.merging.trim import disjoint_means, keep_largest

        if self.options.merge == "ties":
            for row in rows:
                keep_largest(row, int(self.options.density * len(row)))
            return disjoint_means(rows).sum(0)
        total = rows.sum(0)
        if self.options.merge == "consensus":
            votes = (rows.abs() > self.options.threshold * (total - rows).abs()).sum(0)
            total *= votes >= 2
        return total

    def scales(self, names: Iterable[str], alpha: float) -> dict[str, float]:
        """Parameter -> its scale."""
        pattern = re.compile(self.options.blocks)
        places = {name: pattern.search(name) for name in names}
        numbers = {name: int(place[1]) if place else 0 for name, place in places.items()}
        last = max(numbers.values(), default=0)
        return {n: alpha + self.options.beta * k / max(last, 1) for n, k in numbers.items()}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``lines``."""
    return [
        StrategySpec(
            "lines", f"{__name__}:Lines",
            "Task vectors merged as others do, then scaled linearly from the first block to the "
            "last",
            checks=(
                Check(
                    "Wang et al., LiNeS_scaling of the released code, on sums, TIES and Consensus",
                    "tests/plugins/test_merging_field.py::test_lines_as_released",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="paper-equations",
            citation="Wang et al., LiNeS, ICLR 2025 (arXiv 2410.17146)",
        )
    ]  # fmt: skip
