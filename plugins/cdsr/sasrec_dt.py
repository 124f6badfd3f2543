"""SASRec on mixed sequences of several domains, each domain's targets with a loss of its own.

Idea: A causal transformer reads the mixed sequence of all domains. Each target is scored among
the items of its own domain. It has no part that is built for several domains, so that it shows
what mixing alone brings.

The baseline "SASRec-dt" of the cross-domain literature (ABXI, WWW 2025; MERIT, MM 2025): one
causal encoder reads the mixed sequence; a target is scored among the items of its own domain.

Which block: MERIT's authors released no code of this baseline and align what they do not say with
ABXI, whose post-norm SwiGLU block the profile ``family`` has. That is not SASRec's: ``block:
sasrec`` (profile ``original``) is the block that SASRec's authors released, ``sasrec-prenorm`` the
one that their paper prints.

Presets:
    family (the defaults): one post-norm block with SwiGLU, width 256, InfoNCE with 128 negatives
        of each domain at temperature 0.75, positions counted backwards; AdamW with lr 1e-4 and
        weight decay 5.
    cpu: ``width: 64``.
    original: ``block: sasrec, width: 50, layers: 2, heads: 1, dropout: 0.5,
        loss: bce, negatives: 1, max_len: 50``; Adam, lr 1e-3 (SASRec's own, on mixed sequences).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import Backbone, Batch, Catalogue, CDSRSpec, Check, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions, original

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """SASRec-dt."""
    return [
        CDSRSpec(
            "sasrec-dt",
            f"{__name__}:SASRecDT",
            "causal encoder over mixed sequences (the family's block; SASRec's: profile original)",
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


class SASRecDT(Backbone):
    """For any number of domains. With ``loss: full`` the items of all domains compete."""

    Options = FamilyOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench.toolkit.models.cdsr_blocks import FamilyNet

        return FamilyNet(catalogue, domains, seed, self.options)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over users of the sum over domains of the mean over that domain's targets."""
        import torch

        from recmerge_bench.toolkit.models import cdsr_blocks, domain_losses, losses

        o, size = self.options, batch.items.shape[1]
        keep = losses.valid_tokens(batch.lengths, size)
        target_rows = net.tables.scope_rows(batch.targets, batch.scope)
        spans = [net.tables.scope_span(batch.scope, name) for name in batch.scope]
        weights = domain_losses.per_user_weights(
            target_rows, cdsr_blocks.inside(batch.lengths, size), spans
        )
        negatives = None
        if o.loss != "full":
            first = net.tables.scope_rows(batch.items[:, :1], batch.scope)
            drawn = domain_losses.negatives_by_domain(
                torch.cat([first, target_rows], 1),
                cdsr_blocks.inside(batch.lengths + 1, size + 1),
                spans,
                size * o.negatives,
                batch.generator,
            )
            negatives = domain_losses.by_position(drawn, size).flatten(0, 1)[keep]
        hidden = net(batch.items, batch.lengths, batch.scope).flatten(0, 1)[keep]
        value = domain_losses.next_item_loss(
            o,
            hidden,
            net.tables.scope_table(batch.scope),
            target_rows.flatten()[keep],
            negatives,
            weights.flatten()[keep],
        )
        return value, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event, of whichever domain."""
        scope = net.tables.narrowest(histories, domain)
        return net(histories, lengths, scope, last_only=True)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table; no bias."""
        return net.tables.domain_table(domain), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
