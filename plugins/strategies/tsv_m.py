"""TSV-M: task singular vectors, decorrelated (Gargiulo et al., CVPR 2025).

Idea: The matrix of a task vector is nearly of low rank, and singular vectors of different experts
overlap. The leading singular vectors of all experts are put side by side and made orthogonal. Put
together again with their singular values they are the merged task vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.matrices import MatrixStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.matrices import Differences


class TsvM(MatrixStrategy):
    """Leading singular triplets of all task vectors, side by side, bases orthogonalised.

    What is no matrix is the mean of the task vectors.
    """

    def matrix(self, differences: Differences) -> Tensor:
        """``polar(U) S polar(V)^T`` of the experts' leading triplets side by side.

        A matrix with fewer singular values than there are experts keeps none: as in the released
        code it stays as the base has it.
        """
        import torch

        from recmerge_bench.toolkit.merging.gram_spectra import leading, orthogonal, times

        bases: list[Tensor] = []
        values: list[Tensor] = []
        for number, own in enumerate(differences):
            keep = min(own.shape) // len(differences)
            if not keep:
                return torch.zeros_like(own)
            if not bases:
                merged, wide = torch.empty_like(own), keep * len(differences)
                bases = [own.new_empty((n, wide), dtype=torch.float64) for n in own.shape]
            part = slice(number * keep, (number + 1) * keep)
            bases[0][:, part], spectrum, bases[1][:, part] = leading(own, keep, own.dtype)
            values.append(spectrum)
        left, right = (orthogonal(basis, merged.dtype) for basis in bases)
        middle = (left.right * torch.cat(values)) @ right.right
        return times(left.matrix, middle @ right.matrix.T, merged)


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
