"""A merge whose weights were learned -> how its predictions changed along the steps.

Test targets are read here, after the merge and apart from it: nothing flows back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import HandledError
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import base_and_experts
from recmerge_bench.tiers import MergeInput

if TYPE_CHECKING:
    from torch import Tensor, nn

    from recmerge_bench.definitions import Backbone

CURVE = "curve.json"


def run(context: Context) -> dict[str, Any]:
    """Cross entropy, entropy and NDCG@10 on some test targets of each domain, step by step."""
    from recmerge_bench.merging.course import models_along
    from recmerge_bench.merging.pseudo_users import PseudoUsers

    definition, strategy = context.definition("model"), context.definition("strategy")
    notes = json.loads((context.inputs["merge"] / "record.json").read_text())["report"]["notes"]
    if "trace" not in notes:
        raise HandledError("a curve needs a strategy that learns weights and records their course")
    base, experts, kept = base_and_experts(context, context.device)
    catalogue = context.interactions().catalogue
    net = PseudoUsers(definition, catalogue, kept, context.seed, context.device).net(base)
    given = MergeInput(base, experts, context.seed)
    sample = _Sample(context, catalogue)
    points = []
    options = strategy.options
    course = models_along(given, options, notes["trace"], notes["weights"], options.steps, net)
    for step, model in course:
        points.append({"step": step, "domains": sample.measure(definition, model)})
        context.progress({"step": step, "steps": options.steps})
    curve = {**{k: notes[k] for k in ("domains", "groups", "trace", "weights")}, "points": points}
    _write(context.out / CURVE, {**curve, "steps": options.steps})
    return {"points": len(points), "targets": sample.sizes()}


class _Sample:
    """Evenly spread test targets of each domain that was merged."""

    def __init__(self, context: Context, catalogue: Catalogue) -> None:
        self.split, self.catalogue, self.device = context.split(), catalogue, context.device
        self.domains = tuple(context.config["domains"])
        self.temperature = float(context.config["temperature"])
        rows = [self._rows(domain, int(context.config["sample"])) for domain in self.domains]
        self.instances = self.split.test.take(np.concatenate(rows))

    def _rows(self, domain: str, limit: int) -> np.ndarray:
        rows = np.flatnonzero(self.split.test.domains == self.catalogue.domains.index(domain))
        if len(rows) > limit:
            rows = rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
        return rows

    def _of(self, domain: str) -> np.ndarray:
        return self.instances.domains == self.catalogue.domains.index(domain)

    def sizes(self) -> dict[str, int]:
        """Targets by domain."""
        return {d: int(self._of(d).sum()) for d in self.domains}

    def measure(self, definition: Backbone, net: nn.Module) -> dict[str, dict[str, float]]:
        """Means by domain."""
        from torch import device

        from recmerge_bench.evaluation.loaded import LoadedModel
        from recmerge_bench.evaluation.metrics import ndcg, rank
        from recmerge_bench.evaluation.split_ranks import rank_split
        from recmerge_bench.merging.course import likelihoods

        cross, entropy = np.zeros((2, len(self.instances)))

        def watch(rows: np.ndarray, domain: str, scores: Tensor) -> None:
            targets = self.instances.targets[rows] - self.catalogue.span(domain).start
            cross[rows], entropy[rows] = likelihoods(scores, targets, self.temperature)

        model = LoadedModel(definition, net, self.domains, device=device(self.device))
        table = rank_split(
            [model], self.split, self.catalogue, instances=self.instances, watch=watch
        )
        gains = ndcg(rank(table.n_better, table.n_equal), 10)
        values = {"cross_entropy": cross, "entropy": entropy, "NDCG@10": gains}
        return {
            d: {name: float(of[self._of(d)].mean()) for name, of in values.items()}
            for d in self.domains
        }


def _write(path: Path, curve: dict[str, Any]) -> None:
    path.write_text(json.dumps(curve, sort_keys=True) + "\n", encoding="utf-8")
