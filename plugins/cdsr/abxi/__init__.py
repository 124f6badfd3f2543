"""ABXI (Bian et al., WWW 2025): one encoder shared by the mixed and the domains' own sequences.

Idea: Behaviour within a domain and across domains is alike but not the same. One encoder reads
the mixed and the domains' own sequences, with small low-rank adapters for each. What the mixed
sequence says of a user's interest is adapted to each domain before items are scored.

Equations: the model of the authors' first release (v1.0), which is the paper's. Its states, loss,
gradients and ranking states (tests/plugins/test_golden_abxi.py::test_the_released_models_numbers;
1e-5).

Low-rank maps adapt the encoder to each sequence and the mixed sequence's interest to each domain;
a domain's own sequence is placed where a next item of that domain is asked for ("task-guided").
After the first release (v1.0), which is the published model. One thing differs: training
negatives are never an event of the user's window (v1.0 may draw the last two), and are drawn with
replacement.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Variants of v1.0 by number: what differs from the published model (`Parts`).
VARIANTS: Mapping[int, Mapping[str, Any]] = {
    -4: {"adapter": "swiglu"},
    -3: {"invariant": "swiglu"},
    -2: {"invariant": "swiglu", "shared_projector": False},
    -1: {"separate": True, "adapter": "none"},
    0: {},
    1: {"adapter": "none"},
    2: {"shared_projector": False, "own_projectors": False},
    3: {"invariant": "none"},
    4: {
        "adapter": "none",
        "invariant": "none",
        "shared_projector": False,
        "own_projectors": False,
    },
    5: {"task_guided": False},
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """ABXI."""
    return [
        CDSRSpec(
            "abxi",
            f"{__name__}:ABXI",
            "shared encoder with low-rank adapters, task-guided alignment, InfoNCE by domain",
            profiles={
                "cpu": Profile({"width": 64, "inner": 168, "domain_rank": 4, "invariant_rank": 16})
            },
            fidelity="code-verified",
            citation="Bian et al., ABXI, WWW 2025 (arXiv 2501.15118)",
        )
    ]


@dataclass(frozen=True)
class ABXIOptions:
    """Options of ABXI; the defaults are the published ones for Food-Kitchen.

    The published ranks (domain, invariant) are 16, 64 for Food-Kitchen, 64, 64 for
    Beauty-Electronics and 4, 4 for Movie-Book. Published training: AdamW, lr 1e-4,
    weight_decay 5, batch_size 256, clip 0. On a CPU, width 64 with inner 168 and ranks 4, 16
    has the same proportions.

    Attributes:
        width: width of item vectors and layers.
        heads: number of attention heads.
        inner: inner width of every feed-forward and projector.
        domain_rank: rank of the low-rank maps that adapt the encoder to a sequence.
        invariant_rank: rank of the maps that adapt the mixed sequence's states to a domain.
        dropout: on embeddings and on every sub-layer's output.
        max_len: number of latest events that are used; shorter histories count as padded up to it.
        own_history: what a domain's own sequence is made of when users are ranked: its latest
            `max_len` events of the ``whole`` history, as in v1.0, or of the ``latest`` `max_len`
            events of all domains, which are what the mixed sequence holds.
        negatives: sampled negatives of each domain for each position.
        temperature: divides the scores in InfoNCE.
        variant: 0, the published model; 1: without domain maps; 2: without projectors;
            3: without invariant maps; 4: without all three; 5: alignment by time; -1: an encoder
            for each sequence; -2: SwiGLU for the invariant maps and no shared projector;
            -3: SwiGLU for the invariant maps; -4: SwiGLU for the domain maps.
        init: item tables ``random``, or from the items' ``text``.
        std: standard deviation of initial weights.
    """

    width: int = 256
    heads: int = 2
    inner: int = 680
    domain_rank: int = 16
    invariant_rank: int = 64
    dropout: float = 0.5
    max_len: int = 47
    own_history: Literal["whole", "latest"] = "whole"
    negatives: int = 128
    temperature: float = 0.75
    variant: int = 0
    init: Literal["text", "random"] = "random"
    std: float = 0.02

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise HandledError(f"abxi: variant is one of -4 to 5, not {self.variant!r}")
        if self.negatives < 1 or self.temperature <= 0:
            raise HandledError("abxi: negatives and temperature are positive")
        if min(self.domain_rank, self.invariant_rank, self.inner, self.max_len) < 1:
            raise HandledError("abxi: ranks, inner and max_len are positive")
        if self.heads < 1 or self.width % self.heads:
            raise HandledError(f"abxi: width {self.width} is not a multiple of {self.heads} heads")


class ABXI(Backbone):
    """For any number of domains."""

    Options = ABXIOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.cdsr.abxi.net import Parts, Sizes, TaskGuidedNet

        o = self.options
        sizes = Sizes(
            o.width, o.heads, o.inner, o.domain_rank, o.invariant_rank, o.dropout, o.max_len
        )
        parts = Parts(**VARIANTS[o.variant])
        return TaskGuidedNet(catalogue, domains, seed, sizes, parts, o.init, o.std)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over users of the sum over domains of the mean InfoNCE of that domain's targets."""
        from recmerge_bench.toolkit.models.losses import valid_tokens

        hidden = net(batch.items, batch.targets, batch.lengths)
        keep = valid_tokens(batch.lengths, batch.items.shape[1])
        return self.objective(net, batch, hidden, self.choices(net, batch)[keep], keep), len(keep)

    def choices(self, net: Any, batch: Batch) -> Tensor:
        """Each target, then negatives of all domains, as rows of the domains' joined table.

        Returns:
            int64 [B * L, 1 + domains * negatives].
        """
        import torch

        from recmerge_bench.toolkit.models.domain_losses import by_position, negatives_by_domain

        tables, count = net.tables, self.options.negatives
        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        rows = tables.scope_rows(events, tables.domains)
        size = batch.targets.shape[1]
        valid = torch.arange(size + 1, device=rows.device) <= batch.lengths[:, None]
        spans = [tables.scope_span(tables.domains, name) for name in tables.domains]
        drawn = negatives_by_domain(rows, valid, spans, size * count, batch.generator)
        return torch.cat([rows[:, 1:, None], by_position(drawn, size)], 2).flatten(0, 1)

    def objective(
        self, net: Any, batch: Batch, hidden: Tensor, choices: Tensor, keep: Tensor
    ) -> Tensor:
        """The loss, from states [N, width] and `choices` [N, 1 + negatives] of valid tokens."""
        import torch

        from recmerge_bench.toolkit.models import domain_losses, losses

        size = batch.targets.shape[1]
        valid = torch.arange(size, device=choices.device) < batch.lengths[:, None]
        target_domains = net.owners[batch.targets].masked_fill(~valid, -1)
        weights = domain_losses.weights_by_domain(target_domains, len(net.tables.domains))
        weights = weights.flatten()[keep]
        table = net.tables.scope_table(net.tables.domains)
        scores = losses.choice_scores(hidden, table, choices)
        return losses.sampled_cross_entropy(
            scores[:, 0], scores[:, 1:], self.options.temperature, weights
        )

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Last state for a next item of `domain`, from the mixed and the domain's sequence."""
        return net.next_state(histories, lengths, domain)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table; no bias."""
        return net.tables.domain_table(domain), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)

    def encoded_history(self) -> int:
        """All events, where a domain's own sequence is made of them."""
        return sys.maxsize if self.options.own_history == "whole" else self.max_history()
