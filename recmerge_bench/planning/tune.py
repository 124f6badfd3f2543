"""``tune:``, as suites write it: what is searched, and the budget that all of a track share.

A track gives the budget (`TuneUse`), its rows and backbones what is searched (`TuneSpace`). Every
search of a track has the same number of trials, so that no method is tuned harder than another.
Trials are judged on validation targets; what they are is in `recmerge_bench.planning.searches`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from recmerge_bench.errors import near
from recmerge_bench.json_values import canonical
from recmerge_bench.planning.faults import in_words

#: Steps that a range of numbers without `step` has.
STEPS = 1000
#: Most values that one option may have.
MOST = 100_000


class Range(BaseModel):
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: the least.
        high: the greatest.
        step: between neighbours; 1 for options that are whole numbers, else a thousandth of the
            range if absent.
        log: the logarithms are evenly spread; takes no `step`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    low: int | float
    high: int | float
    step: int | float | None = None
    log: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        numbers = [n for n in (self.low, self.high, self.step) if n is not None]
        if not all(math.isfinite(n) for n in numbers):
            raise ValueError("low, high and step are finite numbers")
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) has to be below high ({self.high})")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range is above 0, low is {self.low}")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic range takes no step")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"step ({self.step}) has to be above 0 and no longer than the range")
        if self.step is not None and (self.high - self.low) / self.step > MOST:
            raise ValueError(f"more than {MOST:,} steps: take a longer one")
        return self

    @property
    def text(self) -> str:
        """``0.1 to 1 (log)``."""
        more = [*(["log"] if self.log else []), *([f"step {self.step:g}"] if self.step else [])]
        return f"{self.low:g} to {self.high:g}" + (f" ({', '.join(more)})" if more else "")


def _one_of(value: Any) -> Range | tuple[Any, ...]:
    """A list of values, or a range; one clear line for anything else."""
    if isinstance(value, Range):
        return value
    if isinstance(value, dict):
        return _range(value)
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"takes a list of values or {{low: ..., high: ...}}, not {value!r:.80}")
    if len(value) < 2:
        raise ValueError("a list of values to search has two at least; set a single one in options")
    texts = [canonical(v) for v in value]
    for number, text in enumerate(texts):
        if text in texts[:number]:
            raise ValueError(f"has {value[number]!r:.80} twice")
    return tuple(value)


def _range(value: dict[str, Any]) -> Range:
    for key in value:
        if key not in Range.model_fields:
            raise ValueError(f"a range has no key '{key}'{near(str(key), Range.model_fields)}")
    try:
        return Range.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = f"{first['loc'][0]}: " if first["loc"] else ""
        raise ValueError(place + in_words(first)) from None


#: Values that are tried for an option.
Choices = Annotated[
    Range | tuple[Any, ...],
    BeforeValidator(_one_of, json_schema_input_type=Range | list[Any]),
]


class TuneSpace(BaseModel):
    """What is searched for a row: options by name, each a list of values or a range.

    What is searched is not set as well.

    Attributes:
        options: of the method.
        training: of the model that is the row, or of the joint training behind it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    options: dict[str, Choices] = {}
    training: dict[str, Choices] = {}

    @model_validator(mode="before")
    @classmethod
    def _no_own_budget(cls, value: Any) -> Any:
        for key in value if isinstance(value, dict) else ():
            if key in TuneUse.model_fields:
                raise ValueError(
                    f"'{key}' is the track's: every search of a track has the same budget"
                )
        return value

    @model_validator(mode="after")
    def _searches_something(self) -> Self:
        if not self.options and not self.training:
            raise ValueError("names nothing to search: give options or training")
        return self

    @property
    def text(self) -> str:
        """What is searched, a line."""
        groups = (("", self.options), ("training.", self.training))
        return "; ".join(
            f"{group}{name} {_text(choices)}"
            for group, some in groups
            for name, choices in some.items()
        )


def _text(choices: Range | tuple[Any, ...]) -> str:
    return choices.text if isinstance(choices, Range) else " or ".join(map(str, choices))


class TuneUse(BaseModel):
    """The budget of a track's searches, the same for every row and backbone that is searched.

    Attributes:
        trials: settings that each search tries, no more and no less, no setting twice.
        seed: of the drawing, and of the trainings and merges of every trial.
        select: what trials are judged by on validation targets, ``METRIC@PROTOCOL`` as of a
            training's `select`: the metric's mean over the track's domains.
        sampler: ``tpe``: the first half drawn at random, the others by optuna's tree-structured
            Parzen estimator from the values of those before; ``random``: all at random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trials: int = Field(ge=2, le=10_000, strict=True)
    seed: int = Field(0, ge=0, lt=2**63, strict=True)
    select: str = ""
    sampler: Literal["tpe", "random"] = "tpe"

    @property
    def at_random(self) -> int:
        """How many of the trials are drawn without looking at values."""
        return self.trials if self.sampler == "random" else (self.trials + 1) // 2
