"""What is wrong with a value of a YAML file, in words of YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from recmerge_bench.errors import near

#: Kinds of pydantic's faults -> what the value has to be.
_WANTED = {
    "tuple_type": "takes a list, such as [a, b]",
    "list_type": "takes a list, such as [a, b]",
    "dict_type": "takes keys with values, such as {key: value}",
    "model_type": "takes keys with values, such as {key: value}",
    "model_attributes_type": "takes keys with values, such as {key: value}",
    "float_parsing": "takes a number",
    "float_type": "takes a number",
    "finite_number": "takes a finite number",
    "bool_type": "takes true or false",
    "int_parsing": "takes a whole number",
    "int_type": "takes a whole number",
    "string_type": "takes text",
    "missing": "this key has to be given",
}


def in_words(fault: Mapping[str, Any]) -> str:
    """Of one of `ValidationError.errors`; the library's own words where it has none of ours.

    Values that are one thing are shown: a list's or a mapping's place says enough.
    """
    message = str(fault["msg"]).removeprefix("Value error, ")
    wanted = _WANTED.get(fault["type"])
    if wanted is None:
        return message
    value = fault.get("input")
    shown = isinstance(value, (str, int, float)) and fault["type"] != "missing"
    return f"{wanted}, not {value!r:.80}" if shown else wanted


def there_are(name: str, known: Iterable[str], most: int = 12) -> str:
    """Near names of a name that is not known, else all that there are if they are few."""
    names = sorted({one for one in known if one})
    if guess := near(name, names):
        return guess
    return f"; there are: {', '.join(names)}" if 0 < len(names) <= most else ""
