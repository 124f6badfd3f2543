"""What changed between two records of a suite."""

from __future__ import annotations

from collections.abc import Mapping
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
    lines = [f"{name}: is gone" for name in old if name not in new]
    lines += [f"{name}: is new" for name in new if name not in old]
    for name, then in old.items():
        if name in new:
            lines += _differences(name, then, new[name], tolerance, relative)
    return lines


def _by_identity(records: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        " ".join(f"{k}={v}" for k, v in sorted(r["identity"].items()) if v not in ("", None)): r
        for r in records["results"]
    }


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
