"""Iso-C: the summed task vector with an even spectrum (Marczak et al., ICML 2025).

Idea: A few directions dominate the summed task vector, and the experts whose directions are weak
lose. All singular values of each summed matrix are replaced by their mean. Every direction that
any expert uses then counts equally.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.matrices import MatrixStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.matrices import Differences


class IsoC(MatrixStrategy):
    """All singular values of every matrix of the sum are set to their mean.

    What is no matrix is the mean of the task vectors.
    """

    def matrix(self, differences: Differences) -> Tensor:
        """``U V^T mean(S)`` of the sum ``U S V^T``: its polar factor, scaled."""
        from recmerge_bench.toolkit.merging.gram_spectra import EVEN, orthogonal, times

        total = differences.total()
        if not total.numel():
            return total
        tall = total if total.shape[0] >= total.shape[1] else total.T
        found = orthogonal(tall, total.dtype)
        right = found.right * found.values.mean()
        if found.ratio <= EVEN:
            right = right.to(total.dtype)
        times(found.matrix, right, tall)  # row by row: what is written was read
        return total


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
