"""``<suite>.curves.json`` and ``<suite>.groups.json`` as they are read: typed and bounded.

Imported when a file is read: pydantic takes a while to load.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import FailFast, Field, FiniteFloat, field_validator, model_validator

from recmerge_bench import schema_numbers
from recmerge_bench.identity import Identity
from recmerge_bench.results.records import OfSuite
from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.jsons import read_json

#: Test targets that a split may have.
TARGETS = 50_000_000
#: What figures show of a curve's points.
DRAWN = ("cross_entropy", "entropy", "NDCG@10")
REMEDY = "build them again"


class CurvePoint(Value):
    """Metrics by domain after so many steps."""

    step: int = Field(ge=0)
    domains: dict[str, dict[str, FiniteFloat]]


class CurveWeights(Value):
    """A weight for each domain after so many steps."""

    step: int = Field(ge=0)
    mean: list[FiniteFloat]


class Curve(Value):
    """How one learned merge came about."""

    key: str
    identity: Identity
    domains: list[str] = Field(min_length=1)
    groups: int = Field(ge=1)
    points: Annotated[list[CurvePoint], FailFast()]
    weights: Annotated[list[CurveWeights], FailFast()]

    @model_validator(mode="after")
    def _fit(self) -> Curve:
        names = [sorted(self.points[0].domains[d]) for d in self.points[0].domains][:1]
        for point in self.points:
            if sorted(point.domains) != sorted(self.domains):
                raise ValueError("a point has other domains than the curve")
            if [sorted(values) for values in point.domains.values()] != names * len(self.domains):
                raise ValueError("a point has other metrics than the first")
        if names and not set(DRAWN) <= set(names[0]):
            raise ValueError(f"a point lacks one of {', '.join(DRAWN)}")
        if any(len(w.mean) != len(self.domains) for w in self.weights):
            raise ValueError("weights and domains differ in number")
        return self

    @field_validator("points", "weights")
    @classmethod
    def _some(cls, value: list[Any]) -> list[Any]:
        if not value:
            raise ValueError("a curve has a point at least")
        return value


class Curves(OfSuite):
    """``<suite>.curves.json``."""

    schema_: int = Field(alias="schema", ge=schema_numbers.CURVES, le=schema_numbers.CURVES)
    curves: Annotated[list[Curve], FailFast()]


class PackedGroup(Value):
    """Which test targets are in a group: bits, packed and in base 64."""

    name: str
    about: str
    instances: int = Field(ge=0, le=TARGETS)
    rows: str


class Groups(OfSuite):
    """``<suite>.groups.json``."""

    schema_: int = Field(alias="schema", ge=schema_numbers.GROUPS, le=schema_numbers.GROUPS)
    splits: dict[str, Annotated[list[PackedGroup], FailFast()]]


def read_curves(path: Path) -> list[Curve]:
    """The curves of a file.

    Raises:
        DataError: it is damaged or of another schema; says where.
    """
    raw = read_json(path, remedy=REMEDY)
    return checked(Curves, raw, path, "no curves of a suite", REMEDY).curves


def read_groups(path: Path) -> dict[str, list[PackedGroup]]:
    """Key of a split -> its groups, packed.

    Raises:
        DataError: it is damaged or of another schema; says where.
    """
    raw = read_json(path, remedy=REMEDY)
    return checked(Groups, raw, path, "no groups of test targets", REMEDY).splits
