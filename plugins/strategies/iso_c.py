"""Iso-C: the summed task vector with an even spectrum (Marczak et al., ICML 2025).

Idea: A few directions dominate the summed task vector, and the experts whose directions are weak
lose. All singular values of each summed matrix are replaced by their mean. Every direction that
any expert uses then counts equally.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


class IsoC(TaskVectorStrategy):
    """All singular values of every matrix of the sum are set to their mean."""

    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices of the sum; all else is the mean of the task vectors."""
        from recmerge_bench.toolkit.merging.spectral import svd

        merged = vectors.rows.mean(0)
        total = vectors.rows.sum(0)
        for _, part, shape in vectors.parameters():
            if len(shape) == 2:
                left, values, right = svd(total[part].view(shape))
                merged[part] = (left @ right.T * values.mean()).to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``iso-c``."""
    return [
        StrategySpec(
            name="iso-c",
            target=f"{__name__}:IsoC",
            summary="The summed task vector with equal singular values",
            checks=(
                Check(
                    "danielm1405/iso-merging, iso_c, as adapted in tanganke/fusion_bench, "
                    "iso_utils.py",
                    "tests/plugins/test_merging_agreement.py::test_spectral_methods_as_released",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="code-verified",
            citation="Marczak et al., No Task Left Behind, ICML 2025",
        )
    ]
