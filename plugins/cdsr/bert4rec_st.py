"""BERT4Rec on one domain's own events, taken from mixed sequences.

Idea: A masked-item model reads the target domain's events alone. One model is trained for each
domain. It is the reference for what other domains' events are worth.

Equations: the paper's baseline in words only. Profile family: the post-norm SwiGLU block of ABXI
and MERIT, compared with plain loops (tests/toolkit/test_nn_family.py::test_block_against_loops;
1e-5). Profile original: Sun et al., eq. 4 and 7.

The baseline "BERT4Rec-st" of the cross-domain literature (ABXI, WWW 2025; MERIT, MM 2025). One
model for each target domain. At test time a mask follows the history; a user without an event of
the target domain is the mask alone.

Which block: no code of this baseline was released. The profile ``family`` has the family's
post-norm SwiGLU block, ``original`` that of BERT4Rec's paper (see `bert4rec`).

Presets:
    family (the defaults): one post-norm block with SwiGLU and no causal mask, width 256, InfoNCE
        with 128 negatives at temperature 0.75, positions counted backwards; AdamW with lr 1e-4
        and weight decay 5. The mask ratio is unpublished: try 0.2, 0.4 and 0.6.
    cpu: ``width: 64``.
    original (Sun et al., CIKM 2019): ``block: bert4rec, positions: forward, width: 64,
        layers: 2, heads: 2, dropout: 0.1, loss: full, temperature: 1.0``, mask ratio 0.2 (films)
        to 0.6 (Amazon Beauty); Adam, lr 1e-4. Needs long training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from recmerge_bench.api import Batch, Catalogue, CDSRSpec, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.cdsr_options import ClozeOptions, original
from recmerge_bench.toolkit.models.single_target import SingleTarget, asked, checked_target

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """BERT4Rec-st."""
    return [
        CDSRSpec(
            "bert4rec-st",
            f"{__name__}:BERT4RecST",
            "masked-item model of the target domain's own events, a model for each domain",
            single_target=True,
            profiles={
                "cpu": Profile({"width": 64}),
                "original": original("bert4rec"),
            },
            fidelity="paper-equations",
            citation="baseline of MERIT (MM 2025); Sun et al., BERT4Rec, CIKM 2019",
        )
    ]


class BERT4RecST(SingleTarget):
    """Sees nothing of other domains, the number of their events in between included."""

    Options = ClozeOptions
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain", "biases.": "domain"}

    def build_for(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """See `Backbone.build_for`; the target domain's table alone."""
        from recmerge_bench.toolkit.models.cdsr_cloze import build_cloze

        net: Any = build_cloze(catalogue, (checked_target(target, domains),), seed, self.options)
        net.target = target
        return net  # type: ignore[no-any-return]

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """At the masked events of the target domain."""
        import torch

        from recmerge_bench.toolkit.models import cdsr_blocks, cdsr_cloze, ragged

        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        real = cdsr_blocks.inside(batch.lengths + 1, events.shape[1])
        own = ragged.compact(events, real & (net.tables.rows[events] >= 0))
        return cdsr_cloze.cloze_loss(
            net, self.options, own.items, own.lengths, (net.target,), batch.generator
        )

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Projected state of a mask that stands after the target domain's events."""
        from recmerge_bench.toolkit.models import cdsr_blocks, ragged

        scope = (asked(net, domain),)
        real = cdsr_blocks.inside(lengths, histories.shape[1])
        own = ragged.compact(histories, real & (net.tables.rows[histories] >= 0))
        return net.project(net.next_state(own.items, own.lengths, scope))  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The target domain's table and biases, where there are any."""
        from recmerge_bench.toolkit.models.cdsr_cloze import biases

        return net.tables.domain_table(asked(net, domain)), biases(net, (domain,))
