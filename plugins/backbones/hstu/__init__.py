"""HSTU (Zhai et al., ICML 2024) in its small form for single sequences, in plain PyTorch.

Idea: Attention without softmax keeps how strong an interest is, not only how it is shared out.
Each block computes gated pointwise attention with a learned number for each distance in
positions. It is the small form of a model that was built for very long histories.

Each block (eq. 1 to 3; facebookresearch/generative-recommenders, research/modeling/sequential/
hstu.py, as configs/ml-1m/hstu-sampled-softmax-n128-final.gin runs it)::

    U, V, Q, K = split(SiLU(norm(x) W))                    norms without gain and offset
    A = SiLU(Q K^T + r) / n                                causal; no softmax, no scale of the width
    out = x + drop(U * norm(A V)) O + o

r is a learned number for each distance of positions, a block's own; n is the longest length that
the model takes, not the sequence's. Item vectors times sqrt(width) plus learned positions, counted
from the first event, and dropout go in; scores are cosines; the loss is a sampled softmax at
temperature .05 over 128 uniform draws, without those that are the target.

Ours: models here are given no timestamps, so that r has no part for time differences (the paper's
has); causal distances alone have a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recmerge_bench.api import BackboneSpec, Catalogue, Check, Profile, Spec, hookimpl
from recmerge_bench.toolkit.models.next_item import LossOptions, NextItemBackbone

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``hstu-small``."""
    return [
        BackboneSpec(
            "hstu-small",
            f"{__name__}:HSTU",
            "gated pointwise attention with relative positions, sampled softmax over cosines",
            fidelity="code-verified",
            checks=(
                Check(
                    "facebookresearch/generative-recommenders, hstu.py and its preprocessor, "
                    "without the bias by time, written out in float64: states and gradients",
                    "tests/plugins/test_hstu.py::test_states_and_gradients_of_the_written_net",
                    "1e-10 (states), 1e-8 (gradients)",
                ),
                Check(
                    "its loss: sampled softmax over cosines / .05, by hand",
                    "tests/plugins/test_hstu.py::test_the_loss_by_hand",
                    "1e-10",
                ),
            ),
            citation="Zhai et al., Actions Speak Louder than Words, ICML 2024 (arXiv 2402.17152)",
            profiles={
                "ml-1m": Profile(
                    {"width": 50, "max_len": 200}, {"lr": 0.001, "batch_size": 128, "epochs": 101}
                )
            },
        )
    ]


@dataclass(frozen=True)
class HSTUOptions(LossOptions):
    """Options of HSTU; profile ``ml-1m`` is its repository's small configuration.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: on embeddings and on what is projected at a block's end.
        max_len: number of latest events that are used; attention is divided by it.
        init: item table from the items' ``text``, ``random``, or ``truncated`` (within two
            standard deviations, as the released code draws).
        std: standard deviation of the initial item vectors.
    """

    loss: Literal["ce", "sampled-ce", "bce", "gbce"] = "sampled-ce"
    negatives: int = 128
    sampling: Literal["window", "uniform", "shared", "log-uniform"] = "uniform"
    temperature: float = 0.05
    width: int = 64
    layers: int = 2
    heads: int = 1
    dropout: float = 0.2
    max_len: int = 50
    init: Literal["text", "random", "truncated"] = "truncated"
    std: float = 0.02


class HSTU(NextItemBackbone):
    """States and items of length one."""

    Options = HSTUOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.backbones.hstu.net import HSTUNet

        o = self.options
        return HSTUNet(
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

    def vectors(self, net: Any, scope: Sequence[str]) -> tuple[Tensor, Tensor | None]:
        """The items' vectors, of length one."""
        from recmerge_bench_plugins.backbones.hstu.net import unit

        return unit(net.tables.scope_table(scope)), None
