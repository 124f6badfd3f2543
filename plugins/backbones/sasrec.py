"""SASRec (Kang and McAuley, ICDM 2018): causal self-attention, every position trained at once.

Idea: Of a user's earlier items few matter for the next one, and self-attention finds out which. A
causal transformer over item vectors predicts at every position the item that comes next. Items
are scored by the product of their vectors with the state after the last event.

Idea (sasrec-prenorm): SASRec as its paper prints it: a causal transformer over item vectors
predicts at every position the item that comes next. Its residuals leave the layer norm out, x +
f(norm(x)), where the released code adds to the normed query. It is here because paper and code
are two models.

Idea (gsasrec): Negative sampling makes SASRec overconfident, since training shows a far larger
share of positives than ranking over the whole catalogue does. gSASRec draws many negatives and
trains with gBCE, a binary cross entropy whose positive term is raised to a power that makes up
for the sampling rate. The net is SASRec's.

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
``gsasrec`` here is the released block with gBCE, t = .75 and 256 negatives for each target, drawn
from all items as in that code.

The loss is a choice of its own (see `LossOptions`): the default is the full softmax, the paper's is
``bce`` with one negative. Other defaults than the release's (width 50, 2 blocks, 1 head, dropout
.5) are ours. Profile ``public-table`` has the settings behind eSASRec's public table for SASRec
with sampled softmax (blondered/transformer_benchmark, configs/paper/loo/s3_vanilla.yaml): 256 wide,
one block and head, 256 negatives from all items. Profile ``ml-1m`` of gSASRec is its repository's
config_ml1m.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from recmerge_bench.api import (
    BackboneSpec,
    Catalogue,
    Check,
    Profile,
    Spec,
    hookimpl,
)
from recmerge_bench.toolkit.models.next_item import LossOptions, NextItemBackbone

if TYPE_CHECKING:
    from torch import nn


def _checks(against: str, test: str, tolerance: str) -> tuple[Check, ...]:
    return (Check(against, f"tests/plugins/test_sasrec.py::{test}", tolerance),)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """SASRec as released and as printed, with the full softmax, and gSASRec as a preset."""
    citation = "Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018"
    gbce = "Petrov & Macdonald, gSASRec, RecSys 2023 (arXiv 2308.07192)"
    target = f"{__name__}:SASRec"
    items = {"width": 256, "negatives": 256, "sampling": "uniform", "init": "random"}
    public = Profile(
        {**items, "layers": 1, "heads": 1, "dropout": 0.2, "loss": "sampled-ce"},
        {"lr": 0.001, "batch_size": 128, "epochs": 200, "patience": 50},
    )
    ml_1m = Profile({**items, "layers": 3, "heads": 1, "dropout": 0.1, "max_len": 200})
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
            profiles={"public-table": public},
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
            options={"loss": "gbce", "negatives": 256, "sampling": "uniform"},
            fidelity="paper-equations",
            checks=_checks(
                "arXiv 2308.07192, eq. 9 and 11 (with t = .75 and, as SASRec's loss, t = 0), and "
                "asash/gSASRec-pytorch, gbce.py, by hand; the net is that of sasrec",
                "test_gbce_by_hand",
                "1e-10",
            ),
            citation=gbce,
            profiles={"ml-1m": ml_1m},
        ),
    ]


@dataclass(frozen=True)
class SASRecOptions(LossOptions):
    """Options of SASRec.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: on embeddings, attention weights and behind both maps of the feed-forward
            (``sasrec-prenorm``: on embeddings and on every sub-layer's output).
        max_len: number of latest events that are used.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item vectors, and of position vectors
            (``sasrec``: times sqrt(width), as wide as the scaled items).
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    init: Literal["text", "random"] = "text"
    std: float = 0.02


class SASRec(NextItemBackbone):
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


class SASRecPreNorm(SASRec):
    """Pre-norm blocks with ReLU (paper, section III), learned positions counted from the start."""

    block = "sasrec-prenorm"
