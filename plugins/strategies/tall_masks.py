"""TALL masks: the summed task vector, and for each domain the entries that matter to it.

Idea: What an expert knows is still in the summed task vector, under what the others added. A mask
for each domain selects the entries that its own expert agrees with. The base plus the masked sum
is nearly that expert again, at a bit for each weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, MergeInput, Spec, StrategyDefinition, StrategySpec, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """Options of TALL masks.

    Attributes:
        threshold: an entry is a domain's where its own change is more than this many times what
            the others add; the paper picks .2 to .6 by validation, this is the middle.
    """

    threshold: float = 0.4


class TallMasks(StrategyDefinition):
    """``theta_0 + mask_k * sum of task vectors`` (eq. 4 and 5)."""

    Options = Options
    modulated = True

    def merge_each(self, given: MergeInput) -> dict[str, dict[str, Tensor]]:
        """Masks from magnitudes alone."""
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.vectors import unflatten

        vectors = TaskVectors.of(given)
        total = vectors.rows.sum(0)
        tensors_by_domain = {}
        for domain, row in zip(vectors.domains, vectors.rows, strict=True):
            mask = row.abs() > self.options.threshold * (total - row).abs()
            tensors_by_domain[domain] = unflatten(vectors.base + total * mask, vectors.like)
        given.note("modulator_bits_per_domain", len(vectors.base))
        return tensors_by_domain


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``tall-masks``."""
    return [
        StrategySpec(
            "tall-masks", f"{__name__}:TallMasks",
            "The summed task vector under a mask for each domain (modulators)",
            checks=(
                Check(
                    "Wang et al., eqs. 4 and 5",
                    "tests/plugins/test_merging_agreement.py::test_consensus_and_tall_masks_as_published",
                    "1e-5 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"), fidelity="paper-equations",
            citation="Wang et al., Localizing Task Information, ICML 2024",
        )
    ]  # fmt: skip
