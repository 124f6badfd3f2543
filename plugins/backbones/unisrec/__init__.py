"""UniSRec (Hou et al., KDD 2022): frozen text vectors, a mixture of whitening maps, a transformer.

Idea: Item texts make one representation for all domains. Vectors of a frozen text encoder pass a
mixture of whitening maps, and a transformer reads them. Optionally each item adds a vector of its
own.

As its released code computes it for training on one set of items (RUCAIBox/UniSRec, `unisrec.py`)::

    text(i) = sum_e g_e(t_i) W_e (drop(t_i) - b_e),    g = softmax(t_i G), noisy while training
    x = drop(LN(text(i) + id(i) + p)), then RecBole's post-norm layers with GELU, causal
    score(u, i) = cos(state(u), text(i) + id(i)) / temperature, softmax over all items

t_i are the vectors of a frozen encoder; positions are counted from the first event. ``unisrec``
has text alone (their inductive setting): no parameter belongs to an item, so that the whole model
merges and serves any domain. ``unisrec-ids`` adds a vector for each item (their transductive
setting), which stays with its domain: text is shared, identity kept at home. ``experts: 1`` is one
whitening map without a gate.

Ours: no pre-training stage (two contrastive losses over several domains): a base is trained with
the loss above, its encoder is not frozen afterwards, every position is trained at once (theirs:
each prefix a sequence of its own), one dropout mask of the text vectors serves all maps of the
mixture. Defaults other than theirs (300 wide, 256 inside, dropout .5) are ours, but temperature
.07, eight maps and the adaptor's dropout of .2; profile ``released`` has them all. ``negatives``
is ours too: rivals are then the batch's targets and that many draws, so that few items pass the
mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import (
    Backbone,
    BackboneSpec,
    Batch,
    Catalogue,
    Check,
    HandledError,
    Profile,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``unisrec`` and ``unisrec-ids``."""
    kinds = {
        "unisrec": ("text alone, all of it shared", {}),
        "unisrec-ids": ("text, and a vector of each item's own", {"ids": True}),
    }
    released = Profile(
        {"width": 300, "inner": 256, "dropout": 0.5}, {"lr": 0.001, "batch_size": 2048}
    )
    return [
        BackboneSpec(
            name,
            f"{__name__}:UniSRec",
            f"transformer over a mixture of whitened text vectors: {what}",
            options=options,
            fidelity="code-verified",
            checks=(
                Check(
                    "RUCAIBox/UniSRec, unisrec.py, and RecBole's transformer layers, written out "
                    "in float64: items, states and gradients, without and with ids",
                    "tests/plugins/test_unisrec.py::test_items_states_and_gradients_of_the_written_net",
                    "1e-10 (items, states), 1e-8 (gradients)",
                ),
                Check(
                    "its fine-tuning loss, by hand",
                    "tests/plugins/test_unisrec.py::test_the_loss_by_hand",
                    "1e-10",
                ),
            ),
            citation="Hou et al., UniSRec, KDD 2022 (arXiv 2206.05941)",
            profiles={"released": released},
        )
        for name, (what, options) in kinds.items()
    ]


@dataclass(frozen=True)
class UniSRecOptions:
    """Options of UniSRec.

    Attributes:
        encoder: a text encoder by name.
        ids: whether each item has a vector of its own besides, kept with its domain.
        experts: whitening maps of the mixture; 1: no gate.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        inner: inner width of the feed-forward.
        dropout: on embeddings, attention weights and every sub-layer's output.
        adaptor_dropout: on text vectors.
        max_len: number of latest events that are used.
        temperature: divides the cosines in the softmax.
        negatives: items drawn for a batch and shared by its positions, beside the batch's own
            targets; 0: all items of the batch's domains.
        std: standard deviation of initial maps and positions.
        id_std: standard deviation of the items' own initial vectors; 0 ranks a domain that was not
            trained on by text alone.
        whiten: whether the catalogue's text vectors are whitened before all else (see `zca`); the
            released code leaves that to the maps.
    """

    encoder: str = "minilm"
    ids: bool = False
    experts: int = 8
    width: int = 64
    layers: int = 2
    heads: int = 2
    inner: int = 256
    dropout: float = 0.2
    adaptor_dropout: float = 0.2
    max_len: int = 50
    temperature: float = 0.07
    negatives: int = 0
    std: float = 0.02
    id_std: float = 0.02
    whiten: bool = False

    def __post_init__(self) -> None:
        if self.temperature <= 0 or self.negatives < 0 or self.experts < 1:
            raise HandledError(
                "unisrec: temperature and experts are positive, negatives are not negative"
            )


class UniSRec(Backbone):
    """Scores are cosines; item vectors of their own, where there are some, stay at home."""

    Options = UniSRecOptions

    def text_encoder(self) -> str | None:
        """As the options say."""
        return str(self.options.encoder)

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`; what is shared starts alike whichever domains are served."""
        from recmerge_bench_plugins.backbones.unisrec.net import UniSRecNet

        o = self.options
        return UniSRecNet(
            catalogue,
            domains,
            seed,
            ids=o.ids,
            experts=o.experts,
            width=o.width,
            layers=o.layers,
            heads=o.heads,
            inner=o.inner,
            dropout=o.dropout,
            adaptor_dropout=o.adaptor_dropout,
            max_len=o.max_len,
            std=o.std,
            id_std=o.id_std,
            whiten=o.whiten,
        )

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over all positions of the batch; each item passes the mixture once."""
        import torch
        from torch.nn import functional as F

        from recmerge_bench.toolkit.models import losses

        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        targets = batch.targets.flatten()[keep]
        if self.options.negatives:
            drawn = net.frozen.draw(batch.scope, self.options.negatives, batch.generator)
            known = batch.items.flatten()[keep]
            every = torch.cat([targets, drawn, known])
            unique, place = torch.unique(every, return_inverse=True)
            vectors = net.vectors(unique)
            inputs = vectors.new_zeros((*batch.items.shape, vectors.shape[1])).flatten(0, 1)
            inputs = inputs.index_copy(0, keep, vectors[place[-len(known) :]])
            rivals, goal = torch.unique(place[: -len(known)], return_inverse=True)
            table, goal = vectors[rivals], goal[: len(targets)]
            inputs = inputs.view(*batch.items.shape, -1)
        else:
            table = net.scope_vectors(batch.scope)
            goal = net.frozen.scope_rows(targets, batch.scope)
            inputs = F.embedding(net.frozen.scope_rows(batch.items, batch.scope), table)
        states = net(batch.items, batch.lengths, vectors=inputs).flatten(0, 1)[keep]
        value = losses.full_cross_entropy(
            F.normalize(states, dim=-1),
            F.normalize(table, dim=-1),
            goal,
            temperature=self.options.temperature,
        )
        return value, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event, of length one."""
        from torch.nn import functional as F

        if net.tables is not None:
            net.tables.narrowest(histories, domain)  # refuses items that the net has no vector of
        return F.normalize(net(histories, lengths, last_only=True), dim=-1)

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's vectors, of length one; no bias."""
        from torch.nn import functional as F

        return F.normalize(net.scope_vectors((domain,)), dim=-1), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
