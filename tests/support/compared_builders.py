"""A suite with ranks behind it: rows that are better, worse and alike, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boards_builders as made
import numpy as np
from json_boards import derive, make_comparisons

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.registry import Registry
from recmerge_bench.results.metrics import domain_means

USERS = 300


def table(seed: int, shift: float) -> RankTable:
    """Ranks of 300 users in each of two domains; larger `shift` is better."""
    rng = np.random.default_rng(7)
    ease = np.tile(rng.normal(size=USERS), 2)
    noise = np.random.default_rng([seed, 1]).normal(scale=0.3, size=2 * USERS)
    better = np.clip(np.exp(1.5 - ease - noise - shift), 0, 500).astype(np.int32)
    names = ("music", *made.DOMAINS)
    domain = np.repeat([1, 2], USERS).astype(np.int32)
    users = np.tile(np.arange(USERS, dtype=np.int32), 2)
    zeros = np.zeros(2 * USERS, np.int32)
    return RankTable(users, names, domain, users, better, zeros, {})


def _cut(actual: RankTable, users: Mapping[str, int]) -> RankTable:
    """The first users of a domain alone."""
    names = np.asarray(actual.domains, object)[actual.domain]
    pairs = zip(names, actual.users, strict=True)
    kept = np.array([user < users.get(domain, USERS) for domain, user in pairs])
    return RankTable(
        actual.users[kept], actual.domains, actual.domain[kept], actual.targets[kept],
        actual.n_better[kept], actual.n_equal[kept], {},
    )  # fmt: skip


def suite(
    registry: Registry, seeds: tuple[int, ...] = tuple(range(5)), label: str = "converged",
    users: dict[str, int] | None = None, **baseline: str,
) -> tuple[dict[str, Any], dict[str, RankTable]]:  # fmt: skip
    """A baseline, one better, one worse, one near, one alike, one counted without a seed.

    `users` is how many test users of a domain are kept, where not all are.
    """
    shifts = {"base": 0.0, "up": 0.5, "down": -0.5, "same": 0.0, "near": 0.001}
    tables, results = {}, []
    for method, shift in shifts.items():
        for seed in seeds:
            who = made.identity(method, seed)
            tables[made.key_of(who)] = table(seed, shift)
            results.append(made.result(who, 0.0, 0.0))
    who = made.identity("counts", None, backbone="")
    tables[made.key_of(who)] = table(99, -1.0)
    results.append(made.result(who, 0.0, 0.0))
    results.append(made.not_done(made.identity("late", 0), "not run", "stopped"))
    tables = {key: _cut(collected, users or {}) for key, collected in tables.items()}
    header = made.header(label)
    header["tracks"]["merging"]["baseline"] = {"method": "base", **baseline}
    for entry in results:
        if entry["status"] == "done":
            collected = tables[entry["key"]]
            entry["metrics"] = domain_means(registry, made.METRICS, collected, made.DOMAINS)
    records = {"schema": 1, "suite": "fake", "header": header, "results": results}
    compared = make_comparisons(registry, header, results, tables.__getitem__)
    return {**records, **({"comparisons": compared} if compared else {})}, tables


def gated(registry: Registry, models: str, *rows: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The suite with ranks behind it, derived again under a gate."""
    records, tables = suite(registry)
    every = dict.fromkeys(("variant", "recipe", "profile"))
    records["header"]["tracks"]["merging"]["gate"] = {
        "models": {"method": models, **every},
        "rows": [{"method": row, **every} for row in rows],
    }
    records["schema"] = 4
    return derive(records, tables, registry), tables
