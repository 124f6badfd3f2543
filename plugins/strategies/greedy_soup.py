"""Greedy soup by agreement with the experts on pseudo-users: no validation data is read.

Idea: An average over all experts may be worse than one over some of them. Experts join one after
the other, the best first. One that makes the average agree less with the experts on pseudo-users
stays out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
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
    """Options of the greedy soup.

    Attributes:
        sample: pseudo-users of each domain that candidates are compared on.
        temperature: divides the scores in the comparison.
    """

    sample: int = 512
    temperature: float = 1.0


class GreedySoup(StrategyDefinition):
    """Experts by falling agreement; one joins the average if the average agrees no less."""

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """The average of the chosen experts.

        Raises:
            HandledError: the strategy was not given pseudo-users.
        """
        from recmerge_bench.toolkit.merging.objective import Disagreement
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        given = needs(given, WithCatalogue, "greedy-soup")
        objective = Disagreement(given, self.options.sample, self.options.temperature)
        alone = {e.domain: objective.of(e.weights) for e in given.experts}
        order = sorted(given.experts, key=lambda e: alone[e.domain])
        chosen, best = [order[0]], alone[order[0].domain]
        for expert in order[1:]:
            some = [e.weights for e in [*chosen, expert]]
            value = objective.of(weighted_sum(some, [1 / len(some)] * len(some)))
            if value <= best:
                chosen, best = [*chosen, expert], value
        given.note("alone", alone)
        given.note("chosen", [e.domain for e in chosen])
        given.note("disagreement", best)
        return weighted_sum([e.weights for e in chosen], [1 / len(chosen)] * len(chosen))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``greedy-soup``."""
    return [
        StrategySpec(
            "greedy-soup", f"{__name__}:GreedySoup",
            "Average of the experts that agree with all experts on pseudo-users",
            checks=(
                Check(
                    "own criterion (agreement with the experts); Wortsman et al., recipe 1, in "
                    "all else",
                    "tests/plugins/test_merging_searched.py::test_the_soup_follows_its_recipe",
                    "exact choice",
                ),
            ),
            inputs=("base", "experts"), tier="T1", fidelity="own",
            citation="Wortsman et al., Model soups, ICML 2022; pseudo-users after MergeRec",
        )
    ]  # fmt: skip
