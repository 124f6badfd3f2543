"""CD-SASRec (Alharbi & Caragea, ICDSA 2021): source preferences inside the target's SASRec.

Idea: What a user did in the source domain is put into one vector by self-attention. That vector
is added to the item vectors of the target sequence. SASRec then reads the shifted sequence, and
only the target domain has a loss.

Equations: reconstructed, so none of the paper's is claimed. Every target item's vector e becomes
e + W s, with s the mean of the source states known by then.

Reconstructed: no code was published. Known (from the abstract, and from MERIT and URLLM, which
describe it): the source sequence is encoded by self-attention, aggregated to one vector, and that
vector goes into the target items' embeddings; SASRec reads those; the loss is the target's alone.

Uncertain, and decided here: the aggregate is the mean of the source states; it is added through
one matrix (``fuse: concat`` joins instead); the mean is causal, over the source events before the
event to be predicted, since one over the whole history would show a training position the future
(``causal_source: false`` is that). Several other domains make one source sequence. Padding is no
key anywhere.

Which block: SASRec's (as released: ``block: sasrec``, profile ``original``) is what the paper says
or suggests; the profile ``family`` has the post-norm SwiGLU block of ABXI and MERIT, as all of
that comparison have here.

Presets:
    family (the defaults): as `SASRec-st`'s.
    cpu: ``width: 64``.
    original: SASRec's, which the paper extends: ``block: sasrec, width: 50,
        layers: 2, heads: 1, loss: bce, negatives: 1, max_len: 50, causal_source: false``; Adam,
        lr 1e-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recmerge_bench.api import Catalogue, CDSRSpec, HandledError, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions, original
from recmerge_bench.toolkit.models.single_target import SingleTarget

if TYPE_CHECKING:
    from torch import Tensor, nn

    from recmerge_bench.toolkit.models.ragged import View


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """CD-SASRec."""
    return [
        CDSRSpec(
            "cd-sasrec",
            f"{__name__}:CDSASRec",
            "SASRec on the target domain, its inputs shifted by the mean of source states",
            single_target=True,
            profiles={
                "cpu": Profile({"width": 64}),
                "original": original("sasrec", causal_source=False),
            },
            fidelity="reconstructed",
            citation="Alharbi & Caragea, Cross-domain Self-attentive Sequential Recommendations, "
            "ICDSA 2021",
        )
    ]


@dataclass(frozen=True)
class CDSASRecOptions(FamilyOptions):
    """Options of CD-SASRec: those of the family, and

    Attributes:
        fuse: ``add`` (``e + W s``) or ``concat`` (``W [e; s]``).
        causal_source: aggregate only the source events that are known at each position.
        until: known are the events before the one to be predicted (``target``), or those up to
            the target-domain event at hand (``item``).
    """

    fuse: Literal["add", "concat"] = "add"
    causal_source: bool = True
    until: Literal["target", "item"] = "target"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fuse not in ("add", "concat") or self.until not in ("target", "item"):
            raise HandledError("cd-sasrec: fuse is add or concat, until is target or item")


class CDSASRec(SingleTarget):
    """For two or more domains; a user without source events has the source vector zero."""

    Options = CDSASRecOptions

    def net(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """Tables of all domains, an encoder for the target's events and one for the others'."""
        from recmerge_bench_plugins.cdsr.cd_sasrec.net import MeanSourceNet

        o = self.options
        return MeanSourceNet(catalogue, domains, seed, o, target, o.fuse, o.causal_source)

    def states(self, net: Any, view: View) -> Tensor:
        """See `SingleTarget.states`; with ``causal_source: false`` later sources show."""
        return net(view)  # type: ignore[no-any-return]
