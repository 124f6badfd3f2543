"""Frank-Wolfe merging against fusion_bench's course of it, on a net of two maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from recmerge_bench_plugins.strategies.frank_wolfe import FrankWolfe, Options
from torch import Tensor

from recmerge_bench.api import HandledError
from recmerge_bench.conformance.merging_world import merging_world

Model = dict[str, Tensor]


def mean_entropy(model: Model, tables: list[Tensor]) -> Tensor:
    """Of outer(tanh(inner(x))), x each domain's items, one user at a time."""
    losses = []
    for table in tables:
        for x in table:
            hidden = torch.tanh(model["inner.weight"] @ x + model["inner.bias"])
            scores = table @ (model["outer.weight"] @ hidden + model["outer.bias"])
            chances = torch.softmax(scores, 0)
            losses.append(-(chances * torch.log(chances + 1e-8)).sum() / (len(table) * len(tables)))
    return torch.stack(losses).sum()


def fw_hard(
    base: Model, experts: list[Model], tables: list[Tensor], steps: int, step_size: float,
    scale: float, layers: bool,
) -> Model:  # fmt: skip
    """tanganke/fusion_bench, method/fw_merging/fw_hard.py: selection and steps in float64."""
    merged = {n: t + scale * sum(e[n] - t for e in experts) for n, t in base.items()}
    checkpoints = [*experts, merged]
    for step in range(steps):
        leaves = {n: t.clone().requires_grad_() for n, t in merged.items()}
        with torch.enable_grad():
            mean_entropy(leaves, tables).backward()
        least: dict[str, tuple[float, int]] = {}
        sums = [0.0] * len(checkpoints)
        for k, checkpoint in enumerate(checkpoints):
            for name, leaf in leaves.items():
                assert leaf.grad is not None
                flat, own = leaf.grad.flatten(), checkpoint[name].flatten()
                cosine = float(torch.dot(flat, own) / (flat.norm() * own.norm()))
                sums[k] += cosine
                if name not in least or cosine < least[name][0]:
                    least[name] = (cosine, k)
        best = sums.index(min(sums))
        chosen = {n: checkpoints[least[n][1] if layers else best][n] for n in merged}
        size = 2 / (step + 2) * step_size * scale
        merged = {n: t + size * (chosen[n] - t) for n, t in merged.items()}
    return merged


def pulled(given: Any) -> Any:
    """Experts that lie where the entropy of their own domain falls.

    The tiny world's own do not: scaling a model up lowers its entropy most, so that the start is
    the best vertex at every step, and no step would show.
    """
    experts = []
    for expert in given.experts:
        gradient = FrankWolfe(Options()).gradient(given.users, given.base, [expert.domain], 0)
        length = {n: float(g.norm()) for n, g in gradient.items()}
        experts.append(replace(expert, weights={
            n: t - 2 * float(t.norm() + 1) * gradient[n] / length[n]
            for n, t in given.base.items()
        }))  # fmt: skip
    return replace(given, experts=tuple(experts))


@pytest.mark.parametrize("granularity", ["task", "layer"])
def test_frank_wolfe_as_in_fusion_bench(granularity: str) -> None:
    world = merging_world()
    given = pulled(world.given("T1"))
    tables = [next(iter(world.kept[e.domain].values())).double() for e in given.experts]
    options = Options(steps=3, step_size=0.9, granularity=granularity)  # type: ignore[arg-type]
    merged = FrankWolfe(options).merge(given)
    base = {n: t.double() for n, t in given.base.items()}
    experts = [{n: t.double() for n, t in e.weights.items()} for e in given.experts]
    wanted = fw_hard(base, experts, tables, 3, 0.9, 0.3, granularity == "layer")
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor.double(), wanted[name], rtol=1e-4, atol=1e-5)
    choices = given.notes["chosen"]["parameters"]
    assert len(choices) == 3 and all(sum(row) == len(base) for row in choices)
    assert sum(sum(row[:-1]) for row in choices) > 0  # an expert, and not the start alone
    start = FrankWolfe(Options(steps=0)).merge(given)
    assert max(float((start[n] - merged[n]).abs().max()) for n in merged) > 1e-3


def test_frank_wolfe_needs_users() -> None:
    with pytest.raises(HandledError, match="frank-wolfe needs the item catalogue"):
        FrankWolfe(Options()).merge(merging_world().given("T0"))
