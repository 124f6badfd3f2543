"""BERT4Rec on mixed sequences, each domain's masked items with a loss of its own.

Idea: A masked-item model reads the mixed sequence of all domains. Each domain's masked items have
a loss among that domain's items. It shows what BERT4Rec makes of other domains' events without
any part built for them.

Equations: the paper's baseline in words only. Profile family: the post-norm SwiGLU block of ABXI
and MERIT, compared with plain loops (tests/toolkit/test_nn_family.py::test_block_against_loops;
1e-5). Profile original: Sun et al., eq. 4 and 7.

The baseline "BERT4Rec-dt" of the cross-domain literature (ABXI, WWW 2025; MERIT, MM 2025). At
test time a mask follows the mixed history and is scored among the items of the asked domain.

Which block: no code of this baseline was released. The profile ``family`` has the family's
post-norm SwiGLU block, ``original`` that of BERT4Rec's paper (see `bert4rec`).

Presets:
    family (the defaults): one post-norm block with SwiGLU and no causal mask, width 256, InfoNCE
        with 128 negatives of each domain at temperature 0.75, positions counted backwards; AdamW
        with lr 1e-4 and weight decay 5. The mask ratio is unpublished: try 0.2, 0.4 and 0.6.
    cpu: ``width: 64``.
    original: ``block: bert4rec, positions: forward, width: 64, layers: 2, heads: 2,
        dropout: 0.1, loss: full, temperature: 1.0`` (all domains' items compete), mask ratio 0.2
        to 0.6; Adam, lr 1e-4. Needs long training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from recmerge_bench.api import Backbone, Batch, Catalogue, CDSRSpec, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.cdsr_options import ClozeOptions, original

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """BERT4Rec-dt."""
    return [
        CDSRSpec(
            "bert4rec-dt",
            f"{__name__}:BERT4RecDT",
            "masked-item model of mixed sequences, InfoNCE by the masked item's domain",
            profiles={
                "cpu": Profile({"width": 64}),
                "original": original("bert4rec"),
            },
            fidelity="paper-equations",
            citation="baseline of MERIT (MM 2025); Sun et al., BERT4Rec, CIKM 2019",
        )
    ]


class BERT4RecDT(Backbone):
    """For any number of domains."""

    Options = ClozeOptions
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain", "biases.": "domain"}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench.toolkit.models.cdsr_cloze import build_cloze

        return build_cloze(catalogue, domains, seed, self.options)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over users of the sum over domains of the mean over its masked events."""
        import torch

        from recmerge_bench.toolkit.models.cdsr_cloze import cloze_loss

        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        return cloze_loss(
            net, self.options, events, batch.lengths + 1, batch.scope, batch.generator
        )

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Projected state of a mask that stands after the history."""
        scope = net.tables.narrowest(histories, domain)
        return net.project(net.next_state(histories, lengths, scope))  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table and biases, where there are any."""
        from recmerge_bench.toolkit.models.cdsr_cloze import biases

        return net.tables.domain_table(domain), biases(net, (domain,))

    def max_history(self) -> int:
        """`max_len`; the mask comes on top."""
        return int(self.options.max_len)
