"""Fisher merging on pseudo-users: each entry weighted by how much its expert's output minds it.

Idea: Not every weight matters equally to every expert. The Fisher information of an entry says
how much an expert's predictions change with it. The merge is the mean of the experts, each entry
weighted by these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    Expert,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    WithCatalogue,
    hookimpl,
    needs,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """Options of Fisher merging.

    Attributes:
        sample: pseudo-users of each domain.
        temperature: divides the scores; give the one that the model was trained with.
        floor: added to every Fisher value, so that entries without Fisher information are averaged.
    """

    sample: int = 256
    temperature: float = 1.0
    floor: float = 1e-6


class Fisher(StrategyDefinition):
    """``theta = sum_k F_k theta_k / sum_k F_k``, F_k the diagonal of the Fisher matrix (eq. 4).

    The expectation over items is taken by one item drawn from the expert's own prediction for each
    pseudo-user, and each pseudo-user's gradient is squared by itself.
    """

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Weighted mean of the experts.

        Raises:
            HandledError: the strategy was not given pseudo-users.
        """
        import torch

        given = needs(given, WithCatalogue, "fisher")
        total = {n: torch.zeros_like(t, dtype=torch.float32) for n, t in given.base.items()}
        mass = {n: torch.zeros_like(t) for n, t in total.items()}
        for number, expert in enumerate(given.experts):
            for name, values in self._diagonal(given, expert, number).items():
                values += self.options.floor
                mass[name] += values
                total[name] += values * expert.weights[name].float()
        return {n: (total[n] / mass[n]).to(t.dtype) for n, t in given.base.items()}

    def _diagonal(self, given: WithCatalogue, expert: Expert, number: int) -> dict[str, Tensor]:
        """Mean squared gradient of the log-likelihood, by parameter."""
        import torch

        users, o = given.users, self.options
        net = users.net(expert.weights, [expert.domain])
        own = {n: p for n, p in net.named_parameters() if n in given.base}
        diagonal = {n: torch.zeros_like(p) for n, p in own.items()}
        generator = users.generator(number, 11)
        rows = torch.randperm(users.size(expert.domain), generator=generator)[: o.sample]
        for row in rows.split(1):
            with torch.enable_grad():
                user = users.encode(net, expert.domain, row)
                scores = users.scores(user, users.items(net, expert.domain)) / o.temperature
                logs = scores.log_softmax(1)[0]
                drawn = torch.multinomial(logs.detach().exp().cpu(), 1, generator=generator)
                grads = torch.autograd.grad(logs[drawn[0]], list(own.values()), allow_unused=True)
            for total, grad in zip(diagonal.values(), grads, strict=True):
                if grad is not None:
                    total.addcmul_(grad, grad, value=1 / len(rows))
        return diagonal


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``fisher``."""
    return [
        StrategySpec(
            "fisher", f"{__name__}:Fisher",
            "Mean of the experts weighted by their Fisher values on pseudo-users",
            checks=(
                Check(
                    "Matena & Raffel, eq. 4",
                    "tests/plugins/test_merging_searched.py::test_fisher_weighs_as_its_equation_says",
                    "1e-5 relative: fp32",
                ),
                Check(
                    "squared gradients of single pseudo-users, one drawn item each",
                    ""
                    "tests/plugins/test_merging_searched.py::test_fisher_values_are_squared_gradients_of_single_users",
                    "fp32 rounding",
                ),
            ),
            inputs=("base", "experts"), tier="T1", fidelity="paper-equations",
            citation="Matena & Raffel, Merging models with Fisher-weighted averaging, NeurIPS 2022",
        )
    ]  # fmt: skip
