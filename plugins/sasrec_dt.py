"""SASRec on mixed sequences of several domains, each domain's targets with a loss of its own.

The baseline "SASRec-dt" of the cross-domain literature (ABXI, WWW 2025; MERIT, MM 2025): one
causal encoder reads the mixed sequence; a target is scored among the items of its own domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recmerge_bench.api import Backbone, Batch, Catalogue, HandledError, Spec, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """SASRec-dt."""
    return [
        Spec(
            "cdsr",
            "sasrec-dt",
            f"{__name__}:SASRecDT",
            "one causal encoder over mixed sequences, InfoNCE by target domain",
            fidelity="paper-equations",
            citation="baseline of MERIT (MM 2025); Kang & McAuley, ICDM 2018",
        )
    ]


@dataclass(frozen=True)
class SASRecDTOptions:
    """Options of SASRec-dt.

    Attributes:
        width: of items and layers.
        layers: number of blocks.
        heads: attention heads.
        dropout: on embeddings and on every sub-layer's output.
        max_len: latest events that are looked at.
        negatives: of each domain for each position; 0: the full softmax over all domains.
        temperature: of InfoNCE.
        init: item tables from the items' ``text``, or ``random``.
        std: standard deviation of the initial item and position vectors.
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    negatives: int = 128
    temperature: float = 0.75
    init: Literal["text", "random"] = "text"
    std: float = 0.02

    def __post_init__(self) -> None:
        if self.negatives < 0 or self.temperature <= 0:
            raise HandledError("sasrec-dt: negatives is not negative, temperature is positive")


class SASRecDT(Backbone):
    """For any number of domains."""

    Options = SASRecDTOptions

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
        """Mean over users of the sum over domains of the mean over that domain's targets."""
        from recmerge_bench.nn import losses

        o = self.options
        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        goal = net.tables.scope_rows(batch.targets, batch.scope)
        weights = self._weights(net, batch, goal)[keep]
        hidden = net(batch.items, batch.lengths, batch.scope).flatten(0, 1)[keep]
        table = net.tables.scope_table(batch.scope)
        targets = goal.flatten()[keep]
        if o.negatives == 0:
            value = losses.full_cross_entropy(
                hidden, table, targets, weights=weights, temperature=o.temperature
            )
            return value, len(keep)
        choices = self._choices(net, batch, goal, keep)
        scores = losses.choice_scores(hidden, table, choices)
        value = losses.sampled_cross_entropy(
            scores[:, 0],
            scores[:, 1:],
            o.temperature,
            weights,
            hits=choices[:, 1:] == targets[:, None],
        )
        return value, len(keep)

    def _weights(self, net: Any, batch: Batch, goal: Tensor) -> Tensor:
        """1 / (users * targets of the target's domain in its sequence): float32 [B * L]."""
        import torch

        valid = torch.arange(goal.shape[1], device=goal.device) < batch.lengths[:, None]
        weights = torch.zeros(goal.shape, device=goal.device)
        for domain in batch.scope:
            span = net.tables.scope_span(batch.scope, domain)
            own = valid & (goal >= span.start) & (goal < span.stop)
            weights += own / own.sum(1, keepdim=True).clamp_min(1)
        return (weights / len(goal)).flatten()

    def _choices(self, net: Any, batch: Batch, goal: Tensor, keep: Tensor) -> Tensor:
        """Target, then negatives of each domain: int64 [N, 1 + domains * negatives]."""
        import torch

        from recmerge_bench.nn import losses

        count, size = self.options.negatives, goal.shape[1]
        seen = torch.cat([net.tables.scope_rows(batch.items[:, :1], batch.scope), goal], 1)
        columns = torch.arange(size + 1, device=goal.device)
        valid = columns <= batch.lengths[:, None]
        parts = [goal.view(-1, 1)]
        for domain in batch.scope:
            span = net.tables.scope_span(batch.scope, domain)
            own = valid & (seen >= span.start) & (seen < span.stop)
            drawn = losses.draw_negatives(
                seen - span.start, own, span.stop - span.start, size * count, batch.generator
            )
            parts.append(drawn.view(-1, count) + span.start)
        return torch.cat(parts, 1)[keep]

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
