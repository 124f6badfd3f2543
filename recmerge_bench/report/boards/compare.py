"""What changed between two records of a suite."""

from __future__ import annotations

from recmerge_bench.identity import FIELDS, Identity
from recmerge_bench.results.records import Records, Result

FACTS = ("candidates", "mask_history", "shuffle_seed", "data", "instances")


def compare(
    before: Records,
    after: Records,
    tolerance: float = 0.0,
    relative: float = 0.0,
) -> list[str]:
    """Differences, a line each: rows that came, went or failed, metrics that moved too far.

    Args:
        before: committed records.
        after: fresh ones.
        tolerance: absolute difference of a metric that always passes; of a value above 1, which
            metrics of lists may have, the share of it that does.
        relative: difference that passes as a share of the committed value; the larger of the
            two allowances counts.
    """
    old, new = _by_identity(before), _by_identity(after)
    lines = [f"{_named(old[row])}: is gone" for row in old if row not in new]
    lines += [f"{_named(new[row])}: is new" for row in new if row not in old]
    for row, then in old.items():
        if row in new:
            lines += _differences(_named(then), then, new[row], tolerance, relative)
    return lines


def _by_identity(records: Records) -> dict[Identity, Result]:
    return {r.identity: r for r in records.results}


def _named(result: Result) -> str:
    parts = ((name, getattr(result.identity, name)) for name in sorted(FIELDS))
    return " ".join(f"{k}={v}" for k, v in parts if v not in ("", None))


def _differences(
    name: str, old: Result, new: Result, tolerance: float, relative: float
) -> list[str]:
    if old.status != new.status:
        return [f"{name}: was {old.status}, is {new.status} {new.reason}".rstrip()]
    lines = [
        f"{name}: {fact} differ: {_fact(old, fact)} and {_fact(new, fact)}: not comparable"
        for fact in FACTS
        if _fact(old, fact) != _fact(new, fact)
    ]
    then, now = _numbers(old), _numbers(new)
    for place in dict.fromkeys([*then, *now]):
        was, value = then.get(place), now.get(place)
        if was is None or value is None:
            passes = False
        else:
            # Values of lists may be in bits: the tolerance is that of a value of 1.
            allowed = max(tolerance * max(1.0, abs(was)), relative * abs(was))
            passes = abs(value - was) <= allowed
        if not passes:
            lines.append(f"{name}: {place} was {_shown(was)}, is {_shown(value)}")
    return lines


def _fact(result: Result, name: str) -> object:
    """What a result is of; None where its record does not say it."""
    return getattr(result, name) if name in result.model_fields_set else None


def _numbers(result: Result) -> dict[str, float]:
    return {
        f"{domain} {metric}": value
        for means in (result.metrics, result.list_metrics)
        for domain, values in means.items()
        for metric, value in values.items()
    }


def _shown(value: float | None) -> str:
    return "missing" if value is None else f"{value:.6f}"
