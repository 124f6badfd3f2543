"""DARE, then TIES: task vectors dropped at random and rescaled, trimmed, signs elected.

Idea: Task vectors are first thinned at random and rescaled, as DARE does. What is left is trimmed
by size, and experts vote on the sign of each entry, as TIES does. The mean of the agreeing
entries is added to the base.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import inf
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
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of DARE-TIES.

    Attributes:
        drop: probability that an entry is dropped; the others are divided by what is kept.
        density: share of each task vector that TIES keeps besides, dropped entries counted. 1, no
            trimming, is what users of mergekit's ``dare_ties`` know (it works tensor by tensor,
            and adds up what agrees); Yu et al. trim by TIES's 0.2 too.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    drop: float = 0.5
    density: float = 1.0
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.drop < 1:
            raise HandledError("dare-ties: drop lies in [0, 1)")
        if not 0 < self.density <= 1:
            raise HandledError(f"dare-ties: density={self.density} is not in (0, 1]")


def generators(seed: int, count: int) -> list[Generator]:
    """One for each expert: draws of one do not depend on how large the stretches are."""
    import torch

    from recmerge_bench.toolkit.seeds import mixed

    return [torch.Generator().manual_seed(mixed(seed, k)) for k in range(count)]


def dropped(vector: Tensor, drop: float, generator: Generator) -> Tensor:
    """The next entries of a task vector, thinned in place: float [n]."""
    import torch

    kept = torch.rand(len(vector), generator=generator) >= drop
    return vector.mul_(kept.to(vector.device)).div_(1 - drop)


class DareTies(TaskVectorStrategy):
    """Every task vector through DARE, then all through TIES (algorithm 1) on the whole vector.

    From files it is merged in two goes: thresholds first, then stretch after stretch with the same
    draws.
    """

    Options = Options
    order_matters = True

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows whose sum is the mean of the surviving entries that agree."""
        from recmerge_bench.toolkit.merging.trim import disjoint_means, keep_largest

        o = self.options
        for row, generator in zip(vectors.rows, generators(seed, len(vectors.rows)), strict=True):
            dropped(row, o.drop, generator)
            keep_largest(row, int(o.density * len(row)))
        return vectors.with_rows(disjoint_means(vectors.rows))

    def prepass_scope(self) -> str:
        """Thresholds come first, of the whole vector."""
        return "model"

    def prepass(self, rows: TaskVectorBlocks) -> Drawn:
        """Each thinned task vector's threshold."""
        from recmerge_bench.toolkit.merging.blocks import kth_largest_magnitude

        o, count = self.options, int(self.options.density * rows.size)
        limits = [
            kth_largest_magnitude(partial(self._thinned, rows, k), rows.size, count)
            if count
            else inf
            for k in range(len(rows))
        ]
        return Drawn(o, tuple(limits), generators(rows.seed, len(rows)))

    def _thinned(self, rows: TaskVectorBlocks, expert: int, step: int) -> Iterator[Tensor]:
        """One expert's thinned task vector in blocks, every `step`-th entry.

        Draws for a sample are not those of the whole vector: it brackets the threshold, no more.
        """
        generator = generators(rows.seed, len(rows))[expert]
        for block in rows.of(expert, step):
            yield dropped(block, self.options.drop, generator)


class Drawn(StrategyDefinition):
    """DARE-TIES once the thresholds are known: stretch after stretch, in the names' order.

    Args:
        options: of DARE-TIES.
        limits: the least magnitude that each expert keeps.
        draws: where each expert's draws come from; every stretch takes the next ones.
    """

    scope = "entry"

    def __init__(self, options: Options, limits: tuple[float, ...], draws: list[Generator]) -> None:
        super().__init__(options)
        self.limits, self.draws = limits, draws

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Base plus the scaled mean of the surviving entries that agree."""
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.trim import disjoint_means, zero_below

        vectors = TaskVectors.of(given)
        for row, limit, draw in zip(vectors.rows, self.limits, self.draws, strict=True):
            zero_below(dropped(row, self.options.drop, draw), limit)
        return vectors.with_rows(disjoint_means(vectors.rows)).merged(self.options.scale)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``dare-ties``."""
    return [
        StrategySpec(
            "dare-ties", f"{__name__}:DareTies",
            "Task vectors dropped at random and rescaled, then trimmed and merged by elected signs",
            checks=(
                Check(
                    "Yu et al., eqs. 2 to 4, then Yadav et al., algorithm 1, with the same draws",
                    "tests/plugins/test_merging_field.py::test_dare_ties_as_published",
                    "1e-9 relative, float64",
                ),
                Check(
                    "merged from files: the same draws, whatever the stretches",
                    "tests/plugins/test_merging_field.py::test_dare_ties_streams_with_the_same_draws",
                    "1e-6: fp32",
                ),
            ),
            inputs=("base", "experts"), fidelity="paper-equations",
            citation="Yu et al., Language models are super Mario, ICML 2024; Yadav et al., "
            "NeurIPS 2023",
        )
    ]  # fmt: skip
