"""Options from a suite, checked against a definition's dataclass before anything runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from recmerge_bench.contracts import definition, spec_class
from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.bounds import out_of_range
from recmerge_bench.planning.keys import canonical
from recmerge_bench.specs import Spec


def complete(spec: Spec, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All options with their values, defaults filled in, as JSON values.

    Raises:
        HandledError: an unknown option or a value of a wrong type.
    """
    options, cls = {**spec.options, **given}, spec_class(spec)

    def completed() -> dict[str, Any]:
        values = checked(cls.Options, options, f"{where}, {spec.name}")
        try:
            definition(spec, values)  # whatever else it asks of its options
        except HandledError as error:
            raise HandledError(f"{where}: {error}") from None
        return values

    return _once((spec.kind, id(cls)), options, completed)


def checked(cls: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as a full mapping of the dataclass's fields, types checked.

    Raises:
        HandledError: a value of a wrong type, or an unknown field.
    """
    return _once(cls, values, lambda: _checked(cls, values, where))


#: What was checked, by whose options and canonical values: a plan asks the same thousands of times.
_CHECKED: dict[tuple[Any, str], dict[str, Any]] = {}
_REMEMBERED = 4096


def _once(
    whose: Any, values: Mapping[str, Any], check: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What a check made of these values; a copy, checked once."""
    try:
        key = (whose, canonical(values))
    except (TypeError, ValueError):  # nothing that JSON knows: the check says where
        return check()
    if key not in _CHECKED:
        if len(_CHECKED) >= _REMEMBERED:
            _CHECKED.clear()
        _CHECKED[key] = check()
    return dict(_CHECKED[key])


def _checked(cls: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {f.name for f in dataclasses.fields(cls)}
    for name in values:
        if name not in known:
            raise HandledError(f"{where}: unknown option '{name}'{near(name, known)}")
    try:
        parsed: Any = _adapter(cls).validate_python(dict(values))
    except ValidationError as error:
        raise HandledError(f"{where}: {_first_flaw(error)}") from None
    except HandledError as error:
        raise HandledError(f"{where}: {error}") from None
    except ArithmeticError as error:  # options that are checked against one another: 8 % "0"
        raise HandledError(f"{where}: {error}: an option is out of range") from None
    full: dict[str, Any] = _json(dataclasses.asdict(parsed))
    for name, value in full.items():
        if not fits(value):
            raise HandledError(f"{where}: {name}: takes numbers that fp32 holds, not {value!r}")
    if fault := out_of_range(full):
        raise HandledError(f"{where}: {fault}")
    return full


def _first_flaw(error: ValidationError) -> str:
    """Which option has another value than it takes, what it takes, and the value."""
    first, *others = error.errors()
    # An option that takes one of several types fails for each of them.
    top, value = first["loc"][:1], first["input"]
    same = [e for e in others if e["loc"][:1] == top and e["input"] is value]
    place = ".".join(str(p) for p in (top if same else first["loc"]))
    takes = " or ".join(e["msg"] for e in (first, *same))
    return f"{place}: {takes}, not {value!r}"


#: The largest number of fp32, in which weights are merged and trained.
LARGEST = 3.4028234663852886e38


def fits(value: Any) -> bool:
    """No NaN, no infinity and nothing that overflows in fp32, however deep."""
    if isinstance(value, Mapping):
        return all(fits(v) for v in value.values())
    if isinstance(value, list):
        return all(fits(v) for v in value)
    return not isinstance(value, float) or abs(value) <= LARGEST


@functools.cache
def _adapter(cls: type) -> Any:
    return TypeAdapter(cls)


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(v) for v in value]
    return value
