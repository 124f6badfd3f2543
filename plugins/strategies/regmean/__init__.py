"""RegMean on pseudo-users: linear maps that answer every expert's inputs as the expert does.

Idea: A linear map is merged well if it answers each expert's inputs as that expert does. For one
layer that is a least-squares problem with a closed solution. It needs the Gram matrices of the
inputs, not the inputs themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Check,
    Expert,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    WithCatalogue,
    WithStatistics,
    hookimpl,
    needs,
)

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.grams import GramRecorder


@dataclass(frozen=True)
class Options:
    """Options of RegMean.

    Attributes:
        sample: pseudo-users (shipped: training sequences) of each domain; 0: all.
        shrink: multiplies the Gram matrices' entries off the diagonal (the paper's alpha).
        ridge: pull towards the experts' mean, as a share of the sum's mean diagonal.
        joint: how a joint projection (queries, keys and values in one matrix) is solved: each
            stretch of rows with the inputs that those rows see (``own``), or all rows with the
            inputs of any of them (``pooled``).
    """

    sample: int = 1024
    shrink: float = 0.9
    ridge: float = 1e-4
    joint: Literal["own", "pooled"] = "own"

    def __post_init__(self) -> None:
        if not 0 <= self.shrink <= 1 or self.ridge < 0:
            raise HandledError("regmean: shrink lies in [0, 1], ridge is not negative")
        if self.joint not in ("own", "pooled"):
            raise HandledError(f"regmean: joint is own or pooled, not {self.joint!r}")


class RegMean(StrategyDefinition):
    """``W = (sum_k W_k G_k) (sum_k G_k)^-1`` for maps x -> W x (eq. 2); other tensors averaged.

    The record says which matrices were solved and which were averaged for want of inputs: those
    that no expert's net applied as a linear map (see `GramRecorder`), position tables among them.
    """

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Closed form, in double precision.

        Raises:
            HandledError: the strategy was not given pseudo-users.
        """
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        given = needs(given, WithCatalogue, "regmean")
        count = len(given.experts)
        merged = weighted_sum([e.weights for e in given.experts], [1 / count] * count)
        solved = self._solved(given, merged)
        given.note("solved", solved)
        given.note("averaged", self._averaged(given, solved))
        return merged

    def _solved(self, given: WithCatalogue, merged: dict[str, Tensor]) -> list[str]:
        """Put the solutions of all maps into the experts' mean; which they are."""
        grams = [self._grams(given, e, k) for k, e in enumerate(given.experts)]
        solved = [n for n in grams[0] if all(n in by_name for by_name in grams)]
        for name in solved:
            self._solve(given, name, [by_name[name] for by_name in grams], merged)
        return solved

    def _solve(
        self, given: WithCatalogue, name: str, grams: list[Tensor], merged: dict[str, Tensor]
    ) -> None:
        """Put a map's least-squares mean, or that of some of its rows, into the merged tensors."""
        import torch

        from recmerge_bench.toolkit.merging.grams import part_of

        parameter, rows = part_of(name)
        own = [self.shrunk(gram) for gram in grams]
        total = torch.stack(own).sum(0)
        weights = [e.weights[parameter][rows].double() for e in given.experts]
        right = torch.stack([w @ g for w, g in zip(weights, own, strict=True)]).sum(0)
        # Directions that no input has are drawn to the mean of the experts, not to zero.
        ridge = self.options.ridge * total.diagonal().mean()
        total.diagonal().add_(ridge)
        right += ridge * merged[parameter][rows].double()
        solution = torch.linalg.solve(total, right, left=False)
        merged[parameter][rows] = solution.to(given.base[parameter].dtype)

    def _averaged(self, given: WithCatalogue, solved: list[str]) -> list[str]:
        """Tensors of two sides and more, or rows of them, that were not solved."""
        from recmerge_bench.toolkit.merging.grams import part_of

        names = []
        for name, tensor in sorted(given.base.items()):
            if tensor.dim() < 2:
                continue
            left = set(range(len(tensor)))
            for parameter, rows in map(part_of, solved):
                if parameter == name:
                    left -= set(range(*rows.indices(len(tensor))))
            if left:
                names.append(name if len(left) == len(tensor) else f"{name} ({len(left)} rows)")
        return names

    def _grams(self, given: WithCatalogue, expert: Expert, number: int) -> dict[str, Tensor]:
        """Mean Gram matrices of one expert's linear maps over its pseudo-users and items."""
        recorder = self._recorded(given, expert.weights, expert.domain, number)
        return recorder.means(self.options.joint == "pooled")

    def _recorded(
        self, given: WithCatalogue, weights: Mapping[str, Tensor], domain: str, number: int
    ) -> GramRecorder:
        """What the linear maps of a model were given of a domain's pseudo-users and items."""
        import torch

        from recmerge_bench.toolkit.merging.grams import GramRecorder

        users = given.users
        net = users.net(weights, [domain])
        maps = {n: p for n, p in net.named_parameters() if n in given.base and p.dim() == 2}
        rows = torch.randperm(users.size(domain), generator=users.generator(number, 13))
        rows = rows[: self.options.sample or None]
        with torch.no_grad(), GramRecorder(maps) as recorder:
            users.encode(net, domain, rows)
            users.items(net, domain)
        return recorder

    def shrunk(self, gram: Tensor) -> Tensor:
        """Entries off the diagonal made smaller."""
        shrunk = gram * self.options.shrink
        shrunk.diagonal().copy_(gram.diagonal())
        return shrunk


class ShippedRegMean(RegMean):
    """The same with Gram matrices that each domain made of its own training sequences."""

    def _grams(self, given: WithCatalogue, expert: Expert, number: int) -> dict[str, Tensor]:
        return dict(needs(given, WithStatistics, "regmean-shipped").grams[expert.domain])


_CHECKS: dict[str, tuple[Check, ...]] = {
    "regmean": (
        Check(
            "Jin et al., eq. 2, off-diagonals times alpha",
            "tests/plugins/test_merging_searched.py::test_regmean_is_its_equation",
            "1e-4 relative: fp32 weights",
        ),
        Check(
            "projections of attention: inputs of all four maps",
            "tests/plugins/test_merging_searched.py::test_grams_of_multihead_attention",
            "1e-3: fp32",
        ),
    ),
    "regmean-plus-plus": (
        Check(
            "tanganke/fusion_bench, method/regmean_plusplus/regmean_plusplus.py, layer by layer",
            "tests/plugins/test_merging_regmean.py::test_regmean_plus_plus_as_in_fusion_bench",
            "1e-4 relative: fp32 weights",
        ),
    ),
    "regmean-shipped": (
        Check(
            "Jin et al., eq. 2, off-diagonals times alpha",
            "tests/plugins/test_merging_searched.py::test_regmean_is_its_equation",
            "1e-4 relative: fp32 weights",
        ),
        Check(
            "Gram matrices of the domains' own training data",
            "tests/plugins/test_merging_searched.py::test_shipped_grams_are_of_the_experts_own_data",
            "fp32 rounding",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``regmean`` and ``regmean-plus-plus`` on pseudo-users, ``regmean-shipped`` on statistics."""
    return [
        StrategySpec(
            "regmean-shipped", f"{__name__}:ShippedRegMean",
            "Least-squares mean of linear maps, Gram matrices computed inside each domain",
            checks=_CHECKS["regmean-shipped"],
            inputs=("base", "experts"), tier="T2", fidelity="paper-equations",
            citation="Jin et al., Dataless knowledge fusion (RegMean), ICLR 2023",
        ),
        StrategySpec(
            "regmean", f"{__name__}:RegMean",
            "Least-squares mean of linear maps on pseudo-users' inputs",
            checks=_CHECKS["regmean"],
            inputs=("base", "experts"), tier="T1", fidelity="paper-equations",
            citation="Jin et al., Dataless knowledge fusion (RegMean), ICLR 2023",
        ),
        StrategySpec(
            "regmean-plus-plus", f"{__name__}.plus_plus:RegMeanPlusPlus",
            "RegMean layer by layer: each layer's inputs come through the merged layers below",
            checks=_CHECKS["regmean-plus-plus"],
            inputs=("base", "experts"), tier="T1", fidelity="code-verified",
            citation="Nguyen et al., RegMean++, 2025 (arXiv 2508.03121)",
        ),
    ]  # fmt: skip
