"""The cells that merge trained models, and those that measure how a learned merge came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan, Result
from recmerge_bench.planning.maker import CellMaker, module
from recmerge_bench.planning.methods import StrategyUse
from recmerge_bench.planning.served import RowAt
from recmerge_bench.planning.trainings import Trainings


class MergeCells:
    """Adds the merges of one track to the plan."""

    def __init__(self, plan: Plan, maker: CellMaker, trainings: Trainings) -> None:
        self.plan, self.maker, self.trainings = plan, maker, trainings
        self.experts = trainings.experts

    def merge(
        self, method: StrategyUse, at: RowAt, models: Mapping[str, str], identity: dict[str, Any],
        experts: Sequence[str] | None = None, target: str = "",
    ) -> str:  # fmt: skip
        """The merge cell of a row, and where the row asks for it the cell of its curve.

        Args:
            method: the strategy.
            at: the row.
            models: role -> key of a trained model's cell.
            identity: of the row.
            experts: as the roles call them; the track's where there are none.
            target: the domain that the merge is for, where a row has one for each.

        Raises:
            HandledError: a curve is asked for, and the strategy learns nothing.
        """
        spec, model, tier, split = method.spec, method.model, method.spec.data_tier, at.split
        config: dict[str, object] = {
            "model": model.described,
            "strategy": method.options,
            "tier": spec.tier,
            "domains": list(self.experts if experts is None else experts),
        }
        modules = (module(spec), *model.modules)
        inputs = {k: v for k, v in models.items() if not k.startswith("model")}
        if tier.runs_models:
            inputs |= {"data": split.data, **self.trainings.text(model, split)}
        if tier.reads_users:
            inputs["split"] = split.key
        reason = None
        if "labels" in tier.reads:
            choice = self.trainings.merge_choice(model, split)
            config, modules = {**config, **choice.config}, (*modules, *choice.modules)
            inputs, reason = {**inputs, **choice.inputs}, choice.reason
        label = at.label("merge", target)
        merged = self.maker.cell("merge", label, config, config, inputs, modules, at.seed, reason)
        if at.row.curve and split.shuffle_seed is None:
            inputs |= {"data": split.data, **self.trainings.text(model, split)}
            inputs |= {"split": split.key, "merge": merged}
            self._curve(method, at, inputs, modules, identity)
        return merged

    def _curve(
        self, method: StrategyUse, at: RowAt, inputs: Mapping[str, str],
        modules: tuple[str, ...], identity: dict[str, Any],
    ) -> None:  # fmt: skip
        """How a learned merge came about, measured after it."""
        model = method.model
        if method.options.get("steps") is None:
            raise HandledError(
                f"{self.maker.where}: '{at.row.method}' learns no weights: no curve of it"
            )
        temperature = model.options.number("temperature", 1.0) if model.options else 1.0
        config: dict[str, object] = {
            "model": model.described,
            "strategy": method.options,
            "domains": list(self.experts),
            "sample": at.row.curve,
            "temperature": float(temperature),
        }
        label = at.label("curve")
        key = self.maker.cell("curve", label, config, config, inputs, modules, at.seed)
        self.plan.curves.append(Result(key, identity, self.experts))
