"""CD-ASR (Alharbi & Caragea, WI-IAT 2021): general preference of the source, current of the target.

Idea: The source domain tells what a user likes in general, the target domain what they want now.
A SASRec on the target domain's events asks the source events by attention. Both answers are fused
before items are scored.

Equations: reconstructed, so none of the paper's is claimed. A target state h asks the source
items e by h W e, and LN(W [h; c]) joins it with what it found, c.

Reconstructed: no code was published. Known (from the abstract, and from MERIT, which describes
it): the source domain gives the user's *general* preference, aggregated by a "general"
(multiplicative) attention; the target domain gives the *current* preference by self-attention.

Uncertain, and decided here: the query is the target state (not a user vector); keys and values
are the source items' vectors without positions; the two are fused by a linear layer and a norm
(``fuse: gate`` adds a gated source vector instead); a query sees the source events before the
event to be predicted. Several other domains make one source sequence. Padding is no key anywhere.

Which block: SASRec's (as released: ``block: sasrec``, profile ``original``) is what the paper says
or suggests; the profile ``family`` has the post-norm SwiGLU block of ABXI and MERIT, as all of
that comparison have here.

Presets:
    family (the defaults): as `SASRec-st`'s.
    cpu: ``width: 64``.
    original: SASRec's, as nothing else is known: ``block: sasrec, width: 50,
        layers: 2, heads: 1, loss: bce, negatives: 1, max_len: 50``; Adam, lr 1e-3.
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
    """CD-ASR."""
    return [
        CDSRSpec(
            "cd-asr",
            f"{__name__}:CDASR",
            "SASRec on the target domain, its states asking the source items by attention",
            single_target=True,
            profiles={
                "cpu": Profile({"width": 64}),
                "original": original("sasrec"),
            },
            fidelity="reconstructed",
            citation="Alharbi & Caragea, Cross-Domain Attentive Sequential Recommendations based "
            "on General and Current User Preferences, WI-IAT 2021",
        )
    ]


@dataclass(frozen=True)
class CDASROptions(FamilyOptions):
    """Options of CD-ASR: those of the family, and

    Attributes:
        fuse: ``linear`` (``LN(W [h; c])``) or ``gate`` (``LN(h + g * c)``).
        until: a query sees the source events before the event to be predicted (``target``), or
            before the target-domain event at hand (``item``).
    """

    fuse: Literal["linear", "gate"] = "linear"
    until: Literal["target", "item"] = "target"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fuse not in ("linear", "gate") or self.until not in ("target", "item"):
            raise HandledError("cd-asr: fuse is linear or gate, until is target or item")


class CDASR(SingleTarget):
    """For two or more domains; a user without source events has the source vector zero."""

    Options = CDASROptions

    def net(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """Tables of all domains, an encoder for the target's events."""
        from recmerge_bench_plugins.cdsr.cd_asr.net import GeneralAttentionNet

        o = self.options
        return GeneralAttentionNet(catalogue, domains, seed, o, target, o.fuse)

    def states(self, net: Any, view: View) -> Tensor:
        """See `SingleTarget.states`."""
        return net(view)  # type: ignore[no-any-return]
