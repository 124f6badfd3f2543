"""C2DSR (Cao et al., CIKM 2022): encoders for the mixed and for each domain's own sequence.

Idea: Preferences within a domain and across domains are learned together. Graph-smoothed item
vectors are read by one encoder of the mixed sequence and one for each domain. A contrast against
corrupted sequences ties the two kinds of states together.

Equations: the authors' code (cjx96/C2DSR): graph-smoothed items, encoders, full softmax and
infomax losses. Its states, loss and all gradients
(tests/plugins/test_golden_c2dsr.py::test_the_released_loss_and_all_gradients; 1e-5).

Item vectors are smoothed over the graph of who follows whom in the training sequences; a domain's
pooled state is taught to tell the other domains' real states from those of corrupted sequences.
After the released code, with three things put right: the first item of the second domain is a
target like any other, one validation chooses the weights for all domains, and a user without two
events of each domain is trained on for what there is (the infomax losses leave such users out).

Its encoders are SASRec's released block as in the PyTorch port, with an output projection and
masked tokens among the keys (`QueryNormEncoder`), which is what the authors' code has.

For more than two domains, "the other domain" reads "all other domains together".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from recmerge_bench.api import (
    Backbone,
    Batch,
    Catalogue,
    CDSRSpec,
    HandledError,
    Profile,
    Spec,
    Split,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """C2DSR, in the family's sizes and (profile ``original``) in its own."""
    return [
        CDSRSpec(
            "c2dsr",
            f"{__name__}:C2DSR",
            "graph-smoothed items, mixed and own encoders, full softmax heads, infomax",
            profiles={
                "cpu": Profile({"width": 64}),
                "original": Profile(
                    {"layers": 2, "heads": 1, "dropout": 0.2, "max_len": 15, "last_k": 10},
                    {"lr": 1e-3, "weight_decay": 0.0, "clip": 0.0},
                ),
            },
            fidelity="code-verified",
            citation="Cao et al., Contrastive Cross-Domain Sequential Recommendation, CIKM 2022",
        )
    ]


@dataclass(frozen=True)
class C2DSROptions:
    """Options of C2DSR; the defaults are those of MERIT's comparison ("family").

    The release (profile ``original``) has layers 2, heads 1, dropout 0.2,
    max_len 15 and last_k 10; its training: Adam (weight_decay 0), lr 1e-3, betas 0.9 and 0.98,
    batch_size 256, 100 epochs, clip 0.

    Attributes:
        width: width of item vectors and layers.
        layers: blocks of each encoder.
        heads: number of attention heads.
        dropout: on inputs, attention weights, feed-forwards and the vectors that graphs spread.
        max_len: number of latest events that are used; shorter histories count as padded up to it.
        last_k: only targets of the last positions are trained on; 0: of all.
        prediction: weight of the cross entropies; the rest is that of the infomax losses.
        init: item tables ``random``, or from the items' ``text``.
        std: standard deviation of initial item and position vectors.
    """

    width: int = 256
    layers: int = 1
    heads: int = 2
    dropout: float = 0.5
    max_len: int = 47
    last_k: int = 0
    prediction: float = 0.7
    init: Literal["text", "random"] = "random"
    std: float = 1.0

    def __post_init__(self) -> None:
        if min(self.layers, self.max_len) < 1 or self.last_k < 0:
            raise HandledError("c2dsr: layers and max_len are positive, last_k is not negative")
        if not 0 <= self.prediction <= 1:
            raise HandledError("c2dsr: prediction lies in [0, 1]")
        if self.heads < 1 or self.width % self.heads:
            raise HandledError(f"c2dsr: width {self.width} is not a multiple of {self.heads} heads")


class C2DSR(Backbone):
    """For two domains as published; more are read as the module says."""

    Options = C2DSROptions
    policy: ClassVar[Mapping[str, str]] = {
        f"{name}.": "domain" for name in ("tables", "own_tables", "heads", "head_biases")
    }

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Row-normalised counts of next items: in the mixed order, and within each domain."""
        from recmerge_bench.toolkit.data.graphs import row_shares, successions

        names = [name for name in catalogue.domains if name in domains]
        rows = np.full(catalogue.n_items, -1, np.int64)
        owner = np.full(catalogue.n_items, -1, np.int64)
        sizes = np.cumsum([0, *map(catalogue.size, names)])
        for number, name in enumerate(names):
            rows[catalogue.span(name)] = np.arange(sizes[number], sizes[number + 1])
            owner[catalogue.span(name)] = number
        offsets, items = split.sequences.training()
        size = int(sizes[-1])
        before, after = successions(offsets, items)
        mixed = row_shares(rows[before], rows[after], size)
        before, after = successions(offsets, items, owner[items])
        own = row_shares(rows[before], rows[after], size)
        return {**mixed.arrays("mixed"), **own.arrays("own")}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`.

        Raises:
            HandledError: fewer than two domains.
        """
        from recmerge_bench_plugins.cdsr.c2dsr.net import GraphStreamsNet

        if len(domains) < 2:
            raise HandledError(f"c2dsr needs at least two domains, not {len(domains)}")
        o = self.options
        return GraphStreamsNet(
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
        """Cross entropies of the next mixed and the next own items, and infomax."""
        prediction, infomax = self.parts(net, batch, self.corrupted(net, batch))
        share = self.options.prediction
        return share * prediction + (1 - share) * infomax, int(batch.lengths.sum())

    def corrupted(self, net: Any, batch: Batch) -> list[Tensor]:
        """For each domain the inputs with its items replaced by others of it: int64 [B, L] each.

        The replacements are no event of the user's window.
        """
        import torch

        from recmerge_bench.toolkit.models.domain_losses import negatives_by_domain

        tables, size = net.tables, batch.items.shape[1]
        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        rows = tables.scope_rows(events, tables.domains)
        valid = torch.arange(size + 1, device=rows.device) <= batch.lengths[:, None]
        spans = [tables.scope_span(tables.domains, name) for name in tables.domains]
        drawn = negatives_by_domain(rows, valid, spans, size, batch.generator)
        every = torch.cat([(net.owners == n).nonzero()[:, 0] for n in range(len(spans))])
        owners = net.owners[batch.items]
        return [
            torch.where(owners == number, every[drawn[:, number]], batch.items)
            for number in range(len(spans))
        ]

    def parts(self, net: Any, batch: Batch, corrupted: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The sum of the cross entropies and the sum of the infomax losses, both scalars."""
        import torch

        count = 1 + len(corrupted)
        stacked = torch.cat([batch.items, *corrupted])
        states = net(stacked, batch.lengths.repeat(count)).unflatten(0, (count, -1))
        size = batch.items.shape[1]
        valid = torch.arange(size, device=stacked.device) < batch.lengths[:, None]
        events = torch.cat([batch.items[:, :1], batch.targets], 1)
        inside = torch.arange(size + 1, device=stacked.device) <= batch.lengths[:, None]
        owners = net.owners[events].masked_fill(~inside, -1)
        target_domains = owners[:, 1:].masked_fill(~valid, -1)
        prediction = states.new_zeros(())
        asked, pooled = [], []
        for number, name in enumerate(net.tables.domains):
            followed, following = _followed(owners == number)
            own = net.own(batch.items, batch.lengths, followed, number)
            prediction = prediction + self._prediction(
                net, name, batch, states[0], target_domains == number, own, following
            )
            weights = _means(followed.gather(1, own.index) & _first(own))
            pooled.append((own.states * weights[..., None]).sum(1))
            asked.append(followed)
        return prediction, _infomax(net, states, asked, pooled)

    def _prediction(
        self,
        net: Any,
        name: str,
        batch: Batch,
        mixed: Tensor,
        shared: Tensor,
        own: Any,
        following: Tensor,
    ) -> Tensor:
        """One domain's two cross entropies, with "no item of the domain" as one class more.

        Args:
            net: the net.
            name: the domain.
            batch: the batch.
            mixed: float [B, L, width], states of the mixed sequences.
            shared: bool [B, L], positions whose target is of the domain.
            own: the domain's stream (`OwnStream`).
            following: int64 [B, L], column of `targets` that holds an event's next own item.
        """
        import torch

        from recmerge_bench.toolkit.models.losses import full_cross_entropy

        limit = self.options.last_k or self.options.max_len
        columns = torch.arange(mixed.shape[1], device=mixed.device)
        late = columns >= batch.lengths[:, None] - limit
        goal = net.tables.scope_rows(batch.targets, (name,))
        keep = shared & late
        hidden, pads, targets = [mixed[keep]], [net.pad_head(mixed[keep])], [goal[keep]]
        keep = _first(own) & late.gather(1, own.index)
        at = own.index[..., None].expand(-1, -1, mixed.shape[2])
        hidden.append((mixed.gather(1, at) + own.states)[keep])
        pads.append(net.pad_head(own.states[keep]))
        targets.append(goal.gather(1, following.gather(1, own.index))[keep])
        table, bias = self.items(net, name)
        assert bias is not None
        target_rows = torch.cat(targets)
        # The further class's logit is no product with its own row: it comes as a column more.
        classes = torch.zeros(1, table.shape[1] + 1, dtype=table.dtype, device=table.device)
        classes[0, -1] = 1
        return full_cross_entropy(
            torch.cat([torch.cat(hidden), torch.cat(pads)], 1),
            torch.cat([torch.nn.functional.pad(table, (0, 1)), classes]),
            target_rows,
            torch.cat([bias, bias.new_zeros(1)]),
            torch.full(
                target_rows.shape, 1 / (len(batch.items) * limit), device=target_rows.device
            ),
        )

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Last mixed state plus the state of the last event of `domain`."""
        return net.next_state(histories, lengths, domain)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's head: rows and biases."""
        return net.heads.domain_table(domain), net.head_biases.domain_table(domain).squeeze(1)

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)


def _followed(events: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs of a domain that another event of it follows, and where in `targets` that stands.

    Args:
        events: bool [B, L + 1], events of the domain.

    Returns:
        bool [B, L], and int64 [B, L], meaningless where the first is false.
    """
    import torch

    size = events.shape[1]
    columns = torch.arange(size, device=events.device).expand_as(events)
    after = columns.masked_fill(~events, size).flip(1).cummin(1).values.flip(1)[:, 1:]
    return events[:, :-1] & (after < size), (after - 1).clamp(0, size - 2)


def _first(own: Any) -> Tensor:
    """Entries of a stream that are events: bool [B, K]."""
    import torch

    columns = torch.arange(own.index.shape[1], device=own.index.device)
    return columns < own.counts[:, None]


def _means(mask: Tensor) -> Tensor:
    """Weights of a mean over the true entries of each row; zeros where there is none."""
    return mask / mask.sum(1, keepdim=True).clamp_min(1)


def _infomax(net: Any, states: Tensor, asked: Sequence[Tensor], pooled: Sequence[Tensor]) -> Tensor:
    """Real against corrupted: the binary cross entropies of all domains' critics.

    Args:
        net: the net.
        states: float [1 + D, B, L, width]: the mixed sequence, then each corruption of it.
        asked: D times bool [B, L], events of a domain that another of it follows.
        pooled: D times float [B, width], means of the domain's own states over those.
    """
    import torch
    from torch.nn import functional as F

    total = states.new_zeros(())
    for number, own in enumerate(pooled):
        others = torch.stack([m for n, m in enumerate(asked) if n != number]).any(0)
        # A user without such events of both sides has nothing to compare.
        users = (asked[number].any(1) & others.any(1)).to(own.dtype)
        weights = _means(others)[..., None]
        real, false = ((states[n] * weights).sum(1) for n in (0, 1 + number))
        each = F.softplus(-net.discriminate(number, own, real)) + F.softplus(
            net.discriminate(number, own, false)
        )
        total = total + (each * users).sum() / users.sum().clamp_min(1)
    return total
