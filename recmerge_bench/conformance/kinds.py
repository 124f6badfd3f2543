"""Which requirements a kind has, and what its plugins are tried with."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.conformance.requirement import Requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.contracts import spec_class
from recmerge_bench.definitions import ListMetricDefinition
from recmerge_bench.specs import CDSRSpec, Spec, StrategySpec

#: Kind -> module and the class of its subjects.
_SUBJECTS: Mapping[str, tuple[str, str]] = {
    "dataset": ("datasets", "DatasetSubject"),
    "encoder": ("encoders", "EncoderSubject"),
    "backbone": ("models", "ModelSubject"),
    "cdsr": ("models", "ModelSubject"),
    "counting": ("counting", "CountingSubject"),
    "strategy": ("strategies", "StrategySubject"),
    "protocol": ("protocols", "ProtocolSubject"),
    "metric": ("metrics", "MetricSubject"),
    "list-metric": ("list_metrics", "ListMetricSubject"),
    "executor": ("executors", "ExecutorSubject"),
}


def tried_as(spec: Spec) -> str:
    """The kind whose requirements a spec's class has: its own, or ``list-metric``."""
    if spec.kind == "metric" and issubclass(spec_class(spec), ListMetricDefinition):
        return "list-metric"
    return spec.kind


def requirements(kind: str) -> tuple[Requirement, ...]:
    """All requirements of a kind, in the order in which they are tried."""
    made: tuple[Requirement, ...] = _module(kind).REQUIREMENTS
    return made


def subject(kind: str, definition: Any, **facts: Any) -> Subject:
    """What the requirements of a kind are tried on.

    Args:
        kind: from `tried_as`.
        definition: with its options.
        facts: attributes of the kind's subject, such as ``tier``.
    """
    if kind == "cdsr":
        facts.setdefault("mixed", True)
    made: Subject = getattr(_module(kind), _SUBJECTS[kind][1])(definition, **facts)
    return made


def facts_of(spec: Spec, data_root: Path | None = None) -> dict[str, Any]:
    """What a spec says that its subject has to know."""
    facts: dict[str, Any] = {}
    if isinstance(spec, StrategySpec):
        facts = {"tier": spec.tier, "passthrough": spec.passthrough}
    if isinstance(spec, CDSRSpec):
        facts = {"single_target": spec.single_target}
    if spec.kind in ("dataset", "encoder"):
        facts = {"data_root": data_root}
    return facts


def _module(kind: str) -> Any:
    return importlib.import_module(f"recmerge_bench.conformance.{_SUBJECTS[kind][0]}")


__all__ = ["facts_of", "requirements", "subject", "tried_as"]
