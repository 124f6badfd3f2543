"""EMR-Merging: one elected task vector, and for each domain a mask and a scale.

Idea: One task vector is elected for all: each entry has the sign of the experts' sum and the
largest magnitude among the experts of that sign. Every domain keeps a mask of the entries whose
sign agrees with its own expert's, and a scale. The domain's mask and scale are applied when it is
served, at the cost of one bit for each weight and domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, MergeInput, Spec, StrategyDefinition, StrategySpec, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Emr(StrategyDefinition):
    """The largest magnitude among the entries of the elected sign; no options (section 3.2)."""

    modulated = True

    def merge_each(self, given: MergeInput) -> dict[str, dict[str, Tensor]]:
        """Base plus the rescaled, masked elected vector; means are over all entries."""
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.trim import elected_signs
        from recmerge_bench.toolkit.merging.vectors import unflatten

        vectors = TaskVectors.of(given)
        signs = elected_signs(vectors.rows)
        largest = (vectors.rows * signs).amax(0).clamp_(min=0)
        tensors_by_domain = {}
        for domain, row in zip(vectors.domains, vectors.rows, strict=True):
            masked = largest * (row * signs > 0)
            scale = row.abs().sum() / masked.sum().clamp(min=1e-12)
            tensors_by_domain[domain] = unflatten(
                vectors.base + scale * signs * masked, vectors.like
            )
        given.note("modulator_bits_per_domain", len(vectors.base) + 32)
        return tensors_by_domain


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``emr``."""
    return [
        StrategySpec(
            "emr", f"{__name__}:Emr",
            "An elected task vector with a mask and a scale for each domain (modulators)",
            checks=(
                Check(
                    "Huang et al., eqs. 2 to 5, means over the whole vector (the released code "
                    "has them by tensor too)",
                    "tests/plugins/test_merging_agreement.py::test_emr_as_published",
                    "1e-5 relative: fp32",
                ),
            ),
            inputs=("base", "experts"), fidelity="paper-equations",
            citation="Huang et al., EMR-Merging, NeurIPS 2024",
        )
    ]  # fmt: skip
