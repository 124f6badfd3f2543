"""BSARec (Shin et al., AAAI 2024): attention beside a filter that rescales high frequencies.

Idea: Self-attention smooths: it keeps slow changes of interest and loses fast ones. Beside
attention each block has a filter in the frequency domain that scales high frequencies by a
learned factor. Both are mixed by a constant.

Each block (released code, yehjin-shin/BSARec, `src/model/_modules.py`)::

    filtered = LN(x + drop(low(x) + beta^2 * (x - low(x))))      beta: one number for each column
    attended = LN(x + drop(MHA(x)))                              causal, attention weights dropped
    y = alpha * filtered + (1 - alpha) * attended
    out = LN(y + drop(W' gelu(W y)))                             four times as wide inside

``low`` keeps the first ``c // 2 + 1`` frequencies of the Fourier transform over the ``max_len``
slots of a sequence padded on the left. Positions are counted from the last event; LN and dropout
follow on the embeddings; no norm at the end; initial maps normal(0, .02).

A frequency is of a whole sequence, so that a state in its midst knows what follows it. The authors
therefore train on every prefix of a sequence as a sequence of its own and predict from its last
state: ``bsarec`` does that. ``bsarec-causal`` filters each event as the last one of its own prefix:
all positions in one pass, positions counted from the window's end. A user's state is then that of
``bsarec`` with one block, and another one with more.

Both are one product: the low-pass filter is a circulant matrix of the distances of slots, so that
padded slots need no transform. They are zero here in every block; in the released code they hold
the padding item's and their position's vectors and what the blocks make of them. (Hutter et al.,
arXiv 2512.17442, find that padding by a constant hinders the filter; none of their other paddings
is offered here.) Profile ``beauty`` is the released command for Beauty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    BackboneSpec,
    Batch,
    Catalogue,
    Check,
    HandledError,
    Profile,
    Spec,
    hookimpl,
)
from recmerge_bench.toolkit.models.next_item import LossOptions, NextItemBackbone, next_item_loss

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``bsarec``, and ``bsarec-causal``, which trains all positions at once."""
    test = "tests/plugins/test_bsarec.py::test_states_and_gradients_of_the_dense_net"
    tolerance = "1e-10 (states), 1e-8 (gradients)"
    against = (
        "yehjin-shin/BSARec, _modules.py and bsarec.py, with a Fourier transform over all slots, "
        "in float64: states and gradients; padded slots are zero, which differs from the code"
    )
    beauty = Profile(
        {"heads": 1, "dropout": 0.5, "c": 5, "alpha": 0.7, "init": "random"},
        {"lr": 0.0005, "batch_size": 256, "epochs": 200, "patience": 10},
    )
    return [
        BackboneSpec(
            "bsarec",
            f"{__name__}:BSARec",
            "self-attention beside a frequency filter, each prefix a sequence of its own",
            fidelity="code-verified",
            checks=(Check(against, test, tolerance),),
            citation="Shin et al., BSARec, AAAI 2024 (arXiv 2312.10325)",
            profiles={"beauty": beauty},
        ),
        BackboneSpec(
            "bsarec-causal",
            f"{__name__}:CausalBSARec",
            "self-attention beside a frequency filter of what came before, one pass",
            fidelity="own",
            checks=(
                Check("each event is filtered as the last one of its prefix", test, tolerance),
                Check(
                    "with one block, bsarec itself but for the positions in training",
                    "tests/plugins/test_bsarec.py::test_one_causal_block_is_bsarec",
                    "1e-10",
                ),
            ),
            citation="after Shin et al., BSARec, AAAI 2024 (arXiv 2312.10325)",
            profiles={"beauty": beauty},
        ),
    ]


@dataclass(frozen=True)
class BSARecOptions(LossOptions):
    """Options of BSARec.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: on embeddings, attention weights and every sub-layer's output.
        max_len: number of latest events that are used: the slots of the Fourier transform.
        c: cut-off: the first ``c // 2 + 1`` frequencies are low.
        alpha: share of the filter, against attention.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item and position vectors and maps.
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    c: int = 5
    alpha: float = 0.7
    init: Literal["text", "random"] = "text"
    std: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.alpha <= 1 or self.c < 0:
            raise HandledError("bsarec: alpha lies in [0, 1], c is not negative")


class CausalBSARec(NextItemBackbone):
    """Each event filtered as the last one of its prefix."""

    Options = BSARecOptions
    causal: ClassVar[bool] = True

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.backbones.bsarec.net import FilterNet

        o = self.options
        return FilterNet(
            catalogue,
            domains,
            seed,
            causal=self.causal,
            width=o.width,
            layers=o.layers,
            heads=o.heads,
            dropout=o.dropout,
            max_len=o.max_len,
            c=o.c,
            alpha=o.alpha,
            init=o.init,
            std=o.std,
        )


class BSARec(CausalBSARec):
    """As published: a state is the last one of a sequence of its own, also while training."""

    causal = False

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over all prefixes of the batch's windows."""
        from recmerge_bench_plugins.backbones.bsarec.net import prefixes

        items, lengths = prefixes(batch.items, batch.lengths)
        states = net(items, lengths, batch.scope, last_only=True)
        table, bias = self.vectors(net, batch.scope)
        known = self.popularity(net)
        value = next_item_loss(self.options, states, batch, net.tables, table, bias, known)
        return value, len(items)
