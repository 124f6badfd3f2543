"""What changed between two records of a suite."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

FACTS = ("candidates", "mask_history", "data", "instances")


def compare(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    tolerance: float = 0.0,
    relative: float = 0.0,
) -> list[str]:
    """Differences, a line each: rows that came, went or failed, metrics that moved too far.

    Args:
        before: committed records.
        after: fresh ones.
        tolerance: absolute difference of a metric that always passes.
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


def _by_identity(records: Mapping[str, Any]) -> dict[Hashable, Mapping[str, Any]]:
    return {tuple(sorted(r["identity"].items())): r for r in records["results"]}


def _named(result: Mapping[str, Any]) -> str:
    parts = sorted(result["identity"].items())
    return " ".join(f"{k}={v}" for k, v in parts if v not in ("", None))


def _differences(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float, relative: float
) -> list[str]:
    if old["status"] != new["status"]:
        return [f"{name}: was {old['status']}, is {new['status']} {new.get('reason', '')}".rstrip()]
    lines = [
        f"{name}: {fact} differ: {old.get(fact)} and {new.get(fact)}: not comparable"
        for fact in FACTS
        if old.get(fact) != new.get(fact)
    ]
    then, now = _numbers(old), _numbers(new)
    for place in dict.fromkeys([*then, *now]):
        was, value = then.get(place), now.get(place)
        if was is None or value is None:
            passes = False
        else:
            passes = abs(value - was) <= max(tolerance, relative * abs(was))
        if not passes:
            lines.append(f"{name}: {place} was {_shown(was)}, is {_shown(value)}")
    return lines


def _numbers(result: Mapping[str, Any]) -> dict[str, float]:
    found = result.get("metrics", {})
    return {f"{domain} {metric}": v for domain in found for metric, v in found[domain].items()}


def _shown(value: float | None) -> str:
    return "missing" if value is None else f"{value:.6f}"
