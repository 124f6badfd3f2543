"""TSV-M: task singular vectors, decorrelated (Gargiulo et al., CVPR 2025).

Idea: The matrix of a task vector is nearly of low rank, and singular vectors of different experts
overlap. The leading singular vectors of all experts are put side by side and made orthogonal. Put
together again with their singular values they are the merged task vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


class TsvM(TaskVectorStrategy):
    """Leading singular triplets of all task vectors, side by side, bases orthogonalised."""

    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices by singular vectors; all else is the mean of the task vectors.

        A matrix with fewer singular values than there are experts keeps none: as in the released
        code it stays as the base has it.
        """
        import torch

        from recmerge_bench.toolkit.merging.spectral import polar, svd

        merged = vectors.rows.mean(0)
        for _, part, shape in vectors.parameters():
            if len(shape) != 2:
                continue
            keep = min(shape) // len(vectors.rows)
            if not keep:
                merged[part] = 0.0
                continue
            decompositions = [svd(row[part].view(shape), keep) for row in vectors.rows]
            left, values, right = (
                torch.cat(each, -1) for each in zip(*decompositions, strict=True)
            )
            merged[part] = ((polar(left) * values) @ polar(right).T).to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``tsv-m``."""
    return [
        StrategySpec(
            name="tsv-m",
            target=f"{__name__}:TsvM",
            summary="Leading singular vectors of every task vector, decorrelated",
            checks=(
                Check(
                    "AntoAndGar/task_singular_vectors, compute_and_sum_svd_mem_reduction",
                    "tests/plugins/test_merging_agreement.py::test_spectral_methods_as_released",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="code-verified",
            citation="Gargiulo et al., Task Singular Vectors, CVPR 2025",
        )
    ]
