"""AdaMerging (Yang et al., ICLR 2024): weights that make the merged model's predictions certain.

As in MergeRec's comparison the predictions are for pseudo-users, so that no user data is read;
the original minimises entropy on unlabelled test inputs (tier T3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Spec, StrategySpec, hookimpl
from recmerge_bench.merging.learned import LearnedWeights, LearnOptions

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


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``adamerging`` on pseudo-users, ``adamerging-sequences`` on users' training histories."""
    return [
        StrategySpec(
            "adamerging-sequences", f"{__name__}:AdaMerging",
            "Weights learned by the entropy of predictions for unlabelled user sequences",
            inputs=("base", "experts"), tier="T3", fidelity="paper-equations",
            citation="Yang et al., AdaMerging, ICLR 2024",
        ),
        StrategySpec(
            name="adamerging",
            target=f"{__name__}:AdaMerging",
            summary="Weights learned by the entropy of predictions for pseudo-users",
            inputs=("base", "experts"),
            tier="T1",
            fidelity="paper-equations",
            citation="Yang et al., AdaMerging, ICLR 2024",
        ),
    ]  # fmt: skip
