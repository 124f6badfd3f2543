"""SASRec (Kang and McAuley, ICDM 2018): causal self-attention, every position trained at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    """SASRec with the full softmax, and gSASRec as a preset."""
    citation = "Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018"
    gbce = "Petrov & Macdonald, gSASRec, RecSys 2023 (arXiv 2308.07192)"
    target = f"{__name__}:SASRec"
    return [
        BackboneSpec(
            "sasrec",
            target,
            "causal self-attention over items, full softmax",
            fidelity="paper-equations",
            citation=citation,
        ),
        BackboneSpec(
            "gsasrec",
            target,
            "SASRec with gBCE over sampled negatives",
            options={"loss": "gbce", "negatives": 256},
            fidelity="paper-equations",
            citation=gbce,
        ),
    ]


@dataclass(frozen=True)
class SASRecOptions:
    """Options of SASRec.

    Attributes:
        width: of items and layers.
        layers: number of blocks.
        heads: attention heads.
        dropout: on embeddings and on every sub-layer's output.
        max_len: latest events that are looked at.
        loss: ``ce`` (all items), ``sampled-ce``, ``bce`` (the paper's) or ``gbce``.
        negatives: for each position, for the sampled losses.
        temperature: of ``ce`` and ``sampled-ce``.
        gbce_t: calibration of gBCE.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item and position vectors.
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    loss: Literal["ce", "sampled-ce", "bce", "gbce"] = "ce"
    negatives: int = 128
    temperature: float = 1.0
    gbce_t: float = 0.75
    init: Literal["text", "random"] = "text"
    std: float = 0.02

    def __post_init__(self) -> None:
        if self.loss not in ("ce", "sampled-ce", "bce", "gbce"):
            raise HandledError(f"sasrec: loss must be ce, sampled-ce, bce or gbce: {self.loss!r}")
        if self.loss != "ce" and self.negatives < 1:
            raise HandledError(f"sasrec: loss {self.loss} needs negatives")


class SASRec(Backbone):
    """Pre-norm blocks with ReLU (paper, section III), left-aligned learned positions."""

    Options = SASRecOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench.nn.causal import CausalNet

        o = self.options
        return CausalNet(
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
        """Mean over all positions of the batch."""
        from recmerge_bench.nn import losses

        o = self.options
        hidden = net(batch.items, batch.lengths, batch.scope)
        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        hidden = hidden.flatten(0, 1)[keep]
        table = net.tables.scope_table(batch.scope)
        goal = net.tables.scope_rows(batch.targets, batch.scope)
        targets = goal.flatten()[keep]
        if o.loss == "ce":
            value = losses.full_cross_entropy(hidden, table, targets, temperature=o.temperature)
            return value, len(keep)
        choices = self._choices(net, batch, goal, keep, len(table))
        scores = losses.choice_scores(hidden, table, choices)
        good, bad = scores[:, 0], scores[:, 1:]
        if o.loss == "sampled-ce":
            hits = choices[:, 1:] == targets[:, None]
            value = losses.sampled_cross_entropy(good, bad, o.temperature, hits=hits)
        else:
            t = o.gbce_t if o.loss == "gbce" else 0.0
            value = losses.binary_cross_entropy(
                good, bad, losses.gbce_beta(len(table), o.negatives, t)
            )
        return value, len(keep)

    def _choices(self, net: Any, batch: Batch, goal: Tensor, keep: Tensor, n_items: int) -> Tensor:
        """Target, then negatives that the window does not hold: int64 [N, 1 + negatives]."""
        import torch

        from recmerge_bench.nn import losses

        size = goal.shape[1]
        valid = torch.arange(size, device=goal.device) < batch.lengths[:, None]
        seen = torch.cat([net.tables.scope_rows(batch.items[:, :1], batch.scope), goal], 1)
        valid = torch.cat([torch.ones_like(valid[:, :1]), valid], 1)
        drawn = losses.draw_negatives(
            seen, valid, n_items, size * self.options.negatives, batch.generator
        ).view(len(goal) * size, self.options.negatives)
        return torch.cat([goal.view(-1, 1), drawn], 1)[keep]

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event."""
        scope = net.tables.narrowest(histories, domain)
        return net(histories, lengths, scope, last_only=True)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table; no bias."""
        return net.tables.domain_table(domain), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
