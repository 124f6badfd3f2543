"""SASRec on one domain's own events, taken from mixed sequences.

Idea: A causal transformer reads the target domain's events alone. One model is trained for each
domain. It is the reference for what other domains' events are worth.

The baseline "SASRec-st" of the cross-domain literature (ABXI, WWW 2025; MERIT, MM 2025): what the
other domains' events are worth shows in what this model lacks. One model for each target domain.

Which block: MERIT's authors released no code of this baseline and align what they do not say with
ABXI, whose post-norm SwiGLU block the profile ``family`` has. That is not SASRec's: ``block:
sasrec`` (profile ``original``) is the block that SASRec's authors released, ``sasrec-prenorm`` the
one that their paper prints.

Presets:
    family (the defaults): one post-norm block with SwiGLU, width 256, InfoNCE with 128 negatives
        at temperature 0.75, positions counted backwards; AdamW with lr 1e-4 and weight decay 5.
    cpu: ``width: 64``.
    original (Kang & McAuley, ICDM 2018): ``block: sasrec, width: 50,
        layers: 2, heads: 1, dropout: 0.5, loss: bce, negatives: 1, max_len: 50``; Adam, lr 1e-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import Catalogue, CDSRSpec, Check, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.cdsr_options import original
from recmerge_bench.toolkit.models.single_target import SingleTarget

if TYPE_CHECKING:
    from torch import Tensor, nn

    from recmerge_bench.toolkit.models.ragged import View


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """SASRec-st."""
    return [
        CDSRSpec(
            "sasrec-st",
            f"{__name__}:SASRecST",
            "causal encoder over one domain (the family's block; SASRec's: profile original)",
            single_target=True,
            profiles={
                "cpu": Profile({"width": 64}),
                "original": original("sasrec"),
            },
            fidelity="paper-equations",
            checks=(
                Check(
                    "block sasrec (profile original) and sasrec-prenorm: the nets of the backbones "
                    "sasrec and sasrec-prenorm, which have checks of their own",
                    "tests/toolkit/test_nn_family.py::test_sasrec_block_is_the_causal_net",
                    "to the last bit",
                ),
            ),
            citation="baseline of MERIT (MM 2025); Kang & McAuley, ICDM 2018",
        )
    ]


class SASRecST(SingleTarget):
    """Sees nothing of other domains, the number of their events in between included."""

    def net(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """The target domain's table alone."""
        from recmerge_bench.toolkit.models.cdsr_blocks import FamilyNet

        return FamilyNet(catalogue, (target,), seed, self.options)

    def states(self, net: Any, view: View) -> Tensor:
        """Causal states of the compact sequence."""
        lengths = view.own.lengths.clamp_min(1)
        return net(view.own.items, lengths, (net.target,))  # type: ignore[no-any-return]
