"""MergeRec (KDD 2026): weights of task vectors learned on pseudo-users, experts as teachers.

Idea: The weights of the experts' task vectors are learned without data of users. Every item is a
pseudo-user whose history is that one item. The merged model is trained to predict what the
domain's own expert predicts for these users: the expert's top item (pseudo label) and its
distribution over the items (distillation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.learned import LearnedWeights, LearnOptions

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options(LearnOptions):
    """Options of MergeRec, beside those of learning.

    Attributes:
        distillation: weight of the distillation term, the paper's lambda.
        direction: ``merged-teacher`` is KL(merged || teacher), the paper's eq. 11;
            ``teacher-merged`` the released code's.
        temperature: divides both sides' scores in the distillation, whose loss is multiplied by
            its square.
        label_scale: multiplies the scores in the pseudo-label loss; the released code leaves out
            the temperature that its cosines were trained with.
        label: the pseudo-label loss: ``softmax`` cross entropy over the domain's items, as the
            released code has it, or ``binary`` cross entropy of every item's sigmoid, summed over
            the items, as eq. 12 is written (with the sign of its logarithms put right: the
            published one would make the pseudo label unlikely).
    """

    distillation: float = 1000.0
    direction: Literal["merged-teacher", "teacher-merged"] = "merged-teacher"
    temperature: float = 1.0
    label_scale: float = 1.0
    label: Literal["softmax", "binary"] = "softmax"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature <= 0 or self.direction not in ("merged-teacher", "teacher-merged"):
            raise HandledError(
                "mergerec: temperature is positive, direction merged-teacher or teacher-merged"
            )
        if self.label not in ("softmax", "binary"):
            raise HandledError(f"mergerec: label is softmax or binary, not {self.label!r}")


class MergeRec(LearnedWeights):
    """Cross entropy with the expert's top item, and a Kullback-Leibler divergence."""

    Options = Options

    def each(self, student: Tensor, teacher: Tensor) -> Tensor:
        """See `LearnedWeights.each`."""
        import torch
        from torch.nn import functional as F

        o = self.options
        label = self.pseudo_label(student * o.label_scale, teacher.argmax(1))
        sides = [F.log_softmax(s / o.temperature, 1) for s in (student, teacher)]
        first, second = sides if o.direction == "merged-teacher" else sides[::-1]
        ratio = (first - second).masked_fill(first == -torch.inf, 0.0)
        divergence = (first.exp() * ratio).sum(1)
        loss: Tensor = label + o.distillation * o.temperature**2 * divergence
        return loss

    def pseudo_label(self, scores: Tensor, best: Tensor) -> Tensor:
        """Loss [B] of the experts' top items [B] among scores [B, N]; -inf takes an item out."""
        from torch.nn import functional as F

        if self.options.label == "softmax":
            return F.cross_entropy(scores, best, reduction="none")
        # -log s(x) for the label, -log(1 - s(x)) for the others; the latter is softplus(x).
        others = F.softplus(scores).sum(1)
        own = scores.gather(1, best[:, None])[:, 0]
        return others - F.softplus(own) + F.softplus(-own)


_CHECKS = (
    Check(
        "eq. 11 by hand, with the pseudo-label loss of the released code "
        "(DIALLab-SKKU/MergeRec): softmax cross entropy, where the paper's eq. 12 is written as "
        "a binary one",
        "tests/plugins/test_merging_learned.py::test_mergerecs_loss_by_hand",
        "1e-5 relative",
    ),
    Check(
        "eq. 12 as it is written (option label: binary), the sign of its logarithms put right",
        "tests/plugins/test_merging_learned.py::test_mergerecs_equation_12_as_it_is_written",
        "1e-12 relative, float64",
    ),
)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``mergerec``."""
    return [
        StrategySpec(
            name="mergerec",
            target=f"{__name__}:MergeRec",
            summary="Weights learned on pseudo-users, experts as teachers",
            checks=_CHECKS,
            inputs=("base", "experts"),
            tier="T1",
            fidelity="paper-equations",
            citation="MergeRec, KDD 2026 (doi 10.1145/3770854.3780264)",
        )
    ]
