"""Options from a suite, checked against a definition's dataclass before anything runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from recmerge_bench.contracts import spec_class
from recmerge_bench.errors import HandledError, near
from recmerge_bench.json_values import JsonObject, canonical, plain_object
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.bounds import out_of_range
from recmerge_bench.specs import Spec
from recmerge_bench.training.options import TrainOptions

T = TypeVar("T")


def complete(spec: Spec, given: Mapping[str, object], where: str) -> CompleteOptions:
    """All options of a plugin with their values: its presets and defaults under what is given.

    Equal options of one plugin are made and checked once a process.

    Args:
        spec: whose.
        given: by name, of any type: it is checked here.
        where: what an error begins with.

    Raises:
        HandledError: an unknown option or a value of a wrong type.
    """
    laid, cls = {**spec.options, **given}, spec_class(spec)

    def completed() -> CompleteOptions:
        _, values = _checked(cls.Options, laid, f"{where}, {spec.name}")
        options = CompleteOptions.of(spec.target, values)
        try:
            options.definition()  # whatever else it asks of its options
        except HandledError as error:
            raise HandledError(f"{where}: {error}") from None
        return options

    return _once((spec.kind, spec.target, id(cls)), laid, completed)


def training_options(given: Mapping[str, object], where: str) -> TrainOptions:
    """All options of a training, as `complete` makes those of a plugin.

    Raises:
        HandledError: an unknown option or a value of a wrong type.
    """
    return _once(
        TrainOptions, given, lambda: _checked(TrainOptions, given, f"{where}, training")[0]
    )


#: What was made, by whose options and canonical values: a plan asks the same thousands of times.
_MADE: dict[tuple[Hashable, str], object] = {}
_REMEMBERED = 4096


def _once(whose: Hashable, values: Mapping[str, object], make: Callable[[], T]) -> T:
    """What was made of these values: the same for all who ask, since nobody can change it."""
    try:
        key = (whose, canonical(values))
    except (TypeError, ValueError):  # nothing that JSON knows: the check says where
        return make()
    if key not in _MADE:
        if len(_MADE) >= _REMEMBERED:
            _MADE.clear()
        _MADE[key] = make()
    return cast(T, _MADE[key])


def _checked(cls: type[T], given: Mapping[str, object], where: str) -> tuple[T, JsonObject]:
    """A dataclass of options and its JSON values: names, types and ranges checked."""
    known = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise HandledError(f"{where}: unknown option '{name}'{near(name, known)}")
    try:
        parsed: Any = _adapter(cast(type, cls)).validate_python(dict(given))
    except ValidationError as error:
        raise HandledError(f"{where}: {_first_flaw(error)}") from None
    except HandledError as error:
        raise HandledError(f"{where}: {error}") from None
    except ArithmeticError as error:  # options that are checked against one another: 8 % "0"
        raise HandledError(f"{where}: {error}: an option is out of range") from None
    full = _plain(parsed, where)
    for name, value in full.items():
        if not fits(value):
            raise HandledError(f"{where}: {name}: takes numbers that fp32 holds, not {value!r}")
    if fault := out_of_range(full):
        raise HandledError(f"{where}: {fault}")
    return parsed, full


def _plain(parsed: Any, where: str) -> JsonObject:
    try:
        return plain_object(dataclasses.asdict(parsed))
    except TypeError as error:
        raise HandledError(f"{where}: {error}") from None


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


def fits(value: object) -> bool:
    """No NaN, no infinity and nothing that overflows in fp32, however deep."""
    if isinstance(value, Mapping):
        return all(fits(v) for v in value.values())
    if isinstance(value, list):
        return all(fits(v) for v in value)
    return not isinstance(value, float) or abs(value) <= LARGEST


@functools.cache
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)
