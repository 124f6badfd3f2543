"""The schema of comparisons in records, and how those of schema 2 and before are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, field_validator

from recmerge_bench.statistics.verdicts import NONE, UNRECORDED, few_seeds, few_users


class Part(BaseModel):
    """Wrong types are errors; keys that later versions add are let through."""

    model_config = ConfigDict(strict=True, extra="allow")


class Judgement(Part):
    """See `recmerge_bench.statistics.verdicts.Judgement`."""

    verdict: Literal["better", "worse", "equivalent", "undecided", "no verdict", "not recorded"]
    reason: str
    p: FiniteFloat | None
    level: FiniteFloat | None
    lower: FiniteFloat | None
    upper: FiniteFloat | None


class Claim(Part):
    """See `recmerge_bench.statistics.claims.Claim`."""

    difference: FiniteFloat
    error: FiniteFloat
    df: FiniteFloat
    p: FiniteFloat
    lower: FiniteFloat
    upper: FiniteFloat


class Effect(Part):
    """See `recmerge_bench.statistics.effects.Effect`."""

    dz: FiniteFloat | None
    wins: int
    ties: int
    losses: int


class NamedRow(Part):
    """What tells a row of a table from the others."""

    backbone: str
    method: str
    variant: str
    recipe: str
    profile: str


class ComparedRow(NamedRow):
    """See `recmerge_bench.statistics.comparison.Comparison`."""

    first: FiniteFloat
    baseline: FiniteFloat
    difference: FiniteFloat
    relative: FiniteFloat | None
    seeds: list[int]
    users: int
    trained_models: Claim | None
    methods: Claim | None
    sign_flip: FiniteFloat | None
    bootstrap: list[FiniteFloat] | None
    effect: Effect
    about_methods: Judgement
    about_models: Judgement

    @field_validator("bootstrap")
    @classmethod
    def _two_ends(cls, value: list[float] | None) -> list[float] | None:
        if value is not None and len(value) != 2:
            raise ValueError("an interval has two ends")
        return value


class Compared(Part):
    """Rows of a table beside the baseline of their backbone."""

    track: str
    protocol: str
    metric: str
    baseline: NamedRow
    rows: list[ComparedRow]


def judged(old: dict[str, Any]) -> dict[str, Any]:
    """From 2 to 3: no verdict is a state of its own; nothing is known of these models' verdicts."""
    families = old.get("comparisons")
    if not isinstance(families, list):
        return old
    return {**old, "comparisons": [_family(f) if isinstance(f, Mapping) else f for f in families]}


def _family(about: Mapping[str, Any]) -> dict[str, Any]:
    rows = about.get("rows")
    if not isinstance(rows, list):
        return dict(about)
    return {**about, "rows": [_row(r) if isinstance(r, Mapping) else r for r in rows]}


def _row(old: Mapping[str, Any]) -> dict[str, Any]:
    models, methods = old.get("trained_models"), old.get("methods")
    if "about_methods" in old or not isinstance(models, Mapping):
        return dict(old)
    if not isinstance(old.get("seeds"), list):
        return dict(old)
    kept = {k: v for k, v in old.items() if k not in ("verdict", "p_holm")}
    seeds, users = old["seeds"], old.get("users")
    few = few_users(users if isinstance(users, int) else 0)
    reason = ", ".join(filter(None, [few_seeds(len(seeds), bool(seeds)), few]))
    unknown = dict.fromkeys(("p", "level", "lower", "upper"))
    about_methods: dict[str, Any] = {"verdict": NONE, "reason": reason or UNRECORDED, **unknown}
    if not reason and isinstance(methods, Mapping):
        ends = {k: methods.get(k) for k in ("lower", "upper")}
        about_methods = {
            "verdict": old.get("verdict"), "reason": "", "p": old.get("p_holm"), "level": 0.95,
            **ends,
        }  # fmt: skip
    return {
        **kept, "difference": models.get("difference"), "about_methods": about_methods,
        "about_models": {"verdict": UNRECORDED, "reason": "", **unknown},
    }  # fmt: skip
