"""Spaces of settings: each option's values in order, settings as places in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recmerge_bench.json_values import JsonObject, JsonValue, canonical, plain
from recmerge_bench.planning.tune import STEPS, Range, TuneSpace
from recmerge_bench.planning.tuning import Tuning

#: Significant digits of what lies within a range: the same on every machine, and readable.
DIGITS = 6


@dataclass(frozen=True)
class Setting:
    """What a trial sets.

    Attributes:
        options: name and value of each searched option of a method or backbone, sorted.
        training: likewise of a training.
    """

    options: tuple[tuple[str, JsonValue], ...] = ()
    training: tuple[tuple[str, JsonValue], ...] = ()

    @property
    def text(self) -> str:
        """``density=0.3, training.lr=0.001``."""
        groups = (("", self.options), ("training.", self.training))
        return ", ".join(f"{group}{k}={v}" for group, some in groups for k, v in some)

    def to_json(self) -> JsonObject:
        """``options`` and ``training``, where there are any."""
        groups = (("options", self.options), ("training", self.training))
        return {group: dict(some) for group, some in groups if some}

    @property
    def key(self) -> str:
        """The same for equal settings and no others."""
        return canonical(self.to_json())


@dataclass(frozen=True)
class Chosen:
    """What a search ends with.

    Attributes:
        setting: the best one.
        tuning: what was tried for it.
        trials: keys of the cells that judged what was tried.
    """

    setting: Setting = Setting()
    tuning: Tuning | None = None
    trials: tuple[str, ...] = ()


@dataclass(frozen=True)
class Axis:
    """The values of one searched option.

    Attributes:
        group: ``options`` or ``training``.
        name: of the option.
        values: of a list, else empty.
        span: the range, where it is no list.
        whole: the range's values are whole numbers.
    """

    group: str
    name: str
    values: tuple[JsonValue, ...] = ()
    span: Range | None = None
    whole: bool = False

    @property
    def place(self) -> str:
        """``options.density``."""
        return f"{self.group}.{self.name}"

    @property
    def count(self) -> int:
        """How many numbers its values have; a value may have several."""
        span = self.span
        if span is None:
            return len(self.values)
        if span.log:
            return STEPS + 1
        return math.floor((span.high - span.low) / self._step + 1e-9) + 1

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len({canonical(self.value(number)) for number in range(self.count)})

    @property
    def _step(self) -> float:
        span = self.span
        assert span is not None
        if span.step is not None:
            return span.step
        return 1 if self.whole else (span.high - span.low) / STEPS

    def value(self, number: int) -> JsonValue:
        """The value with this number, from 0."""
        if self.span is None:
            return self.values[number]
        low, high = self.span.low, self.span.high
        if number == self.count - 1 and self.span.step is None:
            return int(high) if self.whole else float(high)
        exact = low * (high / low) ** (number / STEPS) if self.span.log else (
            low + number * self._step
        )  # fmt: skip
        if self.whole:
            return round(exact)
        return min(float(high), max(float(low), float(f"{exact:.{DIGITS}g}")))

    @property
    def ends(self) -> tuple[JsonValue, ...]:
        """Every value of a list; the ends of a range."""
        if self.span is None:
            return self.values
        return (self.value(0), self.value(self.count - 1))


@dataclass(frozen=True)
class Space:
    """The settings of a search: a place on each axis is one.

    Attributes:
        axes: sorted by place.
    """

    axes: tuple[Axis, ...]

    @property
    def count(self) -> int:
        """How many settings there are."""
        return math.prod(axis.distinct for axis in self.axes)

    def setting(self, places: Mapping[str, int]) -> Setting:
        """The setting at these numbers, one for each axis by its `place`."""
        groups: dict[str, list[tuple[str, JsonValue]]] = {"options": [], "training": []}
        for axis in self.axes:
            groups[axis.group].append((axis.name, axis.value(places[axis.place])))
        return Setting(tuple(groups["options"]), tuple(groups["training"]))

    def all(self) -> Iterator[dict[str, int]]:
        """Numbers that give every setting, in order."""
        names = [axis.place for axis in self.axes]
        for numbers in itertools.product(*(range(axis.count) for axis in self.axes)):
            yield dict(zip(names, numbers, strict=True))


def space_of(tune: TuneSpace, defaults: Mapping[str, JsonObject]) -> Space:
    """The space of what a suite searches.

    Args:
        tune: as the suite says it.
        defaults: the values of all options without a search, by group: they tell whole numbers
            from others. An option that is not among them is kept, for its check to find.
    """
    groups: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("options", tune.options), ("training", tune.training)
    )  # fmt: skip
    axes = [
        _axis(group, name, choices, defaults.get(group, {}).get(name))
        for group, some in groups
        for name, choices in some.items()
    ]
    return Space(tuple(sorted(axes, key=lambda axis: axis.place)))


def _axis(group: str, name: str, choices: Any, default: JsonValue) -> Axis:
    if not isinstance(choices, Range):
        return Axis(group, name, tuple(plain(v) for v in choices))
    numbers = (choices.low, choices.high, *([] if choices.step is None else [choices.step]))
    written_whole = all(isinstance(n, int) for n in numbers)
    return Axis(group, name, span=choices, whole=written_whole and not isinstance(default, float))
