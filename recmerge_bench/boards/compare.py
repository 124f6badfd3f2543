"""What changed between two records of a suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float = 0.0
) -> list[str]:
    """Differences, a line each: rows that came, went or failed, metrics that moved too far.

    Args:
        before: committed records.
        after: fresh ones.
        tolerance: largest absolute difference of a metric that passes.
    """
    old, new = _by_identity(before), _by_identity(after)
    lines = [f"{name}: is gone" for name in old if name not in new]
    lines += [f"{name}: is new" for name in new if name not in old]
    for name, then in old.items():
        if name in new:
            lines += _differences(name, then, new[name], tolerance)
    return lines


def _by_identity(records: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        " ".join(f"{k}={v}" for k, v in sorted(r["identity"].items()) if v not in ("", None)): r
        for r in records["results"]
    }


def _differences(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float
) -> list[str]:
    if old["status"] != new["status"]:
        return [f"{name}: was {old['status']}, is {new['status']} {new.get('reason', '')}".rstrip()]
    lines = []
    for field in ("candidates", "data", "instances"):
        if old.get(field) != new.get(field):
            lines.append(f"{name}: {field} differ: {old.get(field)} and {new.get(field)}")
    for domain, metrics in old.get("metrics", {}).items():
        for metric, value in metrics.items():
            now = new.get("metrics", {}).get(domain, {}).get(metric)
            if now is None or not abs(now - value) <= tolerance:
                lines.append(f"{name}: {domain} {metric} was {value:.4f}, is {now}")
    return lines
