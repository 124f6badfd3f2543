"""A plugin's options: names, types, defaults, presets, and what they mean."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

#: Stands for the default of an option that has to be given.
REQUIRED = "(required)"


@dataclass(frozen=True)
class OptionFacts:
    """An option.

    Attributes:
        name: as suites give it.
        type: as the class annotates it.
        default: what the class has, as JSON has it; `REQUIRED` where it has to be given.
        preset: what the spec lays over the default; the default where it lays nothing.
        meaning: from the docstring of the class's options; empty where nothing is said.
    """

    name: str
    type: str
    default: Any
    preset: Any
    meaning: str


def option_facts(cls: type, presets: Mapping[str, Any]) -> list[OptionFacts]:
    """The options of a definition's class.

    Args:
        cls: the class; its `Options` is a dataclass.
        presets: of the spec.
    """
    options: Any = getattr(cls, "Options")  # noqa: B009
    meanings, hints = _meanings(options), _hints(options)
    facts = []
    for field in dataclasses.fields(options):
        if not field.init:
            continue
        default = _plain(_default(field))
        preset = _plain(presets[field.name]) if field.name in presets else default
        kind = _shown(hints.get(field.name, field.type))
        facts.append(OptionFacts(field.name, kind, default, preset, meanings.get(field.name, "")))
    return facts


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED


def _plain(value: Any) -> Any:
    """A value as JSON has it; text where it has none."""
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def _hints(options: type) -> dict[str, Any]:
    try:
        return get_type_hints(options)
    except Exception:  # a name that only type checkers import: the annotation's text stands
        return {}


def _shown(kind: Any) -> str:
    """A type as people write it: ``one of 'a', 'b'`` for choices."""
    if isinstance(kind, str):
        return kind
    if str(get_origin(kind)) == "typing.Literal":
        return "one of " + ", ".join(repr(a) for a in get_args(kind))
    arguments = get_args(kind)
    if arguments and get_origin(kind) is not None and "Union" in str(get_origin(kind)):
        return " or ".join(_shown(a) for a in arguments)
    if isinstance(kind, type) and not arguments:
        return "None" if kind is type(None) else kind.__name__
    return str(kind).replace("typing.", "")


def _meanings(options: type) -> dict[str, str]:
    """What the docstrings of a dataclass and its bases say of each field."""
    meanings: dict[str, str] = {}
    for base in reversed(options.__mro__):
        if dataclasses.is_dataclass(base):
            meanings |= attributes_of(inspect.cleandoc(vars(base).get("__doc__") or ""))
    return meanings


def attributes_of(text: str) -> dict[str, str]:
    """Name -> what is said of it below ``Attributes:`` in a docstring."""
    _, _, section = text.partition("Attributes:\n")
    lines: dict[str, list[str]] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        match = re.match(r" {2,4}(\w+)(?: \([^)]*\))?: (.*)", line)
        if match:
            name = match[1]
            lines[name] = [match[2]]
        elif name and line.strip():
            lines[name].append(line.strip())
    return {name: " ".join(text) for name, text in lines.items()}


__all__ = ["REQUIRED", "OptionFacts", "attributes_of", "option_facts"]
