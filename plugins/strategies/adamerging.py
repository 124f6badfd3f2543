"""AdaMerging (Yang et al., ICLR 2024): weights that make the merged model's predictions certain.

Idea: A merged model that knows what to predict is certain of it. The entropy of its predictions
for users' histories without labels is therefore the loss. Gradient steps change nothing but the
weights of the task vectors, one for each expert and tensor.

Idea (adamerging-pp): AdaMerging with TIES before it: task vectors are trimmed, and entries
against the elected sign are set to zero. The weights of what is left are learned by the entropy
of the predictions for users' histories without labels. Less interference is left for the weights
to make up for.

Idea (adamerging-mergerec): AdaMerging in the form that MergeRec compares with. The entropy of
predictions for pseudo-users, one for each item, is the loss, so that no data of users are read.
There is one weight for each expert, or for each expert and layer, and nothing keeps it within [0,
1].

Idea (adamerging-pseudo): AdaMerging on pseudo-users, with settings of ours. The entropy of
predictions for histories of one item each is the loss, so that no data of users are read. Every
step has as many pseudo-users of each domain, and the merged model's item vectors are computed
again every 25 steps.

Idea (adamerging-sequences): AdaMerging on users' training histories, with settings of ours. The
entropy of the predictions for them is the loss. Every step has as many users of each domain, and
the merged model's item vectors are computed again every 25 steps.

The original learns on unlabelled test inputs. Held-out events are out of a merge's reach here, so
``adamerging`` and ``adamerging-pp`` take users' training histories (tier T3) and are the released
code in all else: a weight for each tensor, .3 at the start, clamped to [0, 1], two batches of 16
of every domain a step, 500 steps of Adam. MergeRec compares with another form, on pseudo-users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.learned import LearnedWeights, LearnOptions

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options(LearnOptions):
    """Options of AdaMerging, beside those of learning.

    Attributes:
        scale: multiplies the scores before the softmax; MergeRec's released comparison takes raw
            cosines, a twentieth of what the model was trained with.
    """

    scale: float = 1.0


class AdaMerging(LearnedWeights):
    """Shannon entropy, in nats, of the merged model's predictions."""

    Options = Options

    def each(self, student: Tensor, teacher: Tensor) -> Tensor:
        """See `LearnedWeights.each`; the teacher is not looked at."""
        import torch
        from torch.nn import functional as F

        logs = F.log_softmax(student * self.options.scale, 1)
        return -(logs.exp() * logs.masked_fill(logs == -torch.inf, 0.0)).sum(1)


#: Ours: domains in balance, the merged model's items encoded anew, larger steps.
_OURS = {"granularity": "tensor", "sampling": "balanced", "batch": 48, "refresh": 25, "lr": 0.01}
_ORIGINAL = {
    "granularity": "tensor", "start": 0.3, "clamp": True, "sampling": "each", "batches": 2,
}  # fmt: skip


_CHECKS: dict[str, tuple[Check, ...]] = {
    "adamerging": (
        Check(
            "EnnengYang/AdaMerging, src/main_layer_wise_adamerging.py, by autograd; the inputs "
            "are training histories, test inputs being out of reach",
            "tests/plugins/test_merging_learned.py::test_adamerging_as_released",
            "1e-4 relative: fp32 weights",
        ),
        Check(
            "the settings there",
            "tests/plugins/test_merging_learned.py::test_adamergings_settings_are_the_released_ones",
            "exact",
        ),
    ),
    "adamerging-pp": (
        Check(
            "EnnengYang/AdaMerging, src/main_layer_wise_adamergingpp.py, by autograd",
            "tests/plugins/test_merging_learned.py::test_adamerging_as_released",
            "1e-4 relative: fp32 weights",
        ),
        Check(
            "src/ties_merging_utils.py there, ties_merging_split",
            ""
            "tests/plugins/test_merging_learned.py::test_kept_entries_are_those_that_the_ties_authors_select",
            "exact",
        ),
    ),
    "adamerging-mergerec": (
        Check(
            "MergeRec's account of it: entropy of raw scores, in nats",
            "tests/plugins/test_merging_learned.py::test_entropy_by_hand",
            "1e-6",
        ),
        Check(
            "gradients of the weights, by autograd",
            "tests/plugins/test_merging_learned.py::test_weights_gradient_is_autograds",
            "1e-4 relative: fp32",
        ),
    ),
    "adamerging-pseudo": (
        Check(
            "own settings; the entropy falls",
            "tests/plugins/test_merging_learned.py::test_adamerging_lowers_entropy",
            "none: a direction",
        ),
    ),
    "adamerging-sequences": (
        Check(
            "own settings; users in the place of pseudo-users",
            "tests/merging/test_merging_tiers.py::test_the_same_strategy_learns_on_items_or_on_users",
            "exact repetition",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """As released, on TIES's task vectors, as MergeRec compares with it, and ours."""
    target, citation = f"{__name__}:AdaMerging", "Yang et al., AdaMerging, ICLR 2024"
    return [
        StrategySpec(
            "adamerging", target,
            "Weights learned by the entropy of predictions for unlabelled user sequences",
            checks=_CHECKS["adamerging"],
            options=_ORIGINAL, inputs=("base", "experts"), tier="T3", fidelity="code-verified",
            citation=citation,
        ),
        StrategySpec(
            "adamerging-pp", target,
            "AdaMerging++: the same on TIES's trimmed, agreeing task vectors",
            checks=_CHECKS["adamerging-pp"],
            options={**_ORIGINAL, "vectors": "kept"}, inputs=("base", "experts"), tier="T3",
            fidelity="code-verified", citation=citation,
        ),
        StrategySpec(
            "adamerging-mergerec", target,
            "AdaMerging as MergeRec compares with it: pseudo-users, 16 in all, weights unclamped",
            checks=_CHECKS["adamerging-mergerec"],
            inputs=("base", "experts"), tier="T1", fidelity="paper-equations",
            citation=f"MergeRec, KDD 2026 (doi 10.1145/3770854.3780264); after {citation}",
        ),
        StrategySpec(
            "adamerging-pseudo", target,
            "Entropy of predictions for pseudo-users, domains in balance, items encoded anew",
            checks=_CHECKS["adamerging-pseudo"],
            options=_OURS, inputs=("base", "experts"), tier="T1", fidelity="own",
            citation=f"after {citation}",
        ),
        StrategySpec(
            "adamerging-sequences", target,
            "Entropy of predictions for user sequences, domains in balance, items encoded anew",
            checks=_CHECKS["adamerging-sequences"],
            options=_OURS, inputs=("base", "experts"), tier="T3", fidelity="own",
            citation=f"after {citation}",
        ),
    ]  # fmt: skip
