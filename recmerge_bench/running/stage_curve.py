"""A merge whose weights were learned -> how its predictions changed along the steps.

Test targets are read here, after the merge and apart from it: nothing flows back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import base_and_experts

CURVE = "curve.json"


def run(context: Context) -> dict[str, Any]:
    """Cross entropy, entropy and NDCG@10 on some test targets of each domain, step by step."""
    from recmerge_bench.merging.course import models_along
    from recmerge_bench.toolkit.merging.pseudo_users import PseudoUsers
    from recmerge_bench.toolkit.merging.tiers import given_for

    definition, strategy = context.definition("model"), context.definition("strategy")
    notes = json.loads((context.inputs["merge"] / "record.json").read_text())["report"]["notes"]
    if "trace" not in notes:
        raise HandledError("a curve needs a strategy that learns weights and records their course")
    base, experts, kept = base_and_experts(context, context.device)
    catalogue = context.interactions().catalogue
    net = PseudoUsers(definition, catalogue, kept, context.seed, context.device).net(base)
    given = given_for("T0", base, experts, context.seed)
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

    def __init__(self, context: Context, catalogue: Any) -> None:
        self.split, self.catalogue, self.device = context.split(), catalogue, context.device
        self.temperature = float(context.config["temperature"])
        limit = int(context.config["sample"])
        self.rows = {}
        for domain in context.config["domains"]:
            rows = np.flatnonzero(self.split.test.domains == catalogue.domains.index(domain))
            if len(rows) > limit:
                rows = rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
            self.rows[domain] = rows

    def sizes(self) -> dict[str, int]:
        """Targets by domain."""
        return {d: len(rows) for d, rows in self.rows.items()}

    def measure(self, definition: Any, net: Any) -> dict[str, dict[str, float]]:
        """Means by domain."""
        import torch

        from recmerge_bench.evaluation.metrics import ndcg
        from recmerge_bench.evaluation.scorers import history_batches
        from recmerge_bench.merging.course import likelihoods

        found = {}
        with torch.inference_mode():
            for domain, rows in self.rows.items():
                start, items = self.catalogue.span(domain).start, definition.items(net, domain)
                parts = []
                batches = history_batches(
                    self.split, self.split.test, rows, definition.encoded_history(), 1 << 13
                )
                for part, histories, lengths in batches:
                    users = definition.encode(
                        net,
                        torch.from_numpy(histories).to(self.device),
                        torch.from_numpy(lengths).to(self.device),
                        domain,
                    )
                    own = torch.from_numpy(self.split.test.targets[part].astype(np.int64) - start)
                    parts.append(likelihoods(users, items, own.to(users.device), self.temperature))
                cross, entropy, ranks = (torch.cat(p).cpu() for p in zip(*parts, strict=True))
                found[domain] = {
                    "cross_entropy": float(cross.mean()),
                    "entropy": float(entropy.mean()),
                    "NDCG@10": float(ndcg(ranks.numpy().astype(np.float64), 10).mean()),
                }
        return found


def _write(path: Path, curve: dict[str, Any]) -> None:
    path.write_text(json.dumps(curve, sort_keys=True) + "\n", encoding="utf-8")
