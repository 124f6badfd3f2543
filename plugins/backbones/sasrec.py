"""SASRec (Kang and McAuley, ICDM 2018): causal self-attention, every position trained at once.

Paper and released code (kang205/SASRec) are two models. ``sasrec`` is the released one, whose
numbers the paper reports: queries are normed, keys and values are not, and the residuals go
through the normed query and the normed input of the feed-forward (`QueryNormLayer`); items times
sqrt(width); dropout on embeddings, attention weights and behind both maps of the feed-forward;
one more norm at the end; padding is no key; sequences padded on the left, so that positions count
from the end. ``sasrec-prenorm`` has the residuals that the paper prints (section III-C),
``x + drop(f(norm(x)))``, no scale, none of the dropout inside, an output projection, and
positions counted from the start.

Other nets of this name: pmixer/SASRec.pytorch (until May 2025) and RecTools 0.19 have the
released block with an output projection behind the attention, and padding among the keys;
RecTools does not scale; RecBole 1.2.1 has post-norm blocks with GELU and a norm on the input.
gSASRec's PyTorch code (asash/gSASRec-pytorch) has the released block without ReLU and scale;
``gsasrec`` here is the released block with gBCE.

The loss is a choice of its own: the default is the full softmax, the paper's is ``bce`` with one
negative. Other defaults than the release's (width 50, 2 blocks, 1 head, dropout .5) are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    Backbone,
    BackboneSpec,
    Batch,
    Catalogue,
    Check,
    HandledError,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


def _checks(against: str, test: str, tolerance: str) -> tuple[Check, ...]:
    return (Check(against, f"tests/test_sasrec.py::{test}", tolerance),)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """SASRec as released and as printed, with the full softmax, and gSASRec as a preset."""
    citation = "Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018"
    gbce = "Petrov & Macdonald, gSASRec, RecSys 2023 (arXiv 2308.07192)"
    target = f"{__name__}:SASRec"
    return [
        BackboneSpec(
            "sasrec",
            target,
            "causal self-attention over items, its authors' block as released, full softmax",
            fidelity="code-verified",
            checks=_checks(
                "kang205/SASRec, model.py and modules.py, written out in float64: states and "
                "gradients; pmixer's and RecTools' block, but for its output projection",
                "test_states_and_gradients_of_the_dense_net",
                "1e-10 (states), 1e-8 (gradients)",
            ),
            citation=citation,
        ),
        BackboneSpec(
            "sasrec-prenorm",
            f"{__name__}:SASRecPreNorm",
            "SASRec with the pre-norm residuals that its paper prints, full softmax",
            fidelity="paper-equations",
            checks=_checks(
                "Kang & McAuley, section III, eq. 2 to 6 and the residuals of III-C, written out "
                "in float64: states and gradients; positions from the start and an output "
                "projection are ours",
                "test_states_and_gradients_of_the_dense_net",
                "1e-10 (states), 1e-8 (gradients)",
            ),
            citation=citation,
        ),
        BackboneSpec(
            "gsasrec",
            target,
            "SASRec (its authors' block) with gBCE over sampled negatives",
            options={"loss": "gbce", "negatives": 256},
            fidelity="paper-equations",
            checks=_checks(
                "the net of sasrec; the loss is eq. 9 and 11 of arXiv 2308.07192, with SASRec's "
                "as its case t = 0",
                "test_the_papers_loss",
                "1e-6",
            ),
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
        dropout: on embeddings, attention weights and behind both maps of the feed-forward
            (``sasrec-prenorm``: on embeddings and on every sub-layer's output).
        max_len: latest events that are looked at.
        loss: ``ce`` (all items), ``sampled-ce``, ``bce`` (the paper's) or ``gbce``.
        negatives: for each position, for the sampled losses.
        temperature: of ``ce`` and ``sampled-ce``.
        gbce_t: calibration of gBCE.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item vectors, and of position vectors
            (``sasrec``: times sqrt(width), as wide as the scaled items).
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
    """The released block, learned positions counted from the end."""

    Options = SASRecOptions
    block: ClassVar[Literal["sasrec", "sasrec-prenorm"]] = "sasrec"

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench.toolkit.models.causal import CausalNet

        o = self.options
        return CausalNet(
            catalogue,
            domains,
            seed,
            block=self.block,
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
        from recmerge_bench.toolkit.models import losses

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

        from recmerge_bench.toolkit.models import losses

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


class SASRecPreNorm(SASRec):
    """Pre-norm blocks with ReLU (paper, section III), learned positions counted from the start."""

    block = "sasrec-prenorm"
