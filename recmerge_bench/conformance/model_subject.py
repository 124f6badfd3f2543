"""A model under test: its net, its losses, its training on generated data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.borders.models import (
    check_items,
    check_loss,
    check_net,
    check_user_scores,
    check_users,
    history_limit,
)
from recmerge_bench.conformance.requirement import Untried
from recmerge_bench.conformance.state import reseeds
from recmerge_bench.conformance.subject import Subject, as_arrays
from recmerge_bench.conformance.worlds import (
    learnable,
)
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.evaluation.loaded import LoadedModel, build
from recmerge_bench.training.batches import plan_epoch
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach, prepare
from recmerge_bench.training.streams import load_init, training_streams
from recmerge_bench.training.trainer import TrainResult, fit
from recmerge_bench.training.validation import Validator

#: Of a training's steps, batches and rate.
STEPS, BATCH, RATE = 80, 32, 0.01


@dataclass
class ModelSubject(Subject):
    """A model under test.

    Attributes:
        mixed: it is trained on sequences of several domains (kind ``cdsr``).
        single_target: it is built for one target domain.
        catalogue: the items; with vectors that stand for any encoder's.
        steps: of the training that is judged.
    """

    mixed: bool = field(default=False, kw_only=True)
    single_target: bool = field(default=False, kw_only=True)
    catalogue: Catalogue = field(default_factory=lambda: learnable()[0].catalogue, kw_only=True)
    steps: int = field(default=STEPS, kw_only=True)

    @property
    def domains(self) -> tuple[str, ...]:
        """What it is trained on: one domain, or both where they are mixed."""
        return self.catalogue.domains if self.mixed else self.catalogue.domains[:1]

    @property
    def target(self) -> str | None:
        """The one domain that it predicts in, where that has to be said."""
        return self.domains[0] if self.single_target else None

    @property
    def split(self) -> Split:
        """Learnable sequences."""
        return learnable(self.mixed)[1]

    def warm(self) -> None:
        """Refuse what cannot be built from this catalogue."""
        self.refuse_tokens()

    def refuse_tokens(self) -> None:
        """Raise `Untried` where the model reads tokens of an encoder that is not at hand."""
        if self.definition.trains_encoder() and self.catalogue.text_tokens is None:
            raise Untried(
                f"it trains the encoder '{self.definition.text_encoder()}' further, whose tokens "
                "and weights are not part of the tiny data"
            )

    def net(
        self,
        seed: int = 3,
        domains: tuple[str, ...] | None = None,
        split: Split | None = None,
        prepared: Mapping[str, np.ndarray] | None = None,
    ) -> nn.Module:
        """A module with its initial values and what the model prepares, in evaluation mode.

        Args:
            seed: of its values.
            domains: that it is built for; the subject's own by default.
            split: that the model prepares itself from; the learnable one by default.
            prepared: what is laid into the module instead.
        """
        self.refuse_tokens()
        domains = self.domains if domains is None else domains
        net = build(self.definition, self.catalogue, domains, seed, self.target)
        check_net(self.definition, net, self.catalogue, domains)
        if prepared is None:
            prepared = prepare(self.definition, split or self.split, self.catalogue, domains)
        attach(net, prepared)
        return net.eval()

    def built(self) -> nn.Module:
        """One such module, made once: for what leaves it as it is."""
        if "net" not in self.kept:
            self.kept["net"] = self.net()
        net: nn.Module = self.kept["net"]
        return net

    def batch(self, split: Split, device: str = "cpu", rows: int = BATCH) -> Batch:
        """Training windows of a split's first batch."""
        streams = training_streams(
            split, self.catalogue, self.domains, "mixed" if self.mixed else "domain"
        )
        planned = plan_epoch(streams, history_limit(self.definition), rows, 0, 0, 0)[0]
        generator = torch.Generator(device).manual_seed(5)
        return planned.load(torch.device(device), generator)

    def loss(self, net: nn.Module, batch: Batch, seed: int = 7) -> tuple[Tensor, int]:
        """The loss with randomness that the trainer would give it."""
        fresh = torch.Generator(batch.items.device).manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            returned = self.definition.loss(net, replace(batch, generator=fresh))
        return check_loss(self.definition, returned)

    def histories(self, count: int = 6) -> tuple[Tensor, Tensor]:
        """Histories of several lengths [B, L] int64, right-padded with the last event."""
        split, limit = self.split, history_limit(self.definition, "encoded_history")
        number = self.catalogue.domains.index(self.domains[0])
        own = split.valid.sequence[split.valid.domains == number][:count]
        starts = split.sequences.offsets[own]
        lengths = np.minimum(np.arange(1, len(own) + 1), limit)
        steps = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
        items = split.sequences.items[starts[:, None] + steps].astype(np.int64)
        return torch.from_numpy(items), torch.from_numpy(lengths)

    def users(self, net: nn.Module, items: Tensor, lengths: Tensor) -> Tensor:
        """Checked user vectors; where the model has none, the users' scores in their place."""
        if not self.definition.scores_are_products():
            return self.whole_scores(net, items, lengths)
        with torch.inference_mode():
            vectors = self.definition.encode(net, items, lengths, self.domains[0])
        return check_users(self.definition, vectors, len(items), self.width(net))

    def whole_scores(
        self, net: nn.Module, items: Tensor, lengths: Tensor, domain: str = ""
    ) -> Tensor:
        """Checked scores of histories, of a model without vectors; of the first domain's items."""
        domain = domain or self.domains[0]
        with torch.inference_mode():
            made = self.definition.scores(net, items, lengths, domain)
        size = self.catalogue.size(domain)
        return check_user_scores(self.definition, made, len(items), size, domain, items.device)

    def width(self, net: nn.Module) -> int:
        """Of item vectors."""
        return self.items(net)[0].shape[1]

    def items(self, net: nn.Module) -> tuple[Tensor, Tensor | None]:
        """Checked item vectors and biases of the first domain."""
        domain = self.domains[0]
        with torch.inference_mode():
            returned = self.definition.items(net, domain)
        size = self.catalogue.size(domain)
        device = next(iter(net.state_dict().values())).device
        return check_items(self.definition, returned, domain, size, device)

    def scores(self, net: nn.Module) -> Tensor:
        """Scores of the histories [B, items of the first domain]."""
        if not self.definition.scores_are_products():
            place = next(iter(net.state_dict().values())).device
            items, lengths = (t.to(place) for t in self.histories())
            return self.whole_scores(net, items, lengths)
        with torch.inference_mode():
            table, bias = self.items(net)
            items, lengths = (t.to(table.device) for t in self.histories())
            scores = self.users(net, items, lengths).float() @ table.float().T
            return scores if bias is None else scores + bias.float()

    def train(self, steps: int, split: Split | None = None, **more: Any) -> TrainResult:
        """A training by the trainer."""
        self.refuse_tokens()
        values = {"eval_every": -1, **more.pop("options", {})}
        options = TrainOptions(steps=steps, epochs=0, batch_size=BATCH, lr=RATE, **values)
        return fit(
            more.pop("definition", self.definition), self.catalogue, split or self.split,
            self.domains, "mixed" if self.mixed else "domain", options, 3, target=self.target,
            device=self.device, **more,
        )  # fmt: skip

    def trained(self) -> TrainResult:
        """The training that is judged, validated at its end; made once."""
        if "trained" not in self.kept:
            options = {"eval_every": self.steps}
            self.kept["trained"] = self.train(self.steps, options=options)
        result: TrainResult = self.kept["trained"]
        return result

    def validated(self, net: nn.Module) -> float:
        """Validation NDCG@10 of a module, mean of the domains that it ranks."""
        model = LoadedModel(self.definition, net, self.domains, self.target)
        values = Validator(self.catalogue, self.split, model.serves, 0)(model)
        return float(np.mean(list(values.values())))

    def loaded(self, state: Mapping[str, Tensor], domains: Any = None, **more: Any) -> nn.Module:
        """A new module of a new definition with these weights; `more` as in `net`."""
        held, self.definition = self.definition, self.again()
        try:
            net = self.net(8, domains, **more)
        finally:
            self.definition = held
        load_init(self.definition, net, state, self.catalogue)
        return net

    def reseeded(self) -> dict[str, list[str]]:
        """Of what the trainer lends a generator: layers' values, dropout."""
        net, batch = self.built(), self.batch(self.split)
        items, lengths = self.histories()

        def loss() -> None:
            fresh = torch.Generator(batch.items.device).manual_seed(7)
            self.definition.loss(net, replace(batch, generator=fresh))

        methods: dict[str, Callable[[], object]] = {
            "build": self.net,
            "loss": loss,
            "encode": lambda: self.users(net, items, lengths),
        }
        if self.definition.scores_are_products():
            methods["items"] = lambda: self.items(net)
        made = {name: reseeds(method) for name, method in methods.items()}
        return {name: states for name, states in made.items() if states}

    def outputs(self) -> dict[str, np.ndarray]:
        """Initial values, a loss with its gradients, and scores."""
        # Layers of torch draw their own values first: trainings lend them a generator of its own.
        with torch.random.fork_rng(devices=[]):
            net = self.net()
        made = as_arrays(net.state_dict(), "initial ")
        made["scores"] = self.scores(net).numpy().copy()
        loss, count = self.loss(net.train(), self.batch(self.split))
        loss.backward()
        made["loss"] = np.array([loss.item(), count])
        made |= as_arrays(
            {n: p.grad for n, p in net.named_parameters() if p.grad is not None}, "gradient of "
        )
        return made
