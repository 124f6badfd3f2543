"""DREAM (RecSys 2023): decoupled representations joined by extraction attention.

Idea: Preferences of single domains and of all together are learned in representations of their
own. Attention extracts what is special to a domain and puts it into the mixed sequence. Contrast
between sequences and a focal loss help with rare targets.

Equations: reconstructed, so none of the paper's is claimed. Focal loss after Lin et al., ICCV
2017 (tests/toolkit/test_nn_family.py::test_focal_and_its_gradients); supervised contrast after
Khosla et al., NeurIPS 2020, eq. 2 (tests/toolkit/test_nn_family.py::test_contrasts).

Reconstructed: no code was published. Known (from the abstract, and from MERIT, which describes
it): single- and cross-domain preferences are learned together in decoupled representations; an
extraction attention module takes what is domain-specific and injects it adaptively into the
cross-domain sequence; supervised contrastive learning with data augmentation relates sequences; a
focal loss meets the class imbalance.

Uncertain, and decided here, is all below the level of modules: item vectors, positions and
encoders of their own for the mixed sequence and for each domain; in the extraction the mixed states
ask the domain's states that are known at that event; a sigmoid gate for each domain; a target is
scored by the mixed vectors and by the domain's own, added; dropout is the augmentation, and
sequences with the same next item are positives. Padding is no key anywhere; a domain without an
event so far extracts zero. Which block DREAM's authors use is not known: the family's, unless
`block` says ``sasrec`` (as its authors released it) or ``sasrec-prenorm``.

Presets:
    family (the defaults): one post-norm block with SwiGLU in each encoder, width 256, dropout 0.5,
        positions counted backwards, as the family's; the focal softmax over the target domain's
        items, as the paper's. ``loss: infonce`` takes 128 negatives in its place (for hundreds of
        thousands of items). AdamW with lr 1e-4 and weight decay 5.
    cpu: ``width: 64``.
    original: unknown beyond focal loss, contrast and attention; ``dropout: 0.2, temperature: 1.0``
        with Adam, lr 1e-3, are usual values, not the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    Backbone,
    Batch,
    Catalogue,
    CDSRSpec,
    HandledError,
    Profile,
    Spec,
    hookimpl,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """DREAM."""
    return [
        CDSRSpec(
            "dream",
            f"{__name__}:Dream",
            "mixed and domain encoders of their own, extraction attention, focal loss, contrast",
            profiles={
                "cpu": Profile({"width": 64}),
                "original": Profile(
                    {"dropout": 0.2, "temperature": 1.0},
                    {"lr": 1e-3, "weight_decay": 0.0},
                ),
            },
            fidelity="reconstructed",
            citation="DREAM: Decoupled Representation via Extraction Attention Module and "
            "Supervised Contrastive Learning for Cross-Domain Sequential Recommender, RecSys 2023",
        )
    ]


@dataclass(frozen=True)
class DreamOptions(FamilyOptions):
    """Options of DREAM: those of the family, and

    Attributes:
        loss: ``full`` (over the target domain's items) or ``infonce`` (its negatives).
        gamma: exponent of the focal loss; 0: plain cross entropy.
        contrast: weight of the supervised contrast; 0: none.
        contrast_temperature: divides the cosines in the contrast.
    """

    loss: Literal["infonce", "bce", "full"] = "full"
    gamma: float = 2.0
    contrast: float = 0.1
    contrast_temperature: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "bce":
            raise HandledError("dream: loss is full or infonce")
        if not (self.gamma == 0 or self.gamma >= 1):
            raise HandledError("dream: gamma is 0 or at least 1")
        if self.contrast < 0 or self.contrast_temperature <= 0:
            raise HandledError("dream: contrast is not negative, its temperature is positive")


class Dream(Backbone):
    """For any number of domains."""

    Options = DreamOptions
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain", "own_tables.": "domain"}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.cdsr.dream.net import ExtractionNet

        return ExtractionNet(catalogue, domains, seed, self.options)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Focal loss of every target, weighed as the family's, plus the weighted contrast."""
        import torch

        from recmerge_bench.toolkit.models.cdsr_blocks import last_state
        from recmerge_bench.toolkit.models.contrast import supervised_contrast

        extracted = net(batch.items, batch.lengths)
        value = extracted.mixed.sum() * 0.0
        for domain in batch.scope:
            value = value + self._domain_loss(net, batch, domain, net.user(extracted, domain))
        if self.options.contrast > 0:
            # The same input under another dropout.
            again = net(batch.items, batch.lengths, last_only=True).mixed.squeeze(1)
            views = torch.cat([last_state(extracted.mixed, batch.lengths), again])
            rows = torch.arange(len(batch.lengths), device=batch.items.device)
            labels = batch.targets[rows, batch.lengths - 1].repeat(2)
            contrast = supervised_contrast(views, labels, self.options.contrast_temperature)
            value = value + self.options.contrast * contrast
        return value, int(batch.lengths.sum())

    def _domain_loss(self, net: Any, batch: Batch, domain: str, user: Tensor) -> Tensor:
        """Mean over users of the mean over one domain's targets."""
        import torch
        from recmerge_bench_plugins.cdsr.dream import focal

        from recmerge_bench.toolkit.models import cdsr_blocks, domain_losses, losses

        o, size = self.options, batch.items.shape[1]
        valid = cdsr_blocks.inside(batch.lengths, size) & net.of_domain(batch.targets, domain)
        keep = valid.flatten().nonzero().squeeze(1)
        weights = (valid / (valid.sum(1, keepdim=True).clamp_min(1) * len(valid))).flatten()[keep]
        table = net.table(domain)
        targets = net.tables.scope_rows(batch.targets, (domain,)).flatten()[keep]
        hidden = user.flatten(0, 1)[keep]
        if o.loss == "full":
            return focal.full_focal(hidden, table, targets, o.temperature, o.gamma, weights)
        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        own = cdsr_blocks.inside(batch.lengths + 1, size + 1) & net.of_domain(events, domain)
        drawn = domain_losses.negatives_by_domain(
            net.tables.scope_rows(events, (domain,)),
            own,
            [slice(0, len(table))],
            size * o.negatives,
            batch.generator,
        )
        negatives = domain_losses.by_position(drawn, size).flatten(0, 1)[keep]
        scores = losses.choice_scores(hidden, table, torch.cat([targets[:, None], negatives], 1))
        hits = negatives == targets[:, None]
        return focal.sampled_focal(scores, o.temperature, o.gamma, weights, hits)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Joined state after the last event, beside the domain's own last state."""
        extracted = net(histories, lengths, last_only=True)
        return net.user(extracted, domain).squeeze(1)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """Mixed and own vectors side by side; no bias."""
        return net.table(domain), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
