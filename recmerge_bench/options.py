"""A plugin's options as one value: the same in a plan, in a cell's folder and in its worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recmerge_bench.json_values import JsonObject, JsonValue, canonical, plain_object
from recmerge_bench.targets import load_class, options_of


@dataclass(frozen=True)
class CompleteOptions:
    """All options of a plugin's class, defaults filled in: checked once, changed never.

    `recmerge_bench.planning.options.complete` makes them of what a suite or a caller gives. They
    go on as this value, become JSON (`to_json`) where a process ends, and are this value again
    (`read`) in the next. Equal and hashed by class and canonical form: `heads=2` is another value
    than `heads=2.0`.

    Attributes:
        target: ``package.module:Class`` of the definition.
        canonical: their JSON with sorted keys.
    """

    target: str
    canonical: str
    _values: JsonObject = field(compare=False, repr=False)

    @classmethod
    def of(cls, target: str, values: Mapping[str, object]) -> CompleteOptions:
        """Of all values by name.

        Raises:
            TypeError: one of them has no form as JSON.
        """
        own = plain_object(values)
        return cls(target, canonical(own), own)

    @classmethod
    def read(cls, described: object) -> CompleteOptions:
        """What `to_json` gave; further keys are let through.

        Raises:
            ValueError: it is something else.
        """
        if isinstance(described, Mapping):
            target, values = described.get("target"), described.get("options")
            if isinstance(target, str) and isinstance(values, Mapping):
                return cls.of(target, values)
        raise ValueError(f"no class with its options: {described!r:.80}")

    def to_json(self) -> JsonObject:
        """``{"target": ..., "options": {name: value}}``."""
        return {"target": self.target, "options": self.values}

    @property
    def values(self) -> JsonObject:
        """JSON values by name, in the order of the class's fields; the caller's own copy."""
        return plain_object(self._values)

    def get(self, name: str, default: JsonValue = None) -> JsonValue:
        """An option that not every class has, without importing the class."""
        return plain_object(self._values).get(name, default)

    def number(self, name: str, default: float) -> float:
        """The same of a number; the default where there is none of the name."""
        value = self._values.get(name)
        return default if not isinstance(value, (int, float)) else value

    @cached_property
    def typed(self) -> object:
        """The instance of the class's own `Options`, made when it is first asked for.

        Raises:
            HandledError: the class cannot be had, or its options are others.
        """
        return options_of(load_class(self.target), self._values)

    def definition(self) -> Any:
        """A new definition with these options.

        Raises:
            HandledError: as `typed`; whatever else the definition asks of its options.
        """
        return load_class(self.target)(self.typed)
