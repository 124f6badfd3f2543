"""Weights of task vectors by CMA-ES on pseudo-users: MergeRec's aim without gradients.

Idea: Weights of task vectors can be searched for without gradients. CMA-ES draws sets of weights,
merges with each and keeps the direction in which merged models agree best with the experts on
pseudo-users. It shows what MergeRec's gradient steps add to MergeRec's aim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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


@dataclass(frozen=True)
class Options:
    """Options of the search.

    Attributes:
        granularity: what has a weight of its own: each ``domain``, each ``layer`` of each domain,
            or each ``tensor`` of each domain.
        start: initial weight.
        spread: initial standard deviation of the search.
        evaluations: number of merged models that are evaluated.
        sample: pseudo-users of each domain.
        temperature: divides the scores in the objective.
    """

    granularity: Literal["domain", "layer", "tensor"] = "domain"
    start: float = 0.3
    spread: float = 0.15
    evaluations: int = 200
    sample: int = 512
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.evaluations < 1 or self.spread <= 0:
            raise HandledError("cma-search: evaluations and spread must be positive")


class CmaSearch(StrategyDefinition):
    """The best weights that the search has seen; its draws come from the run's seed."""

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Search and merge.

        Raises:
            HandledError: the strategy was not given pseudo-users.
        """
        import torch

        from recmerge_bench.toolkit.merging.coefficients import Coefficients
        from recmerge_bench.toolkit.merging.objective import Disagreement
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.vectors import unflatten

        given = needs(given, WithCatalogue, "cma-search")
        o = self.options
        coefficients = Coefficients(TaskVectors.of(given), o.granularity, o.start)
        net = given.users.net(given.base)
        coefficients.bind(net)
        objective = Disagreement(given, o.sample, o.temperature)
        shape = coefficients.weights.shape

        def value(point: Any) -> float:
            coefficients.weights.copy_(torch.as_tensor(point, dtype=torch.float32).view(shape))
            with torch.no_grad():
                coefficients.merge()
            return objective.of_net(net)

        best, trace = self._search(value, coefficients.weights.numel(), given.seed)
        given.note("disagreement", value(best))
        given.note("weights", coefficients.weights.tolist())
        given.note("trace", trace)
        return unflatten(coefficients.flat, given.base)

    def _search(self, value: Any, size: int, seed: int) -> tuple[Any, list[list[float]]]:
        """(best point, [evaluations, best value so far] by generation)."""
        import warnings

        import numpy as np

        with warnings.catch_warnings():  # that there is nothing to plot with
            warnings.simplefilter("ignore")
            import cma

        o = self.options
        settings = {
            "seed": seed + 1,  # 0 would be the clock
            "maxfevals": o.evaluations,
            "verbose": -9,
            "verb_log": 0,
        }
        before, trace = np.random.get_state(), []  # cma seeds and draws from the global generator
        try:
            search = cma.CMAEvolutionStrategy([o.start] * size, o.spread, settings)
            while not search.stop():
                points = search.ask()
                search.tell(points, [value(p) for p in points])
                trace.append([float(search.result.evaluations), float(search.result.fbest)])
        finally:
            np.random.set_state(before)
        return search.result.xbest, trace


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``cma-search``."""
    return [
        StrategySpec(
            "cma-search", f"{__name__}:CmaSearch",
            "Weights searched by CMA-ES for agreement with the experts on pseudo-users",
            checks=(
                Check(
                    "own: the search ends below its start and reports the value of its weights",
                    "tests/plugins/test_merging_searched.py::test_the_search_ends_below_its_start",
                    "1e-4 relative",
                ),
            ),
            inputs=("base", "experts"), tier="T1", requires=("cma",), fidelity="own",
            citation="Hansen, The CMA evolution strategy (arXiv 1604.00772); after MergeRec",
        )
    ]  # fmt: skip
