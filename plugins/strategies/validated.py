"""Merging tuned on labelled validation targets (tier T4): what data isolation has to compete with.

Published results of Task Arithmetic, TIES and the greedy soup choose their coefficients so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    WithLabels,
    hookimpl,
    needs,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """Options of searches on validation targets.

    Attributes:
        limit: most validation targets of each domain that are ranked; 0: all.
        scales: the scales that are tried (Task Arithmetic only).
    """

    limit: int = 2000
    scales: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", tuple(self.scales))
        if self.limit < 0 or not self.scales:
            raise HandledError("give at least one scale, and a limit that is not negative")


class ValidatedTaskArithmetic(StrategyDefinition):
    """The scale with the best validation score; the sum of task vectors is made once.

    Idea: Published results often choose the scale on labelled validation data. Here the scale
    of Task Arithmetic with the best validation score is taken. It shows what merging without
    labels has to compete with.
    """

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Base plus the best multiple of the sum of task vectors.

        Raises:
            HandledError: the strategy was not given validation targets.
        """
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.vectors import unflatten

        labels = needs(given, WithLabels, "task-arithmetic-validated")
        vectors = TaskVectors.of(given)
        total = vectors.rows.sum(0)
        scores = {}
        for scale in self.options.scales:
            merged = unflatten(vectors.base + scale * total, vectors.like)
            scores[scale] = _mean(labels, merged, self.options.limit)
        best = max(scores, key=lambda scale: scores[scale])
        given.note("validation", {str(k): v for k, v in scores.items()})
        given.note("scale", best)
        return unflatten(vectors.base + best * total, vectors.like)


class ValidatedSoup(StrategyDefinition):
    """Experts by falling validation score; one joins the average if the score does not drop.

    Idea: Experts join the average one after the other, the best on validation targets first.
    One stays only if the validation score does not drop. It shows what labels are worth to a
    greedy soup.
    """

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """The average of the chosen experts.

        Raises:
            HandledError: the strategy was not given validation targets.
        """
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        labels, limit = needs(given, WithLabels, "greedy-soup-validated"), self.options.limit
        alone = {e.domain: _mean(labels, e.weights, limit) for e in given.experts}
        order = sorted(given.experts, key=lambda e: -alone[e.domain])
        chosen, best = [order[0]], alone[order[0].domain]
        for expert in order[1:]:
            some = [e.weights for e in [*chosen, expert]]
            value = _mean(labels, weighted_sum(some, [1 / len(some)] * len(some)), limit)
            if value >= best:
                chosen, best = [*chosen, expert], value
        given.note("alone", alone)
        given.note("chosen", [e.domain for e in chosen])
        given.note("validation", best)
        return weighted_sum([e.weights for e in chosen], [1 / len(chosen)] * len(chosen))


def _mean(given: WithLabels, weights: Mapping[str, Tensor], limit: int) -> float:
    scores = given.validation.score(weights, limit)
    return sum(scores.values()) / len(scores)


_CHECKS: dict[str, tuple[Check, ...]] = {
    "task-arithmetic-validated": (
        Check(
            "Ilharco et al., section 4: one scale, the best on validation",
            "tests/merging/test_merging_tiers.py::test_the_scale_is_the_best_of_those_tried",
            "1e-5 relative: fp32",
        ),
    ),
    "greedy-soup-validated": (
        Check(
            "Wortsman et al., recipe 1",
            "tests/merging/test_merging_tiers.py::test_the_soup_follows_its_recipe",
            "exact choice",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``task-arithmetic-validated`` and ``greedy-soup-validated``."""
    return [
        StrategySpec(
            "task-arithmetic-validated", f"{__name__}:ValidatedTaskArithmetic",
            "Task Arithmetic with the scale that is best on validation targets",
            checks=_CHECKS["task-arithmetic-validated"],
            inputs=("base", "experts"), tier="T4", fidelity="paper-equations",
            citation="Ilharco et al., Editing models with task arithmetic, ICLR 2023",
        ),
        StrategySpec(
            "greedy-soup-validated", f"{__name__}:ValidatedSoup",
            "Average of experts, each added if validation does not drop",
            checks=_CHECKS["greedy-soup-validated"],
            inputs=("base", "experts"), tier="T4", fidelity="paper-equations",
            citation="Wortsman et al., Model soups, ICML 2022",
        ),
    ]  # fmt: skip
