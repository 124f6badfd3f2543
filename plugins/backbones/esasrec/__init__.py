"""eSASRec (Tikhonovich et al., RecSys 2025): SASRec's training with LiGR blocks, sampled softmax.

Idea: SASRec can be made current by parts that are known to work. Its blocks are replaced by LiGR
blocks, with gates and SwiGLU, and its loss by a softmax over sampled negatives. The rest of the
training stays as it is.

What its authors' repository computes (blondered/transformer_benchmark, configs/paper/loo/
s3_*_ligr.yaml: RecTools' SASRec with ``LiGRLayers`` and ``use_key_padding_mask``), block by block::

    x = x + sigmoid(G x + g) * drop(MHA(LN x))
    x = x + sigmoid(G' x + g') * drop(SwiGLU(LN x)),  SwiGLU(z) = W drop(SiLU(A z) * B z)

with the gates' input not normed, attention weights dropped too, SwiGLU four times as wide inside
and without biases (LiGR, arXiv 2502.03417; SwiGLU, arXiv 2002.05202), no norm at the end, item
vectors not scaled, learned positions counted from the last event, padding no key. Trained on every
position against 256 negatives drawn for each from all items; the score is a dot product.

Ours: a negative that is the target is left out of the softmax (there it counts); Xavier normal
draws for maps and positions as there, for items with `std` (there sqrt(2 / (items + width)), .013
for 12,000 items).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import BackboneSpec, Catalogue, Check, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.next_item import LossOptions, NextItemBackbone

if TYPE_CHECKING:
    from torch import nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """eSASRec."""
    return [
        BackboneSpec(
            "esasrec",
            f"{__name__}:ESASRec",
            "causal LiGR blocks (gated attention and SwiGLU) over items, sampled softmax",
            fidelity="code-verified",
            checks=(
                Check(
                    "RecTools' LiGRLayer and SASRec's net around it, as eSASRec's repository runs "
                    "them, written out in float64: states and gradients",
                    "tests/plugins/test_esasrec.py::test_states_and_gradients_of_the_dense_net",
                    "1e-10 (states), 1e-8 (gradients)",
                ),
                Check(
                    "its loss: sampled softmax over 256 uniform draws, by hand",
                    "tests/plugins/test_sasrec.py::test_sampled_softmax_by_hand",
                    "1e-10",
                ),
            ),
            citation="Tikhonovich et al., eSASRec, RecSys 2025 (arXiv 2508.06450)",
            profiles={
                "public-table": Profile(
                    {"width": 256, "layers": 1, "heads": 1, "dropout": 0.2, "init": "random"},
                    {"lr": 0.001, "batch_size": 128, "epochs": 200, "patience": 50},
                )
            },
        )
    ]


@dataclass(frozen=True)
class ESASRecOptions(LossOptions):
    """Options of eSASRec; profile ``public-table`` is what its repository runs on Beauty.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        inner: inner width of SwiGLU, as a multiple of the width.
        dropout: on embeddings, attention weights, inside SwiGLU and on both parts' outputs.
        max_len: number of latest events that are used.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item vectors.
    """

    loss: Literal["ce", "sampled-ce", "bce", "gbce"] = "sampled-ce"
    negatives: int = 256
    sampling: Literal["window", "uniform", "shared", "log-uniform"] = "uniform"
    width: int = 64
    layers: int = 1
    heads: int = 1
    inner: int = 4
    dropout: float = 0.2
    max_len: int = 50
    init: Literal["text", "random"] = "text"
    std: float = 0.02


class ESASRec(NextItemBackbone):
    """LiGR blocks, learned positions counted from the end."""

    Options = ESASRecOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.backbones.esasrec.net import LiGRNet

        o = self.options
        return LiGRNet(
            catalogue,
            domains,
            seed,
            width=o.width,
            layers=o.layers,
            heads=o.heads,
            inner=o.inner * o.width,
            dropout=o.dropout,
            max_len=o.max_len,
            init=o.init,
            std=o.std,
        )
