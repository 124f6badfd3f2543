"""BERT4Rec (Sun et al., CIKM 2019): bidirectional self-attention trained by masking items.

Idea: A recommender may read a history in both directions if it learns to fill in blanks. Items of
a sequence are masked at random, and a transformer predicts them from what stands on both sides.
To recommend, a mask is put behind the history.

Equations: Sun et al., eq. 4 (post-norm blocks), eq. 7 (a projection with GELU, the item table and
a bias for each item) and the cross entropy of the masked items. The tests check masks, padding
and ranking (tests/plugins/test_models_neural.py), not the authors' numbers.

Deviations from widespread ports, each of which costs accuracy there: the last training item is
masked too (a share of the windows masks it alone, as at test time), masked tokens are drawn for
every window and none are dropped, and evaluation appends the mask after the whole history.

The block is the paper's (eq. 4: post-norm, GELU, dropout on sub-layers' outputs, positions from the
start); the released code, BERT's, drops attention weights besides, which is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    Backbone,
    BackboneSpec,
    Batch,
    Catalogue,
    HandledError,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """BERT4Rec."""
    return [
        BackboneSpec(
            "bert4rec",
            f"{__name__}:BERT4Rec",
            "bidirectional self-attention over items, masked-item training",
            fidelity="paper-equations",
            citation="Sun et al., BERT4Rec, CIKM 2019 (arXiv 1904.06690)",
        )
    ]


@dataclass(frozen=True)
class BERT4RecOptions:
    """Options of BERT4Rec.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: on embeddings and on every sub-layer's output.
        max_len: number of latest events that are used (the mask comes on top).
        mask_ratio: share of a window's events that are masked.
        last_share: share of the windows that mask their last event alone.
        temperature: divides the scores in the loss.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of initial weights.
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    mask_ratio: float = 0.3
    last_share: float = 0.2
    temperature: float = 1.0
    init: Literal["text", "random"] = "text"
    std: float = 0.02

    def __post_init__(self) -> None:
        if not (0 < self.mask_ratio < 1 and 0 <= self.last_share <= 1):
            raise HandledError("bert4rec: mask_ratio lies in (0, 1), last_share in [0, 1]")


class BERT4Rec(Backbone):
    """Post-norm blocks with GELU; a projection before the tied item table; a bias per item."""

    Options = BERT4RecOptions
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain", "biases.": "domain"}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench.toolkit.models.cloze import ClozeNet

        o = self.options
        return ClozeNet(
            catalogue,
            domains,
            seed,
            width=o.width,
            layers=o.layers,
            heads=o.heads,
            dropout=o.dropout,
            max_len=o.max_len,
            init=o.init,
            std=o.std,
        )

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Cross entropy at the masked events, over all items of the scope."""
        import torch

        from recmerge_bench.toolkit.models import losses

        o = self.options
        # A window's events are its first input and all its targets.
        events = torch.cat([batch.items[:, :1], batch.targets], dim=1)
        lengths = batch.lengths + 1
        masked = net.draw_mask(
            lengths, events.shape[1], o.mask_ratio, o.last_share, batch.generator
        )
        keep = masked.flatten().nonzero().squeeze(1)
        hidden = net(events, lengths, batch.scope, masked)
        hidden = net.project(hidden.flatten(0, 1)[keep])
        targets = net.tables.scope_rows(events, batch.scope).flatten()[keep]
        value = losses.full_cross_entropy(
            hidden,
            net.tables.scope_table(batch.scope),
            targets,
            bias=net.biases.scope_table(batch.scope).squeeze(1),
            temperature=o.temperature,
        )
        return value, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Projected state of a mask that stands after the history."""
        scope = net.tables.narrowest(histories, domain)
        return net.project(net.next_state(histories, lengths, scope))  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table and biases."""
        return net.tables.domain_table(domain), net.biases.domain_table(domain).squeeze(1)

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
