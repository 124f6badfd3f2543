"""How often the tests are wrong and how often they find what is there; minutes on one core.

    OMP_NUM_THREADS=1 python benchmarks/statistics/simulate.py [sizes] [ratios] [families] [power]

Writes records/simulation.json (the parts named, or all) and power.svg. README.md is made of the
record (benchmarks/tools/documents.py). Every draw comes from a seed that is written below.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import chart
import numpy as np
from worlds import World

from recmerge_bench.statistics import claims
from recmerge_bench.statistics.components import Components, Parts, take_apart
from recmerge_bench.statistics.distributions import t_tail
from recmerge_bench.statistics.families import holm
from recmerge_bench.statistics.resampling import sign_flip, two_level_bootstrap
from recmerge_bench.statistics.scores import Units
from recmerge_bench.statistics.verdicts import MARGIN, judge

HERE = Path(__file__).resolve().parent
#: The p-values of each test.
ESTIMATORS: dict[str, Callable[[Components], Any]] = {
    "trained models": lambda components: claims.trained_models(components).p,
    "seeds alone": lambda components: claims.seeds_alone(components).p,
    "Satterthwaite": lambda components: claims.satterthwaite(components).p,
    "methods": claims.methods_p,
}
SHIFTS = {"none": 0.0, "some": 0.066, "strong": 0.2}
BATCH = 20
#: (seeds, users, worlds of each kind, of them with both bootstraps)
SIZES = [(2, 2000, 8000, 1500), (5, 2000, 8000, 1500), (10, 2000, 8000, 1500), (5, 20_000, 6000, 0)]
RATIOS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
CURVES = [(5, 2000, 800), (10, 2000, 800), (5, 20_000, 300), (10, 20_000, 300)]
LIFTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)


def batches(world: World, count: int, *names: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`count` worlds in batches, from a seed of the world's own."""
    rng = np.random.default_rng([2026, world.seeds, world.users, *names])
    for start in range(0, count, BATCH):
        yield world.draw(rng, min(BATCH, count - start))


def size(world: World, count: int, resampled: int, kind: int) -> dict[str, Any]:
    """Share of worlds without a difference in which each test finds one, at 5 % and 1 %."""
    units, wrong, parts_of = Units.of_users(world.users), {}, []
    for n, (first, second) in enumerate(batches(world, count, kind)):
        parts = take_apart(first - second, units)
        p_values = {name: test(parts.components) for name, test in ESTIMATORS.items()}
        p_values["sign-flip"] = sign_flip((first - second).mean(axis=1), 1000, n)
        for name, p in p_values.items():
            wrong.setdefault(name, []).append(p)
        parts_of.append(parts.components)
        if n * BATCH < resampled:
            for name, widened in (("bootstrap", False), ("widened bootstrap", True)):
                ends = two_level_bootstrap(_single(parts), 1000, 0.95, n, widened)
                wrong.setdefault(name, []).append((ends[:, 0] > 0) | (ends[:, 1] < 0))
    seeds, users, rest = (
        float(np.mean([getattr(c, part).mean() for c in parts_of]))
        for part in ("seed_variance", "users", "residual")
    )
    joined = {name: np.concatenate(p) for name, p in wrong.items()}
    return {
        "seeds": world.seeds,
        "users": world.users,
        "worlds": count,
        "seed_effect_of_users_error": (seeds - rest) / users,
        "type_one": {n: float((p if p.dtype == bool else p <= 0.05).mean())
                     for n, p in joined.items()},
        "type_one_at_1_percent": {n: float((p <= 0.01).mean())
                                  for n, p in joined.items() if p.dtype != bool},
    }  # fmt: skip


def _single(parts: Parts) -> list[Parts]:
    pairs = zip(parts.by_seed, parts.by_user, strict=True)
    return [Parts(seed, user, parts.components) for seed, user in pairs]


def ratio(seeds: int, of: float, count: int = 100_000) -> dict[str, Any]:
    """Sizes where the seeds' variance is `of` times that of the users: normal theory, many users.

    Then the mean is normal and the seeds' estimated variance a chi square; nothing else is drawn.
    """
    rng = np.random.default_rng([2026, seeds, int(of * 10)])
    components, sizes, levels = _theory(rng, seeds, of, (count,)), {}, (0.05, 0.01, 0.001)
    for name, test in THEORY.items():
        p = test(components)
        sizes[name] = [float((p <= level).mean()) for level in levels]
    return {"seeds": seeds, "ratio": of, "worlds": count, "levels": levels, "sizes": sizes}


def switched(components: Components) -> Any:
    """A test made to hold 5 % with two seeds: t, or normal where the seeds differ little.

    The degrees of freedom fall from very many to S - 1 where the seeds' estimated variance passes
    a fifth of the users'. It is here to show what holding one level costs at the others.
    """
    df = (components.n_seeds - 1) * (
        1 + (0.2 * components.user_effect / components.seed_variance) ** 6
    )
    return 2 * t_tail(
        np.abs(components.difference) / np.sqrt(components.variance), np.minimum(df, 1e8)
    )


THEORY = {
    "Satterthwaite": ESTIMATORS["Satterthwaite"],
    "methods": ESTIMATORS["methods"],
    "switched": switched,
}


def _theory(rng: np.random.Generator, seeds: int, of: float, shape: tuple[int, ...]) -> Components:
    spread = of * rng.chisquare(seeds - 1, shape) / (seeds - 1)
    mean = rng.standard_normal(shape) * np.sqrt(1 + of)
    return Components(mean, spread, np.ones(shape), np.zeros(shape), seeds, np.full(shape, 1e5))


def family(seeds: int, of: float, members: int = 15, count: int = 20_000) -> dict[str, Any]:
    """Share of families without any difference in which Holm leaves one."""
    rng = np.random.default_rng([2026, seeds, members])
    components = _theory(rng, seeds, of, (count, members))
    wrong = {
        name: float(np.mean([holm(p).min() <= 0.05 for p in ESTIMATORS[name](components)]))
        for name in ("Satterthwaite", "methods")
    }
    return {"seeds": seeds, "ratio": of, "members": members, "families": count, "wrong": wrong}


def power(seeds: int, users: int, count: int) -> dict[str, Any]:
    """Share of each verdict by true lift; training runs shift a method as in the kind "some"."""
    units, points = Units.of_users(users), []
    for number, lift in enumerate(LIFTS):
        world = World(seeds, users, SHIFTS["some"] * np.sqrt(users / 2000), lift)
        verdicts: list[str] = []
        for first, second in batches(world, count, 100 + number):
            margins = MARGIN * second.mean(axis=(1, 2))
            parts = take_apart(first - second, units).components
            for n, margin in enumerate(margins):
                [one] = judge([claims.of_methods(single(parts, n))], [margin], [""])
                verdicts.append(one.verdict)
        shares = {v: verdicts.count(v) / count for v in sorted(set(verdicts))}
        points.append({"lift": relative(lift), "verdicts": shares})
    return {"seeds": seeds, "users": users, "worlds": count, "points": points}


def single(components: Components, number: int) -> Components:
    """The components of one of several worlds."""
    parts = (components.difference, components.seed_variance, components.users, components.residual)
    return Components(*(p[number] for p in parts), components.n_seeds, components.users_df[number])


@cache
def relative(lift: float) -> float:
    """What a lift of the latent score is as a share of NDCG@10, on four million users."""
    if not lift:
        return 0.0
    world = World(1, 1_000_000, 0.0, lift)
    means = [[v.mean() for v in world.draw(np.random.default_rng([2026, n]), 1)] for n in range(4)]
    shifted, theirs = np.mean(means, axis=0)
    return float(shifted / theirs - 1)


def sizes() -> list[dict[str, Any]]:
    """All kinds and sizes of worlds without a difference."""
    rows = []
    for number, (kind, shift) in enumerate(SHIFTS.items()):
        for seeds, users, count, resampled in SIZES:
            row = size(World(seeds, users, shift), count, resampled, number)
            rows.append({"kind": kind, "bootstraps": resampled, **row})
            print(kind, seeds, users, row["type_one"], flush=True)
    return rows


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "sizes": sizes,
    "ratios": lambda: [ratio(s, r) for s in (2, 3, 4, 5, 10) for r in RATIOS],
    "families": lambda: [family(s, 5.0) for s in (5, 10)],
    "power": lambda: [power(*curve) for curve in CURVES],
}


def main() -> None:
    """Simulate the parts asked for and write what was found."""
    path = HERE / "records" / "simulation.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in sys.argv[1:] or PARTS:
        record[name] = PARTS[name]()
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
    if "power" in record:
        (HERE / "power.svg").write_text(chart.power(record["power"]), encoding="utf-8")


if __name__ == "__main__":
    main()
