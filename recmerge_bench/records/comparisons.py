"""Rows beside the baseline that their track declares: from stored ranks, with two claims each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.records.metrics import metric_values
from recmerge_bench.records.rows import ROW, Row, row_of
from recmerge_bench.registry import Registry
from recmerge_bench.statistics.comparison import Settings, compare_family
from recmerge_bench.statistics.scores import Scores, Units

Ranks = Callable[[str], RankTable]


def make_comparisons(
    registry: Registry,
    header: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    ranks: Ranks,
) -> list[dict[str, Any]]:
    """A family for each table and backbone whose track declares a baseline; smoke boards: none.

    Args:
        registry: for the metric.
        header: of the suite.
        results: done or not; those not done are in no family.
        ranks: key of a result -> its table.

    Raises:
        HandledError: a declared baseline is no row of its track.
    """
    found: list[dict[str, Any]] = []
    if header["label"] == "smoke":
        return found
    metric = header["metrics"][0]
    for track in header["order"]:
        about = header["tracks"][track].get("baseline")
        if not about:
            continue
        for protocol in header["tracks"][track]["protocols"]:
            rows = rows_of(results, track, protocol)
            for backbone, baseline in _baselines(rows, about, track):
                family = {r: s for r, s in rows.items() if r[0] in ("", backbone) and r != baseline}
                if rows[baseline] and any(family.values()):
                    found.append(
                        {
                            "track": track,
                            "protocol": protocol,
                            "metric": metric,
                            "baseline": dict(zip(ROW, baseline, strict=True)),
                            "rows": _compared(registry, metric, rows, baseline, family, ranks),
                        }
                    )
    return found


def rows_of(
    results: Sequence[Mapping[str, Any]], track: str, protocol: str
) -> dict[Row, dict[Any, str]]:
    """Row -> seed -> key of its ranks, where it is done."""
    found: dict[Row, dict[Any, str]] = {}
    for result in results:
        identity = result["identity"]
        if (identity["track"], identity["protocol"]) == (track, protocol):
            row = found.setdefault(row_of(identity), {})
            if result["status"] == "done":
                row[identity["seed"]] = result["key"]
    return found


def _baselines(
    rows: Mapping[Row, Any], about: Mapping[str, Any], track: str
) -> Iterator[tuple[str, Row]]:
    """Backbone -> the row that fits what the suite says of its baseline."""
    fitting = [
        row for row in rows if all(about.get(k) in (None, v) for k, v in zip(ROW, row, strict=True))
    ]
    if not fitting:
        raise HandledError(f"track '{track}': no row is its baseline {dict(about)}")
    for backbone in dict.fromkeys(row[0] for row in fitting):
        mine = [row for row in fitting if row[0] == backbone]
        if len(mine) > 1:
            raise HandledError(
                f"track '{track}': its baseline {dict(about)} fits {len(mine)} rows: name its "
                "variant, recipe or profile"
            )
        yield backbone, mine[0]


def _compared(
    registry: Registry,
    metric: str,
    rows: Mapping[Row, Mapping[Any, str]],
    baseline: Row,
    family: Mapping[Row, Mapping[Any, str]],
    ranks: Ranks,
) -> list[dict[str, Any]]:
    done = {row: seeds for row, seeds in family.items() if seeds}
    units = units_of(ranks(next(iter(rows[baseline].values()))))
    scores = {
        "\0".join(row): scores_of(registry, metric, seeds, ranks) for row, seeds in done.items()
    }
    base = scores_of(registry, metric, rows[baseline], ranks)
    compared = compare_family(scores, base, units, Settings())
    return [
        {**dict(zip(ROW, row, strict=True)), **plain_numbers(asdict(compared["\0".join(row)]))}
        for row in done
    ]


def units_of(table: RankTable) -> Units:
    """Instances, domains numbered in the order of their names: the same from any file."""
    order = np.argsort(np.argsort(np.asarray(table.domains, object)))
    return Units(order[table.domain], table.users)


def scores_of(registry: Registry, metric: str, seeds: Mapping[Any, str], ranks: Ranks) -> Scores:
    values = [metric_values(registry, [metric], ranks(key))[metric] for key in seeds.values()]
    names = None if list(seeds) == [None] else tuple(seeds)
    return Scores(np.stack(values), names)


def plain_numbers(value: Any) -> Any:
    """JSON values; numbers to ten significant digits, so that a last bit changes no file."""
    if isinstance(value, Mapping):
        return {k: plain_numbers(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_numbers(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.10g}")
    return int(value) if isinstance(value, np.integer) else value
