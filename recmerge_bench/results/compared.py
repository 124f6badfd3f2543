"""What records say of rows together: comparisons with a baseline, mean ranks across domains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import FailFast, Field, FiniteFloat, field_validator

from recmerge_bench.identity import NamedRow, Place, Row
from recmerge_bench.typed import Value

#: Verdict -> that of the other one of two; all others are the same for both.
OPPOSITE = {"better": "worse", "worse": "better"}


class Judgement(Value):
    """See `recmerge_bench.statistics.verdicts.Judgement`."""

    verdict: Literal["better", "worse", "equivalent", "undecided", "no verdict", "not recorded"]
    reason: str
    p: FiniteFloat | None
    level: FiniteFloat | None
    lower: FiniteFloat | None
    upper: FiniteFloat | None

    def turned(self) -> Judgement:
        """The same, said of the other one of the two."""
        return self.model_copy(update={
            "verdict": OPPOSITE.get(self.verdict, self.verdict),
            "lower": None if self.upper is None else -self.upper,
            "upper": None if self.lower is None else -self.lower,
        })  # fmt: skip


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

    def turned(self) -> ComparedRow:
        """What is judged of a comparison, as the baseline's with the row.

        Means, difference and both judgements are turned; the claims and the effect behind them are
        not.
        """
        difference = -self.difference
        return self.model_copy(update={
            "first": self.baseline, "baseline": self.first, "difference": difference,
            "relative": difference / self.first if self.first else None,
            "about_methods": self.about_methods.turned(),
            "about_models": self.about_models.turned(),
        })  # fmt: skip


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


def recorded(
    comparisons: Iterable[Compared], place: Place, first: Row, second: Row
) -> ComparedRow | None:
    """A board's own comparison of two rows, its sign turned where `first` is the baseline.

    None where the two stand in no comparison of the table.
    """
    for entry in comparisons:
        for row in entry.rows if entry.place == place else ():
            if (row.row, entry.baseline.row) == (first, second):
                return row
            if (row.row, entry.baseline.row) == (second, first):
                return row.turned()
    return None


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
