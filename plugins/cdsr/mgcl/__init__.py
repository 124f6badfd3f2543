"""MGCL (RecSys 2023; ACM TORS 2024): multi-view graph contrastive learning for one target domain.

Idea: An item means something in the user's own sequence and something in the graph of all users.
Both views of items, and the user's two domains, are contrasted with each other. The target
domain's states ask the source events by attention.

Equations: reconstructed, so none of the paper's is claimed. The graph of a user's sequence after
Wu et al., SR-GNN, AAAI 2019, eq. 1 to 5; that of all users after He et al., LightGCN, SIGIR 2020,
eq. 3 and 4 (tests/toolkit/test_nn_family.py::test_normalised_adjacency_against_dense).

Reconstructed: no code was published; the closest is that of HGTL and TJAPL, by the same first
author. Known (from the abstract): dynamic item vectors from the graph of the user's own sequence
are contrasted with static ones from a cross-domain graph of all users (intra-domain item view),
and the user's preferences in the two domains with each other (inter-domain user view).

Uncertain, and decided here: the sequence graph joins neighbouring events of the mixed sequence
both ways (events are nodes: a repeated item is two of them), under one gated graph layer; the
global graph counts neighbours in the training parts, normalised on both sides, under LightGCN
layers; an item's vector is the sum of both. Target states come from causal self-attention and ask
the source events by attention; both are fused by norm, linear and norm (as in HGTL). A position
knows the events before the one to be predicted, and its graph is that of these events. Item view:
for each user one event of the target domain and one of the others is drawn and contrasted with
those of other users. User view: means of the target states and of the source events' vectors. The
weights are HGTL's, the temperature is a usual one. Candidates are scored by the item table itself.
Several other domains make one source sequence. Padding is no key anywhere.

Which block: HGTL builds on SASRec.pytorch (SASRec's released block, padding among its keys); ours
has the family's, post-norm with SwiGLU, in all profiles.

Presets:
    family (the defaults): as `SASRec-st`'s.
    cpu: ``width: 64``.
    original (of HGTL): ``positions: forward, width: 50, layers: 2, heads: 1, loss: bce,
        negatives: 1, max_len: 100``; Adam, lr 1e-3, batches of 128. The feed-forward stays SwiGLU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from recmerge_bench.api import (
    Batch,
    Catalogue,
    CDSRSpec,
    HandledError,
    Profile,
    Spec,
    Split,
    hookimpl,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.single_target import SingleTarget

if TYPE_CHECKING:
    from recmerge_bench_plugins.cdsr.mgcl.net import Nodes
    from torch import Tensor, nn

    from recmerge_bench.toolkit.models.ragged import Compact, View


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """MGCL."""
    return [
        CDSRSpec(
            "mgcl",
            f"{__name__}:MGCL",
            "dynamic and static item graphs, attention to the source domains, two contrasts",
            single_target=True,
            profiles={
                "cpu": Profile({"width": 64}),
                "original": Profile(
                    {
                        "positions": "forward",
                        "width": 50,
                        "layers": 2,
                        "heads": 1,
                        "loss": "bce",
                        "negatives": 1,
                        "max_len": 100,
                    },
                    {"lr": 1e-3, "weight_decay": 0.0, "batch_size": 128},
                ),
            },
            fidelity="reconstructed",
            citation="Xu et al., A Multi-view Graph Contrastive Learning Framework for "
            "Cross-Domain Sequential Recommendation, RecSys 2023",
        )
    ]


@dataclass(frozen=True)
class MGCLOptions(FamilyOptions):
    """Options of MGCL: those of the family, and

    Attributes:
        graph_layers: number of layers over the graph of all users.
        item_view: weight of the item contrast; 0: none.
        user_view: weight of the user contrast; 0: none.
        contrast_temperature: divides the cosines in both contrasts.
        until: a position knows the events before the one to be predicted (``target``), or those
            up to the target-domain event at hand (``item``).
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("swiglu",)

    graph_layers: int = 2
    item_view: float = 0.5
    user_view: float = 0.5
    contrast_temperature: float = 0.2
    until: Literal["target", "item"] = "target"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.graph_layers < 1 or min(self.item_view, self.user_view) < 0:
            raise HandledError("mgcl: graph_layers is positive, weights are not negative")
        if self.contrast_temperature <= 0 or self.until not in ("target", "item"):
            raise HandledError("mgcl: contrast_temperature is positive, until is target or item")


class MGCL(SingleTarget):
    """For two or more domains; without source events, nothing is added from them."""

    Options = MGCLOptions

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Items that follow each other in the training parts, see `normalised_adjacency`."""
        from recmerge_bench.toolkit.data.graphs import normalised_adjacency

        return normalised_adjacency(*split.sequences.training(), catalogue.n_items)

    def net(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """Tables of all domains; the core lays the graph in."""
        from recmerge_bench_plugins.cdsr.mgcl.net import GraphViewsNet

        o = self.options
        return GraphViewsNet(catalogue, domains, seed, o, target, o.graph_layers)

    def states(self, net: Any, view: View) -> Tensor:
        """See `SingleTarget.states`."""
        return net(view)[0]  # type: ignore[no-any-return]

    def loss_states(self, net: Any, view: View, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """States, and both contrasts with their weights."""
        states, own, nodes = net(view)
        o, extra = self.options, states.sum() * 0.0
        if o.item_view > 0:
            for events in (view.own, view.source):
                extra = extra + o.item_view * self._item_view(view, nodes, events, batch)
        if o.user_view > 0:
            extra = extra + o.user_view * self._user_view(net, view, own, nodes)
        return states, extra

    def _item_view(self, view: View, nodes: Nodes, events: Compact, batch: Batch) -> Tensor:
        """One event of each user: its dynamic vector against the static ones."""
        import torch

        from recmerge_bench.toolkit.models.contrast import paired_infonce

        draws = torch.rand(
            events.lengths.shape, generator=batch.generator, device=events.lengths.device
        )
        rows = events.lengths.nonzero().squeeze(1)
        chosen = (draws * events.lengths).long()[rows].clamp_max(events.items.shape[1] - 1)
        places = events.places[rows, chosen]
        return paired_infonce(
            nodes.inner[rows, places],
            nodes.static[rows, places],
            self.options.contrast_temperature,
            view.events[rows, places],
        )

    def _user_view(self, net: Any, view: View, own: Tensor, nodes: Nodes) -> Tensor:
        """A user's mean target state against the users' mean source vectors."""
        from recmerge_bench_plugins.cdsr.mgcl.net import gather

        from recmerge_bench.toolkit.models.contrast import paired_infonce
        from recmerge_bench.toolkit.models.ragged import masked_mean

        rows = ((view.own.lengths > 0) & (view.source.lengths > 0)).nonzero().squeeze(1)
        source = gather(nodes.inner + nodes.static, view.source.places)
        source_means = net.source_view(masked_mean(source, view.source.valid[:, None]).squeeze(1))
        target_means = masked_mean(own, view.own.valid[:, None]).squeeze(1)
        return paired_infonce(
            target_means[rows], source_means[rows], self.options.contrast_temperature
        )
