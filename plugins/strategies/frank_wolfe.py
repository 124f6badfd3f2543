"""Frank-Wolfe merging: step by step towards the expert that the loss's gradient points to.

Idea: Merging is seen as a search within the polygon that the experts span. At each step the
loss's gradient points to one expert, and the model moves a little towards it. The loss needs no
labels: it is the entropy of the predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Check,
    HandledError,
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

    from recmerge_bench.toolkit.merging.users import Users


@dataclass(frozen=True)
class Options:
    """Options of Frank-Wolfe merging; all but `temperature` as released (``fw_hard``).

    Attributes:
        steps: number of Frank-Wolfe steps.
        step_size: multiplies Frank-Wolfe's own steps, 2 / (t + 2) from t = 0.
        scale: weight of the task vectors' sum at the start; multiplies the steps, too.
        sample: users of each domain that a step's gradient is made of.
        granularity: an expert is chosen for the whole model (``task``) or each parameter
            (``layer``).
        temperature: divides the scores.
    """

    steps: int = 10
    step_size: float = 0.1
    scale: float = 0.3
    sample: int = 100
    granularity: Literal["task", "layer"] = "task"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.sample < 1 or self.temperature <= 0:
            raise HandledError(
                "frank-wolfe: steps is not negative, sample at least 1, temperature positive"
            )
        if not (0 <= self.step_size <= 1 and 0 <= self.scale <= 1):
            raise HandledError("frank-wolfe: step_size and scale lie in [0, 1]")
        if self.granularity not in ("task", "layer"):
            raise HandledError("frank-wolfe: granularity is task or layer")


class FrankWolfe(StrategyDefinition):
    """``theta + g_t (s - theta)``, s the model of least cosine with the loss's gradient.

    Candidates are the experts and the model at the start, Task Arithmetic. As released, cosines
    of gradient and weights are taken parameter by parameter and added up. The loss is the mean
    entropy of the predictions for users of all domains (the released code's ``entropy``, on
    unlabelled inputs; its default, cross entropy, has labels). A parameter whose gradient is zero
    counts for none.
    """

    Options = Options
    #: A step's users are drawn for each domain in its turn.
    order_matters = True

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """From Task Arithmetic, step by step; the record has the choices.

        Raises:
            HandledError: the strategy was not given users or pseudo-users.
        """
        from recmerge_bench.toolkit.merging.vectors import add_task_vectors, weighted_sum

        given, o = needs(given, WithCatalogue, "frank-wolfe"), self.options
        models: list[Mapping[str, Tensor]] = [e.weights for e in given.experts]
        domains = [e.domain for e in given.experts]
        merged = add_task_vectors(given.base, models, [o.scale] * len(models))
        models.append(merged)
        choices = []
        for step in range(o.steps):
            gradient = self.gradient(given.users, merged, domains, step)
            chosen, numbers = self.towards(gradient, models)
            share = 2 / (step + 2) * o.step_size * o.scale
            merged = weighted_sum([merged, chosen], [1 - share, share])
            choices.append([numbers.count(k) for k in range(len(models))])
        given.note("chosen", {"of": [*domains, "start"], "parameters": choices})
        return merged

    def gradient(
        self, users: Users, weights: Mapping[str, Tensor], domains: list[str], step: int
    ) -> dict[str, Tensor]:
        """Of the mean entropy of predictions, by parameter."""
        import torch

        net = users.net(weights)
        own = {n: p for n, p in net.named_parameters() if n in weights}
        total = {n: torch.zeros_like(p) for n, p in own.items()}
        for number, domain in enumerate(domains):
            drawn = torch.randperm(users.size(domain), generator=users.generator(step, number, 17))
            with torch.enable_grad():
                states = users.encode(net, domain, drawn[: self.options.sample])
                scores = users.scores(states, users.items(net, domain))
                logs = (scores / self.options.temperature).log_softmax(1)
                loss = -(logs.exp() * logs).sum(1).mean() / len(domains)
                parts = torch.autograd.grad(loss, list(own.values()), allow_unused=True)
            for name, part in zip(own, parts, strict=True):
                if part is not None:
                    total[name] += part
        return total

    def towards(
        self, gradient: Mapping[str, Tensor], models: list[Mapping[str, Tensor]]
    ) -> tuple[dict[str, Tensor], list[int]]:
        """The vertex that a step goes to, and the number of the model that each parameter is of."""
        import torch

        cosines = torch.tensor(
            [[_cosine(grad, model[name]) for name, grad in gradient.items()] for model in models],
            dtype=torch.float64,
        )
        if self.options.granularity == "task":
            numbers = [int(cosines.sum(1).argmin())] * len(gradient)
        else:
            numbers = cosines.argmin(0).tolist()
        chosen = {n: models[k][n] for n, k in zip(gradient, numbers, strict=True)}
        return {n: chosen.get(n, t) for n, t in models[-1].items()}, numbers


def _cosine(one: Tensor, other: Tensor) -> float:
    lengths = float(one.double().norm() * other.double().norm())
    return float((one.double() * other.double()).sum()) / lengths if lengths > 0 else 0.0


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``frank-wolfe`` on users' histories, ``frank-wolfe-pseudo`` on pseudo-users."""
    citation = "Chen et al., FW-Merging, ICCV 2025"
    test = "tests/plugins/test_merging_frank_wolfe.py"
    return [
        StrategySpec(
            "frank-wolfe", f"{__name__}:FrankWolfe",
            "Frank-Wolfe steps from Task Arithmetic towards experts, by entropy on user sequences",
            checks=(
                Check(
                    "tanganke/fusion_bench, method/fw_merging/fw_hard.py, with its loss entropy; "
                    "the inputs are training histories",
                    f"{test}::test_frank_wolfe_as_in_fusion_bench",
                    "1e-4 relative: fp32 weights",
                ),
            ),
            inputs=("base", "experts"), tier="T3", fidelity="code-verified", citation=citation,
        ),
        StrategySpec(
            "frank-wolfe-pseudo", f"{__name__}:FrankWolfe",
            "Frank-Wolfe steps from Task Arithmetic towards experts, by entropy on pseudo-users",
            checks=(
                Check(
                    "own: pseudo-users in the place of users; the steps as in fusion_bench",
                    f"{test}::test_frank_wolfe_as_in_fusion_bench",
                    "1e-4 relative: fp32 weights",
                ),
            ),
            inputs=("base", "experts"), tier="T1", fidelity="own", citation=f"after {citation}",
        ),
    ]  # fmt: skip
