"""Whether submitted records are what their ranks give, and whether ranks can be what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.results.groups import Group, by_group
from recmerge_bench.results.metrics import domain_means
from recmerge_bench.results.records import Cost, Costs, Records, Result

KEY = re.compile(r"[0-9a-f]{64}")
#: Stated and derived numbers may differ by this share: they were printed and read again.
SAME = 1e-9
#: A primary metric beyond this many times the board's best is flagged.
TOO_GOOD = 1.5
COLUMNS = ("users", "domain", "targets", "n_better", "n_equal")


def check_all(
    registry: Registry,
    records: Records,
    costs: Costs,
    ranks: Mapping[str, RankTable],
    groups: Mapping[str, Sequence[Group]],
    path: Path,
) -> None:
    """Check the records of a submission by themselves.

    Raises:
        DataError: the first thing that is wrong, with its row.
        HandledError: a metric is not registered here.
    """
    results = records.results
    _keys(results, costs.results, ranks, path)
    for number, result in enumerate(results):
        where = f"results.{number} ({result.identity.method})"
        unknown = sorted(result.model_extra or ())
        if unknown:
            raise DataError(f"{where}: this schema knows no {', '.join(unknown)}", path)
        table = ranks[result.key]
        _ranks(records, result, table, where, path)
        _metrics(registry, records.header.metrics, result, table, groups, where, path)
    for number, entry in enumerate(costs.results):
        spent = [*entry.seconds.values(), entry.peak_memory, entry.parameters or 0,
                 entry.joules or 0]  # fmt: skip
        unknown = sorted(entry.model_extra or ())
        if min(spent) < 0 or unknown:
            raise DataError(f"results.{number}: a cost is below 0 or unknown {unknown}", path)


def _keys(
    results: Sequence[Result], costs: Sequence[Cost], ranks: Mapping[str, RankTable], path: Path
) -> None:
    keys = {r.key for r in results}
    if not results or not all(r.done for r in results):
        raise DataError("a submission holds results that are done, one at least", path)
    if not all(KEY.fullmatch(k) for k in keys):
        raise DataError("a key is not 64 hexadecimal digits", path)
    if keys != set(ranks) or keys != {c.key for c in costs}:
        raise DataError("results, ranks and costs are not of the same keys", path)
    if len({r.identity for r in results}) != len(results):
        raise DataError("two results have one identity", path)


def _ranks(records: Records, result: Result, table: RankTable, where: str, path: Path) -> None:
    def wrong(what: str) -> DataError:
        return DataError(f"{where}: {what}", path)

    _check_counts(result, table, wrong)
    audit = records.header.audits.get(result.split)
    spans = audit.items if audit else {}
    for number, domain in enumerate(table.domains):
        own = table.domain == number
        if not own.any():
            continue
        others = _others(records, result, spans.get(domain))
        if others is not None:
            placed = table.n_better[own].astype(np.int64) + table.n_equal[own]
            if placed.max() > others:
                raise wrong(f"{domain}: {placed.max()} items beside a target, {others} were ranked")
        if domain in spans:
            first, end = spans[domain]
            if table.targets[own].min() < first or table.targets[own].max() >= end:
                raise wrong(f"{domain}: a target is no item of it ({first} to {end - 1})")


def _check_counts(result: Result, table: RankTable, wrong: Callable[[str], DataError]) -> None:
    """Ranks are whole numbers, as many as the record says, one for each target."""
    columns = [getattr(table, name) for name in COLUMNS]
    if any(c.dtype != np.int32 for c in columns) or any((c < 0).any() for c in columns):
        raise wrong("its ranks are no whole numbers from 0 up")
    counts = np.bincount(table.domain, minlength=len(table.domains))
    counted = {d: int(n) for d, n in zip(table.domains, counts, strict=True) if n}
    if counted != result.instances or not set(counted) <= set(result.domains):
        raise wrong(f"it has ranks of {counted}, its record says {result.instances}")
    if len(set(zip(table.users.tolist(), table.domain.tolist(), table.targets.tolist(),
                   strict=True))) != len(table.users):  # fmt: skip
        raise wrong("a test target is ranked twice")


def _others(records: Records, result: Result, span: Sequence[int] | None) -> int | None:
    """How many items a target was ranked among, at most; None where that is not known."""
    card = records.header.protocols.get(result.identity.protocol)
    if result.candidates != "full" and card is not None and card.negatives is not None:
        return card.negatives
    return None if span is None else span[1] - span[0] - 1


def _metrics(
    registry: Registry, names: list[str], result: Result, table: RankTable,
    groups: Mapping[str, Sequence[Group]], where: str, path: Path,
) -> None:  # fmt: skip
    derived = domain_means(registry, names, table, result.domains)
    pairs = [("metrics", result.metrics, derived)]
    of_split = groups.get(result.split)
    if of_split is not None:
        pairs.append(("groups", result.groups, by_group(registry, names[0], table, of_split)))
    elif result.groups:
        raise DataError(f"{where}: it has metrics by group, and the groups are not there", path)
    for part, stated, wanted in pairs:
        if not same_numbers(stated, wanted):
            raise DataError(f"{where}: its {part} are not those that its ranks give", path)


def same_numbers(stated: Any, derived: Any) -> bool:
    """Whether two nests of numbers have the same names and the same values."""
    if isinstance(stated, Mapping) and isinstance(derived, Mapping):
        return set(stated) == set(derived) and all(
            same_numbers(stated[k], derived[k]) for k in stated
        )
    if isinstance(stated, Mapping) or isinstance(derived, Mapping):
        return False
    return bool(abs(stated - derived) <= SAME * max(abs(stated), abs(derived)))


def flags_of(result: Result, table: RankTable, metric: str, best: float | None) -> list[str]:
    """What is possible and hard to believe; nothing where all is well.

    Args:
        result: a result whose metrics are of the board.
        table: its ranks.
        metric: the board's primary one.
        best: the board's best mean of it in this table.
    """
    flags = []
    for number, domain in enumerate(table.domains):
        own = table.domain == number
        if own.sum() >= 10 and not (table.n_better[own] + table.n_equal[own]).any():
            flags.append(f"every target of {domain} is ranked first")
        elif own.sum() >= 10 and len(np.unique(table.n_better[own])) == 1:
            flags.append(f"every target of {domain} has one rank")
    value = result.metrics[MEAN][metric]
    if best and value > TOO_GOOD * best:
        flags.append(f"{metric} is {value / best:.1f} times the best of the board")
    return flags
