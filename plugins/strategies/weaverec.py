"""WeaveRec: a domain's expert merged with hybrids of it and each other domain (Hou et al., 2025).

Idea: An expert of another domain disturbs a merge, because it has never seen the target's data.
Models that were trained on both domains take its place. The target's own expert and these hybrids
are averaged with equal weights, once for each target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, MergeInput, Spec, StrategyDefinition, hookimpl
from recmerge_bench.toolkit.merging.hybrids import HybridsSpec

if TYPE_CHECKING:
    import torch


class EqualAverage(StrategyDefinition):
    """``theta = theta_0 + (1/n) sum_i (theta_i - theta_0)``: the mean of n models.

    The paper merges low-rank adapters of a language model, ``W + (1/n) sum_i s B_i A_i``: weights
    of a softmax of ones, of the adapters' products. Here whole models are merged where a backbone
    has no adapters, which is the same with ``theta_i - theta_0`` in the place of ``s B_i A_i``.
    A hybrid reads all data of its two domains; the released script takes at most 40,000 examples
    of each. Item tables, which the paper's models do not have, are the domain's own expert's.
    """

    scope = "entry"

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Mean of the models, tensor by tensor, accumulated in place."""
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        count = len(given.experts)
        return weighted_sum([e.weights for e in given.experts], [1.0 / count] * count)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``weaverec``."""
    return [
        HybridsSpec(
            "weaverec", f"{__name__}:EqualAverage",
            "Equal average of a domain's expert and of hybrids of it and each other domain",
            checks=(
                Check(
                    "Linear.merge of src/mlora3/mytuners.py in muyiahhh/SharpRec, which took it "
                    "from WeaveRec's code, with the weights of change_weights.py; whole models",
                    "tests/plugins/test_merging_field.py::test_weaverec_of_adapters_as_released",
                    "1e-12 relative, float64",
                ),
                Check(
                    "Asakakidder/WeaveRec (the authors'), scripts train_modules.sh and "
                    "merge_and_test.sh, traindata/combine.py: what is trained on what and merged",
                    "tests/planning/test_hybrids.py::test_weaverec_merges_an_expert_and_its_hybrids",
                    "the same models",
                ),
            ),
            fidelity="reconstructed",
            citation="Hou et al., WeaveRec, arXiv 2510.26546 (2025)",
        )
    ]  # fmt: skip
