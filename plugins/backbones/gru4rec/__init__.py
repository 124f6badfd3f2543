"""GRU4Rec (Hidasi et al., ICLR 2016): one item table for both ends, softmax over all items.

Idea: A recurrent net reads a history item by item and keeps a state. The state after each event
predicts the next item. The same vectors stand for items at the input and at the output.

The net of the authors' code of today (hidasib/GRU4Rec_PyTorch_Official, ``constrained_embedding``,
the form that "The effect of third party implementations", RecSys 2023, recommends): an item's
vector, dropout, GRU layers with dropout on what each gives, then a product with the same item
vectors and a bias for each item.

Ours: the loss is the full softmax (theirs: cross entropy or BPR-max over a batch's targets and
shared draws by popularity; ``loss: sampled-ce, sampling: shared`` has shared uniform draws); all
positions of a window are trained in one pass, each window from an empty state, where theirs are
session-parallel with the gradient cut after each event; dropout falls on what a layer hands on,
theirs on its recurrent state too; AdamW instead of Adagrad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import BackboneSpec, Catalogue, Check, Spec, hookimpl
from recmerge_bench.toolkit.models.next_item import LossOptions, NextItemBackbone

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """GRU4Rec."""
    return [
        BackboneSpec(
            "gru4rec",
            f"{__name__}:GRU4Rec",
            "gated recurrent units over items, one item table for both ends, full softmax",
            fidelity="code-verified",
            checks=(
                Check(
                    "hidasib/GRU4Rec_PyTorch_Official, GRU4RecModel with constrained embedding "
                    "(its hidden_step and score_items), written out in float64: states, scores "
                    "and gradients; its losses and its session-parallel training are not ours",
                    "tests/plugins/test_gru4rec.py::test_states_scores_and_gradients_of_the_written_net",
                    "1e-10 (states, scores), 1e-8 (gradients)",
                ),
            ),
            citation="Hidasi et al., GRU4Rec, ICLR 2016; Hidasi & Czapp, RecSys 2023",
        )
    ]


@dataclass(frozen=True)
class GRU4RecOptions(LossOptions):
    """Options of GRU4Rec.

    Attributes:
        width: width of item vectors and layers.
        layers: number of layers of gated recurrent units.
        dropout: on the items' vectors.
        hidden_dropout: on what each layer gives.
        max_len: number of latest events that are used.
        init: item table from the items' ``text``, or ``random``.
        std: standard deviation of the initial item vectors.
    """

    width: int = 64
    layers: int = 1
    dropout: float = 0.2
    hidden_dropout: float = 0.2
    max_len: int = 50
    init: Literal["text", "random"] = "text"
    std: float = 0.02


class GRU4Rec(NextItemBackbone):
    """Gated recurrent units; items keep a vector and a bias with their domain."""

    Options = GRU4RecOptions
    policy: ClassVar[Mapping[str, str]] = {**NextItemBackbone.policy, "biases.": "domain"}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.backbones.gru4rec.net import GRUNet

        o = self.options
        return GRUNet(
            catalogue,
            domains,
            seed,
            width=o.width,
            layers=o.layers,
            dropout=o.dropout,
            hidden_dropout=o.hidden_dropout,
            init=o.init,
            std=o.std,
        )

    def vectors(self, net: Any, scope: Sequence[str]) -> tuple[Tensor, Tensor | None]:
        """The items' vectors and biases."""
        return net.tables.scope_table(scope), net.biases.scope_table(scope).squeeze(1)
