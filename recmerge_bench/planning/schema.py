"""The JSON Schema of suite files, from the models that check them: editors complete by it.

A file is laid over the suites that it extends, whose keys it need not repeat and may remove by
``null``; so the schema requires only what stands in lists, which are never laid over one another.
What is missing, and names that nothing has, are found when a suite is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from recmerge_bench.docstrings import attributes, summary
from recmerge_bench.planning.suite import BackboneTune, MetricUse, Row, RowChoice, Suite
from recmerge_bench.planning.tune import TuneSpace
from recmerge_bench.planning.tuning import Tuning
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS
from recmerge_bench.training.options import TrainOptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: What pydantic calls any JSON value.
JSON = "JsonValue"
#: Models whose keys stand in lists and are written whole.
WHOLE = (Row.__name__, RowChoice.__name__, MetricUse.__name__)
#: Models that give choices for options, in the place of values.
SPACES = (TuneSpace.__name__, BackboneTune.__name__)
#: Keys that hold options of trainings.
TRAININGS = ("training", "pretraining", "joint")
#: Key -> kinds of the plugins that it names.
NAMES: Mapping[str, tuple[str, ...]] = {
    "dataset": ("dataset",),
    "protocols": ("protocol",),
    "method": METHOD_KINDS,
    "metrics": ("metric",),
}


def suite_schema(registry: Registry | None = None) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a suite's file.

    Args:
        registry: whose plugins' names are given as examples, which editors offer; none if absent.
    """
    schema = Suite.model_json_schema(mode="validation")
    schema = _any_json(schema)
    parts: dict[str, Any] = schema.pop("$defs")
    parts.pop(JSON, None)
    training = TypeAdapter(TrainOptions).json_schema()
    parts[TrainOptions.__name__] = {**training, "additionalProperties": False}
    models: dict[str, type] = {cls.__name__: cls for cls in _models(Suite)}
    models[MetricUse.__name__] = MetricUse
    models[TrainOptions.__name__] = TrainOptions
    for name, part in [(Suite.__name__, schema), *parts.items()]:
        _describe(part, models[name])
        if name not in (*WHOLE, TrainOptions.__name__):
            _partial(part)
        for key, field in part.get("properties", {}).items():
            if name not in SPACES:
                _of_trainings(key, field)
    _say_none(parts[Tuning.__name__])
    if registry is not None:
        _name_plugins(schema, parts, registry)
    return {"$schema": DIALECT, **schema, "title": "RecMerge-Bench suite", "$defs": parts}


def _any_json(part: Any) -> Any:
    """The schema with nothing said where any JSON value may stand."""
    if isinstance(part, list):
        return [_any_json(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("$ref") == f"#/$defs/{JSON}":
        return {}
    return {key: _any_json(value) for key, value in part.items()}


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all that its fields are made of."""
    seen: dict[type[BaseModel], None] = {}
    queue: list[Any] = [model]
    while queue:
        one = queue.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one in seen:
                continue
            seen[one] = None
            queue += [field.annotation for field in one.model_fields.values()]
        queue += getattr(one, "__args__", ())
    yield from seen


def _describe(part: dict[str, Any], source: type) -> None:
    """Descriptions from a class's docstring, in the place of titles made of names."""
    texts: dict[str, str] = {}
    for cls in reversed(source.__mro__):
        texts |= attributes(cls.__doc__)
    part.pop("title", None)
    part["description"] = summary(source.__doc__)
    for name, field in part.get("properties", {}).items():
        field.pop("title", None)
        if name in texts:
            field["description"] = texts[name]


def _partial(part: dict[str, Any]) -> None:
    """Nothing is required, and ``null`` takes away what an extended suite says."""
    part.pop("required", None)
    for name, field in part.get("properties", {}).items():
        for place in _objects(field):
            if isinstance(place.get("additionalProperties"), dict):
                entry = {"anyOf": [place["additionalProperties"], {"type": "null"}]}
                place["additionalProperties"] = entry
        if any(choice == {"type": "null"} for choice in field.get("anyOf", ())):
            continue
        outer = {k: field.pop(k) for k in ("description", "default") if k in field}
        part["properties"][name] = {"anyOf": [field, {"type": "null"}], **outer}


def _of_trainings(key: str, field: dict[str, Any]) -> None:
    """The options of trainings by name, where a key holds some."""
    options = {"$ref": f"#/$defs/{TrainOptions.__name__}"}
    for place in _objects(field):
        if key in TRAININGS:
            described = place.get("description")
            place.clear()
            place.update(options, **({"description": described} if described else {}))
        elif key == "domain_training":
            place["additionalProperties"] = options


def _objects(field: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of mappings without named keys among the choices of a field."""
    choices = field.get("anyOf", [field])
    return [c for c in choices if c.get("type") == "object" and "properties" not in c]


def _say_none(part: dict[str, Any]) -> None:
    """``none`` alone is a tuning budget too."""
    described = part.pop("description")
    whole = dict(part)
    part.clear()
    part |= {"anyOf": [{"const": "none"}, whole], "description": described}


def _name_plugins(schema: dict[str, Any], parts: dict[str, Any], registry: Registry) -> None:
    """Names of plugins as examples; any other name stays allowed."""
    for part in (schema, *parts.values()):
        for key, field in part.get("properties", {}).items():
            if key in NAMES:
                names = [n for kind in NAMES[key] for n in registry.names(kind)]
                _text_of(field)["examples"] = sorted(names)
    backbones = _objects(parts["Track"]["properties"]["backbones"])[0]
    use = backbones["additionalProperties"]
    backbones["properties"] = {name: use for name in sorted(registry.names("backbone"))}


def _text_of(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a name in a field: the field, or the entries of its list."""
    choices = field.get("anyOf", [field])
    lists = [c["items"] for c in choices if c.get("type") == "array"]
    texts = [c for c in choices if c.get("type") == "string"]
    chosen: dict[str, Any] = (lists or texts or [field])[0]
    return chosen


__all__ = ["suite_schema"]
