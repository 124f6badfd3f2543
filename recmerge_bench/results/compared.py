"""What records say of rows together: comparisons with a baseline, mean ranks across domains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FailFast, Field, FiniteFloat, field_validator

from recmerge_bench.identity import NamedRow, Place
from recmerge_bench.typed import Value


class Judgement(Value):
    """See `recmerge_bench.statistics.verdicts.Judgement`."""

    verdict: Literal["better", "worse", "equivalent", "undecided", "no verdict", "not recorded"]
    reason: str
    p: FiniteFloat | None
    level: FiniteFloat | None
    lower: FiniteFloat | None
    upper: FiniteFloat | None


class Claim(Value):
    """See `recmerge_bench.statistics.claims.Claim`."""

    difference: FiniteFloat
    error: FiniteFloat
    df: FiniteFloat
    p: FiniteFloat
    lower: FiniteFloat
    upper: FiniteFloat


class Effect(Value):
    """See `recmerge_bench.statistics.effects.Effect`."""

    dz: FiniteFloat | None
    wins: int
    ties: int
    losses: int


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


class Compared(Value):
    """Rows of a table beside the baseline of their backbone."""

    track: str
    protocol: str
    metric: str
    baseline: NamedRow
    rows: list[ComparedRow]

    @property
    def place(self) -> Place:
        """The table that it is about."""
        return Place(self.track, self.protocol)


class RankedRow(NamedRow):
    """A row's mean rank over the domains; in no group where there is no verdict about it."""

    mean_rank: FiniteFloat
    lower: FiniteFloat
    upper: FiniteFloat
    groups: list[int]


class Across(Value):
    """Mean ranks of one table."""

    track: str
    protocol: str
    metric: str
    domains: int
    said: str | None
    critical_difference: FiniteFloat | None = None
    left_out: int
    no_groups: list[str] = Field(default_factory=list)
    rows: Annotated[list[RankedRow], FailFast()]

    @property
    def place(self) -> Place:
        """The table that it is about."""
        return Place(self.track, self.protocol)
