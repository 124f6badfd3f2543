"""Representation Surgery: a low-rank correction of each domain's vectors after merging.

Idea: After merging, a domain's representations differ from those of its expert. A small low-rank
correction for each domain is learned so that both agree. The merged model stays as it is; each
domain adds its correction when it is served.

The merged model is Task Arithmetic's. On pseudo-users (tier T1) the corrections are learned from
items alone; the original learns them on unlabelled inputs, here users' training histories (T3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    Expert,
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
    from torch import Tensor, nn


@dataclass(frozen=True)
class Options:
    """Options of Surgery; rank, steps and rate as released.

    Attributes:
        scale: weight of the task vectors' sum in the merged model.
        rank: rank of each domain's correction.
        steps: number of steps of Adam.
        lr: learning rate of Adam.
        batch: users, and as many items, in a step.
    """

    scale: float = 0.4
    rank: int = 16
    steps: int = 500
    lr: float = 1e-3
    batch: int = 256

    def __post_init__(self) -> None:
        if min(self.rank, self.batch) < 1 or self.steps < 0:
            raise HandledError("surgery: rank and batch are positive, steps is not negative")


class Surgery(StrategyDefinition):
    """``z' = z - up relu(down z)``, L1 distance to the expert's vectors (eqs. 2 and 3)."""

    Options = Options
    modulated = True

    def merge_each(self, given: MergeInput) -> dict[str, dict[str, Tensor]]:
        """The merged tensors and an adapter for each domain.

        Raises:
            HandledError: the strategy was not given anything to run models on.
        """
        from recmerge_bench.toolkit.merging.adapters import NO_VECTORS
        from recmerge_bench.toolkit.merging.vectors import add_task_vectors

        given = needs(given, WithCatalogue, "surgery")
        if not given.users.have_vectors:
            raise HandledError(NO_VECTORS)
        scales = [self.options.scale] * len(given.experts)
        merged = add_task_vectors(given.base, [e.weights for e in given.experts], scales)
        net = given.users.net(merged)
        tensors_by_domain, distances = {}, {}
        for number, expert in enumerate(given.experts):
            adapter, distances[expert.domain] = self._learn(given, net, expert, number)
            tensors_by_domain[expert.domain] = {**merged, **adapter}
        given.note("distance_before_and_after", distances)
        return tensors_by_domain

    def _learn(
        self, given: WithCatalogue, net: nn.Module, expert: Expert, number: int
    ) -> tuple[dict[str, Tensor], list[float]]:
        """A domain's adapter, and the mean absolute distance to the expert before and after."""
        import torch

        from recmerge_bench.toolkit.merging.adapters import PREFIX, corrected

        o, users, domain = self.options, given.users, expert.domain
        own = users.net(expert.weights, [domain])
        with torch.no_grad():
            ours = [users.encode_all(net, domain), users.items(net, domain)[0]]
            theirs = [users.encode_all(own, domain), users.items(own, domain)[0]]
        ours, theirs = [v.clone() for v in ours], [v.clone() for v in theirs]
        width, generator = ours[0].shape[1], users.generator(number, 19)
        down = torch.randn(o.rank, width, generator=generator) * width**-0.5
        down = down.to(ours[0]).requires_grad_()
        up = torch.zeros(width, o.rank).to(ours[0]).requires_grad_()
        optimizer = torch.optim.Adam([down, up], lr=o.lr)

        def distance(rows: list[Tensor] | None) -> Tensor:
            parts = []
            for place, (vectors, wanted) in enumerate(zip(ours, theirs, strict=True)):
                some = slice(None) if rows is None else rows[place]
                parts.append((corrected(vectors[some], down, up) - wanted[some]).abs().mean())
            return torch.stack(parts).sum()

        with torch.no_grad():
            before = float(distance(None))
        for _ in range(o.steps):
            rows = [
                torch.randint(len(v), (o.batch,), generator=generator).to(v.device) for v in ours
            ]
            optimizer.zero_grad()
            with torch.enable_grad():
                distance(rows).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            after = float(distance(None))
        tensors = {PREFIX + "down": down.detach().cpu(), PREFIX + "up": up.detach().cpu()}
        return tensors, [before, after]


_CHECKS = (
    Check(
        "Yang et al., eqs. 2 and 3, by autograd with the same draws",
        "tests/merging/test_merging_tiers.py::test_surgery_as_published",
        "1e-4 relative: fp32",
    ),
)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``surgery`` on pseudo-users, ``surgery-sequences`` on unlabelled training histories."""
    target, citation = f"{__name__}:Surgery", "Yang et al., Representation Surgery, ICML 2024"
    return [
        StrategySpec(
            "surgery", target,
            "Task Arithmetic with a low-rank correction of each domain's vectors (modulators)",
            checks=_CHECKS, inputs=("base", "experts"), tier="T1",
            fidelity="paper-equations", citation=citation,
        ),
        StrategySpec(
            "surgery-sequences", target,
            "The same, learned on users' unlabelled training histories",
            checks=_CHECKS, inputs=("base", "experts"), tier="T3",
            fidelity="paper-equations", citation=citation,
        ),
    ]  # fmt: skip
