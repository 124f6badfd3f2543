"""How far a merged model is from its experts, measured on pseudo-users: a number to search by."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.tiers import WithCatalogue


class Disagreement:
    """Mean over domains of KL(expert || model) on a fixed sample of pseudo-users.

    Args:
        given: what a T1 strategy is handed.
        sample: pseudo-users of each domain, drawn once from the run's seed.
        temperature: divides both sides' scores.
    """

    def __init__(self, given: WithCatalogue, sample: int, temperature: float) -> None:
        self.users, self.temperature = given.users, temperature
        self.rows: dict[str, Tensor] = {}
        self.teachers: dict[str, Tensor] = {}
        for number, expert in enumerate(given.experts):
            size = self.users.size(expert.domain)
            order = torch.randperm(size, generator=self.users.generator(number, 7))
            self.rows[expert.domain] = order[:sample].sort().values
            net = self.users.net(expert.weights, [expert.domain])
            self.teachers[expert.domain] = self._logs(net, expert.domain)

    def of(self, weights: Mapping[str, Tensor]) -> float:
        """The disagreement of a model with these merged tensors, in nats."""
        return self.of_net(self.users.net(weights))

    def of_net(self, net: nn.Module) -> float:
        """The disagreement of a net as it stands."""
        parts = [
            F.kl_div(self._logs(net, domain), teacher, reduction="batchmean", log_target=True)
            for domain, teacher in self.teachers.items()
        ]
        return float(torch.stack(parts).mean())

    def _logs(self, net: nn.Module, domain: str) -> Tensor:
        with torch.inference_mode():
            users = self.users.encode(net, domain, self.rows[domain])
            scores = self.users.scores(users, self.users.items(net, domain))
            return F.log_softmax(scores.float() / self.temperature, 1)
