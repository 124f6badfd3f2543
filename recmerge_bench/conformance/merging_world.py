"""Trained experts of a tiny model, and what each data tier hands to a strategy with them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.conformance.worlds import interactions, split_of
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.definitions import Backbone, Expert
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.merging.statistics import shipped_grams
from recmerge_bench.merging.user_sequences import UserSequences, Validation
from recmerge_bench.policy import select
from recmerge_bench.tiers import TIERS, MergeInput, Source
from recmerge_bench.toolkit.merging.adapters import PREFIX, Adapted
from recmerge_bench.toolkit.models.tables import ItemTables
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.streams import load_init
from recmerge_bench.training.trainer import fit
from recmerge_bench.training.validation import Validator

DOMAINS = ("d0", "d1", "d2")
WIDTH = 12


@dataclass(frozen=True)
class TinyOptions:
    """Options of `TinyModel`: its width."""

    width: int = WIDTH


class TinyNet(nn.Module):
    """Item tables, and two maps from the last item's vector to the next one's."""

    def __init__(self, catalogue: Catalogue, domains: Any, width: int, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.tables = ItemTables(
            {d: torch.randn(catalogue.size(d), width, generator=draw) for d in domains}, catalogue
        )
        # Made on no device: nn.Linear draws from the global random state elsewhere.
        self.inner, self.outer = (nn.Linear(width, width, device="meta") for _ in range(2))
        for layer in (self.inner, self.outer):
            layer.weight = nn.Parameter(torch.randn(width, width, generator=draw) / width**0.5)
            layer.bias = nn.Parameter(torch.zeros(width))

    def forward(self, vectors: Tensor) -> Tensor:
        """The next item's vector, float [..., width]."""
        return self.outer(torch.tanh(self.inner(vectors)))  # type: ignore[no-any-return]


class TinyModel(Backbone):
    """The last item decides: enough to learn `worlds`, and quick to train."""

    Options = TinyOptions

    def build(self, catalogue: Catalogue, domains: Any, seed: int) -> nn.Module:
        """See `Backbone.build`."""
        return TinyNet(catalogue, domains, self.options.width, seed)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Full softmax at every position."""
        steps = torch.arange(batch.items.shape[1], device=batch.items.device)
        keep = steps < batch.lengths[:, None]
        table = net.tables.scope_table(batch.scope)
        states = net(table[net.tables.scope_rows(batch.items, batch.scope)[keep]])
        targets = net.tables.scope_rows(batch.targets, batch.scope)[keep]
        return F.cross_entropy(states @ table.T, targets), len(targets)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """From the last item."""
        last = histories.gather(1, (lengths - 1)[:, None])[:, 0]
        table = net.tables.domain_table(domain)
        return net(table[net.tables.scope_rows(last, (domain,))])  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, None]:
        """The table's rows."""
        return net.tables.domain_table(domain), None

    def max_history(self) -> int:
        """Windows of twelve events."""
        return 12


@dataclass(frozen=True)
class MergingWorld:
    """A base, an expert of each domain, and the data that they were trained on.

    Attributes:
        model: whose they are.
        catalogue: the items.
        split: per domain.
        base: the tensors that merge.
        experts: likewise, in the order of `DOMAINS`.
        kept: domain -> its own item table.
    """

    model: TinyModel
    catalogue: Catalogue
    split: Split
    base: Mapping[str, Tensor]
    experts: tuple[Expert, ...]
    kept: Mapping[str, Mapping[str, Tensor]]

    def given(
        self, tier: str = "T0", count: int = 3, device: str = "cpu", seed: int = 0
    ) -> MergeInput:
        """What a strategy of that tier is handed: copies, so that none can change this."""
        experts = tuple(
            Expert(e.domain, {n: t.clone().to(device) for n, t in e.weights.items()})
            for e in self.experts[:count]
        )
        base = {n: t.clone().to(device) for n, t in self.base.items()}
        sources = self._sources(tier, experts, device, seed)
        return TIERS[tier].hand(base, experts, seed, sources)

    def _sources(
        self, tier: str, experts: tuple[Expert, ...], device: str, seed: int
    ) -> dict[Source, Any]:
        """What the tier reads beside weights."""
        if not TIERS[tier].reads:
            return {}
        kept = {e.domain: self.kept[e.domain] for e in experts}
        common = (self.model, self.catalogue, kept)
        items = PseudoUsers(*common, seed, device)
        users = UserSequences(*common, self.split, seed, device)
        sources: dict[Source, Any] = {"catalogue": items, "sequences": users}
        if "statistics" in TIERS[tier].reads:
            sources["statistics"] = {e.domain: self._grams(items, e, seed) for e in experts}
        if "labels" in TIERS[tier].reads:
            sources["labels"] = Validation.of(self.split, users, self.model, self.catalogue)
        return sources

    def _grams(self, items: PseudoUsers, expert: Expert, seed: int) -> dict[str, Tensor]:
        net = items.net(expert.weights, [expert.domain])
        return shipped_grams(
            self.model, net, expert.weights, self.split, self.catalogue, expert.domain, 0, seed
        )

    def quality(self, models: Mapping[str, Mapping[str, Tensor]]) -> float:
        """Mean validation NDCG@10 over domains.

        Args:
            models: domain -> the tensors that merge (and an adapter's); "": of all domains.
        """
        values = []
        for domain in (d for d in DOMAINS if d in models or "" in models):
            tensors = models.get(domain) or models[""]
            adapter = {n: t for n, t in tensors.items() if n.startswith(PREFIX)}
            net = self.model.build(self.catalogue, [domain], 0)
            weights = {n: t for n, t in tensors.items() if n not in adapter}
            load_init(self.model, net, {**self.kept[domain], **weights}, self.catalogue)
            runs = Adapted(self.model, adapter) if adapter else self.model
            validator = Validator(self.catalogue, self.split, [domain], 0)
            values.append(validator(LoadedModel(runs, net.eval(), (domain,)))[domain])
        return sum(values) / len(values)


@functools.cache
def merging_world(width: int = WIDTH) -> MergingWorld:
    """The same for every call; trained once a process, in less than a second."""
    made = interactions(DOMAINS)
    model, split = TinyModel(TinyOptions(width)), split_of(made)
    options = TrainOptions(steps=40, epochs=0, eval_every=-1, batch_size=16, lr=0.02)

    def trained(domain: str, init: Any = None) -> dict[str, Tensor]:
        return fit(
            model, made.catalogue, split, [domain], "domain", options, 0, init=init
        ).state  # fmt: skip

    base = trained(DOMAINS[0])
    states = [trained(d, select(base, model.policy, "merge")) for d in DOMAINS]
    return MergingWorld(
        model, made.catalogue, split, select(base, model.policy, "merge"),
        tuple(Expert(d, select(s, model.policy, "merge"))
              for d, s in zip(DOMAINS, states, strict=True)),
        {d: select(s, model.policy, "domain") for d, s in zip(DOMAINS, states, strict=True)},
    )  # fmt: skip


#: Shapes of what is merged where no model is run: a scalar, vectors, matrices, a convolution.
SHAPES: dict[str, tuple[int, ...]] = {
    "a.0.weight": (4, 3), "a.weight": (6, 4), "a.bias": (6,), "z": (3, 5), "scale": (),
    "tall.weight": (16, 2), "conv.weight": (2, 3, 3),
}  # fmt: skip


def models(
    count: int = 3, seed: int = 0, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> MergeInput:
    """A base and experts that moved from it at random, as a T0 strategy is handed them."""
    generator = torch.Generator().manual_seed(seed)
    shapes = SHAPES if shapes is None else shapes

    def draw(scale: float) -> dict[str, Tensor]:
        return {n: torch.randn(s, generator=generator) * scale for n, s in shapes.items()}

    base = draw(1.0)
    experts = []
    for number in range(count):
        change = draw(0.1)
        experts.append(Expert(f"d{number}", {n: base[n] + change[n] for n in base}))
    return MergeInput(base, tuple(experts), seed)


def with_experts(given: MergeInput, experts: tuple[Expert, ...]) -> MergeInput:
    """The same input with other experts."""
    return replace(given, experts=experts, notes={})


__all__ = ["DOMAINS", "SHAPES", "MergingWorld", "TinyModel", "merging_world", "models",
           "with_experts"]  # fmt: skip
