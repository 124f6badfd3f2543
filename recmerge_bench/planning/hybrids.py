"""Rows of one merge for each domain: its expert, and models of it and one other domain each."""

from __future__ import annotations

from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.merge_cells import MergeCells
from recmerge_bench.planning.methods import StrategyUse
from recmerge_bench.planning.served import RowAt, Served
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Model, Trainings
from recmerge_bench.specs import StrategySpec
from recmerge_bench.toolkit.merging.hybrids import hybrid_name, name_of_two


def hybrid_training(model: Model, row: Row) -> dict[str, object]:
    """What is given of the training of a row's hybrids."""
    return {**model.training, **row.training}


def own_training(model: Model, row: Row, track: Track, domain: str) -> dict[str, object]:
    """What is given of the training of the domain's own expert in such a row."""
    return {**hybrid_training(model, row), **track.domain_training.get(domain, {})}


class Hybrids:
    """Adds the trainings and merges of such rows to the plan.

    Args:
        trainings: of the track.
        merges: of the track.
    """

    def __init__(self, trainings: Trainings, merges: MergeCells) -> None:
        self.trainings, self.merges = trainings, merges
        self.track, self.where = trainings.track, trainings.where

    def served(self, method: StrategyUse, at: RowAt, identity: dict[str, Any]) -> Served:
        """The merged model of each scored domain.

        Raises:
            HandledError: the track is data-isolated, a domain has no expert or shares its users in
                part, there is no second expert, or two models would have one name; the row asks
                for a curve.
        """
        self._check(method.spec, at.row)
        models = {}
        for domain in self.track.domains:
            own = self._models(method.model, at, domain)
            experts = [role.partition(":")[2] for role in own if role != "base"]
            merged = self.merges.merge(method, at, own, identity, experts, domain)
            models[f"model:{domain}"] = merged
        return Served(method.model, models)

    def _check(self, spec: StrategySpec, row: Row) -> None:
        track, experts = self.track, self.trainings.experts
        if track.isolated:
            raise self._wrong(
                f"is data-isolated: '{spec.name}' merges models that are trained on data of two "
                "domains together; give it a track of its own"
            )
        if without := [d for d in track.domains if d not in experts]:
            raise self._wrong(
                f"scores '{without[0]}', which has no expert: '{spec.name}' merges each scored "
                "domain's own with models of it and one other"
            )
        if len(experts) < 2:
            raise self._wrong(f"has one expert: '{spec.name}' needs a second domain")
        if name := name_of_two(experts):
            raise self._wrong(
                f"has domains whose names, joined by '+', are alike ('{name}'): '{spec.name}' "
                "would take one model for another; give a domain another name"
            )
        if row.curve:
            raise self._wrong(f"`curve:` of '{spec.name}': there is one merge for each domain, "
                              "and no curve of several")  # fmt: skip
        for domain in experts:
            if track.domain_training.get(domain, {}).get("users", 1) != 1:
                raise self._wrong(
                    f"trains '{domain}' on a part of its users: '{spec.name}' trains models of two "
                    "domains on all of theirs; give it a track without `users:`"
                )

    def _wrong(self, what: str) -> HandledError:
        return HandledError(f"{self.where}: {what}" if what[0] == "`" else f"{self.where} {what}")

    def _models(self, model: Model, at: RowAt, domain: str) -> dict[str, str]:
        """Role -> key of what is merged for a domain.

        The stage writes what domains keep in this order, so that the domain's own expert, which
        is last, has the last word on the domain's tables.
        """
        trainings, split = self.trainings, at.split
        base = trainings.base(model, split, at.seed)
        roles = {"base": base}
        for other in trainings.experts:
            if other != domain:
                both = tuple(d for d in trainings.experts if d in (domain, other))
                roles[f"expert:{hybrid_name(both)}"] = self._hybrid(model, at, split, both, base)
        training = own_training(model, at.row, self.track, domain)
        own = trainings.cell(model, split, (domain,), at.seed, "fine-tune", training, base)
        return {**roles, f"expert:{domain}": own}

    def _hybrid(
        self, model: Model, at: RowAt, split: PlannedSplit, domains: tuple[str, ...], base: str
    ) -> str:
        training = hybrid_training(model, at.row)
        return self.trainings.cell(model, split, domains, at.seed, "hybrid", training, base)


__all__ = ["Hybrids", "hybrid_training", "own_training"]
