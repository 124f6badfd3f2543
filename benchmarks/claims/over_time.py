"""What merging over time costs, and whether learned weights see that later phases count for more.

    python benchmarks/claims/over_time.py

Both are made of the committed board merging-over-time, whose verdicts claims.py asks for. The
share of a row's cost is its trainings' steps (and seconds of training and merging) divided by
those of retraining, seed by seed. A learned merge leans to late phases by the mean place of its
weights, from -1 (all on the earliest) over 0 (all alike) to 1 (all on the latest), mean over the
merges of a seed. Both stand with 95 % intervals of Student's t over the seeds. The record is
records/merging-over-time-facts.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from scipy.stats import t as student

import recmerge_bench as rmb
from recmerge_bench.results.files import load_costs
from recmerge_bench.results.records import Result

HERE = Path(__file__).resolve().parent
SUITE = "merging-over-time"
BOARD = HERE.parents[1] / "leaderboards" / "records" / f"{SUITE}.json"
RECORD = HERE / "records" / f"{SUITE}-facts.json"
TRACK, PROTOCOL, RETRAINED = "from-first", "phases-8-masked", "joint"
#: Kinds of cells whose seconds are a row's cost.
COSTS = ("train:", "merge:")


def interval(values: Sequence[float]) -> dict[str, float | int | None]:
    """Mean and its 95 % interval; no interval of fewer than two values."""
    made = {"mean": mean(values), "lower": None, "upper": None, "seeds": len(values)}
    if len(values) > 1:
        half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
        made |= {"lower": made["mean"] - half, "upper": made["mean"] + half}
    return {k: float(f"{v:.10g}") if isinstance(v, float) else v for k, v in made.items()}


def leaning(weights: dict[str, float]) -> float:
    """Mean place of a merge's weights over its phases, from -1, the earliest, to 1, the latest.

    Weights below 0 pull to the other side; all are divided by the sum of their sizes.
    """
    values = np.array(list(weights.values()))
    places = np.linspace(-1.0, 1.0, len(values))
    return float((values * places).sum() / np.abs(values).sum())


def name_of(result: Result) -> str:
    """As the page prints it."""
    one = result.identity
    return one.method + (f" ({one.variant})" if one.variant else "")


def rows(results: Sequence[Result]) -> dict[str, dict[int, Result]]:
    """Row -> seed -> result, of the track's trained rows."""
    made: dict[str, dict[int, Result]] = {}
    for result in results:
        one = result.identity
        if result.done and one.place == (TRACK, PROTOCOL) and one.seed is not None:
            made.setdefault(name_of(result), {})[one.seed] = result
    return made


def shares(records: Any, costs: Any) -> Iterator[dict[str, Any]]:
    """Each row's cost beside that of retraining, by seed."""
    seconds = {
        cost.key: sum(s for cell, s in cost.seconds.items() if cell.startswith(COSTS))
        for cost in costs.results
    }
    steps = {key: training.steps for key, training in records.trainings.items()}
    by_row = rows(records.results)
    whole = by_row.get(RETRAINED, {})
    for name, seeds in by_row.items():
        common = [seed for seed in seeds if seed in whole]
        if name == RETRAINED or not common:
            continue
        pairs = [(seeds[seed], whole[seed]) for seed in common]
        yield {
            "row": name,
            "steps": interval([_steps(a, steps) / _steps(b, steps) for a, b in pairs]),
            "seconds": interval([seconds[a.key] / seconds[b.key] for a, b in pairs]),
        }


def _steps(result: Result, steps: dict[str, int]) -> int:
    """Of all trainings behind a row, but for the one step at rate 0 that makes initial values."""
    return sum(steps[key] for key in result.trained if steps[key] > 1)


def learned(records: Any) -> Iterator[dict[str, Any]]:
    """How far the weights of each row that learns any lean to late phases."""
    for name, seeds in rows(records.results).items():
        merged = [r.merge.weights for r in seeds.values() if r.merge and r.merge.weights]
        if merged:
            yield {"row": name, "leaning": interval([mean(map(leaning, m)) for m in merged])}


def facts() -> dict[str, Any]:
    """Both, of the committed board."""
    records = rmb.load_results(BOARD).records
    costs = load_costs(BOARD.with_name(f"{SUITE}.cost.json"))
    return {"shares": list(shares(records, costs)), "weights": list(learned(records))}


def main() -> None:
    """Write the record."""
    text = json.dumps(facts(), indent=1, sort_keys=True) + "\n"
    RECORD.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
